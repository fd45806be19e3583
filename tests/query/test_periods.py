"""Delivery periods as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk.query.periods import Ahead, Period, days_at, parse, parse_two, plain, squeezed
from trayport_sdk.sandbox.catalogue import catalogue

SAME = [
    "Apr-24 | apr 24 | APR24 | April 2024 | april-2024 | 2024-04 | 2024-4 | 04/2024 | 4/2024 | "
    "2024 Apr | J24 | j2024 | 04/24 | 4/24 | Apr/24 | Apr '24 | Apr. 24 | apr_24 | Apr\u201324",
    "Sep-24 | sept 24 | September 2024 | 2024-09",
    "Dec-24 | Z24 | December 24 | dec2024 | 12/2024",
    "Jan-24 | F24",
    "Feb-24 | G24",
    "Mar-24 | H24",
    "May-24 | K24",
    "Jun-24 | M24 | m2024",
    "Jul-24 | N24",
    "Aug-24 | Q24",
    "Sep-25 | U25",
    "Oct-24 | V24",
    "Nov-24 | X24",
    "Q2-24 | Q2/24 | q2 24 | Q2 2024 | 2Q24 | 2q 2024 | 2024-Q2 | 2024q2 | Q2'24",
    "Sum-24 | Summer 24 | sum 2024 | SUMMER-2024 | S24 | 2024 summer",
    "Win-24 | Winter 2024 | win 24/25 | Winter 2024/2025 | W24",
    "Cal-25 | cal 25 | CAL25 | Calendar 2025 | 2025 | Year 2025 | Y25 | yr 25 | CY-25",
    "GY-24 | Gas Year 2024 | gy 24/25",
    "WK14-24 | week 14 2024 | w14-24 | 2024-W14 | Wk 14 24",
    "WE14-24 | weekend 14 2024",
    "01-Apr-24 | 1 Apr 24 | 1 april 2024 | 2024-04-01",
]
NONE = [
    "", "Apr", "Day Ahead", "51.6", "TTF", "13/2024", "2024-13", "Q5-24", "31-Feb-24", "WK54-24",
    "Sum-24/25", "win 24/26", "Apr-2", "M+", "Cal", "0+1", "Hi Cal 51.6", "24-04", "/",
    "M12", "W1", "Q1", "04/05", "24/25", "13/24", "I24", "J4", "Q 2024",
]  # fmt: skip


@pytest.mark.parametrize("names", SAME, ids=lambda names: names.partition(" |")[0])
def test_a_period_has_many_names(names: str) -> None:
    first, *others = names.split(" | ")
    period = parse(first)
    assert isinstance(period, Period)
    assert {name: parse(name) for name in others} == dict.fromkeys(others, period)


def test_periods_of_different_names_are_different() -> None:
    periods = [parse(names.partition(" | ")[0]) for names in SAME]
    assert len(set(periods)) == len(SAME)


@pytest.mark.parametrize("text", NONE)
def test_what_names_no_period_is_none(text: str) -> None:
    assert parse(text) is None


DAY = date(2024, 3, 31)
AHEAD = {
    "M+1": "Apr-24", "m + 2": "May-24", "month ahead": "Apr-24", "M+10": "Jan-25",
    "Q+1": "Q2-24", "quarter+4": "Q1-25", "S+1": "Sum-24", "S+2": "Win-24", "Y+1": "Cal-25",
    "cal+2": "Cal-26", "year ahead": "Cal-25", "GY+1": "GY-24", "W+1": "WK14-24",
    "D+1": "01-Apr-24", "m1": "Apr-24", "M2": "May-24", "Y1": "Cal-25", "D1": "01-Apr-24",
}  # fmt: skip


@pytest.mark.parametrize(("text", "name"), AHEAD.items())
def test_relative_periods_count_from_the_current_one(text: str, name: str) -> None:
    ahead = parse(text)
    assert isinstance(ahead, Ahead)
    assert ahead.at(DAY) == parse(name)


@pytest.mark.parametrize("text", ["front month", "Front-Month", "prompt month", "nearest month"])
def test_the_front_has_no_number(text: str) -> None:
    assert parse(text) == Ahead("month", None)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("Apr-24/May-24", "Apr-24", "May-24"),
        ("apr / may 24", "Apr-24", "May-24"),
        ("Dec/Jan-25", "Dec-24", "Jan-25"),
        ("Nov/Mar-25", "Nov-24", "Mar-25"),
        ("Q4/Q1-25", "Q4-24", "Q1-25"),
        ("May/Apr-24", "May-24", "Apr-24"),
        ("Sep/Apr 2024", "Sep-24", "Apr-24"),
        ("Q3/Q2-24", "Q3-24", "Q2-24"),
        ("Jan/Dec-24", "Jan-24", "Dec-24"),
        ("Q1/Q2-24", "Q1-24", "Q2-24"),
        ("Sum/Win-24", "Sum-24", "Win-24"),
        ("Win/Sum 25", "Win-24", "Sum-25"),
        ("Cal-25/Cal-26", "Cal-25", "Cal-26"),
        ("Cal 25/26", "Cal-25", "Cal-26"),
        ("Apr 24/25", "Apr-24", "Apr-25"),
        ("M+1/M+2", "M+1", "M+2"),
        ("m1/m2", "M+1", "M+2"),
        ("Apr 24 - May 24", "Apr-24", "May-24"),
        ("Apr-24 vs May-24", "Apr-24", "May-24"),
        ("Apr - May 24", "Apr-24", "May-24"),
        ("J24/K24", "Apr-24", "May-24"),
    ],
)
def test_a_spread_has_two(text: str, near: str, far: str) -> None:
    assert parse_two(text) == (parse(near), parse(far))


@pytest.mark.parametrize(
    "text",
    ["Apr-24", "Apr-24/", "/Apr-24", "Foo/Apr-24", "Sat/Sun", "Win 24 - 25", "Apr-24 to May-24"],
)
def test_what_is_no_spread_is_none(text: str) -> None:
    assert parse_two(text) is None


def test_the_day_is_that_of_the_place_where_a_currency_is_traded() -> None:
    days = days_at(datetime(2024, 3, 31, 22, 30, tzinfo=UTC))
    late = {currency for currency, day in days.items() if day == date(2024, 4, 1)}
    assert late == {"EUR", "JPY"}
    assert {days["GBP"], days["USD"], days["UTC"]} == {date(2024, 3, 31)}


DATED = [item for s in catalogue().sequences.values() if not s.rolling for item in s.items]


@given(st.sampled_from(DATED), st.sampled_from([str, str.upper, str.lower]))
def test_every_dated_item_of_the_sandbox_names_its_period(item: object, case: object) -> None:
    name = item.name  # type: ignore[attr-defined]
    period = parse(case(name))  # type: ignore[operator]
    assert isinstance(period, Period)
    assert period == parse(name)


@given(st.text(max_size=30))
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse(text)
    parse_two(text)
    assert squeezed(squeezed(text)) == squeezed(text) or not text.isascii()
    assert plain(plain(text)) == plain(text) or not text.isascii()
