"""The limiter on virtual time: windows, order, priorities, recovery."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import virtual_time
from tests.virtual_time import clock, clock_for_threads
from trayport_sdk.errors import TrayportLimiterError
from trayport_sdk.http import limiter as module
from trayport_sdk.http.allowance import Look, Store, StoreError, Taken
from trayport_sdk.http.limiter import RequestLimiter, shared_limiter
from trayport_sdk.http.line import PASSED_OVER, PRIORITIES, Priority
from trayport_sdk.http.pace import Limits
from trayport_sdk.http.stores import MemoryStore

KEY = "s3cret-key"
DEFAULT = Limits(6, 360)


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(a <= b < a + seconds for b in moments) for a in moments)


async def granted(
    limiter: RequestLimiter, priorities: Iterable[Priority]
) -> list[tuple[float, int]]:
    """When each request was granted, and which one it was, in the order of the grants."""
    order: list[tuple[float, int]] = []

    async def one(place: int, priority: Priority) -> None:
        await limiter.acquire(priority)
        order.append((clock(), place))

    await asyncio.gather(*(one(*each) for each in enumerate(priorities)))
    return order


def test_no_window_is_ever_exceeded_and_the_allowance_is_used() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        moments = [when for when, _ in await granted(limiter, ["normal"] * 500)]
        assert most_within(moments, 0.5) == 3
        assert most_within(moments, 1.0) == 6
        assert most_within(moments, 60.0) <= 360
        assert (len(moments) - 1) / (moments[-1] - moments[0]) >= 6 * 0.97

    virtual_time.run(main())


@settings(max_examples=60, deadline=None)
@given(
    st.builds(Limits, st.integers(1, 8), st.integers(1, 480), st.booleans()),
    st.lists(st.floats(0, 3), min_size=1, max_size=40),
)
def test_windows_hold_however_requests_come(limits: Limits, gaps: list[float]) -> None:
    async def main() -> list[float]:
        limiter = RequestLimiter(limits, clock=clock)
        moments: list[float] = []

        async def one() -> None:
            await limiter.acquire()
            moments.append(clock())

        async with asyncio.TaskGroup() as tasks:
            for gap in gaps:
                await asyncio.sleep(gap)
                tasks.create_task(one())
        return moments

    moments = virtual_time.run(main())
    assert len(moments) == len(gaps)
    for window in limits.windows:
        assert most_within(moments, window.milliseconds / 1000) <= window.limit


def test_whoever_comes_first_goes_first() -> None:
    async def main() -> None:
        order = await granted(RequestLimiter(DEFAULT, clock=clock), ["normal"] * 50)
        assert [place for _, place in order] == list(range(50))

    virtual_time.run(main())


def test_a_higher_priority_goes_first() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        await limiter.acquire()
        mixed: list[Priority] = ["low", "normal", "high"] * 3
        order = [mixed[place] for _, place in await granted(limiter, mixed)]
        assert order == ["high"] * 3 + ["normal"] * 3 + ["low"] * 3

    virtual_time.run(main())


def test_nobody_starves() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(6, 360), clock=clock)
        done = asyncio.Event()
        passed = 0

        async def crowd() -> None:
            nonlocal passed
            while not done.is_set():
                await limiter.acquire("high")
                passed += 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(10):
                tasks.create_task(crowd())
            await asyncio.sleep(5)
            before = passed
            await limiter.acquire("low")
            assert passed - before <= PASSED_OVER + 1
            before = passed
            await asyncio.gather(limiter.acquire("normal"), limiter.acquire("low"))
            assert passed - before <= 2 * PASSED_OVER
            done.set()

    virtual_time.run(main())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=60))
def test_within_a_priority_the_order_is_kept(mixed: list[Priority]) -> None:
    order = virtual_time.run(granted(RequestLimiter(DEFAULT, clock=clock), mixed))
    for priority in PRIORITIES:
        places = [place for _, place in order if mixed[place] == priority]
        assert places == sorted(places)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 19)), st.floats(0, 3))
def test_who_gives_up_uses_nothing_and_holds_nobody_up(quitters: set[int], after: float) -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        moments: dict[int, float] = {}

        async def one(place: int) -> None:
            await limiter.acquire()
            moments[place] = clock()

        tasks = [asyncio.create_task(one(place)) for place in range(20)]
        await asyncio.sleep(after)
        for place in quitters:
            tasks[place].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert {place for place, task in enumerate(tasks) if not task.cancelled()} == set(moments)
        assert set(range(20)) - quitters <= set(moments)
        assert limiter.status().grants == len(moments)
        start = min(moments.values(), default=clock())
        times = sorted(moments.values())
        # As if those who gave up had never come.
        alone = RequestLimiter(DEFAULT, clock=clock)
        expected = [when for when, _ in await granted(alone, ["normal"] * len(times))]
        if len(times) > 1 and not quitters & set(moments):
            lasted, optimal = times[-1] - start, expected[-1] - expected[0]
            assert lasted <= max(optimal, after) + 0.6

    virtual_time.run(main())


def test_a_grant_that_meets_a_cancellation_goes_to_the_next() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        await limiter.acquire()
        first = asyncio.create_task(limiter.acquire())
        second = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        due = limiter._line._timers[loop].when()
        # In the same turn of the loop, after the grant and before the task hears of it.
        loop.call_at(due + 1e-10, first.cancel)
        await second
        assert clock() == pytest.approx(due, abs=0.001)
        assert first.cancelled()
        assert limiter.status().grants == 2

    virtual_time.run(main())


def test_too_fast_pauses_everybody_then_halves_the_rate_then_recovers() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        grant = await limiter.acquire()
        told = clock()
        assert await limiter.slow_down(7.0, grant) == 0.5
        moments = [when for when, _ in await granted(limiter, ["normal"] * 300)]
        assert moments[0] - told >= 7.0
        assert moments[0] - told < 7.05
        rate = {
            share: sum(a <= when - told - 7 < b for when in moments) / (b - a)
            for share, a, b in ((0.5, 0, 5), (0.75, 10, 15), (1.0, 25, 35))
        }
        for share, measured in rate.items():
            assert 0.85 * share * 6 <= measured <= share * 6 + 0.3
        assert limiter.status().share == 1.0

    virtual_time.run(main())


def test_a_burst_that_was_too_fast_is_halved_once() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        grants = [await limiter.acquire() for _ in range(6)]
        shares = [await limiter.slow_down(1.0, grant) for grant in grants]
        assert shares == [0.5] * 6
        late = await limiter.acquire()
        assert await limiter.slow_down(1.0, late) == 0.25

    virtual_time.run(main())


def test_a_pause_without_a_grant_halves_nothing() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        await limiter.acquire()
        assert await limiter.slow_down(3.0) == 1.0
        assert limiter.status().paused == 3.0

    virtual_time.run(main())


def test_nearly_using_up_the_documented_limit_slows_down() -> None:
    async def use(limits: Limits) -> list[float]:
        limiter = RequestLimiter(limits, clock=clock)
        return [when for when, _ in await granted(limiter, ["normal"] * 900)]

    careful = virtual_time.run(use(Limits(8, 480)))
    careless = virtual_time.run(use(Limits(8, 480, emergency=False)))
    assert most_within(careful, 60.0) < most_within(careless, 60.0) <= 480
    assert careful[431] == pytest.approx(careless[431])  # up to 90 % of the minute nothing differs


def test_limits_change_while_requests_wait() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        started = clock()
        waiting = asyncio.create_task(granted(limiter, ["normal"] * 30))
        await asyncio.sleep(2.0)
        limiter.configure(Limits(8, 480))
        await waiting
        assert clock() - started < 7.0

    virtual_time.run(main())


def test_the_status_shows_every_window_and_the_queue() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        for _ in range(3):
            await limiter.acquire()
        tasks = [asyncio.create_task(limiter.acquire("low")) for _ in range(4)]
        await asyncio.sleep(0.1)
        status = limiter.status()
        assert [(w.seconds, w.limit, w.used) for w in status.windows] == [
            (0.5, 3, 3),
            (1.0, 6, 3),
            (60.0, 360, 3),
        ]
        assert status.queued == {"high": 0, "normal": 0, "low": 4}
        started = clock()
        await tasks[0]
        assert clock() - started == pytest.approx(status.next_grant, abs=0.005)
        assert (status.share, status.paused, status.store) == (1.0, 0.0, "memory")
        await asyncio.gather(*tasks)

    virtual_time.run(main())


def test_nothing_spins() -> None:
    class Counting(MemoryStore):
        asked = 0

        def take(self, limits: Limits) -> Taken:
            self.asked += 1
            return super().take(limits)

    async def main() -> None:
        store = Counting(clock)
        await granted(RequestLimiter(DEFAULT, store, clock=clock), ["normal"] * 100)
        assert store.asked < 3 * 100

    virtual_time.run(main())


def test_event_loops_of_several_threads_share_the_windows() -> None:
    limits = Limits(40, 2400)  # no request leaves: the limits of the service do not matter here
    limiter = RequestLimiter(limits)
    moments: list[float] = []

    async def work() -> None:
        for _ in range(10):
            await limiter.acquire()
            moments.append(limiter.status().grants)

    threads = [threading.Thread(target=lambda: asyncio.run(work())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(moments) == 40
    assert limiter.status().grants == 40


def test_a_loop_that_was_closed_holds_nobody_up() -> None:
    limiter = RequestLimiter(Limits(40, 2400))
    loop = asyncio.new_event_loop()

    async def enter() -> None:
        for _ in range(20):
            await limiter.acquire()
        abandoned = [asyncio.ensure_future(limiter.acquire()) for _ in range(5)]
        await asyncio.sleep(0)
        assert not abandoned[-1].done()
        for task in abandoned:
            # As a loop does that is closed without ceremony.
            task._log_destroy_pending = False  # type: ignore[attr-defined]

    loop.run_until_complete(enter())
    loop.close()
    asyncio.run(limiter.acquire())


class Away(Store):
    """A shared store that cannot be reached, until it can."""

    name = "away"
    remote = True

    def __init__(self) -> None:
        self.back = False
        self.asked = 0

    def take(self, limits: Limits) -> Taken:
        self.asked += 1
        if not self.back:
            raise StoreError("nobody there")
        return Taken(0, 0)

    def slow_down(self, pause: int, granted: int) -> float:
        raise StoreError("nobody there")

    def look(self, limits: Limits) -> Look:
        raise StoreError("nobody there")

    def after_fork(self, limits: Limits) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


def test_a_store_that_is_away_is_a_clear_error() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, Away(), clock=clock_for_threads())
        results = await asyncio.gather(
            *(limiter.acquire() for _ in range(3)), return_exceptions=True
        )
        for error in results:
            assert isinstance(error, TrayportLimiterError)
            assert "nobody there" in str(error)
            assert "limiter_store" in str(error)
        assert limiter.status().problem == "nobody there"

    virtual_time.run(main())


def test_a_store_that_is_away_may_be_replaced_by_a_slow_pace_until_it_is_back() -> None:
    async def main() -> None:
        store = Away()
        limiter = RequestLimiter(DEFAULT, store, fallback="slow", clock=clock_for_threads())
        moments = [when for when, _ in await granted(limiter, ["normal"] * 40)]
        assert most_within(moments, 1.0) == 1
        assert most_within(moments, 60.0) <= 36
        assert await limiter.slow_down(0.0) == 1.0
        store.back = True
        await asyncio.sleep(10)
        before = clock()
        await granted(limiter, ["normal"] * 5)
        assert clock() - before < 1
        assert limiter._problem == ""

    virtual_time.run(main())


def test_a_store_that_fails_in_an_unknown_way_leaves_nobody_waiting() -> None:
    class Broken(Away):
        def take(self, limits: Limits) -> Taken:
            raise ZeroDivisionError

    async def main() -> None:
        with pytest.raises(TrayportLimiterError, match="ZeroDivisionError"):
            await RequestLimiter(DEFAULT, Broken(), clock=clock_for_threads()).acquire()

    virtual_time.run(main())


def test_clients_with_one_key_and_host_share_a_limiter_and_others_do_not() -> None:
    one = shared_limiter(KEY, "a.example", DEFAULT)
    assert shared_limiter(KEY, "a.example", DEFAULT) is one
    assert shared_limiter(KEY, "b.example", DEFAULT) is not one
    assert shared_limiter("another", "a.example", DEFAULT) is not one
    assert shared_limiter(KEY, "a.example", DEFAULT, store="sqlite:////tmp/x.db") is not one


def test_the_registry_does_not_hold_the_key() -> None:
    shared_limiter(KEY, "a.example", DEFAULT)
    assert KEY not in repr(vars(module))
