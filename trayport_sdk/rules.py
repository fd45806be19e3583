"""What a call may ask for, checked against the generated tables before anything leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trayport_spec import Endpoint

from .contracts import ContractSpec
from .errors import TrayportValidationError
from .times import DAY, Window, to_text


def optional_fields(endpoint: Endpoint, names: Sequence[str] | None) -> tuple[str, ...]:
    """The API's names of optional fields, from names in any case, with or without underscores.

    Raises:
        TrayportValidationError: A name is not one of the operation's optional fields.
    """
    known = {name.lower(): name for name in endpoint.optional_fields}
    found: dict[str, None] = {}
    for name in [names] if isinstance(names, str) else names or ():
        canonical = known.get(str(name).replace("_", "").lower())
        if canonical is None:
            allowed = ", ".join(endpoint.optional_fields) or "none"
            raise TrayportValidationError(
                f"optional_fields {name!r} is not an optional field of {endpoint.path}",
                parameter="optional_fields",
                limit=allowed,
                suggestion=f"it has {allowed}",
            )
        found[canonical] = None
    return tuple(found)


def listed(
    contracts: ContractSpec | str | Sequence[ContractSpec | str],
) -> list[ContractSpec | str]:
    """The contracts of an argument that takes one or several.

    Raises:
        TrayportValidationError: There are none, or something among them is no contract.
    """
    wanted: list[Any]
    if isinstance(contracts, Iterable) and not isinstance(contracts, str):
        wanted = list(contracts)
    else:
        wanted = [contracts]
    if not wanted:
        raise TrayportValidationError(
            "contracts is empty", parameter="contracts", suggestion="give at least one"
        )
    for contract in wanted:
        if not isinstance(contract, ContractSpec | str):
            raise TrayportValidationError(
                f"contracts has {contract!r}, which is no contract",
                parameter="contracts",
                suggestion="give ContractSpec values, symbols or names",
            )
    return wanted


def not_in_the_future(window: Window, cutoff: int) -> None:
    """Refuses a range that ends after the current day in UTC, which no key can have data of.

    Raises:
        TrayportValidationError: The range ends in the future.
    """
    latest = cutoff + DAY
    if window.end > latest:
        raise TrayportValidationError(
            f"until {to_text(window.end)} lies in the future",
            parameter="until",
            limit=to_text(latest),
            suggestion=f"leave it out for everything up to {to_text(cutoff)}, where the data ends",
        )
