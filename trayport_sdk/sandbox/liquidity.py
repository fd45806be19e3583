"""Which contracts trade on a day, and how often.

A table of contracts has one row per instrument contract: `market_id`, `instrument_id`,
`sequence_id`, `kind` (a position in `KINDS`), `item_id` and `second_item_id` (0 where there is
none).
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache

import numpy as np
import polars as pl

from .calendar import are_business_days, date_of, day_number
from .catalogue import KINDS, Catalogue, Contract, ContractKind, Market, Sequence, opening_days
from .noise import F64, I64, U64, keys, unit

CONTRACT_KEY = ("sequence_id", "kind", "item_id", "second_item_id")
CONTRACT_COLUMNS = ("market_id", "instrument_id", *CONTRACT_KEY)
_INTEGERS: dict[str, pl.DataType] = {name: pl.Int64() for name in CONTRACT_COLUMNS}

# Growth of trading over the years, as a share of today's.
_GROWTH_YEARS = (2005.0, 2008.0, 2012.0, 2016.0, 2019.0, 2020.0)
_GROWTH = (0.04, 0.1, 0.25, 0.55, 0.9, 1.0)
_MARKET_SWING, _CONTRACT_SWING = 0.12, 0.06
_MARKET_PURPOSE, _CONTRACT_PURPOSE = 1_001, 1_002
# Trades by kind and distance of the items, as shares of those of the first item alone.
_SHARES: Mapping[tuple[ContractKind, int], float] = {
    ("SinglePeriod", 0): 1.0,
    ("Spread", 1): 0.06,
    ("Spread", 2): 0.012,
    ("Range", 1): 0.006,
    ("Range", 2): 0.006,
}
_SPREADS_AHEAD = 6
# Prompt and daily sequences have no spreads.
_WITHOUT_SPREADS = frozenset("PDE")
_LEAST_PER_DAY = 0.01


def hashed(seed: int, contracts: pl.DataFrame, product: str, days: int | I64) -> U64:
    """A random word for each contract, of its market or its instrument, on a day."""
    columns = [contracts[name].to_numpy() for name in (product, *CONTRACT_KEY)]
    return keys(seed, *columns, days)


def growth(day: int) -> float:
    """The share of today's trading that the year of a day had."""
    year = float(date_of(day).year)
    return float(np.interp(year, _GROWTH_YEARS, _GROWTH)) if year >= _GROWTH_YEARS[0] else 0.0


def _per_day(market: Market, sequence: Sequence, kind: ContractKind, gap: int) -> F64:
    """Mean trades per day of contracts, by the position of their first item from the nearest."""
    scale = market.scale if sequence.id in market.commodity.sequence_ids else 0.0
    means = np.array(sequence.trades_per_day) * _SHARES.get((kind, gap), 0.0) * scale
    if gap:
        means[0 if sequence.letter in _WITHOUT_SPREADS else _SPREADS_AHEAD :] = 0.0
    return np.where(means >= _LEAST_PER_DAY, means, 0.0)


class Liquidity:
    """Trade counts for one seed."""

    def __init__(self, seed: int, catalogue: Catalogue) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._shares_from = lru_cache(maxsize=65_536)(self._make_shares)

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
        if sequence is None or first is None:
            return means
        last = first
        if contract.second_item_id is not None:
            last = sequence.ordinal(contract.second_item_id) or 0
        market = self._catalogue.markets[contract.product_id]
        per_day = _per_day(market, sequence, contract.kind, last - first)
        positions = first - sequence.fronts(days)
        near = (positions >= 0) & (positions < len(per_day)) & are_business_days(days)
        means[near] = per_day[positions[near]]
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
        sequences = self._catalogue.sequences
        rows = [
            (
                market.id,
                instrument.id,
                number,
                KINDS.index(kind),
                first,
                first + gap if gap else -1,
                mean,
            )
            for market in self._catalogue.quoted.values()
            for number in market.commodity.sequence_ids
            for kind, gap in _SHARES
            for first, mean in enumerate(_per_day(market, sequences[number], kind, gap).tolist())
            for instrument in (market.instruments if mean else ())
        ]
        names = ("market_id", "instrument_id", "sequence_id", "kind", "first", "second")
        schema = {**dict.fromkeys(names, pl.Int64()), "per_day": pl.Float64()}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def on_day(self, day: int) -> pl.DataFrame:
        """The table of everything that trades on a day, with the `count` of its trades."""
        days = np.array([day], np.int64)
        if not growth(day) or not are_business_days(days)[0]:
            return pl.DataFrame(schema={**_INTEGERS, "count": pl.Int64()})
        shares = [
            (instrument.id, share)
            for market in self._catalogue.quoted.values()
            for instrument, share in zip(
                market.instruments, self.shares(market.id, day), strict=True
            )
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
