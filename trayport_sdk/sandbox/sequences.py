"""Sequences of delivery periods, by rule: which items exist, how long each delivers and trades."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from attrs import define, frozen

from trayport_sdk.sandbox.calendar import (
    DAY,
    FIRST_YEAR,
    LAST_YEAR,
    business_days_before,
    date_of,
)
from trayport_sdk.sandbox.noise import I64

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Gas and power months, quarters, seasons and years stop trading two business days before delivery.
_NOTICE_BUSINESS_DAYS = 2


@frozen
class Item:
    """One delivery period; times are nanoseconds UTC, ends exclusive, None where it rolls."""

    id: int
    name: str
    period_start: int | None
    period_end: int | None
    trading_start: int | None
    trading_end: int | None


@frozen
class Sequence:
    """A series of delivery periods; the items of a rolling one never expire."""

    id: int
    name: str
    display_name: str | None
    rolling: bool


@frozen
class Periods:
    """Delivery and trading periods as UTC day numbers, ends exclusive, in order of delivery."""

    starts: I64
    ends: I64
    trading_starts: I64
    trading_ends: I64
    names: Callable[[int], str]


@frozen
class Rule:
    """How the items of a sequence are made and numbered."""

    sequence: Sequence
    letter: str
    periods: Callable[[], Periods] | None
    first_id: int = 1
    id_step: int = 1
    rolling_names: tuple[str, ...] = ()


def _month_edges(first: str, step: int) -> I64:
    """Every `step` months from the first, up to the same month after the last year."""
    end = np.datetime64(f"{LAST_YEAR + 1}-{first[5:]}", "M") + np.timedelta64(1, "M")
    months = np.arange(np.datetime64(first, "M"), end, np.timedelta64(step, "M"))
    return months.astype("datetime64[D]").astype(np.int64)


def _days_back_in_months(days: I64, months: int) -> I64:
    shifted = days.astype("datetime64[D]").astype("datetime64[M]") - np.timedelta64(months, "M")
    return shifted.astype("datetime64[D]").astype(np.int64)


def _month_based(
    first: str, step: int, traded_months: int, name: Callable[[int], str]
) -> Callable[[], Periods]:
    def make() -> Periods:
        edges = _month_edges(first, step)
        starts, ends = edges[:-1], edges[1:]
        return Periods(
            starts,
            ends,
            _days_back_in_months(starts, traded_months),
            business_days_before(starts, _NOTICE_BUSINESS_DAYS) + 1,
            name,
        )

    return make


def _day_based(
    first_day: str, length: int, step: int, traded_days: int, name: Callable[[int], str]
) -> Callable[[], Periods]:
    def make() -> Periods:
        end = np.datetime64(f"{LAST_YEAR + 1}-01-01", "D")
        starts = np.arange(np.datetime64(first_day, "D"), end, np.timedelta64(step, "D")).astype(
            np.int64
        )
        return Periods(starts, starts + length, starts - traded_days, starts, name)

    return make


def _december_periods() -> Periods:
    starts = _month_edges("2006-12", 12)
    # Expiry is the Monday between the 14th and the 20th; day 0 was a Thursday.
    middle = starts + 13
    mondays = middle + (4 - middle) % 7
    return Periods(starts, starts + 31, _days_back_in_months(starts, 96), mondays + 1, month_name)


def month_name(day: int) -> str:
    date = date_of(day)
    return f"{_MONTH_NAMES[date.month - 1]}-{date.year % 100:02d}"


def _day_name(day: int) -> str:
    return f"{date_of(day).day:02d}-{month_name(day)}"


def _week_name(day: int) -> str:
    year, week, _ = date_of(day).isocalendar()
    return f"WK{week:02d}-{year % 100:02d}"


def _weekend_name(day: int) -> str:
    year, week, _ = date_of(day).isocalendar()
    return f"WE{week:02d}-{year % 100:02d}"


def _quarter_name(day: int) -> str:
    date = date_of(day)
    return f"Q{(date.month + 2) // 3}-{date.year % 100:02d}"


def _season_name(day: int) -> str:
    date = date_of(day)
    return f"{'Sum' if date.month == 4 else 'Win'}-{date.year % 100:02d}"


def _year_name(day: int) -> str:
    return f"Cal-{date_of(day).year % 100:02d}"


def _gas_year_name(day: int) -> str:
    return f"GY-{date_of(day).year % 100:02d}"


_MONTHS = _month_based(f"{FIRST_YEAR}-01", 1, 60, month_name)
_QUARTERS = _month_based(f"{FIRST_YEAR}-01", 3, 60, _quarter_name)
_SEASONS = _month_based(f"{FIRST_YEAR}-04", 6, 72, _season_name)
_YEARS = _month_based(f"{FIRST_YEAR}-01", 12, 120, _year_name)
_GAS_YEARS = _month_based(f"{FIRST_YEAR}-10", 12, 96, _gas_year_name)
_DAYS = _day_based(f"{FIRST_YEAR}-01-01", 1, 1, 42, _day_name)
_WEEKENDS = _day_based(f"{FIRST_YEAR}-01-01", 2, 7, 42, _weekend_name)
_WEEKS = _day_based(f"{FIRST_YEAR}-01-03", 7, 7, 56, _week_name)

_GAS_PROMPT = ("Within Day", "Day Ahead", "Sat", "Sun", "Weekend", "BOW", "WDNW", "BOM")
_POWER_PROMPT = ("Intraday", "Day Ahead", "Weekend", "BOW", "BOM")


def _rule(
    number: int,
    name: str,
    letter: str,
    periods: Callable[[], Periods] | None,
    first_id: int = 1,
    id_step: int = 1,
    rolling_names: tuple[str, ...] = (),
) -> Rule:
    shown = None if periods is None else name.partition(" - ")[2] or None
    sequence = Sequence(10_000_000 + number, name, shown, periods is None)
    return Rule(sequence, letter, periods, first_id, id_step, rolling_names)


# Gas months start with January 2005 = 13, so that April 2023 is 232; emission Decembers count
# by forty from December 2006 = 30, so that December 2023 is 710.
RULES: tuple[Rule, ...] = (
    _rule(100, "Power - Days", "D", _DAYS),
    _rule(101, "Power - Weekends", "E", _WEEKENDS),
    _rule(102, "Power - Weeks", "W", _WEEKS),
    _rule(104, "Power - Months", "M", _MONTHS),
    _rule(105, "Power - Quarters", "Q", _QUARTERS),
    _rule(106, "Power - Years", "Y", _YEARS),
    _rule(107, "Power - Prompt", "P", None, rolling_names=_POWER_PROMPT),
    _rule(204, "Coal - Months", "M", _MONTHS),
    _rule(205, "Coal - Quarters", "Q", _QUARTERS),
    _rule(206, "Coal - Years", "Y", _YEARS),
    _rule(302, "Gas - NG Prompt", "P", None, rolling_names=_GAS_PROMPT),
    _rule(303, "Gas - NG Days", "D", _DAYS),
    _rule(304, "Gas - NG Weekends", "E", _WEEKENDS),
    _rule(305, "Gas - NG Months", "M", _MONTHS, first_id=13),
    _rule(306, "Gas - NG Quarters", "Q", _QUARTERS, first_id=5),
    _rule(307, "Gas - NG Seasons", "S", _SEASONS, first_id=3),
    _rule(308, "Gas - NG Gas Years", "G", _GAS_YEARS, first_id=2),
    _rule(309, "Gas - NG Years", "Y", _YEARS, first_id=2),
    _rule(400, "Emissions", "F", _december_periods, first_id=30, id_step=40),
    _rule(404, "Certificates - Years", "Y", _YEARS),
    _rule(504, "Oil - Months", "M", _MONTHS),
    _rule(505, "Oil - Quarters", "Q", _QUARTERS),
    _rule(506, "Oil - Years", "Y", _YEARS),
    _rule(604, "Freight - Months", "M", _MONTHS),
    _rule(605, "Freight - Quarters", "Q", _QUARTERS),
    _rule(606, "Freight - Years", "Y", _YEARS),
    _rule(704, "LNG - Months", "M", _MONTHS),
    _rule(705, "LNG - Quarters", "Q", _QUARTERS),
    _rule(706, "LNG - Years", "Y", _YEARS),
    _rule(804, "Metals - Months", "M", _MONTHS),
    _rule(805, "Metals - Quarters", "Q", _QUARTERS),
    _rule(806, "Metals - Years", "Y", _YEARS),
)


def _no_periods(count: int) -> Periods:
    nothing = np.zeros(count, np.int64)
    return Periods(nothing, nothing, nothing, nothing, str)


@define(slots=False, eq=False)
class Grid:
    """The items of one sequence, in order; ordinals are positions in that order."""

    rule: Rule

    @cached_property
    def periods(self) -> Periods:
        make = self.rule.periods
        return _no_periods(len(self.rule.rolling_names)) if make is None else make()

    @property
    def rolling(self) -> bool:
        return self.rule.periods is None

    def __len__(self) -> int:
        return len(self.periods.starts)

    def ordinal(self, item_id: int) -> int | None:
        position, rest = divmod(item_id - self.rule.first_id, self.rule.id_step)
        return position if rest == 0 and 0 <= position < len(self) else None

    def id_at(self, ordinal: int) -> int:
        return self.rule.first_id + ordinal * self.rule.id_step

    def ids_at(self, ordinals: I64) -> I64:
        return self.rule.first_id + ordinals * self.rule.id_step

    def fronts(self, days: I64) -> I64:
        """The ordinal of the nearest item that still trades on each of the days."""
        if self.rolling:
            return np.zeros(len(days), np.int64)
        return np.searchsorted(self.periods.trading_ends, days, side="right").astype(np.int64)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        if self.rolling:
            names = enumerate(self.rule.rolling_names)
            return tuple(Item(self.id_at(n), name, None, None, None, None) for n, name in names)
        periods = self.periods
        columns = (periods.starts, periods.ends, periods.trading_starts, periods.trading_ends)
        rows = enumerate(zip(*(column.tolist() for column in columns), strict=True))
        return tuple(
            Item(self.id_at(n), periods.names(row[0]), *(day * DAY for day in row))
            for n, row in rows
        )
