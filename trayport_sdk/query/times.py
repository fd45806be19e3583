"""Instants and ranges, as exact nanoseconds since 1970-01-01 UTC.

The API reads ISO-8601 text without fractional seconds [documented]; text of lower precision means
the start of that unit, and no zone means UTC.
"""

from __future__ import annotations

import operator
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, Protocol, SupportsIndex, TypeAlias

from attrs import field, frozen
from trayport_api.models.interval_unit import IntervalUnit

from ..errors import TrayportValidationError


class NumPyTime(Protocol):
    """A `numpy.datetime64`, told by its shape: the type is had without NumPy."""

    @property
    def dtype(self) -> Any:
        """The type of the scalar."""
        ...

    @property
    def ndim(self) -> Literal[0]:
        """Zero, since it is no array."""
        ...


TimeLike: TypeAlias = datetime | date | str | NumPyTime
"""A time: aware datetimes are converted, naive ones mean UTC, a date is its midnight in UTC.

Timestamps of pandas and NumPy are times as well.
"""

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

_FRACTION = "has fractional seconds, which the API does not take"
_EXAMPLE = "give a datetime, a date, or text like 2024-03-04 or 2024-03-04T09:30:00Z"
_ISO = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"([T ](?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def instant(value: TimeLike, parameter: str) -> int:
    """The nanoseconds of a time.

    Args:
        value: A datetime, a date, ISO-8601 text of any precision down to the second, or a timestamp
            of pandas or NumPy.
        parameter: The argument's name, for the error message.

    Raises:
        TrayportValidationError: The value is no time, lies before 1970, or has fractional seconds,
            which the API does not take.

    Example:
        >>> instant("2024-04", "from_") == instant("2024-04-01T02:00+02:00", "from_")
        True
    """
    moment = _moment(value, parameter)
    if moment < EPOCH:
        raise _refused(value, parameter, "lies before 1970", "give a later time")
    if moment.microsecond or getattr(value, "nanosecond", 0):
        raise _refused(value, parameter, _FRACTION, f"round it, as to {moment:%Y-%m-%dT%H:%M:%SZ}")
    return (moment - EPOCH) // timedelta(seconds=1) * SECOND


def _moment(value: object, parameter: str) -> datetime:
    if isinstance(value, datetime):
        return _in_utc(value, parameter)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    # NumPy writes a time in ISO-8601, as precisely as its unit is.
    is_numpy = getattr(getattr(value, "dtype", None), "kind", "") == "M"
    text = str(value) if is_numpy and getattr(value, "ndim", None) == 0 else value
    match = _ISO.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise _refused(value, parameter, "is not a time", _EXAMPLE)
    return _parsed(match.groupdict(), value, parameter)


def _in_utc(value: datetime, parameter: str) -> datetime:
    """The same instant as a plain datetime, whatever subclass the value is of."""
    if value != value:  # the missing time of pandas
        raise _refused(value, parameter, "is not a time", "leave it out, or give a time")
    parts = (value.year, value.month, value.day, value.hour, value.minute, value.second)
    try:
        moment = datetime(*parts, value.microsecond, tzinfo=UTC)
        return moment - (value.utcoffset() or timedelta())
    except (ValueError, OverflowError) as error:
        raise _refused(value, parameter, f"is not a time ({error})", _EXAMPLE) from error


def _parsed(part: dict[str, str | None], value: object, parameter: str) -> datetime:
    if (part["fraction"] or "").strip("0"):
        raise _refused(value, parameter, _FRACTION, "round it")
    try:
        moment = datetime(
            int(part["year"] or 0),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
            tzinfo=UTC,
        )
        return moment - _offset(part["zone"])
    except (ValueError, OverflowError) as error:
        raise _refused(value, parameter, f"is not a time ({error})", _EXAMPLE) from error


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"{zone} is not an offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def _refused(value: object, parameter: str, why: str, suggestion: str) -> TrayportValidationError:
    return TrayportValidationError(
        f"{parameter} {value!r} {why}", parameter=parameter, suggestion=suggestion
    )


def to_text(nanoseconds: int) -> str:
    """The text the API reads, for an instant of whole seconds.

    Example:
        >>> to_text(instant("2024-04", "from_"))
        '2024-04-01T00:00:00Z'
    """
    moment = EPOCH + timedelta(seconds=nanoseconds // SECOND)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def data_cutoff(now: datetime) -> int:
    """Where the data ends for keys without intraday rights: the start of the day in UTC."""
    return (now.astimezone(UTC) - EPOCH) // timedelta(days=1) * DAY


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
            raise TrayportValidationError(
                f"until {to_text(window.end)} is not after from_ {to_text(window.start)}",
                parameter="until",
                suggestion="ranges are half-open, [from_, until): give a later until",
            )
        return window

    def __str__(self) -> str:
        return f"{to_text(self.start)} to {to_text(self.end)}"


def _count(value: SupportsIndex) -> int:
    try:
        count = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise TrayportValidationError(
            f"interval count {value!r} is not a whole number from 1",
            parameter="interval",
            suggestion='write an interval like Interval(15, "minute") or "15m"',
        )
    return count


def _unit(value: str) -> IntervalUnit:
    try:
        return IntervalUnit(str(value).lower())
    except ValueError:
        raise TrayportValidationError(
            f"interval unit {value!r} is unknown",
            parameter="interval",
            limit=", ".join(IntervalUnit),
            suggestion=f"use one of {', '.join(IntervalUnit)}",
        ) from None


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
            raise TrayportValidationError(
                f"interval {text!r} is not an interval",
                parameter="interval",
                suggestion="write it like 15s, 15m, 1h, 1d, 7d or 1mo",
            )
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
