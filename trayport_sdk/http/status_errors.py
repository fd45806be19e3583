"""What a status other than 200 means: which error it is, and whether the key is too fast."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from ..errors import (
    QUOTED_CHARACTERS,
    RequestContext,
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
)
from .messages import NOT_THE_API, PAGE, ApiRequest, is_page

# What a proxy or a gateway asks for, and the API does not.
LOGIN = re.compile("basic|digest|negotiate|ntlm", re.IGNORECASE)
INTRADAY = (
    "intraday data needs a key with the right to it, or the local gateway: leave the setting "
    "intraday off and end at the start of the current day in UTC; if that is refused as well, the "
    "key is wrong"
)
_MEANING: Mapping[int, tuple[type[TrayportAPIError], str, str]] = {
    400: (
        TrayportAPIError,
        "the request breaks a rule of the API",
        "change what the response names; the same request would fail again",
    ),
    401: (TrayportAuthenticationError, "the key was refused", "check the key"),
    403: (
        TrayportAuthorizationError,
        "access was refused",
        "the key is not entitled to this data, or it sent too fast: the service says the same "
        "of both",
    ),
    404: (
        TrayportNotFoundError,
        "nothing has this id",
        "check the ids, that the sequence belongs to the product, and the address of the API",
    ),
    407: (
        TrayportAPIError,
        "a proxy wants a login",
        "write user:password@ before its host in HTTPS_PROXY, or ask whoever runs it",
    ),
    429: (TrayportRateLimitError, "the allowance of the key is used up", "wait, then try again"),
}
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LONGEST_REQUESTED_PAUSE = 3600.0
_RATE_LIMIT_WORDS = (
    "too many", "too fast", "rate limit", "rate exceeded", "throttl", "quota",
)  # fmt: skip


class _Problem(msgspec.Struct):
    title: str | None = None
    detail: str | None = None
    errors: dict[str, list[str] | str] = {}


# Made once, because msgspec crashes when two threads are the first to use a class.
_PROBLEM = msgspec.json.Decoder(_Problem)


def api_error(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    context: RequestContext,
    *,
    request: ApiRequest | None = None,
    address: str = "",
    now: datetime | None = None,
) -> TrayportAPIError:
    """The error for a response that is not 200, with what its body says.

    Args:
        status: The status.
        headers: The headers.
        body: The beginning of the body, without compression.
        context: The request, as messages show it.
        request: The request, which shows what a 401 means: that the key is wrong, or that it may
            not see data of the current day [observed].
        address: The address of the API that was asked.
        now: The local time.
    """
    now = now or datetime.now(UTC)
    kind, meaning, suggestion = _MEANING.get(
        status, (TrayportAPIError, "the response was not expected", "check the address of the API")
    )
    text = body.decode(errors="replace")
    problem = _problem(body)
    if 500 <= status <= 599:
        kind, meaning, suggestion = TrayportServerError, "the service failed", "try again later"
    elif status == HTTPStatus.REQUEST_TIMEOUT:
        meaning, suggestion = "the service waited too long for the request", "try again"
    elif status == HTTPStatus.UNAUTHORIZED and LOGIN.match(headers.get("WWW-Authenticate", "")):
        meaning, suggestion = "a login is wanted, which no key is", NOT_THE_API
    elif 300 <= status <= 399 and (host := _host(headers.get("Location"))):
        meaning = f"the response leads to {host}, where the key does not go"
        suggestion = NOT_THE_API
    elif is_page(body) and status != HTTPStatus.TOO_MANY_REQUESTS:
        meaning, suggestion = PAGE, f"{NOT_THE_API}; if it was the API, {suggestion}"
    elif status == HTTPStatus.NOT_FOUND and problem == _Problem() and address:
        meaning = f"nothing is there at {address}"
        suggestion = "check the address of the API, then the ids, and that they belong together"
    elif status == HTTPStatus.UNAUTHORIZED and request is not None:
        meaning, suggestion = _unauthorized(request, headers.get("Date"), now)
    errors = {
        name: (messages,) if isinstance(messages, str) else tuple(messages)
        for name, messages in problem.errors.items()
    }
    if errors:
        said = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in errors.items())
    else:
        quoted = " ".join(text[:QUOTED_CHARACTERS].split())
        said = problem.detail or problem.title or quoted or "no body"
    if len(said) > QUOTED_CHARACTERS:
        said = f"{said[:QUOTED_CHARACTERS]} ..."
    # A date is meant by the clock of the service, which may be another than ours.
    theirs = _moment(headers.get("Date")) or now
    wait = retry_after(headers.get("Retry-After"), theirs.timestamp())
    error = kind(
        f"{status}, {meaning}: {said}",
        status_code=status,
        body=text,
        errors=errors,
        context=context,
        retry_after=wait,
        suggestion=suggestion if wait is None else f"wait {wait:g} seconds, then try again",
    )
    error.retryable |= status == HTTPStatus.REQUEST_TIMEOUT
    return error


def _unauthorized(request: ApiRequest, date: str | None, now: datetime) -> tuple[str, str]:
    """What a 401 means, and what to do. The clock of the service shows whether ours is ahead."""
    clock = _moment(date)
    late = None if clock is None else request.end_after_data(clock)
    if clock is None or late is None or request.end_after_data(now) is not None:
        _, meaning, suggestion = _MEANING[HTTPStatus.UNAUTHORIZED]
        return meaning, INTRADAY if request.touches_current_day(now) else suggestion
    name, end, last = late
    ahead = f"{max(1, round((now - clock).total_seconds())):,} s"
    return (
        f"{name} {end} lies after {last}, where the data ends by the clock of the service: the "
        f"local clock is {ahead} ahead",
        f"set the clock, or give {name}={last!r}; left out, it is taken from the local clock. If "
        "that is refused as well, check the key",
    )


def _host(location: str | None) -> str:
    """The host that a redirect leads to, without what might be secret."""
    try:
        return urlsplit(location or "").hostname or ""
    except ValueError:
        return ""


def _moment(date: str | None) -> datetime | None:
    """The time of an HTTP date, in UTC, or None where it is none."""
    try:
        moment = parsedate_to_datetime(date or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, ArithmeticError, LookupError):
        # The parser knows no other way to say that a text is no date.
        return None


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds in a `Retry-After` header, given as seconds or as an HTTP date in UTC."""
    if value is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value.strip(), re.ASCII):
        return min(float(value), sys.float_info.max)
    moment = _moment(value)
    return None if moment is None else max(0.0, moment.timestamp() - now)


def is_rate_limited(error: TrayportAPIError, *, had_access: bool = False) -> bool:
    """Whether an error means that the key sends too fast.

    The live service says 403 to keys that are too fast as well as to keys without the right
    [observed]. It means too fast if it says so, or if the key had access before.
    """
    if isinstance(error, TrayportRateLimitError):
        return True
    if not isinstance(error, TrayportAuthorizationError):
        return False
    text = error.body.lower()
    return (
        had_access
        or error.retry_after is not None
        or any(words in text for words in _RATE_LIMIT_WORDS)
    )


def pause_after(error: TrayportAPIError, attempt: int, forbidden_wait: float) -> float:
    """Seconds that all requests of the key pause: as requested, or doubled with each attempt."""
    if error.retry_after is not None:
        return min(LONGEST_REQUESTED_PAUSE, error.retry_after)
    first = forbidden_wait if isinstance(error, TrayportAuthorizationError) else FIRST_PAUSE
    return min(LONGEST_PAUSE, first * 2.0 ** (attempt - 1))


def _problem(body: bytes) -> _Problem:
    """The problem document in a body, or an empty one when the body is something else."""
    try:
        return _PROBLEM.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Problem()
