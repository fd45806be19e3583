"""Whatever is called, every request is one that the document describes, says openapi-core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.request.exceptions import InvalidParameter

from tests.drawn import FACTOR
from tests.fuzz import conformance
from tests.fuzz.calls import CALLS, READS_ONCE, SENDS_NOTHING, Drawn, public_methods, result_of
from tests.fuzz.conformance import Recorder, ViolationError
from trayport_sdk import TrayportClient, sync
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.hypothesis
KINDS = ("async", "sync")
# With all examples both clients make every call, and by default one of them does.
PAIRS = [
    (kind, name)
    for turn, kind in enumerate(KINDS)
    for place, name in enumerate(CALLS)
    if FACTOR >= 1 or place % 2 == turn
]


@frozen
class Caller:
    """A client of either kind, and what takes its requests."""

    client: Any
    recorder: Recorder
    run: Callable[[Any], Any]


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Caller]]:
    chosen = conformance.settings(tmp_path_factory.mktemp("dead"))
    recorders = {kind: Recorder() for kind in KINDS}
    with (
        asyncio.Runner() as runner,
        sync.TrayportClient(settings=chosen, transport=recorders["sync"]) as synchronous,
    ):
        client = TrayportClient(settings=chosen, transport=recorders["async"])
        yield {
            "async": Caller(client, recorders["async"], runner.run),
            "sync": Caller(synchronous, recorders["sync"], _at_once),
        }
        runner.run(client.aclose())


def _at_once(coroutine: Any) -> Any:
    """Runs what has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError("the synchronous client had to be awaited")


@pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportExpiryWarning")
@pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportHistoryWarning")
@pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportAmbiguityWarning")
@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_every_request_of_a_method_is_one_that_the_document_describes(
    kind: str,
    name: str,
    callers: dict[str, Caller],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    caller = callers[kind]
    recorder = caller.recorder
    recorder.urls.clear()
    if name in READS_ONCE:
        caller.run(result_of(caller.client.reference.refresh()))

    @settings(
        max_examples=max(2, round(40 * FACTOR)),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        recorder.wrong.clear()
        caller.run(result_of(CALLS[name](caller.client, Drawn(data.draw, tmp_path))))
        assert not recorder.wrong

    check()
    assert recorder.urls
    record_property("requests", len(recorder.urls))


def test_every_public_method_is_drawn_or_sends_nothing() -> None:
    assert public_methods() == CALLS.keys() | SENDS_NOTHING


# First contact settles some assumptions by breaking them: the document is wrong where that works.
BROKEN = {"count", "depth", "sequenceItemId"}


def test_first_contact_breaks_what_is_assumed_and_nothing_else(callers: dict[str, Caller]) -> None:
    caller = callers["async"]
    caller.recorder.urls.clear()
    caller.recorder.wrong.clear()
    caller.run(caller.client.first_contact())
    found = [error for _, error in caller.recorder.wrong if isinstance(error, Exception)]
    assert {error.name for error in found if isinstance(error, InvalidParameter)} == BROKEN
    assert all(isinstance(error, InvalidParameter) for error in found)
    assert len(caller.recorder.urls) > 20


@pytest.mark.anyio
async def test_what_warms_connections_up_is_described_as_well(tmp_path: Path) -> None:
    sent: list[httpx.Request] = []

    async def hook(request: httpx.Request) -> None:
        sent.append(request)

    with Sandbox(limits=False).serve() as server:
        chosen = conformance.settings(tmp_path).replace(analytics_url=server.analytics_url)
        async with TrayportClient(settings=chosen, event_hooks={"request": [hook]}) as client:
            assert await client.warm_up(2) == 2
    assert len(sent) == 2
    for request in sent:
        path = request.url.raw_path.decode().removeprefix("/analytics")
        headers = {**request.headers, "x-api-key": "comes after the hook"}
        conformance.check(
            httpx.Request("GET", f"{RIGHT.scheme}://{RIGHT.host}{path}", headers=headers)
        )


HEADERS = {"X-API-KEY": "key", "Accept": "application/json"}
RIGHT = httpx.URL(
    "https://analytics.trayport.com/api/trades?marketId=1&sequenceId=2&sequenceItemId=244%2C245"
    "&contractType=SinglePeriod&from=2024-03-04&until=2024-03-05T00:00:00Z&routes=a%2Cb&routes=2"
    "&optionalFields=contract&includePrivate=true"
)
WRONG_URLS = {
    "a parameter that is not described": ("optionalFields", "optionalField"),
    "a parameter in another case": ("marketId", "marketID"),
    "no parameter that is required": ("contractType=SinglePeriod&", ""),
    "another word": ("SinglePeriod", "Single"),
    "another field": ("=contract", "=contracts"),
    "a fraction of a second": ("00:00Z", "00:00.5Z"),
    "a time without a time zone's colon": ("00:00Z", "00:00+0000"),
    "more items than there may be": ("244%2C245", "%2C".join(map(str, range(51)))),
    "items one by one": ("244%2C245", "244&sequenceItemId=245"),
    "no item": ("244%2C245", ""),
    "a route without a name": ("routes=2", "routes="),
    "no whole number": ("marketId=1", "marketId=1.0"),
    "a number below zero": ("marketId=1", "marketId=-1"),
    "a number beyond 64 bits": ("marketId=1", f"marketId={2**63}"),
    "a truth value as Python writes it": ("=true", "=True"),
    "a parameter twice": ("=true", "=true&includePrivate=true"),
    "another path": ("/trades", "/trade"),
    "a path without its base": ("/api/trades", "/trades"),
    "another scheme": ("https", "http"),
    "another host": ("analytics", "referencedata"),
}
WRONG_REQUESTS = {
    name: httpx.Request("GET", str(RIGHT).replace(*change), headers=HEADERS)
    for name, change in WRONG_URLS.items()
} | {
    "another method": httpx.Request("POST", RIGHT, headers=HEADERS),
    "the key in another header": httpx.Request(
        "GET", RIGHT, headers={"Accept": "application/json", "Authorization": "Bearer key"}
    ),
    "another type": httpx.Request("GET", RIGHT, headers=HEADERS | {"Accept": "text/html"}),
    "a body": httpx.Request("GET", RIGHT, headers=HEADERS, content=b"{}"),
}


def test_a_request_that_is_described_passes() -> None:
    conformance.check(httpx.Request("GET", RIGHT, headers=HEADERS))


@pytest.mark.parametrize("wrong", WRONG_REQUESTS)
def test_a_wrong_request_would_be_found_out(wrong: str) -> None:
    with pytest.raises((OpenAPIError, ViolationError)):
        conformance.check(WRONG_REQUESTS[wrong])
