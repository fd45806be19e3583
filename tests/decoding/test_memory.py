"""Decoding by Python needs the memory of some pieces, however many there are."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from trayport_sdk.tables.decode.decoder import Decoder
from trayport_sdk.tables.decode.native.reader import PYTHON, VARIABLE
from trayport_sdk.tables.decode.schema import RequestedColumns

PIECE = 1 << 14
ROW = (
    b'{"tradeId":"Eurex T7/%d","venueCode":"EEX7","dealDate":1709546523123456789,'
    b'"price":27.31,"quantity":5,"aggressorBuy":true}'
)
ROWS_OF_A_CHUNK = 40


def chunks(pieces: int) -> Iterator[bytes]:
    """A body of about so many pieces, made while it is read."""
    count = pieces * PIECE // (len(ROW) * ROWS_OF_A_CHUNK)
    for number in range(count):
        start = number * ROWS_OF_A_CHUNK
        rows = b",".join(ROW % (10**9 + start + one) for one in range(ROWS_OF_A_CHUNK))
        yield (b"," if number else b"[") + rows
    yield b"]"


def decoded(pieces: int) -> int:
    """Decodes a body, forgets each table at once, and tells how many there were."""
    decoder = Decoder("get_trades", RequestedColumns(), piece=PIECE)
    return sum(1 for _ in decoder.frames(chunks(pieces)))


def peak(pieces: int) -> int:
    """The most bytes that Python held at once while it decoded a body."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        assert decoded(pieces) >= pieces * 0.8
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.fixture(autouse=True)
def everything_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PYTHON)
    decoded(2)


def test_ten_times_the_pieces_take_no_more_memory() -> None:
    few, many = peak(20), peak(200)
    assert many <= few + PIECE


def test_the_memory_of_a_stream_is_that_of_a_few_pieces() -> None:
    # The text of a piece, its rows as structs, and what is cut off next.
    assert peak(200) <= 8 * PIECE


def test_nothing_is_left_of_a_piece_when_its_table_is_forgotten() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        decoder = Decoder("get_trades", RequestedColumns(), piece=PIECE)
        held = []
        for number, _ in enumerate(decoder.frames(chunks(200))):
            if number % 50 == 20:
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(held) - min(held) <= 2 * PIECE
    assert held[-1] - held[0] <= PIECE
