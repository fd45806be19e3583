"""An offline Trayport: both APIs with made-up data, for tests, demos and load.

The sandbox is an ASGI application, so it can be called without a network, and a server on a real
socket. Its data is a pure function of the seed: the same request has the same response everywhere.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen

from .corrections import Corrections
from .faults import KINDS, Fault, Faults, Kind

if TYPE_CHECKING:
    import polars as pl

    from .app import App
    from .http import ReceivedRequest

__all__ = ["KINDS", "Corrections", "Fault", "Faults", "Kind", "Sandbox", "SandboxServer"]

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
        corrections: Which trades become known late, are altered or are deleted after the fact.
        deviations: In what it differs from the OpenAPI document: names of
            `trayport_sdk.sandbox.deviations.DEVIATIONS`.
        replay: A cassette that `trayport doctor --live` has written: its responses are the only
            ones there are.
        clock: The time in nanoseconds since 1970, which decides where the data ends, and which
            corrections are known.
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
        corrections: Corrections | None = None,
        deviations: Iterable[str] = (),
        replay: str | Path | None = None,
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
        self.corrections = corrections
        self.deviations = tuple(deviations)
        self.replay = replay
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

    def corrections_of(
        self, *contracts: object, from_: int, until: int, since: int, now: int
    ) -> "pl.DataFrame":
        """The corrections by which the same request differs between two times of the clock.

        Args:
            contracts: Machine symbols, or contracts whose text is one.
            from_: The first time of the deals, inclusive, in nanoseconds since 1970.
            until: The end of their times, exclusive.
            since: The earlier time of the clock: what was known then is left out.
            now: The later one: what became known by then is part of it.

        Returns:
            A frame with a row per correction, ordered by `at`, the nanosecond at which it became
            known: `contract` as given, `trade_id` as public feeds have it, `venue_code`,
            `deal_date` in nanoseconds, `kind` (added, altered or deleted), and `price_before`,
            `quantity_before`, `price_after` and `quantity_after`, null where there is no trade.
            The trades of all routes are in it, and those of days that had not ended at `since`.

        Raises:
            ValueError: A contract is no symbol, or not one of the sandbox.

        Example:
            >>> from trayport_sdk.sandbox import Corrections, Sandbox
            >>> day = 24 * 3600 * 10**9
            >>> sandbox = Sandbox(corrections=Corrections())
            >>> found = sandbox.corrections_of(
            ...     "10000065*#Single#10000305#244#0",
            ...     from_=19786 * day, until=19787 * day, since=19787 * day, now=19789 * day,
            ... )
            >>> found["kind"].unique().sort().to_list()
            ['added', 'altered', 'deleted']
        """
        from .responses import responses

        symbols = tuple(map(str, contracts))
        return responses(self.seed, self.corrections).corrections_of(
            symbols, from_, until, since, now
        )

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
