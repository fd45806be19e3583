"""Bodies on their way out: cut into handy chunks, compressed, remembered."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from trayport_sdk.sandbox.cache import BoundedCache
from trayport_sdk.sandbox.negotiation import Encoding, compressor

_LEAST, _MOST = 256 * 2**10, 2**20
_FED = 128 * 2**10
_KEPT_BODY_BYTES = 128 * 2**20
_LARGEST_KEPT = 48 * 2**20

Chunks = tuple[bytes, ...]
V = TypeVar("V")


def sized(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks of a size that sockets like."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _LEAST:
            yield from _cut(b"".join(waiting))
            waiting, size = [], 0
    if size:
        yield from _cut(b"".join(waiting))


def _cut(data: bytes) -> Iterator[bytes]:
    if len(data) <= _MOST:
        yield data
        return
    for first in range(0, len(data), _MOST):
        yield data[first : first + _MOST]


def encoded(parts: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """The bytes compressed, in chunks."""
    return sized(_compressed(parts, encoding))


def _compressed(parts: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    machine = compressor(encoding)
    if machine is None:
        yield from parts
        return
    for part in parts:
        for first in range(0, len(part), _FED):
            yield machine.process(part[first : first + _FED])
    yield machine.finish()


class Bodies:
    """Finished bodies, those used last kept up to a number of bytes."""

    def __init__(self) -> None:
        self._kept: BoundedCache[object, Chunks] = BoundedCache(
            _KEPT_BODY_BYTES, lambda chunks: sum(map(len, chunks)) + 1024
        )

    def find(self, key: object) -> Chunks | None:
        return find_kept(self._kept, key)

    def keep(self, key: object, chunks: Chunks) -> None:
        if sum(map(len, chunks)) <= _LARGEST_KEPT:
            self._kept.get(key, lambda: chunks)


def find_kept(cache: BoundedCache[object, V], key: object) -> V | None:
    """The value of a key if the cache holds it."""

    def fail() -> V:
        raise LookupError

    try:
        return cache.get(key, fail)
    except LookupError:
        return None
