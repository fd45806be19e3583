"""The connections to both APIs: pools of httpcore, and what is wrong where none can be made.

A connection is used again only if the response before was read to its very end and nothing has come
since; `network.Stream` sees to that. A pool is given up where httpcore would keep a part of it that
is of no use: over HTTP/2 a request that was cancelled keeps its place among those that the service
takes at once, and a tunnel that failed keeps its place among the connections.

Requests get their connections one after the other. httpcore would give one connection to all that
come before the first of them is written, of which each but one has to come again; and with each
that comes or ends it looks at every connection for every request that waits.
"""

from __future__ import annotations

import asyncio
import gc
import re
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import httpcore
import httpx
from attrs import define

from ..errors import TrayportConfigurationError
from . import tls
from .network import Network, Stream, TLSError
from .proxies import Proxy, proxy_for

# What a proxy may say to CONNECT that passes. The other statuses below 500 do not.
PASSING = {408, 425, 429, 500, 502, 503, 504}
# How httpcore says that a SOCKS proxy refuses a login, or a connection for good.
SOCKS_LOGIN = re.compile("Invalid username/password|Requested .* but got")
SOCKS_RULES = re.compile("ruleset|not supported")
# The libraries below httpcore, some of whose errors it lets through.
BELOW = {"h2", "hpack", "hyperframe", "socksio"}


@define(eq=False)
class _Pool:
    """Connections that are in use, or wait to be used again."""

    connections: httpcore.AsyncConnectionPool
    network: Network
    door: asyncio.Lock | None
    requests: int = 0

    async def send(self, request: httpx.Request) -> httpcore.Response:
        """Sends a request; the next one gets its connection once this one has its own."""
        if self.door is None:
            return await self.connections.handle_async_request(_for_httpcore(request))
        await self.door.acquire()
        entering = _Entering(self.door, request.extensions.get("trace"))
        request.extensions["trace"] = entering.trace
        try:
            return await self.connections.handle_async_request(_for_httpcore(request))
        finally:
            entering.end()

    async def aclose(self) -> None:
        await self.connections.aclose()
        self.network.abort()


@define
class _Entering:
    """A request that has no connection yet: the first step that is traced shows that it has."""

    door: asyncio.Lock
    inner: Callable[[str, Mapping[str, Any]], Awaitable[None]] | None
    is_over: bool = False

    async def trace(self, step: str, details: Mapping[str, Any]) -> None:
        self.end()
        if self.inner is not None:
            await self.inner(step, details)

    def end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.door.release()


class Connections(httpx.AsyncBaseTransport):
    """Sends requests to both APIs, through the proxies of the environment.

    Args:
        urls: The address of each API.
        http2: Whether HTTP/2 is offered.
        max_connections: How many connections are open at once at most, by each way.
        keepalive: Seconds after which an idle connection is closed.

    Raises:
        TrayportConfigurationError: A variable names a proxy or certificates that cannot be used.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        http2: bool = False,
        max_connections: int = 100,
        keepalive: float = 60.0,
    ) -> None:
        pool = partial(
            httpcore.AsyncConnectionPool,
            ssl_context=tls.context(http2=http2),
            http2=http2,
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=keepalive,
        )
        ways: dict[Proxy | None, _Way] = {}
        self._ways: dict[tuple[str, str, int | None], _Way] = {}
        for url in urls.values():
            proxy = proxy_for(url)
            if proxy not in ways:
                ways[proxy] = _Way(proxy, pool, http2=http2)
            self._ways[_origin(httpx.URL(url))] = ways[proxy]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request; its response is whole once the body was read to its end."""
        way = self._ways[_origin(request.url)]
        pool = way.pool
        pool.requests += 1
        try:
            with way.explained():
                response = await pool.send(request)
            if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and way.is_read(request):
                await response.aclose()
                raise way.refused_login(f"{response.status:d}")
        except BaseException:
            await way.release(pool, is_whole=False)
            raise
        extensions = cast("dict[str, Any]", response.extensions)
        stream = extensions["network_stream"]
        if isinstance(stream, Stream) and extensions["http_version"] != b"HTTP/2":
            stream.expect_body(response.status, httpx.Headers(response.headers))
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response, way, pool),
            extensions=extensions,
        )

    async def aclose(self) -> None:
        """Closes every connection."""
        for way in self._ways.values():
            await way.aclose()

    def abandon(self) -> None:
        """Closes every connection where the event loop that they belong to does not go on."""
        for way in self._ways.values():
            way.abandon()
        with warnings.catch_warnings():
            # The sockets of a closed loop are given back by the collector alone, which complains.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


class _Way:
    """How requests to an address go: directly, or through a proxy.

    Args:
        proxy: The proxy.
        make: Makes a pool.
        http2: Whether HTTP/2 is offered, of which a connection has many requests at once.
    """

    def __init__(
        self,
        proxy: Proxy | None,
        make: Callable[..., httpcore.AsyncConnectionPool],
        *,
        http2: bool,
    ) -> None:
        self._variable = "" if proxy is None else proxy.variable
        self._url = None if proxy is None else _parsed(proxy)
        self._make = make if self._url is None else partial(make, proxy=_for_pool(self._url))
        self._http2 = http2
        # Whether a request that ends early may leave something of it in its pool.
        self._leaves_parts = http2 or proxy is not None
        self._given_up = set[_Pool]()
        self.pool = self._new()

    def _new(self) -> _Pool:
        network = Network()
        door = None if self._http2 else asyncio.Lock()
        return _Pool(self._make(network_backend=network), network, door)

    async def release(self, pool: _Pool, *, is_whole: bool) -> None:
        """Called after each request: gives its pool up where something of it may be left."""
        pool.requests -= 1
        if pool is self.pool and not is_whole and self._leaves_parts:
            self._given_up.add(pool)
            self.pool = self._new()
        if pool in self._given_up and not pool.requests:
            self._given_up.remove(pool)
            await pool.aclose()

    async def aclose(self) -> None:
        for pool in (self.pool, *self._given_up):
            await pool.aclose()

    def abandon(self) -> None:
        for pool in (self.pool, *self._given_up):
            pool.network.abandon()
        self._given_up.clear()
        self.pool = self._new()

    def is_read(self, request: httpx.Request) -> bool:
        """Whether a proxy reads a request, and may respond itself."""
        plain = request.url.scheme == "http"
        return plain and self._url is not None and self._url.scheme in ("http", "https")

    @contextmanager
    def explained(self) -> Generator[None]:
        """Turns the errors of httpcore into those of httpx, and into ours where they are final."""
        try:
            yield
        except TLSError as error:
            address = "the address of the API"
            if self._url is not None and self._url.scheme == "https":
                address += f" and of the proxy in {self._variable}"
            raise tls.explained(error.reason, error.host, address) from error
        except httpcore.ProxyError as error:
            message = str(error)
            status = int(message[:3]) if message[:3].isdecimal() else None
            if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or SOCKS_LOGIN.match(message):
                raise self.refused_login(message) from error
            if (status is not None and status not in PASSING) or SOCKS_RULES.search(message):
                raise self._refused(message) from error
            raise httpx.ProxyError(message) from error
        except httpcore.UnsupportedProtocol as error:
            raise TrayportConfigurationError(
                f"the address of the API cannot be used: {error}",
                suggestion="give it with https://",
            ) from error
        except Exception as error:
            below = type(error).__module__.partition(".")[0] in BELOW
            if below or isinstance(error, AssertionError):  # with which httpcore checks SOCKS
                raise httpx.RemoteProtocolError(f"{type(error).__name__}: {error}") from error
            # Both libraries give their errors the same names.
            for kind in type(error).__mro__:
                if kind.__module__ == "httpcore" and hasattr(httpx, kind.__name__):
                    raise getattr(httpx, kind.__name__)(str(error)) from error
            raise

    def refused_login(self, message: str) -> TrayportConfigurationError:
        """The error for a proxy that wants a login, or another one."""
        has_login = self._url is not None and self._url.userinfo
        what = "refuses the login" if has_login else "wants a login"
        return TrayportConfigurationError(
            f"the proxy {self._shown} {what}: {message}",
            suggestion=f"check the user and the password in {self._variable}"
            if has_login
            else f"write user:password@ before the host in {self._variable}",
        )

    def _refused(self, message: str) -> TrayportConfigurationError:
        return TrayportConfigurationError(
            f"the proxy {self._shown} opens no connection to the API: {message}",
            suggestion=f"check {self._variable} and NO_PROXY, or ask whoever runs the proxy",
        )

    @property
    def _shown(self) -> str:
        """The proxy without its login."""
        host = self._url and self._url.netloc.decode()
        return f"{host} of {self._variable}"


class _Body(httpx.AsyncByteStream):
    """The body of a response, as it arrives."""

    def __init__(self, response: httpcore.Response, way: _Way, pool: _Pool) -> None:
        self._response, self._way, self._pool = response, way, pool
        self._is_whole = self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._way.explained():
            async for part in cast("AsyncIterable[bytes]", self._response.stream):
                yield part
        self._is_whole = True

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            with self._way.explained():
                await self._response.aclose()
        finally:
            await self._way.release(self._pool, is_whole=self._is_whole)


def distrust(response: httpx.Response) -> None:
    """Lets the connection of a response carry no other request."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, Stream):
        stream.distrust()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _parsed(proxy: Proxy) -> httpx.URL:
    try:
        return httpx.URL(proxy.url)
    except httpx.InvalidURL:
        pass
    # Chained to nothing: what httpx says may show the password.
    raise TrayportConfigurationError(
        f"the proxy that {proxy.variable} names cannot be used",
        suggestion="give it as http://host:port",
    )


def _for_pool(url: httpx.URL) -> httpcore.Proxy:
    return httpcore.Proxy(
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        auth=(url.username.encode(), url.password.encode()) if url.userinfo else None,
        # HTTP/2 is not offered to the proxy itself.
        ssl_context=tls.context() if url.scheme == "https" else None,
    )


def _for_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=cast("AsyncIterable[bytes]", request.stream),
        extensions=request.extensions,
    )
