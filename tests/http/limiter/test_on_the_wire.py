"""The client on a real socket, against a service that enforces what it documents."""

from __future__ import annotations

import asyncio
import random
import time

import httpx
import pytest
from trayport_spec import REQUEST_LIMITS

from trayport_sdk import Settings, TrayportClient
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

MARKET = 10000065
TASKS, EACH = 60, 10
JITTER = 0.060


class Jitter:
    """A stalled loop or a slow network, between the grant and the request."""

    def __init__(self) -> None:
        self.granted: list[float] = []

    async def before(self, _: httpx.Request) -> None:
        self.granted.append(time.monotonic())
        await asyncio.sleep(random.uniform(0, JITTER))


@pytest.mark.slow
async def test_600_requests_from_60_tasks_are_never_too_fast_and_use_the_allowance() -> None:
    sandbox, jitter = Sandbox(limits=True), Jitter()
    with sandbox.serve() as server:
        async with TrayportClient(
            settings=Settings(_env_file=None, api_key="sandbox", cache="off"),
            analytics_url=server.analytics_url,
            reference_url=server.reference_url,
            event_hooks={"request": [jitter.before]},
        ) as client:

            async def look_up() -> None:
                for _ in range(EACH):
                    await client.reference.get_market_by_id(MARKET)

            await asyncio.gather(*(look_up() for _ in range(TASKS)))
            allowance = client.settings.requests_per_second
    assert [received.status for received in sandbox.requests] == [200] * TASKS * EACH
    arrived = sorted(received.arrived_ns / 1e9 for received in sandbox.requests)
    limits = ((REQUEST_LIMITS.per_second, 1.0), (REQUEST_LIMITS.per_minute, 60.0))
    for most, seconds in limits:
        for first, later in zip(arrived, arrived[most:], strict=False):
            assert later - first > seconds
    used = (len(jitter.granted) - 1) / (jitter.granted[-1] - jitter.granted[0]) / allowance
    # A busy machine stalls the loop; how much of it is used on a quiet one stands in tests/perf.
    assert used >= 0.9, f"{used:.1%}"


async def test_who_has_priority_goes_first_on_the_wire() -> None:
    order: list[str] = []

    async def noted(request: httpx.Request) -> None:
        order.append(request.extensions["trayport"]["endpoint"])

    async with TrayportClient.sandbox(
        Sandbox(limits=True),
        settings=Settings(_env_file=None),
        event_hooks={"request": [noted]},
    ) as client:
        low = client.with_options(priority="low").reference
        normal = client.with_options(priority="normal").reference
        await client.reference.get_market_by_id(MARKET)
        limiter = client._session.limiter
        assert limiter is not None
        await limiter.slow_down(1.0)
        # All of them wait for the end of the pause; look-ups have high priority by themselves.
        await asyncio.gather(
            low.get_sequences(),
            normal.get_instruments(),
            client.reference.get_markets(),
        )
    assert order == ["/markets/{id}", "/markets", "/instruments", "/sequences"]
