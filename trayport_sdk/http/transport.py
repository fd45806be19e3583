"""Sends one request over httpx and has its response read, or says exactly why not."""

from __future__ import annotations

import asyncio
import platform
import time
import weakref
from collections.abc import AsyncIterable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol, TypeVar, cast
from weakref import WeakSet

import httpx
from attrs import define
from pydantic import SecretStr
from trayport_spec import API_KEY_HEADER

from .. import __version__
from ..errors import (
    RequestContext,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportTimeoutError,
)
from ..telemetry.processes import OneThread, check_process
from ..telemetry.status import ConnectionCounts
from .body import ENCODINGS, ERROR_BYTES, Pipe, beginning
from .connections import Connections, distrust
from .hooks import EventHook, Hooks
from .messages import ApiRequest, ApiResponse
from .redaction import HIDDEN, Redaction
from .status_errors import api_error

Read = TypeVar("Read")
NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])
USER_AGENT = f"trayport-sdk/{__version__} Python/{platform.python_version()}"
UNCONNECTED = (httpx.ConnectTimeout, httpx.ConnectError, httpx.ProxyError)
UNREACHED = "check the address, the network, and whether a firewall is in between"
STARTED, WRITTEN = "http11.send_request_headers.started", "http11.send_request_headers.complete"
STARTED_IN_STREAM = "http2.send_request_headers.started"
WRITTEN_IN_STREAM = "http2.send_request_headers.complete"


class Writing(Protocol):
    """What is to be done right around the moment in which a request is written."""

    async def before_writing(self) -> None:
        """Called before; what it raises ends the request."""

    def after_writing(self) -> None:
        """Called after."""


class Transport:
    """The connections to both APIs, with the key.

    The key is added to a request right before it is sent, after every hook, and only when the
    request still leads where it should. Redirects are not followed.

    Attributes:
        loop: The event loop that it was used on, if it was.

    Args:
        key: The personal key.
        urls: The address of each API.
        connect_timeout: Seconds to wait for a connection.
        http2: Whether HTTP/2 is offered.
        max_connections: How many connections are open at once at most.
        keepalive: Seconds after which an idle connection is closed.
        hooks: What users hand over: httpx's event hooks, and a transport in place of its own.

    Raises:
        TrayportConfigurationError: A variable names a proxy or certificates that cannot be used.
    """

    def __init__(
        self,
        *,
        key: SecretStr,
        urls: Mapping[str, str],
        connect_timeout: float = 10.0,
        http2: bool = False,
        max_connections: int = 100,
        keepalive: float = 60.0,
        hooks: Hooks = Hooks(),  # noqa: B008
    ) -> None:
        self.urls = urls
        self.in_process = hooks.transport is not None
        self._key = key
        self._redaction = Redaction(key)
        self._hooks = hooks
        self._connect_timeout = connect_timeout
        self._http2 = http2
        self.loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._pipes = WeakSet[Pipe]()
        self._opened = self._requests = self._reused = 0
        self._connections = (
            None
            if hooks.transport
            else Connections(
                urls, http2=http2, max_connections=max_connections, keepalive=keepalive
            )
        )
        # With a transport of its own, it does not look at the variables of proxies.
        self._client = httpx.AsyncClient(
            transport=hooks.transport or self._connections, cookies=CookieJar(NO_COOKIES)
        )
        # A client that is not closed must not leave its key with the loggers.
        self._leave_logs = weakref.finalize(self, self._redaction.over_logs())

    @property
    def counts(self) -> ConnectionCounts:
        """How connections were used so far."""
        return ConnectionCounts(self._opened, self._requests, self._reused)

    def configure(self, *, connect_timeout: float) -> None:
        """Changes how long to wait for connections from now on."""
        self._connect_timeout = connect_timeout

    def check_usable(self) -> None:
        """Checks that this client can send from the event loop that is running.

        Raises:
            TrayportForkError: The process was forked from one that had used clients.
            TrayportConfigurationError: The client is closed, or belongs to another loop.
        """
        check_process()
        if self._is_closed:
            raise TrayportConfigurationError(
                "the client is closed", suggestion="make a new one, or close it later"
            )
        loop = asyncio.get_running_loop()
        if self.loop not in (None, loop):
            # Its connections belong to the first loop, and would fail one by one in this one.
            raise TrayportConfigurationError(
                "the client is in use by another event loop",
                suggestion="make one client per asyncio.run, or one asyncio.run for all calls",
            )
        self.loop = loop

    async def send(
        self,
        request: ApiRequest,
        context: RequestContext,
        read: Callable[[ApiResponse], Read],
        *,
        attempt: int = 1,
        silence: float = 60.0,
        within: float | None = None,
        writing: Writing | None = None,
        hook: EventHook | None = None,
    ) -> Read:
        """Sends the request once, and has its response read while it arrives.

        Args:
            request: What to send.
            context: The request, as messages and logs show it.
            read: Reads the response, in a thread; called when the head has come.
            attempt: Which attempt it is, from 1.
            silence: Seconds to wait for the next part of the response.
            within: Seconds that all of it may take, hooks included; None sets no end.
            writing: Called when there is a connection, right before and after the request is
                written to it.
            hook: One more event hook for its response, called after those of the user.

        Raises:
            TrayportAPIError: The service responded with an error.
            TrayportConnectionError: There was no response, or it broke off, or it took too long.
            TrayportConfigurationError: The request leads elsewhere than to the API, or a hook or
                the transport of the user failed.
        """
        self.check_usable()
        total = asyncio.timeout(within)
        exchange = _Exchange(request, context, attempt, silence, writing, hook)
        try:
            async with total:
                return await self._exchanged(exchange, read)
        except TimeoutError:
            if not total.expired():
                raise
        host = httpx.URL(self.urls[request.endpoint.api]).host
        if exchange.connecting:
            raise TrayportTimeoutError(
                f"no connection to {host} within the {within:g} seconds that were left",
                connected=False,
                context=context,
                suggestion=UNREACHED,
            )
        raise TrayportTimeoutError(
            f"the response of {host} took longer than {within:g} seconds",
            context=context,
            suggestion="ask for less at once, or allow it more time",
        )

    async def _exchanged(self, exchange: _Exchange, read: Callable[[ApiResponse], Read]) -> Read:
        context = exchange.context
        sent = self._built(exchange)
        if self._hooks.event_hooks:
            await self._hooks.before(sent, context)
        if exchange.writing is not None and (self._http2 or self.in_process):
            # Streams of HTTP/2 that begin must not wait, and other transports may tell nothing.
            await exchange.writing.before_writing()
            if self.in_process:
                exchange.writing.after_writing()
        sent.headers[API_KEY_HEADER] = self._key.get_secret_value()
        exchange.started = time.perf_counter()
        with self._explained(exchange):
            received = await self._client.send(sent, stream=True)
        try:
            self._hide_key(received)
            # Read before the hooks, which may change what they are given.
            status, headers = received.status_code, received.headers.copy()
            self._requests += 1
            if "network_stream" in received.extensions and not exchange.opened:
                self._reused += 1
            encoding = headers.get("Content-Encoding", "")
            received.request.headers[API_KEY_HEADER] = HIDDEN
            raw: AsyncIterable[bytes] = cast("httpx.AsyncByteStream", received.stream)
            hook = exchange.hook
            hooks = self._hooks if hook is None else self._hooks.joined_by(hook)
            if hooks.event_hooks:
                with self._explained(exchange):
                    raw = await hooks.after(received, context)
            if status == HTTPStatus.OK:
                request = exchange.request
                response = ApiResponse(request, context, self._redaction, (), encoding)
                with self._explained(exchange):
                    return await _read_arriving(raw, response, read, exchange.started, self._pipes)
            body = self._redaction.body(beginning(await _first_chunks(raw), encoding))
        except TrayportDecodeError:
            distrust(received)  # perhaps it was the response to another request
            raise
        finally:
            await received.aclose()
        raise api_error(
            status,
            headers,
            body,
            context,
            request=exchange.request,
            address=self.urls[exchange.request.endpoint.api],
        )

    def _hide_key(self, received: httpx.Response) -> None:
        """Takes the key out of all of a response but its body."""
        received.next_request = None  # into which httpx copies the key, for any host
        heads, encoding = received.headers.multi_items(), received.headers.encoding
        received.headers = httpx.Headers(
            [(name, self.redact(text)) for name, text in heads], encoding
        )
        reason = received.extensions.get("reason_phrase", b"").decode("latin-1")
        received.extensions["reason_phrase"] = self.redact(reason).encode("latin-1")

    def _built(self, exchange: _Exchange) -> httpx.Request:
        address = self.urls[exchange.request.endpoint.api]

        async def trace(step: str, details: Mapping[str, Any]) -> None:
            if step.endswith("connect_tcp.started"):
                exchange.connecting = True
            elif step.endswith("connect_tcp.complete"):
                exchange.opened = True
                self._opened += 1
            elif step in (STARTED, STARTED_IN_STREAM):
                # A proxy may be asked for a tunnel first.
                exchange.connecting = details["request"].method != b"GET"
            if exchange.writing is None or exchange.connecting:
                return
            if step == STARTED:
                before = time.perf_counter()
                await exchange.writing.before_writing()
                exchange.started += time.perf_counter() - before
            elif step in (WRITTEN, WRITTEN_IN_STREAM):
                exchange.writing.after_writing()

        try:
            built = self._client.build_request(
                "GET",
                address + exchange.request.url,
                params=exchange.request.parameters,
                headers={
                    "Accept-Encoding": ", ".join(ENCODINGS),
                    "Accept": exchange.request.media_type,
                    "User-Agent": USER_AGENT,
                },
                timeout=httpx.Timeout(exchange.silence, connect=self._connect_timeout, pool=None),
                extensions={"trace": trace, "trayport": exchange.shown},
            )
        except httpx.InvalidURL as error:
            raise TrayportConfigurationError(
                f"the request has no valid address: {error}",
                context=exchange.context,
                suggestion="ask for less at once, or check the address of the API",
            ) from error
        if not _leads_to(built.url, httpx.URL(address)):
            # A request may be read from a file, whose author must not get the key.
            raise TrayportConfigurationError(
                f"the request leads elsewhere than to {address}, so it was not sent",
                context=exchange.context,
                suggestion="check where the path comes from",
            )
        return built

    @contextmanager
    def _explained(self, exchange: _Exchange) -> Generator[None]:
        """Turns the errors of the connection into those of this package."""
        context = exchange.context
        try:
            yield
        except TrayportConfigurationError as error:
            error.context = error.context or context
            self._redaction.chain(error)
            raise
        except httpx.HTTPError as error:
            # A proxy that is asked for a tunnel may be silent or break off as well.
            connected = not (exchange.connecting or isinstance(error, UNCONNECTED))
            said = self.redact(str(error)) or type(error).__name__
            kind: type[TrayportConnectionError]
            if isinstance(error, httpx.TimeoutException):
                kind, message = TrayportTimeoutError, f"no response in time: {said}"
                advice = "ask for less at once, or raise the timeout" if connected else UNREACHED
            else:
                kind, message = TrayportConnectionError, f"the connection failed: {said}"
                advice = "try again; if it goes on, check the address and the network"
            raise kind(
                message, connected=connected, context=context, suggestion=advice
            ) from self._without_key(error)
        except BaseException as error:
            self._redaction.chain(error)
            raise

    @property
    def has_hooks(self) -> bool:
        """Whether users change requests or responses, or are called about them."""
        return self._hooks != Hooks()

    def has_key(self, text: str) -> bool:
        """Whether a text has the key in it, as it is."""
        return self._key.get_secret_value() in text

    def redact(self, text: str) -> str:
        """The text, with the key taken out of it."""
        return self._redaction.text(text)

    def _without_key(self, error: httpx.HTTPError) -> httpx.HTTPError:
        """The error, with the key taken out of its whole chain of causes."""
        with suppress(RuntimeError):  # httpx: some errors have no request
            error.request.headers[API_KEY_HEADER] = HIDDEN
        self._redaction.chain(error)
        return error

    async def aclose(self) -> None:
        """Closes every connection."""
        self._is_closed = True
        await self._client.aclose()
        self._leave_logs()

    def abandon(self) -> None:
        """Closes every connection where the event loop that they belong to does not go on.

        A transport of the user is left to the user.
        """
        self._is_closed = True
        for pipe in list(self._pipes):
            pipe.interrupt()
        if self._connections is not None:
            self._connections.abandon()
        self._leave_logs()


@define
class _Exchange:
    """One request that is being sent, for the first time or again."""

    request: ApiRequest
    context: RequestContext
    attempt: int
    silence: float
    writing: Writing | None = None
    hook: EventHook | None = None
    started: float = 0.0
    opened: bool = False
    connecting: bool = False

    @property
    def shown(self) -> Mapping[str, object]:
        """What hooks and transports find under `request.extensions["trayport"]`."""
        return {
            "endpoint": self.context.endpoint,
            "correlation_id": self.context.correlation_id,
            "attempt": self.attempt,
        }


def _leads_to(url: httpx.URL, address: httpx.URL) -> bool:
    """Whether an address is that of an API or below it."""
    below = address.raw_path.rstrip(b"/") + b"/"
    return (
        (url.scheme, url.userinfo, url.host, url.port)
        == (address.scheme, address.userinfo, address.host, address.port)
    ) and url.raw_path.startswith(below)


async def _first_chunks(raw: AsyncIterable[bytes]) -> Sequence[bytes]:
    """The beginning of an error's body, as far as it can be read: the status says the rest."""
    chunks: list[bytes] = []
    size = 0
    with suppress(httpx.HTTPError):
        async for chunk in raw:
            chunks.append(chunk)
            size += len(chunk)
            if size > ERROR_BYTES:
                break
    return chunks


async def _read_arriving(
    raw: AsyncIterable[bytes],
    response: ApiResponse,
    read: Callable[[ApiResponse], Read],
    started: float,
    pipes: WeakSet[Pipe],
) -> Read:
    """What is made of a response, which a thread reads while it arrives, as fast as it can.

    Raises:
        httpx.HTTPError: The body broke off.
        TrayportDecodeError: It is not what it should be; the rest of it is not waited for.
    """
    pipe = Pipe()
    pipes.add(pipe)
    response.raw, response.check = pipe, pipe.check

    def reading() -> Read:
        try:
            return read(response)
        finally:
            pipe.abandon()

    async def filling() -> None:
        async for chunk in raw:
            response.bytes_received += len(chunk)
            await pipe.put(chunk)
        response.seconds = time.perf_counter() - started
        pipe.finish()

    # A thread for each response that arrives; most of the time it waits for the network.
    thread = OneThread("trayport-read", stop=pipe.interrupt)
    result = asyncio.get_running_loop().run_in_executor(thread, reading)
    # Retrieved here: when the connection breaks, nothing else awaits it.
    result.add_done_callback(lambda done: done.cancelled() or done.exception())
    fill = asyncio.create_task(filling())
    either: set[asyncio.Future[Any]] = {fill, result}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if fill.done():
            fill.result()
        return await result
    finally:
        pipe.interrupt()
        fill.cancel()
        await asyncio.wait({fill})
