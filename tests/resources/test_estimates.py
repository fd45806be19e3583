"""How long a plan waits for the limiter, and what is told of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trayport_spec import REQUEST_LIMITS

from tests import virtual_time
from tests.drawn import examples
from tests.virtual_time import clock
from trayport_sdk import ContractSpec, Interval
from trayport_sdk.http.limiter import RequestLimiter
from trayport_sdk.http.limiter.limits import JITTER_PADDING, Limits
from trayport_sdk.query.plan import BulkMarketQuery, QueryPlan
from trayport_sdk.query.planner import plan
from trayport_sdk.query.times import DAY, Window
from trayport_sdk.resources.estimates import SHOWN, duration, explain, in_words
from trayport_sdk.telemetry.status import LimiterStatus, WindowUse

IDLE = LimiterStatus(
    windows=(WindowUse(0.5, 3, 0), WindowUse(1, 6, 0), WindowUse(60, 360, 0)),
    queued={"high": 0, "normal": 0, "low": 0},
    next_grant=0,
    share=1,
    paused=0,
    grants=0,
)


def used(*counts: int, next_grant: float = 0, paused: float = 0) -> LimiterStatus:
    windows = tuple(evolve(w, used=u) for w, u in zip(IDLE.windows, counts, strict=True))
    return evolve(IDLE, windows=windows, next_grant=next_grant, paused=paused)


def seconds(requests: int, status: LimiterStatus) -> float:
    return duration(requests, status).total_seconds()


statuses = st.builds(
    lambda limits, share, used, **more: LimiterStatus(
        windows=tuple(
            WindowUse(w.milliseconds / 1000, w.limit, min(w.limit, used)) for w in limits.windows
        ),
        share=share,
        grants=used,
        **more,
    ),
    st.builds(Limits, st.integers(1, 8), st.integers(1, 480)),
    st.sampled_from([0.125, 0.25, 0.5, 0.625, 1.0]),
    st.integers(0, 480),
    queued=st.dictionaries(st.sampled_from(["high", "normal", "low"]), st.integers(0, 50)),
    next_grant=st.floats(0, 60),
    paused=st.floats(0, 60),
)


def test_without_requests_or_without_a_limiter_nothing_waits() -> None:
    assert duration(10_000, None) == timedelta()
    assert duration(0, used(3, 6, 360, paused=30)) == timedelta()


def test_the_first_request_of_an_idle_key_leaves_at_once() -> None:
    assert seconds(1, IDLE) == 0


def test_many_requests_take_as_long_as_the_rate_says_and_a_little_longer() -> None:
    assert 1 <= seconds(6 * 3600, IDLE) / 3600 < 1.1


def test_a_key_that_has_used_its_minute_waits_for_it_where_the_minute_is_what_limits() -> None:
    windows = (WindowUse(0.5, 3, 3), WindowUse(1, 6, 6), WindowUse(60, 60, 60))
    full = evolve(IDLE, windows=windows)
    half = evolve(IDLE, windows=tuple(evolve(w, used=w.used // 2) for w in windows))
    fresh = evolve(IDLE, windows=tuple(evolve(w, used=0) for w in windows))
    assert seconds(10, fresh) < seconds(10, half) < 10 < 50 < seconds(10, full) < 60


def test_a_key_that_has_used_half_of_its_minute_goes_on_at_its_rate() -> None:
    assert 10 <= seconds(60, used(3, 6, 180)) <= 12


def test_those_that_wait_already_go_first() -> None:
    queue = evolve(IDLE, queued={"high": 0, "normal": 50, "low": 10})
    assert seconds(40, queue) == seconds(100, IDLE)


def test_a_pause_comes_on_top() -> None:
    assert seconds(100, used(0, 0, 0, paused=25)) == pytest.approx(25 + seconds(100, IDLE))


def test_half_of_the_rate_takes_twice_as_long_until_it_has_recovered() -> None:
    halved = evolve(IDLE, share=0.5)
    assert 1 <= seconds(3, halved) <= 2
    assert seconds(30, IDLE) * 1.9 <= seconds(30, halved) <= seconds(30, IDLE) * 3.1
    assert seconds(3600, halved) <= seconds(3600, IDLE) + 25


def test_the_next_grant_is_waited_for() -> None:
    assert seconds(1, used(3, 6, 360, next_grant=20.0)) >= 20


@given(statuses, st.integers(0, 5000), st.integers(0, 5000))
def test_more_requests_never_take_less_time(status: LimiterStatus, one: int, other: int) -> None:
    few, many = sorted([one, other])
    assert duration(few, status) <= duration(many, status)


async def promised_and_taken(
    limits: Limits, before: int, pause: float, rest: float, requests: int
) -> tuple[float, float, float]:
    """What is estimated for a key with a past, what its limiter then takes, and how old that is."""
    limiter = RequestLimiter(limits, clock=clock)
    began = clock()
    grants = [await limiter.acquire() for _ in range(before)]
    if pause and grants:
        await limiter.slow_down(pause, grants[-1])
    await asyncio.sleep(rest)
    promised = seconds(requests, limiter.status())
    started = clock()
    await asyncio.gather(*(limiter.acquire() for _ in range(requests)))
    return promised, clock() - started, started - began


every_limit = st.builds(
    Limits,
    st.integers(1, REQUEST_LIMITS.per_second),
    st.integers(1, REQUEST_LIMITS.per_minute),
    st.booleans(),
    st.booleans(),
) | st.sampled_from(
    [Limits(6, 360), Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute, evenly=False)]
)


@settings(max_examples=examples(60))
@given(
    every_limit,
    st.just(0) | st.integers(0, 400),
    st.sampled_from([0, 0, 10]),
    st.just(0) | st.floats(0, 60),
    st.integers(1, 20) | st.integers(1, 600),
)
@example(Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute), 0, 0, 0, 1500)
@example(Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute, evenly=False), 12, 0, 0, 50)
@example(Limits(3, 180), 0, 0, 0, 2)
@example(Limits(1, 1), 1, 10, 0, 2)
def test_the_limiter_never_takes_longer_than_estimated(
    limits: Limits, before: int, pause: float, rest: float, requests: int
) -> None:
    main = promised_and_taken(limits, before, pause, rest, requests)
    promised, taken, past = virtual_time.run(main)
    # What has left a minute as it is promised, but not the longer one that is kept, is not told of.
    forgotten = 60 * (JITTER_PADDING - 1) + 0.1 if before and past > 59 else 0.0
    assert taken <= promised + forgotten + 0.001
    if not before:
        assert promised <= taken * 1.12 + 1
    # The least favourable past is one minute and a recovery away from the most favourable one.
    assert promised <= taken * 1.12 + 66 + 40


# --- In words


def months(count: int) -> tuple[ContractSpec, ...]:
    return tuple(
        ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
        for item in range(200, 200 + count)
    )


WEEK = Window.between("2024-03-04", "2024-03-11")
NO_TIME = timedelta()


def test_one_of_each_is_not_told_in_the_plural() -> None:
    plans = plan(QueryPlan(endpoint="trades", contracts=months(1), window=WEEK))
    assert explain(plans, NO_TIME).splitlines() == [
        "1 request for 1 contract: 1 ParallelContractQuery; no wait for the rate limit",
        "",
        "kind                   endpoint  about                            from"
        "                  until",
        "ParallelContractQuery  trades    10000065*#Single#10000305#200#0  2024-03-04T00:00:00Z"
        "  2024-03-11T00:00:00Z",
    ]


def test_kinds_are_counted_and_a_huge_plan_takes_few_lines() -> None:
    odd = ContractSpec(instrument_id=5, sequence_id=10000305, sequence_item_id=200)
    query = QueryPlan(
        endpoint="trades",
        contracts=(*months(5000), odd),
        window=Window(WEEK.start, WEEK.start + 365 * DAY),
    )
    plans = plan(query)
    first, *rest = explain(plans, timedelta(minutes=4)).splitlines()
    bulk = len(plans) - len([one for one in plans if one.contracts == (odd,)])
    assert first == (
        f"{len(plans):,} requests for 5,001 contracts: {bulk:,} BulkSequenceItemQuery, "
        f"{len(plans) - bulk} ParallelContractQuery; up to 4 min of waiting for the rate limit"
    )
    assert len(rest) == SHOWN + 3
    assert rest[-1] == f"and {len(plans) - SHOWN:,} more requests"
    assert explain(plans[: SHOWN + 1], NO_TIME).endswith("and 1 more request")
    assert "more request" not in explain(plans[:SHOWN], NO_TIME)


def test_an_instant_stands_in_the_table_without_an_end() -> None:
    plans = plan(QueryPlan(endpoint="snapshots", contracts=months(2), at=WEEK.start))
    assert explain(plans, NO_TIME).endswith("#200#0 and 1 more  2024-03-04T00:00:00Z")


def test_a_whole_market_is_told_by_its_ids() -> None:
    own = BulkMarketQuery(endpoint="private_trades", contracts=months(3), market_id=7, window=WEEK)
    assert "market 7, for 3 contracts" in explain([own], NO_TIME)
    hours = QueryPlan(endpoint="activity", window=WEEK, interval=Interval(1, "hour"))
    assert "everything" in explain([hours], NO_TIME)


def test_no_plan_is_told_as_none() -> None:
    assert explain([], NO_TIME) == "0 requests for 0 contracts"


@pytest.mark.parametrize(
    ("took", "words"),
    [
        (timedelta(seconds=0.1), "1 s"),
        (timedelta(seconds=26.2), "27 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(seconds=119.5), "2 min"),
        (timedelta(minutes=11, seconds=1), "12 min"),
        (timedelta(minutes=119.5), "2 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(hours=47, seconds=1), "2 days"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_a_length_of_time_is_told_in_the_unit_that_suits_it(took: timedelta, words: str) -> None:
    assert in_words(took) == words
