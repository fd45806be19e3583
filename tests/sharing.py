"""Processes that use one allowance as fast as they are let."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from typing import Any

from pydantic import SecretStr

from trayport_sdk.http.limiter import Limits, limiter_for

KEY, HOST = "key", "host"
TASKS = 3


def use(store: str, limits: Limits, seconds: float, start: Any, grants: Any) -> None:
    """Sends the moment of every grant, once all processes have started and the time is over."""

    async def main() -> list[int]:
        limiter = limiter_for(SecretStr(KEY), HOST, SecretStr(store))
        limiter.configure(main, limits, "error")
        moments: list[int] = []
        start.wait()
        end = time.monotonic() + seconds

        async def ask() -> None:
            while time.monotonic() < end:
                moments.append((await limiter.acquire()).moment)

        await asyncio.gather(*(ask() for _ in range(TASKS)))
        return moments

    grants.put((store, asyncio.run(main())))


def grants_of_processes(
    stores: list[str], limits: Limits, processes: int, seconds: float
) -> dict[str, list[list[int]]]:
    """The grants of each process, by store."""
    context = multiprocessing.get_context("spawn")
    start, grants = context.Barrier(processes * len(stores)), context.Queue()
    workers = [
        context.Process(target=use, args=(store, limits, seconds, start, grants))
        for store in stores
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    found: dict[str, list[list[int]]] = {store: [] for store in stores}
    for _ in workers:
        store, moments = grants.get(timeout=60 + seconds)
        found[store].append(moments)
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    return found
