"""Sends one request and reads the whole answer, or says exactly why not."""

from __future__ import annotations

import asyncio
import logging
import platform
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

import httpcore
import httpx
from trayport_spec import API_KEY_HEADER

from .. import __version__
from ..errors import (
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportTimeoutError,
)
from .calls import HIDDEN, READ_OF_ERRORS, Answer, Attempt, Call, touches_current_day
from .connections import ConnectionCounts, Connections, Origin, proxy_of
from .middleware import Middleware, Request, Response, informed, prepared
from .problems import api_error

USER_AGENT = f"trayport-sdk/{__version__} Python/{platform.python_version()}"


class Transport:
    """The connections to both APIs, with the key.

    The key is sent to the two configured addresses and nowhere else: redirects are not followed.

    Args:
        key: The personal key.
        urls: The address of each API.
        connect_timeout: Seconds to wait for a connection.
        http2: Whether HTTP/2 is offered.
        max_connections: How many connections are open at once at most.
        keepalive: Seconds after which an idle connection is closed.
        middleware: What users put around every request.
        transport: What to send requests with instead of connections of our own.
    """

    def __init__(
        self,
        *,
        key: str,
        urls: Mapping[str, str],
        connect_timeout: float = 10.0,
        http2: bool = False,
        max_connections: int = 100,
        keepalive: float = 60.0,
        middleware: Sequence[Middleware] = (),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.urls = urls
        self._key = key
        self._middleware = tuple(middleware)
        self._connect_timeout = connect_timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._requests = 0
        self._connections: Connections | None = None
        mounts: dict[str, httpx.AsyncBaseTransport] = {}
        if transport is None:
            pool = Connections(http2=http2, maximum=max_connections, keepalive=keepalive)
            self._connections = transport = pool
            limits = httpx.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=keepalive,
            )
            for url in urls.values():
                if proxy := proxy_of(url):
                    mounts[f"all://{Origin.of(url).host}"] = httpx.AsyncHTTPTransport(
                        verify=pool.context, http2=http2, limits=limits, proxy=proxy
                    )
        for name in ("hpack.hpack", "hpack.table"):
            logging.getLogger(name).addFilter(_no_headers)
        self._client = httpx.AsyncClient(
            transport=transport, mounts=mounts, follow_redirects=False, trust_env=False
        )

    @property
    def in_process(self) -> bool:
        """Whether requests stay within this process."""
        return self._connections is None

    def ssl_context(self) -> ssl.SSLContext:
        """Which certificates are trusted."""
        pool = self._connections
        return httpx.create_ssl_context() if pool is None else pool.context

    @property
    def counts(self) -> ConnectionCounts:
        """How connections were used so far."""
        opened = 0 if self._connections is None else self._connections.opened
        return ConnectionCounts(opened, self._requests)

    def configure(self, *, connect_timeout: float) -> None:
        """Changes how long to wait for connections from now on."""
        self._connect_timeout = connect_timeout

    def check_usable(self) -> None:
        """Checks that this client can send from the event loop that is running.

        Raises:
            TrayportConfigurationError: The client is closed, or belongs to another loop.
        """
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

    async def send(self, call: Call, attempt: Attempt) -> Answer:
        """Sends the request once and reads the whole answer.

        Raises:
            TrayportAPIError: The service answered with an error.
            TrayportConnectionError: No answer came, or it broke off.
        """
        self.check_usable()
        context = attempt.context
        try:
            return await self._exchange(call, attempt)
        except httpx.TimeoutException as error:
            raise TrayportTimeoutError(
                f"no answer in time ({type(error).__name__})",
                context=context,
                suggestion="ask for less at once, or raise the timeout",
            ) from _without_key(error)
        except httpx.HTTPError as error:
            raise TrayportConnectionError(
                f"the connection failed: {self.redact(str(error)) or type(error).__name__}",
                context=context,
                suggestion="try again; if it goes on, check the address and the network",
            ) from _without_key(error)
        except httpx.InvalidURL as error:
            raise TrayportConfigurationError(
                f"the request has no valid address: {error}",
                context=context,
                suggestion="ask for less at once, or check the address of the API",
            ) from error

    async def _exchange(self, call: Call, attempt: Attempt) -> Answer:
        timeout = httpx.Timeout(attempt.timeout, connect=self._connect_timeout, pool=None)
        built = self._client.build_request(
            "GET",
            self.urls[call.endpoint.api] + call.url,
            params=call.parameters,
            headers={"Accept": call.endpoint.media_types[0], "User-Agent": USER_AGENT},
            timeout=timeout,
        )
        asked = Request(
            endpoint=call.endpoint.path,
            url=str(built.url),
            parameters=attempt.context.parameters,
            headers={name: built.headers[name] for name in ("Accept", "User-Agent")},
            correlation_id=attempt.context.correlation_id,
            attempt=attempt.number,
        )
        if self._middleware:
            built.headers.update((await prepared(self._middleware, asked)).headers)
        built.headers[API_KEY_HEADER] = self._key
        self._requests += 1
        started = time.perf_counter()
        response = await self._client.send(built, stream=True)
        try:
            whole = response.status_code == HTTPStatus.OK
            body = await response.aread() if whole else await _first_part(response)
        finally:
            await response.aclose()
        seconds = time.perf_counter() - started
        if self._middleware:
            headers = {n: self.redact(value) for n, value in response.headers.items()}
            seen = Response(asked, response.status_code, headers, self._clean(body), seconds)
            await informed(self._middleware, seen)
        if not whole:
            raise api_error(
                response.status_code,
                response.headers,
                self._clean(body),
                attempt.context,
                current_day=touches_current_day(call),
            )
        return Answer(
            call=call,
            context=attempt.context,
            body=body,
            bytes_received=response.num_bytes_downloaded,
            seconds=seconds,
            redact=self.redact,
        )

    async def warm_up(self, wanted: int) -> int:
        """Opens connections to the Data Analytics API without sending anything.

        Raises:
            TrayportConnectionError: One could not be opened.
        """
        self.check_usable()
        url = self.urls["analytics"]
        if self._connections is None or proxy_of(url):
            return 0
        try:
            return await self._connections.warm_up(Origin.of(url), wanted, self._connect_timeout)
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise TrayportConnectionError(
                f"no connection to {Origin.of(url)}: {error}",
                suggestion="check the address and the network",
            ) from error

    def redact(self, text: str) -> str:
        """The text, with the key taken out of it."""
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
