"""The pool on real sockets: how many connections there are, and which are used again."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import httpcore
import pytest
from httpcore._async.connection_pool import AsyncPoolRequest
from pydantic import SecretStr
from trayport_spec import ENDPOINTS

from tests.http.peers import (
    PROXY_VARIABLES,
    UNHURRIED,
    Certificates,
    Peer,
    closed_port,
    encoded,
    held,
    peer,
)
from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportConfigurationError,
    TrayportConnectionError,
)
from trayport_sdk.errors import RequestContext
from trayport_sdk.http.messages import ApiRequest
from trayport_sdk.http.transport import Transport
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox import SandboxServer as Server
from trayport_sdk.telemetry.status import ConnectionCounts

pytestmark = pytest.mark.anyio

KEY = "s3cr3t-k3y"
MARKET = 10_000_065
CALL = ApiRequest(ENDPOINTS["get_trades"], "/trades")
CONTEXT = RequestContext("/trades")


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    return certificates


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(keys=[KEY], limits=False)


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[Server]:
    with sandbox.serve() as server:
        yield server


def asking(server: Server, **more: object) -> TrayportClient:
    urls = {"analytics_url": server.analytics_url, "reference_url": server.reference_url}
    return TrayportClient(
        settings=Settings(_env_file=None, api_key=KEY, **urls, **UNHURRIED, **more)
    )


@asynccontextmanager
async def talking_to(
    one: Peer, *, maximum: int = 100, http2: bool = False
) -> AsyncIterator[Transport]:
    urls = {"analytics": one.url, "reference": one.url}
    wire = Transport(key=SecretStr(KEY), urls=urls, max_connections=maximum, http2=http2)
    async with aclosing(wire):
        yield wire


async def send(wire: Transport, requests: int = 1) -> None:
    """So many requests at the same time."""
    await asyncio.gather(*(wire.send(CALL, CONTEXT, held) for _ in range(requests)))


def connections_of(sandbox: Sandbox) -> set[str]:
    return {received.connection for received in sandbox.requests}


async def test_many_requests_at_once_need_a_connection_each_which_the_next_use_again() -> None:
    async with peer() as one, talking_to(one) as wire:
        one.answering.clear()
        sending = asyncio.create_task(send(wire, 30))
        await one.received(30)
        one.answering.set()
        await sending
        assert one.most_open == one.connections == wire.counts.opened == 30
        await send(wire, 30)
        assert one.connections == wire.counts.opened == 30


async def test_fewer_connections_make_requests_wait_and_none_fail() -> None:
    async with peer() as one, talking_to(one, maximum=3) as wire:
        one.answering.clear()
        sending = asyncio.create_task(send(wire, 40))
        await one.received(3)
        one.answering.set()
        await sending
        assert one.connections == one.most_open == 3
        assert len(one.requests) == 40


async def test_many_requests_that_wait_cost_no_more_than_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Counter[str]()

    def count(owner: type, name: str) -> None:
        method = getattr(owner, name)

        def counted(*arguments: object) -> object:
            calls[name] += 1
            return method(*arguments)

        monkeypatch.setattr(owner, name, counted)

    count(httpcore.AsyncHTTPConnection, "can_handle_request")
    count(AsyncPoolRequest, "assign_to_connection")
    async with peer() as one, talking_to(one, maximum=3) as wire:
        await send(wire, 60)
    # Each got a connection once, and three were looked at when it came and when another ended.
    assert calls["assign_to_connection"] == 60
    assert calls["can_handle_request"] <= 2 * 3 * 60


async def test_a_request_searches_for_no_module_on_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted: list[str] = []

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            wanted.append(name)

    async with peer() as one, talking_to(one) as wire:
        await send(wire)
        monkeypatch.setattr("sys.meta_path", [Finder, *sys.meta_path])
        await send(wire)
    assert wanted == []


async def test_waiting_for_a_connection_is_no_timeout() -> None:
    async with peer() as one, talking_to(one, maximum=1) as wire:
        one.answering.clear()
        wire.configure(connect_timeout=0.01)
        first = asyncio.create_task(wire.send(CALL, CONTEXT, held))
        await one.received(1)
        second = asyncio.create_task(wire.send(CALL, CONTEXT, held, silence=0.3))
        await asyncio.sleep(0.05)
        one.answering.set()
        await asyncio.gather(first, second)
        assert one.connections == 1


async def test_a_client_that_warms_up_has_its_connections_open_and_pays_for_them() -> None:
    async with peer() as one, TrayportClient(settings=one.settings()) as client:
        limiter = client.get_status().limiter
        assert limiter is not None
        before = limiter.grants
        one.answering.clear()
        warming = asyncio.create_task(client.warm_up(5))
        await one.received(5)
        one.answering.set()
        assert await warming == 5
        assert client.get_metrics().connections == ConnectionCounts(5, 5, 0)
        limiter = client.get_status().limiter
        assert limiter is not None
        assert limiter.grants - before == 5
        await asyncio.gather(*(client.reference.get_sequences(n) for n in range(1, 6)))
        assert one.connections == 5
        assert client.get_metrics().connections.reused == 5
        assert await client.warm_up(1) == 0


async def test_warming_up_where_nothing_listens_is_a_connection_error() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    settings = Settings(_env_file=None, api_key=KEY, analytics_url=url, reference_url=url)
    async with TrayportClient(settings=settings) as client:
        with pytest.raises(TrayportConnectionError) as refused:
            await client.warm_up(3)
        assert refused.value.attempts == 1
        assert client.get_metrics().connections.opened == 0


async def test_a_closed_client_sends_nothing() -> None:
    async with peer() as one:
        async with talking_to(one) as wire:
            await send(wire)
        await one.until(lambda: one.open == 0)
        with pytest.raises(TrayportConfigurationError, match="closed"):
            await send(wire)


async def test_idle_connections_are_closed_after_the_time_to_keep_them(served: Server) -> None:
    async with asking(served, keepalive=0.02) as client:
        await client.reference.get_market_by_id(MARKET)
        await asyncio.sleep(0.05)
        await client.reference.get_market_by_id(MARKET)
        assert client.get_metrics().connections.opened == 2


async def test_a_sandbox_in_this_process_has_no_connections_to_open() -> None:
    async with TrayportClient.sandbox() as client:
        assert await client.warm_up() == 0
        assert client.get_status().connections.opened == 0


async def test_a_connection_that_was_refused_carried_nothing_and_was_not_used_again() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    async with aclosing(
        Transport(key=SecretStr(KEY), urls={"analytics": url, "reference": url})
    ) as wire:
        for _ in range(5):
            with pytest.raises(TrayportConnectionError):
                await send(wire)
        assert wire.counts == ConnectionCounts(opened=0, requests=0, reused=0)


@pytest.mark.parametrize(("header", "opened"), [("Connection: close", 3), ("X-Kind: plain", 1)])
async def test_a_connection_is_used_again_when_it_carries_a_second_answer(
    header: str, opened: int
) -> None:
    async with peer(lambda _: encoded(b"[]", 200, header)) as one, talking_to(one) as wire:
        for _ in range(3):
            await send(wire)
        assert one.connections == opened
        assert wire.counts == ConnectionCounts(opened=opened, requests=3, reused=3 - opened)


async def test_cookies_are_not_kept() -> None:
    cookie = encoded(
        b"[]", 200, "Set-Cookie: desk=gas; Path=/", "Set-Cookie: a=b; Domain=127.0.0.1"
    )
    async with peer(lambda _: cookie) as one, talking_to(one) as wire:
        for _ in range(2):
            await send(wire)
        assert not any(b"cookie" in request.lower() for request in one.requests)


@pytest.mark.parametrize("text", ["Zürich \u0665", "Zürich".encode().decode("latin-1")])
async def test_a_header_may_have_letters_that_are_not_ascii(text: str) -> None:
    async with (
        peer(lambda _: encoded(b"[]", 200, f"X-Edge: {text}")) as one,
        talking_to(one) as wire,
    ):
        await send(wire)
