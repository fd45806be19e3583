"""From bytes to typed columns, strictly, while they arrive.

The types come from the generated tables. A wrong type, a missing field, a number out of range, a
cut or trailing byte is an error; fields the tables do not know pass and are left out.

The rows of an array are read by the library in C, where there is one, as long as they are plainly
right; the others, or all of them, are read by Python, which decides what is right.

For Python, an array of rows is cut into pieces. Each is proved right by a decoder that keeps to the
types, and read a second time into columns, which is what takes the time and needs no interpreter:
two pieces are worked on at once.
"""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from itertools import chain
from threading import Lock
from typing import Any, TypeAlias

import msgspec
import polars as pl
from attrs import field, frozen
from trayport_spec import ENDPOINTS
from trayport_spec.rows import RESPONSE_TYPES

from ...errors import MAX_DEPTH, TrayportDecodeError
from . import locate
from .native.reader import READ_BYTES, RowReader, row_reader
from .schema import ColumnFilter, TableSchema, TypedColumn, attribute, from_rows, schema_of
from .split import PIECE, Cut, Cutter
from .text import SPACE, is_deeper, joined, quoted
from .tolerance import Tolerance, untyped

Table: TypeAlias = tuple[pl.DataFrame, Mapping[str, int]]
"""Rows, and how often each field in them was not of its type."""

MOST_PIECES = 8
"""Pieces whose rows the library hands out at once, at most: few large tables cost less."""

WAITING_PIECES = 4
"""Pieces that may wait for the end of a row in the library; longer rows are read by Python."""

WORKERS = 2
_AHEAD = 4
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
        self._schema = schema_of(operation_id, wanted)
        self._lenient = lenient
        self._piece = PIECE if piece is None else piece
        self._max_depth = max_depth
        self._is_plain = True
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
            yield from_rows(self._schema.columns, whole.rows)
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
        under_way: deque[tuple[Cut, Future[Table]]] = deque()
        threads = _threads(os.getpid())
        try:
            cutter = Cutter(self._piece, offset=start, depth=self._max_depth)
            cuts = _cuts(cutter, chain([first], following))
            for frame, unexpected in self._tables(cutter, cuts, under_way, threads):
                self.unexpected.update(unexpected)
                yield self._counted(frame)
        finally:
            for _, table in under_way:
                table.cancel()
            threads.leave(self)

    def _whole(self, text: bytes, start: int) -> pl.DataFrame:
        """The table of a response that is one piece."""
        try:
            frame, unexpected = self._table(text)
        except _BROKEN as error:
            before = start, self._rows_before
            raise locate.explained(error, text, self._max_depth, *before) from error
        self.unexpected.update(unexpected)
        return self._counted(frame)

    def _tables(
        self,
        cutter: Cutter,
        cuts: Iterable[Cut],
        under_way: deque[tuple[Cut, Future[Table]]],
        threads: _Threads,
    ) -> Iterator[Table]:
        """Hands out the pieces to the threads, and their tables in the order of the pieces."""
        for cut in cuts:
            under_way.append((cut, threads.pool(self).submit(self._table, cut.text)))
            while under_way and (cut.is_last or len(under_way) > _AHEAD or under_way[0][1].done()):
                first, table = under_way.popleft()
                try:
                    yield table.result()
                except _BROKEN as error:
                    if not first.is_guess:
                        before = first.offset - 1, self._rows_before
                        raise locate.explained(
                            error, first.text, self._max_depth, *before
                        ) from error
                    cutter.put_back([first, *(cut for cut, _ in under_way)])
                    under_way.clear()

    def _table(self, text: bytes) -> Table:
        """The table of a piece."""
        decoded = _read(self._operation_id, text, lenient=self._lenient)
        frame = None
        if self._is_plain and not decoded.unexpected:
            frame = _from_json(self._schema, text)
        if frame is None or frame.height != len(decoded.rows):
            # What is in one piece will be in the others: escapes, or fields that are not known.
            self._is_plain = False
            # A table that was read at once has no deeper fields than its columns.
            _check_depth(text, self._max_depth)
            frame = from_rows(self._schema.columns, decoded.rows)
        return frame, decoded.unexpected


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


def _from_json(schema: TableSchema, text: bytes) -> pl.DataFrame | None:
    """The table of a JSON array of rows that are known to be right, read at once; else None.

    Polars reads fast but does not check: it makes nulls and numbers out of what is neither. Of
    fields with the same name it takes the first, where the last counts, and it leaves out fields
    silently; the number of quotation marks shows both.
    """
    try:
        frame = pl.read_json(text, schema=schema.sent)
    except (pl.exceptions.PolarsError, ValueError):
        return None
    if _quotation_marks(schema.columns, frame) != text.count(b'"'):
        return None
    if schema.renamed:
        frame = frame.with_columns(schema.renamed)
    for place, typed in enumerate(schema.columns):
        if typed.column.type == "timestamp":
            frame.replace_column(place, frame.to_series(place).cast(typed.kind))
    frame.columns = [typed.column.python_name for typed in schema.columns]
    return frame


def _quotation_marks(columns: Sequence[TypedColumn], table: pl.DataFrame) -> int:
    """How many quotation marks the text of a table has, if it has no other fields.

    Below zero when that cannot be known.
    """
    marks = 0
    for typed in columns:
        column = typed.column
        values = table.get_column(column.name)
        given = table.height - values.null_count()
        if column.nullable and not column.required and given < table.height:
            return -1  # the field may have been null or absent
        marks += 2 * (table.height if column.required else given)
        if column.type == "string":
            marks += 2 * given
        elif column.fields:
            if column.type == "list":
                values = values.explode(empty_as_null=False, keep_nulls=False)
            within = _quotation_marks(typed.fields, values.drop_nulls().struct.unnest())
            if within < 0:
                return -1
            marks += within
    return marks


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


class _Threads:
    """The threads that decode, for all responses of a process: many would need much memory.

    They end with the last decoder that uses them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._users: set[int] = set()
        self._pool: ThreadPoolExecutor | None = None

    def pool(self, user: object) -> ThreadPoolExecutor:
        """The threads, which stay until the user leaves."""
        with self._lock:
            self._users.add(id(user))
            if self._pool is None:
                self._pool = ThreadPoolExecutor(WORKERS, "trayport-decode")
            return self._pool

    def leave(self, user: object) -> None:
        """Ends the threads when no decoder uses them any more."""
        with self._lock:
            self._users.discard(id(user))
            pool = None if self._users else self._pool
            if pool is not None:
                self._pool = None
        if pool is not None:
            pool.shutdown()


@cache
def _threads(_process: int) -> _Threads:
    return _Threads()


@cache
def _decoder(operation_id: str) -> msgspec.json.Decoder[Any]:
    # msgspec prepares a class when it is first used, and crashes when two threads do so at once.
    with _MAKING:
        return msgspec.json.Decoder(RESPONSE_TYPES[operation_id])


def _read(operation_id: str, text: bytes, *, lenient: bool) -> Decoded:
    """The rows of a response.

    Raises:
        msgspec.DecodeError: It is not of its type, or no JSON.
        UnicodeDecodeError: It is no UTF-8.
        RecursionError: It is nested too deeply.
    """
    if not text.isascii():
        text.decode()
    endpoint = ENDPOINTS[operation_id]
    try:
        document = _decoder(operation_id).decode(text)
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
