"""Responses are read while they arrive: over real sockets, from a server that a test steps."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr
from trayport_spec import ENDPOINTS

from trayport_sdk import Settings, TrayportAPIError, TrayportClient, TrayportDecodeError
from trayport_sdk.errors import RequestContext
from trayport_sdk.http.body import PIPE_BYTES, BodyInterrupted
from trayport_sdk.http.messages import ApiRequest, ApiResponse
from trayport_sdk.http.redaction import Redaction
from trayport_sdk.http.transport import Transport
from trayport_sdk.tables.decode.decoder import Decoder
from trayport_sdk.tables.decode.schema import RequestedColumns
from trayport_sdk.tables.decode.split import PIECE

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("reader")]

brotli: Any = import_module("brotli")
CALL = ApiRequest(ENDPOINTS["get_trades"], "/trades")
MANY = 6 * PIECE // 100
CONTEXT = RequestContext("/trades")


def rows(first: int, count: int) -> bytes:
    row = {"tradeId": "T", "venueCode": "EEX7", "price": 26.475, "quantity": 5.0}
    more = (row | {"dealDate": first + n, "aggressorBuy": True} for n in range(count))
    return ",".join(json.dumps(one, separators=(",", ":")) for one in more).encode()


class Slow:
    """Sends the parts of a response, each of them when a test says so."""

    def __init__(self, parts: Iterable[bytes], *headers: str) -> None:
        self.parts = parts
        self.headers = headers
        self.go_on = asyncio.Semaphore(1)
        self.sent = 0
        self.hung_up = asyncio.Event()
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *self.headers, "", ""]
        writer.write("\r\n".join(head).encode())
        try:
            for part in self.parts:
                await self.go_on.acquire()
                writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                await writer.drain()
                self.sent += len(part)
            writer.write(b"0\r\n\r\n")
            await reader.read()
        except (ConnectionError, RuntimeError):  # which uvloop raises where a transport is closed
            pass
        finally:
            self.hung_up.set()
            writer.close()


@asynccontextmanager
async def wire(slow: Slow) -> AsyncIterator[Transport]:
    listener = await asyncio.start_server(slow.handle, "127.0.0.1", 0)
    slow.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        async with aclosing(
            Transport(key=SecretStr("key"), urls={"analytics": slow.url, "reference": slow.url})
        ) as transport:
            yield transport
    finally:
        listener.close()


def decoded(response: ApiResponse) -> pl.DataFrame:
    decoder = Decoder("get_trades", RequestedColumns())
    with response.explained():
        return pl.concat(decoder.frames(response.chunks()))


@pytest.mark.parametrize("encoding", ["identity", "br"])
async def test_rows_are_there_before_the_rest_of_the_body_is(encoding: str) -> None:
    compressor = brotli.Compressor(quality=1)
    bodies = [b"[" + rows(0, MANY) + b",", rows(10**9, 1) + b"]"]
    if encoding == "br":
        bodies = [
            compressor.process(bodies[0]) + compressor.flush(),
            compressor.process(bodies[1]) + compressor.finish(),
        ]
    slow = Slow(bodies, f"Content-Encoding: {encoding}")
    loop = asyncio.get_running_loop()

    def read(response: ApiResponse) -> int:
        count = 0
        for frame in Decoder("get_trades", RequestedColumns()).frames(response.chunks()):
            if not count:
                # Not before the first rows were decoded is the end of the body sent.
                loop.call_soon_threadsafe(slow.go_on.release)
            count += frame.height
        return count

    async with wire(slow) as transport:
        assert await transport.send(CALL, CONTEXT, read) == MANY + 1


async def test_of_a_broken_answer_the_rest_is_not_waited_for() -> None:
    broken = rows(0, 1).replace(b'"EEX7"', b"7")
    slow = Slow([b",".join([b"[" + rows(0, 20), broken, rows(0, MANY)]), b"never sent"])
    async with wire(slow) as transport:
        with pytest.raises(TrayportDecodeError) as refused:
            await transport.send(CALL, CONTEXT, decoded)
        slow.go_on.release()
        await slow.hung_up.wait()
    assert (refused.value.row, refused.value.field) == (20, "venueCode")
    assert refused.value.context is CONTEXT


async def test_no_more_is_taken_from_the_network_than_is_read() -> None:
    chunk = rows(0, 1000)
    slow = Slow([b"[" + chunk] + [b"," + chunk] * 200 + [b"]"])
    slow.go_on = asyncio.Semaphore(1000)
    loop = asyncio.get_running_loop()
    taken: list[int] = []

    def read(response: ApiResponse) -> pl.DataFrame:
        chunks = response.chunks()
        first = next(chunks)
        # Nothing is read before the server can send no more.
        asyncio.run_coroutine_threadsafe(stalled(slow), loop).result()
        taken.append(response.bytes_received)
        decoder = Decoder("get_trades", RequestedColumns())
        return pl.concat(decoder.frames([first, *chunks]))

    async with wire(slow) as transport:
        found = await transport.send(CALL, CONTEXT, read)
    assert found.height == 201_000
    assert taken[0] < 2 * PIPE_BYTES < slow.sent


async def stalled(slow: Slow) -> None:
    """Returns when the server has not got rid of anything for a while."""
    before, quiet = -1, 0
    while quiet < 200:
        await asyncio.sleep(0.001)
        quiet = quiet + 1 if slow.sent == before else 0
        before = slow.sent


SPACE = gzip.compress(b" " * (1 << 20))


@pytest.mark.parametrize("parts", [[SPACE * 64], [SPACE] * 64], ids=["at once", "in parts"])
async def test_the_thread_ends_with_its_call(parts: list[bytes]) -> None:
    slow = Slow(parts, "Content-Encoding: gzip")
    slow.go_on = asyncio.Semaphore(1000)
    loop = asyncio.get_running_loop()
    begun, ended = asyncio.Event(), loop.create_future()

    def read(response: ApiResponse) -> None:
        pieces = response.chunks()
        try:
            next(pieces)
            loop.call_soon_threadsafe(begun.set)
            cancelled.result()
            next(pieces)
        except BaseException as error:
            loop.call_soon_threadsafe(ended.set_result, type(error))
            raise

    cancelled: Future[None] = Future()
    async with wire(slow) as transport:
        call = asyncio.create_task(transport.send(CALL, CONTEXT, read))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        cancelled.set_result(None)
        assert await ended is BodyInterrupted


def test_what_there_is_no_memory_for_is_an_error_that_says_so() -> None:
    def read(_: str, chunks: Iterable[bytes], _depth: int) -> None:
        assert b"".join(chunks) == b"[]"
        raise MemoryError

    response = ApiResponse(CALL, CONTEXT, Redaction(SecretStr("key")), [b"[]"])
    with pytest.raises(TrayportDecodeError, match=r"more memory .* stream") as refused:
        response.read(read)
    assert not refused.value.retryable


CONTRACT = "10000065*#Single#10000305#244#0"
DAY = ("2024-03-04", "2024-03-05")
CALLS: dict[str, Callable[[TrayportClient], Awaitable[object]]] = {
    "trades": lambda client: client.trades.get_trades(CONTRACT, *DAY),
    "candles": lambda client: client.trades.get_ohlcv(CONTRACT, *DAY, "1h"),
    "books": lambda client: client.orders.get_order_book(CONTRACT, *DAY, "1h"),
    "last trade": lambda client: client.trades.get_last_trade(CONTRACT),
    "snapshots": lambda client: client.snapshots.get_snapshots([CONTRACT]),
    "markets": lambda client: client.reference.get_markets(),
    "market": lambda client: client.reference.get_market_by_id(10000065),
}


@asynccontextmanager
async def client_of(
    body: bytes, encoding: str = "identity", status: int = 200, **settings: Any
) -> AsyncIterator[TrayportClient]:
    """A client of a service that always sends the same."""

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-encoding", encoding.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    application.limits = False  # type: ignore[attr-defined]
    values = Settings(_env_file=None, retry_base=0.001, **settings)
    async with TrayportClient.sandbox(application, settings=values) as client:  # type: ignore[arg-type]
        yield client


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (SPACE, "gzip", r"more than 100,000 bytes .* setting max_decoded_bytes"),
        (brotli.compress(b"[{" + b" " * (1 << 20)), "br", "max_decoded_bytes|its root is no"),
        (b" " * 100_001, "identity", "max_decoded_bytes"),
        (gzip.compress(b" " * 100_001), "gzip, identity", "max_decoded_bytes"),
        (b"[]", ", ".join(["gzip"] * 3000), "3000 content encodings"),
        (b'[{"a":' * 15_000, "identity", "max_depth|its root is no"),
        (b'{"a":' * 15_000, "identity", "max_depth|its root is no"),
    ],
    ids=["gzip", "brotli", "plain", "twice", "encodings", "array", "object"],
)
async def test_a_response_that_is_too_large_or_deep_is_an_error_that_names_the_setting(
    name: str, body: bytes, encoding: str, said: str
) -> None:
    async with client_of(body, encoding, max_decoded_bytes=100_000) as client:
        with pytest.raises(TrayportDecodeError, match=said) as refused:
            await CALLS[name](client)
    assert refused.value.endpoint
    assert refused.value.attempts == 1 or refused.value.retryable


async def test_streams_and_files_may_have_any_size(tmp_path: Path) -> None:
    day = 1709546523123456789
    body = b"[" + rows(day, 1000) + b"]"
    async with client_of(body, max_decoded_bytes=100_000) as client:
        with pytest.raises(TrayportDecodeError, match="100,000"):
            await client.trades.get_trades(CONTRACT, *DAY)
        stream = client.stream_trades([CONTRACT], *DAY)
        assert sum([len(batch) async for batch in stream]) == 1000
        (path,) = await client.download_raw(CONTRACT, *DAY, tmp_path)
        assert path.read_bytes() == body


@pytest.mark.parametrize("name", ["trades", "snapshots", "markets"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
async def test_a_problem_is_read_in_whatever_encoding_it_comes(name: str, encoding: str) -> None:
    problem = {"title": "Wrong", "errors": {"from": ["is späť", "the key is sandbox"]}}
    body = json.dumps(problem, ensure_ascii=False).encode(encoding)
    async with client_of(body, status=400) as client:
        with pytest.raises(TrayportAPIError) as refused:
            await CALLS[name](client)
    assert refused.value.errors == {"from": ("is späť", "the key is [key]")}


PROBLEMS = {
    "deep": b'{"errors":' * 5000,
    "deep list": b'{"detail":' + b"[" * 60_000 + b"]" * 4000 + b"}",
    "digits": b'{"detail":' + b"1" * 60_000 + b"}",
    "no JSON": b"\xff\xfe\0",
    "empty": b"",
}


@pytest.mark.parametrize("body", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("encoding", ["identity", "gzip", "br", ", ".join(["br"] * 3000)])
async def test_whatever_the_body_of_an_error_is_the_status_is_told(
    body: bytes, encoding: str
) -> None:
    async with client_of(body, encoding, status=418) as client:
        with pytest.raises(TrayportAPIError, match="418") as refused:
            await client.reference.get_markets()
    assert len(str(refused.value)) < 1000
