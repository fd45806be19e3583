"""The market: trades, candles, books and counts as pure functions of (seed, contract, time).

All times are nanoseconds UTC, ranges are [start, end).
"""

from collections.abc import Iterator
from copy import copy
from typing import Self

import numpy as np
import polars as pl
from attrs import evolve, frozen

from .books import ORDERS, make_orders
from .cache import BoundedCache
from .calendar import DAY
from .catalogue import KINDS, Contract, Market, catalogue
from .liquidity import CONTRACT_COLUMNS, CONTRACT_KEY, Liquidity
from .noise import I64, U8, Bools
from .revisions import ALTERED, DELETED, LATE, Revisions
from .trades import (
    ROUTE_COUNT,
    THOUSAND,
    TRADES,
    MarketDays,
    make_trades,
    marks,
    numbers_within,
    own_days,
    own_sides,
    times_of,
    trade_streams,
)

_KEPT_TRADES = 2_000_000
_KEPT_DAYS = 128
_KEPT_MARKS = 1_500_000
_COUNTS = ("count", "update_count", "delete_count")


@frozen(eq=False)
class _Marks:
    """Every trade of a day: the row of its contract, its time, and its flags."""

    owners: I64
    times: I64
    routes: U8
    updated: Bools
    deleted: Bools
    own: Bools


class Engine:
    """Everything that happens on the markets of one seed."""

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self._as_known: tuple[Revisions, int] | None = None
        self.catalogue = catalogue()
        self._liquidity = Liquidity(seed, self.catalogue)
        self._market_days = MarketDays(seed, self.catalogue, self._liquidity)
        # Every value counts one more than its rows, so that empty days are bounded too.
        self._days: BoundedCache[tuple[Contract, int], pl.DataFrame] = BoundedCache(
            _KEPT_TRADES, lambda trades: trades.height + 1
        )
        self._marks: BoundedCache[int, _Marks] = BoundedCache(
            _KEPT_MARKS, lambda marks: len(marks.times) + 1
        )
        self._contracts: BoundedCache[int, pl.DataFrame] = BoundedCache(_KEPT_DAYS, lambda _: 1)
        self._day_counts: BoundedCache[object, pl.DataFrame] = BoundedCache(_KEPT_DAYS, lambda _: 1)

    def as_known(self, revisions: Revisions, now: int) -> Self:
        """The same markets, with the corrections that are known at an instant."""
        view = copy(self)
        view._as_known = revisions, now
        return view

    def trades(self, contract: Contract, start: int, end: int) -> pl.DataFrame:
        days = list(self.days(contract, start, end))
        return pl.concat(days) if days else pl.DataFrame(schema=TRADES)

    def days(self, contract: Contract, start: int, end: int) -> Iterator[pl.DataFrame]:
        """The trades of each UTC day that has any."""
        for day in self._trading_days(contract, start, end):
            trades = _between(self._known_day(contract, day), start, end)
            if trades.height:
                yield trades

    def last_trade(self, contract: Contract, at: int, *, lookback_days: int) -> pl.DataFrame:
        """The last trade strictly before `at`, if there was one so recently: 0 or 1 row."""
        start = at - lookback_days * DAY
        for day in reversed(self._trading_days(contract, start, at)):
            trades = _between(self._known_day(contract, day), start, at)
            if trades.height:
                return trades.tail(1)
        return pl.DataFrame(schema=TRADES)

    def own_trades(
        self, start: int, end: int, narrowed: pl.Expr
    ) -> Iterator[tuple[Contract, pl.DataFrame]]:
        """Your trades by market contract, of the instrument contracts that an expression admits."""
        days = range(start // DAY, -(-end // DAY))
        contracts = [self._own_contracts(day).filter(narrowed) for day in days]
        for day, table in zip(days, contracts, strict=True):
            for (market_id, *key), group in table.group_by(
                "market_id", *CONTRACT_KEY, maintain_order=True
            ):
                sequence_id, kind, item_id, second = map(int, key)
                contract = Contract(
                    "market", int(market_id), sequence_id, item_id, second or None, KINDS[kind]
                )
                mine = (pl.col("own") > 0) & pl.col("instrument_id").is_in(
                    group["instrument_id"].implode()
                )
                trades = _between(self._known_day(contract, day), start, end).filter(mine)
                if trades.height:
                    yield contract, trades

    def candles(self, contract: Contract, edges: I64) -> pl.DataFrame:
        """One row per bucket between the edges, in API names; null where nothing traded.

        Candles are made of the trades of the lowest route.
        """
        buckets = pl.DataFrame({"bucket": np.arange(max(len(edges) - 1, 0))})
        needed = ["time", "price", "ticks", "thousandths"]
        parts = [pl.DataFrame(schema=TRADES).select(needed)]
        if len(edges) > 1:
            days = self.days(contract, int(edges[0]), int(edges[-1]))
            parts += [day.filter(pl.col("routes") & 1 == 1).select(needed) for day in days]
        trades = pl.concat(parts)
        bucket = np.searchsorted(edges, trades["time"].to_numpy(), side="right") - 1
        ticks, price, size = pl.col("ticks"), pl.col("price"), pl.col("thousandths")
        candles = trades.with_columns(bucket=pl.Series(bucket, dtype=pl.Int64))
        candles = candles.group_by("bucket").agg(
            open=price.first(),
            high=price.max(),
            low=price.min(),
            close=price.last(),
            turnover=(ticks * size).sum(),
            size=size.sum(),
            count=pl.len(),
            open_timestamp=pl.col("time").first(),
            close_timestamp=pl.col("time").last(),
        )
        # Divided by numpy, as polars divides by a constant less exactly.
        turnover, sizes = candles["turnover"].to_numpy(), candles["size"].to_numpy()
        vwap = turnover / sizes / self._price_scale(contract)
        candles = candles.with_columns(vwap=vwap, volume=sizes / THOUSAND)
        return buckets.join(candles, on="bucket", how="left", maintain_order="left").with_columns(
            pl.col("volume").fill_null(0.0), pl.col("count").fill_null(0)
        )

    def _price_scale(self, contract: Contract) -> int:
        market = self.market(contract)
        return 1 if market is None else market.price_scale

    def orders(self, contract: Contract, times: I64) -> pl.DataFrame:
        """The orders that stand at each of the instants."""
        market = self._market_contract(contract)
        parts = [pl.DataFrame(schema=ORDERS)]
        days = times // DAY
        for day in np.unique(days).tolist() if market is not None else ():
            if market is not None and self._liquidity.per_day(market, day) > 0.0:
                today = self._market_days.make(market, day)
                parts.extend(make_orders(today, times, np.flatnonzero(days == day)))
        orders = pl.concat(parts)
        if contract.product == "instrument":
            orders = orders.filter(pl.col("instrument_id") == contract.product_id)
        return orders.sort("point", maintain_order=True)

    def activity(self, start: int, end: int) -> pl.DataFrame:
        """The table of contracts with a row per route that had trades, and their counts."""
        parts: list[pl.DataFrame] = []
        for day in range(start // DAY, -(-end // DAY)):
            if start <= day * DAY and (day + 1) * DAY <= end:
                key = day, self._as_known
                parts.append(self._day_counts.get(key, lambda day=day: self._counted(day)))  # type: ignore[misc]
            else:
                parts.append(self._counted(day, start, end))
        if not parts:
            parts = [self._counted(0)]
        keys = [*CONTRACT_COLUMNS, "route"]
        sums = pl.concat(parts).group_by(keys).agg(pl.col(_COUNTS).sum())
        order = ["instrument_id", "sequence_id", "kind", "item_id", "second_item_id", "route"]
        return sums.filter(pl.col("count") > 0).sort(order)

    def _counted(self, day: int, start: int = 0, end: int = 2**63 - 1) -> pl.DataFrame:
        contracts, marked = self._on_day(day), self._marked(day)
        inside = (marked.times >= start) & (marked.times < end)
        updated, deleted, there = marked.updated, marked.deleted, inside
        if self._as_known is not None:
            revisions, now = self._as_known
            key = tuple(contracts[name].to_numpy()[marked.owners] for name in CONTRACT_KEY)
            instruments = contracts["instrument_id"].to_numpy()[marked.owners]
            numbers = numbers_within(contracts["count"].to_numpy())
            drawn = revisions.drawn(key, (instruments, marked.times, numbers))
            inside = inside & ~drawn.ahead(LATE, now)
            updated = updated | drawn.known(ALTERED, now)
            deleted = deleted | drawn.known(DELETED, now)
            there = inside & ~drawn.known(DELETED, now)
        parts: list[pl.DataFrame] = []
        for n in range(ROUTE_COUNT):
            seen = inside & ((marked.routes >> n) & 1 == 1)
            of = (seen & there, seen & updated, seen & deleted)
            counts = {
                name: np.bincount(marked.owners[rows], minlength=contracts.height)
                for name, rows in zip(_COUNTS, of, strict=True)
            }
            route = pl.lit(n + 1, pl.Int64).alias("route")
            table = contracts.select(*CONTRACT_COLUMNS, route)
            parts.append(
                table.hstack(pl.DataFrame(counts, schema=dict.fromkeys(_COUNTS, pl.Int64())))
            )
        return pl.concat(parts).filter(pl.col("count") > 0)

    def _on_day(self, day: int) -> pl.DataFrame:
        return self._contracts.get(day, lambda: self._liquidity.on_day(day))

    def _marked(self, day: int) -> _Marks:
        return self._marks.get(day, lambda: self._make_marks(day))

    def _make_marks(self, day: int) -> _Marks:
        contracts = self._on_day(day)
        counts = contracts["count"].to_numpy()
        streams = trade_streams(self.seed, contracts, day)
        owners, numbers = np.repeat(np.arange(len(counts)), counts), numbers_within(counts)
        markets = [self.catalogue.markets[number] for number in contracts["market_id"].to_list()]
        bounds = [market.session.bounds(day) for market in markets]
        sessions = np.array(bounds, np.int64).reshape(-1, 2)
        times = times_of(streams, counts, sessions[:, 0], sessions[:, 1])
        own = own_days(self.seed, contracts, day) & np.array([m.own for m in markets], np.bool_)
        sides = own_sides(streams[owners], numbers) > 0
        return _Marks(owners, times, *marks(streams[owners], numbers), own[owners] & sides)

    def _own_contracts(self, day: int) -> pl.DataFrame:
        """The instrument contracts in which you traded on a day."""
        marked = self._marked(day)
        return self._on_day(day)[np.unique(marked.owners[marked.own])]

    def market(self, contract: Contract) -> Market | None:
        """The market that a contract trades on; None when it never trades."""
        market = self._market_contract(contract)
        return None if market is None else self.catalogue.markets[market.product_id]

    def _market_contract(self, contract: Contract) -> Contract | None:
        """The market's contract that this one is a part of; None when it never trades."""
        market_id: int | None = contract.product_id
        if contract.product == "instrument":
            instrument = self.catalogue.instruments.get(contract.product_id)
            market_id = None if instrument is None else instrument.market_id
        if market_id is None or market_id not in self.catalogue.quoted:
            return None
        return evolve(contract, product="market", product_id=market_id)

    def _trading_days(self, contract: Contract, start: int, end: int) -> list[int]:
        market = self._market_contract(contract)
        if end <= start or market is None:
            return []
        days = np.arange(start // DAY, -(-end // DAY))
        counts = self._liquidity.counts(market, days)
        if contract.product == "instrument":
            instruments = self.catalogue.markets[market.product_id].instruments
            counts = counts[:, [instrument.id == contract.product_id for instrument in instruments]]
        trading: list[int] = days[counts.sum(axis=1) > 0].tolist()
        return trading

    def _known_day(self, contract: Contract, day: int) -> pl.DataFrame:
        trades, market = self._day(contract, day), self.market(contract)
        if self._as_known is None or market is None:
            return trades
        revisions, now = self._as_known
        return revisions.as_known(trades, contract, market, now)

    def _day(self, contract: Contract, day: int) -> pl.DataFrame:
        return self._days.get((contract, day), lambda: self._make_day(contract, day))

    def _make_day(self, contract: Contract, day: int) -> pl.DataFrame:
        if contract.product == "market":
            return make_trades(self._market_days.make(contract, day))
        market = self._market_contract(contract) or contract
        return self._day(market, day).filter(pl.col("instrument_id") == contract.product_id)


def _between(trades: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    first, last = np.searchsorted(trades["time"].to_numpy(), (start, end)).tolist()
    return trades[first:last]
