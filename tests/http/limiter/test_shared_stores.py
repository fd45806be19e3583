"""Several processes on one allowance."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from tests.programs import output_of
from tests.redis_server import RedisServer
from tests.sharing import grants_of_processes
from trayport_sdk.http.limiter.limits import Limits
from trayport_sdk.http.limiter.stores import SqliteStore

PROCESSES = 4
SECONDS = 10.0
DEFAULT = Limits(6, 360)


def most_within(moments: list[int], milliseconds: int) -> int:
    return max(sum(a <= b < a + milliseconds for b in moments) for a in moments)


def in_file(path: Path) -> list[int]:
    """The moments that the file holds."""
    with closing(sqlite3.connect(path)) as connection:
        return [moment for (moment,) in connection.execute("SELECT moment FROM events")]


def in_redis(server: RedisServer) -> list[int]:
    """The moments that the one log in Redis holds."""
    with closing(server.client()) as client:
        (log,) = cast("list[str]", client.keys("*:grants"))
        scores = cast("list[tuple[str, float]]", client.zrange(log, 0, -1, withscores=True))
        return [int(moment) for _, moment in scores]


@pytest.mark.slow
def test_four_processes_keep_one_allowance_and_use_it(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    path = tmp_path / "grants.db"
    file = f"sqlite:///{path}"
    try:
        grants = grants_of_processes([file, server.url], DEFAULT, PROCESSES, SECONDS)
        logs = {file: in_file(path), server.url: in_redis(server)}
    finally:
        server.stop()
    for store, log in logs.items():
        moments = sorted(moment for each in grants[store] for moment in each)
        assert sorted(log) == moments  # what the store counted is what the processes were granted
        for window in DEFAULT.windows:
            assert most_within(moments, window.milliseconds) <= window.limit
        used = (len(moments) - 1) * 1000 / (moments[-1] - moments[0]) / DEFAULT.per_second
        assert used >= 0.9, f"{used:.1%} of {store}"


FORKED = """
import asyncio, json, os, sys, warnings
from pydantic import SecretStr
from trayport_sdk.http.limiter import limiter_for
from trayport_sdk.http.limiter.limits import Limits

limiter = limiter_for(SecretStr("key"), "host", SecretStr(sys.argv[1]))
owner = object
limiter.configure(owner, Limits(6, 360), "error")

async def three():
    for _ in range(3):
        await limiter.acquire()

async def look(waits):
    task = asyncio.ensure_future(limiter.acquire())
    await asyncio.sleep(0)
    if not waits:
        await task
    status = limiter.status()
    task.cancel()
    return {"next": status.next_grant, "queued": status.queued["normal"],
            "minute": status.windows[-1].used, "paused": status.paused}

asyncio.run(three())
read, write = os.pipe()
with warnings.catch_warnings():
    # Pythons from 3.12 on warn of every fork of a process with threads.
    warnings.simplefilter("ignore", DeprecationWarning)
    child = os.fork()
if not child:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = asyncio.run(look(waits=sys.argv[1] == "memory"))
    found["said"] = [str(each.message) for each in said]
    os.write(write, json.dumps(found).encode())
    os._exit(0)
os.close(write)
with os.fdopen(read) as pipe:
    of_child = json.loads(pipe.read())
_, status = os.waitpid(child, 0)
of_parent = asyncio.run(look(waits=False))
print(json.dumps({"status": status, "child": of_child, "parent": of_parent}))
"""


ORPHANED = """
import os, sys, time
from trayport_sdk.http.limiter.limits import Limits
from trayport_sdk.http.limiter.stores import SqliteStore

store, limits = SqliteStore(sys.argv[1], "a"), Limits(1_000, 60_000)
time.sleep(store.take(limits).wait / 1000)
assert not store.take(limits).wait
read, write = os.pipe()
if os.fork():
    sys.exit()
os.close(write)
os.read(read, 1)  # nothing comes: this ends when the parent has ended
print(store.take(limits).wait or "taken")
"""


BUSY = """
import os, threading, time, warnings
from pydantic import SecretStr
from trayport_sdk.http.limiter import limiter_for
from trayport_sdk.http.limiter.limits import Limits

done = False

def work():
    while not done:
        limiter = limiter_for(SecretStr("key"), "host")
        limiter.configure(work, Limits(6, 360), "error")
        limiter.status()

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
hung = 0
for _ in range(20):
    with warnings.catch_warnings():
        # Pythons from 3.12 on warn of every fork of a process with threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        import faulthandler
        faulthandler.dump_traceback_later(20, exit=True, file=open(os.devnull, "w"))
        limiter = limiter_for(SecretStr("key"), "host")
        limiter.configure(os, Limits(3, 180), "error")
        limiter.status()
        os._exit(0)
    hung += os.waitpid(child, 0)[1] != 0
done = True
for thread in threads:
    thread.join()
print(hung, "hung")
"""


STRICT = """
import asyncio, os, warnings
from trayport_sdk.http.limiter import RequestLimiter
from trayport_sdk.http.limiter.limits import Limits

limiter = RequestLimiter(Limits(6, 360))

async def twice():
    try:
        await limiter.acquire()
    except RuntimeWarning:
        waiting = asyncio.ensure_future(limiter.acquire(max_pause=1.0))
        await asyncio.sleep(0)
        status = limiter.status()
        assert (status.queued["normal"], status.paused) == (1, 0.0), status
        assert status.next_grant > 55
        waiting.cancel()
        os._exit(7)

child = os.fork()
if not child:
    asyncio.run(twice())
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


MOVED = """
import os, sys
from trayport_sdk.http.limiter.limits import Limits
from trayport_sdk.http.limiter.stores import SqliteStore

os.chdir(sys.argv[1])
store = SqliteStore("grants.db", "a")
os.chdir("..")
store.take(Limits(6, 360))
store.close()
print(*os.listdir(), *os.listdir(sys.argv[1]))
"""


def forked(store: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a child and its parent see."""
    found = json.loads(output_of(FORKED, store))
    assert found["status"] == 0
    return found["child"], found["parent"]


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forks
def test_a_forked_process_says_so_and_waits_for_one_window_first() -> None:
    child, parent = forked("memory")
    (said,) = child["said"]
    assert "was forked" in said
    assert "limiter_store" in said
    longest = DEFAULT.quotas()[-1].milliseconds / 1000
    assert longest - 5 < child["next"] <= longest
    assert (child["queued"], child["minute"]) == (1, 0)
    assert (parent["paused"], parent["minute"]) == (0.0, 4)


@forks
def test_a_forked_process_goes_on_sharing_a_file(tmp_path: Path) -> None:
    child, parent = forked(f"sqlite:///{tmp_path / 'grants.db'}")
    assert child["said"] == []
    assert (child["minute"], parent["minute"]) == (4, 5)


@forks
def test_what_a_forked_process_is_granted_counts_after_the_end_of_its_parent(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "grants.db")
    assert output_of(ORPHANED, path) == "taken\n"
    with closing(SqliteStore(path, "a")) as store:
        assert store.look(DEFAULT).used[-1] == 2


@forks
def test_a_forked_process_goes_on_sharing_redis(redis_server: RedisServer) -> None:
    child, parent = forked(f"{redis_server.url[:-1]}1")
    assert child["said"] == []
    assert (child["minute"], parent["minute"]) == (4, 5)


@forks
def test_a_fork_while_threads_are_busy_hangs_no_child() -> None:
    assert output_of(BUSY) == "0 hung\n"


@forks
def test_a_warning_that_is_an_error_comes_once_and_the_wait_for_a_window_is_no_pause() -> None:
    assert output_of(STRICT) == "7\n"


def test_a_process_that_changes_its_folder_counts_in_the_same_file(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    assert output_of(MOVED, str(folder)) == "work grants.db\n"
