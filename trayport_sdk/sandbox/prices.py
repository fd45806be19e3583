"""The price of a contract: a continuous function of time that can be computed for any day alone.

The logarithm of a price is the level of the market's driver in that year (`data/drivers.csv`), plus
what the delivery period adds (season, carry, pull to the long-run level of far deliveries), plus
bounded noise on three grids: days, quarters of an hour and two minutes. Each grid's noise is
interpolated between hashed knots, so that a path runs on across midnight.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from threading import Lock

import numpy as np
from attrs import frozen

from .calendar import DAY, MINUTE
from .catalogue import ContractKind, Market, table
from .catalogue import Sequence as Deliveries
from .noise import F64, I64, keys, unit

KNOT = 2 * MINUTE
_KNOTS_PER_DAY, _COARSE_KNOTS = DAY // KNOT, 96
_YEAR_DAYS = 365.25
# Bounds of the noise on days, quarters of an hour and two minutes, as shares of the price.
_DRIVER_NOISE, _ITEM_NOISE = (0.007, 0.003, 0.0008), (0.0015, 0.0, 0.0004)
# Far deliveries move less: half of the gap to the long-run level closes with this time scale.
_NEAR_YEARS, _PULL_YEARS, _PULL = 0.5, 1.5, 0.5
_COLDEST_DAY = 15.0
_DAY_PURPOSE, _COARSE_PURPOSE, _FINE_PURPOSE = range(3)
_FRACTIONS = np.arange(_KNOTS_PER_DAY + 1) / _KNOTS_PER_DAY
_COARSE_FRACTIONS = np.arange(_KNOTS_PER_DAY + 1) * (_COARSE_KNOTS / _KNOTS_PER_DAY)


@frozen(eq=False)
class Driver:
    """What a group of markets follows: rough levels by date, and where far deliveries tend to."""

    key: int
    days: I64
    log_levels: F64
    log_anchor: float


@cache
def drivers() -> Mapping[str, Driver]:
    levels: dict[str, dict[str, float]] = {}
    for row in table("drivers"):
        levels.setdefault(row["driver"], {})[row["date"]] = float(np.log(float(row["level"])))
    made: dict[str, Driver] = {}
    for key, (name, by_date) in enumerate(levels.items(), start=1):
        anchor = by_date.pop("anchor")
        days = np.array(list(by_date), "datetime64[D]").astype(np.int64)
        made[name] = Driver(key, days, np.array(list(by_date.values())), anchor)
    return made


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
    noise: F64 = day_size * (ends[0] + (ends[1] - ends[0]) * _FRACTIONS)
    if coarse_size:
        numbers = day * _COARSE_KNOTS + np.arange(_COARSE_KNOTS + 1)
        coarse = _bounded(seed, owner, item, _COARSE_PURPOSE, numbers)
        noise += coarse_size * np.interp(_COARSE_FRACTIONS, np.arange(_COARSE_KNOTS + 1.0), coarse)
    numbers = day * _KNOTS_PER_DAY + np.arange(_KNOTS_PER_DAY + 1)
    noise += fine_size * _bounded(seed, owner, item, _FINE_PURPOSE, numbers)
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


class Prices:
    """The prices of all contracts for one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = Lock()
        self._driver_noise = lru_cache(maxsize=1_024)(self._make_driver_noise)
        self._item_prices = lru_cache(maxsize=8_192)(self._make_item_prices)

    def path(
        self,
        market: Market,
        sequence: Deliveries,
        ordinals: Sequence[int],
        kind: ContractKind,
        day: int,
    ) -> Path:
        """The path of the contract over the items: one, the two of a spread, all of a range."""
        with self._lock:
            prices = [self._item_prices(market, sequence, n, day) for n in ordinals]
        match kind:
            case "SinglePeriod":
                return Path(day, prices[0])
            case "Spread":
                return Path(day, prices[0] - prices[1])
            case "Range":
                return Path(day, np.mean(prices, axis=0))

    def _make_driver_noise(self, driver: str, day: int) -> F64:
        return _noise_over_day(self._seed, drivers()[driver].key, 0, day, _DRIVER_NOISE)

    def _make_item_prices(
        self, market: Market, sequence: Deliveries, ordinal: int, day: int
    ) -> F64:
        item = (sequence.id << 20) + int(sequence.ids_at(np.array([ordinal]))[0])
        log_prices = _noise_over_day(self._seed, market.id, item, day, _ITEM_NOISE)
        log_prices += self._driver_noise(market.driver, day)
        days = np.array([day, day + 1], np.float64)
        ends = _log_curve(market, sequence, ordinal, days)
        log_prices += ends[0] + (ends[1] - ends[0]) * _FRACTIONS
        prices: F64 = np.exp(log_prices)
        return prices


def _log_curve(market: Market, sequence: Deliveries, ordinal: int, days: F64) -> F64:
    """The logarithm of the fair price of an item at the start of days, without noise."""
    driver, commodity = drivers()[market.driver], market.commodity
    if sequence.rolling:
        middle, length = days + 1.0, 1.0
    else:
        start, end = sequence.periods.starts[ordinal], sequence.periods.ends[ordinal]
        middle, length = np.full(2, (start + end) / 2.0), float(end - start)
    years_ahead = np.maximum(middle - days, 0.0) / _YEAR_DAYS
    level = np.interp(days, driver.days, driver.log_levels)
    pull = _PULL * (1.0 - np.exp(-np.maximum(years_ahead - _NEAR_YEARS, 0.0) / _PULL_YEARS))
    level = level + pull * (driver.log_anchor - level)
    # A long period has warm and cold days: what is left of the swing is a sinc.
    left = np.sinc(length / _YEAR_DAYS)
    angle = 2.0 * np.pi * (middle - _COLDEST_DAY) / _YEAR_DAYS
    season = commodity.season * left * np.cos(angle)
    curve: F64 = level + season + commodity.carry * years_ahead + np.log(market.factor)
    return curve
