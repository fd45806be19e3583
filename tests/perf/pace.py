"""How fast requests leave and arrive at the limits, and what keeping them costs a call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import httpx
from attrs import frozen
from pydantic import SecretStr
from trayport_spec import REQUEST_LIMITS

from tests.perf.server import served
from trayport_sdk import Settings, TrayportClient
from trayport_sdk.errors import RequestContext
from trayport_sdk.http.breaker import Breakers
from trayport_sdk.http.limiter import Limits, RequestLimiter
from trayport_sdk.http.messages import ApiRequest, ApiResponse
from trayport_sdk.http.redaction import Redaction
from trayport_sdk.http.session import Policy, Session
from trayport_sdk.http.transport import Transport

MARKET = 10000065
URL = "http://127.0.0.1:9"


@frozen
class Arrivals:
    """What a server saw.

    Attributes:
        seconds: From the first call to the last response, at the client.
        statuses: The statuses of the responses.
        most_in_a_second: The most requests that arrived within any second.
    """

    seconds: float
    statuses: frozenset[int]
    most_in_a_second: int


def at_the_documented_limit(requests: int) -> Arrivals:
    """Asks as fast as the service documents, over a socket; the other end enforces it."""
    with served(limits=True) as (url, analytics_url, reference_url):
        settings = Settings(
            _env_file=None,
            cache="off",
            api_key="sandbox",
            analytics_url=analytics_url,
            reference_url=reference_url,
            requests_per_second=REQUEST_LIMITS.per_second,
            requests_per_minute=REQUEST_LIMITS.per_minute,
        )
        seconds = asyncio.run(_looked_up(settings, requests))
        log = httpx.get(f"{url}/control/requests", trust_env=False).raise_for_status().json()
    moments = sorted(received["arrived_ns"] for received in log)
    return Arrivals(
        seconds,
        frozenset(received["status"] for received in log),
        max(sum(a <= b < a + 10**9 for b in moments) for a in moments),
    )


async def _looked_up(settings: Settings, requests: int) -> float:
    async with TrayportClient.sandbox() as other:
        # What is imported on first use is no matter of pace.
        await other.reference.get_market_by_id(MARKET)
    async with TrayportClient(settings=settings) as client:
        await client.warm_up()
        await asyncio.sleep(1)  # until nothing of the allowance is used any more
        started = time.perf_counter()
        await asyncio.gather(*(client.reference.get_market_by_id(MARKET) for _ in range(requests)))
        return time.perf_counter() - started


def share_used(limits: Limits, requests: int) -> float:
    """The share of an allowance that one limiter grants under load."""

    async def main() -> float:
        limiter = RequestLimiter(limits)
        moments: list[float] = []

        async def ask() -> None:
            await limiter.acquire()
            moments.append(time.perf_counter())

        await asyncio.gather(*(ask() for _ in range(requests)))
        return (requests - 1) / (moments[-1] - moments[0]) / limits.per_second

    return asyncio.run(main())


class Instant(Transport):
    """Responses at once, and without a network."""

    async def send(
        self,
        request: ApiRequest,
        context: RequestContext,
        read: Callable[[ApiResponse], Any],
        **_: Any,
    ) -> Any:
        response = ApiResponse(request, context, Redaction(SecretStr("")), [b"{}"])
        return await asyncio.to_thread(read, response)


@frozen
class Cost:
    """Microseconds per call.

    Attributes:
        rules: What limiter, breaker and retry add to it.
        httpx: A request of a bare httpx client that sends nothing either.
    """

    rules: float
    httpx: float


def cost_of_the_rules(rounds: int = 15, calls: int = 200) -> Cost:
    """The difference between calls of a session, and sending and reading without one.

    That is a little too much: it includes what tells observers of every attempt.
    """
    return asyncio.run(_cost(rounds, calls))


async def _cost(rounds: int, calls: int) -> Cost:
    settings = Settings(_env_file=None)
    transport = Instant(key=SecretStr("key"), urls={"reference": URL, "analytics": URL})
    # No allowance that anybody would notice, but every grant is counted in every window.
    limiter = RequestLimiter(Limits(100_000, 6_000_000))
    breakers = Breakers(
        threshold=settings.breaker_threshold, recovery=settings.breaker_recovery, on_change=print
    )
    session = Session(transport, Policy.from_settings(settings), limiter=limiter, breakers=breakers)
    call = ApiRequest.of("get_market", id=MARKET)

    async def with_rules() -> None:
        await session.fetch(call, _body)

    async def without() -> None:
        context = RequestContext(call.endpoint.path, call.shown, "id")
        await transport.send(call, context, _body)

    bare = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"{}"))
    )

    async def request() -> None:
        await bare.get(URL)

    differences: list[float] = []
    requests: list[float] = []
    async with bare:
        for _ in range(rounds):
            differences.append(await _each(with_rules, calls) - await _each(without, calls))
            requests.append(await _each(request, calls))
    await transport.aclose()
    return Cost(median(differences), median(requests))


async def _each(one: Callable[[], Awaitable[Any]], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        await one()
    return (time.perf_counter() - started) / calls * 1e6


def _body(response: ApiResponse) -> bytes:
    return response.body


def reuse_share(requests: int) -> float:
    """The share of requests over a connection used before, at a server that limits nothing."""
    with served(limits=False) as (_, analytics_url, reference_url):
        settings = Settings(
            _env_file=None,
            cache="off",
            api_key="sandbox",
            analytics_url=analytics_url,
            reference_url=reference_url,
            requests_per_second=1000,
            requests_per_minute=60_000,
        )
        return asyncio.run(_reused(settings, requests))


async def _reused(settings: Settings, requests: int) -> float:
    async with TrayportClient(settings=settings) as client:
        places = asyncio.Semaphore(client.settings.max_concurrency)

        async def ask() -> None:
            async with places:
                await client.reference.get_market_by_id(MARKET)

        await asyncio.gather(*(ask() for _ in range(requests)))
        return client.get_metrics().reuse_share or 0.0
