"""HTTP over ASGI: reading requests, agreeing on formats, compressing, and sending responses."""

import asyncio
import hashlib
import re
import socket
import struct
import zlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlencode

import brotli  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from attrs import asdict, define, frozen
from trayport_spec import API_KEY_HEADER, ENDPOINTS, Endpoint

from .faults import Fault
from .params import RawQuery, read_query
from .problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Encoding = Literal["br", "gzip", "deflate", "identity"]
Media = Literal["json", "csv"]

ANALYTICS_PATH, REFERENCE_PATH = "/analytics/api", "/reference"
# The ASGI extension under which the server passes on the connection's transport.
TRANSPORT = "trayport_sandbox.transport"
CONTENT_TYPES: Mapping[Media, str] = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
_BASES = {"analytics": ANALYTICS_PATH, "reference": REFERENCE_PATH}
_MEDIA: Mapping[str, Media] = {"application/json": "json", "text/csv": "csv"}
_LARGEST_BODY = 2**20
_DIGITS_OF_HASH = 12
# Brotli at its fastest shrinks trades to a ninth at several hundred MB/s.
_BROTLI_QUALITY, _ZLIB_LEVEL = 1, 1
_GZIP_WINDOW, _ZLIB_WINDOW = 31, 15
_FED_BYTES = 128 * 2**10
_SMALLEST_CHUNK, _LARGEST_CHUNK = 256 * 2**10, 2**20
# A linger time of 0 makes the kernel reset the connection instead of closing it.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_FLUSH_PAUSE = 0.001


@frozen
class Request:
    """One request, read; headers of the same name are joined by commas."""

    method: str
    path: str
    query: RawQuery
    headers: Mapping[str, str]
    connection: str

    def header(self, name: str) -> str | None:
        return self.headers.get(name)

    @property
    def key(self) -> str | None:
        return self.header(API_KEY_HEADER.lower())

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers


@define
class ReceivedRequest:
    """A request as it came in, and the status of its response.

    Attributes:
        query: In order of the alphabet, with names in the API's own spelling.
        key_hash: A hash of the key, which does not show it; empty when there was none.
        connection: The address of the client as `host:port`, the same for all of a connection.
    """

    method: str
    path: str
    query: str
    key_hash: str
    arrived_ns: int
    connection: str
    status: int | None = None

    @classmethod
    def of(cls, request: Request, endpoint: Endpoint | None, arrived_ns: int) -> "ReceivedRequest":
        names = {p.name.lower(): p.name for p in endpoint.parameters} if endpoint else {}
        query = urlencode(
            sorted(
                (names.get(n, n), text or "")
                for n, texts in request.query.items()
                for text in texts
            )
        )
        digest = hashlib.sha256((request.key or "").encode()).hexdigest()[:_DIGITS_OF_HASH]
        key_hash = "" if request.key is None else digest
        return cls(request.method, request.path, query, key_hash, arrived_ns, request.connection)

    def document(self) -> dict[str, object]:
        return asdict(self)


def read_request(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    query = read_query(scope["query_string"])
    connection = ":".join(map(str, scope.get("client") or ()))
    return Request(scope["method"], scope["path"], query, headers, connection)


async def read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > _LARGEST_BODY:
            raise Problem(413)
        if not message.get("more_body", False):
            return body


def find_endpoint(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The operation of a path and the parts that are parameters; fixed words win over those."""
    matches = [
        (endpoint, segments)
        for endpoint in ENDPOINTS.values()
        if (segments := _matched(_BASES[endpoint.api] + endpoint.path, path)) is not None
    ]
    return min(matches, key=lambda match: len(match[1]), default=None)


def _matched(template: str, path: str) -> dict[str, str] | None:
    patterns, texts = template.split("/"), path.split("/")
    if len(patterns) != len(texts):
        return None
    segments: dict[str, str] = {}
    for pattern, text in zip(patterns, texts, strict=True):
        if pattern.startswith("{"):
            segments[pattern[1:-1]] = text
        elif pattern != text:
            return None
    return segments


def chosen_media(accept: str | None) -> Media:
    """JSON, unless CSV is wanted more."""
    weights = _weights(accept or "*/*")

    def weight(name: str) -> float:
        group = name.partition("/")[0] + "/*"
        return next((weights[key] for key in (name, group, "*/*") if key in weights), 0.0)

    best = max(_MEDIA, key=weight)
    return _MEDIA[best] if weight(best) > 0.0 else "json"


def chosen_encoding(accept: str | None) -> Encoding:
    """The most wanted encoding; Brotli when none is named, as on the live service."""
    if accept is None:
        return "br"
    weights = _weights(accept)
    best = max(_COMPRESSORS, key=lambda name: weights.get(name, weights.get("*", 0.0)))
    weight = weights.get(best, weights.get("*", 0.0))
    # Identity is accepted without being named, but after everything that is named.
    return best if weight > 0.0 and weight >= weights.get("identity", 0.0) else "identity"


def accepts(request: Request, encoding: str) -> bool:
    """Whether a request names an encoding that it can read."""
    return _weights(request.header("accept-encoding") or "").get(encoding, 0.0) > 0.0


def _weights(header: str) -> dict[str, float]:
    """The weight of each name in an Accept header; 1 unless it says otherwise."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (text.strip() for text in part.split(";"))
        weight = "".join(p.removeprefix("q=") for p in parameters if p.startswith("q=")) or "1"
        if name:
            weights[name] = float(weight) if re.fullmatch(r"0(\.\d*)?|1(\.0*)?", weight) else 0.0
    return weights


class _Compressor(Protocol):
    def process(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class _Deflater:
    def __init__(self, window: int) -> None:
        self._deflate = zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, window)

    def process(self, data: bytes) -> bytes:
        return self._deflate.compress(data)

    def finish(self) -> bytes:
        return self._deflate.flush()


_brotli = cast("Callable[..., _Compressor]", brotli.Compressor)  # pyright: ignore[reportUnknownMemberType]
_COMPRESSORS: Mapping[Encoding, Callable[[], _Compressor]] = {
    "br": lambda: _brotli(quality=_BROTLI_QUALITY),
    "gzip": lambda: _Deflater(_GZIP_WINDOW),
    "deflate": lambda: _Deflater(_ZLIB_WINDOW),
}


def encoded(parts: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """The bytes compressed, in chunks of a size that suits sockets."""
    waiting: list[bytes] = []
    size = 0
    for part in _compressed(parts, encoding):
        waiting.append(part)
        size += len(part)
        if size >= _SMALLEST_CHUNK:
            yield from _cut(b"".join(waiting))
            waiting, size = [], 0
    if size:
        yield from _cut(b"".join(waiting))


def _cut(data: bytes) -> Iterator[bytes]:
    if len(data) <= _LARGEST_CHUNK:
        yield data
        return
    for first in range(0, len(data), _LARGEST_CHUNK):
        yield data[first : first + _LARGEST_CHUNK]


def _compressed(parts: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    if encoding == "identity":
        yield from parts
        return
    compressor = _COMPRESSORS[encoding]()
    for part in parts:
        for first in range(0, len(part), _FED_BYTES):
            yield compressor.process(part[first : first + _FED_BYTES])
    yield compressor.finish()


@frozen
class Head:
    """The status and headers of a response."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def message(self, *more: tuple[str, str]) -> Message:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers + more]
        return {"type": "http.response.start", "status": self.status, "headers": headers}


@frozen
class Connection:
    """Sends the response to one request; without a transport, broken means an exception."""

    receive: Receive
    send: Send
    transport: asyncio.Transport | None

    def recording(self, record: ReceivedRequest) -> "Connection":
        """The same connection, noting the status that goes over it."""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await self.send(message)

        return Connection(self.receive, send, self.transport)

    async def send_chunks(self, head: Head, chunks: Sequence[bytes]) -> None:
        """A body that is known as a whole."""
        await self._begin(head, sum(map(len, chunks)))
        for chunk in chunks[:-1]:
            await self._send_body(chunk, more=True)
        await self._send_body(chunks[-1] if chunks else b"", more=False)

    async def send_stream(self, head: Head, chunks: AsyncIterator[bytes]) -> None:
        await self._begin(head, None)
        async for chunk in chunks:
            if self.transport is not None and self.transport.is_closing():
                # The server drops what it is given once the client has gone.
                return
            await self._send_body(chunk, more=True)
        await self._send_body(b"", more=False)

    async def send_faulty(self, head: Head, body: bytes, faults: Sequence[Fault]) -> None:
        """The body as the faults of the connection let it through."""
        by_kind = {fault.kind: fault for fault in faults}
        drip = by_kind.get("drip")
        if (reset := by_kind.get("reset")) is not None:
            if reset.after_bytes is not None:
                await self._begin(head, len(body) if reset.announces_length else None)
                await self._drip(body[: reset.after_bytes], drip)
            await self._end(reset=True)
        elif (cut := by_kind.get("cut")) is not None:
            part = len(body) // 2 if cut.after_bytes is None else cut.after_bytes
            await self._begin(head, len(body) if cut.announces_length else None)
            await self._drip(body[:part], drip)
            await self._end()
        elif (wrong := by_kind.get("wrong-length")) is not None:
            await self._begin(head, max(len(body) + wrong.length_error, 0))
            if self.transport is None:
                await self._send_body(body, more=False)
            else:
                # The server would refuse to send what does not fit the announcement.
                self.transport.write(body)
                await self._end()
        else:
            await self._begin(head, len(body))
            await self._drip(body, drip)
            await self._send_body(b"", more=False)

    async def _begin(self, head: Head, length: int | None) -> None:
        announced = () if length is None else (("content-length", str(length)),)
        await self.send(head.message(*announced))

    async def _drip(self, body: bytes, drip: Fault | None) -> None:
        if drip is None:
            if body:
                await self._send_body(body, more=True)
            return
        for first in range(0, len(body), drip.chunk):
            chunk = body[first : first + drip.chunk]
            await self._send_body(chunk, more=True)
            await asyncio.sleep(len(chunk) / drip.bytes_per_second)

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def _end(self, *, reset: bool = False) -> None:
        """Ends the connection after what was written; by a reset, or as if all was well."""
        transport = self.transport
        if transport is None:
            how = "reset" if reset else "closed early"
            raise ConnectionResetError(f"The connection was {how}.")
        # asyncio has no event for a transport that has written everything.
        while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_FLUSH_PAUSE)
        if reset:
            raw: socket.socket = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        else:
            transport.close()
        # Returning before the server has seen the end would make it send a response of its own.
        while (await self.receive())["type"] != "http.disconnect":
            pass
