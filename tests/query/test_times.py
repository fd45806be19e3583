import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from trayport_api.models import IntervalUnit
from trayport_spec import ENDPOINTS

from trayport_sdk.errors import TrayportValidationError
from trayport_sdk.query.build import end_of_data
from trayport_sdk.query.times import (
    DAY,
    SECOND,
    Interval,
    TimeRange,
    Window,
    duration_of,
    exact_instant,
    exact_text,
    floored,
    instant,
    interval_of,
    months_after,
    to_text,
)

seconds = st.integers(0, 4_000_000_000).map(lambda s: s * SECOND)
zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("2023", "2023-01-01T00:00:00Z"),
        ("2023-09", "2023-09-01T00:00:00Z"),
        ("2023-09-30", "2023-09-30T00:00:00Z"),
        ("2023-03-01T09", "2023-03-01T09:00:00Z"),
        ("2023-03-01T09:30", "2023-03-01T09:30:00Z"),
        ("2023-03-01T09:30:15", "2023-03-01T09:30:15Z"),
        ("2023-03-01 09:30:15.000Z", "2023-03-01T09:30:15Z"),
        ("2023-03-01T09:30:15+02:00", "2023-03-01T07:30:15Z"),
        ("2024-02-29T00-0530", "2024-02-29T05:30:00Z"),
    ],
)
def test_text_of_lower_precision_means_the_start_of_its_unit(text: str, whole: str) -> None:
    assert to_text(instant(text, "from_")) == whole


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2023-13", "2023-02-30", "2023-9-1", "20230901", "2023-09-01T25", "1969-12-31",
     "2023-09-01T10+99:00", "2023-09-01T10:00:00.5"],
)  # fmt: skip
def test_text_that_is_no_time_is_refused_with_the_argument_named(text: str) -> None:
    with pytest.raises(TrayportValidationError, match="until") as refused:
        instant(text, "until")
    assert refused.value.parameter == "until"
    assert repr(text) in str(refused.value)


def test_dates_and_naive_datetimes_mean_utc() -> None:
    assert instant(date(2024, 1, 1), "from_") == instant(datetime(2024, 1, 1), "from_")
    assert instant(date(2024, 1, 1), "from_") == instant("2024-01-01T00:00:00Z", "from_")


@given(seconds, zones)
def test_text_and_datetimes_of_any_zone_name_the_same_instant(moment: int, zone: timezone) -> None:
    there = datetime.fromtimestamp(moment // SECOND, tz=zone)
    assert instant(there, "at") == moment
    assert instant(there.isoformat(), "at") == moment
    assert instant(to_text(moment), "at") == moment


def test_an_offset_may_have_any_minute_of_an_hour() -> None:
    assert instant("2024-01-01T00:59+00:59", "at") == instant("2024-01-01", "at")
    assert instant("2023-12-31T00:01-23:59", "at") == instant("2024-01-01", "at")
    for offset in ("+24:00", "-00:60"):
        with pytest.raises(TrayportValidationError):
            instant(f"2024-01-01T00:59{offset}", "at")


def test_a_month_ends_with_its_last_nanosecond() -> None:
    january, february = instant("2024-01", "at"), instant("2024-02", "at")
    assert months_after(february - 1, 0) == january
    assert months_after(february, 0) == february
    assert isinstance(months_after(february, 0), int)


# --- Changes of the clock


@pytest.mark.parametrize(
    ("local", "fold", "utc"),
    [
        ("2024-03-31T01:59:59", 0, "2024-03-31T00:59:59Z"),
        ("2024-03-31T03:00", 0, "2024-03-31T01:00:00Z"),
        ("2024-10-27T02:30", 0, "2024-10-27T00:30:00Z"),
        ("2024-10-27T02:30", 1, "2024-10-27T01:30:00Z"),
        # a time that no clock showed counts as if the change had not been, or had been already
        ("2024-03-31T02:30", 0, "2024-03-31T01:30:00Z"),
        ("2024-03-31T02:30", 1, "2024-03-31T00:30:00Z"),
    ],
)
def test_a_change_of_the_clock_is_converted_exactly(local: str, fold: int, utc: str) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
    assert to_text(instant(moment, "at")) == utc


@given(seconds, st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]))
def test_the_clocks_of_a_zone_lose_no_instant(moment: int, name: str) -> None:
    there = datetime.fromtimestamp(moment // SECOND, tz=ZoneInfo(name))
    assert instant(there, "at") == moment


class Floating(tzinfo):
    """A zone that does not say how far it is from UTC, so that its times are naive."""

    def utcoffset(self, dt: datetime | None) -> None:
        return None

    dst = utcoffset

    def tzname(self, dt: datetime | None) -> str:
        return "floating"


def test_a_zone_without_an_offset_means_utc() -> None:
    floating = datetime(2024, 1, 1, 12, tzinfo=Floating())
    assert to_text(instant(floating, "at")) == "2024-01-01T12:00:00Z"


@pytest.mark.parametrize(("moment", "hours"), [(datetime.min, 2), (datetime.max, -2)])
def test_a_time_outside_the_calendar_in_utc_is_refused(moment: datetime, hours: int) -> None:
    with pytest.raises(TrayportValidationError, match="is not a time"):
        instant(moment.replace(tzinfo=timezone(timedelta(hours=hours))), "at")


# --- Timestamps of pandas and NumPy


@given(seconds)
def test_timestamps_of_pandas_and_numpy_name_the_same_instant(moment: int) -> None:
    for unit in ("s", "ms", "us", "ns"):
        assert instant(np.datetime64(moment // SECOND, "s").astype(f"M8[{unit}]"), "at") == moment
        stamp = pd.Timestamp(moment, unit="ns").as_unit(cast("Any", unit))
        assert instant(stamp, "at") == moment
        assert instant(stamp.tz_localize("UTC").tz_convert("Asia/Kolkata"), "at") == moment


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        (np.datetime64("2024", "Y"), "2024-01-01T00:00:00Z"),
        (np.datetime64("2024-02", "M"), "2024-02-01T00:00:00Z"),
        (np.datetime64("2024-02-29", "D"), "2024-02-29T00:00:00Z"),
        (np.datetime64("2024-02-29T13", "h"), "2024-02-29T13:00:00Z"),
        (np.datetime64("2400-02-29T13:05", "m"), "2400-02-29T13:05:00Z"),
    ],
)
def test_coarse_times_of_numpy_mean_their_start(moment: np.datetime64, start: str) -> None:
    assert to_text(instant(moment, "at")) == start


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        "2024-01-01T00:00:00.5",
        np.datetime64("2024-01-01T00:00:00.000000001"),
        np.datetime64("2024-01-01T00:00:00.5", "ms"),
        pd.Timestamp("2024-01-01T00:00:00.000000001"),
        pd.Timestamp("2024-01-01T00:00:00.5"),
        1704067200_000000001,
        np.int64(1704067200_500000000),
    ],
)
def test_a_fraction_of_a_second_is_refused_and_not_rounded(moment: Any) -> None:
    is_number = isinstance(moment, int | np.int64)
    whole = "1704067200000000000$" if is_number else "2024-01-01T00:00:00Z$"
    with pytest.raises(TrayportValidationError, match=f"fractional seconds.*: round.*{whole}"):
        instant(moment, "at")


def test_large_whole_numbers_are_nanoseconds() -> None:
    assert to_text(instant(1704067200 * SECOND, "at")) == "2024-01-01T00:00:00Z"
    assert instant(np.uint64(10**17), "at") == 10**17


@pytest.mark.parametrize("number", [1704067200, 1704067200_000, 10**17 - SECOND, 2**63])
def test_numbers_that_may_be_seconds_are_refused(number: int) -> None:
    with pytest.raises(TrayportValidationError, match=r"fromtimestamp\(seconds, UTC\)") as refused:
        instant(number, "at")
    assert refused.value.limit == "from 10**17 (in 1973) to 9223372036854775807"


@pytest.mark.parametrize(
    "value",
    [None, 0, 1.5, True, b"2024", object(), [], ["2024"], {}, pd.NaT, pd.NA, float("nan"),
     np.datetime64("NaT", "ns"), np.datetime64("NaT", "D"), np.int64(2024), np.timedelta64(1, "s"),
     np.array(["2024-01-01"], "M8[s]"), np.array("2024-01-01"),
     np.datetime64("10000-01-01"), np.datetime64("1969-12-31")],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_argument_and_value(value: Any) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        instant(value, "from_")
    assert refused.value.parameter == "from_"
    assert str(refused.value).startswith("from_ ")


def test_numpy_is_not_needed_for_times() -> None:
    code = "import sys, trayport_sdk.query.times; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


# --- Ranges and intervals


@pytest.mark.parametrize("until", ["2024-01-01", "2023-12-31"])
def test_an_empty_or_reversed_range_is_refused(until: str) -> None:
    for kind in (Window, TimeRange):
        with pytest.raises(TrayportValidationError, match="not after from_") as refused:
            kind.between("2024-01-01", until)
        assert refused.value.parameter == "until"


def test_the_data_ends_at_the_start_of_the_day_in_utc_wherever_the_clock_stands() -> None:
    tokyo = datetime(2024, 5, 2, 8, 59, tzinfo=timezone(timedelta(hours=9)))
    end = end_of_data(ENDPOINTS["get_trades"], tokyo, intraday=False)
    assert to_text(end) == "2024-05-01T00:00:00Z"


@given(st.integers(1, 10**9 - 1), st.sampled_from(IntervalUnit))
def test_an_interval_reads_back_from_its_short_text(count: int, unit: IntervalUnit) -> None:
    assert Interval.parse(str(Interval(count, unit))) == Interval(count, unit)
    assert Interval(count, unit.value.upper()) == Interval(count, unit)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "m", "0m", "-1h", "1.5h", "1w", "1 mo", "\uff11m"])
def test_text_that_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        Interval.parse(text)
    assert refused.value.parameter == "interval"


def test_an_interval_of_an_unknown_unit_lists_the_known_ones() -> None:
    with pytest.raises(TrayportValidationError, match="day, hour, minute, month, second"):
        Interval(1, "fortnight")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, 15, 1.5, ["15m"], timedelta(minutes=15), "quarter", b"1m"])
def test_what_is_no_interval_is_refused(value: Any) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        interval_of(value)
    assert refused.value.parameter == "interval"


@pytest.mark.parametrize("count", [0, -1, 1.5, True, None, "1"])
def test_an_interval_has_a_whole_number_of_units(count: Any) -> None:
    with pytest.raises(TrayportValidationError, match="not a whole number"):
        Interval(count, "minute")
    assert Interval(np.int64(15), "minute") == interval_of("15m")


intervals = st.builds(Interval, st.integers(1, 100), st.sampled_from(IntervalUnit))


@given(intervals)
def test_an_interval_is_given_as_a_value_or_as_text(interval: Interval) -> None:
    assert interval_of(interval) == interval_of(str(interval)) == interval


@pytest.mark.parametrize(
    ("text", "length"),
    [("15s", 15), ("5m", 300), ("4h", 14_400), ("7d", 604_800), ("1mo", None)],
)
def test_an_interval_has_a_length_unless_it_is_of_months(text: str, length: int | None) -> None:
    assert interval_of(text).length == (None if length is None else length * SECOND)


@given(seconds, intervals)
def test_a_bar_starts_at_or_before_an_instant_and_no_later_one_does(
    moment: int, interval: Interval
) -> None:
    start = floored(moment, interval)
    assert floored(start, interval) == start <= moment
    if interval.length is None:
        assert moment < months_after(start, 1)
    else:
        assert moment - start < min(interval.length, DAY)


@given(seconds, intervals)
def test_every_midnight_starts_a_bar_unless_bars_are_months(
    moment: int, interval: Interval
) -> None:
    midnight = moment - moment % DAY
    if interval.length is not None:
        assert floored(midnight, interval) == midnight
    assert floored(moment, Interval(1, "day")) == midnight


@given(seconds, st.integers(-12, 36), st.integers(-12, 36))
def test_months_add_up(moment: int, first: int, second: int) -> None:
    moment += 3 * 366 * DAY  # early enough to go back from
    assert months_after(months_after(moment, first), second) == months_after(moment, first + second)
    start, end = months_after(moment, 0), months_after(moment, 1)
    assert start <= moment < end
    assert 28 * DAY <= end - start <= 31 * DAY


@pytest.mark.parametrize(
    ("moment", "count", "start"),
    [("2024-01-31", 1, "2024-02"), ("2024-12-31T23", 1, "2025"), ("2024-03-01", -1, "2024-02"),
     ("2024-05-05", 12, "2025-05"), ("2024-05-05", 0, "2024-05")],
)  # fmt: skip
def test_months_are_counted_from_the_month_of_the_instant(
    moment: str, count: int, start: str
) -> None:
    assert months_after(instant(moment, "at"), count) == instant(start, "at")


# --- Times of tables, and parts of them

NINE = 1709542800 * SECOND  # 2024-03-04T09:00:00Z


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [
        (NINE + 1, NINE + 1),
        (np.int64(NINE + 1), NINE + 1),
        ("2024-03-04T09", NINE),
        ("2024-03-04T09:00:00.5Z", NINE + 5 * 10**8),
        ("2024-03-04T10:00:00.000000001+01:00", NINE + 1),
        (date(2024, 3, 4), NINE - 9 * 3600 * 10**9),
        (datetime(2024, 3, 4, 9, 0, 0, 7, tzinfo=UTC), NINE + 7000),
        (datetime(2024, 3, 4, 10, 0, 0, 7, tzinfo=timezone(timedelta(hours=1))), NINE + 7000),
        (pd.Timestamp(NINE + 3, unit="ns", tz="UTC"), NINE + 3),
        (pd.Timestamp(NINE + 3, unit="ns", tz="Europe/Berlin"), NINE + 3),
        (np.datetime64(NINE + 3, "ns"), NINE + 3),
    ],
)
def test_a_time_is_exact_to_the_nanosecond(value: Any, nanoseconds: int) -> None:
    assert exact_instant(value, "at") == nanoseconds


@given(st.integers(0, 2**62))
def test_a_nanosecond_survives_every_form(instant: int) -> None:
    assert instant < 10**17 or exact_instant(instant, "at") == instant
    assert exact_instant(np.datetime64(instant, "ns"), "at") == instant
    assert exact_instant(pd.Timestamp(instant, unit="ns"), "at") == instant


@pytest.mark.parametrize(
    "value",
    [-1, True, 1.5, None, "soon", pd.NaT, np.datetime64("NaT", "ns"), "9.5", 10**17 - 1, 2**63],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(TrayportValidationError) as caught:
        exact_instant(value, "at")
    assert caught.value.parameter == "at"


@given(st.integers(0, 2**63 - 1), st.sampled_from([1, 1000, 10**6, 10**8, SECOND]))
@example(2**63 - 1, 1)
@example(NINE - 1, 1)
def test_the_text_of_an_instant_reads_back_and_is_no_longer_than_it_must_be(
    moment: int, step: int
) -> None:
    moment -= moment % step
    text = exact_text(moment)
    assert exact_instant(text, "at") == moment
    assert re.fullmatch(r"[^.]{19}(\.\d*[1-9])?Z", text)
    assert text[:19] == to_text(moment)[:19]
    assert moment < 10**17 or exact_instant(moment, "at") == moment


def test_a_window_says_where_it_starts_and_ends() -> None:
    assert str(Window(NINE, NINE + DAY)) == "2024-03-04T09:00:00Z to 2024-03-05T09:00:00Z"


def test_a_range_that_is_left_out_is_that_of_the_windows() -> None:
    windows = [Window(DAY, 2 * DAY), Window(2 * DAY, 4 * DAY)]
    assert TimeRange.over(None, None, windows) == TimeRange(DAY, 4 * DAY)
    assert TimeRange.over("1970-01-03", None, windows) == TimeRange(2 * DAY, 4 * DAY)
    assert TimeRange.over(None, "1970-01-03", windows) == TimeRange(DAY, 2 * DAY)
    assert TimeRange.over(None, None, []) == TimeRange(None, None)


@pytest.mark.parametrize(
    ("length", "hours"),
    [("36h", 36), ("7d", 168), (" 2W ", 336), ("90m", 1.5), (timedelta(hours=1), 1)],
)
def test_lengths_of_time(length: str | timedelta, hours: float) -> None:
    assert duration_of(length, "last") == hours * 3600 * SECOND


@pytest.mark.parametrize(
    "length",
    ["", "d", "7", "7x", "-7d", "1.5h", "٣d", "0d", "9" * 20 + "d", "9" * 5000 + "d", 7, None,
     timedelta(0), timedelta(days=-1)],
)  # fmt: skip
def test_what_is_no_length_of_time_is_refused(length: Any) -> None:
    with pytest.raises(TrayportValidationError, match=r"last .* is no length of time"):
        duration_of(length, "last")
