"""HTTP/2 over TLS, against a server that speaks both."""

import asyncio
import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.http.peers import (
    PROXY_VARIABLES,
    UNHURRIED,
    Certificates,
    closed_port,
)
from trayport_sdk import Settings, TrayportClient
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

KEY = "s3cr3t-k3y"
MARKET = 10_000_065
SEQUENCE = 10_000_305
AT_ONCE = 20
TOGETHER = 10


class Watched:
    """The sandbox, and what it saw of connections: the other end, and the version of HTTP."""

    def __init__(self, together: int) -> None:
        self.at_least = together
        self.sandbox = Sandbox(keys=[KEY], limits=False)
        self.versions: set[str] = set()
        self.connections: set[tuple[str, int]] = set()
        self.under_way = 0
        self.together = asyncio.Event()
        self.url = ""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.sandbox(scope, receive, send)
            return
        self.versions.add(scope["http_version"])
        self.connections.add(tuple(scope["client"]))
        self.under_way += 1
        if self.under_way == self.at_least:
            self.together.set()
        try:
            # Requests one after the other get nowhere.
            async with asyncio.timeout(30):
                await self.together.wait()
            await self.sandbox(scope, receive, send)
        finally:
            self.under_way -= 1

    def client(self, **more: object) -> TrayportClient:
        urls = {"analytics_url": f"{self.url}/analytics/api", "reference_url": self.url}
        urls["reference_url"] += Sandbox.REFERENCE_PATH
        settings = Settings(_env_file=None, api_key=KEY, **urls, **UNHURRIED, **more)
        return TrayportClient(settings=settings)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def hypercorn(certificates: Certificates, together: int = 1) -> AsyncIterator[Watched]:
    """A server that sends no response before so many requests have come."""
    watched = Watched(together)
    config = Config()
    port = closed_port()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile = str(certificates.certificate)
    config.keyfile = str(certificates.key)
    config.alpn_protocols = ["h2", "http/1.1"]
    config.errorlog = config.accesslog = None
    config.graceful_timeout = 1.0
    watched.url = f"https://127.0.0.1:{port}"
    watched.sandbox.prepare()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(watched, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]  # its scopes are typed dicts
    await _listens(port)
    try:
        yield watched
    finally:
        stop.set()
        await serving


async def _listens(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.005)
            else:
                writer.close()
                await writer.wait_closed()
                return


async def ask(client: TrayportClient) -> None:
    """Many requests at the same time, of both APIs."""
    trades = (
        client.trades.get_trades(
            f"{MARKET}*#Single#{SEQUENCE}#{item}#0", "2024-03-04", "2024-03-05"
        )
        for item in range(244, 248)
    )
    markets = (client.reference.get_market_by_id(MARKET) for _ in range(AT_ONCE))
    await asyncio.gather(*trades, *markets)


async def test_requests_at_the_same_time_share_one_http_2_connection(
    certificates: Certificates,
) -> None:
    async with hypercorn(certificates, together=TOGETHER) as server:
        async with server.client(http2=True) as client:
            await ask(client)
            counts = client.get_metrics().connections
        assert server.versions == {"2"}
        assert len(server.connections) == counts.opened == 1
        assert server.together.is_set()
        assert len(server.sandbox.requests) == counts.requests == AT_ONCE + 4
        assert {each.status for each in server.sandbox.requests} == {200}


async def test_without_the_setting_it_is_http_1_and_a_connection_for_each(
    certificates: Certificates,
) -> None:
    async with hypercorn(certificates) as server:
        async with server.client() as client:
            await ask(client)
        assert server.versions == {"1.1"}
        assert len(server.connections) > 1


async def test_no_logger_below_writes_the_key_of_an_http_2_request(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    for name in ("hpack", "hpack.hpack", "hpack.table", "httpcore", "httpx", "h2"):
        caplog.set_level(1, name)
    async with hypercorn(certificates) as server, server.client(http2=True) as client:
        await client.reference.get_market_by_id(MARKET)
    assert "httpcore.http2" in {record.name for record in caplog.records}
    assert KEY not in caplog.text
    assert KEY.encode().hex() not in caplog.text
    assert logging.getLogger("hpack.hpack").isEnabledFor(logging.DEBUG)
