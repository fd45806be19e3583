"""Responses are read while they arrive: over real sockets, from a server that a test steps."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from importlib import import_module
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr
from trayport_spec import ENDPOINTS

from trayport_sdk import TrayportDecodeError
from trayport_sdk.errors import RequestContext
from trayport_sdk.http.body import PIPE_BYTES
from trayport_sdk.http.messages import ApiRequest, ApiResponse
from trayport_sdk.http.transport import Transport
from trayport_sdk.tables.decode.decoder import AHEAD, Decoder
from trayport_sdk.tables.decode.schema import column_filter
from trayport_sdk.tables.decode.split import PIECE

pytestmark = pytest.mark.anyio

brotli: Any = import_module("brotli")
CALL = ApiRequest(ENDPOINTS["get_trades"], "/trades")
MANY = (AHEAD + 2) * PIECE // 100
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
        except ConnectionError:
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
    decoder = Decoder("get_trades", column_filter((), ()))
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
        for frame in Decoder("get_trades", column_filter((), ())).frames(response.chunks()):
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
        decoder = Decoder("get_trades", column_filter((), ()))
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
