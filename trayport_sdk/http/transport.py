"""Sends one request and reads the whole answer, or says exactly why not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import uuid4

import httpx
import msgspec
from attrs import field, frozen
from trayport_spec import API_KEY_HEADER, ENDPOINTS, Endpoint

from ..errors import (
    QUOTED_CHARACTERS,
    RequestContext,
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportConnectionError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
)

if TYPE_CHECKING:
    from .limiter import RequestLimiter

MAX_CONNECTIONS = 100


@frozen
class Call:
    """One request to send: the operation and the arguments the generated builder made of it."""

    endpoint: Endpoint
    url: str
    parameters: Mapping[str, str | tuple[str, ...]]

    @classmethod
    def of(cls, operation_id: str, kwargs: Mapping[str, Any]) -> Self:
        """The call that the keyword arguments of a generated builder describe."""
        endpoint = ENDPOINTS[operation_id]
        values: Mapping[str, Any] = kwargs.get("params", {})
        return cls(
            endpoint, kwargs["url"], {name: _text(endpoint, name, v) for name, v in values.items()}
        )

    @property
    def shown(self) -> dict[str, str]:
        """The query for messages, with the values of a list in one text."""
        return {n: v if isinstance(v, str) else ",".join(v) for n, v in self.parameters.items()}


def _text(endpoint: Endpoint, name: str, value: object) -> str | tuple[str, ...]:
    if isinstance(value, list):
        texts = tuple(_scalar(item) for item in cast("list[object]", value))
        return ",".join(texts) if endpoint.parameter(name).separator == "comma" else texts
    return _scalar(value)


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@frozen
class Answer:
    """A whole answer with status 200."""

    call: Call
    context: RequestContext
    body: bytes = field(repr=False)
    bytes_received: int
    seconds: float


class Transport:
    """The connections to both APIs, with the key.

    The key is sent to the two configured addresses and nowhere else: redirects are not followed.
    """

    def __init__(
        self,
        *,
        key: str,
        urls: Mapping[str, str],
        timeout: float,
        connect_timeout: float,
        http2: bool,
        limiter: RequestLimiter | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._urls = urls
        self._limiter = limiter
        self._key = key
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=connect_timeout),
            http2=http2,
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS
            ),
            transport=transport,
            follow_redirects=False,
        )

    async def send(self, call: Call) -> Answer:
        """Waits for the limiter, sends the request and reads the whole answer.

        Raises:
            TrayportAPIError: The service answered with an error.
            TrayportConnectionError: No answer came, or it broke off.
        """
        context = RequestContext(call.endpoint.path, call.shown, uuid4().hex)
        if self._limiter is not None:
            await self._limiter.acquire()
        started = time.perf_counter()
        try:
            response = await self._client.get(
                self._urls[call.endpoint.api] + call.url,
                params=call.parameters,
                headers={API_KEY_HEADER: self._key, "Accept": call.endpoint.media_types[0]},
            )
        except httpx.TimeoutException as error:
            raise TrayportTimeoutError(
                f"no answer in time ({type(error).__name__})",
                context=context,
                suggestion="ask for less at once, or raise the timeout",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TrayportConnectionError(
                f"the connection failed: {error or type(error).__name__}",
                context=context,
                suggestion="try again; if it goes on, check the address and the network",
            ) from error
        if response.status_code != HTTPStatus.OK:
            raise api_error(response, context)
        return Answer(
            call=call,
            context=context,
            body=response.content,
            bytes_received=response.num_bytes_downloaded,
            seconds=time.perf_counter() - started,
        )

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._client.aclose()


_MEANING: Mapping[int, tuple[type[TrayportAPIError], str, str]] = {
    400: (TrayportAPIError, "the request breaks a rule of the API", ""),
    401: (
        TrayportAuthenticationError,
        "the key was refused",
        "check the key; data after the start of the current day in UTC needs intraday rights",
    ),
    403: (
        TrayportAuthorizationError,
        "access was refused",
        "the key may not be entitled to this data, or requests came too fast",
    ),
    404: (
        TrayportNotFoundError,
        "nothing has this id",
        "check the ids, and that the sequence belongs to the product",
    ),
    429: (TrayportRateLimitError, "the allowance of the key is used up", "wait, then try again"),
}


class _Problem(msgspec.Struct):
    title: str | None = None
    detail: str | None = None
    errors: dict[str, list[str] | str] = {}


def api_error(response: httpx.Response, context: RequestContext) -> TrayportAPIError:
    """The error for an answer that is not 200, with what its body says."""
    status = response.status_code
    kind, meaning, suggestion = _MEANING.get(
        status, (TrayportAPIError, "the answer was not expected", "")
    )
    if status >= 500:
        kind, meaning, suggestion = TrayportServerError, "the service failed", "try again later"
    problem = _problem(response.content)
    errors = {
        name: (messages,) if isinstance(messages, str) else tuple(messages)
        for name, messages in problem.errors.items()
    }
    if errors:
        said = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in errors.items())
    else:
        body = " ".join(response.text[:QUOTED_CHARACTERS].split())
        said = problem.detail or problem.title or body or "no body"
    error = kind(
        f"{status}, {meaning}: {said}",
        status_code=status,
        body=response.text,
        errors=errors,
        context=context,
        suggestion=suggestion,
    )
    if isinstance(error, TrayportRateLimitError):
        seconds = response.headers.get("Retry-After", "")
        error.retry_after = float(seconds) if seconds.isascii() and seconds.isdigit() else None
    return error


def _problem(body: bytes) -> _Problem:
    """The problem document in a body, or an empty one when the body is something else."""
    try:
        return msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Problem()
