"""Names into contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from trayport_api.models import Instrument, Market, Sequence, SequenceItem

from ..errors import TrayportLookupError, TrayportValidationError
from ..query.contracts import ContractSpec, looks_like_symbol
from .methods import request_of
from .reference import ALL_ITEMS

if TYPE_CHECKING:
    from .cache import Entry
    from .methods import ReferenceReader

# Every item a sequence ever had, expired ones included.
EVERY_ITEM = {"start_date": "1970", "count": ALL_ITEMS}
NEAREST = 5
LIKENESS = 0.35
EXAMPLE = "write a product and a delivery period, like 'TTF Hi Cal 51.6* Apr-24'"

Place: TypeAlias = tuple[int, int]
"""A sequence and an item of it."""

Product: TypeAlias = tuple[bool, int]
"""Whether it is a market, and its id."""

Value = TypeVar("Value")


class Catalog:
    """Looks names up in reference data, which the reader keeps."""

    def __init__(self, reader: ReferenceReader) -> None:
        self._reader = reader

    @property
    def look_ups(self) -> int:
        """How many requests for reference data were sent so far."""
        return self._reader.requests

    async def resolve(self, contract: ContractSpec | str) -> ContractSpec:
        """The contract of a name or of a machine symbol.

        A name is the product's name and the item's name; the name of a market ends in a `*`.

        Raises:
            TrayportLookupError: Nothing has this name; the nearest names are listed.
            TrayportValidationError: The machine symbol is malformed.
        """
        if isinstance(contract, ContractSpec):
            return contract
        if looks_like_symbol(_text("contract", contract)):
            return ContractSpec.parse(contract)
        product, star, item = (part.strip() for part in contract.rpartition("*"))
        if not star:
            return await self._instrument_contract(contract.strip())
        if not item:
            raise TrayportLookupError(
                f"{contract!r} is a market without a delivery period", suggestion=EXAMPLE
            )
        return await self._market_contract(product, item)

    async def market(self, name: str) -> int:
        """The id of a market; the `*` after its name may be left out.

        Raises:
            TrayportLookupError: Nothing has this name, or several markets have it.
        """
        product = _text("market_name", name).strip().removesuffix("*").rstrip()
        ids = (await self._markets_named(product))[product]
        if len(ids) > 1:
            raise TrayportLookupError(
                f"{name!r} names several markets", candidates=[str(market_id) for market_id in ids]
            )
        return ids[0]

    async def contract_in(self, market: str, sequence: str, item: str) -> ContractSpec:
        """The contract of a market, a sequence of it and an item of that, all by name.

        Raises:
            TrayportLookupError: One of the names names nothing; the nearest are listed.
        """
        market_id = await self.market(market)
        sequences = _grouped((known.name, known.id) for known in await self.sequences(market_id))
        if _text("sequence_name", sequence) not in sequences:
            raise _unknown(f"sequence of {market}", sequence, sequences)
        contracts = [
            ContractSpec(market_id=market_id, sequence_id=sequence_id, sequence_item_id=known.id)
            for sequence_id in sequences[sequence]
            for known in await self.items(sequence_id)
            if known.name == _text("item_name", item)
        ]
        if not contracts:
            items = [known.name for id_ in sequences[sequence] for known in await self.items(id_)]
            raise _unknown(f"delivery period of {sequence}", item, items)
        return _only(f"{market} {item}", contracts)

    async def sequences(self, market_id: int) -> list[Sequence]:
        """The sequences of a market."""
        return await self._sequences((True, market_id))

    def unread(self, sequences: Iterable[Sequence]) -> int:
        """How many of the sequences take a request to know their items."""
        knows = self._reader.cache.knows
        return sum(
            not knows(request_of("get_sequence_items", id=s.id, **EVERY_ITEM)) for s in sequences
        )

    async def items(self, sequence_id: int) -> list[SequenceItem]:
        """Every item that a sequence ever had."""
        entry = await self._reader.entry(
            "get_sequence_items", SequenceItem, id=sequence_id, **EVERY_ITEM
        )
        return entry.rows

    async def _markets_named(self, product: str) -> Mapping[str, list[int]]:
        markets = await self._products(True)
        if product not in markets:
            raise _unknown("market", f"{product}*", [f"{name}*" for name in markets])
        return markets

    async def _market_contract(self, product: str, item: str) -> ContractSpec:
        markets = await self._markets_named(product)
        contracts = await self._named(markets[product], item, market=True)
        if not contracts:
            items = [name for id_ in markets[product] for name in await self._items((True, id_))]
            raise _unknown(f"delivery period of {product}*", item, items)
        return _only(f"{product}* {item}", contracts)

    async def _instrument_contract(self, text: str) -> ContractSpec:
        instruments = await self._products(False)
        cuts = [place for place, letter in enumerate(text) if letter == " "]
        items: list[str] = []
        # The longest name first: "TTF Hi Cal 51.6 EEX" also begins with another instrument's name.
        for cut in reversed(cuts):
            product, item = text[:cut], text[cut + 1 :]
            if product in instruments:
                contracts = await self._named(instruments[product], item, market=False)
                if contracts:
                    return _only(text, contracts)
                items = [n for id_ in instruments[product] for n in await self._items((False, id_))]
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
            for sequence_id, item_id in (await self._items((market, product_id))).get(item, ())
        ]

    async def _products(self, markets: bool) -> Mapping[str, list[int]]:
        """The ids of all markets or of all instruments, by name."""
        operation, model = ("get_markets", Market) if markets else ("get_instruments", Instrument)
        entry: Entry[Any] = await self._reader.entry(operation, model)
        return entry.derived(_ids_by_name)

    async def _items(self, product: Product) -> Mapping[str, list[Place]]:
        """The items of a product, by name."""
        named = [
            (item.name, (sequence.id, item.id))
            for sequence in await self._sequences(product)
            for item in await self.items(sequence.id)
        ]
        return _grouped(named)

    async def _sequences(self, product: Product) -> list[Sequence]:
        market, product_id = product
        operation = f"get_{'market' if market else 'instrument'}_sequences"
        return (await self._reader.entry(operation, Sequence, id=product_id)).rows


def _ids_by_name(products: Iterable[Market | Instrument]) -> Mapping[str, list[int]]:
    return _grouped((product.name, product.id) for product in products)


def _text(parameter: str, name: str) -> str:
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TrayportValidationError(
            f"{parameter} {name!r} is not a name", parameter=parameter, suggestion="give text"
        )
    return name


def _grouped(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    """The values of each name: names need not be unique."""
    values: dict[str, list[Value]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _only(name: str, contracts: list[ContractSpec]) -> ContractSpec:
    if len(contracts) > 1:
        raise TrayportLookupError(
            f"{name!r} names several contracts", candidates=list(map(str, contracts))
        )
    return contracts[0]


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names most like this one, best first, without regard to case."""
    folded = {known.lower(): known for known in names}
    return [folded[match] for match in get_close_matches(name.lower(), folded, NEAREST, LIKENESS)]


def _unknown(kind: str, name: str, names: Iterable[str]) -> TrayportLookupError:
    return TrayportLookupError(f"no {kind} is named {name!r}", candidates=nearest(name, names))
