"""Undoes what a server did to a body to make it smaller, in pieces of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, Protocol

brotli: Any = import_module("brotli")  # it has no types

LARGEST = 1 << 18
"""Bytes that come out at once at most, however well they were compressed."""

ZLIB_HEADER = 2
ENCODINGS = ("br", "gzip", "deflate")
"""What can be undone, the best first."""


class DecompressionError(Exception):
    """A body that is not compressed as it says, or is not whole."""


class _Undoing(Protocol):
    """Undoes one compression."""

    @property
    def is_done(self) -> bool: ...

    def more(self, data: bytes) -> Iterator[bytes]: ...


class _Brotli:
    def __init__(self) -> None:
        self._inner: Any = brotli.Decompressor()

    @property
    def is_done(self) -> bool:
        return bool(self._inner.is_finished())

    def more(self, data: bytes) -> Iterator[bytes]:
        try:
            while out := self._inner.process(data, output_buffer_limit=LARGEST):
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
            yield from self._undone(data)
        except zlib.error as error:
            raise DecompressionError(str(error)) from error

    def _undone(self, data: bytes) -> Iterator[bytes]:
        out = b""
        while data or len(out) == LARGEST:
            if self._inner.eof and data:
                if self._bits != zlib.MAX_WBITS | 16:
                    raise DecompressionError("bytes follow the end of the compressed data")
                self._inner = zlib.decompressobj(self._bits)
            out = self._inner.decompress(data, LARGEST)
            yield out
            data = self._inner.unconsumed_tail or self._inner.unused_data


def _has_zlib_header(data: bytes) -> bool:
    return data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:ZLIB_HEADER]) % 31 == 0


def decompressed(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The bytes as they were before they were compressed.

    Args:
        chunks: The bytes as they were sent.
        encoding: The `Content-Encoding`; several are undone from the last to the first.

    Raises:
        DecompressionError: They are not compressed like that, or not whole.
    """
    undone: Iterable[bytes] = chunks
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name not in ("", "identity"):
            undone = _undone(undone, name)
    return iter(undone)


def _undone(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    undoing: _Undoing
    match name:
        case "br":
            undoing = _Brotli()
        case "gzip" | "x-gzip":
            undoing = _Zlib(zlib.MAX_WBITS | 16)
        case "deflate":
            undoing = _Zlib(zlib.MAX_WBITS)
        case _:
            raise DecompressionError(f"the encoding {name!r} is none that was asked for")
    has_come = False
    for chunk in chunks:
        has_come = has_come or bool(chunk)
        yield from filter(None, undoing.more(chunk))
    if not undoing.is_done and has_come:
        raise DecompressionError(f"the {name} data ends too early")
