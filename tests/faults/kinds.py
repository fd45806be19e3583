"""Every kind of fault of the sandbox, in its variants, and what the documentation says of each."""

from __future__ import annotations

from http import HTTPStatus

from attrs import frozen

from trayport_sdk import (
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
)
from trayport_sdk.http.retry import MALFORMED_RETRIES
from trayport_sdk.sandbox import Fault

RETRIES, FORBIDDEN_RETRIES = 2, 1
"""Of the clients; fewer than by default, so that there are fewer requests to wait for."""
BEYOND = 10_000.0
"""Seconds that no budget has."""


@frozen
class Expected:
    """What a fault is, and what comes of it.

    Attributes:
        fault: The fault, once.
        error: What a request that keeps meeting it ends in; None where it does no harm.
        attempts: How often such a request is sent.
    """

    fault: Fault
    error: type[TrayportError] | None = None
    attempts: int = 1

    @property
    def passes(self) -> bool:
        """Whether a request that meets it once is sent again, so that nothing is missing."""
        return self.error is None or self.attempts > 1


def _status(
    status: int, error: type[TrayportError] = TrayportAPIError, attempts: int = 1, **values: object
) -> Expected:
    return Expected(Fault("status", status=status, **values), error, attempts)  # type: ignore[arg-type]


def _named(status: int, words: str = "") -> str:
    return f"{status} {HTTPStatus(status).phrase.lower() if status != 520 else ''} {words}".strip()


SENT = RETRIES + 1
BROKEN = (TrayportConnectionError, SENT)
MALFORMED = (TrayportDecodeError, MALFORMED_RETRIES + 1)
FORBIDDEN = (TrayportAuthorizationError, FORBIDDEN_RETRIES + 1)
SERVER = (TrayportServerError, SENT)
LIMITED = (TrayportRateLimitError, SENT)

FAULTS: dict[str, Expected] = {
    "delay": Expected(Fault("delay", seconds=20)),
    "delay beyond the budget": Expected(Fault("delay", seconds=BEYOND), TrayportTimeoutError),
    "drip": Expected(Fault("drip", chunk=4096, bytes_per_second=1e4)),
    "reset before the head": Expected(Fault("reset"), *BROKEN),
    "reset after 9 bytes": Expected(Fault("reset", after_bytes=9), *BROKEN),
    "reset after 9 of the announced bytes": Expected(
        Fault("reset", after_bytes=9, framing="content-length"), *BROKEN
    ),
    "cut at once": Expected(Fault("cut", after_bytes=0), *BROKEN),
    "cut in the middle": Expected(Fault("cut"), *BROKEN),
    "cut in the middle of the announced bytes": Expected(
        Fault("cut", framing="content-length"), *BROKEN
    ),
    "a byte less than announced": Expected(Fault("wrong-length", length_error=1), *BROKEN),
    "a byte more than announced": Expected(Fault("wrong-length", length_error=-1), *BROKEN),
    "200 without a body": _status(200, *MALFORMED, empty=True),
    "204 without a body": _status(204, empty=True),
    "400": _status(400),
    "401": _status(401, TrayportAuthenticationError),
    "403": _status(403, *FORBIDDEN),
    "404": _status(404, TrayportNotFoundError),
    "408": _status(408, TrayportAPIError, SENT),
    "413": _status(413),
    "429": _status(429, *LIMITED),
    "429, Retry-After: a date": _status(429, *LIMITED, retry_after=90, retry_after_date=True),
    "429, Retry-After beyond the budget": _status(429, TrayportRateLimitError, retry_after=BEYOND),
    "500": _status(500, *SERVER),
    "502": _status(502, *SERVER),
    "503": _status(503, *SERVER),
    "503 without a body": _status(503, *SERVER, empty=True),
    "503, Retry-After: 5": _status(503, *SERVER, retry_after=5),
    "503, Retry-After beyond the budget": _status(503, TrayportServerError, retry_after=BEYOND),
    "504": _status(504, *SERVER),
    "too fast": Expected(Fault("too-fast"), *FORBIDDEN),
    "too fast, Retry-After: 5": Expected(Fault("too-fast", retry_after=5), *FORBIDDEN),
    "page with 200": Expected(Fault("html"), *MALFORMED),
    "page with 502": Expected(Fault("html", status=502), *SERVER),
    "malformed": Expected(Fault("malformed"), *MALFORMED),
    "unknown field": Expected(Fault("unknown-field")),
    "unknown venue": Expected(Fault("unknown-venue")),
    "null": Expected(Fault("null"), *MALFORMED),
}
