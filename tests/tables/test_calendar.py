"""Gas days, hours of local clocks and peak hours, against plain Python row by row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from tests.tables.test_buckets import CHANGES, DAY, EPOCH, HOUR, STARTS, ZONES, days, nanoseconds
from trayport_sdk import (
    POWER_CALENDARS,
    OHLCVResponse,
    OrderBookTopResponse,
    PowerCalendar,
    TradesResponse,
    TrayportConfigurationError,
    TrayportValidationError,
    between_local,
    errors,
    gas_day,
)

# Changes of clocks, ends of years, and a week with holidays.
MOMENTS = (*CHANGES, "2023-12-31", "2024-05-01")
UTC_TIME = pl.Datetime("ns", "UTC")
proven = settings(max_examples=examples(80))


@st.composite
def some_times(draw: st.DrawFn) -> list[int | None]:
    start = nanoseconds(datetime.fromisoformat(f"{draw(st.sampled_from(MOMENTS))}T00:00Z"))
    near = st.integers(-60, 60).map(lambda half_hours: start + half_hours * HOUR // 2)
    exact = st.integers(start - 2 * DAY, start + 3 * DAY)
    return draw(st.lists(near | exact | st.none(), max_size=20))


def frame_of(times: list[int | None]) -> pl.DataFrame:
    return pl.DataFrame({"time": times}, schema={"time": pl.Int64}).cast(UTC_TIME)


def local(moment: int, tz: str) -> datetime:
    return (EPOCH + timedelta(microseconds=moment // 1000)).astimezone(ZoneInfo(tz))


def found(times: list[int | None], expression: pl.Expr) -> list[Any]:
    return frame_of(times).lazy().select(expression).collect().to_series().to_list()


def row_by_row(times: list[int | None], value: Callable[[int], Any]) -> list[Any]:
    return [None if moment is None else value(moment) for moment in times]


@proven
@given(some_times(), st.sampled_from(ZONES), st.sampled_from(STARTS))
def test_gas_days_are_those_of_plain_python(
    times: list[int | None], tz: str, start: str | None
) -> None:
    def day_of(moment: int) -> date:
        around = days(tz, start, local(moment, tz).date() - timedelta(days=3), 6)
        return max((begin, day) for begin, day in around if begin <= moment)[1]

    expected = row_by_row(times, day_of)
    assert found(times, gas_day("time", tz=tz, day_start=start or "00:00")) == expected


@pytest.mark.parametrize(
    ("day", "hours"), [("2024-03-30", 23), ("2024-03-31", 24), ("2024-10-26", 25)]
)
@pytest.mark.parametrize("london", [False, True])
def test_a_gas_day_has_as_many_hours_as_the_clock_gives_it(
    day: str, hours: int, london: bool
) -> None:
    noon = nanoseconds(datetime.fromisoformat(f"{day}T12:00Z"))
    times: list[int | None] = [noon + n * HOUR for n in range(-48, 48)]
    clock: dict[str, Any] = {"tz": "Europe/London", "day_start": "05:00"} if london else {}
    assert found(times, gas_day("time", **clock)).count(date.fromisoformat(day)) == hours


@proven
@given(some_times(), st.sampled_from(ZONES), st.sampled_from(STARTS), st.sampled_from(STARTS))
def test_hours_of_a_local_clock_are_those_of_plain_python(
    times: list[int | None], tz: str, start: str | None, end: str | None
) -> None:
    first, after = time.fromisoformat(start or "00:00"), time.fromisoformat(end or "00:00")
    if first == after:
        return

    def lies_between(moment: int) -> bool:
        clock = local(moment, tz).time()
        return first <= clock < after if first < after else clock >= first or clock < after

    expected = row_by_row(times, lies_between)
    assert found(times, between_local("time", first, after, tz=tz)) == expected


CALENDARS = {
    **POWER_CALENDARS,
    "five long days": PowerCalendar("Europe/Warsaw", "07:00", "22:00", holidays="PL"),
    "a part of a country": PowerCalendar("Europe/Berlin", holidays="DE-BY"),
    "dates": PowerCalendar("Europe/Berlin", holidays=[date(2023, 12, 31), date(2024, 5, 1)]),
    "the library's own": PowerCalendar(
        "America/New_York", "07:00", "00:00", holidays=holidays.country_holidays("US")
    ),
    "weekends": PowerCalendar("Africa/Cairo", weekdays=(5, 6)),
}


@proven
@given(some_times(), st.sampled_from(sorted(CALENDARS)))
def test_loads_are_those_of_plain_python(times: list[int | None], name: str) -> None:
    calendar = CALENDARS[name]
    off: Any = {
        "five long days": holidays.country_holidays("PL"),
        "a part of a country": holidays.country_holidays("DE", subdiv="BY"),
        "dates": {date(2023, 12, 31), date(2024, 5, 1)},
        "the library's own": holidays.country_holidays("US"),
    }.get(name, set[date]())

    def is_peak(moment: int) -> bool:
        clock = local(moment, calendar.tz)
        minute = clock.hour * 60 + clock.minute
        last = calendar.peak_end.hour * 60 or 24 * 60
        in_hours = calendar.peak_start.hour * 60 <= minute < last
        return in_hours and clock.isoweekday() in calendar.weekdays and clock.date() not in off

    peak = row_by_row(times, is_peak)
    assert found(times, calendar.mask("time")) == peak
    off_peak = [None if value is None else not value for value in peak]
    assert found(times, calendar.mask("time", "off_peak")) == off_peak
    assert found(times, calendar.mask("time", "base")) == [moment is not None for moment in times]


@pytest.mark.parametrize(
    ("country", "month", "peak", "base"),
    [
        ("DE", "2024-03", 21 * 12, 743),
        ("DE", "2024-10", 23 * 12, 745),
        ("GB", "2024-12", 22 * 12, 744),  # holidays count
    ],
)
def test_a_month_has_the_hours_that_its_futures_deliver(
    country: str, month: str, peak: int, base: int
) -> None:
    calendar = POWER_CALENDARS[country]
    first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=ZoneInfo(calendar.tz))
    next_first = (first + timedelta(days=31)).replace(day=1)
    start, end = (nanoseconds(moment.astimezone(UTC)) for moment in (first, next_first))
    times: list[int | None] = list(range(start, end, HOUR))
    assert sum(found(times, calendar.mask("time", "peak"))) == peak
    assert sum(found(times, calendar.mask("time", "base"))) == base


# --- Methods of tables

QUARTERS = [nanoseconds(datetime(2024, 3, 29, tzinfo=UTC)) + n * HOUR // 4 for n in range(4 * 120)]


def trades_of(times: list[int]) -> TradesResponse:
    count = len(times)
    columns = {"deal_date": times, "price": range(count), "quantity": [1.0, 3.0] * (count // 2)}
    frame = pl.DataFrame({**columns, "aggressor_buy": [True] * count})
    return TradesResponse(frame.cast({"deal_date": UTC_TIME, "price": pl.Float64}), [])


def candles_of(times: list[int], minutes: int) -> OHLCVResponse:
    ends = [moment + minutes * HOUR // 60 for moment in times]
    frame = pl.DataFrame({"from_timestamp": times, "to_timestamp": ends}).cast(UTC_TIME)
    return OHLCVResponse(frame.with_columns(open=1.0, close=1.0, volume=1.0), [])


def test_the_average_of_a_settlement_window_is_that_of_its_trades() -> None:
    trades = trades_of(QUARTERS)
    window = trades.between_local("16:15", "16:45", tz="Europe/Amsterdam")
    clock = [local(moment, "Europe/Amsterdam") for moment in QUARTERS]
    inside = [n for n, moment in enumerate(clock) if time(16, 15) <= moment.time() < time(16, 45)]
    assert window.to_polars()["price"].to_list() == inside
    by_day = window.to_ohlcv("1d", tz="Europe/Amsterdam", optional_fields=["vwap"])
    frame = by_day.to_polars(tz="Europe/Amsterdam")
    expected = []
    for day in sorted({clock[n].date() for n in inside}):
        own = [(n, (1, 3)[n % 2]) for n in inside if clock[n].date() == day]
        expected.append((day, sum(n * w for n, w in own) / sum(w for _, w in own)))
    assert frame.select(pl.col("from_timestamp").dt.date(), "vwap").rows() == expected
    assert len(expected) == 5


def test_tables_of_each_kind_have_local_hours() -> None:
    top = pl.DataFrame({"timestamp": QUARTERS, "bid_price": 1.0, "ask_price": 2.0})
    for table in (
        trades_of(QUARTERS),
        candles_of(QUARTERS, 15),
        OrderBookTopResponse(top.cast({"timestamp": UTC_TIME}), []),
    ):
        times = table.to_polars().to_series(0).rename("time").to_frame()
        peak = table.of_load("peak", "GB")
        assert len(peak) == times.select(POWER_CALENDARS["GB"].mask("time").sum()).item() > 0
        assert len(table.of_load("off_peak", "GB")) + len(peak) == len(table)
        assert len(table.of_load("base", CALENDARS["dates"])) == len(table)
        gas_days = times.select(gas_day("time").alias("gas_day")).to_series()
        assert table.gas_day().equals(gas_days, check_names=True)
        none = table[:0]
        assert len(none.of_load("peak", "GB")) == 0
        assert len(none.between_local("16:15", "16:30", tz="Europe/Amsterdam")) == 0
        assert none.gas_day().dtype == pl.Date


def test_hours_that_cut_a_candle_are_refused() -> None:
    hours = candles_of(QUARTERS[::4], 60)
    assert len(hours.between_local("16:00", "18:00", tz="Europe/Amsterdam")) == 2 * 5
    for start, end in (("16:15", "16:30"), ("16:00", "16:30"), ("15:45", "17:00")):
        with pytest.raises(TrayportValidationError, match="lies within the candle") as error:
            hours.between_local(start, end, tz="Europe/Amsterdam")
        assert error.value.parameter == "interval"
    days_ = candles_of(QUARTERS[::96], 24 * 60)
    with pytest.raises(TrayportValidationError, match="shorter candles"):
        days_.of_load("peak", "DE")
    assert len(days_.of_load("base", "DE")) == 5
    empty = OHLCVResponse(days_.to_polars().with_columns(open=pl.lit(None, pl.Float64)), [])
    assert len(empty.between_local("16:15", "16:30", tz="Europe/Amsterdam")) == 0


# --- Bad input


@pytest.mark.parametrize(
    ("call", "parameter", "says"),
    [
        (lambda: gas_day("time", tz="Europe/Amsterdm"), "tz", "use Europe/Amsterdam"),
        (lambda: gas_day("time", day_start="6"), "day_start", "is no time of day"),
        (lambda: between_local("time", "16:15", "25", tz="UTC"), "end", "is no time of day"),
        (lambda: between_local("time", "16.15", "16:30", tz="UTC"), "start", "is no time of day"),
        (lambda: between_local("time", "16:15", "24:00", tz="UTC"), "end", 'midnight "00:00"'),
        (lambda: between_local("time", "06:00", time(6), tz="UTC"), "end", "half-open"),
        (lambda: PowerCalendar("Berlin"), "tz", "Europe/Berlin"),
        (lambda: PowerCalendar("UTC", "20:00", "08:00"), "peak_end", "not after peak_start 20:00"),
        (lambda: PowerCalendar("UTC", "8"), "peak_start", "is no time of day"),
        (lambda: PowerCalendar("UTC", weekdays=[0]), "weekdays", "1 for Monday"),
        (lambda: PowerCalendar("UTC", weekdays=[]), "weekdays", "1 for Monday"),
        (lambda: PowerCalendar("UTC", weekdays=5), "weekdays", "1 for Monday"),  # type: ignore[arg-type]
        (lambda: PowerCalendar("UTC", holidays=5), "holidays", "are no dates"),  # type: ignore[arg-type]
        (lambda: PowerCalendar("UTC", holidays="XX"), "holidays", "DE-BY"),
        (lambda: PowerCalendar("UTC", holidays="DE-QQ"), "holidays", "DE-BY"),
        (lambda: PowerCalendar("UTC", holidays=[EPOCH]), "holidays", "are not all dates"),
        (lambda: POWER_CALENDARS["GB"].mask("time", "peaks"), "load", "off_peak"),  # type: ignore[arg-type]
        (lambda: trades_of(QUARTERS).of_load("peak", "UK"), "calendar", "GB"),
    ],
)
def test_what_cannot_work_is_refused(call: Callable[[], object], parameter: str, says: str) -> None:
    with pytest.raises(TrayportValidationError, match=says) as error:
        call()
    assert error.value.parameter == parameter


def test_holidays_of_a_country_without_the_extra_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    with pytest.raises(TrayportConfigurationError, match=r"holidays .*\[energy\]"):
        PowerCalendar("Europe/Berlin", holidays="DE")
    assert PowerCalendar("Europe/Berlin", holidays=[date(2024, 1, 1)])
