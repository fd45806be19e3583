"""Sends one request and reads the whole answer, or says exactly why not."""

from __future__ import annotations

import asyncio
import platform
import ssl
import time
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TypeVar

import httpcore
import httpx
from trayport_spec import API_KEY_HEADER

from .. import __version__
from ..errors import (
    RequestContext,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportTimeoutError,
)
from ..telemetry.status import ConnectionCounts
from .arenas import spare_addresses
from .connections import Connections, Origin, address_of, proxy_of
from .decompress import ENCODINGS
from .messages import READ_OF_ERRORS, ApiRequest, ApiResponse, Attempt, touches_current_day
from .middleware import Middleware, Request, Response, informed, prepared
from .reading import streamed
from .redaction import HIDDEN, Redaction
from .status_errors import api_error

Read = TypeVar("Read")

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

    Raises:
        TrayportConfigurationError: The proxy that the surroundings set cannot be used.
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
        self._redaction = Redaction(key)
        self._middleware = tuple(middleware)
        self._connect_timeout = connect_timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._requests = self._reused = 0
        self._used = weakref.WeakSet[httpcore.AsyncNetworkStream]()
        self._connections: Connections | None = None
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
        if transport is None:
            pool = Connections(http2=http2, maximum=max_connections, keepalive=keepalive)
            self._connections = transport = pool
            mounts = {
                address_of(url): pool.through(proxy) if (proxy := proxy_of(url)) else None
                for url in urls.values()
            }
        # A client that is not closed must not leave its key with the loggers.
        self._leave_logs = weakref.finalize(self, self._redaction.over_logs())
        spare_addresses()
        # A thread for each answer that arrives; most of the time it waits for the network.
        self._readers = ThreadPoolExecutor(max_connections, "trayport-read")
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
        return ConnectionCounts(opened, self._requests, self._reused)

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

    async def send(
        self, call: ApiRequest, attempt: Attempt, read: Callable[[ApiResponse], Read]
    ) -> Read:
        """Sends the request once, and has its answer read while it arrives.

        Args:
            call: What to send.
            attempt: Which attempt of the call it is, and how long it may take.
            read: What to make of the answer, in a thread; it is called when the head has come.

        Raises:
            TrayportAPIError: The service answered with an error.
            TrayportConnectionError: No answer came, or it broke off, or it took too long.
            TrayportConfigurationError: The request leads elsewhere than to the API.
        """
        self.check_usable()
        total = asyncio.timeout(attempt.seconds)
        try:
            async with total:
                return await self._answered(call, attempt, read)
        except TimeoutError:
            if not total.expired():  # it is middleware's own
                raise
        raise TrayportTimeoutError(
            f"the answer took longer than {attempt.seconds:g} seconds",
            context=attempt.context,
            suggestion="ask for less at once, or allow it more time",
        )

    async def _answered(
        self, call: ApiRequest, attempt: Attempt, read: Callable[[ApiResponse], Read]
    ) -> Read:
        context = attempt.context
        built = self._built(call, attempt)
        asked = Request(
            endpoint=call.endpoint.path,
            url=self.redact(str(built.url)),
            parameters=context.parameters,
            headers={name: built.headers[name] for name in ("Accept", "User-Agent")},
            correlation_id=context.correlation_id,
            attempt=attempt.number,
        )
        if self._middleware:
            asked = await prepared(self._middleware, asked)
            built.headers.update(asked.headers)
        built.headers[API_KEY_HEADER] = self._key
        started = time.perf_counter()
        with self._explained(context):
            response = await self._client.send(built, stream=True)
        try:
            self._count(response)
            encoding = response.headers.get("Content-Encoding", "")
            answer = ApiResponse(call, context, self._redaction, (), encoding)
            is_right = response.status_code == HTTPStatus.OK
            if is_right and not self._middleware:
                with self._explained(context):
                    return await streamed(response, answer, read, self._readers, started)
            with self._explained(context):
                body = await (_held(response, answer) if is_right else _first_part(response))
        finally:
            await response.aclose()
        answer.seconds = time.perf_counter() - started
        if self._middleware:
            headers = {n: self.redact(value) for n, value in response.headers.items()}
            shown = self._redaction.body(body)
            seen = Response(asked, response.status_code, headers, shown, answer.seconds)
            await informed(self._middleware, seen)
        if is_right:
            return await asyncio.get_running_loop().run_in_executor(self._readers, read, answer)
        raise api_error(
            response.status_code,
            response.headers,
            self._redaction.body(body),
            context,
            current_day=touches_current_day(call),
        )

    @contextmanager
    def _explained(self, context: RequestContext) -> Generator[None]:
        """Turns the errors of the connection into those of this package.

        Nothing of the user's runs in here: what middleware raises is not the connection's.
        """
        try:
            yield
        except httpx.TimeoutException as error:
            raise TrayportTimeoutError(
                f"no answer in time ({type(error).__name__})",
                connected=not isinstance(error, httpx.ConnectTimeout),
                context=context,
                suggestion="ask for less at once, or raise the timeout",
            ) from self._without_key(error)
        except httpx.HTTPError as error:
            raise TrayportConnectionError(
                f"the connection failed: {self.redact(str(error)) or type(error).__name__}",
                connected=not isinstance(error, httpx.ConnectError | httpx.ProxyError),
                context=context,
                suggestion="try again; if it goes on, check the address and the network",
            ) from self._without_key(error)

    def _built(self, call: ApiRequest, attempt: Attempt) -> httpx.Request:
        address = self.urls[call.endpoint.api]
        try:
            built = self._client.build_request(
                "GET",
                address + call.url,
                params=call.parameters,
                headers={
                    "Accept-Encoding": ", ".join(ENCODINGS),
                    "Accept": call.media_type,
                    "User-Agent": USER_AGENT,
                },
                timeout=httpx.Timeout(attempt.timeout, connect=self._connect_timeout, pool=None),
            )
        except httpx.InvalidURL as error:
            raise TrayportConfigurationError(
                f"the request has no valid address: {error}",
                context=attempt.context,
                suggestion="ask for less at once, or check the address of the API",
            ) from error
        if not _leads_to(built.url, httpx.URL(address)):
            # A call may come from a file, and who has written that must not get the key.
            raise TrayportConfigurationError(
                f"the request leads elsewhere than to {address}, so it was not sent",
                context=attempt.context,
                suggestion="check where the path comes from",
            )
        return built

    def _count(self, response: httpx.Response) -> None:
        """Counts a request when its answer has begun, and whether its connection is a new one."""
        self._requests += 1
        stream = response.extensions.get("network_stream")
        if stream is None:
            return
        if stream in self._used:
            self._reused += 1
        self._used.add(stream)

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
        return self._redaction.text(text)

    def _without_key(self, error: httpx.HTTPError) -> httpx.HTTPError:
        """The error, which shows no key to whoever prints the chain of causes."""
        with suppress(RuntimeError):  # httpx: some errors have no request
            error.request.headers[API_KEY_HEADER] = HIDDEN
        self._redaction.chain(error)
        return error

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._client.aclose()
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._leave_logs()


def _leads_to(url: httpx.URL, address: httpx.URL) -> bool:
    """Whether an address is that of an API or below it."""
    below = address.raw_path.rstrip(b"/") + b"/"
    return (
        (url.scheme, url.userinfo, url.host, url.port)
        == (address.scheme, address.userinfo, address.host, address.port)
    ) and url.raw_path.startswith(below)


async def _held(response: httpx.Response, answer: ApiResponse) -> bytes:
    """The whole body of an answer, which holds it from now on."""
    raw = [chunk async for chunk in response.aiter_raw()]
    answer.raw, answer.bytes_received = raw, sum(map(len, raw))
    return await asyncio.to_thread(lambda: answer.body)


async def _first_part(response: httpx.Response) -> bytes:
    """The beginning of an error's body, as far as it can be read: the status says the rest."""
    body = b""
    with suppress(httpx.HTTPError):
        async for part in response.aiter_bytes():
            body += part
            if len(body) > READ_OF_ERRORS:
                break
    return body
