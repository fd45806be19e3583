"""The client: settings and connections on one side, the typed groups on the other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .convenience import Convenience
from .errors import TrayportConfigurationError, TrayportValidationError

if TYPE_CHECKING:
    from .bulk.resend import RetryReport
    from .http.limiter.queue import Priority
    from .http.messages import ApiRequest, ApiResponse
    from .http.middleware import Middleware
    from .http.session import Hooks, OnBreakerChange, OnFailure, OnRetry, Session
    from .query.contracts import ContractSpec
    from .resources.health import HealthReport
    from .resources.orders import OrdersGroup
    from .resources.planner import Planner
    from .resources.reference import ReferenceGroup
    from .resources.snapshots import SnapshotsGroup
    from .resources.status import Status
    from .resources.trades import TradesGroup
    from .sandbox import Sandbox
    from .settings import Settings
    from .telemetry.metrics import Metrics

_log = logging.getLogger("trayport_sdk.http")


class TrayportClient(Convenience):
    """Both APIs behind one key.

    Use it as an asynchronous context manager, or call `aclose` when done.

    Args:
        api_key: The personal key. Left out, it is read from `TRAYPORT_API_KEY` or `.env`.
        settings: All settings at once; the other arguments win over them.
        analytics_url: The address of the Data Analytics API.
        reference_url: The address of the Reference Data API.
        timeout: Seconds to wait for the next part of an answer.
        max_retries: How often a failed request is sent again.
        middleware: What to put around every request.
        on_retry: Called with a `RetryEvent` before a failed request is sent again. What it raises
            ends the call.
        on_breaker_change: Called with a `BreakerEvent` when a circuit breaker changes its state.

    Attributes:
        trades: Trades, candles, last trades and trading activity.
        orders: Order books.
        snapshots: The state of many contracts at an instant.
        planner: Finds the fewest requests for many contracts, and runs them.
        reference: Instruments, markets, sequences and delivery periods.
        settings: The settings in force.

    Raises:
        TrayportConfigurationError: There is no key, or a setting cannot work.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     april = await client.resolve_contract("TTF Hi Cal 51.6* Apr-24")
        ...     trades = await client.trades.get_trades(april, "2024-03-04", "2024-03-05")
        >>> trades[0].price > 0
        True
    """

    trades: TradesGroup
    orders: OrdersGroup
    snapshots: SnapshotsGroup
    planner: Planner
    reference: ReferenceGroup
    settings: Settings

    def __init__(
        self,
        api_key: str | None = None,
        *,
        settings: Settings | None = None,
        analytics_url: str | None = None,
        reference_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        middleware: Sequence[Middleware] = (),
        on_retry: OnRetry | None = None,
        on_breaker_change: OnBreakerChange | None = None,
    ) -> None:
        from .settings import Settings

        given = settings or Settings()
        chosen = given.replace(
            api_key=api_key,
            analytics_url=analytics_url,
            reference_url=reference_url,
            timeout=timeout,
            max_retries=max_retries,
        )
        if chosen.api_key is None:
            raise TrayportConfigurationError(
                "there is no API key",
                suggestion="set the variable TRAYPORT_API_KEY, write it into .env, or pass "
                "api_key; TrayportClient.sandbox() needs none",
            )
        from .http.session import Hooks

        self._begin(chosen, Hooks(tuple(middleware), on_retry, on_breaker_change))

    @classmethod
    def sandbox(
        cls,
        sandbox: Sandbox | None = None,
        *,
        settings: Settings | None = None,
        middleware: Sequence[Middleware] = (),
        on_retry: OnRetry | None = None,
        on_breaker_change: OnBreakerChange | None = None,
    ) -> Self:
        """A client of an offline Trayport in this process: no key, no network, no waiting.

        Args:
            sandbox: The sandbox to talk to; left out, a new one without request limits. Where it
                enforces them, the client paces its requests as it would for the live service.
            settings: All settings but the key and the addresses.
            middleware: What to put around every request.
            on_retry: Told before a failed request is sent again.
            on_breaker_change: Told when a circuit breaker changes its state.

        Raises:
            TrayportConfigurationError: The extra `sandbox` is not installed.
        """
        from .errors import require_extra

        require_extra("sandbox", "numpy", "uvicorn")
        from .http.session import Hooks
        from .sandbox import Sandbox
        from .settings import SANDBOX_KEY, Settings

        # The address names no host that exists: nothing may leave the process.
        chosen = (settings or Settings(_env_file=None)).replace(
            api_key=SANDBOX_KEY,
            analytics_url=f"http://sandbox.invalid{Sandbox.ANALYTICS_PATH}",
            reference_url=f"http://sandbox.invalid{Sandbox.REFERENCE_PATH}",
        )
        application = sandbox or Sandbox(limits=False)
        client = cls.__new__(cls)
        client._begin(chosen, Hooks(tuple(middleware), on_retry, on_breaker_change), application)
        return client

    def _begin(self, settings: Settings, hooks: Hooks, application: Sandbox | None = None) -> None:
        from .bulk.dead_letters import DeadLetters
        from .http.session import Session
        from .resources.catalog import Catalog
        from .resources.memory import LastAnswers
        from .resources.reference import ReferenceGroup

        file = settings.dead_letter_file
        on_failure: OnFailure | None = DeadLetters(file).keep if file else None
        session = Session.from_settings(
            settings, hooks, application=application, on_failure=on_failure
        )
        self._answers = LastAnswers() if settings.cache else None
        self._catalog = Catalog(ReferenceGroup(session, self._answers))
        self._read = settings
        self._send_over(session, settings)

    def _send_over(self, session: Session, settings: Settings) -> None:
        from .bulk.runner import Runner
        from .resources.orders import OrdersGroup
        from .resources.planner import Planner
        from .resources.reference import ReferenceGroup
        from .resources.snapshots import SnapshotsGroup
        from .resources.trades import TradesGroup

        self._session = session
        self.settings = settings
        self._runner = Runner(session, self._catalog, lambda: self.settings)
        self.reference = ReferenceGroup(session, self._answers)
        self.trades = TradesGroup(self._runner)
        self.orders = OrdersGroup(self._runner)
        self.snapshots = SnapshotsGroup(self._runner)
        self.planner = Planner(self._runner, lambda: self.get_status().limiter)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        priority: Priority | None = None,
    ) -> Self:
        """The same client with other options; connections, limits and caches are shared.

        Closing one of the two closes both. Settings that one of them reloads are its own, except
        for limits and breakers.

        Args:
            timeout: Seconds to wait for the next part of an answer.
            max_retries: How often a failed request is sent again.
            priority: `"high"`, `"normal"` or `"low"`: whose turn it is when requests wait for the
                limiter. Left out, reference data goes before other calls.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     patient = client.with_options(timeout=300, priority="low")
            ...     found = await patient.reference.get_markets("ttf hi cal 51.6")
            >>> len(found)
            1
        """
        from .http.limiter.queue import PRIORITIES
        from .http.session import Policy

        if priority is not None and priority not in PRIORITIES:
            raise TrayportValidationError(
                f"priority {priority!r} is none",
                parameter="priority",
                limit=", ".join(PRIORITIES),
                suggestion=f"use one of {', '.join(PRIORITIES)}",
            )
        other = copy(self)
        settings = self.settings.replace(timeout=timeout, max_retries=max_retries)
        policy = Policy.from_settings(settings, priority or self._session.policy.priority)
        other._read = self._read.replace(timeout=timeout, max_retries=max_retries)
        other._send_over(self._session.with_policy(policy), settings)
        return other

    def reload_settings(self) -> Settings:
        """Reads the settings again, and puts changed limits, timeouts and log levels in force.

        Arguments given in code stay. What a connection is made of stays too until a new client is
        made: the key, the addresses, HTTP/2, the pool, and where the allowance is counted.

        Returns:
            The settings that are now in force.

        Raises:
            TrayportConfigurationError: What is there now cannot work; the old settings stay.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     client.reload_settings() == client.settings
            True
        """
        self._apply(self._read.reread())
        return self.settings

    def _apply(self, read: Settings) -> None:
        from .http.session import FIXED

        kept = {name: getattr(self.settings, name) for name in FIXED}
        # Checked once more, because limits depend on addresses; `replace` takes None as no change.
        settings = read.replace(**kept).model_copy(update=kept)
        self._session.reconfigure(settings, settings.differences(self.settings))
        if waiting := read.differences(settings):
            _log.warning("only a new client will use the changed %s", ", ".join(sorted(waiting)))
        self._read, self.settings = read, settings

    async def warm_up(self, connections: int = 6) -> int:
        """Opens connections to the Data Analytics API, so that the first requests find them open.

        No request is sent and no allowance is spent.

        Args:
            connections: How many to open; the setting `max_connections` is the most.

        Returns:
            How many were opened; none for a sandbox in this process or behind a proxy.

        Raises:
            TrayportConnectionError: One could not be opened.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     await client.warm_up()
            0
        """
        return await self._session.transport.warm_up(connections)

    def get_metrics(self) -> Metrics:
        """What this client has sent and received so far, and what it cost.

        Raises:
            TrayportConfigurationError: The setting `metrics` is off.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     _ = await client.reference.get_market_by_id(10000065)
            ...     client.get_metrics().total.requests
            1
        """
        if self._session.metrics is None:
            raise TrayportConfigurationError(
                "nothing was counted: metrics are off",
                suggestion="set metrics to true (variable TRAYPORT_METRICS)",
            )
        status = self.get_status()
        return self._session.metrics.snapshot(
            limiter=status.limiter, breakers=status.breakers, connections=status.connections
        )

    def get_status(self) -> Status:
        """How busy the allowance of the key is, and which endpoints are failing. Sends nothing.

        Where the allowance is shared, its store is asked, and the event loop waits for its answer:
        a moment, or seconds if the store is away.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     client.get_status().connections.opened
            0
        """
        from .resources.status import Status

        session = self._session
        return Status(
            limiter=None if session.limiter is None else session.limiter.status(),
            breakers={} if session.breakers is None else session.breakers.states(),
            connections=session.transport.counts,
        )

    async def health_check(self) -> HealthReport:
        """Checks settings, network, key, both APIs, limiter and breakers.

        One small request goes to each API. What is wrong is reported, not raised.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     report = await client.health_check()
            >>> report.ok
            True
        """
        from .resources.health import health_check
        from .resources.probe import probe_of

        transport = self._session.transport
        return await health_check(
            urls=transport.urls,
            has_key=True,
            probe=probe_of(self._session),
            status=self.get_status,
            in_process=transport.in_process,
            ssl_context=transport.ssl_context,
        )

    async def retry_failed(self, path: str | Path, out: str | Path) -> RetryReport:
        """Sends again what is in a file of dead letters.

        What is answered is written as it came to `<correlation id>.json`; what fails again stays
        in the file.

        Args:
            path: The file that the setting `dead_letter_file` named.
            out: The directory for the answers; made when it is missing.

        Raises:
            TrayportValidationError: There is no such file, or a line of it is damaged.
            TrayportConfigurationError: A file cannot be written to.
        """
        from .bulk.resend import retry_failed
        from .tables.decode.decoder import answer as decoded

        def proven(answer: ApiResponse) -> bytes:
            answer.held().read(decoded)
            return answer.body

        async def send(call: ApiRequest) -> bytes:
            return await session.fetch(call, proven, priority="low")

        session = self._session.without_records()
        return await retry_failed(Path(path), send, Path(out))

    async def resolve_contract(self, symbol_or_name: str) -> ContractSpec:
        """The contract of a name or of a machine symbol.

        Args:
            symbol_or_name: Such as `"TTF Hi Cal 51.6* Apr-24"` for a market (with a `*`),
                `"TTF Hi Cal 51.6 EEX Apr-24"` for an instrument, or
                `"10000065*#Single#10000305#244#0"`.

        Raises:
            TrayportLookupError: Nothing has this name; the nearest names are listed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     await client.resolve_contract("TTF Hi Cal 51.6* Apr-24")
            ContractSpec.parse('10000065*#Single#10000305#244#0')
        """
        return await self._catalog.resolve(symbol_or_name)

    def __repr__(self) -> str:
        return f"TrayportClient({self.settings.analytics_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes every connection. Clients made by `with_options` are closed as well."""
        await self._session.aclose()
