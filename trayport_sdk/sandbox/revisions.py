"""Corrections applied to trades: which there are, and what the trades were like before."""

import datetime as dt

import numpy as np
import polars as pl
from attrs import frozen

from .calendar import DAY
from .catalogue import KINDS, Contract, Market
from .corrections import Corrections
from .noise import I64, U64, Bools, bits, draws, keys, unit
from .trades import THOUSAND

_PURPOSE = 4_001
_KIND, _DELAY, _CHANGE = range(3)
LATE, ALTERED, DELETED = range(3)
_NAMES = ("added", "altered", "deleted")
CORRECTIONS: dict[str, pl.DataType] = {
    "contract": pl.String(),
    "trade_id": pl.String(),
    "venue_code": pl.String(),
    "deal_date": pl.Int64(),
    "kind": pl.String(),
    "at": pl.Int64(),
    "price_before": pl.Float64(),
    "quantity_before": pl.Float64(),
    "price_after": pl.Float64(),
    "quantity_after": pl.Float64(),
}
# An altered trade was first some ticks off, of twice the quantity, or both.
_MOST_TICKS = 4


@frozen(eq=False)
class Drawn:
    """The corrections of trades: LATE, ALTERED, DELETED or none of them, and when it is known."""

    kinds: I64
    known_at: I64
    words: U64

    def known(self, kind: int, now: int) -> Bools:
        return np.asarray((self.kinds == kind) & (self.known_at <= now), np.bool_)

    def ahead(self, kind: int, now: int) -> Bools:
        return np.asarray((self.kinds == kind) & (self.known_at > now), np.bool_)


@frozen
class Revisions:
    """The corrections of the market of one seed."""

    corrections: Corrections
    seed: int

    @property
    def longest_delay(self) -> int:
        return _nanoseconds(self.corrections.until)

    def drawn(self, contract_key: tuple[int | I64, ...], trades: tuple[I64, I64, I64]) -> Drawn:
        """The corrections of trades, given as columns of instruments, times and numbers.

        The key of their contracts is one for all of them, or a column for each of its parts.
        """
        of = self.corrections
        instruments, times, numbers = trades
        own = keys(self.seed + _PURPOSE, of.seed, *contract_key, instruments, times // DAY)
        words = draws(own, numbers, _KIND)
        kinds = np.searchsorted(
            np.cumsum([of.late, of.altered, of.deleted]), unit(words), side="right"
        )
        shortest = _nanoseconds(of.after)
        spread = unit(draws(own, numbers, _DELAY)) * (self.longest_delay - shortest)
        known_at = times + shortest + spread.astype(np.int64)
        return Drawn(kinds, known_at, draws(own, numbers, _CHANGE))

    def as_known(
        self, trades: pl.DataFrame, contract: Contract, market: Market, now: int
    ) -> pl.DataFrame:
        """The trades of a contract that are known at an instant, as they are known then."""
        drawn = self._drawn(trades, contract)
        there = ~(drawn.ahead(LATE, now) | drawn.known(DELETED, now))
        dated = drawn.known(LATE, now) | drawn.known(ALTERED, now)
        updated = pl.max_horizontal("last_updated", pl.lit(pl.Series(drawn.known_at)))
        return trades.with_columns(
            last_updated=pl.when(pl.lit(pl.Series(dated))).then(updated).otherwise("last_updated"),
            **_first_values(trades, drawn, drawn.ahead(ALTERED, now), market),
        ).filter(pl.Series(there))

    def between(
        self, trades: pl.DataFrame, contract: Contract, market: Market, since: int, until: int
    ) -> pl.DataFrame:
        """The trades with corrections that become known in (since, until]: what they change."""
        drawn = self._drawn(trades, contract)
        first = _first_values(trades, drawn, drawn.kinds == ALTERED, market)
        chosen = (drawn.kinds <= DELETED) & (since < drawn.known_at) & (drawn.known_at <= until)
        kind = pl.Series(drawn.kinds)
        was = pl.lit(kind != LATE)
        remains = pl.lit(kind != DELETED)
        return trades.with_columns(
            kind=kind.replace_strict(dict(enumerate(_NAMES)), default=None, return_dtype=pl.String),
            at=pl.Series(drawn.known_at),
            price_before=pl.when(was).then(pl.lit(first["price"])),
            quantity_before=pl.when(was).then(pl.lit(first["quantity"])),
            price_after=pl.when(remains).then("price"),
            quantity_after=pl.when(remains).then("quantity"),
        ).filter(pl.Series(chosen))

    def _drawn(self, trades: pl.DataFrame, contract: Contract) -> Drawn:
        names = ("instrument_id", "time", "number")
        instruments, times, numbers = (trades[name].to_numpy() for name in names)
        kind, second = KINDS.index(contract.kind), contract.second_item_id or 0
        key = (contract.sequence_id, kind, contract.item_id, second)
        return self.drawn(key, (instruments, times, numbers))


def _first_values(
    trades: pl.DataFrame, drawn: Drawn, altered: Bools, market: Market
) -> dict[str, pl.Series]:
    """The prices and quantities of trades, in some rows those before the alteration."""
    which = bits(drawn.words, 0, 16) % 3
    steps = 1 + bits(drawn.words, 16, 16) % _MOST_TICKS
    signs = np.where(bits(drawn.words, 32, 1) == 0, 1, -1)
    off = np.where(altered & (which != 1), steps * signs * market.tick, 0)
    ticks = trades["ticks"].to_numpy() + off
    thousandths = trades["thousandths"].to_numpy() * np.where(altered & (which != 0), 2, 1)
    # Divided by numpy, as polars divides by a constant less exactly.
    columns = {
        "ticks": ticks,
        "price": ticks / market.price_scale,
        "thousandths": thousandths,
        "quantity": thousandths / THOUSAND,
    }
    return {name: pl.Series(values) for name, values in columns.items()}


def _nanoseconds(duration: dt.timedelta) -> int:
    return duration // dt.timedelta(microseconds=1) * 1000
