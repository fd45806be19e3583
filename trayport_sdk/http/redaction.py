"""Takes the key out of what others say: answers that repeat it, and log lines of libraries."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import ExitStack

HIDDEN = "[key]"
# A body that breaks off may end in a part of the key; fewer letters than these say nothing.
TELLING = 4
# Each quotation within a quotation doubles the backslashes. Without an end, a text of nothing else
# would be read again from every one of them.
BACKSLASHES = 64
# What is below writes heads of answers and the errors of parsers.
LIBRARIES = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
HEADER_LOGS = ("hpack.hpack", "hpack.table")
NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class Redaction:
    """Finds a key in texts, also as JSON, HTML and addresses spell it.

    Args:
        key: The personal key.
    """

    def __init__(self, key: str) -> None:
        pattern = "".join(_spelled(letter) for letter in key)
        self._text = re.compile(pattern)
        self._bytes = re.compile(pattern.encode())
        self._key = key.encode()

    def text(self, text: str) -> str:
        """The text without the key."""
        return self._text.sub(HIDDEN, text)

    def body(self, body: bytes) -> bytes:
        """The body without the key, nor the beginning of the key where it breaks off."""
        clean = self._bytes.sub(HIDDEN.encode(), body)
        for length in range(len(self._key) - 1, TELLING - 1, -1):
            if clean.endswith(self._key[:length]):
                return clean[:-length] + HIDDEN.encode()
        return clean

    def chain(self, error: BaseException) -> None:
        """Takes the key out of an error and out of all that it was raised from."""
        link: BaseException | None = error
        while link is not None:
            link.args = tuple(
                self.text(argument) if isinstance(argument, str) else argument
                for argument in link.args
            )
            link = link.__cause__ or link.__context__

    def over_logs(self) -> Callable[[], None]:
        """Keeps the key out of what the libraries below log, until the result is called."""
        end = ExitStack()
        for names, keeper in ((LIBRARIES, _WithoutKey(self.text)), (HEADER_LOGS, _no_headers)):
            for name in names:
                logger = logging.getLogger(name)
                logger.addFilter(keeper)
                if keeper is not _no_headers:
                    end.callback(logger.removeFilter, keeper)
        return end.close


def _spelled(letter: str) -> str:
    """A pattern for one letter of the key, in every spelling that may come back."""
    plain = re.escape(letter)
    if letter.isalnum():
        return plain
    code = ord(letter)
    # What is quoted within a quotation has more than one backslash.
    spellings = [rf"\\{{0,{BACKSLASHES}}}{plain}", f"&#{code};"]
    spellings += [rf"\\{{1,{BACKSLASHES}}}(?i:u00|x){_hexadecimal(code)}"]
    spellings += [f"%{_hexadecimal(code)}", f"&#[xX]{_hexadecimal(code)};"]
    if letter in NAMED:
        spellings.append(f"&{NAMED[letter]};")
    if letter == " ":
        spellings.append(r"\+")
    return f"(?:{'|'.join(spellings)})"


def _hexadecimal(code: int) -> str:
    return f"(?i:{code:02x})"


class _WithoutKey(logging.Filter):
    """Lets every line through, without the key."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        clean = self._clean(said)
        if clean != said:
            record.msg, record.args = clean, ()
        return True


class _NoHeaders(logging.Filter):
    """Keeps out the lines in which hpack writes every header it encodes, the key among them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


_no_headers = _NoHeaders()
