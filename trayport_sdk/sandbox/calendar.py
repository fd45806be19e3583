"""Business days and trading hours, in UTC day numbers and nanoseconds."""

import datetime as dt
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from attrs import frozen

from .noise import I64, Bools

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

FIRST_YEAR = 2005
LAST_YEAR = 2050
# Trading windows reach some years back from the first delivery, and expiry is counted from
# deliveries after the last year's end.
_HOLIDAY_YEARS = range(FIRST_YEAR - 15, LAST_YEAR + 3)
_EPOCH = dt.date(1970, 1, 1)


def day_number(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def date_of(day: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=day)


def day_start(instant: int) -> int:
    return instant - instant % DAY


def easter_sunday(year: int) -> dt.date:
    """Gregorian Easter by the century, epact and Sunday corrections."""
    golden = year % 19
    century = year // 100
    moon_shift = (8 * century + 13) // 25
    epact = (19 * golden + century - century // 4 - moon_shift + 15) % 30
    epact -= (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    return dt.date(year, 3, 28) + dt.timedelta(days=epact - weekday)


@cache
def _calendar() -> np.busdaycalendar:
    """All exchanges are closed on New Year, Good Friday, Easter Monday and at Christmas."""
    closed: list[dt.date] = []
    for year in _HOLIDAY_YEARS:
        closed += [dt.date(year, 1, 1), dt.date(year, 12, 25), dt.date(year, 12, 26)]
        closed += [easter_sunday(year) + dt.timedelta(days=days) for days in (-2, 1)]
    return np.busdaycalendar(holidays=np.array(closed, "datetime64[D]"))


def are_business_days(days: I64) -> Bools:
    dates = days.astype("datetime64[D]")
    return np.asarray(np.is_busday(dates, busdaycal=_calendar()), np.bool_)


def business_days_before(days: I64, count: int) -> I64:
    """The business day `count` business days before each of the days, counted from outside."""
    dates = days.astype("datetime64[D]")
    moved = np.busday_offset(dates, -count, roll="forward", busdaycal=_calendar())
    return np.asarray(moved).astype("datetime64[D]").astype(np.int64)


@frozen
class Session:
    """Continuous trading hours of a market in its local time."""

    zone: str
    opens: int
    closes: int

    def bounds(self, day: int) -> tuple[int, int]:
        """Opening (inclusive) and closing (exclusive) on a UTC day, in nanoseconds UTC."""
        return _bounds(self, day)


@lru_cache(maxsize=65_536)
def _bounds(session: Session, day: int) -> tuple[int, int]:
    date, zone = date_of(day), ZoneInfo(session.zone)
    first, last = (
        int(dt.datetime(date.year, date.month, date.day, hour, tzinfo=zone).timestamp()) * SECOND
        for hour in (session.opens, session.closes)
    )
    return first, last
