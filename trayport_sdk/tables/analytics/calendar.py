"""Times as energy markets have them: gas days, hours of local clocks, peak and off-peak."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Literal, TypeAlias, cast
from zoneinfo import ZoneInfo

import polars as pl
from attrs import field, frozen

from ...errors import TrayportValidationError, invalid, require_extra, unknown_value
from .buckets import Clock, time_of_day

Load: TypeAlias = Literal["base", "peak", "off_peak"]
"""Which hours a power product delivers in."""
LOADS: tuple[Load, ...] = ("base", "peak", "off_peak")

_NO_HOLIDAYS: frozenset[date] = frozenset()
_HOLIDAYS_ARE = "give the code of a country such as DE, US or DE-BY, or a collection of dates"


def gas_day(
    times: pl.Expr | str,
    *,
    tz: str | ZoneInfo = "Europe/Amsterdam",
    day_start: str | time = "06:00",
) -> pl.Expr:
    """The gas day that times lie in, as a date.

    Gas days of Europe start at 06:00 in Amsterdam, which is 05:00 in London, and have 23 or 25
    hours where the clock changes.

    Args:
        times: A column of times, by name or as an expression. Times without a zone mean UTC.
        tz: The zone on whose clock days start.
        day_start: When they start there.

    Raises:
        TrayportValidationError: There is no such zone or time of day.

    Example:
        >>> import polars as pl
        >>> async with TrayportClient.sandbox() as client:
        ...     trades = await client.trades.get_trades(
        ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
        ...     )
        >>> frame = trades.to_polars().with_columns(gas_day("deal_date").alias("gas_day"))
        >>> volumes = frame.group_by("gas_day").agg(pl.col("quantity").sum())
    """
    return Clock.of(tz, day_start).date(_column(times))


def between_local(
    times: pl.Expr | str, start: str | time, end: str | time, *, tz: str | ZoneInfo
) -> pl.Expr:
    """Whether times lie between two times of day, `[start, end)`, on the clock of a zone.

    Args:
        times: A column of times, by name or as an expression. Times without a zone mean UTC.
        start: The first time of day, such as `"16:15"`.
        end: The time of day after the last; one before `start` is that of the next day.
        tz: The zone, such as `"Europe/Amsterdam"`.

    Raises:
        TrayportValidationError: There is no such zone or time of day, or both are the same.

    Example:
        >>> import polars as pl
        >>> times = pl.DataFrame({"time": pl.Series(["2024-03-04T15:20", "2024-07-04T15:20"])})
        >>> times = times.select(pl.col("time").str.to_datetime(time_zone="UTC"))
        >>> times.select(between_local("time", "16:15", "16:30", tz="Europe/Amsterdam"))["time"]
        shape: (2,)
        Series: 'time' [bool]
        [
            true
            false
        ]
    """
    zone = Clock.of(tz, None).zone
    first, after = time_of_day(start, "start"), time_of_day(end, "end")
    if first == after:
        suggestion = "ranges are half-open, [start, end): give another end"
        raise invalid("end", end, "is the start", suggestion, f"another time than {start}")
    local = _column(times).dt.convert_time_zone(zone).dt.time()
    if first < after:
        return (local >= first) & (local < after)
    return (local >= first) | (local < after)


def _column(times: pl.Expr | str) -> pl.Expr:
    return pl.col(times) if isinstance(times, str) else times


def _peak_start(value: str | time) -> time:
    return time_of_day(value, "peak_start")


def _peak_end(value: str | time) -> time:
    return time_of_day(value, "peak_end")


def _zone(value: str | ZoneInfo) -> str:
    return Clock.of(value, None).zone


def _weekdays(value: Sequence[int]) -> tuple[int, ...]:
    try:
        days = tuple(value)
    except TypeError:
        days = ()
    if not days or not all(day in range(1, 8) for day in days):
        limit = "1 for Monday to 7 for Sunday"
        raise invalid("weekdays", value, "are not days of the week", f"use {limit}", limit)
    return days


def _holidays(value: str | Iterable[date]) -> Container[date]:
    if isinstance(value, str):
        return _holidays_of(value)
    if isinstance(value, Mapping):  # those of the library holidays, which finds each year's in time
        return cast("Mapping[date, str]", value)
    try:
        days = frozenset(value)
    except TypeError:
        raise invalid("holidays", value, "are no dates", _HOLIDAYS_ARE) from None
    # A datetime is a date too, but equals none.
    if not all(
        isinstance(day, date) and not isinstance(day, datetime) for day in list[object](days)
    ):
        raise invalid("holidays", value, "are not all dates", _HOLIDAYS_ARE)
    return days or _NO_HOLIDAYS


def _holidays_of(code: str) -> Container[date]:
    require_extra("energy", "holidays", what="holidays of a country")
    import holidays

    country, _, part = code.partition("-")
    try:
        return cast("Container[date]", holidays.country_holidays(country, subdiv=part or None))
    except NotImplementedError:
        raise invalid("holidays", code, "is no country that is known", _HOLIDAYS_ARE) from None


@frozen
class PowerCalendar:
    """Which hours of a power market are peak: some hours of some days, on a local clock.

    Attributes:
        tz: The zone of the clock, such as `"Europe/Berlin"`.
        peak_start: When peak starts, such as `"08:00"`.
        peak_end: When it ends, exclusive; `"00:00"` is the end of the day.
        weekdays: The days that have peak hours, from 1 for Monday to 7 for Sunday.
        holidays: Days that have none: the code of a country (`"US"`) or of a part of one
            (`"DE-BY"`), which needs the extra `energy`, or any collection of dates.

    Raises:
        TrayportValidationError: There is no such zone, time, day or country.
        TrayportConfigurationError: The extra is not installed.

    Example:
        >>> from datetime import date
        >>> calendar = PowerCalendar("Europe/Warsaw", "07:00", "22:00", holidays="PL")
        >>> date(2024, 5, 3) in calendar.holidays
        True
    """

    tz: str = field(converter=_zone)
    peak_start: time = field(default=time(8), converter=_peak_start)
    peak_end: time = field(default=time(20), converter=_peak_end)
    weekdays: tuple[int, ...] = field(default=(1, 2, 3, 4, 5), converter=_weekdays)
    holidays: Container[date] = field(default=_NO_HOLIDAYS, converter=_holidays)

    def __attrs_post_init__(self) -> None:
        if self.peak_end <= self.peak_start and self.peak_end != time():
            raise TrayportValidationError(
                f"peak_end {self.peak_end} is not after peak_start {self.peak_start}",
                parameter="peak_end",
                limit=f"after {self.peak_start}, or 00:00 for the end of the day",
                suggestion="give a later one",
            )

    def mask(self, times: pl.Expr | str, load: Load = "peak") -> pl.Expr:
        """Whether times lie in the hours of a load. Base is all hours, off-peak all but peak.

        Args:
            times: A column of times, by name or as an expression. Times without a zone mean UTC.
            load: `"base"`, `"peak"` or `"off_peak"`.

        Raises:
            TrayportValidationError: There is no such load.

        Example:
            >>> import polars as pl
            >>> from datetime import datetime
            >>> start, end = datetime(2024, 3, 1), datetime(2024, 4, 1)
            >>> hours = pl.datetime_range(start, end, "1h", time_zone="Europe/Berlin", eager=True,
            ...                           closed="left").alias("hour").to_frame()
            >>> hours.height, hours.select(POWER_CALENDARS["DE"].mask("hour").sum()).item()
            (743, 252)
        """
        check_load(load)
        column = _column(times)
        if load == "base":
            return column.is_not_null()
        local = column.dt.convert_time_zone(self.tz)
        peak = between_local(column, self.peak_start, self.peak_end, tz=self.tz)
        peak &= local.dt.weekday().is_in(self.weekdays)
        if self.holidays is not _NO_HOLIDAYS:
            peak &= ~local.dt.date().map_batches(
                self._are_holidays, return_dtype=pl.Boolean, is_elementwise=True
            )
        return peak if load == "peak" else ~peak

    def _are_holidays(self, dates: pl.Series) -> pl.Series:
        return dates.is_in([day for day in dates.drop_nulls().unique() if day in self.holidays])


def check_load(load: Load) -> None:
    """Checks that there is a load of a name."""
    if load not in LOADS:
        raise unknown_value("load", load, LOADS)


POWER_CALENDARS: Mapping[str, PowerCalendar] = MappingProxyType(
    {
        "GB": PowerCalendar("Europe/London", "07:00", "19:00"),
        **{
            country: PowerCalendar(f"Europe/{city}")
            for country, city in (
                ("AT", "Vienna"),
                ("BE", "Brussels"),
                ("CH", "Zurich"),
                ("CZ", "Prague"),
                ("DE", "Berlin"),
                ("ES", "Madrid"),
                ("FR", "Paris"),
                ("HU", "Budapest"),
                ("IT", "Rome"),
                ("NL", "Amsterdam"),
                ("SK", "Bratislava"),
            )
        },
    }
)
"""Peak hours of futures, by country, on the clock there: Monday to Friday, holidays or not, from
08:00 to 20:00, in Great Britain from 07:00 to 19:00, which are the EFA blocks 3 to 5."""


def calendar_of(value: PowerCalendar | str) -> PowerCalendar:
    """The calendar of an argument: one itself, or that of a country.

    Raises:
        TrayportValidationError: There is none of that name.
    """
    if isinstance(value, PowerCalendar):
        return value
    if value not in POWER_CALENDARS:
        choices = [*POWER_CALENDARS, "a PowerCalendar"]
        raise unknown_value("calendar", value, choices, "is no calendar")
    return POWER_CALENDARS[value]
