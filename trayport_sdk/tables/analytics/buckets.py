"""The buckets of time that candles stand for, on the clock of UTC or of another zone."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from ...errors import TrayportValidationError, invalid
from ...query.times import DAY, EPOCH, SECOND, Interval, TimeRange, interval_of
from ..convert import check_zone

_MICROSECOND = 1000
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
_LONGEST_MONTH = 31
_AROUND = 2  # days: clocks are less than that from UTC


@frozen
class Clock:
    """When days start: at a time of day in a zone.

    Attributes:
        zone: The name of the zone.
        day_start: The time of day, in nanoseconds after midnight.
    """

    zone: str = "UTC"
    day_start: int = 0

    @classmethod
    def of(cls, tz: str | ZoneInfo | None, day_start: str | time | None) -> Clock:
        """The clock of the arguments `tz` and `day_start`.

        Raises:
            TrayportValidationError: There is no such zone or time of day.

        Example:
            >>> Clock.of("Europe/Amsterdam", "06:00").day_start // 3_600_000_000_000
            6
        """
        zone = "UTC" if tz is None else str(tz) if isinstance(tz, ZoneInfo) else tz
        check_zone(zone)
        at = time() if day_start is None else time_of_day(day_start, "day_start")
        since = timedelta(
            hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond
        )
        return cls(zone, since // timedelta(microseconds=1) * _MICROSECOND)

    def starts(self, dates: pl.Series) -> pl.Series:
        """The instants when days start, in nanoseconds.

        Of a time that the clock shows twice it is the first; one that it skips is as far from the
        day before as it would be if nothing were skipped.
        """
        return self._days(dates).get_column("start")

    def date(self, times: pl.Expr) -> pl.Expr:
        """The dates of the days that times lie in."""
        return times.map_batches(self._dates, return_dtype=pl.Date, is_elementwise=True)

    def _dates(self, times: pl.Series) -> pl.Series:
        instants = times.dt.timestamp("ns")
        first, last = instants.min(), instants.max()
        if not isinstance(first, int) or not isinstance(last, int):  # there is no time
            return pl.Series(times.name, [None], dtype=pl.Date).new_from_index(0, len(times))
        around = timedelta(days=_AROUND)
        days = self._days(pl.date_range(_date(first) - around, _date(last) + around, eager=True))
        places = days.get_column("start").search_sorted(instants.fill_null(first), side="right")
        dates = days.get_column("date").gather(places - 1)
        return dates.set(instants.is_null(), None).alias(times.name)

    def _days(self, dates: pl.Series) -> pl.DataFrame:
        midnights = dates.cast(pl.Datetime("ns")).cast(pl.Int64)
        starts = self._instants(midnights + self.day_start)
        starts = starts.fill_null(self._instants(midnights + self.day_start - DAY) + DAY)
        # A zone that moves over the date line may have no day of a date.
        days = pl.DataFrame({"date": dates, "start": starts})
        return days.unique("start", keep="last", maintain_order=True)

    def _instants(self, local: pl.Series) -> pl.Series:
        times = local.cast(pl.Datetime("ns")).dt
        known = times.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")
        return known.cast(pl.Int64)


def time_of_day(value: str | time, parameter: str) -> time:
    """The time of day of an argument, as a value or as text, HH:MM or HH:MM:SS.

    Raises:
        TrayportValidationError: It is none.
    """
    parsed = value if isinstance(value, time) else None
    # Of ISO-8601's other forms some are easily mistyped: 16.15 is nine minutes past four.
    if isinstance(value, str) and _TIME_OF_DAY.fullmatch(value):
        parsed = time.fromisoformat(value)
    if parsed is None or parsed.tzinfo is not None:
        suggestion = 'write it like "06:00", midnight "00:00", and name the zone as tz'
        raise invalid(parameter, value, "is no time of day", suggestion, "00:00 to 23:59:59")
    return parsed


def bucket_interval(value: Interval | str) -> Interval:
    """The interval of an argument, if buckets of it fit into days.

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


@frozen
class Buckets:
    """The buckets of an interval, over a range of time.

    Attributes:
        length: Their length; None where they last from one edge to the next.
        origin: From where buckets of a length are counted, if there are no edges.
        edges: Where days, or groups of several days or months, start; buckets of a length are
            counted from each of them.
        end: Where the last one is cut off, if they are of several days or months.
    """

    length: int | None
    origin: int
    edges: pl.Series | None
    end: int | None

    @classmethod
    def of(
        cls,
        interval: Interval,
        clock: Clock,
        span: TimeRange,
        first: int | None = None,
        last: int | None = None,
    ) -> Buckets:
        """The buckets of a range, an open end of which is the first or last time that there is."""
        start = span.start if span.start is not None else first or 0
        end = max(start, last or 0, span.end or 0) + 1
        length = interval.length
        several = interval.count > 1 if length is None else length > DAY
        cut = span.end if several else None
        if clock.zone == "UTC" and length is not None:
            # Days of the same length need no edges.
            day = start - (start - clock.day_start) % DAY
            return cls(length, day if several else clock.day_start, None, cut)
        edges = _edges(interval, clock, start, end)
        return cls(None if length is None or length >= DAY else length, 0, edges, cut)

    def start(self, time: pl.Expr) -> pl.Expr:
        """The starts of the buckets that times lie in; both are integers."""
        edge = pl.lit(self.origin) if self.edges is None else self._edge(time, 0)
        return edge if self.length is None else time - (time - edge) % self.length

    def after(self, start: pl.Expr) -> pl.Expr:
        """The ends of the buckets that start there."""
        ends = [] if self.length is None else [start + self.length]
        if self.edges is not None:
            ends.append(self._edge(start, 1))
        after = pl.min_horizontal(ends)
        if self.end is None:
            return after
        return pl.when(start < self.end).then(pl.min_horizontal(after, self.end)).otherwise(after)

    def _edge(self, time: pl.Expr, further: int) -> pl.Expr:
        """The edge before times, or one that is so many further."""
        edges = pl.lit(self.edges)
        return edges.gather(edges.search_sorted(time, side="right") - 1 + further)

    def starts(self, start: int, end: int) -> pl.Series:
        """The starts of all buckets that have a part of `[start, end)`."""
        if end <= start:
            return pl.Series("start", [], dtype=pl.Int64)
        if self.edges is None:
            first = self.start(pl.lit(start, dtype=pl.Int64))
            starts = pl.select(pl.int_range(first, end, self.length or DAY)).to_series()
        elif self.length is None:
            starts = self.edges[:-1]
        else:
            starts = pl.int_ranges(self.edges[:-1], self.edges[1:], self.length, eager=True)
            starts = starts.explode()
        frame = starts.alias("start").to_frame()
        inside = (self.after(pl.col("start")) > start) & (pl.col("start") < end)
        return frame.filter(inside).to_series()


def _edges(interval: Interval, clock: Clock, start: int, end: int) -> pl.Series:
    """Where days, or groups of several days or months, start; `start` lies in the first of them."""
    if interval.length is None:
        step, count, longest = "1mo", interval.count, _LONGEST_MONTH
    else:
        step, count, longest = "1d", max(1, interval.length // DAY), 1
    # Clocks are less than two days from UTC.
    first = _date(start) - timedelta(days=longest + 1)
    last = _date(end) + timedelta(days=longest * (count + 1) + 1)
    dates = pl.date_range(first.replace(day=1) if longest > 1 else first, last, step, eager=True)
    starts = clock.starts(dates)
    return starts[starts.search_sorted(start, side="right") - 1 :: count]


def _date(instant: int) -> date:
    return (EPOCH + timedelta(seconds=instant // SECOND)).date()
