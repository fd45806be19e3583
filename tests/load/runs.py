"""Many requests at once, against a sandbox in a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx
import polars as pl
from attrs import asdict, frozen

from tests.load.questions import Question, at_full_speed, faults, questions
from tests.perf.server import served
from trayport_sdk import Settings, TrayportClient, TrayportError
from trayport_sdk.query.times import SECOND
from trayport_sdk.sandbox import Fault, Sandbox

Expected = Mapping[Question, pl.DataFrame]
SIMULTANEOUS = 100
DELAY = 2.0
"""Seconds for which a server keeps every request that shall be under way with the others."""


@frozen
class Load:
    """What came of many calls.

    Attributes:
        calls: How many there were.
        wrong: How many gave other rows than they should have.
        failures: How many failed, by the name of the error.
        rows: How many rows were compared.
        seconds: How long all of them took.
        statuses: What the server responded with, counted.
        arrivals: When requests arrived there, in nanoseconds.
        reuse: The share of requests over a connection that was used before.
    """

    calls: int
    wrong: int
    failures: Mapping[str, int]
    rows: int
    seconds: float
    statuses: Mapping[int | None, int]
    arrivals: Sequence[int]
    reuse: float

    @property
    def succeeded(self) -> float:
        """The share of calls with the right rows."""
        return 1 - (self.wrong + sum(self.failures.values())) / self.calls

    def most_within(self, seconds: float) -> int:
        """The most requests that arrived within any so many seconds."""
        first = most = 0
        for last, moment in enumerate(self.arrivals):
            while moment - self.arrivals[first] >= seconds * SECOND:
                first += 1
            most = max(most, last - first + 1)
        return most


async def expected(asked: Iterable[Question]) -> Expected:
    """What a sandbox in this process responds, to one call after the other."""
    async with TrayportClient.sandbox(Sandbox(limits=False)) as client:
        return {question: await question.ask(client) for question in asked}


async def ask_all(
    client: TrayportClient, callers: Sequence[Sequence[Question]], right: Expected
) -> tuple[int, Counter[str], int]:
    """Has each caller ask one question after the other, all callers at the same time.

    Returns:
        How many responses had other rows, the errors, and how many rows were compared.
    """
    wrong, failures, rows = 0, Counter[str](), 0

    async def call(asked: Sequence[Question]) -> None:
        nonlocal wrong, rows
        for question in asked:
            try:
                frame = await question.ask(client)
            except TrayportError as error:
                failures[type(error).__name__] += 1
            else:
                wrong += not frame.equals(right[question])
                rows += frame.height

    await asyncio.gather(*map(call, callers))
    return wrong, failures, rows


def turns(asked: Sequence[Question], callers: int, each: int) -> list[list[Question]]:
    """So many questions for each caller; callers begin at different ones."""
    return [[asked[(n + m) % len(asked)] for m in range(each)] for n in range(callers)]


def load(
    callers: Sequence[Sequence[Question]],
    *,
    limits: bool = False,
    goes_wrong: Iterable[Fault] = (),
    settings: Callable[[str, str], Settings] = at_full_speed,
) -> Load:
    """Calls on one client, over sockets."""
    right = asyncio.run(expected({question for asked in callers for question in asked}))
    with served(limits=limits) as (url, *urls), httpx.Client(base_url=url, trust_env=False) as http:
        documents = [asdict(fault) for fault in goes_wrong]
        http.post("/control/faults", json=documents).raise_for_status()
        started = time.perf_counter()
        (wrong, failures, rows), reuse = asyncio.run(_asked(settings(*urls), callers, right))
        seconds = time.perf_counter() - started
        log = http.get("/control/requests", timeout=60).raise_for_status().json()
    return Load(
        calls=sum(map(len, callers)),
        wrong=wrong,
        failures=failures,
        rows=rows,
        seconds=seconds,
        statuses=Counter(request["status"] for request in log),
        arrivals=sorted(request["arrived_ns"] for request in log),
        reuse=reuse,
    )


async def _asked(settings: Settings, callers: Any, right: Expected) -> tuple[Any, float]:
    async with TrayportClient(settings=settings) as client:
        outcome = await ask_all(client, callers, right)
        return outcome, client.get_metrics().reuse_share or 0.0


def simultaneous(count: int = SIMULTANEOUS) -> Load:
    """So many requests that are all under way before the first one gets its response."""
    delay = Fault("delay", times=None, seconds=DELAY)
    return load([[question] for question in questions(count)], goes_wrong=[delay])


def many_callers(callers: int = 1000, each: int = 10) -> Load:
    """Callers that know nothing of each other share one client."""
    return load(turns(questions(callers), callers, each))


def with_faults(calls: int = 10_000, probability: float = 0.01) -> Load:
    """Calls of which each request meets each kind of fault with the probability."""
    asked = questions(1000)
    return load(turns(asked, 100, calls // 100), goes_wrong=faults(probability))


def at_default_limits(requests: int = 480) -> Load:
    """As fast as the defaults let 100 callers ask, for more than a minute."""

    def settings(analytics_url: str, reference_url: str) -> Settings:
        return Settings(
            _env_file=None,
            api_key="sandbox",
            analytics_url=analytics_url,
            reference_url=reference_url,
        )

    asked = questions(SIMULTANEOUS)
    callers = turns(asked, SIMULTANEOUS, -(-requests // SIMULTANEOUS))
    return load(callers, limits=True, settings=settings)
