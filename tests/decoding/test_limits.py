"""Whatever the text of a response is: few bytes of it are held, and a named error ends it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import polars as pl
import pytest

from trayport_sdk import TrayportDecodeError
from trayport_sdk.tables.decode import locate, split, text
from trayport_sdk.tables.decode.decoder import Decoder, decode_documents, decode_response
from trayport_sdk.tables.decode.schema import RequestedColumns

pytestmark = pytest.mark.usefixtures("reader")

KB = 1 << 10
PIECE = 4 * KB
ROW = (
    b'{"tradeId":"T1","venueCode":"EEX7","dealDate":1709546523123456789,'
    b'"price":26.475,"quantity":5,"aggressorBuy":true}'
)
OPEN = ROW[:-1]
ROWS = b"[" + ROW + b"]"


def decoded(chunks: Iterator[bytes] | list[bytes], depth: int = 100) -> pl.DataFrame:
    decoder = Decoder("get_trades", RequestedColumns(), piece=PIECE, max_depth=depth)
    return pl.concat(decoder.frames(chunks))


class Endless:
    """A text that never ends, of which is counted how much was read."""

    def __init__(self, head: bytes, unit: bytes) -> None:
        self._head, self._unit = head, unit * max(1, KB // len(unit))
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in chain([self._head], repeat(self._unit)):
            self.read += len(chunk)
            yield chunk


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "MOST_OF_A_ROW", 64 * KB)
    monkeypatch.setattr(text, "MOST_OF_A_DOCUMENT", 64 * KB)


IN_ONE_ROW = {
    "a text": b'"',
    "escaped signs": b'"\\\\\\"',
    "digits": b"1",
    "digits of a float": b"1.5",
    "brackets side by side": b"[[]",
    "names": b'{"a":1',
    "objects side by side": b"[{}",
}
UNITS = {
    "a text": b"x",
    "escaped signs": b'\\\\\\"',
    "digits": b"7",
    "digits of a float": b"7",
    "brackets side by side": b",[]",
    "names": b',"b":1',
    "objects side by side": b",{}",
}


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("what", IN_ONE_ROW)
@pytest.mark.parametrize("field", [b',"more":', b',"price":'])
def test_a_row_without_end_is_an_error_after_a_bounded_number_of_bytes(
    what: str, field: bytes
) -> None:
    endless = Endless(b"[" + ROW + b"," + OPEN + field + IN_ONE_ROW[what], UNITS[what])
    with pytest.raises(TrayportDecodeError, match="row of the response has more than 65,536 bytes"):
        decoded(iter(endless))
    assert endless.read <= 64 * KB + 3 * PIECE


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (b"", b"["),
        (ROWS[:-1] + b",", b"["),
        (b"[" + OPEN + b',"more":', b"["),
        (b"[" + OPEN + b',"more":', b'{"a":'),
        (b"[" + OPEN + b',"more":', b'[{"a":1},'),
        (b"[" + OPEN + b',"price":', b"[1,"),
        (b'[{"bids":', b'[{"bids":'),
    ],
)
def test_brackets_without_end_are_an_error_after_a_bounded_number_of_bytes(
    head: bytes, unit: bytes
) -> None:
    endless = Endless(head, unit)
    with pytest.raises(TrayportDecodeError, match=r"max_depth|Expected `object`") as refused:
        decoded(iter(endless))
    assert endless.read <= 4 * PIECE
    assert refused.value.offset is not None


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("operation_id", ["get_markets", "get_snapshots", "get_sequences"])
@pytest.mark.parametrize("unit", [b" ", b"x", b'{"id":1},', b"[", b'"'])
def test_what_is_read_as_a_whole_is_an_error_after_a_bounded_number_of_bytes(
    operation_id: str, unit: bytes
) -> None:
    head = b'{"timestamp":1,"snapshots":[' if operation_id == "get_snapshots" else b"["
    endless = Endless(head, unit)
    with pytest.raises(TrayportDecodeError, match="max_decoded_bytes") as refused:
        decode_documents(operation_id, iter(endless))
    assert not refused.value.retryable
    assert endless.read <= 66 * KB


SPACE = [b" " * KB, b"\n\t\r " * KB] * 500


@pytest.mark.parametrize(
    "chunks",
    [
        [*SPACE, ROWS],
        [ROWS, *SPACE],
        [b"[", *SPACE, ROW, b"]"],
        [b"[" + b",".join([ROW] * 200) + b"]", *SPACE],
    ],
    ids=["before", "after", "within", "after pieces"],
)
def test_white_space_is_passed_over_in_flat_memory(chunks: list[bytes]) -> None:
    decoded([ROWS])
    tracemalloc.start()
    try:
        assert decoded(iter(chunks)).height in (1, 200)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < sum(map(len, chunks))


def test_white_space_is_looked_at_once() -> None:
    looked_at = 0

    class Chunk(bytes):
        def lstrip(self, signs: object = None) -> bytes:
            nonlocal looked_at
            looked_at += len(self)
            return bytes(self).lstrip(signs)  # type: ignore[arg-type]

    spaces: list[bytes] = [Chunk(b" " * KB) for _ in range(500)]
    assert decoded([b"    ", *spaces, ROWS]).height == 1
    assert looked_at == 500 * KB


@pytest.mark.parametrize("number", ["1" * 5000, "1" * 1_000_000, "0." + "1" * 1_000_000])
def test_long_numbers_pass_where_nobody_reads_them_and_are_errors_elsewhere(number: str) -> None:
    row = OPEN + b',"more":' + number.encode() + b"}"
    assert decoded([b"[" + row + b"]"]).height == 1
    if "." not in number:
        with pytest.raises(TrayportDecodeError) as refused:
            decoded(
                [ROWS[:-1] + b"," + ROW.replace(b"1709546523123456789", number.encode()) + b"]"]
            )
        assert (refused.value.row, refused.value.field) == (1, "dealDate")
        assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    "broken",
    [
        ROW.replace(b'"EEX7"', b'["' + b"x" * 100_000 + b'"]'),
        ROW.replace(b"26.475", b'"' + b"x" * 100_000 + b'"'),
        ROW.replace(b"26.475", b"[" + b"[]," * 50_000 + b"1]"),
        ROW.replace(b'"price"', b'"' + b"x" * 100_000 + b'"'),
        b'{"' + b"x" * 100_000 + b'":' + b"1" * 10_000 + b"}",
    ],
)
def test_what_is_wrong_is_told_in_few_words(broken: bytes) -> None:
    with pytest.raises(TrayportDecodeError) as refused:
        decoded([ROWS[:-1] + b"," + broken + b"]"])
    assert len(str(refused.value)) < 1000
    assert len(refused.value.field or "") <= 1000
    assert refused.value.row == 1


def test_an_unknown_enumeration_is_quoted_in_few_words() -> None:
    contract = b'"contract":{"contractType":"' + b"x" * 100_000 + b'","sequenceId":1}'
    with pytest.raises(TrayportDecodeError) as refused:
        decoded([b"[" + OPEN + b"," + contract + b"}]"])
    assert len(str(refused.value)) < 1000


def test_explaining_looks_at_each_sign_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def tokens(depth: int) -> int:
        seen = 0

        class Pattern:
            def finditer(self, text: bytes) -> Iterator[object]:
                nonlocal seen
                for token in found(text):
                    seen += 1
                    yield token

        monkeypatch.setattr(locate, "_TOKEN", Pattern())
        body = b'[{"id":1,"more":' + b"[" * depth + b"]" * depth + b"}]"
        with pytest.raises(TrayportDecodeError, match="max_depth"):
            decode_response("get_markets", body)
        return seen

    found: Callable[[bytes], Iterator[object]] = locate._TOKEN.finditer
    assert tokens(40_000) == tokens(10_000) < 200


@pytest.mark.parametrize("rows", [1, 200])
@pytest.mark.parametrize("depth", [8, 30])
@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"[\\"{":', b"}"), (b'["]}",', b"]")]
)
def test_the_depth_that_is_allowed_passes_and_one_more_does_not(
    opening: bytes, closing: bytes, depth: int, rows: int
) -> None:
    def body(levels: int) -> list[bytes]:
        nested = opening * levels + b"0" + closing * levels
        last = OPEN + b',"more":' + nested + b"}"
        return [b"[" + b",".join([ROW] * (rows - 1) + [last]) + b"]"]

    assert decoded(body(depth - 2), depth).height == rows
    with pytest.raises(TrayportDecodeError) as refused:
        decoded(body(depth - 1), depth)
    error = refused.value
    assert f"deeper than {depth} levels, the setting max_depth" in str(error)
    assert not error.retryable
    assert error.offset == body(depth - 1)[0].index(b',"more":') + 8 + len(opening) * (depth - 2)
    assert error.row in (rows - 1, None)


def test_a_million_unknown_fields_are_forgotten() -> None:
    def rows() -> Iterator[bytes]:
        yield ROWS[:-1]
        for number in range(2000):
            yield b"," + OPEN + b',"more%d":%d}' % (number, number)
        yield b"]"

    decoder = Decoder("get_trades", RequestedColumns(), piece=PIECE)
    assert sum(frame.height for frame in decoder.frames(rows())) == 2001
    assert not decoder.unexpected


WHOLE = {
    "get_trades": ROWS,
    "get_snapshots": b'{"timestamp":1,"snapshots":[]}',
    "get_markets": b'[{"id":1,"name":"TTF","sequences":"/1"}]',
}


@pytest.mark.parametrize("operation_id", WHOLE)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbf", b""),
        (b"\xef\xbb\xbf \r\n", b"\r\n"),
        (b"", b" \n\n"),
    ],
)
def test_a_byte_order_mark_and_white_space_around_a_response_say_nothing(
    operation_id: str, before: bytes, after: bytes, step: int
) -> None:
    body = before + WHOLE[operation_id] + after
    chunks = [body[start : start + step] for start in range(0, len(body), step)]
    expected = decode_response(operation_id, WHOLE[operation_id])
    assert decode_response(operation_id, iter(chunks)) == expected
    frames = Decoder(operation_id, RequestedColumns(), piece=40).frames(iter(chunks))
    assert sum(frame.height for frame in frames) == len(expected.rows)


@pytest.mark.parametrize("operation_id", WHOLE)
@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"\xef\xbb\xbf" * 2, b"", "its root is no"),
        (b"\0", b"", "its root is no|UTF-16"),
        (b")]}',\n", b"", "its root is no"),
        (b"\x1e", b"", "its root is no"),
        (b"\x0b", b"", "its root is no"),
        (b"\x0c", b"", "its root is no"),
        (b"", b"\0", "trailing|malformed"),
        (b"", b"\xef\xbb\xbf", "trailing|malformed"),
        (b"", b"[]", "trailing"),
        (b"", b",", "trailing"),
        (b"", b" \n x", "trailing"),
    ],
)
def test_other_bytes_around_a_response_are_an_error(
    operation_id: str, before: bytes, after: bytes, why: str
) -> None:
    body = before + WHOLE[operation_id] + after
    with pytest.raises(TrayportDecodeError, match=why):
        decode_response(operation_id, body)
    for piece in (20, 10_000):
        decoder = Decoder(operation_id, RequestedColumns(), piece=piece)
        with pytest.raises(TrayportDecodeError):
            list(decoder.frames([body]))


def test_what_follows_white_space_after_the_rows_is_named_by_its_place() -> None:
    body = [b"[" + b",".join([ROW] * 200) + b"]", *SPACE, b"x"]
    with pytest.raises(TrayportDecodeError, match="trailing") as refused:
        decoded(body)
    assert refused.value.offset == sum(map(len, body)) - 1


@pytest.mark.parametrize("operation_id", WHOLE)
@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_a_response_in_another_encoding_is_an_error_that_names_it(
    operation_id: str, encoding: str
) -> None:
    body = WHOLE[operation_id].decode().encode(encoding)
    with pytest.raises(TrayportDecodeError, match=f"it is in {encoding.upper()}"):
        decode_response(operation_id, body)


@pytest.mark.parametrize("operation_id", WHOLE)
@pytest.mark.parametrize("body", [b"", b"  \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_an_empty_response_is_an_error(operation_id: str, body: bytes) -> None:
    with pytest.raises(TrayportDecodeError, match="it is empty"):
        decode_response(operation_id, iter([body]))
