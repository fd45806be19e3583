"""The sandbox behind something that fails where a test says so, and clients of it on virtual time.

What fails is decided from the query, and not only from the path as with the faults of the sandbox.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qs

import httpx
import polars as pl
from attrs import frozen

from tests import virtual_time
from tests.virtual_time import clock_for_threads
from trayport_sdk import ContractSpec, Progress, QueryPlan, Settings, TrayportClient
from trayport_sdk.bulk.results import BulkQueryResult
from trayport_sdk.http.breaker import Breakers
from trayport_sdk.query.times import DAY, instant
from trayport_sdk.sandbox import Sandbox

Result = TypeVar("Result")

SILENCE = 60.0  # seconds that the client waits for the next part of an answer
FIRST_ITEM = 244
CONTRACTS = tuple(
    ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
    for item in range(FIRST_ITEM, FIRST_ITEM + 50)
)


@frozen
class Request:
    """What a request asks for.

    Attributes:
        path: The operation.
        items: The items of the sequence.
        start: Where the range begins, in nanoseconds.
        end: Where it ends.
    """

    path: str
    items: tuple[int, ...]
    start: int
    end: int

    @property
    def days(self) -> float:
        return (self.end - self.start) / DAY

    def covers(self, moment: int) -> bool:
        return self.start <= moment < self.end


Verdict = int | float | Literal["cut", "broken", "hang", "unconnected"] | None
"""A status, seconds that the response comes later, or how it breaks."""


class Service:
    """An ASGI application: the sandbox, behind a judge of requests.

    Attributes:
        verdict: Says what becomes of a request; None lets it through.
        requests: The requests that came, in order.
        most_under_way: How many requests were under way at once.
    """

    limits = False

    def __init__(
        self, verdict: Callable[[Request], Verdict] = lambda _: None, **sandbox: Any
    ) -> None:
        self.sandbox = Sandbox(limits=False, **sandbox)
        self.verdict = verdict
        self.requests: list[Request] = []
        self.under_way = self.most_under_way = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        query = {n.lower(): v for n, v in parse_qs(scope["query_string"].decode()).items()}
        request = Request(
            scope["path"].removeprefix(Sandbox.ANALYTICS_PATH),
            tuple(
                int(item) for text in query.get("sequenceitemid", ()) for item in text.split(",")
            ),
            instant(query["from"][0], "from_") if "from" in query else 0,
            instant(query["until"][0], "until") if "until" in query else 0,
        )
        self.requests.append(request)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            verdict = self.verdict(request)
            if isinstance(verdict, float):
                await asyncio.sleep(verdict)
                verdict = None
            if verdict is None:
                await self.sandbox(scope, receive, send)
            else:
                await _refuse(verdict, send)
        finally:
            self.under_way -= 1

    def client(self, **values: Any) -> TrayportClient:
        return TrayportClient.sandbox(self, settings=Settings(_env_file=None, **values))  # type: ignore[arg-type]


async def _refuse(verdict: int | str, send: Any) -> None:
    if verdict == "hang":
        await asyncio.sleep(SILENCE)
        raise httpx.ReadTimeout("nothing came")
    if verdict == "unconnected":
        raise httpx.ConnectError("no server listens")
    status = verdict if isinstance(verdict, int) else HTTPStatus.OK
    length = b"9" if verdict == "cut" else b"3"
    head = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": b"[{]"})


def session(
    service: Service, test: Callable[[TrayportClient], Awaitable[Result]], **values: Any
) -> Result:
    """Runs a test with a client of the service, on virtual time; nothing may be left of it."""

    async def main() -> Result:
        async with service.client(**values) as client:
            inner = client._session
            inner.clock = clock_for_threads()
            if inner.breakers is not None:
                inner.breakers = Breakers(
                    threshold=client.settings.breaker_threshold,
                    recovery=client.settings.breaker_recovery,
                    on_change=inner.notify,
                    clock=clock_for_threads(),
                )
            found = await test(client)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert service.under_way == 0
        return found

    return virtual_time.run(main())


Frames = Mapping[ContractSpec, pl.DataFrame]


def frames(result: BulkQueryResult[Any]) -> Frames:
    """The tables that are complete."""
    return {contract: table.to_polars() for contract, table in result.complete.items()}


def same(found: Frames, expected: Frames) -> bool:
    return list(found) == list(expected) and all(found[c].equals(expected[c]) for c in found)


class Reported(list[Progress]):
    """Every progress that a call has reported."""

    def check(self, result: BulkQueryResult[Any]) -> None:
        """At the end everything planned is done or failed, as the result says."""
        last = self[-1]
        assert last.requests_done == len(result.requests)
        assert last.requests_failed == len(result.failures)
        assert last.requests_done + last.requests_failed == last.requests_planned
        assert last.seconds_left == 0.0


def check_letters(file: Path, result: BulkQueryResult[Any]) -> None:
    """The dead letters are the failures, each of them once."""
    lines = file.read_text().splitlines() if file.exists() else []
    letters = Counter(QueryPlan.from_dict(json.loads(line)["query"]) for line in lines)
    assert letters == Counter(failure.query for failure in result.failures)
