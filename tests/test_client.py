"""The client over real sockets."""

import subprocess
import sys

import pytest

from trayport_sdk import ContractSpec, Settings, TrayportAuthenticationError, TrayportClient
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)


async def test_the_same_rows_come_over_a_socket_and_in_process() -> None:
    with Sandbox(limits=False).serve() as server:
        async with TrayportClient(
            "sandbox", analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            wired = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-08")
            name = (await client.reference.get_market_by_id(10000065)).name
    async with TrayportClient.sandbox() as client:
        local = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-08")
    assert name == "TTF Hi Cal 51.6"
    assert wired.to_polars().equals(local.to_polars())
    assert wired.requests[0].bytes_received < wired.requests[0].bytes_decoded / 2


async def test_a_wrong_key_is_an_authentication_error() -> None:
    with Sandbox().serve() as server:
        async with TrayportClient(
            "wr0ng-key", analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            with pytest.raises(TrayportAuthenticationError, match="check the key") as refused:
                await client.reference.get_markets()
    assert "wr0ng-key" not in str(refused.value)


async def test_connections_are_kept_alive() -> None:
    sandbox = Sandbox(limits=False)
    with sandbox.serve() as server:
        async with TrayportClient(
            "sandbox", analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            for _ in range(4):
                await client.reference.get_market_by_id(10000065)
    assert len(sandbox.requests) == 4
    assert len({request.connection for request in sandbox.requests}) == 1


async def test_the_settings_choose_http2() -> None:
    settings = Settings(api_key="sandbox", http2=True)
    async with TrayportClient(settings=settings) as client:
        assert client.settings.http2


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, trayport_sdk; from trayport_sdk import TrayportClient; "
        "heavy = {'polars', 'pandas', 'pyarrow', 'numpy', 'pydantic', 'httpx'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
