"""Bodies on their way to the thread that reads them, and without their compression."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk.http.body import (
    CHUNK_BYTES,
    ERROR_BYTES,
    PIPE_BYTES,
    BodyInterrupted,
    BodyLimitError,
    DecompressionError,
    Pipe,
    beginning,
    decompressed,
)

brotli: Any = import_module("brotli")


@pytest.mark.anyio
async def test_the_thread_reads_what_the_loop_puts() -> None:
    pipe = Pipe()
    reading = asyncio.create_task(asyncio.to_thread(lambda: b"".join(pipe)))
    for number in range(200):
        await pipe.put(bytes([number]) * 10_000)
    pipe.finish()
    assert await reading == b"".join(bytes([number]) * 10_000 for number in range(200))


@pytest.mark.anyio
async def test_no_more_is_taken_than_there_is_room_for() -> None:
    pipe = Pipe()
    chunk = b"x" * (PIPE_BYTES // 4)
    for _ in range(5):
        await pipe.put(chunk)
    full = asyncio.create_task(pipe.put(chunk))
    await asyncio.sleep(0)
    assert not full.done()
    reading: Iterator[bytes] = iter(pipe)
    for _ in range(3):
        await asyncio.to_thread(next, reading)
    await full


@pytest.mark.anyio
async def test_who_reads_is_told_that_the_rest_will_not_come() -> None:
    pipe = Pipe()
    reading = asyncio.create_task(asyncio.to_thread(lambda: list(pipe)))
    await pipe.put(b"[")
    pipe.interrupt()
    with pytest.raises(BodyInterrupted):
        await reading


@pytest.mark.anyio
async def test_nobody_waits_for_a_reader_who_is_gone() -> None:
    pipe = Pipe()
    while True:
        putting = asyncio.create_task(pipe.put(b"x" * PIPE_BYTES))
        await asyncio.sleep(0)
        if not putting.done():
            break
    await asyncio.to_thread(pipe.abandon)
    await putting
    for _ in range(5):
        await pipe.put(b"x" * PIPE_BYTES)


@pytest.mark.anyio
async def test_a_thread_is_starved_while_it_waits_for_bytes_and_not_once_they_are_there() -> None:
    pipe = Pipe()
    assert not pipe.is_starved
    reading = asyncio.create_task(asyncio.to_thread(lambda: list(pipe)))
    while not pipe.is_starved:  # noqa: ASYNC110  (the thread cannot tell)
        await asyncio.sleep(0)
    await pipe.put(b"[")
    pipe.finish()
    assert not pipe.is_starved
    assert await reading == [b"["]


@pytest.mark.anyio
async def test_a_thread_does_not_wait_for_an_event_loop_that_was_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trayport_sdk.http.body.LOOP_CHECK_SECONDS", 0.01)

    def left() -> Pipe:
        loop = asyncio.new_event_loop()

        async def begun() -> Pipe:
            return Pipe()

        pipe = loop.run_until_complete(begun())
        loop.close()
        return pipe

    pipe = await asyncio.to_thread(left)
    with pytest.raises(BodyInterrupted):
        await asyncio.to_thread(list, pipe)


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
    assert max(map(len, pieces)) <= 2 * CHUNK_BYTES


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


SINGLE = ["br", "gzip", "two members", "deflate", "bare deflate", "both"]


@pytest.mark.parametrize("step", [1, 5, 10**6])
@pytest.mark.parametrize("zeros", [1, 512, 100_000])
@pytest.mark.parametrize("way", SINGLE)
def test_zero_bytes_after_the_end_are_padding(way: str, zeros: int, step: int) -> None:
    encoding, compress = COMPRESSED[way]
    padded = compress(b"[]") + bytes(zeros)
    assert b"".join(decompressed(parts(padded, step), encoding)) == b"[]"


@pytest.mark.parametrize("step", [1, 10**6])
@pytest.mark.parametrize("tail", [b"more", b"\n", b"\0x", b"\0" * 600 + b"\r\n"])
@pytest.mark.parametrize("way", SINGLE)
def test_other_bytes_after_the_end_are_an_error(way: str, tail: bytes, step: int) -> None:
    encoding, compress = COMPRESSED[way]
    with pytest.raises(DecompressionError):
        list(decompressed(parts(compress(b"[]") + tail, step), encoding))


EMPTY = gzip.compress(b"")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (EMPTY + gzip.compress(b"[]"), b"[]"),
        (gzip.compress(b"[]") + EMPTY, b"[]"),
        (EMPTY, b""),
        (gzip.compress(b"[]") + EMPTY[:7], None),
        (gzip.compress(b"[]") + bytes(512) + gzip.compress(b"[]"), None),
    ],
    ids=["first", "last", "alone", "cut", "after padding"],
)
def test_a_member_of_gzip_may_be_empty_but_not_cut_nor_after_padding(
    body: bytes, found: bytes | None
) -> None:
    if found is None:
        with pytest.raises(DecompressionError):
            list(decompressed([body], "gzip"))
    else:
        assert b"".join(decompressed([body], "gzip")) == found


@given(st.binary(max_size=60), st.integers(0, 9), st.integers(1, 9))
def test_zero_bytes_that_brotli_data_ends_with_are_not_padding(
    data: bytes, quality: int, step: int
) -> None:
    compressed = brotli.compress(data + bytes(20), quality=quality)
    assert b"".join(decompressed(parts(compressed, step), "br")) == data + bytes(20)


MB = 1 << 20
ZEROS = {
    "br": brotli.compress(bytes(64 * MB), quality=1),
    "gzip": gzip.compress(bytes(MB)) * 64,
    "deflate": zlib.compress(bytes(64 * MB)),
    "gzip, gzip": gzip.compress(gzip.compress(bytes(MB)) * 64),
    "gzip, br": brotli.compress(EMPTY * 100_000, quality=1),  # of which nothing comes
}


@pytest.mark.parametrize("encoding", ZEROS)
def test_no_more_is_decompressed_than_the_limit_allows(encoding: str) -> None:
    steps = 0

    def check() -> None:
        nonlocal steps
        steps += 1

    with pytest.raises(BodyLimitError) as refused:
        for _ in decompressed([ZEROS[encoding]], encoding, limit=MB, check=check):
            pass
    assert refused.value.limit == MB
    # Some pieces of bounded size, or some small members of which nothing comes.
    assert steps <= (MB // len(EMPTY) if encoding == "gzip, br" else 2 * MB // CHUNK_BYTES) + 8


@pytest.mark.parametrize("encoding", ZEROS)
def test_decompression_ends_as_soon_as_nobody_waits_for_it(encoding: str) -> None:
    sizes: list[int] = []
    steps = count()

    def check() -> None:
        if next(steps) == 3:
            raise BodyInterrupted

    with pytest.raises(BodyInterrupted):
        sizes.extend(map(len, decompressed([ZEROS[encoding]], encoding, check=check)))
    assert sum(sizes) <= 3 * 2 * CHUNK_BYTES


@pytest.mark.parametrize("encoding", ZEROS)
def test_of_an_error_only_the_beginning_is_decompressed(encoding: str) -> None:
    tracemalloc.start()
    try:
        body = beginning([ZEROS[encoding]], encoding)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(body) <= ERROR_BYTES
    assert peak < 3 * MB


@pytest.mark.parametrize("name", ["gzip", "br"])
def test_encodings_upon_encodings_are_refused_however_many(name: str) -> None:
    encoding = ", ".join([name] * 3000)
    with pytest.raises(BodyLimitError, match="3000 content encodings"):
        decompressed([b"[]"], encoding)
    assert beginning([b"[]"], encoding) == b""
    assert b"".join(decompressed([b"[]"], ", ".join(["identity"] * 3000))) == b"[]"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"],
)
def test_what_an_error_says_is_utf_8_in_whatever_encoding_it_came(encoding: str) -> None:
    text = '{"title": "für später"}'
    assert beginning([text.encode(encoding)], "") == text.encode()


@pytest.mark.parametrize("encoding", ["br", "gzip", "deflate", "zstd"])
def test_what_is_something_else_is_an_error(encoding: str) -> None:
    with pytest.raises(DecompressionError):
        list(decompressed([b"[] and nothing else"], encoding))
