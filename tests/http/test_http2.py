"""HTTP/2 over TLS, against a server that speaks both."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.http.peers import (
    PROXY_VARIABLES,
    UNHURRIED,
    Certificates,
    closed_port,
)
from trayport_sdk import Settings, TrayportClient, TrayportTimeoutError
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


Act = Callable[[H2Connection, int], None]


class Scripted(asyncio.Protocol):
    """Does to request n what its n-th act says, and responds when there are no more.

    Args:
        acts: What is done to a request; those of one connection share its state.
    """

    def __init__(self, acts: Sequence[Act]) -> None:
        self.acts = list(acts)
        self.url = ""
        self.opened: list[Scripted] = []
        self.requests = 0
        self.closed = asyncio.Event()
        self.waiting: list[int] = []
        self.hanging = asyncio.Semaphore(0)

    async def hung(self) -> None:
        """Waits until one more request hangs."""
        async with asyncio.timeout(10):
            await self.hanging.acquire()

    def accept(self) -> Scripted:
        connection = Scripted(())
        connection.acts, connection.hanging = self.acts, self.hanging
        self.opened.append(connection)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.http = H2Connection(H2Configuration(client_side=False))
        self.http.local_settings.max_concurrent_streams = 2
        self.http.initiate_connection()
        transport.write(self.http.data_to_send())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        for event in self.http.receive_data(data):
            if isinstance(event, RequestReceived):
                assert event.stream_id is not None
                self.requests += 1
                act = self.acts.pop(0) if self.acts else respond
                act(self.http, event.stream_id)
                if act is hang:
                    self.waiting.append(event.stream_id)
                    self.hanging.release()
        self.transport.write(self.http.data_to_send())
        if self.http.state_machine.state.name == "CLOSED":
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


def respond(http: H2Connection, stream: int) -> None:
    http.send_headers(stream, [(":status", "200")])
    http.send_data(stream, b"[]", end_stream=True)


def hang(http: H2Connection, stream: int) -> None:
    pass


def refuse(http: H2Connection, stream: int) -> None:
    http.reset_stream(stream, ErrorCodes.REFUSED_STREAM)


def go_away(http: H2Connection, _: int) -> None:
    http.close_connection()


def begin(http: H2Connection, stream: int) -> None:
    http.send_headers(stream, [(":status", "200")])
    http.send_data(stream, b"[")


def break_off(http: H2Connection, stream: int) -> None:
    begin(http, stream)
    http.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)


def go_away_within(http: H2Connection, stream: int) -> None:
    begin(http, stream)
    http.close_connection(ErrorCodes.INTERNAL_ERROR)


def babble(http: H2Connection, _: int) -> None:
    """A frame of data for no stream, which no client may accept."""
    http._data_to_send += b"\0\0\1\0\0\0\0\0\0x"


def babble_within(http: H2Connection, stream: int) -> None:
    begin(http, stream)
    babble(http, stream)


@asynccontextmanager
async def scripted(certificates: Certificates, *acts: Act) -> AsyncIterator[Scripted]:
    script = Scripted(acts)
    context = certificates.for_server("h2")
    listener = await asyncio.get_running_loop().create_server(
        script.accept, "127.0.0.1", 0, ssl=context
    )
    async with listener:
        script.url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield script
        for connection in script.opened:
            connection.transport.abort()
            await connection.closed.wait()


def client_of(script: Scripted, **more: object) -> TrayportClient:
    urls = {"analytics_url": script.url, "reference_url": script.url}
    chosen: dict[str, object] = {"api_key": KEY, "retry_base": 0.001, "http2": True}
    settings = Settings(_env_file=None, **{**chosen, **urls, **UNHURRIED, **more})
    return TrayportClient(settings=settings)


@pytest.mark.parametrize("act", [refuse, go_away, break_off, go_away_within, babble, babble_within])
async def test_what_breaks_a_request_passes_on_another_connection(
    act: Act, certificates: Certificates
) -> None:
    async with scripted(certificates, respond, act) as script, client_of(script) as client:
        for _ in range(3):
            assert await client.reference.get_sequences() == []
        assert client.get_metrics().total.retries == 1
        assert [connection.requests for connection in script.opened] == [2, 2]
        await script.opened[0].closed.wait()


async def test_requests_that_were_given_up_take_no_place_from_later_ones(
    certificates: Certificates,
) -> None:
    async with (
        scripted(certificates, respond, *[hang] * 4) as script,
        client_of(script, timeout=0.05, max_retries=0) as client,
    ):
        await client.reference.get_sequences()
        for _ in range(2):
            with pytest.raises(TrayportTimeoutError):
                await client.reference.get_sequences()
            await script.hung()
        for _ in range(2):
            call = asyncio.create_task(client.reference.get_sequences())
            await script.hung()
            call.cancel()
            await asyncio.wait([call])
        assert await client.reference.get_sequences() == []
        assert [connection.requests for connection in script.opened] == [2, 1, 1, 1, 1]
        for connection in script.opened[:-1]:
            await connection.closed.wait()


async def test_a_request_under_way_outlives_another_that_is_given_up(
    certificates: Certificates,
) -> None:
    async with (
        scripted(certificates, respond, hang, hang) as script,
        client_of(script) as client,
    ):
        await client.reference.get_sequences()
        calls = [asyncio.create_task(client.reference.get_sequences()) for _ in range(2)]
        (first,) = script.opened
        await script.hung()
        await script.hung()
        calls[1].cancel()
        await asyncio.wait(calls[1:])
        assert await client.reference.get_sequences() == []  # on another connection
        assert not first.closed.is_set()
        respond(first.http, first.waiting[0])
        first.transport.write(first.http.data_to_send())
        assert await calls[0] == []
        await first.closed.wait()
        assert len(script.opened) == 2


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
