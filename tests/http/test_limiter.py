import asyncio

import pytest
from trayport_spec import REQUEST_LIMITS

from trayport_sdk import TrayportClient
from trayport_sdk.http import limiter
from trayport_sdk.http.limiter import shared_limiter
from trayport_sdk.sandbox import Sandbox

KEY = "s3cret-key"


def test_clients_with_one_key_and_host_share_a_limiter_and_others_do_not() -> None:
    assert shared_limiter(KEY, "a.example") is shared_limiter(KEY, "a.example")
    assert shared_limiter(KEY, "a.example") is not shared_limiter(KEY, "b.example")
    assert shared_limiter(KEY, "a.example") is not shared_limiter("another", "a.example")


def test_the_registry_does_not_hold_the_key() -> None:
    shared_limiter(KEY, "a.example")
    assert KEY not in repr(vars(limiter))


@pytest.mark.anyio
async def test_more_requests_than_a_second_allows_are_spread_and_none_is_refused() -> None:
    sandbox = Sandbox(limits=True)
    asked = REQUEST_LIMITS.per_second * 2
    with sandbox.serve() as server:
        async with TrayportClient(
            "sandbox", analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            await asyncio.gather(
                *(client.reference.get_market_by_id(10000065) for _ in range(asked))
            )
    assert [request.status for request in sandbox.requests] == [200] * asked
