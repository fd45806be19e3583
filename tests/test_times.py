from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trayport_api.models import IntervalUnit

from trayport_sdk.errors import TrayportValidationError
from trayport_sdk.times import DAY, SECOND, Interval, Window, data_cutoff, instant, to_text

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


def test_a_datetime_with_microseconds_is_refused() -> None:
    with pytest.raises(TrayportValidationError, match="fractional seconds"):
        instant(datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "from_")


def test_dates_and_naive_datetimes_mean_utc() -> None:
    assert instant(date(2024, 1, 1), "from_") == instant(datetime(2024, 1, 1), "from_")
    assert instant(date(2024, 1, 1), "from_") == instant("2024-01-01T00:00:00Z", "from_")


@given(seconds, zones)
def test_text_and_datetimes_of_any_zone_name_the_same_instant(moment: int, zone: timezone) -> None:
    there = datetime.fromtimestamp(moment // SECOND, tz=zone)
    assert instant(there, "at") == moment
    assert instant(there.isoformat(), "at") == moment
    assert instant(to_text(moment), "at") == moment


@given(seconds, st.integers(1, 200 * DAY // SECOND), st.integers(1, 40))
def test_windows_tile_a_range_exactly_and_none_is_too_long(
    start: int, length: int, max_days: int
) -> None:
    whole = Window(start, start + length * SECOND)
    windows = whole.cut(max_days)
    assert windows[0].start == whole.start
    assert windows[-1].end == whole.end
    assert all(left.end == right.start for left, right in pairwise(windows))
    assert all(0 < w.end - w.start <= max_days * DAY for w in windows)
    assert len(windows) == -(-(whole.end - whole.start) // (max_days * DAY))


@pytest.mark.parametrize("until", ["2024-01-01", "2023-12-31"])
def test_an_empty_or_reversed_range_is_refused(until: str) -> None:
    with pytest.raises(TrayportValidationError, match="not after") as refused:
        Window.between("2024-01-01", until)
    assert refused.value.parameter == "until"


def test_the_data_ends_at_the_start_of_the_day_in_utc_wherever_the_clock_stands() -> None:
    tokyo = datetime(2024, 5, 2, 8, 59, tzinfo=timezone(timedelta(hours=9)))
    assert to_text(data_cutoff(tokyo)) == "2024-05-01T00:00:00Z"


@given(st.integers(1, 10**9 - 1), st.sampled_from(IntervalUnit))
def test_an_interval_reads_back_from_its_short_text(count: int, unit: IntervalUnit) -> None:
    assert Interval.parse(str(Interval(count, unit))) == Interval(count, unit)
    assert Interval(count, unit.value.upper()) == Interval(count, unit)


@pytest.mark.parametrize("text", ["", "m", "0m", "-1h", "1.5h", "1w", "1 mo", "\uff11m"])
def test_text_that_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        Interval.parse(text)
    assert refused.value.parameter == "interval"


def test_an_interval_of_an_unknown_unit_lists_the_known_ones() -> None:
    with pytest.raises(TrayportValidationError, match="day, hour, minute, month, second"):
        Interval(1, "fortnight")
