"""The price path of a contract: a continuous function of time, for every day alone.

The logarithm of a price is its driver's level, plus what the delivery period adds (season, carry,
pull to the long-run level of far deliveries), plus bounded noise on three grids: days, quarters of
an hour and two minutes. Each grid's noise is interpolated between hashed knots, so that a path
runs on across midnight and any day can be computed without the others.
"""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import numpy as np
from attrs import frozen

from trayport_sdk.sandbox.calendar import DAY, MINUTE
from trayport_sdk.sandbox.contract import ContractKind
from trayport_sdk.sandbox.drivers import DRIVERS
from trayport_sdk.sandbox.listings import Family
from trayport_sdk.sandbox.noise import F64, I64, keys, unit
from trayport_sdk.sandbox.sequences import Grid

KNOT = 2 * MINUTE
_KNOTS_PER_DAY = DAY // KNOT
_COARSE_KNOTS = 96
_YEAR_DAYS = 365.25
# bounds of the noise, as shares of the price
_DAY_NOISE = 0.007
_COARSE_NOISE = 0.003
_FINE_NOISE = 0.0008
_ITEM_DAY_NOISE = 0.0015
_ITEM_FINE_NOISE = 0.0004
# far deliveries move less: half of the gap to the long-run level closes with this time scale
_NEAR_YEARS = 0.5
_PULL_YEARS = 1.5
_PULL = 0.5
_COLDEST_DAY = 15.0
_DAY_PURPOSE, _COARSE_PURPOSE, _FINE_PURPOSE = range(3)
_COARSE_FRACTIONS = np.arange(_KNOTS_PER_DAY + 1) * (_COARSE_KNOTS / _KNOTS_PER_DAY)
_DAY_FRACTIONS = np.arange(_KNOTS_PER_DAY + 1) / _KNOTS_PER_DAY
_COARSE_POSITIONS = np.arange(_COARSE_KNOTS + 1, dtype=np.float64)


def _bounded(seed: int, owner: int, item: int, purpose: int, numbers: I64) -> F64:
    """Noise within (-1, 1), denser in the middle."""
    hashed = keys(seed, owner, item, purpose, numbers)
    noise: F64 = unit(hashed) + unit(keys(hashed)) - 1.0
    return noise


def _noise_over_day(
    seed: int, owner: int, item: int, day: int, sizes: tuple[float, float, float]
) -> F64:
    day_size, coarse_size, fine_size = sizes
    ends = _bounded(seed, owner, item, _DAY_PURPOSE, np.arange(day, day + 2))
    noise: F64 = day_size * (ends[0] + (ends[1] - ends[0]) * _DAY_FRACTIONS)
    if coarse_size:
        first = day * _COARSE_KNOTS
        knots = np.arange(first, first + _COARSE_KNOTS + 1)
        coarse = _bounded(seed, owner, item, _COARSE_PURPOSE, knots)
        noise += coarse_size * np.interp(_COARSE_FRACTIONS, _COARSE_POSITIONS, coarse)
    first = day * _KNOTS_PER_DAY
    fine = _bounded(seed, owner, item, _FINE_PURPOSE, np.arange(first, first + _KNOTS_PER_DAY + 1))
    noise += fine_size * fine
    return noise


@frozen(eq=False)
class Path:
    """Prices over one UTC day, linear between knots."""

    day: int
    prices: F64

    def at(self, times: I64) -> F64:
        """The price at instants of the day, in the market's currency."""
        elapsed = times - self.day * DAY
        before = elapsed // KNOT
        share = (elapsed - before * KNOT) * (1.0 / KNOT)
        start = self.prices[before]
        return start + (self.prices[before + 1] - start) * share


class Levels:
    """Prices of all contracts for one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = Lock()
        self._driver_noise = lru_cache(maxsize=1_024)(self._make_driver_noise)
        self._item_prices = lru_cache(maxsize=8_192)(self._make_item_prices)

    def path(
        self,
        market_id: int,
        family: Family,
        grid: Grid,
        ordinals: Sequence[int],
        kind: ContractKind,
        day: int,
    ) -> Path:
        """The path of the contract over the items: one, the two of a spread, all of a range."""
        with self._lock:
            prices = [self._item_prices(market_id, family, grid, n, day) for n in ordinals]
        if kind == "SinglePeriod":
            return Path(day, prices[0])
        if kind == "Spread":
            return Path(day, prices[0] - prices[1])
        return Path(day, np.mean(prices, axis=0))

    def _make_driver_noise(self, driver: str, day: int) -> F64:
        sizes = (_DAY_NOISE, _COARSE_NOISE, _FINE_NOISE)
        return _noise_over_day(self._seed, DRIVERS[driver].key, 0, day, sizes)

    def _make_item_prices(
        self, market_id: int, family: Family, grid: Grid, ordinal: int, day: int
    ) -> F64:
        item = (grid.rule.sequence.id << 20) + grid.id_at(ordinal)
        sizes = (_ITEM_DAY_NOISE, 0.0, _ITEM_FINE_NOISE)
        log_prices = _noise_over_day(self._seed, market_id, item, day, sizes)
        log_prices += self._driver_noise(family.driver, day)
        ends = _log_curve(family, grid, ordinal, np.array([day, day + 1], np.float64))
        log_prices += ends[0] + (ends[1] - ends[0]) * _DAY_FRACTIONS
        prices: F64 = np.exp(log_prices)
        return prices


def _log_curve(family: Family, grid: Grid, ordinal: int, days: F64) -> F64:
    """The logarithm of the fair price of an item at the start of days, without noise."""
    driver = DRIVERS[family.driver]
    if grid.rolling:
        middle, length = days + 1.0, 1.0
    else:
        start, end = grid.periods.starts[ordinal], grid.periods.ends[ordinal]
        middle, length = np.full(2, (start + end) / 2.0), float(end - start)
    years_ahead = np.maximum(middle - days, 0.0) / _YEAR_DAYS
    level = driver.log_level(days)
    pull = _PULL * (1.0 - np.exp(-np.maximum(years_ahead - _NEAR_YEARS, 0.0) / _PULL_YEARS))
    level = level + pull * (driver.log_anchor - level)
    # A long period has warm and cold days: what is left of the swing is a sinc.
    left = np.sinc(length / _YEAR_DAYS)
    angle = 2.0 * np.pi * (middle - _COLDEST_DAY) / _YEAR_DAYS
    season = family.commodity.season * left * np.cos(angle)
    curve: F64 = level + season + family.commodity.carry * years_ahead + np.log(family.factor)
    return curve
