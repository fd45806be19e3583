"""The same cells with the synchronous client, over sockets and in real time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.faults.kinds import FAULTS, FORBIDDEN_RETRIES, RETRIES, Expected
from tests.faults.matrix import MODES, PLACES, Cell, judged, undisturbed
from tests.faults.methods import METHODS, Case, classes
from tests.load.questions import at_full_speed
from trayport_sdk import sync
from trayport_sdk.sandbox import Sandbox

LONGEST_WAIT = 1.0
"""Seconds; faults that take longer are for virtual time."""


def diagonal() -> Iterator[Cell]:
    """Every method once, and every fault that takes no time at least once."""
    faults = [name for name, expected in FAULTS.items() if _is_quick(expected)]
    count = max(len(faults), len(METHODS))
    for number, fault, method in zip(range(count), cycle(faults), cycle(METHODS), strict=False):
        place, mode = PLACES[number % len(PLACES)], MODES[number // len(PLACES) % len(MODES)]
        yield Cell(method, fault, mode, place)


def _is_quick(expected: Expected) -> bool:
    fault = expected.fault
    waits = fault.seconds if fault.kind == "delay" else fault.retry_after or 0.0
    return waits <= LONGEST_WAIT and fault.kind != "drip"


def outcome(cell: Cell, directory: Path) -> str:
    """What comes of a cell, as `matrix.outcome` says."""
    undisturbed(cell.method)
    sandbox = Sandbox(limits=False)
    with sandbox.serve() as server:
        settings = at_full_speed(
            server.analytics_url,
            server.reference_url,
            emergency_throttling=False,
            max_retries=RETRIES,
            forbidden_retries=FORBIDDEN_RETRIES,
            retry_budget=2.0,
            retry_base=0.001,
            forbidden_wait=0.001,
            breaker_recovery=0.01,
        )
        with sync.TrayportClient(settings=settings) as client:
            # Requests that are called off with the first failure may be under way or not.
            case = Case(Awaited(client, "client"), sandbox, directory, is_exact=False)
            return asyncio.run(judged(cell, case, FAULTS[cell.fault]))


class Awaited:
    """A synchronous object under the names of the asynchronous one, which are awaited."""

    def __init__(self, wrapped: Any, name: str) -> None:
        self._wrapped, self._name = wrapped, name

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._wrapped, name)
        if (inner := f"{self._name}.{name}") in classes():
            return Awaited(member, inner)
        there = getattr(classes()[self._name], name)
        if inspect.iscoroutinefunction(there):
            return _awaited(member)
        if name == "stream_trades":
            return lambda *args: Awaited(member(*args), "stream")
        if name == "map_batches":
            return lambda *args, **options: _iterated(member(*args, **options))
        return member

    def __aiter__(self) -> AsyncIterator[Any]:
        return _iterated(self._wrapped)


def _awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **options: Any) -> Any:
        return function(*args, **options)

    return call


async def _iterated(items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item
