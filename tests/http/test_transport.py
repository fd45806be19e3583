"""The wire, byte by byte: a server that answers exactly what a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from trayport_api.api.trades import get_trades
from trayport_api.models import ContractType

from trayport_sdk import (
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportConnectionError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
)
from trayport_sdk.http.transport import Call, Transport

pytestmark = pytest.mark.anyio

KEY = "s3cret"
CALL = Call.of(
    "get_trades",
    get_trades.get_kwargs(
        market_id=10000065,
        sequence_id=10000305,
        sequence_item_id=[244, 245],
        contract_type=ContractType.SINGLE_PERIOD,
        from_="2024-03-04",
        until="2024-03-05",
        include_private=True,
        routes=["Direct", "Agency, London"],
    ),
)


class Server:
    """Answers every connection with the same bytes and keeps what it was asked."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.url = ""
        self.released = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            if self.answer is None:
                await self.released.wait()
            else:
                writer.write(self.answer)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def served(answer: bytes | None) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        server.released.set()
        listener.close()
        await listener.wait_closed()


def transport(url: str, timeout: float = 10.0) -> aclosing[Transport]:
    wire = Transport(
        key=KEY,
        urls={"analytics": url + "/api", "reference": url},
        timeout=timeout,
        connect_timeout=10.0,
        http2=False,
        limiter=None,
    )
    return aclosing(wire)


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def test_a_request_carries_the_key_and_its_lists_as_the_api_reads_them() -> None:
    async with served(answer(200, b"[]")) as server, transport(server.url) as wire:
        got = await wire.send(CALL)
    head = server.asked[0].decode().split("\r\n")
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
        (204, TrayportAPIError, False),
    ],
)
async def test_every_status_but_200_is_an_error_of_its_kind(
    status: int, kind: type[TrayportAPIError], retryable: bool
) -> None:
    body = b"" if status == 204 else b"<html>no</html>"
    async with served(answer(status, body)) as server, transport(server.url) as wire:
        with pytest.raises(TrayportAPIError) as refused:
            await wire.send(CALL)
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
    async with served(answer(400, body)) as server, transport(server.url) as wire:
        with pytest.raises(TrayportAPIError, match=r"until: Too long\. Sorry\.") as refused:
            await wire.send(CALL)
    assert refused.value.errors == {"until": ("Too long.", "Sorry.")}


async def test_retry_after_in_seconds_is_kept() -> None:
    async with served(answer(429, b"", "Retry-After: 7")) as server, transport(server.url) as wire:
        with pytest.raises(TrayportRateLimitError) as refused:
            await wire.send(CALL)
    assert refused.value.retry_after == 7


async def test_a_redirect_is_an_error_and_the_key_does_not_follow_it() -> None:
    async with served(answer(200, b"[]")) as elsewhere:
        away = answer(302, b"", f"Location: {elsewhere.url}/api/trades")
        async with served(away) as server, transport(server.url) as wire:
            with pytest.raises(TrayportAPIError) as refused:
                await wire.send(CALL)
    assert refused.value.status_code == 302
    assert elsewhere.asked == []


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
            await wire.send(CALL)
    assert refused.value.retryable
    assert refused.value.__cause__ is not None


async def test_silence_is_a_timeout() -> None:
    async with served(None) as server, transport(server.url, timeout=0.05) as wire:
        with pytest.raises(TrayportTimeoutError, match="no answer in time"):
            await wire.send(CALL)


async def test_nobody_listening_is_a_connection_error() -> None:
    async with served(b"") as server:
        url = server.url
    async with transport(url) as wire:
        with pytest.raises(TrayportConnectionError, match="connection failed"):
            await wire.send(CALL)
