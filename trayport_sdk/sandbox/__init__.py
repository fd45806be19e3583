"""An offline Trayport: both APIs with made-up data, for tests, demos and load.

The sandbox is an ASGI application, so it can be called without a network, and a server on a real
socket. Its data is a pure function of the seed: the same request has the same response everywhere.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen

from .faults import KINDS, Fault, Faults, Kind

if TYPE_CHECKING:
    from .app import App
    from .http import ReceivedRequest

__all__ = ["KINDS", "Fault", "Faults", "Kind", "Sandbox", "SandboxServer"]

_KEPT_REQUESTS = 100_000


class Sandbox:
    """An offline Trayport.

    Args:
        seed: Which made-up world it shows.
        keys: The API keys it accepts.
        limits: Whether the limits of requests per second and minute are enforced.
        range_limits: Whether the limits of ranges, points and batches are; tests may lift them.
        until_inclusive: Whether rows stamped exactly at `until` are part of a response.
        intraday_keys: Further keys, entitled to the data of the current day.
        clock: The time in nanoseconds since 1970, which decides where the data ends.
        monotonic: The time in seconds that the limits of requests go by.

    Attributes:
        faults: What goes wrong on purpose.
        requests: The requests received last, oldest first.
    """

    ANALYTICS_PATH: ClassVar = "/analytics/api"
    REFERENCE_PATH: ClassVar = "/reference"

    def __init__(
        self,
        *,
        seed: int = 0,
        keys: Iterable[str] = ("sandbox",),
        limits: bool = True,
        range_limits: bool = True,
        until_inclusive: bool = False,
        intraday_keys: Iterable[str] = (),
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seed = seed
        self.faults = Faults()
        self.limits = limits
        self.requests: deque[ReceivedRequest] = deque(maxlen=_KEPT_REQUESTS)
        self.keys = frozenset(keys)
        self.range_limits = range_limits
        self.until_inclusive = until_inclusive
        self.intraday_keys = frozenset(intraday_keys)
        self.clock = clock
        self.monotonic = monotonic

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Responds to one request, as ASGI wants it."""
        await self._app(scope, receive, send)

    def serve(
        self, host: str = "127.0.0.1", port: int = 0
    ) -> "AbstractContextManager[SandboxServer]":
        """Serves on a real socket from a thread; port 0 takes a free one."""
        from .server import serving

        return serving(self, host, port)

    def prepare(self) -> None:
        """Builds the market now, which otherwise the first request waits for."""
        _ = self._app

    @cached_property
    def _app(self) -> "App":
        # Made on first use: the market loads numpy and polars.
        from .app import App

        return App(self)


@frozen
class SandboxServer:
    """Where a sandbox listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def analytics_url(self) -> str:
        return self.url + Sandbox.ANALYTICS_PATH

    @property
    def reference_url(self) -> str:
        return self.url + Sandbox.REFERENCE_PATH
