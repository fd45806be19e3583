"""Rolls against a slow computation that asks at every instant which contract is the front one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk import ContractSpec, TrayportValidationError, Window
from trayport_sdk.query.plan import QueryPlan
from trayport_sdk.query.planner import cut
from trayport_sdk.query.times import DAY, Interval, instant, months_after
from trayport_sdk.resources.rolls import (
    Listed,
    Segment,
    ceiled,
    days_needed,
    ends_by_expiry,
    ends_by_volume,
    expiring,
    fronts,
    requests_for,
    segments,
)

START = instant("2024-01-01", "from_")
HOUR = DAY // 24


def listed_at(*ends: float) -> list[Listed]:
    """Periods whose trading ends so many days after the start."""
    return [
        Listed(
            contract=ContractSpec(market_id=1, sequence_id=2, sequence_item_id=number),
            name=f"TTF* {number}",
            period=f"{number}",
            period_start=START + round(end * DAY),
            period_end=None,
            trading_start=START - 100 * DAY,
            trading_end=START + round(end * DAY),
        )
        for number, end in enumerate(ends, 1)
    ]


endings = st.lists(st.integers(1, 200), min_size=3, max_size=12, unique=True).map(
    lambda hours: [hour / 4 for hour in sorted(hours)]
)


@given(endings, st.integers(1, 3), st.integers(0, 40), st.integers(1, 40), st.data())
def test_every_hour_belongs_to_the_contract_that_comes_so_many_after_the_front_one(
    ends: list[float], rank: int, begin: int, hours: int, data: st.DataObject
) -> None:
    days_before = data.draw(st.none() | st.integers(0, 3))
    listed = expiring(reversed(listed_at(*ends)))
    window = Window(START + begin * HOUR, START + (begin + hours) * HOUR)
    rolled = ends_by_expiry(listed, days_before)

    def at(moment: int) -> Listed | None:
        """Counts the periods that are not over."""
        left = []
        for one in listed:
            end = one.trading_end or 0
            if days_before is not None:
                end = end // DAY * DAY - days_before * DAY
            if end > moment:
                left.append(one)
        return left[rank - 1] if len(left) >= rank else None

    moments = range(window.start, window.end, HOUR)
    if None in (wanted := [at(moment) for moment in moments]):
        with pytest.raises(TrayportValidationError, match=f"rank {rank} of TTF"):
            segments(listed, rolled, window, rank, "TTF")
        return
    parts = segments(listed, rolled, window, rank, "TTF")
    found = [
        part.listed
        for moment in moments
        for part in parts
        if part.window.start <= moment < part.window.end
    ]
    assert found == wanted
    assert [part.window.end for part in parts[:-1]] == [part.window.start for part in parts[1:]]


@given(endings, st.sampled_from(["1d", "4h", "7d", "1mo"]), st.integers(0, 9))
def test_bars_stay_whole(ends: list[float], interval: str, first: int) -> None:
    """A roll waits for the first end of a bar of the range that it does not come after."""
    grid = Interval.parse(interval)
    origin = instant("2024-01", "from_") if interval == "1mo" else START + first * DAY
    bars = [origin]
    while bars[-1] < START + 60 * DAY:
        step = grid.length
        bars.append(months_after(bars[-1], 1) if step is None else bars[-1] + step)
    found = ends_by_expiry(listed_at(*ends), grid=grid, origin=origin)
    for one in listed_at(*ends):
        if (one.trading_end or 0) > origin:
            assert found[one.contract] == min(bar for bar in bars if bar >= (one.trading_end or 0))


def test_an_end_on_the_grid_stays_where_it_is() -> None:
    assert ceiled(START, Interval(1, "day")) == START
    assert ceiled(START + 1, Interval(1, "month")) == instant("2024-02", "until")


volumes = st.lists(st.floats(0, 9) | st.none(), min_size=60, max_size=60)


@given(endings, st.integers(0, 30), st.integers(1, 20), st.data())
def test_volumes_of_days_that_are_over_decide(
    ends: list[float], begin: int, length: int, data: st.DataObject
) -> None:
    listed = listed_at(*ends)
    expiries = ends_by_expiry(listed)
    window = Window(START + begin * DAY, START + (begin + length) * DAY)
    found = fronts(listed, expiries, window)
    by_day = {
        one.contract: {
            START + day * DAY: volume
            for day, volume in enumerate(data.draw(volumes))
            if volume is not None
        }
        for one in listed
    }
    rolled = ends_by_volume(found, expiries, by_day)
    needed = days_needed(found)
    for place, front in enumerate(listed[:-1]):
        own, others = by_day[front.contract], by_day[listed[place + 1].contract]
        start = listed[place - 1].trading_end or 0 if place else START - 100 * DAY
        end = front.trading_end or 0
        if start >= window.end or end <= window.start:
            assert rolled[front.contract] == expiries[front.contract]
            continue
        day = start // DAY * DAY
        while day < end:
            if others.get(day, 0) > own.get(day, 0):
                assert rolled[front.contract] == min(day + DAY, end)
                # What decided was asked for.
                for contract in (front.contract, listed[place + 1].contract):
                    assert needed[contract].start <= day < needed[contract].end
                break
            day += DAY
        else:
            assert rolled[front.contract] == end


@pytest.mark.parametrize(
    ("ends", "window", "requests"),
    [
        ([31, 60, 91], (0, 91), 3),  # a month each
        ([31, 60, 91], (10, 74), 2),  # two together, where three would be alone
        (range(1, 95), (0, 90), 3),  # days, 32 at a time
        ([200], (0, 90), 3),
        ([45, 46, 47], (0, 32), 1),
    ],
)
def test_requests_are_the_fewest(
    ends: Sequence[int], window: tuple[int, int], requests: int
) -> None:
    listed = listed_at(*ends, 300)
    whole = Window(START + window[0] * DAY, START + window[1] * DAY)
    parts = segments(listed, ends_by_expiry(listed), whole, 1, "TTF")
    query = QueryPlan(endpoint="trades", window=whole)
    plans = requests_for(query, parts)
    assert len(plans) == requests == len(list(cut(query.operation, whole)))
    assert_covered(plans, parts)
    # Candles cannot share a request, so each segment has its own.
    candles = evolve(query, endpoint="ohlcv", interval=Interval(1, "day"))
    assert len(requests_for(candles, parts)) == len(parts)


def assert_covered(plans: Sequence[QueryPlan], parts: Sequence[Segment]) -> None:
    for part in parts:
        covered = part.window.start
        for request in sorted(plans, key=lambda one: one.window or part.window):
            window = request.window
            is_part = part.listed.contract in request.contracts
            if is_part and window is not None and window.start <= covered:
                covered = max(covered, window.end)
        assert covered >= part.window.end
