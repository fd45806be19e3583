"""The connections to both APIs: a pool that counts what it opens and can be filled in advance.

A connection opened in advance costs no allowance, because no request is sent over it: the socket,
with TLS when there is TLS, waits here until the pool asks for a connection to its host.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx
from attrs import frozen

from ..errors import TrayportConfigurationError

if TYPE_CHECKING:
    from httpcore import SOCKET_OPTION

PORTS: Mapping[str, int] = {"http": 80, "https": 443}
READ_AHEAD = 1 << 16
# Seconds in which what has already come is read.
GLANCE = 0.05


@frozen
class Origin:
    """Where an address points to."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        parts = urlsplit(url)
        return cls(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme])

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class _ReadyStream(httpcore.AsyncNetworkStream):
    """A stream that was opened in advance; its TLS handshake, if any, is done.

    It is read from while it waits, which is the one way to tell a closed connection from one over
    which TLS has sent its tickets, or HTTP/2 its settings.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._early = b""
        self._watch = asyncio.create_task(self._read_ahead())

    async def _read_ahead(self) -> None:
        with suppress(httpcore.NetworkError):  # it has ended, too
            while early := await self._stream.read(READ_AHEAD):
                self._early += early
        # The other end of TLS waits for this.
        await self._stream.aclose()

    async def still_open(self) -> bool:
        """Ends the watch; tells whether requests can be sent over this connection."""
        if not self._watch.done() and self.get_extra_info("is_readable"):
            await asyncio.wait({self._watch}, timeout=GLANCE)
        if self._watch.done():  # it has ended; of a closed socket uvloop can tell nothing
            return False
        self._watch.cancel()
        await asyncio.wait({self._watch})
        secured = self._stream.get_extra_info("ssl_object")
        speaks_first = secured is not None and secured.selected_alpn_protocol() == "h2"
        return self._watch.cancelled() and (speaks_first or not self._early)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._early:
            early, self._early = self._early[:max_bytes], self._early[max_bytes:]
            return early
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        self._watch.cancel()
        await asyncio.wait({self._watch})
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return self

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.AsyncNetworkBackend):
    """Opens sockets, counts them, and hands out those that wait."""

    def __init__(self, is_crowded: Callable[[], bool]) -> None:
        self._is_crowded = is_crowded
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        self._ready: dict[tuple[str, int], deque[_ReadyStream]] = defaultdict(deque)
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False
        self.opened = 0

    @property
    def in_advance(self) -> int:
        """How many wait, or are being opened in order to wait."""
        opening = sum(not task.done() for task in self._opening)
        return opening + sum(map(len, self._ready.values()))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        ready = self._ready[host, port]
        while ready:
            early = ready.popleft()
            open_still = False
            try:
                open_still = await early.still_open()
            finally:
                if not open_still:
                    await early.aclose()
            if open_still:
                return early
        if self._is_crowded():
            await self.close_one()
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        self.opened += 1
        return stream

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def open_in_advance(
        self, number: int, origin: Origin, context: ssl.SSLContext, timeout: float
    ) -> None:
        tasks = {asyncio.create_task(self._open(origin, context, timeout)) for _ in range(number)}
        self._opening |= tasks
        try:
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._opening -= tasks
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _open(self, origin: Origin, context: ssl.SSLContext, timeout: float) -> None:
        stream = await self._inner.connect_tcp(origin.host, origin.port, timeout)
        try:
            if origin.scheme == "https":
                stream = await stream.start_tls(context, origin.host, timeout)
            if self._closed:
                raise httpcore.ConnectError("the client is closed")
        except BaseException:
            await stream.aclose()
            raise
        self.opened += 1
        self._ready[origin.host, origin.port].append(_ReadyStream(stream))

    async def close_one(self) -> None:
        """Closes one connection that waits, if there is one."""
        ready = next((streams for streams in self._ready.values() if streams), None)
        if ready:
            await ready.pop().aclose()

    async def aclose(self) -> None:
        self._closed = True
        while any(self._ready.values()):
            await self.close_one()


class Connections(httpx.AsyncHTTPTransport):
    """A pool of connections, without a proxy.

    Args:
        http2: Whether HTTP/2 is offered.
        maximum: How many connections are open at once at most.
        keepalive: Seconds after which an idle connection is closed.
    """

    def __init__(self, *, http2: bool, maximum: int, keepalive: float) -> None:
        self.context = httpx.create_ssl_context()
        super().__init__(verify=self.context)
        self._http2 = http2
        self._maximum = maximum
        self._keepalive = keepalive
        self._backend = _Backend(lambda: self._room < 0)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=self.context,
            max_connections=maximum,
            max_keepalive_connections=maximum,
            keepalive_expiry=keepalive,
            http2=http2,
            network_backend=self._backend,
        )

    @property
    def opened(self) -> int:
        """How many connections were opened so far."""
        return self._backend.opened

    @property
    def _room(self) -> int:
        """How many more connections may be opened."""
        return self._maximum - len(self._pool.connections) - self._backend.in_advance

    async def warm_up(self, origin: Origin, wanted: int, timeout: float) -> int:
        """Opens connections that wait for requests; returns how many were opened.

        Raises:
            httpcore.NetworkError: One could not be opened.
        """
        self.context.set_alpn_protocols(["http/1.1", "h2"] if self._http2 else ["http/1.1"])
        opened = max(0, min(wanted, self._room))
        await self._backend.open_in_advance(opened, origin, self.context, timeout)
        return opened

    def through(self, proxy: str) -> httpx.AsyncHTTPTransport:
        """A pool of the same kind, whose connections lead to a proxy.

        Raises:
            TrayportConfigurationError: The proxy cannot be used.
        """
        try:
            return httpx.AsyncHTTPTransport(
                verify=self.context,
                http2=self._http2,
                limits=httpx.Limits(
                    max_connections=self._maximum,
                    max_keepalive_connections=self._maximum,
                    keepalive_expiry=self._keepalive,
                ),
                proxy=proxy,
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            lacking = isinstance(error, ImportError)
        # Chained to nothing: what httpx says may show the proxy's password.
        raise TrayportConfigurationError(
            "the proxy that the variables HTTP_PROXY, HTTPS_PROXY and ALL_PROXY set cannot be used",
            suggestion="pip install socksio" if lacking else "give it as http://host:port",
        )

    async def aclose(self) -> None:
        await super().aclose()
        await self._backend.aclose()


def address_of(url: str) -> str:
    """Scheme, host and port of an address, as it has them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def proxy_of(url: str) -> str | None:
    """The proxy that the surroundings set for an address: `HTTPS_PROXY`, `NO_PROXY` and so on."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    found = getproxies()
    proxy = found.get(parts.scheme) or found.get("all")
    if proxy is None:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
