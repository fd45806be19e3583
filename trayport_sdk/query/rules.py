"""What a call may ask for, checked against the generated tables before anything leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, Literal, TypeAlias

from trayport_spec import ENDPOINTS, Endpoint

from ..errors import TrayportValidationError
from .contracts import ContractSpec, ContractType
from .params import checked_value, checked_values, listed_values, parameters_by_argument, too_many
from .plan import DEFAULTS, PREFIX, Options
from .ranges import check_cutoff, check_times, data_end, latest, missing_history

__all__ = [
    "ResponseFormat",
    "Routes",
    "check",
    "data_end",
    "endpoint_named",
    "latest",
    "listed",
    "missing_history",
    "options",
]

Routes: TypeAlias = str | int | Sequence[str | int]
"""Routes to market, by name or id; `"all"` means every one."""

ResponseFormat: TypeAlias = Literal["json", "csv"]
"""What the service answers with."""

_EVERY_ROUTE = "all"
_PRODUCTS = ("market_id", "instrument_id")


def endpoint_named(name: str) -> Endpoint:
    """The operation of a name such as `"trades"`, `"get_trades"` or `"/trades"`.

    Raises:
        TrayportValidationError: The name is of no operation that answers with market data.

    Example:
        >>> endpoint_named("Order-Book-Top").path
        '/orders/book/top'
    """
    wanted = str(name).strip().lower().replace("-", "_")
    served = [endpoint for endpoint in ENDPOINTS.values() if endpoint.api == "analytics"]
    for endpoint in served:
        operation = endpoint.operation_id
        if wanted in (operation, operation.removeprefix(PREFIX), endpoint.path):
            return endpoint
    names = ", ".join(endpoint.operation_id.removeprefix(PREFIX) for endpoint in served)
    raise TrayportValidationError(
        f"endpoint {name!r} is unknown",
        parameter="endpoint",
        limit=names,
        suggestion=f"use one of {names}",
    )


def check(
    endpoint: Endpoint,
    arguments: Mapping[str, object],
    *,
    latest: int | None = None,
    intraday: bool = False,
    whole: bool = False,
) -> None:
    """Whether the API takes a request, as far as the table tells.

    Args:
        endpoint: The operation.
        arguments: Values under the names of the generated request builder, instants in nanoseconds;
            one that is None is left out.
        latest: The last instant that may be asked for, if there is one.
        intraday: Whether the current day is part of that.
        whole: Whether this is a query of any size, so that the limits that the planner keeps by
            cutting it do not count.

    Raises:
        TrayportValidationError: The API would refuse the request, or ignore a part of it.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    values = checked_values(endpoint, given, bound_lists=not whole)
    _check_contract(endpoint, values, whole=whole)
    check_times(endpoint, values, whole=whole)
    if latest is not None:
        check_cutoff(endpoint, values, latest, intraday=intraday)


def _check_contract(endpoint: Endpoint, given: Mapping[str, Any], *, whole: bool) -> None:
    """Whether the parts of a contract go together."""
    needed = endpoint.limits.contract
    if needed is None:
        return
    _check_product(endpoint, given)
    kind = given.get("contract_type")
    single = kind == ContractType.SINGLE_PERIOD
    if single and "second_sequence_item_id" in given:
        raise TrayportValidationError(
            f"second_sequence_item_id {given['second_sequence_item_id']} does not go with {kind}",
            parameter="second_sequence_item_id",
            suggestion=f"leave it out, or use another contract_type than {kind}",
        )
    if needed == "subset":
        return
    if needed == "many":
        _check_items(endpoint, given, single=single, whole=whole)
    if not single and "second_sequence_item_id" not in given:
        raise TrayportValidationError(
            f"contract_type {kind} needs a second_sequence_item_id",
            parameter="second_sequence_item_id",
            suggestion="give the second delivery period",
        )


def _check_product(endpoint: Endpoint, given: Mapping[str, Any]) -> None:
    products = [name for name in _PRODUCTS if name in given]
    if len(products) == 1 or (not products and endpoint.limits.contract == "subset"):
        return
    raise TrayportValidationError(
        f"{endpoint.path} takes a market_id or an instrument_id, "
        f"{'both' if products else 'neither'} given",
        parameter="market_id",
        suggestion="give exactly one of the two",
    )


def _check_items(
    endpoint: Endpoint, given: Mapping[str, Any], *, single: bool, whole: bool
) -> None:
    items = set(given.get("sequence_item_id", ()))  # one that is named twice is one
    counted = "trading_items" in given
    if not items and not counted:
        raise TrayportValidationError(
            f"{endpoint.path} needs sequence_item_id or trading_items, neither given",
            parameter="sequence_item_id",
            suggestion="give the delivery periods, or how many of the next ones",
        )
    if items and counted:
        raise TrayportValidationError(
            "trading_items and sequence_item_id exclude each other, both given",
            parameter="trading_items",
            suggestion="give the delivery periods, or how many of the next ones",
        )
    if (counted or len(items) > 1) and not single:
        name = "trading_items" if counted else "sequence_item_id"
        raise TrayportValidationError(
            f"{name} {given[name]} of contract_type {given['contract_type']}: several delivery "
            f"periods share a request as {ContractType.SINGLE_PERIOD} only",
            parameter=name,
            suggestion="ask for each contract alone",
        )
    most = endpoint.batch.maximum
    if most is not None and len(items) > most and not whole:
        raise too_many("sequence_item_id", len(items), most)


def options(
    endpoint: Endpoint,
    *,
    include_private: bool = False,
    include_empty_buckets: bool = False,
    routes: Routes | None = None,
    deduplicate_routes: bool | None = None,
    optional_fields: str | Sequence[str] = (),
    depth: int | None = None,
    max_spread: float | None = None,
    trading_items: int | None = None,
    response_format: str = DEFAULTS.response_format,
) -> Options:
    """What a caller chose, checked and in the words of the API.

    Raises:
        TrayportValidationError: A choice is no value of its option, or the operation does not have
            the option.

    Example:
        >>> options(endpoint_named("trades"), routes="All", optional_fields="ROUTE_ID").chosen
        {'routes': ('all',), 'optional_fields': ('routeId',)}
    """
    fields = () if optional_fields is None else listed_values(optional_fields)  # pyright: ignore[reportUnnecessaryComparison]
    given: dict[str, Any] = {
        "include_private": include_private,
        "include_empty_buckets": include_empty_buckets,
        "routes": routes,
        "deduplicate_routes": deduplicate_routes,
        "optional_fields": fields or DEFAULTS.optional_fields,
        "depth": depth,
        "max_spread": max_spread,
        "trading_items": trading_items,
    }
    defaults = {name: getattr(DEFAULTS, name) for name in given} | {"routes": None}
    chosen = {name: value for name, value in given.items() if value is not defaults[name]}
    parameters = parameters_by_argument(endpoint)
    for name in chosen:
        if name not in parameters:
            raise _not_an_option(endpoint, name)
    if "routes" in chosen:
        chosen["routes"] = tuple(dict.fromkeys(map(_route, listed_values(routes))))
    if "optional_fields" in chosen:
        chosen["optional_fields"] = _canonical_fields(endpoint, fields)
    return Options(
        response_format=_response_format(endpoint, response_format),
        **{name: checked_value(parameters[name], name, value) for name, value in chosen.items()},
    )


def _response_format(endpoint: Endpoint, name: str) -> str:
    """The name of a format that an operation answers with."""
    served = [media_type.rpartition("/")[2] for media_type in endpoint.media_types]
    wanted = name.strip().lower() if isinstance(name, str) else name  # pyright: ignore[reportUnnecessaryIsInstance]
    if wanted not in served:
        raise TrayportValidationError(
            f"response_format {name!r} is none of {endpoint.path}",
            parameter="response_format",
            limit=", ".join(served),
            suggestion=f"use one of {', '.join(served)}",
        )
    return wanted


def _not_an_option(endpoint: Endpoint, name: str) -> TrayportValidationError:
    having = ", ".join(
        other.path for other in ENDPOINTS.values() if name in parameters_by_argument(other)
    )
    return TrayportValidationError(
        f"{name} is not an option of {endpoint.path}",
        parameter=name,
        limit=having,
        suggestion=f"it is one of {having}",
    )


def _route(value: object) -> object:
    """A route as the API names it; what is no route stays, for the check of its type to find."""
    if isinstance(value, str):
        text = value.strip()
        return _EVERY_ROUTE if text.lower() == _EVERY_ROUTE else text
    is_id = not isinstance(value, bool) and isinstance(value, Integral)
    return str(value) if is_id else value


def _canonical_fields(endpoint: Endpoint, names: str | Sequence[str]) -> tuple[str, ...]:
    """The API's names of optional fields, from names in any case, with or without underscores."""
    known = {name.lower(): name for name in endpoint.optional_fields}
    found: dict[str, None] = {}
    for name in listed_values(names):
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
    contracts: ContractSpec | str | Iterable[ContractSpec | str] | None,
) -> list[ContractSpec | str]:
    """The contracts of an argument that takes one or several.

    Raises:
        TrayportValidationError: There are none, or something among them is no contract.
    """
    wanted: list[Any] = list(listed_values(contracts))
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
