"""How many trades each contract has on a day."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from attrs import define, field, frozen

from trayport_sdk.sandbox.calendar import are_business_days, date_of
from trayport_sdk.sandbox.catalogue import Catalogue
from trayport_sdk.sandbox.contract import KINDS, Contract
from trayport_sdk.sandbox.noise import F64, I64, U64, keys, unit
from trayport_sdk.sandbox.profiles import Profile, profiles_of
from trayport_sdk.sandbox.venues import trades_on

# Growth of trading over the years, as a share of today's.
_GROWTH_YEARS = (2005.0, 2008.0, 2012.0, 2016.0, 2019.0, 2020.0)
_GROWTH = (0.04, 0.1, 0.25, 0.55, 0.9, 1.0)
_MARKET_SWING = 0.12
_CONTRACT_SWING = 0.06
_MARKET_PURPOSE, _CONTRACT_PURPOSE = 1_001, 1_002


@frozen(eq=False)
class Rows:
    """Instrument contracts, one per row; second items are 0 where there is none."""

    market_ids: I64
    instrument_ids: I64
    sequence_ids: I64
    kinds: I64
    items: I64
    seconds: I64

    def take(self, index: I64) -> "Rows":
        return Rows(
            self.market_ids[index],
            self.instrument_ids[index],
            self.sequence_ids[index],
            self.kinds[index],
            self.items[index],
            self.seconds[index],
        )

    def keys(self, seed: int, products: I64, days: I64) -> U64:
        return keys(seed, products, self.sequence_ids, self.kinds, self.items, self.seconds, days)


@frozen(eq=False)
class _Static:
    """The whole table, flat: every profile of every market for each of its instruments."""

    market_position: I64
    instrument_position: I64
    market_ids: I64
    instrument_ids: I64
    sequence_ids: I64
    kinds: I64
    firsts: I64
    seconds: I64
    per_day: F64


def growth(day: int) -> float:
    """The share of today's trading that the year of a day had."""
    year = float(date_of(day).year)
    return float(np.interp(year, _GROWTH_YEARS, _GROWTH)) if year >= _GROWTH_YEARS[0] else 0.0


@define(eq=False, slots=False)
class Liquidity:
    """Trade counts for one seed."""

    seed: int
    catalogue: Catalogue
    _shares: dict[tuple[int, int], F64] = field(init=False, factory=dict[tuple[int, int], F64])

    @cached_property
    def profiles(self) -> Mapping[int, tuple[Profile, ...]]:
        return {number: profiles_of(family) for number, family in self.catalogue.families.items()}

    @cached_property
    def _by_position(self) -> Mapping[tuple[int, int, str, int, int | None], float]:
        return {
            (market_id, row.sequence_id, row.kind, row.first, row.second): row.per_day
            for market_id, rows in self.profiles.items()
            for row in rows
        }

    @cached_property
    def _reach(self) -> Mapping[int, int]:
        """The furthest position of each sequence."""
        reach: dict[int, int] = {}
        for rows in self.profiles.values():
            for row in rows:
                last = row.first if row.second is None else row.second
                reach[row.sequence_id] = max(reach.get(row.sequence_id, 0), last)
        return reach

    def shares(self, market_id: int, day: int) -> F64:
        """The instruments' shares of the market's trades, in the order of their ids."""
        date = date_of(day)
        # venues open and close on first days of months
        cached = self._shares.get((market_id, date.year * 12 + date.month))
        if cached is None:
            cached = self._make_shares(market_id, day)
            self._shares[market_id, date.year * 12 + date.month] = cached
        return cached

    def _make_shares(self, market_id: int, day: int) -> F64:
        family = self.catalogue.families[market_id]
        ids = self.catalogue.markets[market_id].instrument_ids
        year = date_of(day).year
        if not family.first_year <= year <= family.last_year:
            return np.zeros(len(ids))
        instruments = [self.catalogue.instruments[number] for number in ids]
        by_venues = {(row.suffix, row.venues): row.share for row in family.listings}
        raw = [
            by_venues[instrument.name[len(family.name) :].lstrip(), instrument.venues]
            if any(trades_on(code, day) for code in instrument.venues)
            else 0.0
            for instrument in instruments
        ]
        total = sum(raw)
        return np.array(raw) / (total or 1.0)

    def per_day(self, contract: Contract, market_id: int, day: int) -> float:
        """Mean trades of the market's contract on a day; 0 when it does not trade."""
        means = self._means(contract, market_id, np.array([day], np.int64))
        return float(means[0]) * growth(day)

    def _means(self, contract: Contract, market_id: int, days: I64) -> F64:
        means = np.zeros(len(days))
        grid = self.catalogue.grids.get(contract.sequence_id)
        if grid is None or market_id not in self.catalogue.families:
            return means
        first = grid.ordinal(contract.item_id)
        second_id = contract.second_item_id
        second = None if second_id is None else grid.ordinal(second_id)
        if first is None or (second_id is not None and second is None):
            return means
        positions = first - grid.fronts(days)
        near = (positions >= 0) & (positions <= self._reach.get(contract.sequence_id, -1))
        near &= are_business_days(days)
        for position in np.unique(positions[near]).tolist():
            further = None if second is None else position + second - first
            row = (market_id, contract.sequence_id, contract.kind, position, further)
            means[near & (positions == position)] = self._by_position.get(row, 0.0)
        return means

    def counts(self, contract: Contract, market_id: int, days: I64) -> I64:
        """Trades per day (rows) and instrument of the market in order of ids (columns)."""
        means = self._means(contract, market_id, days)
        market = self.catalogue.markets[market_id]
        ids = np.array(market.instrument_ids, np.int64)
        counts = np.zeros((len(days), len(ids)), np.int64)
        traded = np.flatnonzero(means > 0.0)
        if len(traded) == 0:
            return counts
        size = len(traded) * len(ids)

        def column(value: int) -> I64:
            return np.full(size, value, np.int64)

        rows = Rows(
            column(market_id),
            np.tile(ids, len(traded)),
            column(contract.sequence_id),
            column(KINDS.index(contract.kind)),
            column(contract.item_id),
            column(contract.second_item_id or 0),
        )
        days_of_rows = np.repeat(days[traded], len(ids))
        traded_days: list[int] = days[traded].tolist()
        shares = np.concatenate([self.shares(market_id, day) for day in traded_days])
        grown = np.repeat(np.array([growth(day) for day in traded_days]), len(ids))
        drawn = _draw(self.seed, rows, np.repeat(means[traded], len(ids)), shares, grown,
                      days_of_rows)  # fmt: skip
        counts[traded] = drawn.reshape(len(traded), len(ids))
        return counts

    @cached_property
    def _static(self) -> _Static:
        columns: list[tuple[int, int, int, int, int, int, int, int]] = []
        means: list[float] = []
        for position, (market_id, profiles) in enumerate(self.profiles.items()):
            ids = self.catalogue.markets[market_id].instrument_ids
            for row in profiles:
                kind, second = KINDS.index(row.kind), -1 if row.second is None else row.second
                for n, instrument_id in enumerate(ids):
                    columns.append((position, n, market_id, instrument_id, row.sequence_id, kind,
                                    row.first, second))  # fmt: skip
                    means.append(row.per_day)
        table = np.ascontiguousarray(np.array(columns, np.int64).T)
        return _Static(
            market_position=table[0],
            instrument_position=table[1],
            market_ids=table[2],
            instrument_ids=table[3],
            sequence_ids=table[4],
            kinds=table[5],
            firsts=table[6],
            seconds=table[7],
            per_day=np.array(means),
        )

    def on_day(self, day: int) -> tuple[Rows, I64]:
        """Everything that trades on a day: the instrument contracts and their trade counts."""
        static = self._static
        days = np.array([day], np.int64)
        grown = growth(day)
        if not are_business_days(days)[0] or not grown:
            empty = np.zeros(0, np.int64)
            return Rows(empty, empty, empty, empty, empty, empty), empty
        widest = max(len(market.instrument_ids) for market in self.catalogue.markets.values())
        shares = np.zeros((len(self.profiles), widest))
        for position, market_id in enumerate(self.profiles):
            row = self.shares(market_id, day)
            shares[position, : len(row)] = row
        items, seconds = self._item_ids(days)
        rows = Rows(
            static.market_ids,
            static.instrument_ids,
            static.sequence_ids,
            static.kinds,
            items,
            seconds,
        )
        counts = _draw(
            self.seed,
            rows,
            static.per_day,
            shares[static.market_position, static.instrument_position],
            np.full(len(items), grown),
            np.full(len(items), day, np.int64),
        )
        counts[items < 0] = 0
        traded = np.flatnonzero(counts)
        return rows.take(traded), counts[traded]

    def _item_ids(self, days: I64) -> tuple[I64, I64]:
        """First and second item of each row of the table; -1 where the sequence ends."""
        static = self._static
        items = np.full(len(static.firsts), -1, np.int64)
        seconds = np.zeros(len(static.firsts), np.int64)
        for sequence_id in self._reach:
            grid = self.catalogue.grids[sequence_id]
            here = np.flatnonzero(static.sequence_ids == sequence_id)
            front = int(grid.fronts(days)[0])
            first, second = static.firsts[here], static.seconds[here]
            exists = front + np.maximum(first, second) < len(grid)
            items[here] = np.where(exists, grid.ids_at(front + first), -1)
            seconds[here] = np.where(second >= 0, grid.ids_at(front + second), 0)
        return items, seconds


def _draw(seed: int, rows: Rows, means: F64, shares: F64, grown: F64, days: I64) -> I64:
    """Counts around the means: a good or bad day of the market, of the contract, and rounding."""
    market = unit(keys(seed, _MARKET_PURPOSE, rows.market_ids, days))
    contract = unit(rows.keys(seed + _CONTRACT_PURPOSE, rows.market_ids, days))
    rounding = unit(rows.keys(seed, rows.instrument_ids, days))
    swing = (1.0 + _MARKET_SWING * (2.0 * market - 1.0)) * (
        1.0 + _CONTRACT_SWING * (2.0 * contract - 1.0)
    )
    expected = means * shares * grown * swing
    counts = np.floor(expected + rounding)
    return np.where(expected > 0.0, counts, 0.0).astype(np.int64)
