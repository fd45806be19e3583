"""A service that is killed and started again under load."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import polars as pl
import pytest

from tests.http.peers import PROXY_VARIABLES
from tests.programs import ROOT
from trayport_sdk import (
    BreakerEvent,
    BreakerState,
    Progress,
    RetryEvent,
    Settings,
    TrayportClient,
)
from trayport_sdk.sandbox import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PORTS = range(20_000, 32_000)
"""None of them is given to a connection while nothing listens on it."""
DOWNLOADS = 50
KILLS = 3
RANGE = "2023-09-01", "2024-03-01"
CONTRACTS = [f"10000065*#Single#10000305#{item}#0" for item in range(244, 248)]
CLOSED, OPEN, TRIED = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
CHANGES = {(CLOSED, OPEN), (OPEN, TRIED), (TRIED, OPEN), (TRIED, CLOSED)}


def is_free(port: int) -> bool:
    """Whether nothing listens on a port."""
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Service:
    """`trayport sandbox`, always on the same port."""

    def __init__(self) -> None:
        self._port = next(port for port in random.sample(PORTS, 100) if is_free(port))
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None

    async def start(self) -> None:
        """Returns when it listens."""
        self._process = await asyncio.to_thread(self._started)

    def _started(self) -> subprocess.Popen[str]:
        command = ["-m", "trayport_sdk", "sandbox", "--port", str(self._port), "--no-limits"]
        path = f"{ROOT / 'generated'}{os.pathsep}{ROOT}"
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert process.stdout is not None
        assert any(line.startswith("keys") for line in process.stdout)
        return process

    def kill(self) -> None:
        """By SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()


async def download(client: TrayportClient, number: int, on_progress: Any) -> pl.DataFrame:
    """The trades of a contract, one way or the other."""
    contract = CONTRACTS[number % len(CONTRACTS)]
    if number % 2:
        return (await client.get_trades(contract, *RANGE, on_progress=on_progress)).to_polars()
    bulk = await client.get_trades_bulk([contract], *RANGE, on_progress=on_progress)
    bulk.raise_for_failures()
    (table,) = bulk.complete.values()
    return table.to_polars()


def check_changes(events: Sequence[BreakerEvent]) -> None:
    """One change follows the other, and each trial is of a breaker that was open."""
    assert {(event.previous, event.state) for event in events} <= CHANGES
    assert all(one.state == other.previous for one, other in pairwise(events))
    assert (events[0].previous, events[-1].state) == (CLOSED, CLOSED)


async def test_downloads_outlast_a_service_that_is_killed_three_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    async with TrayportClient.sandbox(Sandbox(limits=False)) as undisturbed:
        expected = await asyncio.gather(
            *(download(undisturbed, number, None) for number in range(len(CONTRACTS)))
        )
    changes: list[BreakerEvent] = []
    retries: list[RetryEvent] = []
    done, planned, more = [0] * DOWNLOADS, [0] * DOWNLOADS, asyncio.Event()

    def progress_of(number: int) -> Any:
        def note(progress: Progress) -> None:
            done[number], planned[number] = progress.requests_done, progress.requests_planned
            more.set()

        return note

    async def every_one_has(part: float) -> None:
        """Waits until a part of each download has come."""
        while not all(n > part * of for n, of in zip(done, planned, strict=True)):
            more.clear()
            await more.wait()

    async with Service() as service:
        settings = Settings(
            _env_file=None,
            api_key="sandbox",
            analytics_url=f"{service.url}/analytics/api",
            reference_url=f"{service.url}/reference/api",
            requests_per_second=100_000,
            requests_per_minute=6_000_000,
            max_concurrency=1,
            breaker_recovery=1,  # so that it takes less time
        )
        async with TrayportClient(
            settings=settings, on_retry=retries.append, on_breaker_change=changes.append
        ) as client:
            tasks = [
                asyncio.create_task(download(client, number, progress_of(number)))
                for number in range(DOWNLOADS)
            ]
            for kill in range(KILLS):
                await every_one_has(kill / KILLS)
                assert not all(task.done() for task in tasks)
                service.kill()
                await service.start()
            found = await asyncio.gather(*tasks)
            status = client.get_status()
    for number, table in enumerate(found):
        assert table.equals(expected[number % len(CONTRACTS)])
    assert retries
    check_changes(changes)
    assert {each.state for each in status.breakers.values()} == {CLOSED}
