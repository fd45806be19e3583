"""What runs while its time of day jumps."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.child import Job, texts
from tests.clock.faked import WallClock
from trayport_sdk import RetryEvent, Settings, TrayportClient, TrayportError
from trayport_sdk.query.times import Window

MARKET = 10000065
HOUR = 3600.0
YEAR = 365 * 24 * HOUR
JUMPS = (HOUR, -HOUR, 48 * HOUR, 0.0, -400 * 24 * HOUR, 1.0)
"""How far a clock is ahead, one after another."""


async def look_up(
    url: str, reference_url: str, store: str, times: int, clock: str, jumps: bool
) -> list[int]:
    """Asks for the same so many times, and has the clock jump with each response."""
    left = iter(JUMPS if jumps else ())

    async def jump(_: httpx.Response) -> None:
        if (ahead := next(left, None)) is not None:
            WallClock(Path(clock)).set(ahead)

    settings = Settings(
        _env_file=None,
        api_key="sandbox",
        analytics_url=url,
        reference_url=reference_url,
        limiter_store=store,
        cache="off",
    )
    async with TrayportClient(settings=settings, event_hooks={"response": [jump]}) as client:
        ask = client.reference.get_market_by_id
        return [found.id for found in await asyncio.gather(*(ask(MARKET) for _ in range(times)))]


async def names(url: str, reference_url: str, clock: str, cache_dir: str) -> list[int]:
    """How many requests names took so far, each time that the clock was set."""
    wall = WallClock(Path(clock))
    settings = Settings(
        _env_file=None,
        api_key="sandbox",
        analytics_url=url,
        reference_url=reference_url,
        cache_dir=cache_dir,
        limiter_store="memory",
    )
    taken: list[int] = []
    async with TrayportClient(settings=settings) as client:

        async def read() -> None:
            await client.reference.get_markets()
            await client.reference.get_markets()
            taken.append(client.get_metrics().total.requests)

        await read()
        for ahead in (25 * HOUR, 0.0, -HOUR, -400 * 24 * HOUR):
            wall.set(ahead)
            await read()
        wall.set(0.0)
        await client.reference.refresh()
        await read()
        wall.set(-HOUR)
        await read()
    return taken


async def errors(
    url: str, reference_url: str, clock: str, contract: str, days: tuple[str, str]
) -> tuple[list[str], list[float]]:
    """What errors say where the clock is wrong, and how long requests that failed have waited."""
    wall, said, retries = WallClock(Path(clock)), list[str](), list[RetryEvent]()
    settings = Settings(
        _env_file=None,
        api_key="sandbox",
        analytics_url=url,
        reference_url=reference_url,
        retry_base=0.001,
        cache="off",
    )

    async def fails(call: Coroutine[Any, Any, object]) -> None:
        try:
            await call
        except TrayportError as error:
            said.append(f"{type(error).__name__}: {error}")
        else:
            said.append("works")

    async with TrayportClient(settings=settings, on_retry=retries.append) as client:
        for ahead in (-40 * YEAR, 30 * YEAR, 0.0):
            wall.set(ahead)
            await fails(client.reference.get_sequences())
        for ahead in (48 * HOUR, 0.0):
            wall.set(ahead)
            await fails(client.get_trades(contract, days[0]))
        # The service fails, and says when to come back by its own clock.
        for ahead in (HOUR, -HOUR):
            wall.set(ahead)
            await fails(client.get_ohlcv(contract, *days, interval="1h"))
    return said, [event.wait for event in retries]


async def fill(job: dict[str, Any], clock: str) -> list[int]:
    """Fills, verifies or refreshes a data set, while the clock jumps with each response."""
    wall, jumps = WallClock(Path(clock)), cycle(JUMPS)
    windows = [Window(*window) for window in job.pop("windows")]
    path, cache_dir = Path(job.pop("path")), Path(job.pop("cache_dir"))
    task = Job(windows=windows, path=path, cache_dir=cache_dir, **job)

    def jump(_: object) -> None:
        wall.set(next(jumps))

    async with task.client() as client:
        if task.kind == "verify":
            reports = [await client.verify(task.path, on_progress=jump)]
        elif task.kind == "refresh":
            reports = [await client.refresh(task.path, "400d", on_progress=jump)]
        else:
            reports = [
                await client.backfill(task.contracts, *texts(window), task.path, on_progress=jump)
                for window in windows
            ]
    for report in reports:
        report.raise_for_failures()
    return [report.requests_done for report in reports]


TASKS: dict[str, Callable[..., Coroutine[Any, Any, object]]] = {
    task.__name__: task for task in (look_up, names, errors, fill)
}

if __name__ == "__main__":
    print(json.dumps(asyncio.run(TASKS[sys.argv[1]](**json.loads(sys.argv[2])))))
