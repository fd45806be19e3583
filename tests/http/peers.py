"""The other end of a connection: a small server that counts what comes, and serves TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import trustme

from trayport_sdk import Settings
from trayport_sdk.http.messages import ApiResponse

# Rates that no test reaches; only hosts on this machine may get so many requests.
# Every call sends a request, and none waits.
UNHURRIED = {
    "requests_per_second": 100_000,
    "requests_per_minute": 6_000_000,
    "cache": "off",
}
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def encoded(body: bytes = b"[]", status: int = 200, *headers: str) -> bytes:
    """A response that leaves the connection open."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def held(response: ApiResponse) -> ApiResponse:
    """The response, once its body has come and is whole."""
    response.raw = list(response.raw)
    assert sum(map(len, response.chunks())) == response.bytes_decoded
    return response


class Peer:
    """Answers every request, keeps connections open, and counts both."""

    def __init__(self, respond: Callable[[bytes], bytes]) -> None:
        self._respond = respond
        self.url = ""
        self._changed = asyncio.Condition()
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.requests: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        # While it is cleared, requests are read without a response.
        self.answering = asyncio.Event()
        self.answering.set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.writers.append(writer)
        await self._notify()
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                await self._notify()
                await self.answering.wait()
                writer.write(self._respond(self.requests[-1]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()
            await self._notify()

    async def hang_up(self) -> None:
        """Closes every connection, and waits until that is so."""
        for writer in self.writers:
            writer.close()
        await self.until(lambda: self.open == 0)

    async def until(self, so: Callable[[], bool]) -> None:
        """Waits until something is so that depends on what was counted."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(so)

    async def accepted(self, connections: int) -> None:
        """Waits until so many connections were accepted."""
        await self.until(lambda: self.connections >= connections)

    async def received(self, requests: int) -> None:
        """Waits until so many requests have come."""
        await self.until(lambda: len(self.requests) >= requests)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def settings(self, **more: object) -> Settings:
        """Settings that lead here, and try again after no more than a millisecond."""
        chosen: dict[str, object] = {
            "api_key": "s3cr3t-k3y",
            "analytics_url": self.url,
            "reference_url": self.url,
            "retry_base": 0.001,
            **UNHURRIED,
        }
        return Settings(_env_file=None, **{**chosen, **more})


@asynccontextmanager
async def peer(
    respond: Callable[[bytes], bytes] = lambda _: encoded(),
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[Peer]:
    """A server on a free port of this machine, over TLS when there is a context."""
    one = Peer(respond)
    listener = await asyncio.start_server(one.handle, host, 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    one.url = f"{'http' if tls is None else 'https'}://{shown}:{port}"
    try:
        yield one
    finally:
        one.answering.set()
        listener.close()
        await one.hang_up()
        await listener.wait_closed()


class Dripping:
    """Sends its responses byte by byte, and comes to no end of them.

    Args:
        part: What it never ends, "head" or "body".
    """

    def __init__(self, part: str) -> None:
        head = b"HTTP/1.1 200 -\r\n"
        self._whole = head if part == "head" else head + b"Content-Length: 1000000\r\n\r\n"
        self._byte = b"x" if part == "head" else b" "
        self.url = ""
        self.connections = 0
        self._ended = asyncio.Semaphore(0)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # On a busy machine the other end may give up before it has sent anything.
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(self._whole)
        end = asyncio.create_task(reader.read())
        while not end.done():
            writer.write(self._byte)
            await asyncio.wait({end}, timeout=0.01)
        with suppress(ConnectionError):
            await end
        writer.close()
        self._ended.release()

    async def hung_up(self) -> None:
        """Waits until the other end has closed one more connection."""
        async with asyncio.timeout(10):
            await self._ended.acquire()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        await self._listener.wait_closed()


class Certificates:
    """Certificates for this machine, and a file of the authority that made them.

    Args:
        directory: Where to keep the files.
    """

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        self.issue = authority.issue_cert
        self._issued = self.issue("127.0.0.1", "localhost")
        self.authority = directory / "authority.pem"
        self.certificate = directory / "certificate.pem"
        self.key = directory / "key.pem"
        authority.cert_pem.write_to_path(self.authority)
        self._issued.private_key_pem.write_to_path(self.key)
        self.certificate.write_bytes(
            b"".join(blob.bytes() for blob in self._issued.cert_chain_pems)
        )

    def for_server(self, *protocols: str) -> ssl.SSLContext:
        """What a server needs, with the protocols it offers."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(protocols or ("http/1.1",))
        self._issued.configure_cert(context)
        return context


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server, by its port; what fails there is of no interest."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    handling: list[asyncio.Task[None]] = []

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.append(asyncio.create_task(handled(reader, writer)))

    listener = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls)
    async with listener:
        yield listener.sockets[0].getsockname()[1]
        await asyncio.wait_for(asyncio.gather(*handling), 10)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on what comes, to its end."""
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def tunnels(target: str) -> AsyncIterator[Peer]:
    """A proxy that connects every tunnel to one place, whatever name it is sent."""
    one = Peer(lambda _: b"")
    parts = urlsplit(target)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one.connections += 1
        one.requests.append(await reader.readuntil(b"\r\n\r\n"))
        far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"HTTP/1.1 200 -\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with listening(handle) as port:
        one.url = f"http://127.0.0.1:{port}"
        yield one


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
