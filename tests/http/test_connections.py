"""The pool on real sockets: how many connections there are, and which are used again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import httpcore
import pytest

from tests.http.peers import (
    PROXY_VARIABLES,
    UNHURRIED,
    Certificates,
    Peer,
    answer,
    closed_port,
    peer,
    something_came,
)
from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportConfigurationError,
    TrayportConnectionError,
)
from trayport_sdk.errors import RequestContext
from trayport_sdk.http.connections import Connections, Origin
from trayport_sdk.http.messages import ApiRequest, ApiResponse, Attempt
from trayport_sdk.http.transport import Transport
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox import SandboxServer as Server
from trayport_sdk.telemetry.status import ConnectionCounts

pytestmark = pytest.mark.anyio

KEY = "s3cr3t-k3y"
MARKET = 10_000_065
CALL = ApiRequest.of("get_trades", {"url": "/trades", "params": {}})


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
    wire = Transport(key=KEY, urls=urls, max_connections=maximum, http2=http2)
    async with aclosing(wire):
        yield wire


async def send(wire: Transport, requests: int = 1) -> None:
    """So many requests at the same time."""
    attempt = Attempt(RequestContext("/trades"))
    await asyncio.gather(*(wire.send(CALL, attempt, ApiResponse.held) for _ in range(requests)))


def connections_of(sandbox: Sandbox) -> set[str]:
    return {received.connection for received in sandbox.requests}


async def test_a_hundred_requests_at_once_need_no_more_than_a_hundred_connections() -> None:
    async with peer() as one, talking_to(one) as wire:
        one.answering.clear()
        sending = asyncio.create_task(send(wire, 100))
        await one.asked(100)
        one.answering.set()
        await sending
        assert one.most_open == one.connections == wire.counts.opened == 100
        await send(wire, 100)
        assert one.connections == wire.counts.opened == 100


async def test_a_client_keeps_to_a_hundred_connections_by_default(
    sandbox: Sandbox, served: Server
) -> None:
    async with asking(served) as client:
        every = (client.reference.get_market_by_id(MARKET) for _ in range(150))
        await asyncio.gather(*every)
        opened = client.get_metrics().connections.opened
    assert len(sandbox.requests) == 150
    assert len(connections_of(sandbox)) == opened <= 100


async def test_fewer_connections_make_requests_wait_and_none_fail() -> None:
    async with peer() as one, talking_to(one, maximum=3) as wire:
        one.answering.clear()
        sending = asyncio.create_task(send(wire, 40))
        await one.asked(3)
        one.answering.set()
        await sending
        assert one.connections == one.most_open == 3
        assert len(one.requests) == 40


async def test_waiting_for_a_connection_is_no_timeout() -> None:
    async with peer() as one, talking_to(one, maximum=1) as wire:
        one.answering.clear()
        attempt = Attempt(RequestContext("/trades"), timeout=0.3)
        wire.configure(connect_timeout=0.01)
        first = asyncio.create_task(
            wire.send(CALL, Attempt(RequestContext("/trades")), ApiResponse.held)
        )
        await one.asked(1)
        second = asyncio.create_task(wire.send(CALL, attempt, ApiResponse.held))
        await asyncio.sleep(0.05)
        one.answering.set()
        await asyncio.gather(first, second)
        assert one.connections == 1


async def test_more_than_98_percent_of_a_thousand_requests_find_an_open_connection(
    sandbox: Sandbox, served: Server
) -> None:
    async with asking(served) as client:
        slots = asyncio.Semaphore(client.settings.max_concurrency)

        async def ask() -> None:
            async with slots:
                await client.reference.get_market_by_id(MARKET)

        await asyncio.gather(*(ask() for _ in range(1_000)))
        metrics = client.get_metrics()
    assert metrics.connections.requests == len(sandbox.requests) == 1_000
    assert metrics.connections.opened == len(connections_of(sandbox))
    assert metrics.reuse_share is not None
    assert metrics.reuse_share > 0.98
    assert metrics.reuse_share == 1 - len(connections_of(sandbox)) / 1_000


async def test_a_client_warms_up_without_sending_anything_or_spending_allowance() -> None:
    async with peer() as one, TrayportClient(settings=one.settings()) as client:
        assert await client.warm_up(5) == 5
        await one.accepted(5)
        limiter = client.get_status().limiter
        assert limiter is not None
        assert limiter.grants == 0
        assert [window.used for window in limiter.windows] == [0] * len(limiter.windows)
        assert one.requests == []
        assert client.get_metrics().connections.opened == 5
        await asyncio.gather(*(client.reference.get_sequences(n) for n in range(1, 6)))
        assert one.connections == 5
        assert len(one.requests) == 5
        assert client.get_metrics().connections.reused == 0


@pytest.mark.parametrize("http2", [False, True])
async def test_connections_opened_in_advance_over_tls_are_the_ones_that_are_used(
    trusted: Certificates, http2: bool
) -> None:
    tls = trusted.for_server()  # it speaks HTTP/1.1, whatever the client offers
    async with peer(tls=tls) as one, talking_to(one, http2=http2) as wire:
        assert await wire.warm_up(4) == 4
        await one.accepted(4)
        # Session tickets have come, or come while requests are sent: they are no end.
        assert one.requests == []
        one.answering.clear()
        sending = asyncio.create_task(send(wire, 4))
        await one.asked(4)
        one.answering.set()
        await sending
        assert one.connections == wire.counts.opened == 4


async def test_what_comes_over_a_waiting_connection_is_read_by_the_first_request(
    trusted: Certificates,
) -> None:
    """An HTTP/2 server speaks first: its settings must not be lost, nor taken for an end."""
    tls = trusted.for_server("h2")
    settings_frame = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(settings_frame)
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    pool = Connections(http2=True, maximum=10, keepalive=60)
    async with listener, aclosing(pool):
        await pool.warm_up(Origin("https", "127.0.0.1", port), 1, 5.0)
        await something_came(pool)
        backend = pool._backend
        early = await backend.connect_tcp("127.0.0.1", port)
        assert pool.opened == 1
        secured = await early.start_tls(pool.context, "127.0.0.1")
        assert await secured.read(4) == settings_frame[:4]
        assert await secured.read(100) == settings_frame[4:]
        await secured.aclose()


@pytest.mark.parametrize("over_tls", [False, True])
async def test_a_waiting_connection_that_the_server_has_closed_is_not_used(
    trusted: Certificates, over_tls: bool
) -> None:
    tls = trusted.for_server() if over_tls else None
    async with peer(tls=tls) as one, talking_to(one) as wire:
        assert await wire.warm_up(3) == 3
        await one.accepted(3)
        await one.hang_up()
        await send(wire, 2)
        assert one.connections == wire.counts.opened == 5
        assert len(one.requests) == 2


async def test_a_waiting_connection_that_was_reset_is_not_used() -> None:
    async with peer() as one, talking_to(one) as wire:
        await wire.warm_up(1)
        await one.accepted(1)
        one.writers[0].transport.abort()
        await send(wire)
        assert len(one.requests) == 1


async def test_a_waiting_connection_on_which_something_came_unasked_is_not_used() -> None:
    async with peer() as one, talking_to(one) as wire:
        await wire.warm_up(1)
        await one.accepted(1)
        one.writers[0].write(b"HTTP/1.1 408 -\r\n\r\n")
        assert wire._connections is not None
        await something_came(wire._connections)
        await send(wire)
        assert one.connections == 2


async def test_no_more_is_opened_in_advance_than_the_setting_allows() -> None:
    async with peer() as one, talking_to(one, maximum=3) as wire:
        assert await wire.warm_up(2) == 2
        assert await wire.warm_up(6) == 1
        assert await wire.warm_up(6) == 0
        await send(wire, 10)
        assert one.connections == 3
        assert await wire.warm_up(6) == 0


async def test_two_who_warm_up_at_once_share_the_room() -> None:
    async with peer() as one, talking_to(one, maximum=4) as wire:
        opened = await asyncio.gather(wire.warm_up(3), wire.warm_up(3))
        assert sum(opened) == 4
        await one.accepted(4)


@pytest.mark.parametrize("wanted", [0, -1])
async def test_nothing_is_opened_when_nothing_is_wanted(wanted: int) -> None:
    async with peer() as one, talking_to(one) as wire:
        assert await wire.warm_up(wanted) == 0
        assert one.connections == 0


async def test_connections_that_wait_make_room_for_another_address() -> None:
    async with peer() as one, peer() as other:
        urls = {"analytics": one.url, "reference": other.url}
        call = ApiRequest.of("get_markets", {"url": "/markets"})
        async with aclosing(Transport(key=KEY, urls=urls, max_connections=2)) as wire:
            await wire.warm_up(2)
            await one.accepted(2)
            other.answering.clear()
            attempt = Attempt(RequestContext("/markets"))
            sending = [
                asyncio.create_task(wire.send(call, attempt, ApiResponse.held)) for _ in range(2)
            ]
            await other.asked(2)
            await one.until(lambda: one.open == 0)
            other.answering.set()
            await asyncio.gather(*sending)


async def test_warming_up_where_nothing_listens_is_a_connection_error() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    async with aclosing(Transport(key=KEY, urls={"analytics": url, "reference": url})) as wire:
        with pytest.raises(
            TrayportConnectionError, match=r"no connection to 127\.0\.0\.1:"
        ) as none:
            await wire.warm_up(3)
    assert none.value.suggestion == "check the address and the network"
    assert isinstance(none.value.__cause__, httpcore.ConnectError)


async def test_warming_up_against_a_certificate_nobody_vouches_for_is_a_connection_error(
    certificates: Certificates,
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's own complaint
    async with peer(tls=certificates.for_server()) as one, talking_to(one) as wire:
        with pytest.raises(TrayportConnectionError, match="certificate verify failed"):
            await wire.warm_up(2)


async def test_warming_up_gives_up_after_the_time_for_a_connection() -> None:
    accepted = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    wire = Transport(key=KEY, urls={"analytics": url, "reference": url}, connect_timeout=0.05)
    async with listener, aclosing(wire):
        with pytest.raises(TrayportConnectionError):
            await wire.warm_up(2)
        wire.configure(connect_timeout=60)
        accepted.clear()
        warming = asyncio.create_task(wire.warm_up(1))
        await accepted.wait()
        warming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await warming
        assert wire.counts.opened == 0


async def test_closing_closes_the_connections_that_wait() -> None:
    async with peer() as one:
        async with talking_to(one) as wire:
            await wire.warm_up(3)
            await one.accepted(3)
            await send(wire)
        await one.until(lambda: one.open == 0)
        with pytest.raises(TrayportConfigurationError, match="closed"):
            await wire.warm_up(1)


async def test_a_connection_that_opens_while_the_pool_closes_is_closed_too() -> None:
    async with peer() as one:
        pool = Connections(http2=False, maximum=5, keepalive=60)
        warming = asyncio.create_task(pool.warm_up(Origin.of(one.url), 1, 5.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await pool.aclose()
        with pytest.raises(httpcore.ConnectError):
            await warming
        await one.until(lambda: one.open == 0)


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


def test_an_origin_is_where_an_address_points_to() -> None:
    assert Origin.of("https://api.example/path") == Origin("https", "api.example", 443)
    assert str(Origin.of("http://[::1]:8000/x")) == "::1:8000"


async def test_a_connection_that_was_refused_carried_nothing_and_was_not_used_again() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    async with aclosing(Transport(key=KEY, urls={"analytics": url, "reference": url})) as wire:
        for _ in range(5):
            with pytest.raises(TrayportConnectionError):
                await send(wire)
        assert wire.counts == ConnectionCounts(opened=0, requests=0, reused=0)


@pytest.mark.parametrize(("header", "opened"), [("Connection: close", 3), ("X-Kind: plain", 1)])
async def test_a_connection_is_used_again_when_it_carries_a_second_answer(
    header: str, opened: int
) -> None:
    async with peer(lambda _: answer(b"[]", 200, header)) as one, talking_to(one) as wire:
        for _ in range(3):
            await send(wire)
        assert one.connections == opened
        assert wire.counts == ConnectionCounts(opened=opened, requests=3, reused=3 - opened)
