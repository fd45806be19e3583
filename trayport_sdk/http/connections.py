"""The connections to both APIs: a pool that counts what it opens and can be filled in advance.

A connection opened in advance costs no allowance, because no request is sent over it: the socket,
with TLS when there is TLS, waits here until the pool asks for a connection to its host.
"""

from __future__ import annotations

import ssl
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx
from attrs import frozen

if TYPE_CHECKING:
    from httpcore import SOCKET_OPTION

PORTS: Mapping[str, int] = {"http": 80, "https": 443}


@frozen
class ConnectionCounts:
    """How connections were used.

    Attributes:
        opened: Connections that were opened.
        requests: Requests that were sent over them.
    """

    opened: int
    requests: int

    @property
    def reused(self) -> int:
        """Requests that found an open connection."""
        return max(0, self.requests - self.opened)


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
    """A stream that was opened in advance; its TLS handshake, if any, is done."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return self._stream

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.AsyncNetworkBackend):
    """Opens sockets, counts them, and hands out those that wait."""

    def __init__(self) -> None:
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        self._ready: dict[tuple[str, int], deque[_ReadyStream]] = defaultdict(deque)
        self.opened = 0

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
            if not early.get_extra_info("is_readable"):  # readable means closed by the other end
                return early
            await early.aclose()
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        self.opened += 1
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._inner.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def open_in_advance(
        self, origin: Origin, context: ssl.SSLContext, timeout: float
    ) -> None:
        stream = await self._inner.connect_tcp(origin.host, origin.port, timeout)
        if origin.scheme == "https":
            stream = await stream.start_tls(context, origin.host, timeout)
        self.opened += 1
        self._ready[origin.host, origin.port].append(_ReadyStream(stream))

    def waiting(self, origin: Origin) -> int:
        return len(self._ready[origin.host, origin.port])

    async def aclose(self) -> None:
        for streams in self._ready.values():
            while streams:
                await streams.popleft().aclose()


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
        self._backend = _Backend()
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

    async def warm_up(self, origin: Origin, wanted: int, timeout: float) -> int:
        """Opens connections that wait for requests; returns how many were opened.

        Raises:
            httpcore.NetworkError: One could not be opened.
        """
        protocols = ["http/1.1", "h2"] if self._http2 else ["http/1.1"]
        self.context.set_alpn_protocols(protocols)
        room = self._maximum - len(self._pool.connections) - self._backend.waiting(origin)
        opened = max(0, min(wanted, room))
        for _ in range(opened):
            await self._backend.open_in_advance(origin, self.context, timeout)
        return opened

    async def aclose(self) -> None:
        await super().aclose()
        await self._backend.aclose()


def proxy_of(url: str) -> str | None:
    """The proxy that the surroundings set for an address: `HTTPS_PROXY`, `NO_PROXY` and so on."""
    origin = Origin.of(url)
    if proxy_bypass(origin.host):
        return None
    found = getproxies()
    proxy = found.get(origin.scheme) or found.get("all")
    if proxy is None:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
