"""Cuts CSV into pieces of whole records while its text arrives.

Every record is followed from field to field, so that a comma or a line break in quotation marks
does not end one, and a record with a field too few or too many is seen.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import NoReturn

from attrs import frozen

from ..errors import QUOTED_CHARACTERS, TrayportDecodeError
from .decode.split import PIECE

_FIELD = rb'(?:"(?>[^"]++|"")*+"|[^",\r\n]*+)'
_END = rb"\r?\n"
# A field that may go on in the next chunk.
_OPEN = rb'(?:"(?>[^"]++|"")*+"?|[^",\r\n]*+)\r?'
_ONE = re.compile(_FIELD)
_RECORD = re.compile(rb"(?:%b,)*+%b%b" % (_FIELD, _FIELD, _END))
_RECORD_OPEN = re.compile(rb"(?:%b,)*+%b" % (_FIELD, _OPEN))


@frozen
class AnsweredQuery:
    """Whole records.

    Attributes:
        text: Their bytes.
        offset: Where they begin in the whole text.
        row: How many records came before, without the header.
    """

    text: bytes
    offset: int
    row: int

    def place(self, row: int, column: int) -> int:
        """Where in the whole text a field of one of the records begins."""
        start = 0
        for _ in range(row):
            start = _end(_RECORD, self.text, start)
        for _ in range(column):
            start = _end(_ONE, self.text, start) + 1
        return self.offset + start

    def row_at(self, place: int) -> int:
        """How many of the records end before a place in the piece."""
        row = start = 0
        while (start := _end(_RECORD, self.text, start)) <= place:
            row += 1
        return row


def _end(pattern: re.Pattern[bytes], text: bytes | bytearray, start: int = 0) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def fields_of(record: bytes | bytearray) -> list[bytes]:
    """The fields of the first record in a text, without the quotation marks around them."""
    fields: list[bytes] = []
    start = -1
    while start < 0 or record[start : start + 1] == b",":
        end = _end(_ONE, record, start + 1)
        one = bytes(record[start + 1 : end])
        fields.append(one[1:-1].replace(b'""', b'"') if one[:1] == b'"' else one)
        start = end
    return fields


class Records:
    """The records of a CSV text, in pieces; `header` is read before them.

    A record that is not whole is refused as soon as that is seen, and the last one may do without
    the line break at its end.

    Args:
        chunks: The text.
        piece: About how many bytes a piece has.

    Attributes:
        beginning: How the text begins.
        rows: How many records were in the pieces so far: whoever reads the pieces counts.
    """

    def __init__(self, chunks: Iterable[bytes], piece: int | None = None) -> None:
        self._size = PIECE if piece is None else piece
        self._chunks = _small(chunks, self._size)
        self._text = bytearray()
        self._offset = self._length = self._width = 0
        self._is_whole = False
        self.beginning = ""
        self.rows = 0

    def header(self) -> list[str]:
        """The names of the columns."""
        text = self._taken(_RECORD, _RECORD_OPEN, only_one=True)
        self.beginning = text[: 4 * QUOTED_CHARACTERS].decode(errors="replace")
        if not text:
            self._refuse("there is no header", 0)
        self._check_letters(AnsweredQuery(text, 0, 0), is_header=True)
        names = [name.decode() for name in fields_of(text.removeprefix(BOM_UTF8))]
        self._width = len(names)
        return names

    def __iter__(self) -> Iterator[AnsweredQuery]:
        """The pieces after the header."""
        before = rb"(?:%b,){%d}" % (_FIELD, self._width - 1)
        records = re.compile(rb"(?:%b%b%b)*+" % (before, _FIELD, _END))
        is_open = re.compile(rb"(?:%b,){0,%d}%b" % (_FIELD, self._width - 1, _OPEN))
        while True:
            offset = self._offset
            text = self._taken(records, is_open)
            if not text:
                return
            piece = AnsweredQuery(text, offset, self.rows)
            self._check_letters(piece)
            yield piece

    def _taken(
        self, whole: re.Pattern[bytes], is_open: re.Pattern[bytes], *, only_one: bool = False
    ) -> bytes:
        """The next whole records, or nothing at the end."""
        wanted = self._size
        while True:
            self._fill(wanted)
            if end := _end(whole, self._text):
                text = bytes(memoryview(self._text)[:end])
                del self._text[:end]
                self._offset += end
                return text
            if not self._text:
                return b""
            if self._is_whole or not is_open.fullmatch(self._text):
                self._refuse_record(is_header=only_one)
            # Looked at again when there is twice as much, so that a giant is not read for ever.
            wanted = 2 * len(self._text)

    def _fill(self, wanted: int) -> None:
        while len(self._text) < wanted and not self._is_whole:
            chunk = next(self._chunks, None)
            if chunk is not None:
                self._text += chunk
                self._length += len(chunk)
                continue
            self._is_whole = True
            if self._text and not self._text.endswith(b"\n"):
                self._text += b"\n"

    def _check_letters(self, piece: AnsweredQuery, *, is_header: bool = False) -> None:
        if piece.text.isascii():
            return
        try:
            piece.text.decode()
        except UnicodeDecodeError as error:
            row = None if is_header else piece.row + piece.row_at(error.start)
            self._refuse("it is no UTF-8", piece.offset + error.start, row)

    def _refuse_record(self, *, is_header: bool) -> NoReturn:
        """Says what is wrong with the record that comes next."""
        text = bytes(self._text)
        fields = fields_of(text)
        ahead = rb"(?:%b,){0,%d}%b" % (_FIELD, max(self._width, 1) - 1, _FIELD)
        end = _end(re.compile(ahead), text)
        if self._offset + end >= self._length or text[end : end + 1] == b'"':
            reason = "a record is cut off, or has quotation marks where none may be"
        elif text[end : end + 1] in (b",", b"\n", b"\r") and len(fields) != self._width:
            reason = f"a record has {len(fields)} fields, and the header {self._width}"
        else:
            reason = "a record has letters where none may be"
        self._refuse(reason, self._offset + end, None if is_header else self.rows)

    def _refuse(self, reason: str, offset: int, row: int | None = None) -> NoReturn:
        offset = min(offset, self._length)
        where = f"byte {offset}" + ("" if row is None else f", row {row}")
        raise TrayportDecodeError(
            f"the answer is not what the API promises: {reason} ({where})",
            offset=offset,
            row=row,
            body=self.beginning or self._text[: 4 * QUOTED_CHARACTERS].decode(errors="replace"),
        )


def _small(chunks: Iterable[bytes], size: int) -> Iterator[memoryview]:
    """The same bytes in chunks that are no larger than pieces."""
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield memoryview(chunk)[start : start + size]
