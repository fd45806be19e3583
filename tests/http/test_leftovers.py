"""What follows the end of a response never answers the next request on its connection."""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import h11
import httpcore
import httpx
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from trayport_spec import ENDPOINTS

from tests.http.peers import PROXY_VARIABLES, Certificates, encoded, listening
from trayport_sdk import TrayportConnectionError, TrayportDecodeError, TrayportError
from trayport_sdk.errors import RequestContext
from trayport_sdk.http.hooks import Hooks
from trayport_sdk.http.messages import ApiRequest, ApiResponse
from trayport_sdk.http.network import MANY_BYTES, READ_BYTES, Chunked, Network, Stream
from trayport_sdk.http.transport import Transport

pytestmark = pytest.mark.anyio

CONTEXT = RequestContext("/trades")
LARGE = b" " * 300_000


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@define
class Service:
    """Responds to request n by the n-th of its responses, and by `[n]` when there are no more."""

    responses: list[Sequence[bytes]]
    greeting: bytes = b""
    url: str = ""
    writers: list[asyncio.StreamWriter] = field(factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(self.greeting)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                number = re.findall(rb"n=(\d+)", head)[0]
                pieces = self.responses.pop(0) if self.responses else [encoded(b"[%b]" % number)]
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()

    @property
    def connections(self) -> int:
        return len(self.writers)


@asynccontextmanager
async def service(
    *responses: Sequence[bytes],
    greeting: bytes = b"",
    tls: ssl.SSLContext | None = None,
    hooks: Hooks = Hooks(),  # noqa: B008
    far: str = "",
) -> AsyncIterator[tuple[Service, Callable[[int], Any]]]:
    """The service, and what asks it for `[n]`."""
    one = Service(list(responses), greeting)
    async with listening(one.handle, tls) as port:
        one.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        url = far or one.url
        urls = {"analytics": url, "reference": url}
        async with aclosing(Transport(key=SecretStr("key"), urls=urls, hooks=hooks)) as wire:
            yield one, lambda number: wire.send(request(number), CONTEXT, body)


def request(number: int) -> ApiRequest:
    return ApiRequest(ENDPOINTS["get_trades"], "/trades", {"n": str(number)})


def body(response: ApiResponse) -> bytes:
    return b"".join(response.chunks()).strip()


def chunked(
    content: bytes, *, size: int = 7, extension: bytes = b"", trailer: bytes = b""
) -> bytes:
    parts = [content[i : i + size] for i in range(0, len(content), size)]
    sent = b"".join(b"%x%b\r\n%b\r\n" % (len(p), extension, p) for p in parts)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + sent + b"0\r\n" + trailer + b"\r\n"


PLAIN = encoded(b"[1]")
CHUNKED = chunked(b"[1]")
ZIPPED = encoded(gzip.compress(b"[1]"), 200, "Content-Encoding: gzip")
NO_CONTENT = b"HTTP/1.1 204 -\r\n\r\n"
NOT_CHANGED = b"HTTP/1.1 304 -\r\nContent-Length: 3\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
SPOILT = {
    "twice in one segment": [PLAIN + PLAIN],
    "twice in two segments": [PLAIN, PLAIN],
    "three times": [PLAIN * 3],
    "twice in chunks": [CHUNKED + CHUNKED],
    "in chunks, then whole": [CHUNKED, PLAIN],
    "in chunks with a trailer, twice": [chunked(b"[1]", trailer=b"X-Sum: 1\r\n") * 2],
    "in chunks, and a byte": [CHUNKED + b"0"],
    "in chunks, and an end too many": [CHUNKED + b"0\r\n\r\n"],
    "a break too many": [PLAIN + b"\r\n"],
    "a space too many": [PLAIN + b" "],
    "longer than it says": [encoded(b"[1]").replace(b": 3", b": 2").replace(b"[1]", b"[] [9]")],
    "zipped, twice": [ZIPPED + ZIPPED],
    "large, twice": [encoded(b"[1]" + LARGE) * 2],
    "large in chunks, twice": [chunked(b"[1]" + LARGE, size=9_000) * 2],
    "an error, twice": [encoded(b"{}", 500) * 2],
    "an error in chunks, and a response": [CHUNKED.replace(b"200", b"404") + PLAIN],
    "nothing, and a body": [NO_CONTENT + b"[1]"],
    "nothing, and a response": [NO_CONTENT + PLAIN],
    "not changed, with a body": [NOT_CHANGED + b"[1]"],
    "an empty body, and a response": [encoded(b""), PLAIN],
    "early hints after the response": [PLAIN + CONTINUE.replace(b"100", b"103")],
    "continued, and twice": [CONTINUE + PLAIN + PLAIN],
    "a half of the next response": [PLAIN + PLAIN[:20]],
}
WHOLE = {
    "with a length": [PLAIN],
    "in chunks": [CHUNKED],
    "in chunks with extensions and a trailer": [
        chunked(b"[1]", extension=b";a=b", trailer=b"X-Sum: 1\r\nX: 2\r\n")
    ],
    "byte by byte": [CHUNKED[i : i + 1] for i in range(len(CHUNKED))],
    "after another head": [CONTINUE + CONTINUE + PLAIN],
    "after another head, byte by byte": [bytes([b]) for b in CONTINUE + PLAIN],
    "zipped": [ZIPPED],
    "empty": [encoded(b"")],
    "nothing": [NO_CONTENT],
    "large": [encoded(b"[1]" + LARGE)],
    "large in chunks": [chunked(b"[1]" + LARGE, size=9_000)],
    "an error": [encoded(b"{}", 404)],
}


@pytest.mark.parametrize("pieces", SPOILT.values(), ids=SPOILT)
async def test_a_connection_with_bytes_left_over_is_closed(pieces: list[bytes]) -> None:
    async with service(pieces) as (one, ask):
        with suppress(TrayportError):
            await ask(1)
        assert [*await asyncio.gather(ask(2), ask(3))] == [b"[2]", b"[3]"]
        assert await ask(4) == b"[4]"
        assert one.connections == 3


@pytest.mark.parametrize("pieces", WHOLE.values(), ids=WHOLE)
async def test_a_connection_whose_response_was_read_to_its_end_is_used_again(
    pieces: list[bytes],
) -> None:
    async with service(pieces) as (one, ask):
        with suppress(TrayportError):
            await ask(1)
        assert await ask(2) == b"[2]"
        assert one.connections == 1


@pytest.mark.parametrize("late", [PLAIN, b"\r\n", CONTINUE])
async def test_what_comes_while_nothing_was_asked_is_no_response(late: bytes) -> None:
    async with service() as (one, ask):
        assert await ask(1) == b"[1]"
        one.writers[0].write(late)  # and with that it is in the socket
        assert await ask(2) == b"[2]"
        assert one.connections == 2


async def test_a_connection_that_was_closed_while_idle_costs_no_request() -> None:
    async with service() as (one, ask):
        assert await ask(1) == b"[1]"
        one.writers[0].close()
        await one.writers[0].wait_closed()
        assert await ask(2) == b"[2]"
        assert one.connections == 2


async def test_the_same_holds_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    async with service([PLAIN + PLAIN], tls=certificates.for_server()) as (one, ask):
        assert [await ask(n) for n in (1, 2, 3)] == [b"[1]", b"[2]", b"[3]"]
        assert one.connections == 2
        one.writers[-1].write(PLAIN)
        assert await ask(4) == b"[4]"
        assert one.connections == 3


async def test_the_same_holds_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with service() as (proxy, _):
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        proxy.responses.append([PLAIN + PLAIN])
        async with service(far="http://trayport.test") as (_, ask):
            assert [await ask(n) for n in (1, 2, 3)] == [b"[1]", b"[2]", b"[3]"]
        assert proxy.connections == 2


@pytest.mark.parametrize("reads", [False, True])
async def test_the_same_holds_with_event_hooks(reads: bool) -> None:
    async def after(response: httpx.Response) -> None:
        if reads:
            await response.aread()

    hooks = Hooks(event_hooks={"response": [after]})
    async with service([PLAIN + PLAIN], hooks=hooks) as (one, ask):
        assert [await ask(n) for n in (1, 2, 3)] == [b"[1]", b"[2]", b"[3]"]
        assert one.connections == 2


async def test_a_service_that_speaks_before_it_is_asked_is_not_believed() -> None:
    async with service(greeting=PLAIN) as (one, _):
        stream = await Network().connect_tcp("127.0.0.1", int(one.url.rsplit(":", 1)[1]))
        assert await stream.read(1) == PLAIN[:1]
        with pytest.raises(httpcore.RemoteProtocolError, match="before anything was requested"):
            await stream.write(b"GET / HTTP/1.1\r\n\r\n")
        await stream.aclose()


async def test_a_response_of_an_unknown_shape_is_the_last_of_its_connection() -> None:
    def refusing(_: ApiResponse) -> None:
        raise TrayportDecodeError("no row of this contract")

    async with service() as (one, ask):
        urls = {"analytics": one.url, "reference": one.url}
        async with aclosing(Transport(key=SecretStr("key"), urls=urls)) as wire:
            with pytest.raises(TrayportDecodeError):
                await wire.send(request(1), CONTEXT, refusing)
            assert await wire.send(request(2), CONTEXT, body) == b"[2]"
            assert one.connections == 2
            assert await ask(3) == b"[3]"


@pytest.mark.parametrize("size", [b"-6", b"+3", b"0x3", b"1_0", b"", b" 3", b"f" * 30, b"3 x"])
async def test_a_chunk_without_a_right_size_ends_its_connection(size: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with service([head + size + b"\r\n[1]\r\n0\r\n\r\n" + PLAIN]) as (one, ask):
        with pytest.raises(TrayportConnectionError):
            await ask(1)
        assert await ask(2) == b"[2]"
        assert one.connections == 2


@st.composite
def cut(draw: st.DrawFn) -> tuple[bytes, bytes, list[bytes]]:
    """A body in chunks, what follows it, and both in any pieces."""
    ends = st.sampled_from([b"", b";a", b'; name="x y"'])
    parts = draw(st.lists(st.tuples(st.binary(min_size=1, max_size=40), ends), max_size=5))
    trailer = draw(st.sampled_from([b"", b"X: 1\r\n", b"X: 1\r\nY:\r\n"]))
    sent = b"".join(b"%X%b\r\n%b\r\n" % (len(p), end, p) for p, end in parts)
    whole = sent + b"0" + draw(ends) + b"\r\n" + trailer + b"\r\n"
    rest = draw(st.sampled_from([b"", b"\r\n", b"0\r\n\r\n", PLAIN]))
    text = whole + rest
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) if a < b]
    return whole, rest, pieces


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Length": f"{len(LARGE)}"}, LARGE),
        ({"Transfer-Encoding": "chunked"}, b"%x\r\n%b\r\n0\r\n\r\n" % (len(LARGE), LARGE)),
    ],
)
async def test_what_came_at_once_is_read_at_once_up_to_the_end_of_the_response(
    headers: dict[str, str], body: bytes
) -> None:
    stream = Stream("localhost")
    stream.data_received(body + b"HTTP/1.1 200 OK")
    stream.expect_body(200, headers)
    assert await stream.read(4096) == body[:4096]
    assert await stream.read(MANY_BYTES) == body[4096 : 4096 + READ_BYTES]
    assert await stream.read(MANY_BYTES) == body[4096 + READ_BYTES :]


@given(cut())
def test_a_body_in_chunks_ends_where_h11_finds_its_end(
    sent: tuple[bytes, bytes, list[bytes]],
) -> None:
    whole, rest, pieces = sent
    ours, theirs = Chunked(), h11.Connection(h11.CLIENT)
    theirs.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    theirs.send(h11.EndOfMessage())
    theirs.receive_data(b"HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\n" + whole + rest)
    while not isinstance(theirs.next_event(), h11.EndOfMessage):
        pass
    assert theirs.trailing_data[0] == rest
    taken = [ours.take(piece) for piece in pieces]
    assert sum(taken) == len(whole)
    assert ours.is_over
