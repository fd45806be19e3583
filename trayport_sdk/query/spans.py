"""Parts of tables by time, to the nanosecond."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from numbers import Integral
from typing import Any

from attrs import frozen

from ..errors import TrayportValidationError
from .times import TimeLike, Window, instant

_FRACTION = re.compile(r"(?<=\d)\.(\d{1,9})(?=$|Z|[+-])", re.IGNORECASE)


def exact_instant(value: TimeLike | int, parameter: str) -> int:
    """The nanoseconds of a time as precise as a table has them.

    Requests take whole seconds only; what looks into a table that is there takes any time.

    Args:
        value: A time as requests take them, with fractional seconds if it has some, or nanoseconds
            since 1970-01-01 UTC as the models have them.
        parameter: The argument's name, for the error message.

    Raises:
        TrayportValidationError: The value is no time, or lies before 1970.

    Example:
        >>> exact_instant("2024-03-04T09:30:00.000000001Z", "at") % 1_000_000_000
        1
        >>> exact_instant(1709544600000000000, "at") == exact_instant("2024-03-04T09:30", "at")
        True
    """
    if (nanoseconds := _whole_number(value)) is not None:
        if nanoseconds < 0:
            raise TrayportValidationError(
                f"{parameter} {value!r} lies before 1970",
                parameter=parameter,
                limit="1970-01-01",
                suggestion="give nanoseconds since 1970-01-01 UTC",
            )
        return nanoseconds
    whole, fraction = _parted(value)
    return instant(whole, parameter) + fraction


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, Integral):
        return None
    return int(value)


def _parted(value: Any) -> tuple[Any, int]:
    """A time of whole seconds, and the nanoseconds after it."""
    if isinstance(value, datetime) and value == value:  # the missing time of pandas is not itself
        parts = (value.year, value.month, value.day, value.hour, value.minute, value.second)
        whole = datetime(*parts, tzinfo=value.tzinfo, fold=value.fold)
        return whole, value.microsecond * 1000 + getattr(value, "nanosecond", 0)
    is_numpy = getattr(getattr(value, "dtype", None), "kind", "") == "M"
    text = str(value) if is_numpy and getattr(value, "ndim", None) == 0 else value
    if not isinstance(text, str) or (match := _FRACTION.search(text.strip())) is None:
        return value, 0
    return _FRACTION.sub("", text.strip()), int(match[1].ljust(9, "0"))


@frozen
class TimeRange:
    """A half-open range of time, `[start, end)`, in nanoseconds; an end may be left open."""

    start: int | None = None
    end: int | None = None

    @classmethod
    def between(cls, from_: TimeLike | int | None, until: TimeLike | int | None) -> TimeRange:
        """The range between two times, each of which may be left out.

        Raises:
            TrayportValidationError: A time is no time, or the range is empty or reversed.
        """
        span = cls(
            None if from_ is None else exact_instant(from_, "from_"),
            None if until is None else exact_instant(until, "until"),
        )
        if span.start is not None and span.end is not None and span.end <= span.start:
            raise TrayportValidationError(
                f"until {until} is not after from_ {from_}",
                parameter="until",
                limit=f"after {from_}",
                suggestion="ranges are half-open, [from_, until): give a later until",
            )
        return span

    @classmethod
    def over(
        cls,
        from_: TimeLike | int | None,
        until: TimeLike | int | None,
        windows: Sequence[Window],
    ) -> TimeRange:
        """The range between two times; where one is left out, that of the windows."""
        span = cls.between(from_, until)
        if not windows:
            return span
        start, end = min(w.start for w in windows), max(w.end for w in windows)
        start = start if span.start is None else span.start
        end = end if span.end is None else span.end
        return cls(start, max(start, end))
