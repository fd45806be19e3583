"""A time axis on the clock of a zone.

Vega knows UTC and the zone of the browser alone. So points stand where they are in UTC, and the
ticks are put at round times of the zone and carry its clock as text. A day on which the clock
changes has its 23 or 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from ...query.times import DAY, EPOCH, SECOND

MILLISECOND = SECOND // 1000
_MOST = 10
_QUARTER = 900  # of an hour, in seconds
_MINUTE, _HOUR = 60, 3600
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 4, 6, 12)),
)
_DAYS, _MONTHS = (1, 2, 7, 14), (1, 2, 3, 6)
_MONTH, _YEAR = 30, 365


@frozen
class TimeAxis:
    """A range of time, in nanoseconds, as a zone sees it."""

    start: int
    end: int
    zone: str

    @classmethod
    def over(cls, zone: str, *times: pl.Series) -> TimeAxis | None:
        """The axis from the first of some times to the last; None without any."""
        ends = [end.cast(pl.Int64) for end in times if end.len() > end.null_count()]
        if not ends:
            return None
        known = pl.concat([end.rename("time") for end in ends])
        first, last = known.min(), known.max()
        assert isinstance(first, int)  # noqa: S101
        assert isinstance(last, int)  # noqa: S101
        return cls(first, last, zone)

    def text(self) -> str:
        """The range in words, to the second."""
        return " to ".join(clock_text(end, self.zone) for end in (self.start, self.end))

    def ticks(self) -> dict[int, str]:
        """Where the ticks stand, in milliseconds since 1970-01-01 UTC, and what they say."""
        first, last = -(-self.start // SECOND), self.end // SECOND
        length = last - first
        step = next((n for n in _STEPS if length <= n * _MOST), None)
        found = self._by_clock(first, last, step) if step else self._by_date(first, last)
        ticks = {int(time.timestamp() * 1000): label for time, label in found}
        return ticks or {first * 1000: f"{_local(first, self.zone):%H:%M:%S}"}

    def _by_clock(self, first: int, last: int, step: int) -> Iterator[tuple[datetime, str]]:
        """The times whose clock shows whole steps since midnight."""
        grid = min(step, _QUARTER)  # clocks are whole quarters of an hour from UTC
        for second in range(-(-first // grid) * grid, last + 1, grid):
            time = _local(second, self.zone)
            since = time.hour * _HOUR + time.minute * _MINUTE + time.second
            if since == 0:
                yield time, _day(time)
            elif since % step == 0:
                yield time, f"{time:%H:%M:%S}" if step < _MINUTE else f"{time:%H:%M}"

    def _by_date(self, first: int, last: int) -> Iterator[tuple[datetime, str]]:
        """Midnights: of every so many days, of the first of months, or of years."""
        days = (last - first) * SECOND // DAY + 1
        every = next((n for n in _DAYS if days <= n * _MOST), None)
        months = next((n for n in _MONTHS if days <= n * _MOST * _MONTH), 12)
        years = -(-days // (_YEAR * _MOST)) if months == 12 else 1
        date = _local(first, self.zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        while date.timestamp() <= last:
            if every:
                wanted = date.toordinal() % every == (1 if every % 7 == 0 else 0)
            else:
                wanted = date.day == 1 and not (date.month - 1) % months and not date.year % years
            if wanted and date.timestamp() >= first:
                yield date, _day(date) if every else _month(date)
            date += timedelta(days=1)


def clock_text(instant: int, zone: str) -> str:
    """What the clock of a zone shows at an instant, in nanoseconds, to the second.

    Example:
        >>> clock_text(1_709_532_000_000_000_000, "Europe/Amsterdam")
        '2024-03-04 07:00:00'
    """
    return f"{_local(instant // SECOND, zone):%Y-%m-%d %H:%M:%S}"


def _local(second: int, zone: str) -> datetime:
    return (EPOCH + timedelta(seconds=second)).astimezone(ZoneInfo(zone))


def _day(time: datetime) -> str:
    return f"{time.day} {time:%b}"


def _month(time: datetime) -> str:
    return f"{time:%Y}" if time.month == 1 else f"{time:%b %Y}"
