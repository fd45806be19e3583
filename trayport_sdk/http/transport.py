"""Sends one request and reads the whole answer, or says exactly why not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from uuid import uuid4

import httpx
from attrs import field, frozen
from trayport_spec import API_KEY_HEADER, ENDPOINTS, Endpoint

from ..errors import (
    QUOTED_CHARACTERS,
    RequestContext,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportTimeoutError,
)
from .problems import api_error

if TYPE_CHECKING:
    from .limiter import RequestLimiter

MAX_CONNECTIONS = 100
READ_OF_ERRORS = 1 << 16
HIDDEN = "[key]"

Decoded = TypeVar("Decoded")


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
    _redact: Callable[[str], str] = field(repr=False, alias="redact")

    def read(self, decoder: Callable[[str, bytes], Decoded]) -> Decoded:
        """What a decoder makes of the body, its error completed with the request."""
        try:
            return decoder(self.call.endpoint.operation_id, self.body)
        except TrayportDecodeError as error:
            error.context = self.context
            error.args = tuple(self._redact(str(argument)) for argument in error.args)
            # Redacted before it is cut: half a key is still a secret.
            beginning = self.body[:READ_OF_ERRORS].decode(errors="replace")
            error.body = self._redact(beginning)[:QUOTED_CHARACTERS]
            raise


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
        self._loop: asyncio.AbstractEventLoop | None = None
        for name in ("hpack.hpack", "hpack.table"):
            logging.getLogger(name).addFilter(_no_headers)
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
            TrayportConfigurationError: The client is closed.
        """
        self._check_usable()
        context = RequestContext(call.endpoint.path, call.shown, uuid4().hex)
        if self._limiter is not None:
            await self._limiter.acquire()
        started = time.perf_counter()
        try:
            return await self._exchange(call, context, started)
        except httpx.TimeoutException as error:
            raise TrayportTimeoutError(
                f"no answer in time ({type(error).__name__})",
                context=context,
                suggestion="ask for less at once, or raise the timeout",
            ) from _without_key(error)
        except httpx.HTTPError as error:
            raise TrayportConnectionError(
                f"the connection failed: {str(error) or type(error).__name__}",
                context=context,
                suggestion="try again; if it goes on, check the address and the network",
            ) from _without_key(error)
        except httpx.InvalidURL as error:
            raise TrayportConnectionError(
                f"the request has no valid address: {error}",
                context=context,
                suggestion="ask for less at once, or check the address of the API",
            ) from error

    def _check_usable(self) -> None:
        if self._client.is_closed:
            raise TrayportConfigurationError(
                "the client is closed", suggestion="make a new one, or close it later"
            )
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            # Its connections belong to the first loop, and would fail one by one in this one.
            raise TrayportConfigurationError(
                "the client is in use by another event loop",
                suggestion="make one client per asyncio.run, or one asyncio.run for all calls",
            )
        self._loop = loop

    async def _exchange(self, call: Call, context: RequestContext, started: float) -> Answer:
        request = self._client.build_request(
            "GET",
            self._urls[call.endpoint.api] + call.url,
            params=call.parameters,
            headers={API_KEY_HEADER: self._key, "Accept": call.endpoint.media_types[0]},
        )
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != HTTPStatus.OK:
                body = await _first_part(response)
                raise api_error(response.status_code, response.headers, self._clean(body), context)
            body = await response.aread()
        finally:
            await response.aclose()
        return Answer(
            call=call,
            context=context,
            body=body,
            bytes_received=response.num_bytes_downloaded,
            seconds=time.perf_counter() - started,
            redact=self._redact,
        )

    def _redact(self, text: str) -> str:
        return text.replace(self._key, HIDDEN)

    def _clean(self, body: bytes) -> bytes:
        return body.replace(self._key.encode(), HIDDEN.encode())

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._client.aclose()


async def _first_part(response: httpx.Response) -> bytes:
    """The beginning of an error's body, as far as it can be read: the status says the rest."""
    body = b""
    with suppress(httpx.HTTPError):
        async for part in response.aiter_bytes():
            body += part
            if len(body) > READ_OF_ERRORS:
                break
    return body


def _without_key(error: httpx.HTTPError) -> httpx.HTTPError:
    """The error, whose request shows no key to whoever prints the chain of causes."""
    with suppress(RuntimeError):  # httpx: some errors have no request
        error.request.headers[API_KEY_HEADER] = HIDDEN
    return error


class _NoHeaders(logging.Filter):
    """Keeps out the lines in which hpack writes every header it encodes, the key among them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


_no_headers = _NoHeaders()
