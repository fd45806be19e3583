"""Instants and ranges, as exact nanoseconds since 1970-01-01 UTC.

The API reads ISO-8601 text without fractional seconds [documented]; text of lower precision means
the start of that unit, and no zone means UTC.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, Protocol, SupportsIndex, TypeAlias

from attrs import field, frozen
from trayport_api.models.interval_unit import IntervalUnit

from ..errors import TrayportValidationError, invalid, not_whole, unknown_value


class NumPyTime(Protocol):
    """The shape of a `numpy.datetime64`, so that NumPy is not needed for its type."""

    @property
    def dtype(self) -> Any:
        """The type of the scalar."""
        ...

    @property
    def ndim(self) -> Literal[0]:
        """Zero, since it is no array."""
        ...


TimeLike: TypeAlias = datetime | date | str | int | NumPyTime
"""A time: aware datetimes are converted, naive ones mean UTC, a date is its midnight in UTC.

Timestamps of pandas and NumPy are times as well. Whole numbers are nanoseconds since 1970-01-01 UTC
as models have them, from 10**17 on; smaller ones are refused, since they may be seconds.
"""

UnitName: TypeAlias = Literal["second", "minute", "hour", "day", "month"]
"""A unit of an `Interval`."""

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The letter of each unit, and its length where it always has the same.
_UNITS = {
    IntervalUnit.SECOND: ("s", SECOND),
    IntervalUnit.MINUTE: ("m", 60 * SECOND),
    IntervalUnit.HOUR: ("h", 3600 * SECOND),
    IntervalUnit.DAY: ("d", DAY),
    IntervalUnit.MONTH: ("mo", None),
}

LEAST_NANOSECONDS, MOST_NANOSECONDS = 10**17, 2**63 - 1
_RANGE = f"from 10**17 (in 1973) to {MOST_NANOSECONDS}"
FRACTION = "has fractional seconds, which the API does not take"
_EXAMPLE = "give text like 2024-03-04 or 2024-03-04T09:30:00Z (in code: or a date or datetime)"
_ISO = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"([T ](?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_PARTS = {"year": 0, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}


def instant(value: TimeLike, parameter: str) -> int:
    """The nanoseconds of a time of a request, which is of whole seconds.

    Args:
        value: A datetime, a date, ISO-8601 text of any precision down to the second, a timestamp
            of pandas or NumPy, or nanoseconds since 1970-01-01 UTC.
        parameter: The argument's name, for the error message.

    Raises:
        TrayportValidationError: The value is no time, lies before 1970, or has fractional seconds,
            which the API does not take.

    Example:
        >>> instant("2024-04", "from_") == instant("2024-04-01T02:00+02:00", "from_")
        True
    """
    nanoseconds = _nanoseconds(value, parameter)
    if nanoseconds % SECOND:
        whole = nanoseconds // SECOND * SECOND
        way_out = f"round it, as to {to_text(whole) if _whole_number(value) is None else whole}"
        raise invalid(parameter, value, FRACTION, way_out)
    return nanoseconds


def exact_instant(value: TimeLike, parameter: str) -> int:
    """The nanoseconds of a time as precise as a table has them.

    Requests take whole seconds only; what looks into a table takes any time.

    Args:
        value: A time as requests take them, with fractional seconds if it has some.
        parameter: The argument's name, for the error message.

    Raises:
        TrayportValidationError: The value is no time, or lies before 1970.

    Example:
        >>> exact_instant("2024-03-04T09:30:00.000000001Z", "at") % 1_000_000_000
        1
        >>> exact_instant(1709544600000000000, "at") == exact_instant("2024-03-04T09:30", "at")
        True
    """
    return _nanoseconds(value, parameter)


def _whole_number(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _nanoseconds(value: object, parameter: str) -> int:
    number = _whole_number(value)
    if number is not None:
        if LEAST_NANOSECONDS <= number <= MOST_NANOSECONDS:
            return number
        reason = "is not in the range of nanoseconds since 1970-01-01 UTC"
        way_out = "give text or a datetime; of seconds, datetime.fromtimestamp(seconds, UTC)"
        raise invalid(parameter, value, reason, way_out, _RANGE)
    if isinstance(value, datetime) and value != value:  # the missing time of pandas
        raise invalid(parameter, value, "is not a time", "leave it out, or give a time")
    try:
        if isinstance(value, datetime):
            moment, rest = _in_utc(value), getattr(value, "nanosecond", 0)
        elif isinstance(value, date):
            moment, rest = datetime(value.year, value.month, value.day, tzinfo=UTC), 0
        else:
            moment, rest = _parsed(value, parameter)
    except TrayportValidationError:
        raise
    except (ValueError, OverflowError) as error:
        raise invalid(parameter, value, f"is not a time ({error})", _EXAMPLE) from error
    if moment < EPOCH:
        raise invalid(parameter, value, "lies before 1970", "give a later time")
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000 + rest


def _in_utc(value: datetime) -> datetime:
    """The same instant as a plain datetime, whatever subclass the value is of."""
    parts = (value.year, value.month, value.day, value.hour, value.minute, value.second)
    moment = datetime(*parts, value.microsecond, tzinfo=UTC)
    return moment - (value.utcoffset() or timedelta())


def _parsed(value: object, parameter: str) -> tuple[datetime, int]:
    """The time of a text in whole seconds, and the nanoseconds after it."""
    # NumPy writes a time in ISO-8601, as precisely as its unit is.
    is_numpy = getattr(getattr(value, "dtype", None), "kind", "") == "M"
    text = str(value) if is_numpy and getattr(value, "ndim", None) == 0 else value
    match = _ISO.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise invalid(parameter, value, "is not a time", _EXAMPLE)
    fraction = (match["fraction"] or "").ljust(9, "0")
    if fraction[9:].strip("0"):
        raise invalid(parameter, value, "is finer than a nanosecond", "round it")
    year, month, day, hour, minute, second = (int(match[n] or least) for n, least in _PARTS.items())
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return moment - _offset(match["zone"]), int(fraction[:9])


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"{zone} is not an offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def to_text(nanoseconds: int) -> str:
    """The text the API reads, for an instant of whole seconds.

    Example:
        >>> to_text(instant("2024-04", "from_"))
        '2024-04-01T00:00:00Z'
    """
    moment = EPOCH + timedelta(seconds=nanoseconds // SECOND)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def exact_text(nanoseconds: int) -> str:
    """The text of an instant, with as many decimals as it has.

    Example:
        >>> exact_text(1_709_544_600_000_250_000)
        '2024-03-04T09:30:00.00025Z'
    """
    fraction = f".{nanoseconds % SECOND:09}".rstrip("0").rstrip(".")
    return f"{to_text(nanoseconds)[:-1]}{fraction}Z"


def floored(instant: int, interval: Interval) -> int:
    """The latest start of a bar of that length that does not lie after an instant.

    Seconds, minutes and hours are counted in multiples from midnight UTC [assumed for several
    hours], days start at midnight and months on the first [assumed].

    Example:
        >>> to_text(floored(instant("2024-04-09T11:59", "from_"), Interval(4, "hour")))
        '2024-04-09T08:00:00Z'
    """
    midnight = instant - instant % DAY
    if interval.length is None:
        return months_after(midnight, 0)
    return midnight + (instant - midnight) // interval.length * interval.length


def months_after(instant: int, count: int) -> int:
    """The start of the month so many months after the month of an instant.

    Example:
        >>> to_text(months_after(instant("2024-01-31T18:00", "from_"), 1))
        '2024-02-01T00:00:00Z'
    """
    moment = EPOCH + timedelta(seconds=instant // SECOND)
    years, month = divmod(moment.month - 1 + count, 12)
    first = datetime(moment.year + years, month + 1, 1, tzinfo=UTC)
    return (first - EPOCH) // timedelta(days=1) * DAY


def empty_range(from_: object, until: object) -> TrayportValidationError:
    """The error for a range that is empty or reversed."""
    return TrayportValidationError(
        f"until {until} is not after from_ {from_}",
        parameter="until",
        limit=f"after {from_}",
        suggestion="ranges are half-open, [from_, until): give a later until",
    )


@frozen(order=True)
class Window:
    """A half-open range of time, `[start, end)`, in nanoseconds since 1970-01-01 UTC."""

    start: int
    end: int

    @classmethod
    def between(cls, from_: TimeLike, until: TimeLike) -> Window:
        """The range between two times.

        Raises:
            TrayportValidationError: A time is refused, or the range is empty or reversed.
        """
        window = cls(instant(from_, "from_"), instant(until, "until"))
        if window.end <= window.start:
            raise empty_range(to_text(window.start), to_text(window.end))
        return window

    def __str__(self) -> str:
        return f"{to_text(self.start)} to {to_text(self.end)}"


@frozen
class TimeRange:
    """A half-open range of time, `[start, end)`, in nanoseconds; an end may be left open."""

    start: int | None = None
    end: int | None = None

    @classmethod
    def between(cls, from_: TimeLike | None, until: TimeLike | None) -> TimeRange:
        """The range between two times, each of which may be left out.

        Raises:
            TrayportValidationError: A time is no time, or the range is empty or reversed.
        """
        start = None if from_ is None else exact_instant(from_, "from_")
        end = None if until is None else exact_instant(until, "until")
        if start is not None and end is not None and end <= start:
            raise empty_range(from_, until)
        return cls(start, end)

    @classmethod
    def over(
        cls,
        from_: TimeLike | None,
        until: TimeLike | None,
        windows: Sequence[Window],
    ) -> TimeRange:
        """The range between two times; where one is left out, that of the windows."""
        given = cls.between(from_, until)
        if not windows:
            return given
        start = min(w.start for w in windows) if given.start is None else given.start
        end = max(w.end for w in windows) if given.end is None else given.end
        return cls(start, max(start, end))


def _count(value: SupportsIndex) -> int:
    try:
        count = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        way_out = 'write an interval like Interval(15, "minute") or "15m"'
        raise not_whole("interval count", value, 1, way_out, parameter="interval")
    return count


def _unit(value: UnitName | IntervalUnit) -> IntervalUnit:
    try:
        return IntervalUnit(str(value).lower())
    except ValueError:
        raise unknown_value("interval unit", value, IntervalUnit, parameter="interval") from None


@frozen
class Interval:
    """A length of time in whole units, such as a quarter of an hour.

    Example:
        >>> Interval.parse("15m") == Interval(15, "minute")
        True
        >>> str(Interval(1, "month"))
        '1mo'
    """

    count: int = field(converter=_count)
    unit: IntervalUnit = field(converter=_unit)

    @classmethod
    def parse(cls, text: str) -> Interval:
        """The interval of a short text: `15s`, `15m`, `1h`, `1d`, `7d`, `1mo`.

        Raises:
            TrayportValidationError: The text is no interval.
        """
        match = re.fullmatch(r"(\d{1,9})(s|m|h|d|mo)", str(text).strip().lower(), re.ASCII)
        # A capital M is a month elsewhere, so that it must not be taken for a minute here.
        if match is None or str(text).strip().endswith("M"):
            way_out = "write it like 15s, 15m, 1h, 1d, 7d or 1mo"
            raise invalid("interval", text, "is not an interval", way_out)
        units = {letter: unit for unit, (letter, _) in _UNITS.items()}
        return cls(int(match[1]), units[match[2]])

    @property
    def length(self) -> int | None:
        """Its length in nanoseconds, or None for months, which differ in length."""
        _, length = _UNITS[self.unit]
        return None if length is None else self.count * length

    def __str__(self) -> str:
        letter, _ = _UNITS[self.unit]
        return f"{self.count}{letter}"


def interval_of(value: Interval | str) -> Interval:
    """The interval that an argument gives, as a value or as short text.

    Raises:
        TrayportValidationError: It is no interval.

    Example:
        >>> interval_of("15m") == interval_of(Interval(15, "minute"))
        True
    """
    return value if isinstance(value, Interval) else Interval.parse(value)


_LENGTHS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration_of(value: str | timedelta, parameter: str) -> int:
    """A length of time, in nanoseconds.

    Raises:
        TrayportValidationError: It is none.

    Example:
        >>> duration_of("7d", "last") == duration_of(timedelta(days=7), "last")
        True
    """
    length = value
    if isinstance(value, str):
        count, unit = value.strip()[:-1], value.strip()[-1:].lower()
        length = timedelta(0)
        if unit in _LENGTHS and count.isascii() and count.isdecimal():
            with suppress(OverflowError, ValueError):  # longer than there is time
                length = timedelta(**{_LENGTHS[unit]: int(count)})
    if not isinstance(length, timedelta) or length <= timedelta(0):
        way_out = "write it like 36h, 7d or 2w (in code: or give a timedelta)"
        raise invalid(parameter, value, "is no length of time", way_out)
    return length // timedelta(microseconds=1) * 1000
