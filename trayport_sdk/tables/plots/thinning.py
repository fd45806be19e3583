"""Fewer rows for a chart: the extremes stay, and candles become longer ones."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import SupportsIndex

import polars as pl

from ...errors import invalid, not_whole
from ...query.plan import counted
from ...query.times import DAY, SECOND
from ..analytics import ohlcv

MAX_POINTS, MAX_CANDLES = 5_000, 300
_MINUTE, _HOUR = 60 * SECOND, 3600 * SECOND
_LENGTHS = (
    *(n * SECOND for n in (5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 4, 6, 12)),
    *(n * DAY for n in (1, 7, 28)),
)


def thinned(
    frame: pl.DataFrame,
    time: str,
    values: Sequence[str],
    most: SupportsIndex | None = None,
    by: str | None = None,
) -> pl.DataFrame:
    """At most so many rows, in their order.

    Time is divided into equal buckets. Of each stay the first and the last row, those with the
    least and the greatest value, and one where a value is missing, so that gaps stay.

    Args:
        frame: The rows, in order of time.
        time: The column of their time.
        values: The columns whose extremes stay.
        most: How many rows there may be; 5,000 when it is left out.
        by: The column that tells rows apart which do not belong together.

    Raises:
        TrayportValidationError: The number is not whole, or too small for a bucket.
    """
    most = _limit(most, MAX_POINTS)
    if frame.height <= most:
        return frame
    row, place = "_row", pl.col("_row")
    picks = [place.first(), place.last()]
    for value in map(pl.col, values):
        picks += [place.filter(value == end).first() for end in (value.min(), value.max())]
    picks += [
        place.filter(pl.col(value).is_null()).first()
        for value in values
        if frame[value].null_count()
    ]
    groups = frame[by].n_unique() if by else 1
    buckets = most // (len(picks) * groups)
    if not buckets:
        raise _too_few(most, len(picks) * groups)
    instant = pl.col(time).cast(pl.Int64)
    first, last = frame.select(instant.min(), instant.max().alias("last")).row(0)
    bucket = (instant - first) // ((last - first) // buckets + 1)
    rows = (
        frame.with_row_index(row)
        .group_by([bucket.alias("_bucket"), *([by] if by else [])])
        .agg(pl.concat_list(picks).list.explode().alias(row))
    )
    kept = rows[row].explode().drop_nulls().unique().sort()
    return frame[kept]


def merged(
    bars: pl.DataFrame, most: SupportsIndex | None = None, by: str | None = None
) -> tuple[pl.DataFrame, str]:
    """At most so many candles, and how long each then is, in words; no words if they stay.

    Args:
        bars: The candles, in order of time.
        most: How many there may be; 300 when it is left out.
        by: The column that tells candles apart which do not belong together.

    Raises:
        TrayportValidationError: The number is not whole, or too small.
    """
    most = _limit(most, MAX_CANDLES)
    if bars.height <= most:
        return bars, ""
    groups = bars[by].n_unique() if by else 1
    if groups > most:
        raise _too_few(most, groups)
    start, end = (pl.col(name).cast(pl.Int64) for name in (ohlcv.START, ohlcv.END))
    # A day may be an hour longer or shorter than the others.
    first, usual = bars.select(start.min(), (end - start).quantile(0.5, "nearest")).row(0)
    width = part = int(usual)
    keys = [by] if by else []
    while True:
        width = next((n for n in _LENGTHS if n > width and not n % part), 2 * width)
        origin = first - (first % width if not DAY % width else 0)
        # Half a candle to the left: where the clock changes, local days start an hour off.
        bucket = ((start - origin + part // 2) // width).alias("_bucket")
        if bars.select(bucket, *keys).n_unique() <= most:
            break
    edges = [pl.col(ohlcv.START).min(), pl.col(ohlcv.END).max()]
    longer = (
        bars.group_by([bucket, *keys], maintain_order=True)
        .agg(*edges, *ohlcv.merging(bars.columns))
        .sort(ohlcv.START, maintain_order=True)
    )
    length = ohlcv.interval_between(0, width)
    return longer.drop("_bucket"), f"{length}" if length else f"{width / SECOND:g} s"


def _limit(most: SupportsIndex | None, default: int) -> int:
    if most is None:
        return default
    try:
        limit = 0 if isinstance(most, bool) else operator.index(most)
    except TypeError:
        limit = 0
    if limit < 1:
        raise not_whole("max_points", most)
    return limit


def _too_few(most: int, least: int) -> Exception:
    reason = f"is too small: {counted(least, 'point')} show the extremes of these rows once"
    return invalid("max_points", most, reason, f"give {least} or more", f"from {least}")
