"""The limiter on virtual time: windows, order, priorities, recovery."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests import virtual_time
from tests.drawn import examples
from tests.virtual_time import clock, clock_for_threads
from trayport_sdk.errors import (
    TrayportConfigurationError,
    TrayportLimiterError,
    TrayportRateLimitError,
    TrayportValidationError,
)
from trayport_sdk.http import limiter as module
from trayport_sdk.http.limiter import RequestLimiter, limiter_for
from trayport_sdk.http.limiter.limits import NEVER, Limits
from trayport_sdk.http.limiter.queue import PASSED_OVER, PRIORITIES, Priority
from trayport_sdk.http.limiter.stores import (
    Look,
    MemoryStore,
    SqliteStore,
    Store,
    StoreError,
    Taken,
)

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


@settings(max_examples=examples(60))
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


@settings(max_examples=examples(60))
@given(st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=60))
def test_within_a_priority_the_order_is_kept(mixed: list[Priority]) -> None:
    order = virtual_time.run(granted(RequestLimiter(DEFAULT, clock=clock), mixed))
    for priority in PRIORITIES:
        places = [place for _, place in order if mixed[place] == priority]
        assert places == sorted(places)


@settings(max_examples=examples(60))
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
        due = clock() + limiter.status().next_grant
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
        slowed_at = clock()
        assert await limiter.slow_down(7.0, grant) == 0.5
        moments = [when for when, _ in await granted(limiter, ["normal"] * 300)]
        assert moments[0] - slowed_at >= 7.0
        assert moments[0] - slowed_at < 7.05
        rate = {
            share: sum(a <= when - slowed_at - 7 < b for when in moments) / (b - a)
            for share, a, b in ((0.5, 0, 5), (0.75, 10, 15), (1.0, 25, 35))
        }
        for share, measured in rate.items():
            assert 0.85 * share * 6 <= measured <= share * 6 + 0.3
        assert limiter.status().share == 1.0

    virtual_time.run(main())


def test_limits_change_while_requests_wait() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        started = clock()
        waiting = asyncio.create_task(granted(limiter, ["normal"] * 30))
        await asyncio.sleep(2.0)
        limiter.configure(main, Limits(8, 480), "error")
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
        takes = 0

        def take(self, limits: Limits, ahead: int = 0) -> Taken:
            self.takes += 1
            return super().take(limits, ahead)

    async def main() -> None:
        store = Counting(clock)
        await granted(RequestLimiter(DEFAULT, store, clock=clock), ["normal"] * 100)
        assert store.takes < 3 * 100

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
        self.takes = 0

    def take(self, limits: Limits, ahead: int = 0) -> Taken:
        self.takes += 1
        if not self.back:
            raise StoreError("nobody there")
        return Taken(0, 0)

    def start(self, name: str, limits: Limits) -> Taken:
        raise StoreError("nobody there")

    def finish(self, name: str) -> None:
        raise StoreError("nobody there")

    def slow_down(self, pause: int, granted: int) -> float:
        raise StoreError("nobody there")

    def look(self, limits: Limits) -> Look:
        if not self.back:
            raise StoreError("nobody there")
        return Look((0, 0, 0), 0, 0, 1.0)

    def after_fork(self, limits: Limits) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


def test_a_store_that_is_away_is_a_clear_error(caplog: pytest.LogCaptureFixture) -> None:
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
    assert caplog.messages == ["the store of the allowance cannot be used: nobody there"]


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
        assert limiter.status().problem == ""

    virtual_time.run(main())


def test_what_a_substitute_granted_at_once_is_sent_by_it() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, Away(), fallback="slow", clock=clock_for_threads())
        await limiter.slow_down(0.0)  # from now on the store is known to be away
        grant = await limiter.acquire()
        assert grant.queued == 0
        assert await limiter.start_sending(grant) is grant
        limiter.sent(grant)
        limiter.close()

    virtual_time.run(main())


def test_a_shared_store_is_asked_once_for_each_request() -> None:
    async def main() -> None:
        store = Away()
        store.back = True
        limiter = RequestLimiter(DEFAULT, store, clock=clock_for_threads())
        await granted(limiter, ["normal"] * 5)
        limiter.close()
        assert (store.takes, limiter.status().grants) == (5, 5)

    virtual_time.run(main())


def test_without_the_library_of_redis_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trayport_sdk.errors.find_spec", lambda _: None)
    with pytest.raises(TrayportConfigurationError, match="limiter_store needs redis") as refused:
        limiter_for(SecretStr(KEY), "no.redis", SecretStr("redis://127.0.0.1:1/0"))
    assert refused.value.suggestion == "pip install 'trayport-sdk[redis]'"


def test_a_store_that_fails_in_an_unknown_way_leaves_nobody_waiting() -> None:
    class Broken(Away):
        def take(self, limits: Limits, ahead: int = 0) -> Taken:
            raise ZeroDivisionError

    async def main() -> None:
        with pytest.raises(TrayportLimiterError, match="ZeroDivisionError"):
            await RequestLimiter(DEFAULT, Broken(), clock=clock_for_threads()).acquire()

    virtual_time.run(main())


def test_clients_with_one_key_and_host_share_a_limiter_and_others_do_not() -> None:
    one = limiter_for(SecretStr(KEY), "a.example")
    assert limiter_for(SecretStr(KEY), "a.example") is one
    assert limiter_for(SecretStr(KEY), "b.example") is not one
    assert limiter_for(SecretStr("another"), "a.example") is not one


class Client:
    """Somebody who owns a limiter."""


def limits_in(limiter: RequestLimiter) -> list[int]:
    return [window.limit for window in limiter.status().windows]


def test_the_strictest_of_the_living_clients_limits_hold() -> None:
    limiter = RequestLimiter(DEFAULT)
    fast, slow = Client(), Client()
    limiter.configure(fast, Limits(8, 480, evenly=False), "slow")
    assert limits_in(limiter) == [4, 8, 480]
    assert limiter.fallback == "slow"
    limiter.configure(slow, Limits(2, 360), "error")
    assert limits_in(limiter) == [1, 2, 120]
    assert (limiter.limits.evenly, limiter.fallback) == (True, "error")
    limiter.configure(fast, Limits(1, 480), "slow")
    assert limits_in(limiter) == [1, 1, 60]
    limiter.release(fast)
    limiter.release(fast)
    assert limits_in(limiter) == [1, 2, 120]
    limiter.release(slow)
    assert limits_in(limiter) == [3, 6, 360]


def test_a_client_that_was_forgotten_stops_counting() -> None:
    limiter = RequestLimiter(DEFAULT)
    fast, slow = Client(), Client()
    limiter.configure(fast, Limits(8, 480), "error")
    limiter.configure(slow, Limits(1, 60), "error")
    del slow
    gc.collect()
    assert limits_in(limiter) == [4, 8, 480]


def test_a_change_of_the_limits_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    limiter, client = RequestLimiter(DEFAULT), Client()
    with caplog.at_level(logging.DEBUG, "trayport_sdk"):
        limiter.configure(client, DEFAULT, "error")
        assert caplog.messages == []
        limiter.configure(client, Limits(2, 120), "error")
    (said,) = caplog.messages
    assert "per_second=6" in said
    assert "per_second=2" in said


def test_one_process_counts_a_key_in_one_place(tmp_path: Path) -> None:
    client = Client()
    file = f"sqlite:///{tmp_path}/s3cret.db"
    memory = limiter_for(SecretStr(KEY), "c.example")
    memory.configure(client, DEFAULT, "error")
    with pytest.raises(TrayportConfigurationError, match=r"one place.*memory.*sqlite") as caught:
        limiter_for(SecretStr(KEY), "c.example", SecretStr(file))
    assert "s3cret" not in str(caught.value)
    assert "close the other client" in caught.value.suggestion
    memory.release(client)
    counted = limiter_for(SecretStr(KEY), "c.example", SecretStr(file))
    assert counted is not memory
    assert counted.status().store == "sqlite"
    counted.configure(client, DEFAULT, "error")
    with pytest.raises(TrayportConfigurationError, match="another one"):
        limiter_for(SecretStr(KEY), "c.example", SecretStr(f"{file}.other"))
    del client
    gc.collect()
    assert limiter_for(SecretStr(KEY), "c.example") is not counted


def test_thread_and_file_go_with_the_last_client_and_come_back(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "grants.db"), "a")
    limiter = RequestLimiter(Limits(40, 2400), store)
    first, last = Client(), Client()
    before = set(threading.enumerate())
    for _ in range(2):
        limiter.configure(first, Limits(40, 2400), "error")
        limiter.configure(last, Limits(40, 2400), "error")
        asyncio.run(anything(limiter))
        (thread,) = set(threading.enumerate()) - before
        assert thread.name.startswith("trayport-limiter")
        limiter.release(first)
        assert store._connection is not None
        limiter.release(last)
        thread.join(30)
        assert not thread.is_alive()
        assert store._connection is None
    assert limiter.status().windows[-1].used == 2
    limiter.close()


async def anything(limiter: RequestLimiter) -> None:
    await limiter.acquire()


def test_a_long_pause_is_no_wait_for_whoever_has_no_patience() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        await limiter.acquire()
        patient = asyncio.create_task(limiter.acquire())
        waiting = [asyncio.create_task(limiter.acquire(max_pause=60.0)) for _ in range(3)]
        await asyncio.sleep(0.1)
        started = clock()
        await limiter.slow_down(3600.0)
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, TrayportRateLimitError)
            assert (error.status_code, error.retry_after) == (429, 3600.0)
            assert "its requests pause for another 3600 s" in str(error)
        with pytest.raises(TrayportRateLimitError):  # a timer is set already
            await limiter.acquire(max_pause=3000.0)
        assert clock() == pytest.approx(started, abs=0.01)
        await limiter.acquire(max_pause=3601.0)
        await patient
        assert clock() - started >= 3600.0

    virtual_time.run(main())


def test_a_wait_for_a_window_needs_no_patience() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        await asyncio.gather(*(limiter.acquire(max_pause=0.0) for _ in range(5)))

    virtual_time.run(main())


def test_a_pause_that_another_process_was_told_is_no_wait_either(tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path / "grants.db")
        mine, theirs = SqliteStore(path, "a"), SqliteStore(path, "a")
        limiter = RequestLimiter(DEFAULT, mine)
        theirs.slow_down(3_600_000, NEVER)
        patient = asyncio.create_task(limiter.acquire())
        for _ in range(2):
            with pytest.raises(TrayportRateLimitError) as caught:
                await limiter.acquire(max_pause=60.0)
            assert caught.value.retry_after == pytest.approx(3600.0, abs=30)
        patient.cancel()
        limiter.close()
        theirs.close()

    asyncio.run(main())


def test_a_refusal_that_meets_a_cancellation_refuses_nobody_else() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        await limiter.acquire()
        refused = asyncio.create_task(limiter.acquire(max_pause=1.0))
        patient = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        await limiter.slow_down(5.0)
        loop.call_at(loop.time() + 1e-10, refused.cancel)
        started = clock()
        await patient
        assert clock() - started >= 4.9

    virtual_time.run(main())


def test_a_grant_that_is_given_back_goes_to_the_next() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        grant = await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(2)]
        await asyncio.sleep(0)
        limiter.give_back(grant)
        started = clock()
        assert (await waiting[0]).moment == grant.moment
        assert clock() == started
        spent = await waiting[1]
        limiter.give_back(spent)
        limiter.give_back(spent)
        started = clock()
        await limiter.acquire()
        assert clock() - started >= 1.0
        assert limiter.status().grants == 3

    virtual_time.run(main())


def test_a_grant_that_is_given_back_late_or_in_a_pause_is_spent() -> None:
    async def main() -> None:
        limiter = RequestLimiter(Limits(1, 60), clock=clock)
        grant = await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.5)
        limiter.give_back(grant)
        await asyncio.sleep(0.1)
        assert not waiting.done()
        grant = await waiting
        waiting = asyncio.create_task(limiter.acquire())
        await limiter.slow_down(30.0)
        limiter.give_back(grant)
        await asyncio.sleep(20.0)
        assert not waiting.done()
        await waiting

    virtual_time.run(main())


def test_loops_that_end_with_a_cancelled_waiter_leave_nothing_behind() -> None:
    limiter = RequestLimiter(Limits(1, 60))

    async def give_up() -> None:
        limiter_task = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.001)
        limiter_task.cancel()

    asyncio.run(anything(limiter))
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []
    for _ in range(10):
        with asyncio.Runner() as runner:
            loops.append(weakref.ref(runner.get_loop()))
            runner.run(give_up())
    del runner
    gc.collect()
    assert [loop() for loop in loops] == [None] * 10


def test_a_priority_that_does_not_exist_is_a_clear_error() -> None:
    async def main() -> None:
        urgent = cast("Priority", "urgent")
        with pytest.raises(TrayportValidationError, match="'high', 'normal', 'low'") as caught:
            await RequestLimiter(DEFAULT).acquire(urgent)
        assert caught.value.parameter == "priority"

    asyncio.run(main())


def test_the_registry_does_not_hold_the_key() -> None:
    limiter_for(SecretStr(KEY), "a.example", SecretStr("sqlite:///s3cret.db"))
    assert KEY not in repr(vars(module._registry))
    assert "s3cret" not in repr(vars(module._registry))


def test_what_is_counted_in_memory_is_counted_in_a_file_meanwhile(tmp_path: Path) -> None:
    limits, file = Limits(6, 100), str(tmp_path / "counts")

    async def main() -> None:
        limiter = RequestLimiter(limits, clock=clock_for_threads(), allowance="key")

        def used() -> int:
            return limiter.status().windows[-1].used

        grants = [await limiter.acquire() for _ in range(10)]
        with limiter.in_file(file) as path, limiter.in_file("another") as nested:
            assert path == nested == file  # the one that is open
            worker = RequestLimiter(
                limits, SqliteStore(file, "key", clock_for_threads()), clock=clock_for_threads()
            )
            assert (used(), worker.status().windows[-1].used) == (10, 10)
            for _ in range(5):
                await worker.acquire()
            # A grant from before the file was opened can still be used.
            await limiter.start_sending(grants[-1])
            limiter.sent(grants[-1])
            worker.close()
            await limiter.acquire()
            assert used() >= 16
        assert limiter.store.name == "memory"
        assert used() >= 16
        limiter.close()

    virtual_time.run(main())


def test_a_file_that_cannot_be_used_leaves_the_count_in_memory(tmp_path: Path) -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock_for_threads(), allowance="key")
        await limiter.acquire()
        with (
            pytest.raises(TrayportLimiterError, match="cannot be used"),
            limiter.in_file(str(tmp_path / "missing" / "counts")),
        ):
            pass
        assert (limiter.store.name, limiter.status().windows[-1].used) == ("memory", 1)

    virtual_time.run(main())
