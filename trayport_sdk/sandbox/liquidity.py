"""Which contracts trade on a day, and how often.

A table of contracts has one row per instrument contract: `market_id`, `instrument_id`,
`sequence_id`, `kind` (a position in `KINDS`), `item_id` and `second_item_id` (0 where there is
none).
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache

import numpy as np
import polars as pl

from .calendar import are_business_days, date_of, day_number
from .catalogue import KINDS, Catalogue, Contract, ContractKind, opening_days
from .noise import F64, I64, U64, keys, unit

CONTRACT_KEY = ("sequence_id", "kind", "item_id", "second_item_id")
CONTRACT_COLUMNS = ("market_id", "instrument_id", *CONTRACT_KEY)
_INTEGERS = dict.fromkeys(CONTRACT_COLUMNS, pl.Int64())

# Growth of trading over the years, as a share of today's.
_GROWTH_YEARS = (2005.0, 2008.0, 2012.0, 2016.0, 2019.0, 2020.0)
_GROWTH = (0.04, 0.1, 0.25, 0.55, 0.9, 1.0)
_MARKET_SWING, _CONTRACT_SWING = 0.12, 0.06
_MARKET_PURPOSE, _CONTRACT_PURPOSE = 1_001, 1_002
# Trades of spreads and ranges as shares of those of their first item.
_TWO_ITEM_SHARES: tuple[tuple[ContractKind, int, float], ...] = (
    ("Spread", 1, 0.06),
    ("Spread", 2, 0.012),
    ("Range", 1, 0.006),
    ("Range", 2, 0.006),
)
_SPREADS_AHEAD = 6
# Prompt and daily sequences have no spreads.
_WITHOUT_SPREADS = frozenset("PDE")
_LEAST_PER_DAY = 0.01

Profile = tuple[ContractKind, int, int | None]


def hashed(seed: int, contracts: pl.DataFrame, product: str, days: int | I64) -> U64:
    """A random word for each contract, of its market or its instrument, on a day."""
    columns = [contracts[name].to_numpy() for name in (product, *CONTRACT_KEY)]
    return keys(seed, *columns, days)


def growth(day: int) -> float:
    """The share of today's trading that the year of a day had."""
    year = float(date_of(day).year)
    return float(np.interp(year, _GROWTH_YEARS, _GROWTH)) if year >= _GROWTH_YEARS[0] else 0.0


def _profiles(
    per_day: tuple[float, ...], letter: str, scale: float
) -> Iterator[tuple[Profile, float]]:
    """Mean trades per day of the contracts of a sequence, by position from the nearest item."""
    for first, mean in enumerate(per_day):
        found: list[tuple[Profile, float]] = [(("SinglePeriod", first, None), mean)]
        if letter not in _WITHOUT_SPREADS and first < _SPREADS_AHEAD:
            found += [((k, first, first + n), mean * share) for k, n, share in _TWO_ITEM_SHARES]
        yield from ((row, m * scale) for row, m in found if m * scale >= _LEAST_PER_DAY)


class Liquidity:
    """Trade counts for one seed."""

    def __init__(self, seed: int, catalogue: Catalogue) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._shares_from = lru_cache(maxsize=65_536)(self._make_shares)

    @cached_property
    def _per_day(self) -> dict[tuple[int, int, Profile], float]:
        """Mean trades per day by market, sequence and position."""
        sequences = self._catalogue.sequences
        return {
            (market.id, number, profile): mean
            for market in self._catalogue.quoted.values()
            for number in market.commodity.sequence_ids
            for profile, mean in _profiles(
                sequences[number].trades_per_day,
                sequences[number].letter,
                market.scale,
            )
        }

    @cached_property
    def _reach(self) -> dict[int, int]:
        """The furthest position of each sequence."""
        reach: dict[int, int] = {}
        for _, sequence_id, (_, first, second) in self._per_day:
            reach[sequence_id] = max(reach.get(sequence_id, 0), second or first)
        return reach

    def shares(self, market_id: int, day: int) -> F64:
        """The instruments' shares of the market's trades, in the order of their ids."""
        # Venues open and close on first days of months.
        return self._shares_from(market_id, day_number(date_of(day).replace(day=1)))

    def _make_shares(self, market_id: int, day: int) -> F64:
        market = self._catalogue.markets[market_id]
        if not market.first_year <= date_of(day).year <= market.last_year:
            return np.zeros(len(market.instruments))
        days = opening_days()
        is_open = [
            any(days[code][0] <= day < days[code][1] for code in instrument.venues)
            for instrument in market.instruments
        ]
        raw = np.array([instrument.share for instrument in market.instruments]) * is_open
        return raw / (float(sum(raw.tolist())) or 1.0)

    def per_day(self, contract: Contract, day: int) -> float:
        """Mean trades of a market's contract on a day; 0 when it does not trade."""
        return float(self._means(contract, np.array([day], np.int64))[0]) * growth(day)

    def _means(self, contract: Contract, days: I64) -> F64:
        means = np.zeros(len(days))
        sequence = self._catalogue.sequences.get(contract.sequence_id)
        first = None if sequence is None else sequence.ordinal(contract.item_id)
        if sequence is None or first is None or contract.sequence_id not in self._reach:
            return means
        second_id, second = contract.second_item_id, None
        if second_id is not None and (second := sequence.ordinal(second_id)) is None:
            return means
        positions = first - sequence.fronts(days)
        near = (positions >= 0) & (positions <= self._reach[contract.sequence_id])
        near &= are_business_days(days)
        for position in np.unique(positions[near]).tolist():
            further = None if second is None else position + second - first
            key = (contract.product_id, contract.sequence_id, (contract.kind, position, further))
            means[near & (positions == position)] = self._per_day.get(key, 0.0)
        return means

    def counts(self, contract: Contract, days: I64) -> I64:
        """Trades of a market's contract per day (rows) and instrument by id (columns)."""
        means = self._means(contract, days)
        contracts = self.instrument_contracts(contract)
        width = contracts.height
        counts = np.zeros((len(days), width), np.int64)
        traded = np.flatnonzero(means > 0.0)
        if len(traded) == 0:
            return counts
        traded_days: list[int] = days[traded].tolist()
        counts[traded] = self._drawn(
            pl.concat([contracts] * len(traded)),
            np.repeat(means[traded], width),
            np.concatenate([self.shares(contract.product_id, day) for day in traded_days]),
            np.repeat(np.array(list(map(growth, traded_days))), width),
            np.repeat(days[traded], width),
        ).reshape(-1, width)
        return counts

    def instrument_contracts(self, contract: Contract) -> pl.DataFrame:
        """The table of a market's contract, by instrument id."""
        market = self._catalogue.markets[contract.product_id]
        kind, second = KINDS.index(contract.kind), contract.second_item_id or 0
        rest = (contract.sequence_id, kind, contract.item_id, second)
        rows = [(market.id, instrument.id, *rest) for instrument in market.instruments]
        return pl.DataFrame(rows, schema=_INTEGERS, orient="row")

    @cached_property
    def _positions(self) -> pl.DataFrame:
        """Every position of every market for each of its instruments; second is -1 for none."""
        rows = [
            (market_id, one.id, sequence_id, KINDS.index(kind), first,
             -1 if second is None else second, mean)
            for (market_id, sequence_id, (kind, first, second)), mean in self._per_day.items()
            for one in self._catalogue.markets[market_id].instruments
        ]  # fmt: skip
        names = ("market_id", "instrument_id", "sequence_id", "kind", "first", "second")
        schema = {**dict.fromkeys(names, pl.Int64()), "per_day": pl.Float64()}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def on_day(self, day: int) -> pl.DataFrame:
        """The table of everything that trades on a day, with the `count` of its trades."""
        days = np.array([day], np.int64)
        if not growth(day) or not are_business_days(days)[0]:
            return pl.DataFrame(schema={**_INTEGERS, "count": pl.Int64()})
        shares = [
            (one.id, share)
            for market in self._catalogue.quoted.values()
            for one, share in zip(market.instruments, self.shares(market.id, day), strict=True)
        ]
        fronts = [
            (s.id, int(s.fronts(days)[0]), len(s), s.first_id, s.id_step)
            for s in self._catalogue.sequences.values()
        ]
        share_of = pl.DataFrame(shares, schema=["instrument_id", "share"], orient="row")
        names = ["sequence_id", "front", "size", "first_id", "step"]
        table = self._positions.join(share_of, on="instrument_id", maintain_order="left")
        table = table.join(pl.DataFrame(fronts, schema=names, orient="row"), on="sequence_id")
        first, second, front = pl.col("first"), pl.col("second"), pl.col("front")
        second_id = pl.col("first_id") + (front + second) * pl.col("step")
        table = table.filter(front + pl.max_horizontal(first, second) < pl.col("size"))
        table = table.with_columns(
            item_id=pl.col("first_id") + (front + first) * pl.col("step"),
            second_item_id=pl.when(second >= 0).then(second_id).otherwise(0),
        )
        means, share = table["per_day"].to_numpy(), table["share"].to_numpy()
        counts = self._drawn(table, means, share, np.array(growth(day)), day)
        table = table.select(*CONTRACT_COLUMNS, pl.Series("count", counts))
        return table.filter(pl.col("count") > 0)

    def _drawn(
        self, contracts: pl.DataFrame, means: F64, shares: F64, grown: F64, days: int | I64
    ) -> I64:
        """Counts around the means: a good or bad day of market and contract, and rounding."""
        market = unit(keys(self._seed, _MARKET_PURPOSE, contracts["market_id"].to_numpy(), days))
        contract = unit(hashed(self._seed + _CONTRACT_PURPOSE, contracts, "market_id", days))
        rounding = unit(hashed(self._seed, contracts, "instrument_id", days))
        swing = (1.0 + _MARKET_SWING * (2.0 * market - 1.0)) * (
            1.0 + _CONTRACT_SWING * (2.0 * contract - 1.0)
        )
        expected = means * shares * grown * swing
        return np.where(expected > 0.0, np.floor(expected + rounding), 0.0).astype(np.int64)
