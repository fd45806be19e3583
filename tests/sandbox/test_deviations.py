"""Deviations that a client within its limits cannot see, and names that are none."""

from __future__ import annotations

import httpx
import pytest
from trayport_spec import REQUEST_LIMITS

from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.deviations import DEVIATIONS

pytestmark = pytest.mark.anyio

PATHS = (
    "/reference/markets/10000065",
    "/analytics/api/trades/activity?from=2024-01-06T03:00&until=2024-01-06T03:01",
)


@pytest.mark.parametrize("deviations", [(), ("reference-shares-rate-limit",)])
async def test_each_api_may_have_an_allowance_of_its_own(deviations: tuple[str, ...]) -> None:
    sandbox = Sandbox(deviations=deviations, monotonic=lambda: 0.0)
    transport = httpx.ASGITransport(sandbox)
    headers = {"X-API-KEY": "sandbox"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sandbox", headers=headers
    ) as client:
        statuses = [
            (await client.get(path)).status_code
            for path in PATHS
            for _ in range(REQUEST_LIMITS.per_second)
        ]
    granted = REQUEST_LIMITS.per_second * (1 + len(deviations))
    assert statuses == [200] * granted + [429] * (len(statuses) - granted)


async def test_prices_may_be_for_another_unit() -> None:
    path = "/analytics/api/trades?marketId=10000065&sequenceId=10000305&contractType=SinglePeriod"
    path += "&sequenceItemId=244&from=2024-03-04T12:00&until=2024-03-04T12:10"
    prices: list[list[float]] = []
    for deviations in ((), ("price-per-notional-unit",)):
        sandbox = Sandbox(limits=False, deviations=deviations)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox)) as client:
            response = await client.get(f"http://s{path}", headers={"X-API-KEY": "sandbox"})
        prices.append([row["price"] for row in response.json()])
    assert prices[0]
    assert prices[1] == [price * 720 for price in prices[0]]


def test_a_deviation_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"no deviation 'no-such'; there are ") as raised:
        Sandbox(deviations=["no-such"]).prepare()
    assert all(name in str(raised.value) for name in DEVIATIONS)
