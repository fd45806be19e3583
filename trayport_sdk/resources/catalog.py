"""The reference data as it is looked up: products, sequences and items, by id and by name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve, frozen
from trayport_api.models import (
    Instrument,
    InstrumentDetails,
    Market,
    MarketDetails,
    SequenceItem,
    TradingSpecifications,
)
from trayport_api.models import Sequence as SequenceModel

from ..errors import TrayportLookupError
from ..query.contracts import ContractSpec, ContractType
from ..query.periods import Ahead, Kind, Period, halves, parse, parse_two, squeezed
from ..query.times import instant
from ..query.warn import WarningsHere
from .cache import Entry, ReferenceCache
from .methods import ReferenceReader, request_of
from .reference import ALL_ITEMS
from .search import ProductNames, grouped

if TYPE_CHECKING:
    from ..http.messages import ApiRequest

# Every item a sequence ever had, expired ones included.
EVERY_ITEM = {"start_date": "1970", "count": ALL_ITEMS}

# What the names of sequences say about their items; the first that fits counts.
_KINDS: Sequence[tuple[str, Kind | None]] = (
    ("prompt", None),
    ("weekend", "weekend"),
    ("week", "week"),
    ("gas year", "gas year"),
    ("day", "day"),
    ("month", "month"),
    ("quarter", "quarter"),
    ("season", "season"),
    ("year", "year"),
)

Value = TypeVar("Value")


@frozen
class Product:
    """An instrument or a market, as names and requests have it."""

    is_market: bool
    id: int
    name: str = ""

    @property
    def title(self) -> str:
        """The name as it begins the name of a contract."""
        return f"{self.name}*" if self.is_market else self.name

    @property
    def sequences_operation(self) -> str:
        """The operation that lists its sequences."""
        return f"get_{'market' if self.is_market else 'instrument'}_sequences"

    def contract(self, sequence_id: int, items: Sequence[SequenceItem]) -> ContractSpec:
        """Its contract of an item, or the spread of two."""
        first, *second = items
        spec = ContractSpec(
            market_id=self.id if self.is_market else None,
            instrument_id=None if self.is_market else self.id,
            sequence_id=sequence_id,
            sequence_item_id=first.id,
            second_sequence_item_id=second[0].id if second else None,
            contract_type=ContractType.SPREAD if second else ContractType.SINGLE_PERIOD,
        )
        return self.named(spec, items)

    def named(self, contract: ContractSpec, items: Sequence[SequenceItem]) -> ContractSpec:
        """A contract with its name."""
        period = "/".join(item.name for item in items)
        return evolve(contract, name=f"{self.title} {period}", period=period)


def product_of(contract: ContractSpec) -> Product:
    """The product of a contract, without its name."""
    is_market = contract.market_id is not None
    return Product(is_market, contract.market_id or contract.instrument_id or 0)


@frozen(repr=False)
class ContractDescription:
    """A contract in words, as far as the reference data has them.

    Attributes:
        contract: The contract, with its name; its ids are those of the parts.
        product_name: The name of the instrument or market; that of a market ends in `*`.
        sequence_name: The name of the sequence.
        items: The delivery period, or the two of a spread or range.
    """

    contract: ContractSpec
    product_name: str
    sequence_name: str
    items: tuple[SequenceItem, ...]

    @property
    def name(self) -> str:
        """The name as every call takes it."""
        return f"{self.product_name} {self.period}"

    @property
    def period(self) -> str:
        """The name of the delivery period, or of both."""
        return "/".join(item.name for item in self.items)

    @property
    def period_start(self) -> datetime | None:
        """When the first delivery starts, in UTC; None where it rolls."""
        return _chosen(min, (item.period_start for item in self.items))

    @property
    def period_end(self) -> datetime | None:
        """When the last delivery ends, in UTC; None where it rolls."""
        return _chosen(max, (item.period_end for item in self.items))

    @property
    def trading_start(self) -> datetime | None:
        """From when it is traded, in UTC; None where that is not known."""
        return _chosen(max, (item.trading_start for item in self.items))

    @property
    def trading_end(self) -> datetime | None:
        """Until when it is traded, in UTC; None where it never expires."""
        return _chosen(min, (item.trading_end for item in self.items))

    def __repr__(self) -> str:
        return (
            f"ContractDescription(name={self.name!r}, contract={str(self.contract)!r}, "
            f"sequence_name={self.sequence_name!r}, items={[item.id for item in self.items]})"
        )


def _chosen(choose: Callable[[Iterable[int]], int], texts: Iterable[str | None]) -> datetime | None:
    times = [instant(text, "date") for text in texts if text is not None]
    return datetime.fromtimestamp(choose(times) / 10**9, UTC) if times else None


class Items:
    """The items of a sequence, by what they are called."""

    def __init__(self, rows: Iterable[SequenceItem]) -> None:
        self.rows = list(rows)
        self.by_id = {item.id: item for item in self.rows}
        self._by_name = grouped((item.name, item) for item in self.rows)

    def find(self, text: str, period: object = None) -> list[SequenceItem]:
        """The items of a name, or else those of a delivery period."""
        found = self._by_name.get(text) or self._by_squeezed.get(squeezed(text))
        return found or self._by_period.get(period, [])

    def traded(self, at: int) -> list[SequenceItem]:
        """The items that are still traded at a time, the next to expire first."""
        dated = [(instant(i.trading_end, "date"), i) for i in self.rows if i.trading_end]
        return [item for end, item in sorted(dated, key=lambda pair: pair[0]) if end > at]

    @cached_property
    def _by_squeezed(self) -> Mapping[str, list[SequenceItem]]:
        return grouped((squeezed(item.name), item) for item in self.rows)

    @cached_property
    def _by_period(self) -> Mapping[object, list[SequenceItem]]:
        periods = ((parse(item.name), item) for item in self.rows)
        return grouped((period, item) for period, item in periods if isinstance(period, Period))


@frozen
class Wanted:
    """The delivery period that a text names.

    Attributes:
        text: The text.
        at: The time that relative periods count from, in nanoseconds.
        periods: The period, the two of a spread, or none where it has a name of its own.
    """

    text: str
    at: int
    periods: tuple[Period | Ahead, ...] = ()

    @classmethod
    def of(cls, text: str, at: int) -> Wanted:
        """What a text names."""
        period = parse(text)
        return cls(text.strip(), at, (period,) if period else parse_two(text) or ())

    @property
    def kind(self) -> Kind | None:
        """What kind of period it is; None where the text does not tell."""
        return self.periods[0].kind if self.periods else None

    @property
    def is_relative(self) -> bool:
        """Whether it depends on the time."""
        return any(isinstance(period, Ahead) for period in self.periods)

    def of_items(self, items: Items) -> list[tuple[SequenceItem, ...]]:
        """The items of a sequence that it may be: single ones, or else two of a spread."""
        single = self.periods[0] if len(self.periods) == 1 else None
        if found := self._of(items, self.text, single):
            return [(item,) for item in found]
        first, last = halves(self.text) or ("", "")
        if not last:
            return []
        near, far = self.periods if len(self.periods) == 2 else (None, None)
        return [
            (one, other)
            for one in self._of(items, first, near)
            for other in self._of(items, last, far)
        ]

    def _of(self, items: Items, text: str, period: Period | Ahead | None) -> list[SequenceItem]:
        is_front = isinstance(period, Ahead) and period.count is None
        return items.traded(self.at)[:1] if is_front else items.find(text, period)


def kind_of(sequence: SequenceModel) -> Kind | None:
    """What kind of periods a sequence has; None where its name does not tell."""
    name = sequence.name.lower()
    return next((kind for word, kind in _KINDS if re.search(word, name)), None)


class Catalog:
    """Reads reference data, and knows what is in it.

    Args:
        reader: Reads it, and keeps what was read.
    """

    def __init__(self, reader: ReferenceReader) -> None:
        self._reader = reader
        self.cache = reader.cache

    @property
    def look_ups(self) -> int:
        """How many requests for reference data were sent so far."""
        return self._reader.requests

    def for_one_call(self) -> Catalog:
        """This catalogue, or where the cache is off one that keeps what a single call reads."""
        if self.cache.keeps:
            return self
        return Catalog(self._reader.with_cache(ReferenceCache.for_one_call()))

    async def names(self, *, is_market: bool) -> ProductNames:
        """The names of all markets or of all instruments."""
        entry: Entry[Any]
        if is_market:
            entry = await self._reader.entry("get_markets", Market)
        else:
            entry = await self._reader.entry("get_instruments", Instrument)
        return entry.derived(ProductNames)

    async def sequences(self, product: Product) -> list[SequenceModel]:
        """The sequences of a product."""
        operation = product.sequences_operation
        return (await self._reader.entry(operation, SequenceModel, id=product.id)).rows

    async def items(self, sequence_id: int) -> Items:
        """Every item that a sequence ever had."""
        entry = await self._reader.entry(
            "get_sequence_items", SequenceItem, id=sequence_id, **EVERY_ITEM
        )
        return entry.derived(Items)

    async def specifications(self, product: Product) -> TradingSpecifications:
        """The currency and the units that a product is traded in."""
        details: MarketDetails | InstrumentDetails
        if product.is_market:
            details = await self._reader.item("get_market", MarketDetails, id=product.id)
        else:
            details = await self._reader.item("get_instrument", InstrumentDetails, id=product.id)
        return details.trading_specifications

    async def currency(self, product: Product) -> str:
        """The currency of the prices of a product."""
        return (await self.specifications(product)).price_currency

    def unread(self, sequence_ids: Iterable[int]) -> int:
        """How many of the sequences take a request to know their items."""
        now = self.cache.now()
        return sum(self.cache.expiry(_items_request(id_)) <= now for id_ in sequence_ids)

    def expiry(self, contract: ContractSpec) -> datetime:
        """Until when everything that a contract's names are found in is in memory."""
        product = product_of(contract)
        requests = (
            request_of("get_markets" if product.is_market else "get_instruments"),
            request_of(product.sequences_operation, id=product.id),
            _items_request(contract.sequence_id),
        )
        return min(map(self.cache.expiry, requests))

    async def describe(self, contract: ContractSpec) -> ContractDescription:
        """The names and dates of a contract.

        Raises:
            TrayportLookupError: The reference data does not have one of its ids.
        """
        nameless = product_of(contract)
        names = await self.names(is_market=nameless.is_market)
        kind = "market" if nameless.is_market else "instrument"
        product = evolve(nameless, name=_of_id(names.by_id, nameless.id, kind))
        sequences = {s.id: s.name for s in await self.sequences(product)}
        sequence_name = _of_id(sequences, contract.sequence_id, f"sequence of {product.title}")
        items = await self.items(contract.sequence_id)
        ids = (contract.sequence_item_id, contract.second_sequence_item_id)
        own = tuple(
            _of_id(items.by_id, id_, f"item of {sequence_name}") for id_ in ids if id_ is not None
        )
        return ContractDescription(product.named(contract, own), product.title, sequence_name, own)

    async def named(self, contracts: Iterable[ContractSpec]) -> list[ContractSpec]:
        """The same contracts with their names, where the reference data has them."""
        catalog = self.for_one_call()

        async def named(contract: ContractSpec) -> ContractSpec:
            if contract.name is not None:
                return contract
            try:
                return (await catalog.describe(contract)).contract
            except TrayportLookupError:
                return contract

        return await together(map(named, contracts))


async def together(coroutines: Iterable[Coroutine[Any, Any, Value]]) -> list[Value]:
    """The results of all, which run at the same time; the first failure ends the others."""
    tasks: list[asyncio.Task[Value]] = []
    try:
        with WarningsHere():
            async with asyncio.TaskGroup() as group:
                tasks += map(group.create_task, coroutines)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _items_request(sequence_id: int) -> ApiRequest:
    return request_of("get_sequence_items", id=sequence_id, **EVERY_ITEM)


def _of_id(known: Mapping[int, Value], id_: int, kind: str) -> Value:
    if id_ not in known:
        raise TrayportLookupError(f"no {kind} has the id {id_}")
    return known[id_]
