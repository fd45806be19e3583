"""Candles: trades of route 1, summed up between edges."""

from collections.abc import Iterable

import numpy as np
from attrs import frozen

from trayport_sdk.sandbox.noise import F64, I64
from trayport_sdk.sandbox.trades import THOUSAND, Trades


@frozen(eq=False)
class Candles:
    """One row per bucket; prices are nan, times and counts 0 where nothing traded."""

    open: F64
    high: F64
    low: F64
    close: F64
    vwap: F64
    volume: F64
    count: I64
    open_time: I64
    close_time: I64


class _Sums:
    """Integer sums per bucket, so that the order of adding does not matter."""

    def __init__(self, size: int) -> None:
        self.open = np.zeros(size, np.int64)
        self.close = np.zeros(size, np.int64)
        self.high = np.full(size, np.iinfo(np.int64).min)
        self.low = np.full(size, np.iinfo(np.int64).max)
        self.quantity = np.zeros(size, np.int64)
        self.turnover = np.zeros(size, np.float64)
        self.count = np.zeros(size, np.int64)
        self.open_time = np.zeros(size, np.int64)
        self.close_time = np.zeros(size, np.int64)

    def add(self, trades: Trades, edges: I64) -> None:
        """Add trades that come after all that were added before."""
        buckets = np.searchsorted(edges, trades.time, side="right") - 1
        inside = (buckets >= 0) & (buckets < len(self.count)) & ((trades.routes & 1) == 1)
        buckets, rows = buckets[inside], np.flatnonzero(inside)
        if len(rows) == 0:
            return
        filled, first, counts = np.unique(buckets, return_index=True, return_counts=True)
        last = first + counts - 1
        price, quantity, time = trades.price[rows], trades.quantity[rows], trades.time[rows]
        new = self.count[filled] == 0
        self.open[filled] = np.where(new, price[first], self.open[filled])
        self.open_time[filled] = np.where(new, time[first], self.open_time[filled])
        self.close[filled] = price[last]
        self.close_time[filled] = time[last]
        self.high[filled] = np.maximum(self.high[filled], np.maximum.reduceat(price, first))
        self.low[filled] = np.minimum(self.low[filled], np.minimum.reduceat(price, first))
        self.quantity[filled] += np.add.reduceat(quantity, first)
        self.turnover[filled] += np.add.reduceat(price.astype(np.float64) * quantity, first)
        self.count[filled] += counts


def make_candles(days: Iterable[Trades], edges: I64, price_scale: int) -> Candles:
    """Candles of the buckets [edges[n], edges[n + 1]) from trades in order of time."""
    sums = _Sums(max(len(edges) - 1, 0))
    for trades in days:
        sums.add(trades, edges)
    empty = sums.count == 0

    def prices(ticks: I64) -> F64:
        return np.where(empty, np.nan, ticks / price_scale)

    vwap = np.full(len(empty), np.nan)
    np.divide(sums.turnover, sums.quantity, out=vwap, where=~empty)
    return Candles(
        open=prices(sums.open),
        high=prices(sums.high),
        low=prices(sums.low),
        close=prices(sums.close),
        vwap=vwap / price_scale,
        volume=sums.quantity / THOUSAND,
        count=sums.count,
        open_time=sums.open_time,
        close_time=sums.close_time,
    )
