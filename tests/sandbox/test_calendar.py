import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.sandbox.market import at, day
from trayport_sdk.sandbox.calendar import (
    DAY,
    EUROPE,
    HOUR,
    LONDON,
    NEW_YORK,
    SINGAPORE,
    TOKYO,
    Session,
    business_days_before,
    date_of,
    easter_sunday,
    is_business_day,
)


@pytest.mark.parametrize(
    "easter", ["2005-03-27", "2008-03-23", "2011-04-24", "2024-03-31", "2026-04-05", "2038-04-25"]
)
def test_easter_falls_on_its_sunday(easter: str) -> None:
    date = dt.date.fromisoformat(easter)
    assert easter_sunday(date.year) == date


@pytest.mark.parametrize(
    "closed",
    ["2024-01-01", "2024-03-29", "2024-04-01", "2023-12-25", "2023-12-26", "2024-06-01"],
)
def test_nobody_works_on_holidays_and_weekends(closed: str) -> None:
    assert not is_business_day(day(closed))


def test_an_ordinary_weekday_is_a_business_day() -> None:
    assert all(is_business_day(day(f"2024-06-0{n}")) for n in range(3, 8))


def test_business_days_are_counted_back_over_weekends() -> None:
    before = business_days_before(np.array([day("2024-07-01")]), 2)
    assert date_of(int(before[0])) == dt.date(2024, 6, 27)


def test_summer_time_moves_the_session_in_utc() -> None:
    assert EUROPE.bounds(day("2024-01-15"))[0] == at("2024-01-15T07:00")
    assert EUROPE.bounds(day("2024-07-15"))[0] == at("2024-07-15T06:00")


@pytest.mark.parametrize("session", [EUROPE, LONDON, NEW_YORK, SINGAPORE, TOKYO])
def test_a_session_lies_within_one_utc_day_and_begins_on_a_whole_hour(session: Session) -> None:
    for number in range(day("2023-01-01"), day("2025-01-01")):
        opens, closes = session.bounds(number)
        assert number * DAY <= opens < closes <= (number + 1) * DAY
        assert opens % HOUR == 0
        clock = dt.datetime.fromtimestamp(opens // 10**9, ZoneInfo(session.zone))
        assert clock.hour == session.opens
