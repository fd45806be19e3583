"""The body of a response: handed to the thread that reads it, and decompressed in bounded pieces.

httpx accepts compressed bodies that are cut short, and sets no bound on what decompression returns
at once; so a body is decompressed here.
"""

from __future__ import annotations

import asyncio
import json
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

from ..errors import QUOTED_CHARACTERS

brotli: Any = import_module("brotli")  # it has no types

PIPE_BYTES = 1 << 20
"""Bytes that may wait for the thread; then no more are taken from the connection."""

CHUNK_BYTES = 1 << 18
"""Bytes that decompression returns at once at most, however well they were compressed."""

ERROR_BYTES = 1 << 16
"""Bytes that are read of the body of an error."""

LOOP_CHECK_SECONDS = 1.0
"""Seconds without bytes after which the thread checks that the event loop still runs."""

ENCODINGS = ("br", "gzip", "deflate")
"""The encodings that can be decompressed, the best first."""

MOST_ENCODINGS = 3
"""Content encodings of one body that are undone."""

ERROR_STEPS = 1 << 20
"""Bytes that may come of each encoding while the beginning of an error is read."""

SLICE_BYTES = 1 << 14
"""Bytes that zlib is given at once."""

MOST_ZEROS = 1 << 16
"""Zero bytes at the end of a body that may belong to Brotli data."""

ZLIB_HEADER = 2
GZIP_BITS = zlib.MAX_WBITS | 16
GZIP_SIGN = b"\x1f"
ZERO = b"\0"
FOLLOWED = "bytes follow the end of the compressed data"


class BodyInterrupted(Exception):  # noqa: N818  (it ends the reading thread, and goes no further)
    """What was read is not the whole body, and the rest will not come."""


class Pipe:
    """A bounded queue of bytes, filled by the event loop and emptied by one thread.

    Attributes:
        is_starved: Whether the thread waits for bytes, and none are on their way to it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._room.set()
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._is_full = self._is_finished = self._is_interrupted = self._is_abandoned = False
        self.is_starved = False

    async def put(self, chunk: bytes) -> None:
        """Adds bytes once there is room; after `abandon` they are dropped."""
        await self._room.wait()
        with self._changed:
            if self._is_abandoned:
                return
            self.is_starved = False
            self._chunks.append(chunk)
            self._size += len(chunk)
            if self._size > PIPE_BYTES:
                self._is_full = True
                self._room.clear()
            self._changed.notify()

    def finish(self) -> None:
        """Everything has come."""
        with self._changed:
            self._is_finished, self.is_starved = True, False
            self._changed.notify()

    def interrupt(self) -> None:
        """Nothing more comes, although not everything has come."""
        with self._changed:
            self._is_interrupted, self.is_starved = True, False
            self._chunks.clear()
            self._changed.notify()

    def abandon(self) -> None:
        """Ends the reading: later bytes are dropped. Called in the thread."""
        with self._changed:
            self._is_abandoned = True
            self._chunks.clear()
            self._size = 0
            self._make_room()

    def check(self) -> None:
        """Ends the reading of a body whose rest nobody waits for.

        Raises:
            BodyInterrupted: The call is over.
        """
        if self._is_interrupted or self._loop.is_closed():
            raise BodyInterrupted

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, as they come.

        Raises:
            BodyInterrupted: The rest will not come.
        """
        while True:
            with self._changed:
                while not self._changed.wait_for(self._is_ready, LOOP_CHECK_SECONDS):
                    if self._loop.is_closed():
                        raise BodyInterrupted
                if self._is_interrupted:
                    raise BodyInterrupted
                if not self._chunks:
                    return
                chunk = self._chunks.popleft()
                self._size -= len(chunk)
                if self._size <= PIPE_BYTES // 2:
                    self._make_room()
            yield chunk

    def _is_ready(self) -> bool:
        self.is_starved = not (self._chunks or self._is_finished or self._is_interrupted)
        return not self.is_starved

    def _make_room(self) -> None:
        """Lets the event loop put more, if it waits."""
        if self._is_full:
            self._is_full = False
            with suppress(RuntimeError):  # the loop is closed, and nothing waits
                self._loop.call_soon_threadsafe(self._room.set)


class DecompressionError(Exception):
    """A body that is not compressed as it says, or is not whole."""


class BodyLimitError(Exception):
    """A body that is larger than it may be, or was compressed more often.

    Attributes:
        limit: The bytes that it may have, or None when it was compressed too often.
    """

    def __init__(self, message: str, limit: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit


class _Decompressor(Protocol):
    @property
    def is_done(self) -> bool: ...

    def more(self, data: bytes) -> Iterator[bytes]:
        """What more bytes bring, in bounded pieces, some of which may be empty."""
        ...

    def end(self) -> Iterator[bytes]:
        """What is left when no more bytes come."""
        ...


class _Brotli:
    """Brotli, and zero bytes behind it.

    A decoder that gets bytes after the end of its data keeps what it has not given out yet. So zero
    bytes wait here until it is known whether they are data.
    """

    def __init__(self) -> None:
        self._inner: Any = brotli.Decompressor()
        self._zeros = 0

    @property
    def is_done(self) -> bool:
        return bool(self._inner.is_finished())

    def more(self, data: bytes) -> Iterator[bytes]:
        body = data.rstrip(ZERO)
        if body and self._zeros:
            self._check_open()
            for start in range(0, self._zeros, CHUNK_BYTES):
                yield from self._pieces(bytes(min(CHUNK_BYTES, self._zeros - start)))
            self._zeros = 0
        if body:
            self._check_open()
            yield from self._pieces(body)
        self._zeros += len(data) - len(body)

    def end(self) -> Iterator[bytes]:
        for _ in range(min(self._zeros, MOST_ZEROS)):
            if self.is_done:
                break
            yield from self._pieces(ZERO)

    def _check_open(self) -> None:
        if self.is_done:
            raise DecompressionError(FOLLOWED)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        try:
            while out := self._inner.process(data, output_buffer_limit=CHUNK_BYTES):
                yield out
                # What did not fit may wait inside, although it says that it takes more.
                data = b""
                if self.is_done:
                    break
        except brotli.error as error:
            raise DecompressionError(str(error)) from error


class _Zlib:
    """Gzip, with one member after another, or deflate, with or without the header of zlib."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._inner = zlib.decompressobj(bits)
        self._head = b""
        self._is_padded = False

    @property
    def is_done(self) -> bool:
        return self._inner.eof

    def more(self, data: bytes) -> Iterator[bytes]:
        if len(self._head) < ZLIB_HEADER:
            self._head += data
            if len(self._head) < ZLIB_HEADER:
                return
            data = self._head
            if self._bits == zlib.MAX_WBITS and not _has_zlib_header(data):
                # Some servers send deflate without a header.
                self._bits = -zlib.MAX_WBITS
                self._inner = zlib.decompressobj(self._bits)
        try:
            # In slices: what a member leaves is copied, however little the member took.
            for start in range(0, len(data), SLICE_BYTES):
                yield from self._pieces(data[start : start + SLICE_BYTES])
        except zlib.error as error:
            raise DecompressionError(str(error)) from error

    def end(self) -> Iterator[bytes]:
        return iter(())

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        out = b""
        while data or len(out) == CHUNK_BYTES:
            if self._inner.eof:
                data = self._next_member(data)
                if not data:
                    return
            out = self._inner.decompress(data, CHUNK_BYTES)
            yield out
            data = self._inner.unconsumed_tail or self._inner.unused_data

    def _next_member(self, data: bytes) -> bytes:
        """Begins another member of gzip; zero bytes after the last one are passed over."""
        member = data.lstrip(ZERO)
        self._is_padded |= len(member) < len(data)
        if member:
            if self._bits != GZIP_BITS or self._is_padded or not member.startswith(GZIP_SIGN):
                raise DecompressionError(FOLLOWED)
            self._inner = zlib.decompressobj(self._bits)
        return member


def _has_zlib_header(data: bytes) -> bool:
    return data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:ZLIB_HEADER]) % 31 == 0


def decompressed(
    chunks: Iterable[bytes],
    encoding: str,
    *,
    limit: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[bytes]:
    """The bytes as they were before they were compressed.

    Zero bytes after the compressed data are padding; anything else there is an error.

    Args:
        chunks: The bytes as they were sent.
        encoding: The `Content-Encoding`; several are undone from the last to the first.
        limit: How many bytes there may be, before and after each encoding is undone.
        check: Called after each piece, also when nothing came of it; what it raises ends this.

    Raises:
        DecompressionError: They are not compressed like that, or not whole.
        BodyLimitError: They are more than the limit, or were compressed too often.
    """
    named = [part.strip().lower() for part in encoding.split(",")]
    names = [name for name in reversed(named) if name not in ("", "identity")]
    if len(names) > MOST_ENCODINGS:
        raise BodyLimitError(
            f"it has {len(names)} content encodings, and at most {MOST_ENCODINGS} are undone"
        )
    plain = _counted(chunks, limit)
    for name in names:
        plain = _counted(_decompressed(plain, name, check), limit)
    return filter(None, plain)


def _counted(chunks: Iterable[bytes], limit: int | None) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if limit is not None and size > limit:
            raise BodyLimitError(f"it has more than {limit:,} bytes", limit)
        yield chunk


def _decompressed(chunks: Iterable[bytes], name: str, check: Callable[[], None]) -> Iterator[bytes]:
    decompressor: _Decompressor
    match name:
        case "br":
            decompressor = _Brotli()
        case "gzip" | "x-gzip":
            decompressor = _Zlib(GZIP_BITS)
        case "deflate":
            decompressor = _Zlib(zlib.MAX_WBITS)
        case _:
            raise DecompressionError(f"the encoding {name[:QUOTED_CHARACTERS]!r} was not requested")
    has_come = False
    for chunk in chunks:
        has_come = has_come or bool(chunk)
        for piece in decompressor.more(chunk):
            check()
            yield piece
    yield from decompressor.end()
    if not decompressor.is_done and has_come:
        raise DecompressionError(f"the {name} data ends too early")


def beginning(chunks: Iterable[bytes], encoding: str) -> bytes:
    """The first bytes of the body of an error in UTF-8, as far as it can be decompressed."""
    body = b""
    with suppress(DecompressionError, BodyLimitError):
        for chunk in decompressed(chunks, encoding, limit=ERROR_STEPS):
            body += chunk[:ERROR_BYTES]
            if len(body) >= ERROR_BYTES:
                break
    # Byte order marks go here, and so do encodings in which nobody would find the key.
    text_encoding = json.detect_encoding(body)
    if text_encoding == "utf-8":
        return body[:ERROR_BYTES]
    return body[:ERROR_BYTES].decode(text_encoding, errors="replace").encode()
