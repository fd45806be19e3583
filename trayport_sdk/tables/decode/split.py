"""Cuts a JSON array into pieces of whole elements while its text arrives.

A place where an object follows another may lie anywhere in the text, inside of elements too. But
the elements before a place are read from the start of the array, so if they are whole, the place
lies between elements: reading the pieces in order proves each cut. A piece that
is not proved is put back and cut again by following every bracket, which is slower.
"""

from __future__ import annotations

import re

from attrs import frozen

from ...errors import MAX_DEPTH, TrayportDecodeError
from .text import MOST_OF_A_ROW, SPACE, too_deep

PIECE = 3 << 18
"""Bytes of a piece: small enough for the caches of a processor, and for memory."""

_SIGN = re.compile(rb"[^ \t\n\r]")
_OPENING = re.compile(rb'\{[ \t\n\r]*"[^"\\]{0,100}"[ \t\n\r]*:')
# A string that goes on in the next chunk is a quotation mark alone.
_TOKEN = re.compile(rb'"(?>[^"\\]+|\\.)*+"|["{}\[\]]', re.DOTALL)
_TRIES = 4


@frozen
class Cut:
    """Whole elements of an array, or what should be that.

    Attributes:
        text: The elements as an array of their own.
        offset: Where the elements begin in the whole text.
        is_last: Whether the text has the closing bracket itself, and whatever follows.
        is_guess: Whether the elements may not be whole.
    """

    text: bytes
    offset: int
    is_last: bool = False
    is_guess: bool = False

    @property
    def inner(self) -> bytes:
        """The text of the elements, without the brackets that were added."""
        return self.text[1:] if self.is_last else self.text[1:-1]


class Cutter:
    """Takes the text of an array as it arrives, and gives it out in pieces.

    Args:
        piece: About how many bytes a piece has.
        offset: Where the text begins, at the opening bracket.
        depth: How deeply an array may be nested.
    """

    def __init__(
        self, piece: int | None = None, *, offset: int = 0, depth: int = MAX_DEPTH
    ) -> None:
        self._piece = PIECE if piece is None else piece
        self._max_depth = depth
        self._text = bytearray()
        self._offset = offset
        self._opened = self._closed = self._ended = False
        self._opening = b""
        self._wanted = self._piece
        self._guesses = True
        self._followed: int = 0
        self._depth: int = 0
        self._whole: int = 0

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Takes more of the text."""
        self._text += chunk

    def close(self) -> None:
        """Ends the text: nothing more comes."""
        self._closed = True

    def cut(self) -> Cut | None:
        """The next piece, or None until more text has come; the last piece says so itself.

        Raises:
            TrayportDecodeError: A row is too long or nested too deeply, or text follows the array.
        """
        if not self._opened:
            if not self._text:
                return None
            del self._text[:1]
            self._offset += 1
            self._opened = True
        self._pass_over_space()
        if self._ended:
            self._check_end()
            return None
        while len(self._text) > (self._piece if self._closed else self._wanted):
            guessed = self._guesses
            if end := self._guess() if guessed else self._follow():
                self._wanted = self._piece
                return self._taken(end, is_guess=guessed)
            if guessed:
                continue
            if self._closed or self._depth < 0 or self._goes_wrong():
                break
            if len(self._text) > MOST_OF_A_ROW:
                raise TrayportDecodeError(
                    f"a row of the response has more than {MOST_OF_A_ROW:,} bytes "
                    f"(byte {self._offset})",
                    offset=self._offset,
                    retryable=False,
                )
            # Searched again when there is twice as much: an element of any size costs linear time.
            self._wanted = min(2 * len(self._text), MOST_OF_A_ROW)
        else:
            if not self._closed:
                return None
        self._ended = True
        # What follows the array waits until the array is known to be right.
        end = self._followed + 1 if self._depth < 0 else len(self._text)
        cut = Cut(b"[" + self._text[:end], self._offset, is_last=True)
        del self._text[:end]
        self._offset += end
        self._forget()
        return cut

    def put_back(self, cut: Cut) -> None:
        """Takes back a piece that was given out last: from now on, brackets are followed."""
        self._offset = cut.offset
        text = cut.inner if cut.is_last else cut.inner + b","
        self._text[:0] = text
        self._ended = False
        self._forget()
        self._wanted = self._piece
        self._guesses = False

    def _pass_over_space(self) -> None:
        """Forgets white space before the next element, of which there may be any amount."""
        if not self._followed and self._text[:1].isspace() and (start := self._next_sign(0)):
            del self._text[:start]
            self._offset += start

    def _check_end(self) -> None:
        if self._text:
            raise TrayportDecodeError(
                "the response is not what the API promises: JSON is malformed: trailing characters "
                f"(byte {self._offset})",
                offset=self._offset,
            )

    def _next_sign(self, start: int) -> int:
        """Where the next character stands that is no white space."""
        match = _SIGN.search(self._text, start)
        return match.start() if match else len(self._text)

    def _goes_wrong(self) -> bool:
        """Whether what comes next is no object."""
        start = self._next_sign(0)
        return bytes(self._text[start : start + 1]) not in (b"{", b"]", b"")

    def _guess(self) -> int:
        """Where to cut: before an object that begins like the first one, after another object."""
        if not self._opening:
            first = _OPENING.match(self._text, self._next_sign(0))
            self._opening = first[0] if first else b""
        end = self._piece + len(self._opening)
        for _ in range(_TRIES if self._opening else 0):
            end = self._text.rfind(self._opening, 1, end)
            if end < 0:
                break
            before = bytes(self._text[max(0, end - 64) : end]).rstrip(SPACE)
            if before.endswith(b",") and before[:-1].rstrip(SPACE).endswith(b"}"):
                return end - 1 - (min(64, end) - len(before))
        self._guesses = False
        return 0

    def _forget(self) -> None:
        """Forgets which brackets were followed."""
        self._followed = self._depth = self._whole = 0

    def _follow(self) -> int:
        """Where to cut: after the last of the whole elements, found by their brackets."""
        for token in _TOKEN.finditer(self._text, self._followed) if self._depth >= 0 else ():
            match token[0]:
                case b"{" | b"[":
                    self._depth += 1
                    if self._depth >= self._max_depth:
                        raise too_deep(self._max_depth, self._offset + token.start())
                case b"}" | b"]":
                    self._depth -= 1
                    if self._depth < 0:  # the array ends here
                        self._followed = token.start()
                        break
                    if self._depth == 0:
                        self._whole = token.end()
                case b'"':
                    break
                case _:
                    pass
            self._followed = token.end()
            if self._whole >= self._piece:
                break
        comma = self._next_sign(self._whole)
        following = self._next_sign(comma + 1)
        is_cut = self._whole and self._text.startswith(b",", comma)
        # A comma before the end of the array would not be seen any more.
        ends = following >= len(self._text) or self._text.startswith(b"]", following)
        return comma if is_cut and not ends else 0

    def _taken(self, end: int, *, is_guess: bool) -> Cut:
        """Gives out everything before a comma."""
        text = b"".join((b"[", memoryview(self._text)[:end], b"]"))
        cut = Cut(text, self._offset, is_guess=is_guess)
        del self._text[: end + 1]
        self._offset += end + 1
        self._forget()
        return cut
