"""The market: trades, candles, books and counts as pure functions of (seed, contract, time)."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from attrs import evolve

from trayport_sdk.sandbox.activity import Activity, Counter
from trayport_sdk.sandbox.books import Book, empty_book, joined_books, make_book, of_instrument
from trayport_sdk.sandbox.cache import BoundedCache
from trayport_sdk.sandbox.calendar import DAY
from trayport_sdk.sandbox.candles import Candles, make_candles
from trayport_sdk.sandbox.catalogue import Catalogue, catalogue
from trayport_sdk.sandbox.contract import Contract
from trayport_sdk.sandbox.liquidity import Liquidity
from trayport_sdk.sandbox.market_day import MarketDays
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.trades import Trades, joined, make_trades, no_trades
from trayport_sdk.sandbox.venues import VENUE_CODES

__all__ = [
    "ROUTES",
    "VENUE_CODES",
    "YOUR_COMPANY_ID",
    "YOUR_COMPANY_NAME",
    "YOUR_TRADERS",
    "Activity",
    "Book",
    "Candles",
    "Engine",
    "Trades",
]

ROUTES: Mapping[int, str] = MappingProxyType({
    1: "Trayport",
    2: "Autotrader",
    3: "London, Main Desk",
    4: "Continent",
})  # fmt: skip
YOUR_COMPANY_ID = 4_711
YOUR_COMPANY_NAME = "Nordlicht Energy Trading"
# user ids and names
YOUR_TRADERS: Mapping[int, str] = MappingProxyType({
    81_001: "Anna Petersen",
    81_002: "Jonas Brandt",
    81_003: "Mirja Lund",
})  # fmt: skip

_KEPT_TRADES = 2_000_000


class Engine:
    """Everything that happens on the markets of one seed.

    All times are nanoseconds UTC, ranges are [start, end).
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self.catalogue: Catalogue = catalogue()
        self._liquidity = Liquidity(seed, self.catalogue)
        self._market_days = MarketDays(seed, self.catalogue, self._liquidity)
        self._counter = Counter(seed, self.catalogue, self._liquidity)
        # Every value counts one more than its rows, so that empty days are bounded too.
        self._days: BoundedCache[tuple[Contract, int], Trades] = BoundedCache(
            _KEPT_TRADES, lambda trades: len(trades) + 1
        )

    def price_scale(self, contract: Contract) -> int:
        """In how many steps a unit of the contract's currency is counted."""
        market = self._market_contract(contract)
        return 1 if market is None else self.catalogue.families[market.product_id].price_scale

    def counts(self, contract: Contract, days: I64) -> I64:
        """The number of trades on each of the days (UTC day numbers)."""
        market = self._market_contract(contract)
        if market is None:
            return np.zeros(len(days), np.int64)
        counts = self._liquidity.counts(market, market.product_id, days)
        if contract.product == "market":
            of_market: I64 = counts.sum(axis=1)
            return of_market
        ids = self.catalogue.markets[market.product_id].instrument_ids
        return counts[:, ids.index(contract.product_id)]

    def count(self, contract: Contract, day: int) -> int:
        """The number of trades on a UTC day."""
        return int(self.counts(contract, np.array([day], np.int64))[0])

    def days(self, contract: Contract, start: int, end: int) -> Iterator[Trades]:
        """The trades of each UTC day that has any; whole days are kept and shared."""
        for day in self._trading_days(contract, start, end):
            trades = self._day(contract, day).between(start, end)
            if len(trades):
                yield trades

    def trades(self, contract: Contract, start: int, end: int) -> Trades:
        parts = list(self.days(contract, start, end))
        if not parts:
            return no_trades(contract, self.price_scale(contract))
        return parts[0] if len(parts) == 1 else joined(contract, parts)

    def private_trades(
        self,
        start: int,
        end: int,
        *,
        product: Literal["instrument", "market"] | None = None,
        product_id: int | None = None,
        sequence_id: int | None = None,
        contract: Contract | None = None,
    ) -> list[tuple[Contract, Trades]]:
        """Your trades by instrument contract, in order of their first trade."""
        mine: dict[Contract, list[Trades]] = {}
        for day in range(start // DAY, -(-end // DAY)):
            for candidate in self._counter.own_contracts(day):
                if not self._is_within(candidate, product, product_id, sequence_id, contract):
                    continue
                trades = self._day(candidate, day).between(start, end)
                trades = trades.where(trades.own > 0)
                if len(trades):
                    mine.setdefault(candidate, []).append(trades)
        found = [(key, joined(key, parts)) for key, parts in mine.items()]
        return sorted(found, key=lambda pair: int(pair[1].time[0]))

    def last_trade(self, contract: Contract, at: int, *, lookback_days: int) -> Trades:
        """The last trade strictly before `at`, if there was one so recently: 0 or 1 row."""
        start = at - lookback_days * DAY
        for day in reversed(self._trading_days(contract, start, at)):
            trades = self._day(contract, day).between(start, at)
            if len(trades):
                return trades.where(np.arange(len(trades)) == len(trades) - 1)
        return no_trades(contract, self.price_scale(contract))

    def activity(self, start: int, end: int) -> Activity:
        """What was traded in everything."""
        return self._counter.activity(start, end)

    def candles(self, contract: Contract, edges: I64) -> Candles:
        """Candles of the buckets between the edges."""
        scale = self.price_scale(contract)
        if len(edges) < 2:
            return make_candles((), edges, scale)
        return make_candles(self.days(contract, int(edges[0]), int(edges[-1])), edges, scale)

    def book(self, contract: Contract, times: I64) -> Book:
        """The orders that stand at each of the instants."""
        market = self._market_contract(contract)
        if market is None:
            return empty_book(times)
        parts: list[Book] = []
        days = times // DAY
        for day in np.unique(days).tolist():
            if self._liquidity.per_day(market, market.product_id, day) <= 0.0:
                continue
            points = np.flatnonzero(days == day)
            parts.extend(make_book(self._market_days.make(market, day), times, points))
        if contract.product == "instrument":
            parts = [of_instrument(part, contract.product_id) for part in parts]
        return joined_books(times, parts, self.price_scale(contract))

    def _market_contract(self, contract: Contract) -> Contract | None:
        """The market's contract that this one is a part of; None when it never trades."""
        if contract.product == "market":
            known = contract.product_id in self.catalogue.families
            return contract if known else None
        instrument = self.catalogue.instruments.get(contract.product_id)
        market_id = None if instrument is None else instrument.market_id
        if market_id is None or market_id not in self.catalogue.families:
            return None
        return evolve(contract, product="market", product_id=market_id)

    def _trading_days(self, contract: Contract, start: int, end: int) -> list[int]:
        if end <= start:
            return []
        days = np.arange(start // DAY, -(-end // DAY))
        trading: list[int] = days[self.counts(contract, days) > 0].tolist()
        return trading

    def _day(self, contract: Contract, day: int) -> Trades:
        return self._days.get((contract, day), lambda: self._make_day(contract, day))

    def _make_day(self, contract: Contract, day: int) -> Trades:
        market = self._market_contract(contract)
        if market is None:
            return no_trades(contract)
        if contract.product == "market":
            return make_trades(self._market_days.make(contract, day))
        whole = self._day(market, day)
        return whole.of(contract, whole.instrument_id == contract.product_id)

    def _is_within(
        self,
        candidate: Contract,
        product: Literal["instrument", "market"] | None,
        product_id: int | None,
        sequence_id: int | None,
        contract: Contract | None,
    ) -> bool:
        if sequence_id is not None and candidate.sequence_id != sequence_id:
            return False
        if product_id is not None:
            own_id = candidate.product_id
            market_id = self.catalogue.instruments[own_id].market_id
            if (market_id if product == "market" else own_id) != product_id:
                return False
        if contract is None:
            return True
        return contract == candidate or contract == self._market_contract(candidate)
