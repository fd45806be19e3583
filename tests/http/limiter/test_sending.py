"""From the grant to the socket: what may come between them, and what of the file may break."""

from __future__ import annotations

import asyncio
import heapq
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import define
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import virtual_time
from tests.drawn import examples
from tests.virtual_time import clock
from trayport_sdk.errors import TrayportLimiterError, TrayportRateLimitError
from trayport_sdk.http.limiter import RequestLimiter
from trayport_sdk.http.limiter.base import NEW_MILLISECONDS, SENDING_MILLISECONDS
from trayport_sdk.http.limiter.limiter import Fallback
from trayport_sdk.http.limiter.limits import Limits
from trayport_sdk.http.limiter.memory import MemoryStore
from trayport_sdk.http.limiter.stores import SqliteStore, Store, StoreError

DEFAULT, DOCUMENTED = Limits(6, 360), Limits(8, 480)
AHEAD = 100


@define
class Time:
    """Milliseconds of the world, which pass when a test says so."""

    now: int = 1_000_000

    def clock(self, ahead: int = 0) -> Callable[[], float]:
        return lambda: (self.now + ahead + 0.5) / 1000


def most_within(moments: Sequence[int], milliseconds: int) -> int:
    return max((sum(a <= b < a + milliseconds for b in moments) for a in moments), default=0)


@define
class Request:
    """What happens to a request, in milliseconds from the step before."""

    comes: int
    prepared: int
    stalled: int
    reported: int
    process: int


requests = st.lists(
    st.builds(
        Request,
        comes=st.sampled_from([0, 0, 30, 200, 700]),
        prepared=st.sampled_from([0, 1, 60, 150, 800, 5_000]),
        stalled=st.sampled_from([0, 0, 0, 40, 600, 3_000, SENDING_MILLISECONDS - 10]),
        reported=st.sampled_from([0, 0, 5, 900]),
        process=st.integers(0, 2),
    ),
    min_size=1,
    max_size=25,
)
ALLOWANCES = st.sampled_from([DEFAULT, DOCUMENTED, Limits(2, 10), Limits(5, 300, evenly=False)])


def arrivals(
    time: Time, stores: Sequence[Store], limits: Limits, drawn: Sequence[Request]
) -> list[int]:
    """When the requests are written, however long their processes stall before and afterwards."""
    written: list[int] = []
    names: dict[int, str] = {}
    steps: list[tuple[int, int, str]] = []
    comes = time.now
    for number, request in enumerate(drawn):
        comes += request.comes
        heapq.heappush(steps, (comes, number, "take"))
    while steps:
        time.now, number, step = heapq.heappop(steps)
        request, wait, then = drawn[number], 0, ""
        store = stores[request.process % len(stores)]
        match step:
            case "take":
                taken = store.take(limits, AHEAD)
                names[number] = taken.name
                wait, then = (taken.wait, "take") if taken.wait else (request.prepared, "start")
            case "start":
                wait = store.start(names[number], limits).wait
                then = "start"
                if not wait:
                    wait, then = request.stalled, "write"
            case "write":
                written.append(time.now)
                wait, then = request.reported, "finish"
            case _:
                store.finish(names[number])
                continue
        heapq.heappush(steps, (time.now + wait, number, then))
        assert len(written) <= len(drawn)
        assert time.now < 1_000_000_000  # somebody gets on
    return written


@settings(max_examples=examples(60))
@given(requests, ALLOWANCES)
def test_no_stall_before_or_after_the_socket_loosens_a_window(
    drawn: list[Request], limits: Limits
) -> None:
    time = Time()
    written = arrivals(time, [MemoryStore(time.clock())], limits, drawn)
    assert len(written) == len(drawn)
    for window in limits.windows:
        assert most_within(written, window.milliseconds) <= window.limit


@settings(max_examples=examples(15))
@given(requests, ALLOWANCES, st.lists(st.integers(-900_000, 10**9), min_size=2, max_size=2))
def test_nor_does_the_clock_that_a_process_has(
    drawn: list[Request], limits: Limits, ahead: list[int]
) -> None:
    time = Time()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        stores = [
            opened.enter_context(
                closing(SqliteStore(f"{folder}/grants.db", "a", time.clock(by), time.clock()))
            )
            for by in (0, *ahead)
        ]
        stores[0].look(limits)
        time.now += NEW_MILLISECONDS
        written = arrivals(time, stores, limits, drawn)
    assert len(written) == len(drawn)
    for window in limits.windows:
        assert most_within(written, window.milliseconds) <= window.limit


def test_what_was_granted_and_not_sent_is_used_when_there_is_room() -> None:
    time = Time()
    store = MemoryStore(time.clock())
    late = store.take(DEFAULT).name
    time.now += 60_000
    for _ in range(2):
        name = store.take(DEFAULT, AHEAD).name
        assert store.start(name, DEFAULT).wait == 0
        store.finish(name)
        time.now += 160
    assert store.start(late, DEFAULT).wait == 0
    for _ in range(3):
        assert store.take(DEFAULT).wait >= 150
        time.now += 2_000  # the request is still being written
    store.finish(late)
    time.now += store.take(DEFAULT).wait
    assert store.take(DEFAULT).wait == 0


def test_a_request_that_is_written_for_ever_holds_nobody_up_for_ever() -> None:
    time = Time()
    store = MemoryStore(time.clock())
    name = store.take(DEFAULT).name
    assert store.start(name, DEFAULT).wait == 0
    time.now += SENDING_MILLISECONDS + 1
    assert store.take(DEFAULT).wait > 0  # counted once more
    time.now += 1_000
    assert store.take(DEFAULT).wait == 0
    time.now += 1_000
    store.finish(name)  # by a process that was stopped
    assert store.take(DEFAULT).wait > 0


Mishap: TypeAlias = Callable[[Path], None]


def deleted(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def replaced(file: Path) -> None:
    with closing(SqliteStore(f"{file}.other", "a")) as other:
        other.look(DEFAULT)
    Path(f"{file}.other").replace(file)


def put_back(file: Path) -> None:
    Path(f"{file}.copy").replace(file)


def written_over(file: Path) -> None:
    shutil.copyfile(f"{file}.copy", file)


@pytest.mark.parametrize("mishap", [deleted, emptied, replaced, put_back, written_over])
@pytest.mark.parametrize("limits", [DEFAULT, DOCUMENTED])
def test_a_file_that_is_lost_loses_no_grant(tmp_path: Path, mishap: Mishap, limits: Limits) -> None:
    time, file = Time(), tmp_path / "grants.db"

    def opened() -> SqliteStore:
        return SqliteStore(str(file), "a", time.clock(), time.clock())

    stores = [opened(), opened()]
    for store in stores:
        store.look(limits)
    shutil.copyfile(file, f"{file}.copy")
    grants: list[int] = []

    def go_on(milliseconds: int) -> None:
        end = time.now + milliseconds
        while time.now < end:
            waits = [store.take(limits).wait for store in stores]
            grants.extend(time.now for wait in waits if not wait)
            time.now += min(waits) or 7

    go_on(3_000)
    before = len(grants)
    assert before > 10
    mishap(file)
    stores.append(opened())
    go_on(100)
    stores.append(opened())
    go_on(4_000)
    assert len(grants) - before > 10
    for window in limits.windows:
        assert most_within(grants, window.milliseconds) <= window.limit
    with closing(opened()) as later:
        assert later.look(limits).used[-1] == len(grants)
    for store in stores:
        store.close()


def test_a_pause_outlives_the_file(tmp_path: Path) -> None:
    time, file = Time(), tmp_path / "grants.db"
    first = SqliteStore(str(file), "a", time.clock(), time.clock())
    first.slow_down(30_000, 0)
    file.unlink()
    time.now += 10_000
    assert first.look(DEFAULT).paused == 20_000
    second = SqliteStore(str(file), "a", time.clock(5_000_000), time.clock())
    assert 20_000 <= second.look(DEFAULT).paused <= 30_000
    first.close()
    second.close()


def test_a_clock_that_was_set_is_another_one(tmp_path: Path) -> None:
    time, file = Time(), str(tmp_path / "grants.db")
    steps = [0]
    first = SqliteStore(file, "a", time.clock(), lambda: time.clock()() + steps[0])
    first.look(DEFAULT)
    time.now += NEW_MILLISECONDS
    assert first.take(DEFAULT).wait == 0
    time.now += 2_000
    steps[0] = 3_600
    # The process itself has a clock that nobody sets.
    assert first.take(DEFAULT).wait == 0
    time.now += 50
    # One that starts now cannot know how long ago that was.
    second = SqliteStore(file, "a", time.clock(-77), lambda: time.clock()() + steps[0])
    assert 0 < second.take(DEFAULT).wait <= 170
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("bad", "way_out"),
    [
        (lambda file: file.write_bytes(b"this is no database" * 100), "delete the file"),
        (lambda file: file.mkdir(), "a disk of this machine"),
        (lambda file: file.parent.rmdir(), "a disk of this machine"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_with_a_way_out(
    tmp_path: Path, bad: Callable[[Path], object], way_out: str
) -> None:
    file = tmp_path / "folder" / "grants.db"
    file.parent.mkdir()
    bad(file)

    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, SqliteStore(str(file), "a"))
        with pytest.raises(TrayportLimiterError, match=str(file)) as caught:
            await limiter.acquire()
        assert way_out in caught.value.suggestion
        limiter.close()

    asyncio.run(main())


@pytest.fixture
def busy_loop() -> Iterator[tuple[asyncio.AbstractEventLoop, threading.Event]]:
    """An event loop in another thread that computes until the event is set."""
    loop, free = asyncio.new_event_loop(), threading.Event()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop, free
    free.set()
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


def test_a_busy_loop_collects_no_grants(
    busy_loop: tuple[asyncio.AbstractEventLoop, threading.Event],
) -> None:
    other, free = busy_loop
    time = Time()
    limiter = RequestLimiter(Limits(1_000, 60_000, evenly=False), clock=time.clock())

    async def crowd() -> list[float]:
        started = [asyncio.ensure_future(limiter.acquire()) for _ in range(20)]
        await asyncio.sleep(0)
        other.call_soon(free.wait)
        return [grant.given for grant in await asyncio.gather(*started)]

    async def main() -> None:
        with limiter._queue.lock:  # nothing is granted before all of them wait
            limiter._taking = True
            crowded = asyncio.run_coroutine_threadsafe(crowd(), other)
        while limiter.status().queued["normal"] < 20:  # noqa: ASYNC110  (of another thread)
            await asyncio.sleep(0)
        limiter._taking = False
        for _ in range(50):  # goes on, though the others came first
            time.now += 10
            await limiter.acquire()
        assert limiter.status().grants == 51
        time.now += 5_000
        free.set()
        given = await asyncio.wrap_future(crowded)
        # Not even the one that it got before it was busy.
        assert min(given) >= (time.now - 1) / 1000

    asyncio.run(main())


def test_a_request_that_is_ready_waits_out_the_pause_or_refuses_it() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        grant = await limiter.acquire(starts=True)
        await limiter.slow_down(30.0)
        with pytest.raises(TrayportRateLimitError) as caught:
            await limiter.start_sending(grant, max_pause=29.98)
        assert caught.value.retry_after == pytest.approx(30.0, abs=0.01)
        started = clock()
        again = await limiter.start_sending(grant, max_pause=60.0)
        assert clock() - started == pytest.approx(30.0, abs=0.01)
        assert again.queued == pytest.approx(30.0, abs=0.01)
        limiter.sent(again)

    virtual_time.run(main())


def test_preparing_a_request_costs_nothing_of_the_allowance() -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, clock=clock)
        moments: list[float] = []

        async def one(number: int) -> None:
            grant = await limiter.acquire(starts=True)
            await asyncio.sleep((number * 37 % 90) / 1000)
            grant = await limiter.start_sending(grant)
            moments.append(clock())
            limiter.sent(grant)

        await asyncio.gather(*(one(number) for number in range(200)))
        used = (len(moments) - 1) / (moments[-1] - moments[0]) / DEFAULT.per_second
        assert used >= 0.97, f"{used:.1%}"
        in_milliseconds = [round(moment * 1000) for moment in moments]
        for window in DEFAULT.windows:
            assert most_within(in_milliseconds, window.milliseconds) <= window.limit

    virtual_time.run(main())


def test_a_store_that_is_lost_between_grant_and_socket_is_an_error_or_another_grant() -> None:
    class Lost(MemoryStore):
        remote = True

        def start(self, name: str, limits: Limits) -> StoreError:  # type: ignore[override]
            raise StoreError("nobody there")

    async def main() -> None:
        fallbacks: tuple[Fallback, ...] = ("error", "slow")
        for fallback in fallbacks:
            limiter = RequestLimiter(DEFAULT, Lost(), fallback=fallback)
            grant = await limiter.acquire(starts=True)
            if fallback == "error":
                with pytest.raises(TrayportLimiterError, match="nobody there"):
                    await limiter.start_sending(grant)
            else:
                other = await limiter.start_sending(grant)
                assert other.store is not grant.store
                limiter.sent(other)
            limiter.close()

    asyncio.run(main())


def test_a_file_that_is_lost_in_the_middle_of_a_change_is_replaced(tmp_path: Path) -> None:
    time, file = Time(), tmp_path / "grants.db"

    class Unlucky(SqliteStore):
        """Its files are deleted while it writes."""

        def _record(self, event: str, name: str, now: int, ahead: int = 0) -> None:
            super()._record(event, name, now, ahead)
            for lost in tmp_path.iterdir() if unlucky else ():
                lost.unlink()
            unlucky.clear()

    unlucky: list[bool] = []
    store = Unlucky(str(file), "a", time.clock(), time.clock())
    store.look(DEFAULT)
    time.now += NEW_MILLISECONDS
    unlucky.append(True)
    # Whether it is counted before or after that, it is not lost.
    store.take(DEFAULT)
    with closing(SqliteStore(str(file), "a", time.clock(), time.clock())) as other:
        store.look(DEFAULT)
        assert other.look(DEFAULT).used[-1] >= 1
    store.close()
