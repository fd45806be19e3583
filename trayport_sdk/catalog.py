"""Names into contracts."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias

from .contracts import ContractSpec, looks_like_symbol
from .errors import TrayportLookupError

if TYPE_CHECKING:
    from .endpoints.reference import ReferenceGroup

# Every item a sequence ever had, expired ones included.
FIRST_DATE = "1990"
EVERY_ITEM = 100_000
NEAREST = 5

Place: TypeAlias = tuple[int, int]
"""A sequence and an item of it."""


class Catalog:
    """Looks names up in reference data, which is read once per client."""

    def __init__(self, reference: ReferenceGroup) -> None:
        self._reference = reference
        self._markets: dict[str, int] | None = None
        self._instruments: dict[str, int] | None = None
        self._sequences: dict[tuple[bool, int], list[int]] = {}
        self._items: dict[int, dict[str, int]] = {}

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
        product, separator, item = contract.strip().rpartition("* ")
        if separator:
            return await self._market_contract(product, item.strip())
        return await self._instrument_contract(contract.strip())

    async def _market_contract(self, product: str, item: str) -> ContractSpec:
        names = await self._names(market=True)
        if product not in names:
            raise _unknown("market", f"{product}*", [f"{name}*" for name in names])
        items = await self._items_of(names[product], market=True)
        if item not in items:
            raise _unknown(f"delivery period of {product}*", item, items)
        return _only(item, items[item], market_id=names[product])

    async def _instrument_contract(self, text: str) -> ContractSpec:
        names = await self._names(market=False)
        cuts = [place for place, letter in enumerate(text) if letter == " "]
        items: dict[str, list[Place]] = {}
        # The longest name first: "TTF Hi Cal 51.6 EEX" also begins with another instrument's name.
        for cut in reversed(cuts):
            product, item = text[:cut], text[cut + 1 :]
            if product in names:
                items = await self._items_of(names[product], market=False)
                if item in items:
                    return _only(item, items[item], instrument_id=names[product])
        product, _, item = text.rpartition(" ")
        near = [*nearest(item, items), *nearest(product or text, names)]
        raise TrayportLookupError(f"no contract is named {text!r}", candidates=near)

    async def _names(self, *, market: bool) -> dict[str, int]:
        if market:
            if self._markets is None:
                self._markets = {m.name: m.id for m in await self._reference.get_markets()}
            return self._markets
        if self._instruments is None:
            self._instruments = {i.name: i.id for i in await self._reference.get_instruments()}
        return self._instruments

    async def _items_of(self, product_id: int, *, market: bool) -> dict[str, list[Place]]:
        """The sequences and ids of the items of a product, by name."""
        place = market, product_id
        if place not in self._sequences:
            sequences = await self._reference.get_sequences(
                market_id=product_id if market else None,
                instrument_id=None if market else product_id,
            )
            self._sequences[place] = [sequence.id for sequence in sequences]
        found: dict[str, list[Place]] = {}
        for sequence_id in self._sequences[place]:
            if sequence_id not in self._items:
                items = await self._reference.get_sequence_items(
                    sequence_id, start_date=FIRST_DATE, count=EVERY_ITEM
                )
                self._items[sequence_id] = {item.name: item.id for item in items}
            for name, item_id in self._items[sequence_id].items():
                found.setdefault(name, []).append((sequence_id, item_id))
        return found


def _only(
    name: str,
    places: list[Place],
    *,
    market_id: int | None = None,
    instrument_id: int | None = None,
) -> ContractSpec:
    """The one contract of these places; several are an error that lists their symbols."""
    specs = [
        ContractSpec(
            market_id=market_id,
            instrument_id=instrument_id,
            sequence_id=sequence_id,
            sequence_item_id=item_id,
        )
        for sequence_id, item_id in places
    ]
    if len(specs) > 1:
        raise TrayportLookupError(
            f"{name!r} names delivery periods in several sequences",
            candidates=[str(spec) for spec in specs],
        )
    return specs[0]


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names most like this one, best first, without regard to case."""
    folded = {known.lower(): known for known in names}
    return [folded[match] for match in get_close_matches(name.lower(), folded, NEAREST, cutoff=0.5)]


def _unknown(kind: str, name: str, names: Iterable[str]) -> TrayportLookupError:
    return TrayportLookupError(f"no {kind} is named {name!r}", candidates=nearest(name, names))
