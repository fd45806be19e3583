"""Candles made of trades, or of shorter candles.

They stand on a grid of buckets: seconds, minutes and hours count in multiples from the start of a
day, which is midnight UTC unless a zone or a time is given, and months from the first; several days
or months count from the start of a range [assumed], and its end cuts the last of those short.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import polars as pl
from trayport_spec import ENDPOINTS

from ...errors import TrayportValidationError
from ...query.build import chosen_options
from ...query.plan import CONTRACT
from ...query.times import DAY, EPOCH, SECOND, Interval, TimeRange, UnitName, to_text
from ..decode.schema import RequestedColumns
from .buckets import Buckets, Clock, bucket_interval

CANDLES = ENDPOINTS["get_ohlcv"]
START, END, COUNT = "from_timestamp", "to_timestamp", "trade_count"
BUY, SELL = "buy_volume", "sell_volume"
AMOUNTS = ("volume", COUNT, BUY, SELL)
"""What is 0 where nothing traded, and not unknown."""

_TIME = pl.Datetime("ns", "UTC")
_SHORTEST_MONTH = 28 * DAY
_UNITS: tuple[tuple[UnitName, int], ...] = (
    ("day", DAY),
    ("hour", 3600 * SECOND),
    ("minute", 60 * SECOND),
    ("second", SECOND),
)
_START, _END = pl.col(START).cast(pl.Int64), pl.col(END).cast(pl.Int64)


def candles(
    trades: pl.DataFrame,
    interval: Interval | str,
    span: TimeRange,
    clock: Clock,
    *,
    include_empty_buckets: bool = False,
    optional_fields: Sequence[str] = (),
) -> pl.DataFrame:
    """Candles of trades, with the columns that the service gives, and the number of trades."""
    fields = chosen_options(CANDLES, optional_fields=optional_fields).optional_fields
    price, quantity, time = pl.col("price"), pl.col("quantity"), pl.col("deal_date")
    rows = by_bucket(
        trades,
        interval,
        span,
        clock,
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
    names = [c.python_name for c in filter(RequestedColumns(fields, ()), CANDLES.row)]
    return rows.select(*names, COUNT, *_contract(trades))


def by_bucket(
    trades: pl.DataFrame,
    interval: Interval | str,
    span: TimeRange,
    clock: Clock,
    sums: Mapping[str, pl.Expr],
    *,
    include_empty_buckets: bool,
) -> pl.DataFrame:
    """What trades add up to in each bucket of time, by contract if the rows have one.

    Args:
        trades: The trades.
        interval: The length of a bucket.
        span: The trades that count.
        clock: When days start.
        sums: What is wanted, by column, of trades in order of time.
        include_empty_buckets: Whether every bucket of the range has a row.
    """
    interval = bucket_interval(interval)
    time = pl.col("deal_date").cast(pl.Int64)
    # Lenient decoding makes nulls of times, which lie in no bucket.
    inside = trades.filter(within(span, time) & time.is_not_null())
    if not inside["deal_date"].is_sorted():
        inside = inside.sort("deal_date", maintain_order=True)
    ends = inside.select(first=time.min(), last=time.max()).row(0)
    buckets = Buckets.of(interval, clock, span, *ends)
    rows = inside.group_by([*_contract(trades), buckets.start(time).alias(START)]).agg(
        value.alias(name) for name, value in sums.items()
    )
    if include_empty_buckets:
        rows = _filled(rows, buckets, span, ends[1])
    return _finished(rows, buckets)


def resampled(
    bars: pl.DataFrame,
    interval: Interval | str,
    wanted: TimeRange,
    span: TimeRange,
    clock: Clock,
    *,
    source: Interval | None,
    include_empty_buckets: bool | None = None,
) -> pl.DataFrame:
    """Longer candles, made of whole shorter ones.

    Args:
        bars: The candles, with `vwap`, `trade_count` and the rest if they have them.
        interval: The length of the longer candles.
        wanted: The range of the candles that count.
        span: The range of the longer candles.
        clock: When their days start.
        source: The length of the candles, if it is known.
        include_empty_buckets: Whether a bucket without trades has a row; None keeps those that have
            a row now.
    """
    interval = bucket_interval(interval)
    source = source or interval_of_bars(bars)
    if source is not None and not is_multiple(interval, source):
        raise TrayportValidationError(
            f"interval {interval} is no multiple of {source}, the interval of the candles",
            parameter="interval",
            limit=f"multiples of {source}",
            suggestion="use a multiple of it, or ask the service for that interval",
        )
    _check_not_cut(bars, wanted)
    bars = bars.filter(within(wanted, _START))
    ends = bars.select(first=_START.min(), last=_START.max()).row(0)
    buckets = Buckets.of(interval, clock, span, *ends)
    if not bars[START].is_sorted():
        bars = bars.sort(START, maintain_order=True)
    cut = bars.filter(buckets.after(buckets.start(_START)) < _END)
    if cut.height:
        raise TrayportValidationError(
            f"interval {interval} cuts the candle {_name(cut)}",
            parameter="interval",
            limit="buckets of whole candles",
            suggestion="use another multiple, or the tz and day_start of the candles",
        )
    longer = bars.group_by([*_contract(bars), buckets.start(_START).alias(START)]).agg(
        merging(bars.columns)
    )
    if include_empty_buckets is False:
        longer = longer.filter(pl.col("open").is_not_null())
    elif include_empty_buckets:
        longer = _filled(longer, buckets, span, ends[1])
    names = {END, *longer.columns}
    return _finished(longer, buckets).select(name for name in bars.columns if name in names)


def merging(columns: Container[str]) -> list[pl.Expr]:
    """How the columns of shorter candles, in order of time, make up those of a longer one."""
    sums = {
        "open": pl.col("open").drop_nulls().first(),
        "high": pl.col("high").max(),
        "low": pl.col("low").min(),
        "close": pl.col("close").drop_nulls().last(),
        "volume": pl.col("volume").sum(),
        "open_timestamp": pl.col("open_timestamp").drop_nulls().first(),
        "close_timestamp": pl.col("close_timestamp").drop_nulls().last(),
        "vwap": weighted(pl.col("vwap"), pl.col("volume")),
        COUNT: pl.col(COUNT).sum(),
    }
    return [value.alias(name) for name, value in sums.items() if name in columns]


def vwap_of_bars(bars: pl.DataFrame, span: TimeRange) -> float | None:
    """The volume-weighted average price of candles, or None where nothing traded."""
    if "vwap" not in bars.columns:
        raise TrayportValidationError(
            "the candles have no column vwap, which their average is made of",
            parameter="optional_fields",
            limit="vwap",
            suggestion='ask for the candles with optional_fields=["vwap"]',
        )
    one_contract(bars)
    _check_not_cut(bars, span)
    # In one chunk, as the last digit of a sum depends on where chunks end.
    inside = bars.filter(within(span, _START)).select("vwap", "volume").rechunk()
    average: float | None = inside.select(weighted(pl.col("vwap"), pl.col("volume"))).item()
    return average


def interval_of_bars(bars: pl.DataFrame) -> Interval | None:
    """The length of candles, as the longest one shows; None for none."""
    ends = (edge.sort_by(_END - _START).last() for edge in (_START, _END))
    start, end = bars.select(*ends).row(0)
    return None if start is None else interval_between(start, end)


def within(span: TimeRange, time: pl.Expr) -> pl.Expr:
    """Whether times, as integers, lie in a range."""
    inside = pl.lit(value=True)
    if span.start is not None:
        inside &= time >= span.start
    if span.end is not None:
        inside &= time < span.end
    return inside


def weighted(price: pl.Expr, volume: pl.Expr) -> pl.Expr:
    """The average price by volume; not known where a part is not, null without volume."""
    is_known = ((price * volume).is_not_null() | (volume == 0)).all() & (volume.sum() > 0)
    return pl.when(is_known).then((price * volume).sum() / volume.sum())


def one_contract(table: pl.DataFrame) -> None:
    """Refuses a table of several contracts, whose prices do not go together."""
    count = table[CONTRACT].n_unique() if CONTRACT in table.columns else 1
    if count > 1:
        raise TrayportValidationError(
            f"the table has {count} contracts, whose prices and volumes do not go together",
            parameter=CONTRACT,
            limit="1",
            suggestion="pick one with of_contract(...), or sum up by interval, one by one",
        )


def _contract(table: pl.DataFrame) -> list[str]:
    """The column of the contract, if there is one."""
    return [CONTRACT] if CONTRACT in table.columns else []


def _filled(
    rows: pl.DataFrame, buckets: Buckets, span: TimeRange, last: int | None
) -> pl.DataFrame:
    """The candles, with a row for every bucket of the range and every contract."""
    start = span.start if span.start is not None else rows.select(pl.col(START).min()).item()
    end = span.end if span.end is not None else None if last is None else last + 1
    if start is None or end is None:
        return rows
    grid = buckets.starts(start, end).alias(START).to_frame()
    keys = _contract(rows)
    if keys:
        grid = rows.select(keys).unique(maintain_order=True).join(grid, how="cross")
    filled = grid.join(rows, on=[*keys, START], how="left", nulls_equal=True)
    return filled.with_columns(
        pl.col(name).fill_null(0) for name in filled.columns if name in AMOUNTS
    )


def _finished(rows: pl.DataFrame, buckets: Buckets) -> pl.DataFrame:
    """The candles in order of time, with both edges as times."""
    start = pl.col(START)
    edges = rows.with_columns(start.cast(_TIME), buckets.after(start).cast(_TIME).alias(END))
    return edges.sort([START, *_contract(rows)], maintain_order=True)


def _check_not_cut(bars: pl.DataFrame, span: TimeRange) -> None:
    """Refuses a range that has a part of a candle with trades."""
    for name, edge in (("from_", span.start), ("until", span.end)):
        if edge is None:
            continue
        cut = bars.filter((edge > _START) & (edge < _END), pl.col("open").is_not_null())
        if cut.height:
            raise TrayportValidationError(
                f"{name} lies within the candle {_name(cut)}, of which no part is known",
                parameter=name,
                limit="where candles start or end",
                suggestion="move it to an edge of the candle, or ask for shorter candles",
            )


def check_not_cut_by(bars: pl.DataFrame, edges: Sequence[Clock]) -> None:
    """Refuses candles with trades that a time of day cuts."""
    traded = bars.filter(pl.col("open").is_not_null())
    last = (_END - 1).cast(_TIME)
    for edge in edges:
        days = traded.select(edge.date(start) for start in (pl.col(START), last.alias(END)))
        cut = traded.filter(days[START] != days[END])
        if cut.height:
            raise TrayportValidationError(
                f"a time of day where hours start or end lies within the candle {_name(cut)}",
                parameter="interval",
                limit="where candles start or end",
                suggestion="ask for shorter candles",
            )


def _name(bars: pl.DataFrame) -> str:
    start, end = bars.select(_START, _END).row(0)
    return f"{to_text(start)} to {to_text(end)}"


def interval_between(start: int, end: int) -> Interval | None:
    """The interval of a bucket, from its edges: whole months if it looks like that.

    Example:
        >>> day = 86_400_000_000_000
        >>> str(interval_between(0, 31 * day)), str(interval_between(0, 7 * day))
        ('1mo', '7d')
    """
    if end - start >= _SHORTEST_MONTH and not (start % DAY or end % DAY):
        first, last = (
            type(EPOCH).fromtimestamp(edge // SECOND, EPOCH.tzinfo) for edge in (start, end)
        )
        if first.day == last.day == 1:
            return Interval((last.year - first.year) * 12 + last.month - first.month, "month")
    for unit, length in _UNITS:
        if end > start and (end - start) % length == 0:
            return Interval((end - start) // length, unit)
    return None


def is_multiple(interval: Interval, part: Interval) -> bool:
    """Whether whole buckets of one interval make up those of another.

    Example:
        >>> is_multiple(Interval(1, "month"), Interval(4, "hour"))
        True
        >>> is_multiple(Interval(1, "month"), Interval(7, "day"))
        False
    """
    if part.length is None:
        return interval.length is None and interval.count % part.count == 0
    return (DAY if interval.length is None else interval.length) % part.length == 0
