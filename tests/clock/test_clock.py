"""The time of day is set while programs run: an hour ahead, back, by days and by years."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import asdict
from polars.testing import assert_frame_equal

from tests.bulk.integrity import check_integrity
from tests.chaos.rounds import SMALL, World, jobs, recorded, rows_of
from tests.clock.faked import Program, WallClock, results
from tests.clock.program import MARKET
from tests.http.peers import Certificates, peer
from tests.redis_server import RedisServer
from trayport_sdk.sandbox import Fault, Sandbox

TIMES = 14
"""How often each program asks: twice as often as it may within a second."""


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    wall = WallClock(tmp_path / "clock")
    wall.set(0)
    return wall


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of what counts."""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        return server.url
    address: str = request.param.replace("sqlite", f"sqlite:///{tmp_path / 'grants.db'}")
    return address


PACES = [
    # what counts, how many programs there are, and how many of them run by the clock that jumps
    ("memory", 1, 1),
    ("sqlite", 2, 2),
    ("sqlite", 2, 1),
    ("redis", 2, 2),
]


@pytest.mark.slow
@pytest.mark.parametrize(("store", "programs", "by_it"), PACES, indirect=["store"])
def test_the_pace_is_kept_and_nobody_waits_for_the_clock(
    store: str, programs: int, by_it: int, clock: WallClock
) -> None:
    sandbox = Sandbox(limits=True)
    with sandbox.serve() as server:
        started = [
            Program(
                clock if number < by_it else None,
                "look_up",
                url=server.analytics_url,
                reference_url=server.reference_url,
                store=store,
                times=TIMES,
                clock=str(clock.file),
                jumps=not number,
            )
            for number in range(programs)
        ]
        assert results(*started) == [[MARKET] * TIMES] * programs
    assert [request.status for request in sandbox.requests] == [200] * TIMES * programs


# --- Names


@pytest.mark.slow
def test_names_are_read_again_when_they_are_old_or_of_the_future(
    clock: WallClock, tmp_path: Path
) -> None:
    with Sandbox(limits=False).serve() as server:
        program = Program(
            clock,
            "names",
            url=server.analytics_url,
            reference_url=server.reference_url,
            clock=str(clock.file),
            cache_dir=str(tmp_path / "cache"),
        )
        (taken,) = results(program)
    # A day later, back again, an hour earlier, a year earlier, the right time and a refresh, and
    # an hour before the refresh: once each.
    assert taken == [1, 2, 3, 4, 5, 6, 7]


# --- Errors

ERRORS = [
    # in 1986 and in 2056, and now
    "^TrayportConfigurationError.*not yet valid.*check the clock of this machine",
    "^TrayportConfigurationError.*has expired.*check the clock of this machine",
    "^works",
    # two days ahead, and now
    r"^TrayportAuthenticationError.*the local clock is 172,8\d\d s ahead",
    "^works",
    # an hour ahead and an hour behind, while the service says when to come back
    "^works",
    "^works",
]


@pytest.mark.anyio
async def test_errors_blame_the_clock_and_waits_are_those_of_the_service(
    clock: WallClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    now = datetime.now(UTC)
    tls = certificates.for_server()
    certificates.issue("127.0.0.1", not_after=now + timedelta(days=365)).configure_cert(tls)
    item = 244 + 12 * (now.year - 2024) + now.month - 4  # 244 is April of 2024
    sandbox = Sandbox(limits=False)
    sandbox.faults.add(
        Fault("status", operation_id="get_ohlcv", times=2, retry_after=1, retry_after_date=True)
    )
    async with peer(tls=tls) as one:
        with sandbox.serve() as server:
            program = Program(
                clock,
                "errors",
                url=server.analytics_url,
                reference_url=one.url,
                clock=str(clock.file),
                contract=f"{MARKET}*#Single#10000305#{item + 3}#0",
                days=[f"{now - timedelta(days=days):%Y-%m-%d}" for days in (5, 4)],
            )
            ((said, waits),) = await asyncio.to_thread(results, program)
    for error, expected in zip(said, ERRORS, strict=True):
        assert re.search(expected, error), error
    assert len(waits) == 2
    assert max(waits) <= 2


# --- Data sets


@pytest.fixture
def world() -> World:
    return World(SMALL)


@pytest.mark.slow
def test_a_data_set_that_is_written_while_the_clock_jumps_equals_an_undisturbed_one(
    clock: WallClock, world: World
) -> None:
    with jobs(world) as job:
        path = job.path

        def run(kind: str) -> None:
            program = Program(
                clock,
                "fill",
                job={
                    **asdict(job),
                    "kind": kind,
                    "path": str(path),
                    "cache_dir": str(job.cache_dir),
                    "windows": [[window.start, window.end] for window in job.windows],
                },
                clock=str(clock.file),
            )
            results(program)
            check_integrity(path)
            assert_frame_equal(rows_of(path), world.undisturbed[world.now])

        world.now = world.times[0]
        run("backfill")
        next((path / "data").rglob("*.parquet")).unlink()
        run("verify")
        for now in world.times[1:]:
            world.now = now
            run("refresh")
        assert recorded(path) == world.corrections
