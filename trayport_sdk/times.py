"""Instants and ranges, as exact nanoseconds since 1970-01-01 UTC.

The API reads ISO-8601 text without fractional seconds [documented]; text of lower precision means
the start of that unit, and no zone means UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from attrs import field, frozen
from trayport_api.models.interval_unit import IntervalUnit

from .errors import TrayportValidationError

TimeLike: TypeAlias = datetime | date | str
"""A time: aware datetimes are converted, naive ones mean UTC, a date is its midnight in UTC."""

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {
    "s": IntervalUnit.SECOND,
    "m": IntervalUnit.MINUTE,
    "h": IntervalUnit.HOUR,
    "d": IntervalUnit.DAY,
    "mo": IntervalUnit.MONTH,
}

_ISO = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"([T ](?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def instant(value: TimeLike, parameter: str) -> int:
    """The nanoseconds of a time.

    Args:
        value: A datetime, a date, or ISO-8601 text of any precision down to the second.
        parameter: The argument's name, for the error message.

    Raises:
        TrayportValidationError: The value is no time, lies before 1970, or has fractional seconds,
            which the API does not take.

    Example:
        >>> instant("2024-04", "from_") == instant("2024-04-01T02:00+02:00", "from_")
        True
    """
    if value != value:  # the missing time of pandas, which is a datetime to isinstance
        raise _refused(value, parameter, "is not a time", "leave it out, or give a time")
    moment = _moment(value, parameter)
    nanoseconds = (moment - EPOCH) // timedelta(microseconds=1) * 1000
    if nanoseconds < 0:
        raise _refused(value, parameter, "lies before 1970", "give a later time")
    if moment.microsecond or getattr(value, "nanosecond", 0):
        raise _refused(
            value, parameter, "has fractional seconds, which the API does not take", "round it"
        )
    return nanoseconds


def _moment(value: TimeLike, parameter: str) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return _parse(value, parameter)


def _parse(text: str, parameter: str) -> datetime:
    example = "give a datetime, a date, or text like 2024-03-04 or 2024-03-04T09:30:00Z"
    match = _ISO.fullmatch(text.strip()) if isinstance(text, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if match is None:
        raise _refused(text, parameter, "is not a time", example)
    part = match.groupdict()
    if (part["fraction"] or "").strip("0"):
        raise _refused(
            text, parameter, "has fractional seconds, which the API does not take", "round it"
        )
    try:
        moment = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
            tzinfo=UTC,
        )
        return moment - _offset(part["zone"])
    except (ValueError, OverflowError) as error:
        raise _refused(text, parameter, f"is not a time ({error})", example) from error


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

    def cut(self, max_days: int) -> list[Window]:
        """The fewest windows of at most so many days that tile this range exactly.

        Example:
            >>> len(Window.between("2024-01-01", "2024-03-31").cut(max_days=32))
            3
        """
        edges = [*range(self.start, self.end, max_days * DAY), self.end]
        return [Window(start, end) for start, end in pairwise(edges)]

    def __str__(self) -> str:
        return f"{to_text(self.start)} to {to_text(self.end)}"


def _count(value: int | str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TrayportValidationError(
            f"interval count {value!r} is not a whole number from 1",
            parameter="interval",
            suggestion='write an interval like Interval(15, "minute") or "15m"',
        )
    return value


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
        match = re.fullmatch(r"(\d{1,9})(s|m|h|d|mo)", text.strip().lower(), re.ASCII)
        if match is None:
            raise TrayportValidationError(
                f"interval {text!r} is not an interval",
                parameter="interval",
                suggestion="write it like 15s, 15m, 1h, 1d, 7d or 1mo",
            )
        return cls(int(match[1]), _UNITS[match[2]])

    def __str__(self) -> str:
        letters = {unit: letter for letter, unit in _UNITS.items()}
        return f"{self.count}{letters[self.unit]}"
