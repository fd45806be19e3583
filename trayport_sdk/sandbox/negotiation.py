"""What a client accepts: media types and content encodings, and the compressors for them."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol, cast

import brotli  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from trayport_sdk.sandbox.render import Media

Encoding = Literal["br", "gzip", "deflate", "identity"]

_MEDIA: Mapping[str, Media] = {"application/json": "json", "text/csv": "csv"}
CONTENT_TYPES: Mapping[Media, str] = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
# Brotli at its fastest shrinks trades to a ninth at several hundred MB/s.
_BROTLI_QUALITY = 1
_ZLIB_LEVEL = 1
_GZIP_WINDOW, _ZLIB_WINDOW = 31, 15


class Compressor(Protocol):
    """Compresses a body piece by piece."""

    def process(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class _Deflater:
    def __init__(self, window: int) -> None:
        self._deflate = zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, window)

    def process(self, data: bytes) -> bytes:
        return self._deflate.compress(data)

    def finish(self) -> bytes:
        return self._deflate.flush()


_brotli = cast("Callable[..., Compressor]", brotli.Compressor)  # pyright: ignore[reportUnknownMemberType]
_COMPRESSORS: Mapping[Encoding, Callable[[], Compressor]] = {
    "br": lambda: _brotli(quality=_BROTLI_QUALITY),
    "gzip": lambda: _Deflater(_GZIP_WINDOW),
    "deflate": lambda: _Deflater(_ZLIB_WINDOW),
}


def compressor(encoding: Encoding) -> Compressor | None:
    """A fresh compressor; None for `identity`."""
    make = _COMPRESSORS.get(encoding)
    return None if make is None else make()


def chosen_media(accept: str | None) -> Media:
    """JSON, unless CSV is wanted more."""
    weights = weighted(accept or "*/*")

    def weight(name: str) -> float:
        group = name.partition("/")[0] + "/*"
        return next((weights[key] for key in (name, group, "*/*") if key in weights), 0.0)

    best = max(_MEDIA, key=weight)
    return _MEDIA[best] if weight(best) > 0.0 else "json"


def chosen_encoding(accept: str | None) -> Encoding:
    """The most wanted encoding; Brotli when nothing is asked, as the live service does."""
    if accept is None:
        return "br"
    weights = weighted(accept)
    everything = weights.get("*")

    def weight(name: str) -> float:
        fallback = everything if everything is not None else 0.0
        return weights.get(name, fallback)

    best = max(_COMPRESSORS, key=weight)
    # Identity needs no mention to be accepted, but then comes after everything that has one.
    if weight(best) > 0.0 and weight(best) >= weights.get("identity", 0.0):
        return best
    return "identity"


def weighted(header: str) -> dict[str, float]:
    """The weight of each name in an Accept header; 1 unless it says otherwise."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (text.strip() for text in part.split(";"))
        if name:
            weights[name] = _quality(parameters)
    return weights


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                number = float(value)
            except ValueError:
                return 0.0
            return number if 0.0 <= number <= 1.0 else 0.0
    return 1.0
