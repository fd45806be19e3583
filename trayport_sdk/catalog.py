"""Names into contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from .contracts import ContractSpec, looks_like_symbol
from .errors import TrayportLookupError

if TYPE_CHECKING:
    from trayport_api.models import SequenceItem

    from .endpoints.reference import ReferenceGroup

# Every item a sequence ever had, expired ones included.
FIRST_DATE = "1990"
EVERY_ITEM = 100_000
NEAREST = 5
LIKENESS = 0.35
EXAMPLE = "write a product and a delivery period, like 'TTF Hi Cal 51.6* Apr-24'"

Place: TypeAlias = tuple[int, int]
"""A sequence and an item of it."""

Value = TypeVar("Value")


class Catalog:
    """Looks names up in reference data, which is read once per client."""

    def __init__(self, reference: ReferenceGroup) -> None:
        self._reference = reference
        self._market_ids: Mapping[str, list[int]] | None = None
        self._instrument_ids: Mapping[str, list[int]] | None = None
        self._items_of: dict[tuple[bool, int], Mapping[str, list[Place]]] = {}
        self._items_in_sequence: dict[int, list[SequenceItem]] = {}

    async def resolve(self, contract: ContractSpec | str) -> ContractSpec:
        """The contract of a name or of a machine symbol.

        A name is the product's name and the item's name; the name of a market ends in a `*`.

        Raises:
            TrayportLookupError: Nothing has this name; the nearest names are listed.
            TrayportValidationError: The machine symbol is malformed.
        """
        if isinstance(contract, ContractSpec):
            return contract
        if looks_like_symbol(contract):
            return ContractSpec.parse(contract)
        product, star, item = (part.strip() for part in contract.rpartition("*"))
        if not star:
            return await self._instrument_contract(contract.strip())
        if not item:
            raise TrayportLookupError(
                f"{contract!r} is a market without a delivery period", suggestion=EXAMPLE
            )
        return await self._market_contract(product, item)

    async def _market_contract(self, product: str, item: str) -> ContractSpec:
        markets = await self._markets()
        if product not in markets:
            raise _unknown("market", f"{product}*", [f"{name}*" for name in markets])
        found = await self._named(markets[product], item, market=True)
        if not found:
            items = [name for id_ in markets[product] for name in await self._items(id_, True)]
            raise _unknown(f"delivery period of {product}*", item, items)
        return _only(f"{product}* {item}", found)

    async def _instrument_contract(self, text: str) -> ContractSpec:
        instruments = await self._instruments()
        cuts = [place for place, letter in enumerate(text) if letter == " "]
        items: list[str] = []
        # The longest name first: "TTF Hi Cal 51.6 EEX" also begins with another instrument's name.
        for cut in reversed(cuts):
            product, item = text[:cut], text[cut + 1 :]
            if product in instruments:
                found = await self._named(instruments[product], item, market=False)
                if found:
                    return _only(text, found)
                items = [n for id_ in instruments[product] for n in await self._items(id_, False)]
        product, _, item = text.rpartition(" ")
        near = [*nearest(item, items), *nearest(product or text, instruments)]
        raise TrayportLookupError(
            f"no contract is named {text!r}", candidates=near, suggestion=EXAMPLE
        )

    async def _named(
        self, product_ids: list[int], item: str, *, market: bool
    ) -> list[ContractSpec]:
        """Every contract of these products whose delivery period has this name."""
        return [
            ContractSpec(
                market_id=product_id if market else None,
                instrument_id=None if market else product_id,
                sequence_id=sequence_id,
                sequence_item_id=item_id,
            )
            for product_id in product_ids
            for sequence_id, item_id in (await self._items(product_id, market)).get(item, ())
        ]

    async def _markets(self) -> Mapping[str, list[int]]:
        if self._market_ids is None:
            markets = await self._reference.get_markets()
            self._market_ids = _grouped((market.name, market.id) for market in markets)
        return self._market_ids

    async def _instruments(self) -> Mapping[str, list[int]]:
        if self._instrument_ids is None:
            instruments = await self._reference.get_instruments()
            self._instrument_ids = _grouped((one.name, one.id) for one in instruments)
        return self._instrument_ids

    async def _items(self, product_id: int, market: bool) -> Mapping[str, list[Place]]:
        """The items of a product, by name."""
        if (market, product_id) not in self._items_of:
            sequences = await self._reference.get_sequences(
                market_id=product_id if market else None,
                instrument_id=None if market else product_id,
            )
            named = [
                (item.name, (sequence.id, item.id))
                for sequence in sequences
                for item in await self._items_in(sequence.id)
            ]
            self._items_of[market, product_id] = _grouped(named)
        return self._items_of[market, product_id]

    async def _items_in(self, sequence_id: int) -> list[SequenceItem]:
        if sequence_id not in self._items_in_sequence:
            self._items_in_sequence[sequence_id] = await self._reference.get_sequence_items(
                sequence_id, start_date=FIRST_DATE, count=EVERY_ITEM
            )
        return self._items_in_sequence[sequence_id]


def _grouped(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    """The values of each name: nothing promises that a name is given only once."""
    found: dict[str, list[Value]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _only(name: str, contracts: list[ContractSpec]) -> ContractSpec:
    if len(contracts) > 1:
        raise TrayportLookupError(
            f"{name!r} names several contracts", candidates=[str(one) for one in contracts]
        )
    return contracts[0]


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names most like this one, best first, without regard to case."""
    folded = {known.lower(): known for known in names}
    return [folded[match] for match in get_close_matches(name.lower(), folded, NEAREST, LIKENESS)]


def _unknown(kind: str, name: str, names: Iterable[str]) -> TrayportLookupError:
    return TrayportLookupError(f"no {kind} is named {name!r}", candidates=nearest(name, names))
