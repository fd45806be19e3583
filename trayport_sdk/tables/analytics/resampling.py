"""Candles made of shorter candles, and their average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import TrayportValidationError
from ...query.times import Interval, TimeRange, to_text
from .buckets import Buckets, bucket_interval, interval_between, is_multiple
from .ohlcv import (
    CONTRACT,
    COUNT,
    END,
    START,
    contract_of,
    filled,
    finished,
    first_of,
    last_of,
    one_contract,
    weighted,
    within,
)

if TYPE_CHECKING:
    import polars as pl


def resampled(
    bars: pl.DataFrame,
    interval: Interval | str,
    wanted: TimeRange,
    span: TimeRange,
    *,
    source: Interval | None,
    include_empty_buckets: bool | None = None,
) -> pl.DataFrame:
    """Longer candles, made of whole shorter ones.

    Args:
        bars: The candles, with `vwap`, `trade_count` and the rest if they have them.
        interval: The length of the new ones.
        wanted: The old ones that count.
        span: The range that the new ones are of.
        source: The length of the old ones, if that is known.
        include_empty_buckets: Whether a bucket without trades has a row; None keeps those that have
            a row now.

    Raises:
        TrayportValidationError: The new interval is no multiple of the old one.
    """
    import polars as pl

    interval = bucket_interval(interval)
    _check_multiple(interval, source if source is not None else interval_of_bars(bars))
    _check_not_cut(bars, wanted)
    time = pl.col(START).cast(pl.Int64)
    bars = bars.filter(within(wanted, time))
    buckets = Buckets.of(interval, span, first_of(bars, time))
    if not bars[START].is_sorted():
        bars = bars.sort(START, maintain_order=True)
    _check_whole(bars, buckets)
    opened, closed = pl.col("open").drop_nulls().first(), pl.col("close").drop_nulls().last()
    known = {
        "open": opened,
        "high": pl.col("high").max(),
        "low": pl.col("low").min(),
        "close": closed,
        "volume": pl.col("volume").sum(),
        "open_timestamp": pl.col("open_timestamp").drop_nulls().first(),
        "close_timestamp": pl.col("close_timestamp").drop_nulls().last(),
        "vwap": weighted(pl.col("vwap"), pl.col("volume")),
        COUNT: pl.col(COUNT).sum(),
    }
    found = bars.group_by([*contract_of(bars), buckets.start(time).alias(START)]).agg(
        expression.alias(name) for name, expression in known.items() if name in bars.columns
    )
    if include_empty_buckets is False:
        found = found.filter(pl.col("open").is_not_null())
    elif include_empty_buckets:
        found = filled(found, buckets, span, last_of(bars, time))
    return finished(found, buckets).select(
        name for name in bars.columns if name in (START, END, CONTRACT) or name in known
    )


def vwap(bars: pl.DataFrame, span: TimeRange) -> float | None:
    """The volume-weighted average price of candles, or None where nothing traded.

    Raises:
        TrayportValidationError: The candles have no `vwap`, belong to several contracts, or the
            range cuts one that has trades.
    """
    import polars as pl

    if "vwap" not in bars.columns:
        raise TrayportValidationError(
            "the candles have no column vwap, which their average is made of",
            parameter="optional_fields",
            limit="vwap",
            suggestion='ask for the candles with optional_fields=["vwap"]',
        )
    one_contract(bars)
    _check_not_cut(bars, span)
    inside = bars.filter(within(span, pl.col(START).cast(pl.Int64)))
    average: float | None = inside.select(weighted(pl.col("vwap"), pl.col("volume"))).item()
    return average


def interval_of_bars(bars: pl.DataFrame) -> Interval | None:
    """The length of candles, as the longest one shows; None for none."""
    import polars as pl

    length = pl.col(END).cast(pl.Int64) - pl.col(START).cast(pl.Int64)
    longest = bars.select(pl.col(START, END).cast(pl.Int64).sort_by(length).last()).row(0)
    return None if longest[0] is None else interval_between(*longest)


def _check_multiple(interval: Interval, source: Interval | None) -> None:
    if source is not None and not is_multiple(interval, source):
        raise TrayportValidationError(
            f"interval {interval} is no multiple of {source}, the interval of the candles",
            parameter="interval",
            limit=f"multiples of {source}",
            suggestion="use a multiple of it, or ask the service for that interval",
        )


def _check_not_cut(bars: pl.DataFrame, span: TimeRange) -> None:
    """Refuses a range that has a part of a candle with trades."""
    import polars as pl

    start, end = pl.col(START).cast(pl.Int64), pl.col(END).cast(pl.Int64)
    for name, edge in (("from_", span.start), ("until", span.end)):
        if edge is None:
            continue
        cut = bars.filter((start < edge) & (end > edge), pl.col("open").is_not_null())
        if cut.height:
            raise TrayportValidationError(
                f"{name} lies within the candle {_told(cut)}, of which no part is known",
                parameter=name,
                limit="where candles start or end",
                suggestion="move it to an edge of the candle, or ask for shorter candles",
            )


def _check_whole(bars: pl.DataFrame, buckets: Buckets) -> None:
    """Refuses candles that lie in two buckets."""
    import polars as pl

    start, end = pl.col(START).cast(pl.Int64), pl.col(END).cast(pl.Int64)
    cut = bars.filter(end > buckets.after(buckets.start(start)))
    if cut.height:
        raise TrayportValidationError(
            f"interval {buckets.interval} cuts the candle {_told(cut)}",
            parameter="interval",
            limit="buckets of whole candles",
            suggestion="use another multiple, or ask for candles that start where its buckets do",
        )


def _told(bars: pl.DataFrame) -> str:
    import polars as pl

    start, end = bars.select(pl.col(START, END).cast(pl.Int64)).row(0)
    return f"{to_text(start)} to {to_text(end)}"
