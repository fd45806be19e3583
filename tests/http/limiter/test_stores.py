"""Every place where grants are counted gives the same results."""

from __future__ import annotations

import asyncio
import sqlite3
import traceback
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Protocol, TypeAlias, cast
from urllib.parse import quote

import pytest
from attrs import define
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from trayport_spec import REQUEST_LIMITS

from tests import virtual_time
from tests.drawn import examples
from tests.redis_server import RedisServer
from tests.virtual_time import clock, clock_for_threads
from trayport_sdk.errors import TrayportConfigurationError, TrayportLimiterError
from trayport_sdk.http.limiter import RequestLimiter, stores
from trayport_sdk.http.limiter.base import NEW_MILLISECONDS
from trayport_sdk.http.limiter.limits import (
    EMERGENCY_SHARE,
    JITTER_PADDING,
    NEVER,
    SHARED_PADDING,
    STEP_MILLISECONDS,
    STEP_SHARE,
    Limits,
)
from trayport_sdk.http.limiter.redis import SCRIPT, RedisStore, _passwords
from trayport_sdk.http.limiter.stores import (
    Look,
    MemoryStore,
    SqliteStore,
    Store,
    StoreError,
    Taken,
)

DEFAULT = Limits(6, 360)
DOCUMENTED = Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)
FAST = Limits(1_000, 60_000)
NAMES = count()


@define
class Clock:
    """Seconds since 1970, which pass when a test says so."""

    moment: int = 1_700_000_000_000

    def __call__(self) -> float:
        # The middle of a millisecond, because floats hold its beginning only nearly.
        return (self.moment + 0.5) / 1000


class AsPadded(MemoryStore):
    """Memory with the windows of the shared stores."""

    padding = SHARED_PADDING


class RedisOnClock(RedisStore):
    """The script, on a clock of our own."""

    SCRIPT: ClassVar = SCRIPT.replace("redis.call('TIME')", "{ARGV[#ARGV - 1], ARGV[#ARGV]}")

    def __init__(self, url: str, name: str, clock: Clock) -> None:
        super().__init__(SecretStr(url), name)
        script = cast("Callable[..., Any]", self._redis.register_script(self.SCRIPT))

        def timed(keys: list[str], arguments: Sequence[str | int | float]) -> Any:
            seconds, milliseconds = divmod(clock.moment, 1000)
            return script(keys, [*arguments, seconds, milliseconds * 1000])

        vars(self)["_script"] = timed


def past_its_first_second(store: Store, clock: Clock) -> Store:
    store.look(DEFAULT)
    clock.moment += NEW_MILLISECONDS
    return store


class Made(Protocol):
    def __call__(self, clock: Clock) -> Store: ...


@pytest.fixture(params=["memory", "sqlite", "redis"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    stores: list[Store] = []

    def make(clock: Clock) -> Store:
        store: Store
        if request.param == "memory":
            store = AsPadded(clock)
        elif request.param == "sqlite":
            store = SqliteStore(str(tmp_path / "grants.db"), "a", clock, clock)
        else:
            server: RedisServer = request.getfixturevalue("redis_server")
            store = RedisOnClock(server.url, f"test {next(NAMES)}", clock)
        stores.append(store)
        return past_its_first_second(store, clock)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def time() -> Clock:
    return Clock()


@pytest.fixture
def store(made: Made, time: Clock) -> Store:
    return made(time)


def granted(store: Store, limits: Limits, time: Clock, number: int) -> list[int]:
    """The times of grants of a caller that tries again as soon as it may."""
    moments: list[int] = []
    while len(moments) < number:
        taken = store.take(limits)
        assert taken.now == time.moment
        if taken.wait:
            time.moment += taken.wait
        else:
            moments.append(taken.now)
    return moments


def most_within(moments: list[int], milliseconds: int) -> int:
    return max(sum(a <= b < a + milliseconds for b in moments) for a in moments)


@pytest.mark.parametrize("evenly", [True, False])
def test_windows_hold_and_are_used(store: Store, time: Clock, evenly: bool) -> None:
    limits = Limits(6, 360, evenly)
    moments = granted(store, limits, time, 450)
    assert [most_within(moments, w.milliseconds) for w in limits.windows[:2]] == [3, 6]
    assert most_within(moments, 60_000) <= 360
    padding = SHARED_PADDING if evenly else JITTER_PADDING
    assert (len(moments) - 1) * 1000 / (moments[-1] - moments[0]) >= 6 / padding * 0.998


def test_a_wait_is_as_long_as_needed_and_no_longer(store: Store, time: Clock) -> None:
    limits = Limits(6, 360, evenly=False)
    granted(store, limits, time, 3)
    wait = store.take(limits).wait
    time.moment += wait - 1
    assert store.take(limits).wait == 1
    time.moment += 1
    assert store.take(limits).wait == 0


def test_what_is_used_is_counted_in_the_promised_windows(store: Store, time: Clock) -> None:
    assert store.look(DEFAULT) == Look((0, 0, 0), 0, 0, 1.0)
    first, *_ = granted(store, DEFAULT, time, 5)
    look = store.look(DEFAULT)
    assert look.used == (3, 5, 5)
    assert look.wait == store.take(DEFAULT).wait > 0
    time.moment = first + 999
    assert store.look(DEFAULT).used[1:] == (5, 5)
    time.moment += 1
    assert store.look(DEFAULT).used[1:] == (4, 5)
    time.moment = first + 60_000
    assert store.look(DEFAULT).used == (0, 0, 4)


def test_looking_takes_nothing(store: Store) -> None:
    for _ in range(10):
        store.look(DEFAULT)
    assert store.take(DEFAULT).wait == 0


def test_a_pause_holds_everybody(store: Store, time: Clock) -> None:
    assert store.slow_down(7_000, NEVER) == 1.0
    taken = store.take(DEFAULT)
    assert (taken.wait, taken.paused) == (7_000, 7_000)
    look = store.look(DEFAULT)
    assert (look.paused, look.wait, look.share) == (7_000, 7_000, 1.0)
    time.moment += 3_000
    store.slow_down(1_000, NEVER)
    assert store.take(DEFAULT).wait == 4_000
    time.moment += 4_000
    assert store.take(DEFAULT).wait == 0


def test_a_burst_halves_the_rate_once(store: Store, time: Clock) -> None:
    burst = granted(store, Limits(6, 360, evenly=False), time, 3)
    time.moment += 50
    assert [store.slow_down(0, moment) for moment in burst] == [0.5] * 3
    (late,) = granted(store, DEFAULT, time, 1)
    assert store.slow_down(0, late) == 0.25


def test_the_rate_recovers_step_by_step(store: Store, time: Clock) -> None:
    (moment,) = granted(store, DEFAULT, time, 1)
    time.moment += 1
    store.slow_down(2_000, moment)
    time.moment += 2_000
    for step in range(5):
        assert store.look(DEFAULT).share == min(1.0, 0.5 + step * STEP_SHARE)
        time.moment += STEP_MILLISECONDS - 1
        assert store.look(DEFAULT).share == min(1.0, 0.5 + step * STEP_SHARE)
        time.moment += 1


def test_half_the_rate_is_half_the_rate_after_a_busy_minute_too(store: Store, time: Clock) -> None:
    moments = granted(store, DEFAULT, time, 420)
    time.moment += 1
    store.slow_down(0, moments[-1])
    since = time.moment
    later = [moment - since for moment in granted(store, DEFAULT, time, 60)]
    for step, share in enumerate((0.5, 0.625)):
        begin = step * STEP_MILLISECONDS
        within = sum(begin <= moment < begin + STEP_MILLISECONDS for moment in later)
        assert share * 6 * 5 * 0.9 <= within <= share * 6 * 5


def test_nearly_using_up_the_documented_minute_halves_the_rate(store: Store, time: Clock) -> None:
    careless = Limits(DOCUMENTED.per_second, DOCUMENTED.per_minute, emergency=False)
    most = DOCUMENTED.emergency_quotas[-1].limit
    # Whoever used it: these are grants of another process for all that the careful one knows.
    first, *_ = granted(store, careless, time, most)
    halved = granted(store, DOCUMENTED, time, 10)
    assert halved[-1] < first + 60_000
    gap = DOCUMENTED.spacing(EMERGENCY_SHARE, SHARED_PADDING).milliseconds
    assert [later - earlier for earlier, later in pairwise(halved)] == [gap] * 9
    time.moment += 60_000
    rested = granted(store, DOCUMENTED, time, 10)
    assert rested[-1] - rested[0] < 9 * gap / 1.9


def test_the_default_is_slowed_by_what_others_use(store: Store, time: Clock) -> None:
    granted(store, Limits(DOCUMENTED.per_second, 480, emergency=False), time, 432)
    assert store.take(DEFAULT).wait > 0
    time.moment += 60_000
    assert store.take(DEFAULT).wait == 0


def test_other_limits_count_what_was_granted_before(store: Store, time: Clock) -> None:
    granted(store, Limits(1, 60), time, 2)
    assert granted(store, DOCUMENTED, time, 1) == [time.moment]
    assert store.take(Limits(1, 60)).wait > 900


def test_two_stores_of_one_place_share_the_allowance(tmp_path: Path, time: Clock) -> None:
    path = str(tmp_path / "grants.db")
    mine, theirs = (SqliteStore(path, "a", time, time) for _ in range(2))
    past_its_first_second(mine, time)
    assert [s.take(DEFAULT).wait for s in (mine, theirs)][1] > 0
    mine.slow_down(9_000, NEVER)
    assert theirs.look(DEFAULT).paused == 9_000
    mine.close()
    theirs.close()


def test_a_file_that_fails_for_a_moment_is_opened_again(tmp_path: Path, time: Clock) -> None:
    class Disturbed(SqliteStore):
        def _begun(self) -> tuple[sqlite3.Connection, int]:
            if failures:
                raise failures.pop()
            return super()._begun()

    broken, busy = sqlite3.OperationalError("disk I/O error"), sqlite3.OperationalError("locked")
    broken.sqlite_errorcode, busy.sqlite_errorcode = sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY
    failures: list[sqlite3.OperationalError] = []
    store = past_its_first_second(Disturbed(str(tmp_path / "grants.db"), "a", time, time), time)
    failures.append(broken)
    assert store.take(DEFAULT).wait == 0
    failures.append(busy)
    with pytest.raises(StoreError, match="locked"):
        store.take(DEFAULT)
    store.close()


def test_a_file_that_is_replaced_all_the_time_is_a_clear_error(
    tmp_path: Path, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = past_its_first_second(SqliteStore(str(tmp_path / "grants.db"), "a", time, time), time)
    with monkeypatch.context() as busy:
        busy.setattr(stores, "_place", lambda _: (0, next(NAMES)))
        with pytest.raises(StoreError, match="the file is replaced all the time"):
            store.take(DEFAULT)
    assert store.take(DEFAULT).wait == 0
    store.close()


def test_a_full_disk_says_what_to_do(tmp_path: Path, time: Clock) -> None:
    class Full(SqliteStore):
        def _begun(self) -> tuple[sqlite3.Connection, int]:
            file, now = super()._begun()
            file.execute("PRAGMA max_page_count = 1")  # it is as large as it is, and stays so
            return file, now

    store = past_its_first_second(Full(str(tmp_path / "grants.db"), "a", time, time), time)
    with pytest.raises(StoreError, match="full") as raised:
        granted(store, FAST, time, 1_000)
    assert raised.value.way_out.startswith("make room on the disk")
    store.close()


def test_a_clock_that_is_read_slowly_counts_as_well(tmp_path: Path, time: Clock) -> None:
    def slow() -> float:
        time.moment += 5
        return time()

    path = str(tmp_path / "grants.db")
    mine, theirs = (SqliteStore(path, "a", slow, time) for _ in range(2))
    past_its_first_second(mine, time)
    assert mine.take(DEFAULT).wait == 0
    assert 0 < theirs.take(DEFAULT).wait <= 1_000
    mine.close()
    theirs.close()


def test_a_fork_calls_no_store_that_is_gone() -> None:
    called: list[str] = []

    class Place:
        def close(self) -> None:
            called.append("closed")

    place = Place()
    call = stores._weakly(place.close)
    call()
    del place
    call()
    assert called == ["closed"]


def test_names_keep_allowances_apart(tmp_path: Path, time: Clock) -> None:
    path = str(tmp_path / "grants.db")
    stores = [
        SqliteStore(path, name, time, time) for name in ("a@host:443", 'b"; DROP TABLE events')
    ]
    past_its_first_second(stores[0], time)
    for store in stores:
        assert store.take(DEFAULT).wait == 0
    stores[0].slow_down(9_000, NEVER)
    assert stores[1].look(DEFAULT).paused == 0
    for store in stores:
        store.close()


def test_a_clock_that_is_set_back_holds_nobody_up(made: Made, time: Clock) -> None:
    store = made(time)
    if isinstance(store, AsPadded):
        return  # Its clock cannot be set.
    granted(store, DEFAULT, time, 1)
    store.slow_down(2_000, time.moment)
    time.moment -= 3_600_000
    assert store.look(DEFAULT).paused == 2_000
    time.moment += 2_000
    taken = store.take(DEFAULT)
    assert (taken.wait, taken.paused) == (0, 0)
    assert store.slow_down(0, taken.now) == 0.25


# One ask is a step in time, and what is done then.
Ask: TypeAlias = tuple[int, str, int]

asks = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 40, 153, 170, 400, 509, 510, 515, 1_030, 5_000, 59_000]),
        st.sampled_from(
            ["take", "ahead"] * 3 + ["start", "finish"] * 2 + ["look", "slow", "pause", "crowd"]
        ),
        st.integers(0, 3),
    ),
    max_size=60,
)
ALLOWANCES = (DEFAULT, Limits(6, 360, evenly=False), DOCUMENTED, Limits(2, 10))


def results(store: Store, time: Clock, drawn: list[Ask]) -> list[Taken | Look | float]:
    """What a store says to a sequence of asks that depend on what it said before."""
    said: list[Taken | Look | float] = []
    grant, name = NEVER, "lost"
    for step, action, which in drawn:
        time.moment += step
        limits = ALLOWANCES[which]
        match action:
            case "take" | "ahead":
                taken = store.take(limits, 100 if action == "ahead" else 0)
                said.append(taken)
                if not taken.wait:
                    grant, name = taken.now, taken.name
            case "start":
                said.append(store.start(name, limits))
            case "finish":
                store.finish(name)
            case "look":
                said.append(store.look(limits))
            case "slow":
                said.append(store.slow_down(which * 700, grant))
            case "pause":
                said.append(store.slow_down(which * 700, NEVER))
            case "crowd":
                careless = Limits(DOCUMENTED.per_second, 480, emergency=False)
                said.extend(map(float, granted(store, careless, time, which * 150)))
    return said


@settings(max_examples=examples(80))
@given(asks)
def test_memory_and_file_give_the_same_answers(drawn: list[Ask]) -> None:
    mine, theirs = Clock(), Clock()
    file = past_its_first_second(SqliteStore(":memory:", "a", theirs, theirs), theirs)
    mine.moment = theirs.moment
    assert results(AsPadded(mine), mine, drawn) == results(file, theirs, drawn)
    file.close()


class InTurns:
    """Stores of one file, each of which is asked in turn, as several processes would."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._turns = cycle(stores)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._turns), name)


# Of a request that is written for long, others know only since when they have seen it.
short_asks = asks.map(lambda drawn: [ask for ask in drawn if ask[1] not in ("start", "crowd")])


@settings(max_examples=examples(80))
@given(short_asks)
@example([(0, "take", 0), (0, "ahead", 0), (153, "ahead", 0), (153, "take", 0)])
@example([(0, "take", 0), (40, "ahead", 0), (0, "look", 0), (0, "start", 0), (0, "take", 0)])
@example([(0, "take", 0), (0, "start", 0), (400, "look", 0), (0, "finish", 0), (0, "look", 0)])
@example([(0, "take", 0), (0, "slow", 1), (700, "take", 0), (170, "ahead", 2), (0, "start", 2)])
def test_several_processes_give_the_answers_of_one(drawn: list[Ask]) -> None:
    with TemporaryDirectory() as folder:
        mine, theirs = Clock(), Clock()
        path = str(Path(folder, "grants.db"))
        stores = [SqliteStore(path, "a", theirs, theirs) for _ in range(3)]
        past_its_first_second(stores[0], theirs)
        mine.moment = theirs.moment
        several = cast("Store", InTurns(stores))
        assert results(AsPadded(mine), mine, drawn) == results(several, theirs, drawn)
        for store in stores:
            store.close()


@settings(max_examples=examples(80))
@given(short_asks, st.sampled_from([0, 40, 170, 1_030]))
@example([(0, "take", 0), (153, "ahead", 0)], 0)
@example([(0, "take", 0), (153, "ahead", 0), (0, "slow", 2)], 40)
@example([(0, "take", 0), (0, "start", 0)], 40)
def test_who_comes_to_a_file_in_place_of_a_lost_one_knows_what_the_others_know(
    drawn: list[Ask], later: int
) -> None:
    with TemporaryDirectory() as folder:
        time, path = Clock(), str(Path(folder, "grants.db"))
        old = SqliteStore(path, "a", time, time)
        past_its_first_second(old, time)
        results(old, time, drawn)
        for file in Path(folder).iterdir():
            file.unlink()
        old.look(DEFAULT)
        new = SqliteStore(path, "a", time, time)
        time.moment += later
        assert new.look(DEFAULT) == old.look(DEFAULT)
        time.moment += NEW_MILLISECONDS
        assert new.look(DEFAULT) == old.look(DEFAULT)
        old.close()
        new.close()


@settings(max_examples=examples(80))
@given(drawn=asks)
@example(drawn=[(0, "crowd", 1), (0, "start", 0), (0, "crowd", 1)])
def test_memory_and_redis_give_the_same_answers(
    redis_server: RedisServer, drawn: list[Ask]
) -> None:
    mine, theirs = Clock(), Clock()
    redis = RedisOnClock(redis_server.url, f"test {next(NAMES)}", theirs)
    past_its_first_second(redis, theirs)
    mine.moment = theirs.moment
    assert results(AsPadded(mine), mine, drawn) == results(redis, theirs, drawn)
    redis.close()


def in_redis(client: Any, name: str, log: str = "grants") -> dict[str, int]:
    rows = client.zrange(f"trayport:{{{name}}}:{log}", 0, -1, withscores=True)
    return {member: int(moment) for member, moment in rows}


def made_long_ago(client: Any, name: str) -> None:
    client.hset(f"trayport:{{{name}}}:slowdown", "made", 0)


def test_redis_goes_by_the_clock_of_the_server(redis_server: RedisServer) -> None:
    name = f"test {next(NAMES)}"
    store, client = RedisStore(SecretStr(redis_server.url), name), redis_server.client()
    seconds = client.time()[0]
    assert 0 < store.take(DEFAULT).wait <= NEW_MILLISECONDS
    made_long_ago(client, name)
    taken = store.take(DEFAULT)
    assert 0 <= taken.now - seconds * 1000 < 10_000
    assert store.take(Limits(1, 60)).wait > 0
    # A second and more passes, for all that the store knows.
    for member, moment in in_redis(client, name).items():
        client.zadd(f"trayport:{{{name}}}:grants", {member: moment - 1_100})
    assert store.take(Limits(1, 60)).wait == 0
    store.close()
    client.close()


def test_redis_keeps_nothing_for_good(redis_server: RedisServer) -> None:
    name = f"test {next(NAMES)}"
    store, client = RedisStore(SecretStr(redis_server.url), name), redis_server.client()
    store.look(DEFAULT)
    made_long_ago(client, name)
    store.start(store.take(DEFAULT).name, DEFAULT)
    store.slow_down(5_000, NEVER)
    for key, most in (("grants", 600_000), ("slowdown", 90_000_000), ("sending", 60_000)):
        assert 10_000 < client.pttl(f"trayport:{{{name}}}:{key}") < most
    store.close()
    client.close()


def test_a_connection_that_was_dropped_is_made_again(redis_server: RedisServer) -> None:
    store, client = (
        RedisStore(SecretStr(redis_server.url), f"test {next(NAMES)}"),
        redis_server.client(),
    )
    store.take(FAST)
    client.client_kill_filter(_type="normal", skipme=True)
    store.take(FAST)
    store.close()
    client.close()


@pytest.mark.parametrize(
    "address",
    [
        "redis://:s3cret@h?foo=bar",
        "redis://:s3cret@h?socket_timeout=abc",
        "redis://:s3cret@h:port",
        "redis://user:xyz/s3cret@h",
        "redis://[s3cret",
    ],
)
def test_an_address_that_cannot_be_used_is_a_clear_error_without_the_password(address: str) -> None:
    with pytest.raises(TrayportConfigurationError, match="limiter_store") as caught:
        RedisStore(SecretStr(address), "a")
    assert caught.value.suggestion.startswith("write it as redis://host:6379/0")
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown
    assert "xyz" not in shown


@given(st.text("aB3:/?#@%&= ", min_size=1), st.sampled_from(["login", "query"]))
def test_every_password_of_an_address_is_known(password: str, where: str) -> None:
    written = quote(password, safe="")
    address = f"redis://u:{written}@h:1/0" if where == "login" else f"redis://h?Password={written}"
    assert password in {each.get_secret_value() for each in _passwords(address)}


def test_what_nobody_could_check_fails_as_the_store_does() -> None:
    store = RedisStore(SecretStr("redis://:s3cret@h"), "a")

    def fail(*_: object) -> None:
        raise TypeError("no s3cret option foo")

    vars(store)["_script"] = fail
    for ask in (store.take, store.look):
        with pytest.raises(StoreError, match=r"TypeError: no .* option foo") as caught:
            ask(DEFAULT)
        assert "s3cret" not in str(caught.value)


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "grants.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"grants\.db: file is not a database"):
        SqliteStore(str(path), "a").take(DEFAULT)


def test_a_file_that_somebody_keeps_locked_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trayport_sdk.http.limiter.stores.BUSY_SECONDS", 0.0)
    path = tmp_path / "grants.db"
    store = SqliteStore(str(path), "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        store.take(FAST)
    other.execute("ROLLBACK")
    store.take(FAST)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.take(FAST)
    other.close()
    store.close()


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "grants.db", tmp_path):
        with pytest.raises(StoreError, match="unable to open"):
            SqliteStore(str(path), "a").take(DEFAULT)


def test_a_request_without_its_store_is_a_clear_error(tmp_path: Path) -> None:
    async def main() -> None:
        limiter = RequestLimiter(DEFAULT, SqliteStore(str(tmp_path), "a"))
        with pytest.raises(TrayportLimiterError, match="unable to open"):
            await limiter.acquire()
        assert "unable to open" in limiter.status().problem

    asyncio.run(main())


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_no_request_leaves_while_redis_is_away(own_redis: RedisServer) -> None:
    async def main() -> None:
        store = RedisStore(SecretStr(own_redis.url), "a")
        limiter = RequestLimiter(FAST, store)
        await limiter.acquire()
        own_redis.stop()
        results = await asyncio.gather(
            *(limiter.acquire() for _ in range(5)), return_exceptions=True
        )
        assert [type(result) for result in results] == [TrayportLimiterError] * 5
        assert limiter.status().problem
        with pytest.raises(StoreError):
            store.slow_down(1_000, NEVER)
        own_redis.start()
        await limiter.acquire()
        assert limiter.status().problem == ""
        store.close()

    asyncio.run(main())


def test_requests_go_on_slowly_while_redis_is_away(own_redis: RedisServer) -> None:
    async def main() -> None:
        store = RedisStore(SecretStr(own_redis.url), "a")
        limits = Limits(20, 1_200)
        limiter = RequestLimiter(limits, store, fallback="slow", clock=clock_for_threads())
        await limiter.acquire()
        own_redis.stop()
        moments: list[float] = []
        for _ in range(20):
            await limiter.acquire()
            moments.append(clock())
        assert limiter.status().problem
        slow = (len(moments) - 1) / (moments[-1] - moments[0])
        assert 0.9 * 2 <= slow <= 2.1
        own_redis.start()
        await asyncio.sleep(10)
        await limiter.acquire()
        status = limiter.status()
        assert (status.store, status.problem) == ("redis", "")
        assert status.windows[-1].limit == limits.per_minute
        store.close()

    virtual_time.run(main())
