"""Windows, and how a key that was too fast recovers: pure arithmetic."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import InMemoryBucket, Rate
from trayport_spec import REQUEST_LIMITS

from trayport_sdk.http.limiter.limits import (
    SLOWEST_SHARE,
    STEP_MILLISECONDS,
    STEP_SHARE,
    Limits,
    Quota,
    Slowdown,
)

JITTER = 60

allowances = st.builds(
    Limits,
    st.integers(1, REQUEST_LIMITS.per_second),
    st.integers(1, REQUEST_LIMITS.per_minute),
    st.booleans(),
)


def test_the_default_is_three_six_and_three_hundred_and_sixty() -> None:
    limits = Limits(6, 360)
    assert [(w.limit, w.milliseconds) for w in limits.windows] == [
        (3, 500),
        (6, 1_000),
        (360, 60_000),
    ]


def test_raising_the_limit_raises_the_burst_with_it() -> None:
    assert Limits(8, 480).burst == 4
    assert Limits(7, 480).burst == 4
    assert Limits(1, 60).burst == 1


@given(allowances)
def test_every_promised_window_is_kept_by_those_that_are_enforced(limits: Limits) -> None:
    for window in limits.windows:
        assert any(
            quota.limit <= window.limit and quota.milliseconds >= window.milliseconds
            for quota in limits.quotas()
        )


# A number of grants and their milliseconds.
MILLISECONDS = [
    (Limits(6, 360), [(1, 153), (3, 510), (6, 1020), (360, 61_200)]),
    (Limits(6, 360, evenly=False), [(3, 533), (6, 1066), (360, 63_960)]),
    (Limits(7, 420), [(1, 131), (4, 524), (7, 1020), (420, 61_200)]),
    (Limits(8, 480), [(4, 533), (8, 1066), (480, 63_960)]),
    (Limits(5, 300, evenly=False), [(3, 510), (5, 1020), (300, 61_200)]),
    (Limits(3, 200), [(1, 306), (2, 612), (3, 1020), (180, 61_200)]),
    (Limits(2, 30), [(1, 510), (2, 1020), (30, 61_200)]),
    (Limits(1, 60), [(1, 1020), (60, 61_200)]),
    (Limits(1, 1), [(1, 61_200)]),
    (Limits(9, 540), [(1, 102), (5, 510), (9, 1020), (540, 61_200)]),
    (Limits(2000, 120_000), [(1000, 510), (2000, 1020), (120_000, 61_200)]),
]


@pytest.mark.parametrize(("limits", "quotas"), MILLISECONDS)
def test_windows_are_enforced_to_the_millisecond(
    limits: Limits, quotas: list[tuple[int, int]]
) -> None:
    assert [(q.limit, q.milliseconds) for q in limits.quotas()] == quotas
    limit, length = quotas[-1]
    for share in (0.125, 0.3, 0.875):
        assert limits.spacing(share) == Quota(1, math.ceil(length / limit / share))


def test_other_paddings_stretch_what_is_not_stretched_further_already() -> None:
    assert [q.milliseconds for q in Limits(6, 360).quotas(1.03)] == [154, 515, 1030, 61_800]
    assert Limits(8, 480).quotas(1.03) == Limits(8, 480).quotas()
    assert Limits(8, 480).quotas(1.2)[0] == Quota(4, 600)


def test_limits_that_are_scaled_keep_what_is_no_number_and_one_request_at_least() -> None:
    plain = Limits(6, 360, evenly=False, emergency=False)
    assert plain.scaled(0.5) == Limits(3, 180, evenly=False, emergency=False)
    assert Limits(6, 360).scaled(0.1) == Limits(1, 36)
    assert Limits(6, 9).scaled(0.1) == Limits(1, 1)


@pytest.mark.parametrize(
    ("limits", "crowd"),
    [
        (Limits(6, 360), (Quota(432, 60_000),)),
        (Limits(8, 480), (Quota(432, 60_000),)),
        (Limits(8, 481), ()),
        (Limits(9, 480), ()),
        (Limits(8, 480, emergency=False), ()),
    ],
)
def test_nine_tenths_of_the_documented_minute_are_nearly_all(
    limits: Limits, crowd: tuple[Quota, ...]
) -> None:
    assert limits.emergency_quotas == crowd


@given(allowances)
def test_the_library_takes_every_list_of_windows(limits: Limits) -> None:
    InMemoryBucket([Rate(q.limit, q.milliseconds - 1) for q in limits.quotas()])


@given(allowances, st.floats(SLOWEST_SHARE, 0.99))
def test_a_share_of_the_rate_is_evenly_spaced(limits: Limits, share: float) -> None:
    one, gap = limits.spacing(share).limit, limits.spacing(share).milliseconds
    rate = min(limits.per_second, limits.per_minute / 60)
    assert one == 1
    assert 0.9 * share * rate <= 1000 / gap <= share * rate


def greedy(quotas: tuple[Quota, ...], until: int) -> list[int]:
    """The times of grants of a caller that tries every millisecond."""
    granted: list[int] = []
    now = 0
    while now < until:
        earliest = [granted[-q.limit] + q.milliseconds for q in quotas if len(granted) >= q.limit]
        now = max([now, *earliest])
        granted.append(now)
    return granted


@given(allowances)
def test_arrivals_under_jitter_stay_within_what_is_documented(limits: Limits) -> None:
    granted = greedy(limits.quotas(), 130_000)
    for most, length in ((REQUEST_LIMITS.per_second, 1_000), (REQUEST_LIMITS.per_minute, 60_000)):
        for first, later in zip(granted, granted[most:], strict=False):
            # The first is delayed by all of the jitter, the later one by none of it.
            assert later - first > length + JITTER - 1


def test_the_default_allowance_is_used_to_97_percent() -> None:
    granted = greedy(Limits(6, 360).quotas(), 600_000)
    assert len(granted) / 600 >= 6 * 0.97


def test_sixty_requests_at_the_documented_limit_take_less_than_seven_and_a_half_seconds() -> None:
    limits = Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)
    granted = greedy(limits.quotas(), 60_000)
    assert granted[59] <= 7_500


def test_even_requests_leave_one_at_a_time() -> None:
    granted = greedy(Limits(6, 360).quotas(), 10_000)
    gaps = [later - first for first, later in pairwise(granted)]
    assert min(gaps) > 150
    uneven = greedy(Limits(6, 360, evenly=False).quotas(), 10_000)
    assert uneven[:3] == [0, 0, 0]


def test_the_default_never_crowds_the_documented_limits() -> None:
    limits = Limits(6, 360)
    granted = greedy(limits.quotas(), 200_000)
    for crowd in limits.emergency_quotas:
        for first, later in zip(granted, granted[crowd.limit - 1 :], strict=False):
            assert later - first >= crowd.milliseconds


def test_what_is_beyond_the_documented_limits_is_no_emergency() -> None:
    assert Limits(REQUEST_LIMITS.per_second * 10, 100_000).emergency_quotas == ()
    assert Limits(6, 360, emergency=False).emergency_quotas == ()


@given(allowances)
def test_the_windows_alone_keep_the_documented_second_from_being_used_up(limits: Limits) -> None:
    # Every process counts what all were granted: a full second comes from one that allows it.
    granted = greedy(limits.quotas(), 10_000)
    for first, last in zip(granted, granted[REQUEST_LIMITS.per_second :], strict=False):
        assert last - first > 1_000
    assert all(crowd.milliseconds == 60_000 for crowd in limits.emergency_quotas)


@given(allowances, allowances)
def test_the_strictest_limits_keep_every_allowance(mine: Limits, theirs: Limits) -> None:
    both = Limits.strictest([mine, theirs])
    assert both == Limits.strictest([theirs, mine])
    for limits in (mine, theirs):
        for window, kept in zip(limits.windows, both.windows, strict=True):
            assert kept.limit <= window.limit
    assert both.per_second == min(mine.per_second, theirs.per_second)
    assert both.per_minute == min(mine.per_minute, theirs.per_minute)
    assert both.evenly == (mine.evenly or theirs.evenly)
    calm = [Limits(1, 1, emergency=False)] * 2
    assert not Limits.strictest(calm).emergency
    assert Limits.strictest([*calm, Limits(1, 1)]).emergency


def test_the_minute_that_is_promised_is_the_one_that_is_enforced() -> None:
    assert Limits(2, 360).windows[-1].limit == Limits(2, 360).quotas()[-1].limit == 120


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**7))
def test_a_slowdown_halves_once_and_recovers_step_by_step(now: int, pause: int, later: int) -> None:
    slow = Slowdown().slower(now, pause, granted=now)
    assert (slow.share, slow.until) == (0.5, now + pause)
    assert slow.share_at(slow.until) == 0.5
    again = slow.slower(now + 1, pause, granted=now)  # granted before it was halved
    assert again.share == 0.5
    steps = later // STEP_MILLISECONDS
    assert slow.share_at(slow.until + later) == min(1.0, 0.5 + steps * STEP_SHARE)


def test_a_key_that_stays_too_fast_slows_down_to_an_end() -> None:
    slow = Slowdown()
    for now in range(0, 20_000, 1_000):
        slow = slow.slower(now, 0, granted=now)
    assert slow.share == SLOWEST_SHARE


def test_a_pause_of_before_the_clock_was_set_back_lasts_no_longer_than_it_was_said() -> None:
    slow = Slowdown().slower(9_000_000, 5_000, granted=9_000_000)
    again = slow.restamped(1_000)
    assert (again.until, again.since, again.reported) == (6_000, 1_000, 1_000)
    assert slow.restamped(9_000_000) is slow
    assert again.slower(2_000, 0, granted=1_500).share == 0.25
