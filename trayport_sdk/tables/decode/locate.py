"""Finds in the text of a JSON array where a row or one of its fields stands.

For error messages only: the text is known to be wrong, and may end anywhere. Of a very long text
only the beginning is searched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec
from attrs import frozen

from ...errors import TrayportDecodeError
from .text import SPACE, quoted, too_deep

_TOKEN = re.compile(
    rb'"(?>[^"\\]+|\\.)*+"?|[{}\[\],:]|[^\s"{}\[\],:]+',
    re.DOTALL,
)
MOST_DIGITS = 4300
MOST_TOKENS = 1 << 20
LONGEST_NAME = 1000
LONGEST_MESSAGE = 300
_PART = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


@frozen
class Value:
    """Where a value stands, and the path of names and numbers to it.

    An object or array begins and ends at its opening bracket. The path is right until the next
    value is asked for.
    """

    path: list[str | int]
    start: int
    end: int


def values(text: bytes) -> Iterator[Value]:
    """Every value in a text, the outer ones before those in them."""
    path: list[str | int] = []
    name: str | None = None
    awaits_name = False
    for token in islice(_TOKEN.finditer(text), MOST_TOKENS):
        sign = token[0]
        if sign == b":":
            path[-1:] = [name or ""]
        elif sign == b",":
            if path and isinstance(path[-1], int):
                path[-1] += 1
            awaits_name = bool(path) and isinstance(path[-1], str)
        elif sign in (b"}", b"]"):
            path[-1:] = []
            awaits_name = False
        elif awaits_name:
            name = _string(sign)
            awaits_name = False
        else:
            yield Value(path, *token.span())
            if sign in (b"{", b"["):
                path.append("" if sign == b"{" else 0)
                awaits_name = sign == b"{"


def _string(token: bytes) -> str:
    try:
        if len(token) <= LONGEST_NAME:
            return str(json.loads(token))
    except ValueError:
        pass
    return token[:LONGEST_NAME].decode(errors="replace")


def path_of(text: str) -> tuple[str | int, ...]:
    """The path in a message such as `$[3].bids[0].price`."""
    return tuple(name or int(number) for name, number in _PART.findall(text))


def row_of(path: Sequence[str | int]) -> tuple[int | None, str]:
    """The number of the row that a path leads to, and the field in it."""
    for place, part in enumerate(path):
        if isinstance(part, int):
            parts = (f"[{p}]" if isinstance(p, int) else f".{p}" for p in path[place + 1 :])
            return part, "".join(parts).lstrip(".")
    return None, ".".join(map(str, path))


def start_of(text: bytes, path: Sequence[str | int]) -> int:
    """Where a value begins, or the nearest value around it if it is missing.

    Of several fields with the same name the last counts, as for the decoder.
    """
    start, wanted = 0, list(path)
    for value in values(text):
        if value.path == wanted[: len(value.path)]:
            start = value.start
    return start


def unreadable_number(text: bytes) -> tuple[str | int, ...]:
    """The path to the first whole number with more digits than are read."""
    for value in values(text):
        if value.end - value.start > MOST_DIGITS and text[value.start] in b"-0123456789":
            return tuple(value.path)
    return ()


def deeper_than(text: bytes, depth: int) -> tuple[int, int]:
    """Where the first bracket within so many others stands, and the row that it is in."""
    for value in values(text):
        if len(value.path) == depth and text[value.start] in b"[{":
            return value.start, next((p for p in value.path if isinstance(p, int)), 0)
    return 0, 0


def row_at(text: bytes, offset: int) -> int:
    """The number of the element of an array that a place lies in, or comes after."""
    row = 0
    for value in values(text[: offset + 1]):
        if len(value.path) == 1 and isinstance(value.path[0], int):
            row = max(row, value.path[0])
    return row


def explained(
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
        start, number = deeper_than(text, max_depth)
        return too_deep(max_depth, start + offset, number + rows_before if is_array else None)
    message = str(error)
    path: tuple[str | int, ...] = ()
    if is_array and text[:1] == b"[" and text[1:].lstrip(SPACE)[:1] not in (b"{", b"]", b""):
        # Whether the value was whole is not known: it was not waited for.
        message, path = "Expected `object` - at `$[0]`", (0,)
        start = len(text) - len(text[1:].lstrip(SPACE))
    elif isinstance(error, UnicodeDecodeError):
        start = error.start
        message = re.sub(r" in position [\d-]+", "", message)  # of the piece, not of the response
    elif place := re.search(r"\(byte (\d+)\)", message):
        start = int(place[1])
        message = message.replace(f": {place[0]}", "").replace(f" {place[0]}", "")
    elif at := re.search(r"(?<= at `)\$[^`]*(?=`$)", message):
        # The message about a number out of range lacks the names on the way to it.
        lost = "[...]" in at[0]
        path = unreadable_number(text) if lost else path_of(at[0])
        start = start_of(text, path)
    else:
        is_whole = isinstance(error, msgspec.ValidationError)
        start = start_of(text, path) if is_whole else len(text)
    if is_array and not path and text.lstrip()[:1] == b"[":
        path = (row_at(text, start),)
    row, within = row_of(path)
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
