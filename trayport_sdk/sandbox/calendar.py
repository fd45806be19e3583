"""Business days and trading hours."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from attrs import frozen

from trayport_sdk.sandbox.noise import I64

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


def easter_sunday(year: int) -> dt.date:
    """Gregorian Easter by the century, epact and Sunday corrections."""
    golden = year % 19
    century = year // 100
    moon_shift = (8 * century + 13) // 25
    epact = (19 * golden + century - century // 4 - moon_shift + 15) % 30
    epact -= (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    return dt.date(year, 3, 28) + dt.timedelta(days=epact - weekday)


def holidays_of(year: int) -> tuple[dt.date, ...]:
    """The days on which all the exchanges are closed."""
    easter = easter_sunday(year)
    return (
        dt.date(year, 1, 1),
        easter - dt.timedelta(days=2),
        easter + dt.timedelta(days=1),
        dt.date(year, 12, 25),
        dt.date(year, 12, 26),
    )


@lru_cache(maxsize=1)
def _busday_calendar() -> np.busdaycalendar:
    days = [day for year in _HOLIDAY_YEARS for day in holidays_of(year)]
    return np.busdaycalendar(holidays=np.array(days, "datetime64[D]"))


def are_business_days(days: I64) -> npt.NDArray[np.bool_]:
    dates = days.astype("datetime64[D]")
    return np.asarray(np.is_busday(dates, busdaycal=_busday_calendar()), np.bool_)


def is_business_day(day: int) -> bool:
    return bool(are_business_days(np.array([day], np.int64))[0])


def business_days_before(days: I64, count: int) -> I64:
    """The business day `count` business days before each of the days, counted from outside."""
    dates = days.astype("datetime64[D]")
    moved = np.busday_offset(dates, -count, roll="forward", busdaycal=_busday_calendar())
    return np.asarray(moved).astype("datetime64[D]").astype(np.int64)


@frozen
class Session:
    """Continuous trading hours of a market, by the clock on its wall."""

    zone: str
    opens: int
    closes: int

    def bounds(self, day: int) -> tuple[int, int]:
        """Opening (inclusive) and closing (exclusive) of a UTC day, in nanoseconds UTC."""
        return _bounds(self.zone, self.opens, self.closes, day)


@lru_cache(maxsize=65_536)
def _bounds(zone: str, opens: int, closes: int, day: int) -> tuple[int, int]:
    date = date_of(day)
    clock = ZoneInfo(zone)
    first, last = (
        int(dt.datetime(date.year, date.month, date.day, hour, tzinfo=clock).timestamp()) * SECOND
        for hour in (opens, closes)
    )
    return first, last


EUROPE = Session("Europe/Amsterdam", 8, 18)
LONDON = Session("Europe/London", 7, 18)
NEW_YORK = Session("America/New_York", 8, 17)
SINGAPORE = Session("Asia/Singapore", 9, 18)
TOKYO = Session("Asia/Tokyo", 9, 17)
