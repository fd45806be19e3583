"""The wire, byte by byte: a server that sends exactly what a test says."""

import asyncio
import math
import pickle
import sys
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import hpack
import httpx
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.http.peers import Dripping, held, peer
from trayport_sdk import (
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
)
from trayport_sdk.errors import RequestContext
from trayport_sdk.http.hooks import Hooks
from trayport_sdk.http.messages import ApiRequest, ApiResponse
from trayport_sdk.http.status_errors import retry_after
from trayport_sdk.http.transport import Transport
from trayport_sdk.query.times import instant
from trayport_sdk.tables.decode.decoder import decode_response as decode

pytestmark = pytest.mark.anyio

KEY = "s3cr3t-k3y"
CALL = ApiRequest.of(
    "get_trades",
    market_id=10000065,
    sequence_id=10000305,
    sequence_item_id=[244, 245],
    contract_type="SinglePeriod",
    from_=instant("2024-03-04", "from_"),
    until=instant("2024-03-05", "until"),
    include_private=True,
    routes=["Direct", "Agency, London"],
)
CONTEXT = RequestContext("/trades")


class Server:
    """Sends the same bytes to every connection and keeps its requests."""

    def __init__(self, response: bytes | None) -> None:
        self.response = response
        self.requests: list[bytes] = []
        self.url = ""
        self.released = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if self.response is None:
                await self.released.wait()
            else:
                writer.write(self.response)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def served(response: bytes | None) -> AsyncIterator[Server]:
    server = Server(response)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        server.released.set()
        listener.close()
        await listener.wait_closed()


def transport(url: str) -> aclosing[Transport]:
    return aclosing(
        Transport(key=SecretStr(KEY), urls={"analytics": url + "/api", "reference": url})
    )


async def send(wire: Transport, call: ApiRequest = CALL, timeout: float = 10.0) -> ApiResponse:
    context = RequestContext(call.endpoint.path, call.shown, "an-id")
    return await wire.send(call, context, held, silence=timeout)


def encoded(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def test_a_request_carries_the_key_and_its_lists_as_the_api_reads_them() -> None:
    async with served(encoded(200, b"[]")) as server, transport(server.url) as wire:
        got = await send(wire)
    head = server.requests[0].decode().split("\r\n")
    assert head[0].startswith("GET /api/trades?")
    assert "sequenceItemId=244%2C245" in head[0]
    assert "routes=Direct&routes=Agency%2C+London" in head[0].replace("%20", "+")
    assert "includePrivate=true" in head[0]
    assert f"x-api-key: {KEY}" in [line.lower() for line in head]
    assert got.body == b"[]"
    assert KEY not in repr(got)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, TrayportAPIError, False),
        (401, TrayportAuthenticationError, False),
        (403, TrayportAuthorizationError, False),
        (404, TrayportNotFoundError, False),
        (418, TrayportAPIError, False),
        (429, TrayportRateLimitError, True),
        (500, TrayportServerError, True),
        (503, TrayportServerError, True),
        (520, TrayportServerError, True),
        (599, TrayportServerError, True),
        (600, TrayportAPIError, False),
        (999, TrayportAPIError, False),
        (204, TrayportAPIError, False),
    ],
)
async def test_every_status_but_200_is_an_error_of_its_kind(
    status: int, kind: type[TrayportAPIError], retryable: bool
) -> None:
    body = b"" if status == 204 else b"<html>no</html>"
    async with served(encoded(status, body)) as server, transport(server.url) as wire:
        with pytest.raises(TrayportAPIError) as refused:
            await send(wire)
    assert type(refused.value) is kind
    assert refused.value.status_code == status
    assert refused.value.retryable is retryable
    assert refused.value.context is not None
    assert refused.value.context.endpoint == "/trades"
    assert str(status) in str(refused.value)
    assert KEY not in str(refused.value)
    assert refused.value.body == body.decode()


async def test_a_problem_document_says_what_is_wrong_with_which_parameter() -> None:
    body = b'{"title": "bad", "status": 400, "errors": {"until": ["Too long.", "Sorry."]}}'
    async with served(encoded(400, body)) as server, transport(server.url) as wire:
        with pytest.raises(TrayportAPIError, match=r"until: Too long\. Sorry\.") as refused:
            await send(wire)
    assert refused.value.errors == {"until": ("Too long.", "Sorry.")}


async def test_retry_after_in_seconds_is_kept() -> None:
    async with (
        served(encoded(429, b"", "Retry-After: 7")) as server,
        transport(server.url) as wire,
    ):
        with pytest.raises(TrayportRateLimitError) as refused:
            await send(wire)
    assert refused.value.retry_after == 7


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("2.5", 2.5),
        ("Mon, 04 Mar 2024 10:00:30 GMT", 30.0),
        ("Mon, 04 Mar 2024 10:00:30", 30.0),
        ("Mon, 04 Mar 2024 10:00:30 -0000", 30.0),
        ("Mon, 04 Mar 2024 12:00:30 +0200", 30.0),
        ("Mon, 04 Mar 2024 09:00:00 GMT", 0.0),
        ("12345678901", 12345678901.0),
        ("9" * 400, sys.float_info.max),
        ("Mon, 1 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 1 Jan 2024 00:00:00 +9999999999999999999999", None),
        ("soon", None),
        ("-1", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    ten_o_clock = datetime(2024, 3, 4, 10, tzinfo=UTC).timestamp()
    assert retry_after(header, ten_o_clock) == seconds


def test_a_date_without_a_zone_is_utc_wherever_the_program_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as surroundings:
        surroundings.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        try:
            assert retry_after("Thu, 01 Jan 1970 00:00:30", 0.0) == 30.0
        finally:
            surroundings.undo()
            time.tzset()


dates = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Sun", ""]),
    st.integers(),
    st.sampled_from(["Jan", "Dec", "Foo"]),
    st.integers(),
    *[st.integers()] * 3,
    st.one_of(st.just("GMT"), st.integers().map("{:+}".format), st.text(max_size=5)),
)


@given(
    st.one_of(st.text(), dates, st.from_regex(r"[0-9]+(\.[0-9]+)?")),
    st.floats(-1e12, 1e12),
)
def test_whatever_retry_after_says_it_is_a_number_of_seconds_or_nothing(
    header: str, now: float
) -> None:
    seconds = retry_after(header, now)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@pytest.mark.parametrize(
    ("status", "broken"),
    [
        (503, b"HTTP/1.1 503 -\r\nContent-Length: 100\r\n\r\n<html>busy"),
        (404, b"HTTP/1.1 404 -\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n\xff\xff\xff"),
        (401, b"HTTP/1.1 401 -\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno"),
        (500, b"HTTP/1.1 500 -\r\nContent-Type: text/html; charset=base64\r\n\r\n<html>"),
        (400, encoded(400, b'{"errors":' + b"[" * 200_000)),
    ],
    ids=["cut", "not brotli", "not gzip", "odd charset", "deep"],
)
async def test_the_status_of_an_error_survives_whatever_is_wrong_with_its_body(
    status: int, broken: bytes
) -> None:
    async with served(broken) as server, transport(server.url) as wire:
        with pytest.raises(TrayportAPIError) as refused:
            await send(wire)
    assert refused.value.status_code == status


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    "body",
    [
        f"bad key {KEY}",
        f'{{"title": "t", "detail": "bad {KEY}"}}',
        f"{KEY:>82}",
        f"{KEY:>302}",
    ],
    ids=["text", "problem", "across the end of the message", "across the end of the quotation"],
)
async def test_a_body_that_repeats_the_key_does_not_put_it_into_an_error(
    status: int, body: str
) -> None:
    async with served(encoded(status, body.encode())) as server, transport(server.url) as wire:
        with pytest.raises(TrayportError) as refused:
            (await send(wire)).read(decode)
    error = refused.value
    shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert KEY[:3] not in shown
    assert KEY not in repr(pickle.loads(pickle.dumps(error)))  # noqa: S301


async def test_the_chain_of_causes_shows_no_key() -> None:
    async with served(b"") as server, transport(server.url) as wire:
        with pytest.raises(TrayportConnectionError) as refused:
            await send(wire)
    cause = refused.value.__cause__
    assert isinstance(cause, httpx.HTTPError)
    assert KEY not in repr(cause.request.headers)


async def test_no_logger_writes_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    async with served(encoded(200, b"[]")) as server, transport(server.url) as wire:
        await send(wire)
        hpack.Encoder().encode([(b"x-api-key", KEY.encode())])
    assert "httpcore" in {record.name.split(".")[0] for record in caplog.records}
    assert KEY not in caplog.text


async def test_a_request_too_long_to_send_is_an_error_of_ours() -> None:
    call = evolve(CALL, parameters={"routes": "x" * 70_000})
    async with transport("http://127.0.0.1:1") as wire:
        with pytest.raises(TrayportConfigurationError, match="no valid address"):
            await send(wire, call)


async def test_a_redirect_is_an_error_and_the_key_does_not_follow_it() -> None:
    async with served(encoded(200, b"[]")) as elsewhere:
        away = encoded(302, b"", f"Location: {elsewhere.url}/api/trades")
        async with served(away) as server, transport(server.url) as wire:
            with pytest.raises(TrayportAPIError) as refused:
                await send(wire)
    assert refused.value.status_code == 302
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n[1,2]",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\n\xff\xff\xff\xff\xff",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
    ids=["closed", "cut", "cut chunk", "not gzip", "not brotli", "not http"],
)
async def test_an_answer_that_breaks_off_is_a_connection_error(broken: bytes) -> None:
    async with served(broken) as server, transport(server.url) as wire:
        with pytest.raises(TrayportConnectionError) as refused:
            await send(wire)
    assert refused.value.retryable
    assert refused.value.__cause__ is not None


async def test_silence_is_a_timeout() -> None:
    async with served(None) as server, transport(server.url) as wire:
        with pytest.raises(TrayportTimeoutError, match="no response in time"):
            await send(wire, timeout=0.05)


async def test_nobody_listening_is_a_connection_error() -> None:
    async with served(b"") as server:
        url = server.url
    async with transport(url) as wire:
        with pytest.raises(TrayportConnectionError, match="connection failed"):
            await send(wire)


async def test_the_key_goes_to_the_configured_addresses_whatever_the_path_says() -> None:
    markets = ApiRequest.of("get_markets")
    async with (
        served(encoded(200, b"[]")) as elsewhere,
        served(encoded(200, b"[]")) as server,
    ):
        port = elsewhere.url.rpartition(":")[2]
        paths = (f"@127.0.0.1:{port}/x", ".evil.example/x", "0/x", "\\@127.0.0.1/x", "x")
        for path in paths:
            async with transport(server.url) as wire:
                with pytest.raises(TrayportConfigurationError):
                    await send(wire, evolve(markets, url=path))
        for path in ("/../markets", "/../../x", "x/trades", f"@127.0.0.1:{port}/trades"):
            async with transport(server.url) as wire:
                with pytest.raises(TrayportConfigurationError, match="leads elsewhere"):
                    await send(wire, evolve(CALL, url=path))
    assert elsewhere.requests == server.requests == []


@pytest.mark.parametrize("path", [".evil.example/x", "@evil.example/x", ":444/x", "\\.evil/x"])
async def test_a_path_cannot_lengthen_the_name_of_the_host(path: str) -> None:
    sent: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"[]"))

    urls = {"analytics": "https://api.example", "reference": "https://api.example"}
    hooks = Hooks(transport=httpx.MockTransport(respond))
    wire = Transport(key=SecretStr(KEY), urls=urls, hooks=hooks)
    async with aclosing(wire):
        await send(wire)
        assert len(sent) == 1
        with pytest.raises(TrayportConfigurationError):
            await send(wire, evolve(CALL, url=path))
    assert len(sent) == 1


@pytest.mark.parametrize("part", ["head", "body"])
async def test_an_answer_that_drips_in_ends_with_the_time_it_may_take(part: str) -> None:
    async with Dripping(part) as dripping:
        urls = {"analytics": dripping.url, "reference": dripping.url}
        async with aclosing(Transport(key=SecretStr(KEY), urls=urls, max_connections=1)) as wire:
            for _ in range(2):  # the one connection there may be is free again
                with pytest.raises(
                    TrayportTimeoutError, match=r"of 127.0.0.1 took longer than 0\.2 s"
                ) as late:
                    await wire.send(CALL, CONTEXT, held, within=0.2)
                await dripping.hung_up()
        assert dripping.connections == 2
        assert late.value.suggestion is not None
        assert late.value.context is CONTEXT


async def test_an_answer_in_time_is_whole_and_keeps_its_connection() -> None:
    async with peer() as one:
        urls = {"analytics": one.url, "reference": one.url}
        async with aclosing(Transport(key=SecretStr(KEY), urls=urls)) as wire:
            for _ in range(2):
                got = await wire.send(CALL, CONTEXT, held, within=60.0)
                assert got.body == b"[]"
        assert one.connections == 1
