from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk import TrayportValidationError, Window
from trayport_sdk.query.times import TimeRange, exact_instant

DAY = 86_400 * 10**9
NINE = 1709542800 * 10**9  # 2024-03-04T09:00:00Z


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
    assert exact_instant(instant, "at") == instant
    assert exact_instant(np.datetime64(instant, "ns"), "at") == instant
    assert exact_instant(pd.Timestamp(instant, unit="ns"), "at") == instant


@pytest.mark.parametrize(
    "value", [-1, True, 1.5, None, "soon", pd.NaT, np.datetime64("NaT", "ns"), "9.5"]
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(TrayportValidationError) as caught:
        exact_instant(value, "at")
    assert caught.value.parameter == "at"


@pytest.mark.parametrize("until", ["2024-03-04", "2024-03-03"])
def test_a_range_that_is_empty_or_reversed_is_refused(until: str) -> None:
    with pytest.raises(TrayportValidationError, match="not after from_") as caught:
        TimeRange.between("2024-03-04", until)
    assert caught.value.parameter == "until"


def test_a_range_that_is_left_out_is_that_of_the_windows() -> None:
    windows = [Window(DAY, 2 * DAY), Window(2 * DAY, 4 * DAY)]
    assert TimeRange.over(None, None, windows) == TimeRange(DAY, 4 * DAY)
    assert TimeRange.over("1970-01-03", None, windows) == TimeRange(2 * DAY, 4 * DAY)
    assert TimeRange.over(None, "1970-01-03", windows) == TimeRange(DAY, 2 * DAY)
    assert TimeRange.over(None, None, []) == TimeRange(None, None)
