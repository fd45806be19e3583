"""What can be traded: instruments, markets, sequences and their items."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
from attrs import frozen

from trayport_sdk.sandbox.calendar import DAY
from trayport_sdk.sandbox.contract import Product
from trayport_sdk.sandbox.listings import FAMILIES, Family, TradingSpecification
from trayport_sdk.sandbox.names import listed_products
from trayport_sdk.sandbox.sequences import RULES, Grid, Item, Sequence

__all__ = [
    "Catalogue",
    "Instrument",
    "Item",
    "Market",
    "Sequence",
    "TradingSpecification",
    "catalogue",
]

INSTRUMENT_COUNT = 14_200
_FIRST_MARKET_ID = 10_000_001
_FIRST_INSTRUMENT_ID = 10_000_500


@frozen
class Instrument:
    """A product of one venue, or of the brokers; `venues` is where it ever traded."""

    id: int
    name: str
    market_id: int | None
    sequence_ids: tuple[int, ...]
    specification: TradingSpecification
    venues: tuple[str, ...]


@frozen
class Market:
    """A commingled product: the union of its instruments."""

    id: int
    name: str
    instrument_ids: tuple[int, ...]
    sequence_ids: tuple[int, ...]
    specification: TradingSpecification


@frozen
class Catalogue:
    """All reference data; the same for every seed."""

    instruments: Mapping[int, Instrument]
    markets: Mapping[int, Market]
    sequences: Mapping[int, Sequence]
    grids: Mapping[int, Grid]
    # the traded ones among the markets
    families: Mapping[int, Family]

    def product(self, product: Product, product_id: int) -> Instrument | Market | None:
        if product == "market":
            return self.markets.get(product_id)
        return self.instruments.get(product_id)

    def items(self, sequence_id: int) -> tuple[Item, ...]:
        """All items in order of delivery; none for an unknown sequence."""
        grid = self.grids.get(sequence_id)
        return () if grid is None else grid.items

    def item(self, sequence_id: int, item_id: int) -> Item | None:
        grid = self.grids.get(sequence_id)
        ordinal = None if grid is None else grid.ordinal(item_id)
        return None if grid is None or ordinal is None else grid.items[ordinal]

    def tradable_items(self, sequence_id: int, instant_ns: int, n: int) -> tuple[Item, ...]:
        """The next `n` items that trade at the instant, by trading end; none when rolling."""
        grid = self.grids.get(sequence_id)
        if grid is None or grid.rolling:
            return ()
        day = instant_ns // DAY
        first = int(grid.fronts(np.array([day], np.int64))[0])
        end = int(np.searchsorted(grid.periods.trading_starts, day, side="right"))
        return grid.items[first : min(first + n, end)]


class _Ids:
    """Hands out ids in order, leaving out those that are spoken for."""

    def __init__(self, first: int, taken: frozenset[int]) -> None:
        self._next = first
        self._taken = taken

    def take(self) -> int:
        while self._next in self._taken:
            self._next += 1
        self._next += 1
        return self._next - 1


class _Builder:
    def __init__(self) -> None:
        listings = [listing for family in FAMILIES for listing in family.listings]
        fixed = {family.market_id for family in FAMILIES}, {row.instrument_id for row in listings}
        fixed_markets, fixed_instruments = (frozenset(ids - {None}) for ids in fixed)
        self._market_ids = _Ids(_FIRST_MARKET_ID, frozenset(i for i in fixed_markets if i))
        self._instrument_ids = _Ids(
            _FIRST_INSTRUMENT_ID, frozenset(i for i in fixed_instruments if i)
        )
        self.instruments: dict[int, Instrument] = {}
        self.markets: dict[int, Market] = {}
        self.families: dict[int, Family] = {}

    def add_family(self, family: Family) -> None:
        commodity = family.commodity
        specification = TradingSpecification(
            family.currency,
            commodity.quantity_unit,
            family.currency,
            commodity.notional_quantity_unit,
        )
        market_id = family.market_id or self._market_ids.take()
        ids: list[int] = []
        for listing in family.listings:
            instrument_id = listing.instrument_id or self._instrument_ids.take()
            ids.append(instrument_id)
            self.instruments[instrument_id] = Instrument(
                instrument_id,
                f"{family.name} {listing.suffix}".rstrip(),
                market_id,
                commodity.sequence_ids,
                specification,
                listing.venues,
            )
        self.markets[market_id] = Market(
            market_id, family.name, tuple(sorted(ids)), commodity.sequence_ids, specification
        )
        self.families[market_id] = family

    def fill_up(self, count: int) -> None:
        for product in listed_products():
            commodity = product.commodity
            places = product.places[: count - len(self.instruments)]
            if not places:
                return
            specification = TradingSpecification(
                product.currency,
                commodity.quantity_unit,
                product.currency,
                commodity.notional_quantity_unit,
            )
            market_id = self._market_ids.take() if product.has_market else None
            ids = tuple(self._instrument_ids.take() for _ in places)
            for instrument_id, (suffix, venue) in zip(ids, places, strict=True):
                self.instruments[instrument_id] = Instrument(
                    instrument_id,
                    f"{product.name} {suffix}".rstrip(),
                    market_id,
                    commodity.sequence_ids,
                    specification,
                    (venue,),
                )
            if market_id is not None:
                self.markets[market_id] = Market(
                    market_id, product.name, ids, commodity.sequence_ids, specification
                )


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process."""
    builder = _Builder()
    for family in FAMILIES:
        builder.add_family(family)
    builder.fill_up(INSTRUMENT_COUNT)
    grids = {rule.sequence.id: Grid(rule) for rule in RULES}
    return Catalogue(
        MappingProxyType(dict(sorted(builder.instruments.items()))),
        MappingProxyType(dict(sorted(builder.markets.items()))),
        MappingProxyType({number: grid.rule.sequence for number, grid in grids.items()}),
        MappingProxyType(grids),
        MappingProxyType(builder.families),
    )
