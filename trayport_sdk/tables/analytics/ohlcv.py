"""Candles made of trades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trayport_spec import ENDPOINTS

from ...errors import TrayportValidationError
from ...query import rules
from ...query.times import Interval, TimeRange
from ..decode.schema import column_filter
from .buckets import Buckets, bucket_interval

if TYPE_CHECKING:
    import polars as pl

CANDLES = ENDPOINTS["get_ohlcv"]
START, END, COUNT, CONTRACT = "from_timestamp", "to_timestamp", "trade_count", "contract"
BUY, SELL = "buy_volume", "sell_volume"
AMOUNTS = ("volume", COUNT, BUY, SELL)
"""What is 0 where nothing traded, and not unknown."""


def candles(
    trades: pl.DataFrame,
    interval: Interval | str,
    span: TimeRange,
    *,
    include_empty_buckets: bool = False,
    optional_fields: Sequence[str] = (),
) -> pl.DataFrame:
    """Candles of trades, with the columns that the service gives, and the number of trades.

    Args:
        trades: The trades, of one or several contracts.
        interval: The length of a candle.
        span: The trades that count.
        include_empty_buckets: Whether every bucket of the range has a row.
        optional_fields: `open_timestamp`, `close_timestamp`, `vwap`.

    Raises:
        TrayportValidationError: An argument cannot work.
    """
    import polars as pl

    fields = rules.options(CANDLES, optional_fields=optional_fields).optional_fields
    price, quantity, time = pl.col("price"), pl.col("quantity"), pl.col("deal_date")
    found = by_bucket(
        trades,
        interval,
        span,
        {
            "open": price.first(),
            "high": price.max(),
            "low": price.min(),
            "close": price.last(),
            "volume": quantity.sum(),
            "open_timestamp": time.first(),
            "close_timestamp": time.last(),
            "vwap": weighted(price, quantity),
            COUNT: pl.len().cast(pl.Int64),
        },
        include_empty_buckets=include_empty_buckets,
    )
    asked = column_filter(fields, ())
    names = [column.python_name for column in CANDLES.row if asked(column)]
    return found.select(*names, COUNT, *contract_of(trades))


def by_bucket(
    trades: pl.DataFrame,
    interval: Interval | str,
    span: TimeRange,
    sums: Mapping[str, pl.Expr],
    *,
    include_empty_buckets: bool,
) -> pl.DataFrame:
    """What trades add up to in each bucket of time, by contract if the rows say whose they are.

    Args:
        trades: The trades.
        interval: The length of a bucket.
        span: The trades that count.
        sums: What is wanted, by column, of trades in order of time.
        include_empty_buckets: Whether every bucket of the range has a row.

    Raises:
        TrayportValidationError: The interval is none, or does not divide a day.
    """
    import polars as pl

    interval = bucket_interval(interval)
    time = pl.col("deal_date").cast(pl.Int64)
    # What lenient decoding knows no time of lies in no bucket.
    inside = trades.filter(within(span, time) & time.is_not_null())
    if not inside["deal_date"].is_sorted():
        inside = inside.sort("deal_date", maintain_order=True)
    buckets = Buckets.of(interval, span, first_of(inside, time))
    found = inside.group_by([*contract_of(trades), buckets.start(time).alias(START)]).agg(
        value.alias(name) for name, value in sums.items()
    )
    if include_empty_buckets:
        found = filled(found, buckets, span, last_of(inside, time))
    return finished(found, buckets)


def within(span: TimeRange, time: pl.Expr) -> pl.Expr:
    """Whether times, as integers, lie in a range."""
    import polars as pl

    inside = pl.lit(value=True)
    if span.start is not None:
        inside &= time >= span.start
    if span.end is not None:
        inside &= time < span.end
    return inside


def weighted(price: pl.Expr, volume: pl.Expr) -> pl.Expr:
    """The average price by volume; not known where a part is not, null without volume."""
    import polars as pl

    is_known = ((price * volume).is_not_null() | (volume == 0)).all() & (volume.sum() > 0)
    return pl.when(is_known).then((price * volume).sum() / volume.sum())


def one_contract(table: pl.DataFrame) -> None:
    """Refuses a table of several contracts, whose prices do not go together.

    Raises:
        TrayportValidationError: There are several.
    """
    if CONTRACT not in table.columns:
        return
    count = table[CONTRACT].n_unique()
    if count > 1:
        raise TrayportValidationError(
            f"the table has {count} contracts, whose prices and volumes do not go together",
            parameter=CONTRACT,
            limit="1",
            suggestion="pick one with of_contract(...), or sum up by interval, one by one",
        )


def contract_of(table: pl.DataFrame) -> list[str]:
    """The column that says whose a row is, if there is one."""
    return [CONTRACT] if CONTRACT in table.columns else []


def first_of(table: pl.DataFrame, time: pl.Expr) -> int | None:
    """The earliest time, if there is one."""
    first: int | None = table.select(time.min()).item()
    return first


def last_of(table: pl.DataFrame, time: pl.Expr) -> int | None:
    """The latest time, if there is one."""
    last: int | None = table.select(time.max()).item()
    return last


def filled(
    found: pl.DataFrame, buckets: Buckets, span: TimeRange, last: int | None
) -> pl.DataFrame:
    """The candles, with a row for every bucket of the range and every contract."""
    import polars as pl

    start = span.start if span.start is not None else first_of(found, pl.col(START))
    end = span.end if span.end is not None else None if last is None else last + 1
    if start is None or end is None:
        return found
    grid = buckets.starts(start, end).alias(START).to_frame()
    keys = contract_of(found)
    if keys:
        grid = found.select(keys).unique(maintain_order=True).join(grid, how="cross")
    filled = grid.join(found, on=[*keys, START], how="left", nulls_equal=True)
    return filled.with_columns(
        pl.col(name).fill_null(0) for name in filled.columns if name in AMOUNTS
    )


def finished(found: pl.DataFrame, buckets: Buckets) -> pl.DataFrame:
    """The candles in order of time, with both edges as times."""
    import polars as pl

    kind = pl.Datetime("ns", "UTC")
    return found.with_columns(
        pl.col(START).cast(kind), buckets.after(pl.col(START)).cast(kind).alias(END)
    ).sort([START, *contract_of(found)], maintain_order=True)
