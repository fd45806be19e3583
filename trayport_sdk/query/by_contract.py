"""What there is of each contract, found by what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TypeVar, overload

from ..errors import TrayportLookupError
from .contracts import ContractSpec

Value = TypeVar("Value", covariant=True)
Other = TypeVar("Other")

Asked = Mapping[str, ContractSpec]
"""The contracts of the names and symbols that were given for them."""


class ByContract(Mapping[ContractSpec, Value]):
    """Values by contract.

    A value is found by the contract, by what was asked for, by the name of the contract, and by its
    machine symbol; case and white space do not count.

    Example:
        >>> months = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]
        >>> async with TrayportClient.sandbox() as client:
        ...     trades = await client.get_trades_bulk(months, "2024-03-04", "2024-03-05")
        >>> len(trades.results["TTF Hi Cal 51.6* Apr-24"]) > 0
        True
        >>> "10000065*#Single#10000305#244#0" in trades.results
        True
    """

    def __init__(self, values: Mapping[ContractSpec, Value], asked: Asked | None = None) -> None:
        self._values = dict(values)
        self._asked = dict(asked or {})
        self._texts: dict[str, ContractSpec] | None = None

    def __getitem__(self, key: ContractSpec | str) -> Value:
        """The value of a contract.

        Raises:
            TrayportLookupError: There is none; it is also a `KeyError`. The nearest are listed.
        """
        contract = self._contract(key)
        if contract in self._values:
            return self._values[contract]
        if contract in self._asked.values():
            raise TrayportLookupError(f"there is nothing of {key}", suggestion="see failures")
        labels = [contract.label for contract in self._values]
        wanted = key.label if isinstance(key, ContractSpec) else str(key)
        near = get_close_matches(wanted, labels, cutoff=0.4)
        shown = repr(wanted if isinstance(key, ContractSpec) else key)
        raise TrayportLookupError(
            f"{shown} is none of the {len(labels):,} contracts",
            candidates=near,
            suggestion="give one of them, its name or its symbol",
        )

    def __contains__(self, key: object) -> bool:
        return self._contract(key) in self._values

    @overload
    def get(self, key: ContractSpec | str, /) -> Value | None: ...
    @overload
    def get(self, key: ContractSpec | str, /, default: Value | Other) -> Value | Other: ...
    def get(self, key: ContractSpec | str, /, default: object = None) -> object:
        """The value of a contract, or the default where there is none."""
        return self[key] if key in self else default  # noqa: SIM401  (this is it)

    def __iter__(self) -> Iterator[ContractSpec]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        values = ", ".join(f"{c.label!r}: {value!r}" for c, value in self._values.items())
        return f"{{{values}}}"

    def _contract(self, key: object) -> ContractSpec | None:
        if isinstance(key, ContractSpec):
            return key
        if not isinstance(key, str):
            return None
        if self._texts is None:
            self._texts = {_plain(str(contract)): contract for contract in self._values}
            self._texts |= {_plain(c.name): c for c in self._values if c.name is not None}
            self._texts |= {_plain(text): contract for text, contract in self._asked.items()}
        return self._texts.get(_plain(key))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
