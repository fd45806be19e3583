"""From bytes to typed columns, strictly, while they arrive.

The types come from the generated tables. A wrong type, a missing field, a number out of range, a
cut or trailing byte is an error; fields the tables do not know pass and are left out.

The rows of an array are read by the library in C, where there is one, as long as they are plainly
right; the others, or all of them, are read by Python, which decides what is right.

For Python, an array of rows is cut into pieces. Each becomes structs, by a decoder that keeps to
the types, and these become columns.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from threading import Lock
from types import GenericAlias, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
import msgspec.inspect
import polars as pl
from attrs import field, frozen
from trayport_spec import ENDPOINTS
from trayport_spec.rows import RESPONSE_TYPES

from ...errors import MAX_DEPTH, TrayportDecodeError
from . import locate
from .native.reader import DEEPEST_COLUMN, READ_BYTES, RowReader, row_reader
from .schema import ColumnFilter, attribute, from_rows, typed_columns
from .split import PIECE, Cut, Cutter
from .text import SPACE, is_deeper, joined, quoted
from .tolerance import Tolerance, untyped

MOST_PIECES = 3
"""Pieces whose rows the library hands out at once, at most: few large tables cost less."""

WAITING_PIECES = 4
"""Pieces that may wait for the end of a row in the library; longer rows are read by Python."""

_ENCODING_SHOWS = 4
_MAKING = Lock()
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@frozen
class Decoded:
    """A response as typed structs.

    Attributes:
        rows: The rows, in the order of the response.
        timestamp: The instant that the whole response is about, in nanoseconds since 1970-01-01
            UTC; None where the rows have times of their own.
        unexpected: How often each field was not of its type, and was taken nevertheless.
    """

    rows: Sequence[Any]
    timestamp: int | None = None
    unexpected: Mapping[str, int] = field(factory=dict[str, int])


class Decoder:
    """Turns the JSON of one response into tables, piece by piece.

    Args:
        operation_id: The operation of the request.
        wanted: Which columns are part of the tables.
        lenient: Whether what is not of its type becomes null instead of an error.
        piece: About how many bytes are decoded at once.
        max_depth: How deeply the JSON may be nested.

    Attributes:
        timestamp: The instant that the whole response is about, once it was read.
        unexpected: How often each field was not of its type, and was taken nevertheless.
    """

    def __init__(
        self,
        operation_id: str,
        wanted: ColumnFilter,
        *,
        lenient: bool = False,
        piece: int | None = None,
        max_depth: int = MAX_DEPTH,
    ) -> None:
        self._operation_id = operation_id
        self._wanted = wanted
        self._columns = typed_columns(operation_id, wanted)
        self._lenient = lenient
        self._piece = PIECE if piece is None else piece
        self._max_depth = max_depth
        self._is_closed = max_depth >= DEEPEST_COLUMN
        self._rows_before = 0
        self.timestamp: int | None = None
        self.unexpected: Counter[str] = Counter()

    def frames(self, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
        """The rows in tables, while the text arrives.

        Args:
            chunks: The decompressed body.

        Raises:
            TrayportDecodeError: The body is not what the API promises. The tables before were.
        """
        if ENDPOINTS[self._operation_id].root != "array":
            whole = decode_response(
                self._operation_id, chunks, self._max_depth, lenient=self._lenient
            )
            self.timestamp = whole.timestamp
            self.unexpected.update(whole.unexpected)
            yield from_rows(self._columns, whole.rows)
            return
        start, text = _begun(chunks, "array")
        reader = row_reader(
            self._operation_id,
            self._wanted,
            depth=self._max_depth,
            waiting=WAITING_PIECES * self._piece,
        )
        if reader is None:
            yield from self._read(start, text)
            return
        rest = yield from self._read_natively(reader, text)
        if rest is None:
            return
        if not self._rows_before:
            yield from self._read(start, rest)
            return
        # The rest begins with a row that was read already: what follows a row must suit it.
        self._rows_before -= 1
        frames = self._read(start + reader.offset - 1, chain([b"["], rest))
        yield next(frames).slice(1)
        yield from frames

    def _read_natively(
        self, reader: RowReader, chunks: Iterator[bytes]
    ) -> Generator[pl.DataFrame, None, Iterator[bytes | memoryview] | None]:
        """Yields the rows that are plainly right; returns the text of the others, if there are any.

        That text begins with the row before them.
        """
        waiting, most = 0, self._piece
        for chunk in chunks:
            for start in range(0, len(chunk), READ_BYTES):
                if not reader.read(chunk, start):
                    if reader.rows:
                        yield self._counted(reader.take())
                    rest = memoryview(chunk)[start + READ_BYTES :]
                    return chain([reader.rest(), rest], chunks)
                waiting += min(len(chunk) - start, READ_BYTES)
                if waiting >= most and reader.rows:
                    yield self._counted(reader.take())
                    waiting, most = 0, min(2 * most, MOST_PIECES * self._piece)
        if reader.rows or (reader.has_ended and not self._rows_before):
            yield self._counted(reader.take())
        return None if reader.has_ended else iter([reader.rest()])

    def _counted(self, frame: pl.DataFrame) -> pl.DataFrame:
        self._rows_before += frame.height
        return frame

    def _read(self, start: int, text: Iterable[bytes | memoryview]) -> Iterator[pl.DataFrame]:
        """The rows of an array, read by Python."""
        first = bytearray()
        following = _small(text)
        for chunk in following:
            first += chunk
            if len(first) > self._piece:
                break
        else:
            yield self._whole(bytes(first), start)
            return
        cutter = Cutter(self._piece, offset=start, depth=self._max_depth)
        for cut in _cuts(cutter, chain([first], following)):
            try:
                frame = self._table(cut.text)
            except _BROKEN as error:
                if not cut.is_guess:
                    raise self._explained(error, cut.text, cut.offset - 1) from error
                cutter.put_back(cut)
            else:
                yield frame

    def _whole(self, text: bytes, start: int) -> pl.DataFrame:
        """The table of a response that is one piece."""
        try:
            return self._table(text)
        except _BROKEN as error:
            raise self._explained(error, text, start) from error

    def _explained(self, error: Exception, text: bytes, start: int) -> TrayportDecodeError:
        return locate.explained(error, text, self._max_depth, start, self._rows_before)

    def _table(self, text: bytes) -> pl.DataFrame:
        """The table of a piece."""
        return self._counted(from_rows(self._columns, self._rows(text)))

    def _rows(self, text: bytes) -> Sequence[Any]:
        """The rows of a piece as structs."""
        if self._is_closed:
            try:
                rows: Sequence[Any] = _document(self._operation_id, text, is_closed=True)
            except msgspec.ValidationError:
                # What is in one piece will be in the others, such as fields that are not known.
                self._is_closed = False
            else:
                return rows
        decoded = _read(self._operation_id, text, lenient=self._lenient)
        _check_depth(text, self._max_depth)  # without other fields it is that of the columns
        self.unexpected.update(decoded.unexpected)
        return decoded.rows


def _begun(chunks: Iterable[bytes], root: str) -> tuple[int, Iterator[bytes]]:
    """The text from its first bracket on, and how many bytes of it were passed over.

    These are white space, and the byte order mark of UTF-8.

    Args:
        chunks: The text as it arrives.
        root: What it should be, an `array` or an `object`.

    Raises:
        TrayportDecodeError: It is empty, in another encoding, or something else.
    """
    following = iter(chunks)
    head = b""
    for chunk in following:
        head += chunk
        if len(head) >= _ENCODING_SHOWS:
            break
    encoding = json.detect_encoding(head[:_ENCODING_SHOWS])
    start = 3 if encoding == "utf-8-sig" else 0
    if not encoding.startswith("utf-8") and head.strip(b"\0"):
        raise _refused(f"it is in {encoding.upper()}, and JSON is in UTF-8", 0, head)
    for chunk in chain([head[start:]], following):
        text = chunk.lstrip(SPACE)
        start += len(chunk) - len(text)
        if text:
            if not text.startswith(b"[" if root == "array" else b"{"):
                raise _refused(f"its root is no {root}", start, text)
            return start, chain([text], following)
    raise _refused("it is empty", start, head)


def _refused(what: str, start: int, text: bytes) -> TrayportDecodeError:
    return TrayportDecodeError(
        f"the response is not what the API promises: {what} (byte {start})",
        offset=start,
        body=quoted(text),
    )


def _small(chunks: Iterable[bytes | memoryview]) -> Iterator[memoryview]:
    """The same bytes in chunks that are no larger than pieces."""
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE):
            yield memoryview(chunk)[start : start + PIECE]


def _cuts(cutter: Cutter, chunks: Iterable[bytes | bytearray | memoryview]) -> Iterator[Cut]:
    for chunk in chunks:
        cutter.feed(chunk)
        yield from iter(cutter.cut, None)
    cutter.close()
    yield from iter(cutter.cut, None)


def decode_response(
    operation_id: str,
    body: bytes | Iterable[bytes],
    max_depth: int = MAX_DEPTH,
    *,
    lenient: bool = False,
) -> Decoded:
    """The rows of a response that is read as a whole, and what it says of all of them.

    Args:
        operation_id: The operation of the request.
        body: The decompressed body, or its parts as they arrive.
        max_depth: How deeply the JSON may be nested.
        lenient: Whether what is not of its type becomes null instead of an error.

    Raises:
        TrayportDecodeError: The body is not what the API promises.
    """
    start, text = _whole_text(operation_id, body)
    return _decoded(operation_id, text, start, max_depth, lenient=lenient)


def decode_documents(
    operation_id: str, body: bytes | Iterable[bytes], max_depth: int = MAX_DEPTH
) -> list[dict[str, Any]]:
    """The rows of a response as JSON objects, checked like those of `decode_response`."""
    start, text = _whole_text(operation_id, body)
    _decoded(operation_id, text, start, max_depth)
    endpoint = ENDPOINTS[operation_id]
    try:
        document = msgspec.json.decode(text)
    except msgspec.ValidationError as error:  # a number in a field that is not declared
        is_array = endpoint.root == "array"
        raise locate.explained(error, text, max_depth, start, is_array=is_array) from error
    if endpoint.rows_at is not None:
        document = document[endpoint.rows_at]
    return document if isinstance(document, list) else [document]  # pyright: ignore[reportUnknownVariableType]


def _whole_text(operation_id: str, body: bytes | Iterable[bytes]) -> tuple[int, bytes]:
    """Where the text of a response begins, and the text."""
    root = ENDPOINTS[operation_id].root
    if isinstance(body, bytes):
        start, text = _begun([body], root)
        return start, b"".join(text)
    start, text = _begun(body, root)
    return start, joined(text)


def _decoded(
    operation_id: str, text: bytes, start: int, max_depth: int, *, lenient: bool = False
) -> Decoded:
    """The rows of a whole text, which begins somewhere in its body."""
    try:
        decoded = _read(operation_id, text, lenient=lenient)
        _check_depth(text, max_depth)
    except _BROKEN as error:
        is_array = ENDPOINTS[operation_id].root == "array"
        raise locate.explained(error, text, max_depth, start, is_array=is_array) from error
    return decoded


def _check_depth(text: bytes, max_depth: int) -> None:
    if is_deeper(text, max_depth):
        raise RecursionError


@cache
def _decoder(operation_id: str, *, is_closed: bool) -> msgspec.json.Decoder[Any]:
    # msgspec prepares a class when it is first used, and crashes when two threads do so at once.
    with _MAKING:
        kind = RESPONSE_TYPES[operation_id]
        return msgspec.json.Decoder(_closed(kind) if is_closed else kind)


def _closed(kind: Any) -> Any:
    """The same type, of objects without fields that are not declared."""
    origin, within = get_origin(kind), tuple(map(_closed, get_args(kind)))
    if origin is list:
        return GenericAlias(list, within)
    if origin in (Union, UnionType):
        alternatives: Any = Union
        return alternatives[within]
    if not msgspec.inspect.is_struct_type(kind):
        return kind
    fields = [
        (f.name, _closed(f.type), msgspec.field(default=f.default, name=f.encode_name))
        for f in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(
        kind.__name__, fields, kw_only=True, gc=False, forbid_unknown_fields=True
    )


def _document(operation_id: str, text: bytes, *, is_closed: bool = False) -> Any:
    """A response as structs.

    Raises:
        msgspec.DecodeError: It is not of its type, or no JSON.
        UnicodeDecodeError: It is no UTF-8.
        RecursionError: It is nested too deeply.
    """
    if not text.isascii():
        text.decode()
    return _decoder(operation_id, is_closed=is_closed).decode(text)


def _read(operation_id: str, text: bytes, *, lenient: bool) -> Decoded:
    """The rows of a response.

    Raises:
        msgspec.DecodeError: It is not of its type, or no JSON.
        UnicodeDecodeError: It is no UTF-8.
        RecursionError: It is nested too deeply.
    """
    endpoint = ENDPOINTS[operation_id]
    try:
        document = _document(operation_id, text)
    except msgspec.ValidationError:
        # Slowly, with what is wrong at its place; of fields with the same name the last one counts.
        tolerance = Tolerance(operation_id, lenient=lenient)
        document = tolerance.response(untyped(text))
        unexpected: Mapping[str, int] = tolerance.unexpected
    else:
        unexpected = {}
    if endpoint.rows_at is None:
        return Decoded(document if endpoint.root == "array" else [document], unexpected=unexpected)
    times = (getattr(document, attribute(c)) for c in endpoint.envelope if c.type == "timestamp")
    return Decoded(document.rows, next(times, None), unexpected)
