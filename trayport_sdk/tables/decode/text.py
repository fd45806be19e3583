"""The text of a response: where it begins, how much of it is held, and how deeply it is nested."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import QUOTED_CHARACTERS, TrayportDecodeError

SPACE = b" \t\n\r"

MOST_OF_A_ROW = 1 << 23
"""Bytes of one row; the longest are order books, which have some hundred thousand."""

MOST_OF_A_DOCUMENT = 1 << 25
"""Bytes of a response that is read as a whole, such as a list of reference data or snapshots."""

_ALIKE = bytes.maketrans(b"{}", b"[]")
_NO_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))


def joined(chunks: Iterable[bytes]) -> bytes:
    """The whole text.

    Raises:
        TrayportDecodeError: It is too large to be read as a whole.
    """
    text = bytearray()
    for chunk in chunks:
        text += chunk
        if len(text) > MOST_OF_A_DOCUMENT:
            raise TrayportDecodeError(
                f"the response has more than {MOST_OF_A_DOCUMENT:,} bytes, the most that is read "
                "as a whole, whatever the setting max_decoded_bytes allows",
                offset=MOST_OF_A_DOCUMENT,
                body=quoted(text),
                suggestion="ask for less at once",
                retryable=False,
            )
    return bytes(text)


def is_deeper(text: bytes, depth: int) -> bool:
    """Whether JSON that is well-formed has brackets within more brackets than that."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = text.translate(_ALIKE, _NO_STRUCTURE)
    if brackets.count(b"[") <= depth:
        return False
    if 2 * brackets.count(b'""') == brackets.count(b'"'):  # no string has brackets
        brackets = brackets.translate(None, b'"')
    else:
        brackets = b"".join(brackets.replace(b'""', b"").split(b'"')[::2])
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return False
    return True


def too_deep(depth: int, offset: int, row: int | None = None) -> TrayportDecodeError:
    """The error for a response that is nested too deeply."""
    where = f"byte {offset}" if row is None else f"byte {offset}, row {row}"
    return TrayportDecodeError(
        f"the response is nested deeper than {depth} levels, the setting max_depth ({where})",
        offset=offset,
        row=row,
        suggestion="raise max_depth, if the API really nests its responses so deeply",
        retryable=False,
    )


def quoted(text: bytes | bytearray) -> str:
    """The beginning of a text, for an error."""
    return bytes(text[: 4 * QUOTED_CHARACTERS]).decode(errors="replace")
