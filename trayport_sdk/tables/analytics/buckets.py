"""The grid of buckets of time that candles stand on.

Seconds, minutes and hours count in multiples from midnight UTC, days start at midnight and months
on the first; several days or months count from the start of a range [assumed], and the end of the
range cuts the last of those short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from ...errors import TrayportValidationError
from ...query.times import DAY, EPOCH, SECOND, Interval, TimeRange, interval_of

if TYPE_CHECKING:
    import polars as pl

_SHORTEST_MONTH = 28 * DAY
_UNITS = (("day", DAY), ("hour", 3600 * SECOND), ("minute", 60 * SECOND), ("second", SECOND))


def bucket_interval(value: Interval | str) -> Interval:
    """The interval of an argument, if buckets of it fit into days.

    Raises:
        TrayportValidationError: It is no interval, or counts seconds, minutes or hours of which a
            day is no multiple.

    Example:
        >>> bucket_interval("15m")
        Interval(count=15, unit=<IntervalUnit.MINUTE: 'minute'>)
    """
    interval = interval_of(value)
    length = interval.length
    if length is not None and length % DAY and DAY % length:
        raise TrayportValidationError(
            f"interval {interval} does not divide a day, which buckets are counted in",
            parameter="interval",
            limit="a divisor of 1d, whole days or whole months",
            suggestion="use one such as 15m, 1h, 4h, 1d, 7d or 1mo",
        )
    return interval


def interval_between(start: int, end: int) -> Interval | None:
    """The interval of a bucket, from its edges: whole months if it looks like that.

    Example:
        >>> day = 86_400_000_000_000
        >>> str(interval_between(0, 31 * day)), str(interval_between(0, 7 * day))
        ('1mo', '7d')
    """
    if end - start >= _SHORTEST_MONTH:
        first, last = _date(start), _date(end)
        if first[2:] == last[2:] == (1, 0):
            return Interval((last[0] - first[0]) * 12 + last[1] - first[1], "month")
    for unit, length in _UNITS:
        if end > start and (end - start) % length == 0:
            return Interval((end - start) // length, unit)
    return None


def _date(instant: int) -> tuple[int, int, int, int]:
    """Year, month, day, and the nanoseconds after midnight."""
    date = type(EPOCH).fromtimestamp(instant // DAY * DAY // SECOND, EPOCH.tzinfo)
    return date.year, date.month, date.day, instant % DAY


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


@frozen
class Buckets:
    """The buckets of an interval, over a range of time.

    Attributes:
        interval: Their length.
        origin: Where the first one starts, if they are of several days or months.
        end: Where the last one is cut off, if they are of several days or months.
    """

    interval: Interval
    origin: int
    end: int | None

    @classmethod
    def of(cls, interval: Interval, span: TimeRange, first: int | None) -> Buckets:
        """The buckets of a range; an open start is the first time that there is."""
        start = span.start if span.start is not None else first or 0
        return cls(interval, start - start % DAY, span.end)

    @property
    def _is_counted(self) -> bool:
        """Whether they count from the start of the range."""
        length = self.interval.length
        return self.interval.count > 1 if length is None else length > DAY

    def start(self, time: pl.Expr) -> pl.Expr:
        """The starts of the buckets that times lie in; both are integers."""
        if self.interval.length is not None:
            return time - (time - (self.origin if self._is_counted else 0)) % self.interval.length
        months = _months(time)
        return _firsts(months - (months - _months(_literal(self.origin))) % self.interval.count)

    def after(self, start: pl.Expr) -> pl.Expr:
        """The ends of the buckets that start there."""
        import polars as pl

        if self.interval.length is not None:
            after = start + self.interval.length
        else:
            after = _firsts(_months(start) + self.interval.count)
        if self._is_counted and self.end is not None:
            return (
                pl.when(start < self.end).then(pl.min_horizontal(after, self.end)).otherwise(after)
            )
        return after

    def starts(self, start: int, end: int) -> pl.Series:
        """The starts of all buckets that have a part of `[start, end)`."""
        import polars as pl

        if end <= start:
            return pl.Series("start", [], dtype=pl.Int64)
        first = self.start(_literal(start))
        if self.interval.length is not None:
            starts = pl.int_range(first, end, self.interval.length)
        else:
            # The last instant of the range: a bucket that would start at its end has no part of it.
            last = _months(_literal(end - 1)) + 1
            starts = _firsts(pl.int_range(_months(first), last, self.interval.count))
        return pl.select(starts.alias("start")).to_series()


def _literal(value: Any) -> pl.Expr:
    import polars as pl

    return pl.lit(value, dtype=pl.Int64)


def _months(time: pl.Expr) -> pl.Expr:
    """The number of the month, counted through the years."""
    import polars as pl

    date = time.cast(pl.Datetime("ns"))
    return date.dt.year().cast(pl.Int64) * 12 + date.dt.month().cast(pl.Int64) - 1


def _firsts(months: pl.Expr) -> pl.Expr:
    """The starts of months that are counted through the years."""
    import polars as pl

    return pl.date(months // 12, months % 12 + 1, 1).cast(pl.Datetime("ns")).cast(pl.Int64)
