import gzip
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk.http.decompress import LARGEST, DecompressionError, decompressed

brotli: Any = import_module("brotli")


def bare(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


COMPRESSED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "br": ("br", brotli.compress),
    "gzip": ("gzip", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
    "both": ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
    "none": ("", bytes),
    "identity": ("identity", bytes),
}
ways = st.sampled_from(sorted(COMPRESSED))


def parts(data: bytes, step: int) -> list[bytes]:
    return [data[start : start + step] for start in range(0, len(data), step)]


@given(ways, st.binary(max_size=300), st.integers(1, 50))
def test_every_byte_comes_out_as_it_went_in(way: str, data: bytes, step: int) -> None:
    encoding, compress = COMPRESSED[way]
    assert b"".join(decompressed(parts(compress(data), step), encoding)) == data


@pytest.mark.parametrize("way", ["br", "gzip", "deflate"])
def test_what_shrank_a_lot_comes_out_in_bounded_pieces(way: str) -> None:
    encoding, compress = COMPRESSED[way]
    data = b'{"price":26.475},' * 1_000_000
    pieces = list(decompressed([compress(data)], encoding))
    assert b"".join(pieces) == data
    # Brotli takes the bound for a hint.
    assert max(map(len, pieces)) <= 2 * LARGEST


@given(ways.filter(lambda way: way not in ("none", "identity")), st.data())
def test_what_was_cut_short_is_an_error(way: str, drawn: st.DataObject) -> None:
    encoding, compress = COMPRESSED[way]
    whole = compress(b'[{"price":26.475},{"price":26.5}]')
    cut = drawn.draw(st.integers(1, len(whole) - 1))
    found = b""
    try:
        found = b"".join(decompressed([whole[:cut]], encoding))
    except DecompressionError:
        return
    # The one thing that looks whole is the first of two members.
    assert (way, found) == ("two members", b'[{"pric')


@pytest.mark.parametrize("way", ["br", "deflate", "bare deflate"])
def test_bytes_after_the_end_are_an_error(way: str) -> None:
    encoding, compress = COMPRESSED[way]
    with pytest.raises(DecompressionError):
        list(decompressed([compress(b"[]"), b"more"], encoding))


@pytest.mark.parametrize("encoding", ["br", "gzip", "deflate", "zstd"])
def test_what_is_something_else_is_an_error(encoding: str) -> None:
    with pytest.raises(DecompressionError):
        list(decompressed([b"[] and nothing else"], encoding))
