"""Sockets for httpcore, which know where a response of HTTP/1.1 ends.

httpcore takes whatever has come as the response to the next request. What follows the end of a
response belongs to no request, so no byte of it is handed over, and its connection carries no other
request.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import socket
import ssl
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakSet

import httpcore

from .tls import is_permanent, wants_certificate

BUFFER_BYTES = 1 << 19
"""Bytes that wait to be read at most, before no more are taken from the other side."""

MANY_BYTES = 1 << 16
"""Bytes that httpcore asks for where it takes whatever has come."""

READ_BYTES = 1 << 18
"""Bytes that it then gets at most, as many as the event loop reads at once."""

HAPPY_EYEBALLS_SECONDS = 0.25
"""Seconds after which the next address of a host is tried too."""

REQUESTS = (b"GET ", b"CONNECT ")
BODILESS = (204, 304)
_BLANK_LINE = re.compile(rb"\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,20}(?=[ \t]*[;\r])")


class TLSError(httpcore.ConnectError):
    """TLS fails, and would fail again.

    Attributes:
        host: What was connected to.
        reason: What OpenSSL says.
    """

    def __init__(self, host: str, reason: ssl.SSLError) -> None:
        super().__init__(str(reason))
        self.host = host
        self.reason = reason


class Part(Protocol):
    """A part of a response, of which all bytes but those after its end are taken."""

    @property
    def is_over(self) -> bool: ...

    def take(self, data: bytes) -> int:
        """How many of the next bytes belong to it."""
        ...


class Head:
    """Heads of responses, one after another; each take ends with a head."""

    is_over = False

    def __init__(self) -> None:
        self._before = b""

    def take(self, data: bytes) -> int:
        before, text = len(self._before), self._before + data
        if (end := _BLANK_LINE.search(text)) is None:
            self._before = text[-2:]
            return len(data)
        self._before = b""
        return end.end() - before


class Counted:
    """A body whose length is known."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def is_over(self) -> bool:
        return self._left == 0

    def take(self, data: bytes) -> int:
        taken = min(self._left, len(data))
        self._left -= taken
        return taken


class Chunked:
    """A body in chunks, with the trailer. Its form is checked by who reads it."""

    def __init__(self) -> None:
        self.is_over = False
        self._skipped = 0
        self._line = b""
        self._is_trailer = False

    def take(self, data: bytes) -> int:
        at = 0
        while not self.is_over:
            step = min(self._skipped, len(data) - at)
            self._skipped -= step
            at += step
            if at == len(data):
                break
            if self._line.endswith(b"\r") and data.startswith(b"\n", at):
                stop = at + 1
            else:
                found = data.find(b"\r\n", at)
                stop = len(data) if found < 0 else found + len(b"\r\n")
            self._line += data[at:stop]
            at = stop
            if self._line.endswith(b"\r\n"):
                self._end_line()
        return at

    def _end_line(self) -> None:
        line, self._line = self._line, b""
        if self._is_trailer:
            self.is_over = line == b"\r\n"
            return
        if not (written := _CHUNK_SIZE.match(line)):
            raise ValueError("no size of a chunk")
        size = int(written[0], 16)
        self._is_trailer = size == 0
        self._skipped = size + len(b"\r\n") if size else 0


class Unbounded:
    """Bytes that end with the connection."""

    is_over = False

    def take(self, data: bytes) -> int:
        return len(data)


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection, or the TLS within one.

    What is read ends where the head of a response ends, and then, once `expect_body` was called,
    where its body does.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._is_paused = self._is_ended = self._is_closed = False
        self._failure: Exception | None = None
        # What is read now; None before the first request of HTTP/1.1, and with HTTP/2 for ever.
        self._part: Part | None = None

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # it is that of a stream

    def data_received(self, data: bytes) -> None:
        self._chunks.append(bytes(data))
        self._size += len(data)
        if self._size > BUFFER_BYTES and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_ended, self._failure = True, exc
        self._news.set()
        self._writable.set()

    def eof_received(self) -> None:
        self._is_ended = True
        self._news.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What httpcore calls

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes, or none at the end of the connection.

        Where many are asked for, more may come: each read costs far more than its bytes.
        """
        if not self._chunks and not self._is_ended:
            self._news.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._news.wait()
            except TimeoutError as error:
                message = f"nothing came from {self._host}{_within(timeout)}"
                raise httpcore.ReadTimeout(message) from error
        if self._is_closed:
            raise httpcore.ReadError("the connection was closed here")
        if not self._chunks:
            if isinstance(self._failure, ssl.SSLError) and wants_certificate(self._failure):
                raise TLSError(self._host, self._failure)  # TLS 1.3 says so after the handshake
            if self._failure is not None:
                raise httpcore.ReadError(str(self._failure)) from self._failure
            return b""
        return self._next(max_bytes if max_bytes < MANY_BYTES else READ_BYTES)

    def _next(self, most: int) -> bytes:
        chunk = self._chunks.popleft()
        if len(chunk) > most:
            self._chunks.appendleft(chunk[most:])
            chunk = chunk[:most]
        if self._part is not None and (size := self._taken(self._part, chunk)) < len(chunk):
            self._chunks.appendleft(chunk[size:])
            chunk = chunk[:size]
        self._size -= len(chunk)
        if self._is_paused and self._size <= BUFFER_BYTES // 2 and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return chunk

    def _taken(self, part: Part, chunk: bytes) -> int:
        try:
            if size := part.take(chunk):
                return size
        except ValueError:
            pass
        # Whoever reads sees another end than we do, and finds out.
        self.distrust()
        return len(chunk)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends bytes; those of a request begin with its method."""
        refusal = self._refusal(buffer.startswith(REQUESTS)) if buffer else None
        if buffer and refusal is None and self._transport is not None:
            self._transport.write(buffer)
        del buffer  # which has the key in it
        if refusal is not None:
            raise refusal
        if not self._writable.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._writable.wait()
            except TimeoutError as error:
                message = f"{self._host} took no more of the request{_within(timeout)}"
                raise httpcore.WriteTimeout(message) from error

    def _refusal(self, is_request: bool) -> Exception | None:
        """Why nothing can be sent, if so; otherwise a request begins where it is one."""
        if is_request and self._part is None and self._chunks:
            return httpcore.RemoteProtocolError("bytes came before anything was requested")
        if is_request and self._part is not None and not self._is_reusable():
            return httpcore.ConnectionNotAvailable()  # the pool takes another one
        if self._is_ended or self._is_closed:
            return httpcore.WriteError("the connection is closed")
        if is_request:
            self._part = Head()
        return None

    def expect_body(self, status: int, headers: Mapping[str, str]) -> None:
        """What follows the head that was read last, before any of it is read."""
        if status in BODILESS:
            self._part = Counted(0)
        elif "Transfer-Encoding" in headers:
            self._part = Chunked()
        elif "Content-Length" in headers:
            self._part = Counted(int(headers["Content-Length"]))
        else:
            self._part = Unbounded()

    def distrust(self) -> None:
        """Lets the connection carry no further request of HTTP/1.1."""
        if self._part is not None:
            self._part = Unbounded()

    def _is_reusable(self) -> bool:
        """Whether the last response was read to its end, and nothing has come since."""
        return (
            self._part is not None
            and self._part.is_over
            and not (self._chunks or self._is_ended or self._is_closed)
            and not _is_readable(self.get_extra_info("socket"))
        )

    async def aclose(self) -> None:
        """Closes the connection at once."""
        self.abort()
        await asyncio.sleep(0)  # then the socket is closed

    def abort(self) -> None:
        """Closes the connection, as soon as the event loop goes on."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.abort()

    def abandon(self) -> None:
        """Closes the connection without its event loop, which does not go on."""
        self._is_closed = True
        own = self._transport and self._transport.get_extra_info("socket")
        with (
            suppress(OSError),  # it is closed already
            socket.socket(fileno=os.dup(own.fileno() if own else -1)) as copy,
        ):
            copy.shutdown(socket.SHUT_RDWR)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Stream:
        """Begins TLS, for the first time or within another TLS."""
        loop, stream = asyncio.get_running_loop(), Stream(server_hostname or self._host)
        if self._chunks or self._transport is None:
            raise httpcore.ProxyError("bytes came before TLS was begun")
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(
                    self._transport, stream, ssl_context, server_hostname=server_hostname
                )
            if transport is None:
                raise ConnectionAbortedError
        except BaseException as error:
            self.abort()
            if isinstance(error, TimeoutError):
                message = f"no TLS with {stream._host}{_within(timeout)}"
                raise httpcore.ConnectTimeout(message) from error
            if isinstance(error, ssl.SSLError) and is_permanent(error):
                raise TLSError(stream._host, error) from error
            if isinstance(error, OSError):
                message = str(error) or "the connection ended within the TLS handshake"
                raise httpcore.ConnectError(f"{stream._host}: {message}") from error
            raise
        stream._transport = transport
        return stream

    def get_extra_info(self, info: str) -> Any:
        """What httpcore wants to know of the connection."""
        if info == "is_readable":  # which makes httpcore's pool close an idle connection
            return not self._is_reusable()
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport and self._transport.get_extra_info(names.get(info, info))


class Network(httpcore.AsyncNetworkBackend):
    """Opens connections, and knows which are open."""

    def __init__(self) -> None:
        self._streams: WeakSet[Stream] = WeakSet()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  (never set here, nor the options)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> Stream:
        """A connection to one of the addresses of a host."""
        loop = asyncio.get_running_loop()
        # uvloop tries one address after another.
        delay = HAPPY_EYEBALLS_SECONDS if isinstance(loop, asyncio.BaseEventLoop) else None
        options: dict[str, Any] = {"happy_eyeballs_delay": delay} if delay else {}
        try:
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_connection(
                    lambda: Stream(host), host, port, **options
                )
        except TimeoutError as error:
            message = f"no connection to {host}:{port}{_within(timeout)}"
            raise httpcore.ConnectTimeout(message) from error
        except OSError as error:
            raise httpcore.ConnectError(f"{host}:{port}: {error}") from error
        self._streams.add(stream)
        return stream

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def abort(self) -> None:
        """Closes what httpcore has left open: it forgets sockets when a SOCKS proxy refuses."""
        for stream in list(self._streams):
            stream.abort()

    def abandon(self) -> None:
        """Closes all without their event loop."""
        for stream in list(self._streams):
            stream.abandon()


def _within(timeout: float | None) -> str:
    """In how much time something did not happen; the system may give up before we do."""
    return "" if timeout is None else f" within {timeout:g} seconds"


def _is_readable(own: Any) -> bool:
    """Whether bytes, or the end, wait in a socket of which the event loop knows nothing yet."""
    if not hasattr(select, "poll"):  # on Windows
        return bool(select.select([own], [], [], 0)[0])
    poll = select.poll()
    poll.register(own, select.POLLIN)
    return bool(poll.poll(0))
