"""Takes the key out of texts: responses that repeat it, and log lines of libraries."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from types import TracebackType

from pydantic import SecretStr

HIDDEN = "[key]"
# A body that breaks off may end in a part of the key; fewer characters than these reveal nothing.
SHORTEST_SECRET = 4
# Each quotation within a quotation doubles the backslashes. Without an end, a text of nothing else
# would be read again from every one of them.
BACKSLASHES = 31
# The loggers that write heads of responses and the errors of parsers.
LIBRARIES = (
    "httpx",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
)
# The packages whose variables hold what is sent.
BELOW = {"httpx", "httpcore", "h11", "h2", "hpack", "anyio", "asyncio", "ssl", "redis"}
HEADER_LOGS = ("hpack.hpack", "hpack.table")


class Redaction:
    """Finds a key in texts: as it is, and as JSON, HTML and addresses spell it.

    Args:
        key: The personal key.

    Attributes:
        text: Gives a text without the key.
    """

    text: Callable[[str], str]

    def __init__(self, key: SecretStr) -> None:
        pattern = "".join(map(_spelled, key.get_secret_value()))
        # Kept as methods, because a pattern shows itself.
        self.text = partial(re.compile(pattern).sub, HIDDEN)
        self._replace_bytes = re.compile(pattern.encode()).sub
        self._key = key

    def body(self, body: bytes) -> bytes:
        """The body without the key, nor the beginning of the key where it breaks off."""
        clean = self._replace_bytes(HIDDEN.encode(), body)
        key = self._key.get_secret_value().encode()
        for length in range(len(key) - 1, SHORTEST_SECRET - 1, -1):
            if clean.endswith(key[:length]):
                return clean[:-length] + HIDDEN.encode()
        return clean

    def chain(self, error: BaseException) -> None:
        """Takes the key out of an error and out of all that it was raised from.

        Out go also the frames of the libraries below, whose variables hold the key in plain and
        which a traceback may show. They are not cleared: over HTTP/2 several requests share one
        error, and with it the frames of those that still run.
        """
        links = [error]
        for link in links:
            link.args = tuple(self.text(a) if isinstance(a, str) else a for a in link.args)
            kept = None
            for step in reversed(list(_steps(link.__traceback__))):
                if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in BELOW:
                    kept = TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
            link.__traceback__ = kept
            causes = (link.__cause__, link.__context__)
            links += [each for each in causes if each is not None and each not in links]

    def over_logs(self) -> Callable[[], None]:
        """Keeps the key out of what the libraries below log, until the result is called."""
        end = ExitStack()
        for logger in map(logging.getLogger, LIBRARIES):
            logger.addFilter(self._clean)
            end.callback(logger.removeFilter, self._clean)
        for logger in map(logging.getLogger, HEADER_LOGS):
            logger.addFilter(_is_no_header)
        return end.close

    def _clean(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if (clean := self.text(message)) != message:
            record.msg, record.args = clean, ()
        return True


def _steps(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _spelled(character: str) -> str:
    """A pattern for one character of the key, plain, in JSON, in HTML or in an address."""
    plain = re.escape(character)
    if character.isalnum():
        return plain
    in_form = r"|\+" if character == " " else ""
    code = ord(character)
    in_html = re.escape(html.escape(character))
    quoted = rf"\\{{0,{BACKSLASHES}}}(?:{plain}|u(?i:{code:04x}))"
    return rf"(?:{quoted}|%(?i:{code:02x})|{in_html}{in_form})"


def _is_no_header(record: logging.LogRecord) -> bool:
    """hpack writes every header that it encodes at the level DEBUG, the key among them."""
    return record.levelno > logging.DEBUG
