"""What arrives at a server, by its own clock, while processes and their event loops stall."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from trayport_spec import REQUEST_LIMITS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 12.0
# What the docs promise at the documented limits: so much may requests be delayed unevenly.
JITTER = 0.065

PROGRAM = """
import asyncio, json, sys, threading, time
from trayport_sdk import ContractSpec, Settings, TrayportClient

contract = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=245)
given = json.loads(sys.argv[1])
end = time.monotonic() + given["seconds"]

async def calls(tasks, stalls):
    loop = asyncio.get_running_loop()
    async with TrayportClient(settings=Settings(_env_file=None, **given["settings"])) as client:
        async def one():
            while time.monotonic() < end:
                await client.trades.get_trades(contract, "2024-01-01", "2024-01-02")
        running = [asyncio.ensure_future(one()) for _ in range(tasks)]
        for at, length in stalls:
            loop.call_later(at, time.sleep, length)
        await asyncio.sleep(end - time.monotonic())
        for task in running:
            task.cancel()
        done = await asyncio.gather(*running, return_exceptions=True)
        assert all(each is None or isinstance(each, asyncio.CancelledError) for each in done), done

threads = [threading.Thread(target=lambda one=one: asyncio.run(calls(*one)))
           for one in given["loops"]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"


class Server(threading.Thread):
    """Notes when requests arrive."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.arrivals: list[float] = []
        self.port = 0
        self._ready = threading.Event()
        self._end: Callable[[], object] = lambda: None
        self.start()
        self._ready.wait(30)

    def run(self) -> None:
        arrivals = self.arrivals

        class Connection(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport: Any = transport

            def data_received(self, data: bytes) -> None:
                arrivals.extend([time.monotonic()] * data.count(b"GET "))
                self.transport.write(RESPONSE)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            over = loop.create_future()
            self._end = lambda: loop.call_soon_threadsafe(over.set_result, None)
            server = await loop.create_server(Connection, "127.0.0.1", 0)
            async with server:
                self.port = server.sockets[0].getsockname()[1]
                self._ready.set()
                await over

        asyncio.run(main())

    def stop(self) -> None:
        self._end()
        self.join(30)


class Programs:
    """Processes that ask a server as fast as they may."""

    def __init__(self) -> None:
        self.server = Server()
        address = f"http://127.0.0.1:{self.server.port}"
        self.settings: dict[str, object] = {
            "api_key": "sandbox",
            "analytics_url": f"{address}/a",
            "reference_url": f"{address}/r",
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *loops: tuple[int, Sequence[tuple[float, float]]]) -> None:
        given = {"seconds": SECONDS, "settings": self.settings, "loops": loops}
        self.started.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, json.dumps(given)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'generated'}{os.pathsep}{ROOT}"},
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def arrivals(self) -> list[float]:
        """When requests came, once all programs have ended."""
        for program in self.started:
            assert program.communicate(timeout=90)[1] == ""
            assert program.returncode == 0
        return self.server.arrivals

    def stop(self) -> None:
        for program in self.started:
            program.kill()
            program.communicate()
        self.server.stop()


@pytest.fixture
def programs() -> Iterator[Programs]:
    programs = Programs()
    yield programs
    programs.stop()


def most_within(moments: Sequence[float], seconds: float) -> int:
    return max(sum(a <= b < a + seconds for b in moments) for a in moments)


def until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never happens")


FASTEST = {
    "requests_per_second": REQUEST_LIMITS.per_second,
    "requests_per_minute": REQUEST_LIMITS.per_minute,
}


def test_a_loop_that_computes_collects_nothing_for_later(programs: Programs) -> None:
    programs.start((40, [(2.0, 3.0)]), (5, []))
    arrivals = programs.arrivals()
    assert most_within(arrivals, 1.0) <= REQUEST_LIMITS.per_second
    during = sum(2.5 < moment - arrivals[0] < 4.5 for moment in arrivals)
    assert during >= 6  # the other loop goes on


@pytest.mark.parametrize("store", ["memory", "sqlite:///{}/grants.db"])
def test_stalls_at_the_documented_rate(programs: Programs, store: str, tmp_path: Path) -> None:
    programs.settings |= {**FASTEST, "limiter_store": store.format(tmp_path)}
    stalls = [(0.3 + 0.37 * number, 0.05 + 0.29 * (number % 4)) for number in range(20)]
    programs.start((20, stalls), (20, stalls[::3]))
    assert most_within(programs.arrivals(), 1.0 - JITTER) <= REQUEST_LIMITS.per_second


def test_a_file_that_is_deleted_is_shared_again(programs: Programs, tmp_path: Path) -> None:
    file = tmp_path / "grants.db"
    programs.settings |= {"limiter_store": f"sqlite:///{file}"}
    programs.start((5, []))
    programs.start((5, []))
    until(lambda: len(programs.server.arrivals) > 10)
    file.unlink()
    programs.start((5, []))
    until(lambda: len(programs.server.arrivals) > 25)
    file.unlink()
    arrivals = programs.arrivals()
    assert most_within(arrivals, 1.0) <= REQUEST_LIMITS.per_second
    assert len(arrivals) > 40


def test_a_process_that_is_stopped_and_goes_on(programs: Programs, tmp_path: Path) -> None:
    programs.settings |= {**FASTEST, "limiter_store": f"sqlite:///{tmp_path / 'grants.db'}"}
    for _ in range(2):
        programs.start((10, []))
    until(lambda: len(programs.server.arrivals) > 8)
    for pause in (0.4, 0.7, 1.3):
        programs.started[0].send_signal(signal.SIGSTOP)
        time.sleep(pause)
        programs.started[0].send_signal(signal.SIGCONT)
        time.sleep(0.5)
    assert most_within(programs.arrivals(), 1.0 - JITTER) <= REQUEST_LIMITS.per_second
