"""From bytes to typed columns, strictly, while they arrive.

The types come from the generated tables. A wrong type, a missing field, a number out of range, a
cut or trailing byte is an error; fields the tables do not know pass and are left out.

An array of rows is cut into pieces. Each is proved right by a decoder that keeps to the types, and
read a second time into columns, which is what takes the time and needs no interpreter: two pieces
are worked on at once.
"""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from .schema import ColumnFilter, attribute, from_json, from_rows, schema_of
from .split import PIECE, Cut, Cutter
from .text import SPACE, begun, is_deeper, joined, quoted, too_deep
from .tolerance import Tolerance, untyped

Table: TypeAlias = tuple[pl.DataFrame, Mapping[str, int]]
"""Rows, and how often each field in them was not of its type."""

WORKERS = 2
AHEAD = 2 * WORKERS
LONGEST_MESSAGE = 300
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
        self._columns = ENDPOINTS[operation_id].row
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
            yield from_rows(self._columns, whole.rows, self._schema)
            return
        start, text = begun(chunks, "array")
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
                self._rows_before += frame.height
                self.unexpected.update(unexpected)
                yield frame
        finally:
            for _, table in under_way:
                table.cancel()
            threads.leave(self)

    def _whole(self, text: bytes, start: int) -> pl.DataFrame:
        """The table of a response that is one piece."""
        try:
            frame, unexpected = self._table(text)
        except _BROKEN as error:
            raise _explained(error, text, self._max_depth, start) from error
        self.unexpected.update(unexpected)
        return frame

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
            while under_way and (cut.is_last or len(under_way) > AHEAD or under_way[0][1].done()):
                first, table = under_way.popleft()
                try:
                    yield table.result()
                except _BROKEN as error:
                    if not first.is_guess:
                        before = first.offset - 1, self._rows_before
                        raise _explained(error, first.text, self._max_depth, *before) from error
                    cutter.put_back([first, *(cut for cut, _ in under_way)])
                    under_way.clear()

    def _table(self, text: bytes) -> Table:
        """The table of a piece."""
        decoded = _read(self._operation_id, text, lenient=self._lenient)
        frame = None
        if self._is_plain and not decoded.unexpected:
            frame = from_json(self._columns, text, self._schema)
        if frame is None or frame.height != len(decoded.rows):
            # What is in one piece will be in the others: escapes, or fields that are not known.
            self._is_plain = False
            # A table that was read at once has no deeper fields than its columns.
            _check_depth(text, self._max_depth)
            frame = from_rows(self._columns, decoded.rows, self._schema)
        return frame, decoded.unexpected


def _small(chunks: Iterable[bytes]) -> Iterator[memoryview]:
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
    document = msgspec.json.decode(text)
    endpoint = ENDPOINTS[operation_id]
    if endpoint.rows_at is not None:
        document = document[endpoint.rows_at]
    return document if isinstance(document, list) else [document]  # pyright: ignore[reportUnknownVariableType]


def _whole_text(operation_id: str, body: bytes | Iterable[bytes]) -> tuple[int, bytes]:
    """Where the text of a response begins, and the text."""
    root = ENDPOINTS[operation_id].root
    if isinstance(body, bytes):
        start, text = begun([body], root)
        return start, b"".join(text)
    start, text = begun(body, root)
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
        raise _explained(error, text, max_depth, start, is_array=is_array) from error
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


def _explained(
    error: Exception,
    text: bytes,
    max_depth: int,
    offset: int = 0,
    rows_before: int = 0,
    *,
    is_array: bool = True,
) -> TrayportDecodeError:
    """What is wrong with a text, and where.

    Args:
        error: The decoder's error; a `RecursionError` when the text is nested too deeply.
        text: The text it read.
        max_depth: How deeply it may be nested.
        offset: Where the text begins in the body.
        rows_before: How many rows there were before.
        is_array: Whether it should be an array of rows.
    """
    if isinstance(error, RecursionError):
        start, number = locate.deeper_than(text, max_depth)
        return too_deep(max_depth, start + offset, number + rows_before if is_array else None)
    message = str(error)
    path: tuple[str | int, ...] = ()
    if is_array and text[:1] == b"[" and text[1:].lstrip(SPACE)[:1] not in (b"{", b"]", b""):
        # Whether the value was whole is not known: it was not waited for.
        message, path = "Expected `object` - at `$[0]`", (0,)
        start = len(text) - len(text[1:].lstrip(SPACE))
    elif isinstance(error, UnicodeDecodeError):
        start = error.start
    elif place := re.search(r"\(byte (\d+)\)", message):
        start = int(place[1])
        message = message.replace(f": {place[0]}", "").replace(f" {place[0]}", "")
    elif at := re.search(r"(?<= at `)\$[^`]*(?=`$)", message):
        # The message about a number out of range lacks the names on the way to it.
        lost = "[...]" in at[0]
        path = locate.unreadable_number(text) if lost else locate.path_of(at[0])
        start = locate.start_of(text, path)
    else:
        is_whole = isinstance(error, msgspec.ValidationError)
        start = locate.start_of(text, path) if is_whole else len(text)
    if is_array and not path and text.lstrip()[:1] == b"[":
        path = (locate.row_at(text, start),)
    row, within = locate.row_of(path)
    if row is not None and path[:1] == (row,):
        message = message.replace(f"`$[{row}]", f"`$[{row + rows_before}]")
        row += rows_before
    if lacking := re.search(r"missing required field `([^`]+)`", message):
        within = f"{within}.{lacking[1]}".lstrip(".")
    if len(message) > LONGEST_MESSAGE:  # it may quote a value
        half = LONGEST_MESSAGE // 2
        message = f"{message[:half]} ... {message[-half:]}"
    where = [f"byte {start + offset}"] + ([] if row is None else [f"row {row}"])
    return TrayportDecodeError(
        f"the response is not what the API promises: {message} ({', '.join(where)})",
        offset=start + offset,
        row=row,
        field=within or None,
        body=quoted(text),
    )
