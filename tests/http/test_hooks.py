"""httpx's event hooks and a transport of the user, and what cannot be reached from there."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.http.peers import Peer, encoded, peer
from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
)
from trayport_sdk.http.hooks import EventHooks
from trayport_sdk.http.redaction import HIDDEN
from trayport_sdk.sandbox import Fault, Sandbox
from trayport_sdk.telemetry.events import BreakerState

pytestmark = pytest.mark.anyio

KEY = "s3cr3t+k3y/of=desk"
MARKET = 10_000_065
Hook = Callable[[Any], Awaitable[None]]


def client_of(
    one: Peer, before: Hook | None = None, after: Hook | None = None, **more: object
) -> TrayportClient:
    hooks = {"request": [before] if before else [], "response": [after] if after else []}
    return TrayportClient(settings=one.settings(api_key=KEY, **more), event_hooks=hooks)


def headers_of(request: bytes) -> Mapping[str, str]:
    lines = request.decode().split("\r\n")[1:-2]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


async def tagged(request: httpx.Request) -> None:
    request.headers["X-Desk"] = "gas"


async def test_a_header_that_a_hook_adds_arrives_beside_the_key() -> None:
    seen: list[httpx.Response] = []

    async def after(response: httpx.Response) -> None:
        seen.append(response)
        assert response.request.headers["X-API-KEY"] == HIDDEN
        assert await response.aread() == b"[]"

    async with peer() as one, client_of(one, tagged, after) as client:
        assert await client.reference.get_sequences() == []
    assert headers_of(one.requests[0])["x-desk"] == "gas"
    assert headers_of(one.requests[0])["x-api-key"] == KEY
    assert [response.status_code for response in seen] == [200]


async def test_hooks_see_what_is_sent_and_never_the_key() -> None:
    seen: list[str] = []

    async def before(request: httpx.Request) -> None:
        seen.append(f"{request.url} {request.headers.raw} {request.extensions['trayport']}")
        assert request.extensions["trayport"]["attempt"] == 1

    async with peer() as one, client_of(one, before) as client:
        await client.trades.get_trades("1*#Single#2#3#0", "2024-03-04", "2024-03-05")
    assert "/trades?marketId=1" in seen[0]
    assert "'endpoint': '/trades'" in seen[0]
    assert KEY[:6] not in seen[0]


async def test_hooks_are_called_in_their_order_for_every_attempt() -> None:
    journal: list[str] = []

    def noting(name: str) -> Hook:
        async def hook(request: httpx.Request) -> None:
            journal.append(f"{name}{request.extensions['trayport']['attempt']}")

        return hook

    async def after(response: httpx.Response) -> None:
        journal.append(str(response.status_code))

    sandbox = Sandbox(limits=False)
    sandbox.faults.add(Fault(kind="status", times=2))
    hooks: EventHooks = {"request": [noting("a"), noting("b")], "response": [after]}
    settings = Settings(_env_file=None, retry_base=0.001)
    async with TrayportClient.sandbox(sandbox, settings=settings, event_hooks=hooks) as client:
        assert (await client.reference.get_market_by_id(MARKET)).id == MARKET
    assert journal == ["a1", "b1", "503", "a2", "b2", "503", "a3", "b3", "200"]


def url(request: httpx.Request) -> None:
    request.url = httpx.URL("http://elsewhere.test/")


def query(request: httpx.Request) -> None:
    request.url = request.url.copy_set_param("name", "x")


def method(request: httpx.Request) -> None:
    request.method = "POST"


def key(request: httpx.Request) -> None:
    request.headers["x-api-key"] = "other"


def host(request: httpx.Request) -> None:
    request.headers["Host"] = "elsewhere.test"


def target(request: httpx.Request) -> None:
    request.extensions["target"] = b"/markets"


def no_host(request: httpx.Request) -> None:
    del request.headers["host"]


@pytest.mark.parametrize("change", [url, query, method, key, host, no_host, target])
async def test_a_hook_that_changes_more_than_headers_stops_the_request(
    change: Callable[[httpx.Request], None],
) -> None:
    async def before(request: httpx.Request) -> None:
        change(request)

    async with peer() as one, client_of(one, before) as client:
        with pytest.raises(TrayportConfigurationError, match="may change headers") as refused:
            await client.reference.get_sequences()
    assert refused.value.attempts == 0
    assert one.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-Desk", "a\r\nX-API-KEY: b"), ("X-Desk", " gas"), ("X Desk", "gas"), ("", "")],
)
async def test_a_header_that_cannot_be_sent_blames_no_connection(name: str, value: str) -> None:
    async def before(request: httpx.Request) -> None:
        request.headers[name] = value

    async with peer() as one, client_of(one, before) as client:
        with pytest.raises(TrayportConfigurationError, match="headers that cannot be sent"):
            await client.reference.get_sequences()
        assert client.get_metrics().total.retries == 0
    assert one.requests == []


@pytest.mark.parametrize("moment", ["request", "response"])
@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("no"), httpx.ConnectError("the gate is down"), TimeoutError("too late")],
    ids=lambda error: type(error).__name__,
)
async def test_what_a_hook_raises_is_explained_and_nothing_is_repeated(
    moment: str, error: Exception
) -> None:
    async def raising(_: object) -> None:
        raise error

    async with peer() as one:
        settings = one.settings(breaker_threshold=1)
        async with TrayportClient(settings=settings, event_hooks={moment: [raising]}) as client:
            for _ in range(3):
                with pytest.raises(TrayportConfigurationError) as raised:
                    await client.reference.get_sequences()
                assert f"hook for {moment}s failed: {type(error).__name__}" in str(raised.value)
                assert raised.value.endpoint == "/sequences"
                assert raised.value.__cause__ is error
            assert client.get_metrics().total.retries == 0
            states = {each.state for each in client.get_status().breakers.values()}
            assert states == {BreakerState.CLOSED}
    assert len(one.requests) == (0 if moment == "request" else 3)


async def test_an_error_of_this_package_that_a_hook_raises_counts_as_that_of_the_request() -> None:
    async def refusing(_: object) -> None:
        raise TrayportServerError("503, at the gate", status_code=503)

    async with peer() as one, client_of(one, refusing, max_retries=2) as client:
        with pytest.raises(TrayportServerError, match="after 3 attempts"):
            await client.reference.get_sequences()
    assert one.requests == []


async def test_the_time_of_a_hook_counts() -> None:
    async def waiting(_: object) -> None:
        await asyncio.Event().wait()

    async with peer() as one, client_of(one, waiting, retry_budget=0.05) as client:
        with pytest.raises(TrayportTimeoutError, match="took longer"):
            await client.reference.get_sequences()
    assert one.requests == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, TrayportNotFoundError), (429, TrayportRateLimitError), (503, TrayportServerError)],
)
@pytest.mark.parametrize("reads", [False, True])
async def test_what_a_status_means_is_decided_without_the_hooks(
    status: int, kind: type[TrayportError], reads: bool
) -> None:
    async def meddling(response: httpx.Response) -> None:
        if reads:
            await response.aread()
        response.status_code = 200
        response.headers["Content-Encoding"] = "br"

    async with peer(lambda _: encoded(b'{"detail": "why"}', status)) as one:
        async with client_of(one, None, meddling, max_retries=0) as client:
            with pytest.raises(kind, match="why"):
                await client.reference.get_sequences()
        assert len(one.requests) == 1


async def test_a_body_that_a_hook_has_read_is_proved_all_the_same() -> None:
    async def reading(response: httpx.Response) -> None:
        await response.aread()

    whole = gzip.compress(b"[]" + b" " * 10_000)
    for body, error in (
        (whole[:-8], TrayportConnectionError),  # httpx takes it for whole
        (b"not gzip", TrayportConnectionError),
        (gzip.compress(b"[{]"), TrayportDecodeError),
    ):
        sent = encoded(body, 200, "Content-Encoding: gzip")
        async with (
            peer(lambda _, sent=sent: sent) as one,  # type: ignore[misc]
            client_of(one, None, reading, max_retries=0) as client,
        ):
            with pytest.raises(error):
                await client.reference.get_sequences()
    sent = encoded(whole, 200, "Content-Encoding: gzip")
    async with peer(lambda _: sent) as one, client_of(one, None, reading) as client:
        assert await client.reference.get_sequences() == []


async def test_a_connection_that_breaks_while_a_hook_reads_is_a_connection_error() -> None:
    async def reading(response: httpx.Response) -> None:
        await response.aread()

    cut = b"HTTP/1.1 200 -\r\nContent-Length: 100\r\nConnection: close\r\n\r\n["

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(cut)
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    urls = {"analytics_url": address, "reference_url": address}
    settings = Settings(_env_file=None, api_key=KEY, max_retries=0, **urls)
    hooks = {"response": [reading]}
    async with listener, TrayportClient(settings=settings, event_hooks=hooks) as client:
        with pytest.raises(TrayportConnectionError, match="connection failed"):
            await client.reference.get_sequences()


@pytest.mark.parametrize("closes", [False, True])
async def test_a_hook_that_leaves_a_part_of_the_body_is_an_error(closes: bool) -> None:
    async def sipping(response: httpx.Response) -> None:
        if closes:
            await response.aclose()
        else:
            async for _ in response.aiter_raw():
                break

    body = json.dumps(["x" * 1_000_000]).encode()
    async with peer(lambda _: encoded(body)) as one, client_of(one, None, sipping) as client:
        with pytest.raises(TrayportConfigurationError, match="not read the whole body"):
            await client.reference.get_sequences()
    assert len(one.requests) == 1


async def test_a_redirect_shows_hooks_no_request_with_the_key() -> None:
    seen: list[httpx.Response] = []

    async def after(response: httpx.Response) -> None:
        seen.append(response)

    async with peer() as elsewhere:
        away = encoded(b"", 302, f"Location: {elsewhere.url}/sequences", f"X-Echo: {KEY}")
        async with peer(lambda _: away) as one, client_of(one, None, after) as client:
            with pytest.raises(TrayportError, match="302"):
                await client.reference.get_sequences()
        assert seen[0].next_request is None
        assert KEY not in f"{seen[0].request.headers.raw} {seen[0].headers.raw}"
        assert elsewhere.connections == 0


async def test_hooks_run_only_once_the_limiter_has_granted_the_request() -> None:
    grants: list[int] = []

    def granted() -> int:
        status = client.get_status().limiter
        assert status is not None
        return status.grants

    async def looking(_: object) -> None:
        grants.append(granted())

    responses = [encoded(b"", 429, "Retry-After: 0"), encoded(b"", 503), encoded()]
    async with peer(lambda _: responses.pop(0)) as one, client_of(one, looking) as client:
        before = granted()
        await client.reference.get_sequences()
    assert [number - before for number in grants] == [1, 2, 3]


def test_a_kind_of_hook_that_httpx_does_not_have_is_refused() -> None:
    with pytest.raises(TrayportConfigurationError, match="'before', which is unknown"):
        TrayportClient.sandbox(event_hooks={"before": [tagged]})


async def test_a_transport_of_the_user_sends_what_the_limiter_has_granted() -> None:
    sent: list[httpx.Request] = []
    statuses = [503, 200]

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(statuses.pop(0), stream=httpx.ByteStream(b"[]"))

    settings = Settings(_env_file=None, api_key=KEY, retry_base=0.001)
    transport = httpx.MockTransport(respond)
    async with TrayportClient(
        settings=settings, transport=transport, event_hooks={"request": [tagged]}
    ) as client:
        assert await client.warm_up() == 0
        limiter = client.get_status().limiter
        assert limiter is not None
        assert await client.reference.get_sequences() == []
        after = client.get_status().limiter
        assert after is not None
        assert after.grants - limiter.grants == 2
        assert client.get_metrics().connections.opened == 0
    assert [request.headers["X-Desk"] for request in sent] == ["gas", "gas"]
    assert sent[0].url.path.endswith("/sequences")
    assert KEY not in str(sent[0].headers.raw)  # gone again, as soon as it was sent
    assert all(HIDDEN in request.headers["x-api-key"] for request in sent)
