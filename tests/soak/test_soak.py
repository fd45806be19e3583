"""Planted leaks are found, a steady client has none, and ten minutes of the real one."""

from __future__ import annotations

import asyncio
import mmap
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.load.questions import faults
from tests.perf.process import ROOT
from tests.soak.__main__ import rounds
from tests.soak.mix import ACTIVITIES, OFTEN_DOWN, at_the_desk
from tests.soak.watch import MOST_POINTS, WATCHED, Sample, growths
from trayport_sdk.sandbox import Sandbox

MB = 10**6
ROUNDS = 24


class Leaks:
    """Keeps something with each round, until it is closed."""

    def __init__(self) -> None:
        self.kept: list[object] = []
        self.end = ExitStack()
        self.over = threading.Event()

    def memory(self) -> None:
        # Not of the heap, in which there may be room from earlier tests.
        page = mmap.mmap(-1, 2 * MB)
        page.write(bytes(2 * MB))
        self.kept.append(page)

    def files(self) -> None:
        self.end.callback(os.close, os.open(os.devnull, os.O_RDONLY))

    def tasks(self) -> None:
        self.kept.append(asyncio.create_task(asyncio.Event().wait()))

    def threads(self) -> None:
        thread = threading.Thread(target=self.over.wait)
        thread.start()
        self.end.callback(thread.join)

    def close(self) -> None:
        self.over.set()
        self.end.close()


@pytest.fixture
def leaks() -> Iterator[Leaks]:
    found = Leaks()
    yield found
    found.close()


def sampled(work: Callable[[], object]) -> list[Sample]:
    """Samples of rounds at a clock of their own."""
    ticks = count()

    async def once() -> None:
        work()

    async def main() -> list[Sample]:
        return await rounds(once, ROUNDS, share=1e9, rest=0, clock=lambda: next(ticks) / 4)

    return asyncio.run(main())


@pytest.mark.parametrize("name", [None, *WATCHED])
def test_what_leaks_is_found_and_nothing_else(name: str | None, leaks: Leaks) -> None:
    work = (lambda: None) if name is None else getattr(leaks, name)
    # Of a thread's stack a little is used, and other tests have left memory that can be given back.
    found = growths(sampled(work), memory=8)
    assert [leak for leak, growth in found.items() if growth.is_leak] == ([name] if name else [])


def series(value: Callable[[int], float], length: int) -> list[Sample]:
    """Samples with the same value for everything, in its unit."""
    return [
        Sample(n, {name: round(value(n) * watched.unit) for name, watched in WATCHED.items()})
        for n in range(length)
    ]


dice = random.Random(5)


@pytest.mark.parametrize("length", [30, 240, 20 * MOST_POINTS + 7])
@pytest.mark.parametrize(
    ("value", "leaks"),
    [
        pytest.param(lambda _, __: 40, set(), id="steady"),
        pytest.param(lambda n, _: 40 + dice.gauss(0, 2) * (n % 3), set(), id="noise"),
        pytest.param(lambda n, of: 40 + 200 * (n < of / 3), set(), id="warm-up"),
        pytest.param(lambda n, of: 40 + 200 * (n > of / 2), set(), id="a step"),
        pytest.param(lambda n, _: 40 + 500 * (n % 10 == 0), set(), id="peaks"),
        pytest.param(lambda n, of: 400 - 100 * n / of, set(), id="less and less"),
        pytest.param(
            lambda n, of: 40 + 3 * n // of, {"tasks", "threads"}, id="three more in the end"
        ),
        pytest.param(
            lambda n, of: 40 + 30 * n / of + dice.gauss(0, 2), set(WATCHED), id="more and more"
        ),
    ],
)
def test_growth_is_what_goes_on(
    value: Callable[[int, int], float], leaks: set[str], length: int
) -> None:
    found = growths(series(lambda n: value(n, length), length))
    assert {name for name, growth in found.items() if growth.is_leak} == leaks


def test_two_samples_show_nothing() -> None:
    with pytest.raises(ValueError, match="2 samples"):
        growths(series(lambda _: 1, 2))


# When a call is cancelled in the instant that it is connected, asyncio drops the socket, which then
# closes with this warning.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
def test_everything_is_done_once_and_nothing_is_left(tmp_path: Path) -> None:
    sandbox = Sandbox(limits=False)
    sandbox.faults.add(*faults(0.01), OFTEN_DOWN)

    async def main() -> Counter[str]:
        async with at_the_desk(server.analytics_url, server.reference_url, tmp_path) as desk:
            await desk.round()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return desk.calls

    with sandbox.serve() as server:
        calls = asyncio.run(main())
    assert calls == Counter(activity.__name__ for activity in ACTIVITIES)


@pytest.fixture(scope="module")
def soaked() -> subprocess.CompletedProcess[str]:
    """Ten minutes, in a process of its own that takes a fifth of a processor."""
    return subprocess.run(
        [sys.executable, "-m", "tests.soak", "--dry", "--hours", str(600 / 3600)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )


@pytest.mark.slow
def test_ten_minutes_leave_nothing_behind(soaked: subprocess.CompletedProcess[str]) -> None:
    assert soaked.returncode == 0, soaked.stdout + soaked.stderr
