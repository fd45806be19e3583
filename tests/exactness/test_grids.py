"""However candles and books are cut, their rows are those of the whole, on the same grid.

As for trades: drawn questions, both readings of `until`, every column exactly, as multisets.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trayport_spec.options import EndpointName

from tests.exactness.questions import (
    EPOCHS,
    TTF,
    TTF_EEX,
    YEARS,
    ColumnFilter,
    Question,
    around,
    cases,
    check_plan,
    ranges,
    smalls,
    spellings,
)
from tests.exactness.world import DAY, SECOND, World, at, parts, table
from trayport_sdk import ContractSpec, Interval, TrayportClient
from trayport_sdk.query.times import months_after

pytestmark = pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportHistoryWarning")

readings = pytest.mark.parametrize("inclusive", [False, True], ids=["exclusive", "inclusive"])
CANDLES: Sequence[ColumnFilter] = (
    {},
    {"include_empty_buckets": True},
    {"optional_fields": ["vwap", "openTimestamp", "closeTimestamp"]},
    {"include_empty_buckets": True, "optional_fields": ["vwap", "closeTimestamp"]},
)
BOOKS: Sequence[ColumnFilter] = (
    {},
    {"include_empty_buckets": True},
    {"routes": "all", "optional_fields": ["routeId", "venueCode"]},
    {"routes": "all", "deduplicate_routes": False, "optional_fields": ["venueCode", "route"]},
)
DEEP: Sequence[ColumnFilter] = (
    {"depth": 3},
    {"max_spread": 0.5, "depth": 100},
    {"include_private": True},
    {"include_private": True, "routes": "all", "deduplicate_routes": False, "depth": 4},
)
# Traded about ten times a day for years.
SPARSE = [
    ContractSpec.parse(f"{product}#Single#{YEARS}#{25}#0") for product in (f"{TTF}*", TTF_EEX)
]


@st.composite
def candles(draw: st.DrawFn, world: World) -> Question:
    """Candles shorter than a day."""
    epoch = draw(st.sampled_from(EPOCHS))
    contracts = draw(st.lists(st.sampled_from(epoch.contracts), min_size=1, max_size=2))
    interval = Interval.parse(draw(st.sampled_from(("1m", "5m", "15m", "30m", "1h", "4h"))))
    length = interval.length or 0
    # The longest range is no multiple of four hours, unlike the windows.
    small = draw(smalls(4, 7) if length >= 900 * SECOND else smalls(1, 2))
    window = small.longest // length * length
    times = draw(around(world, epoch, contracts[0]))
    start, end = draw(ranges(times, window, length))
    return Question(
        endpoint="ohlcv",
        contracts=tuple(dict.fromkeys(contracts)),
        start=start,
        end=end,
        spelling=draw(spellings),
        small=small,
        options=draw(st.sampled_from(CANDLES)),
        interval=str(interval),
    )


@st.composite
def long_candles(draw: st.DrawFn) -> Question:
    """Candles of days, weeks and months, from any midnight, of weeks also to any."""
    interval = draw(st.sampled_from(("1d", "7d", "1mo")))
    if interval == "1mo":
        first = at("2023-10-01T00:00")
        start = months_after(first, draw(st.integers(0, 8)))
        end = months_after(start, draw(st.integers(1, 7)))
        small = draw(smalls(31, 95, DAY))
    else:
        start = at("2024-02-01T00:00") + draw(st.integers(0, 60)) * DAY
        end = start + draw(st.integers(1, 50)) * DAY
        small = draw(smalls(7, 22, DAY))
    return Question(
        endpoint="ohlcv",
        contracts=tuple(SPARSE[: draw(st.integers(1, 2))]),
        start=start,
        end=end,
        spelling=draw(spellings),
        small=small,
        options=draw(st.sampled_from(CANDLES)),
        interval=interval,
    )


@st.composite
def books(draw: st.DrawFn, world: World, endpoint: EndpointName) -> Question:
    """Books at points that divide nothing evenly, some of them farther apart than a request."""
    epoch = draw(st.sampled_from(EPOCHS))
    contracts = draw(st.lists(st.sampled_from(epoch.contracts), min_size=1, max_size=2))
    every = st.one_of(
        st.integers(1, 5000).map(lambda count: Interval(count, "second")),
        st.integers(1, 200).map(lambda count: Interval(count, "minute")),
        st.integers(1, 7).map(lambda count: Interval(count, "hour")),
    )
    interval = draw(every)
    length = interval.length or 0
    small = draw(smalls())
    window = min(small.longest // length or 1, small.points) * length
    times = draw(around(world, epoch, contracts[0]))
    start, end = draw(ranges(times, window))
    return Question(
        endpoint=endpoint,
        contracts=tuple(dict.fromkeys(contracts)),
        start=start,
        end=end,
        spelling=draw(spellings),
        small=small,
        options=draw(st.sampled_from(BOOKS if endpoint == "order_book_top" else (*BOOKS, *DEEP))),
        interval=str(interval),
    )


def method(client: TrayportClient, endpoint: str) -> Any:
    group = client.trades if endpoint == "ohlcv" else client.orders
    return getattr(group, f"get_{endpoint}")


def check_call(world: World, inclusive: bool, question: Question) -> None:
    """The method of the endpoint brings the rows of the whole."""
    call = method(world.clients[inclusive], question.endpoint)
    contract = question.contracts[0]
    with question.small.in_force():
        coming = call(contract, *question.range, interval=question.interval, **question.options)
        found = world.run(coming).to_polars(nested=True)
    assert table(found) == question.whole(world, **parts(contract))
    assert found[found.columns[0]].is_sorted()


@readings
@cases(80)
@given(data=st.data())
def test_candles(world: World, inclusive: bool, data: st.DataObject) -> None:
    check_call(world, inclusive, data.draw(candles(world)))


@readings
@cases(50)
@given(question=long_candles())
def test_long_candles(world: World, inclusive: bool, question: Question) -> None:
    check_call(world, inclusive, question)


@readings
@cases(60)
@given(data=st.data())
def test_plans_of_candles(world: World, inclusive: bool, data: st.DataObject) -> None:
    question = data.draw(st.one_of(candles(world), long_candles()))
    check_plan(world, inclusive, data, question)


@readings
@pytest.mark.parametrize("endpoint", ["order_book_top", "order_book"])
@cases(80)
@given(data=st.data())
def test_books(world: World, endpoint: EndpointName, inclusive: bool, data: st.DataObject) -> None:
    check_call(world, inclusive, data.draw(books(world, endpoint)))


@readings
@pytest.mark.parametrize("endpoint", ["order_book_top", "order_book"])
@cases(50)
@given(data=st.data())
def test_plans_of_books(
    world: World, endpoint: EndpointName, inclusive: bool, data: st.DataObject
) -> None:
    check_plan(world, inclusive, data, data.draw(books(world, endpoint)))
