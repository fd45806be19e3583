"""The client: settings and connections on one side, the typed groups on the other."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from copy import copy
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from .errors import TrayportConfigurationError, TrayportValidationError, exclusive, invalid
from .query.calls import called, checked_calls
from .resources.generated.groups import GROUPS, Groups

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr
    from trayport_spec.options import (
        AnyOptions,
        EndpointName,
        OHLCVInterval,
        OHLCVOptions,
        OrderBookTopOptions,
        TradesOptions,
    )

    from .bulk.backfill import Backfill
    from .bulk.backfill_report import BackfillReport
    from .bulk.cluster import DaskCluster
    from .bulk.dead_letters import RetryReport
    from .bulk.parts import Part, PartReport
    from .bulk.progress import OnProgress
    from .bulk.results import (
        BulkMarketDataResponse,
        BulkQueryResult,
        BulkSnapshotsResponse,
        BulkTradesResponse,
        MarketData,
    )
    from .bulk.runner import Contracts, Retried
    from .bulk.stream import TableStream
    from .bulk.writer import FileReport
    from .http.hooks import EventHooks, Hooks, OnBreakerChange, OnRetry
    from .http.limiter import Priority
    from .http.session import Session
    from .query.build import ResponseFormat
    from .query.contracts import ContractSpec, ContractType
    from .query.times import Interval, TimeLike
    from .resources.catalog import ContractDescription
    from .resources.contact.report import FirstContact
    from .resources.health import HealthReport, Status
    from .resources.planner import Planner
    from .resources.search import ContractMatch, Match
    from .resources.series import Adjust, Roll, Series
    from .sandbox import Sandbox
    from .settings import Settings
    from .tables import OHLCVResponse, OrderBookTopResponse, TradesResponse
    from .tables.formats import Compression, Separator
    from .tables.series import ContinuousResponse, CurveResponse, SpreadResponse
    from .tables.time_units import OnLoss, TimeUnit
    from .telemetry.metrics import Metrics

MAX_REQUESTS = 200
"""The most requests that `get_market_data` takes for a market unless more are allowed."""

_log = logging.getLogger("trayport_sdk.http")


@checked_calls
class TrayportClient(Groups):
    """Both APIs behind one key.

    Use it as an asynchronous context manager, or call `aclose` when done.

    Args:
        api_key: The personal key, as text or as pydantic's `SecretStr`. Left out, it is read from
            `TRAYPORT_API_KEY` or `.env`.
        settings: All settings at once; the other arguments win over them.
        analytics_url: The address of the Data Analytics API.
        reference_url: The address of the Reference Data API.
        timeout: Seconds to wait for the next part of a response.
        max_retries: How often a failed request is sent again.
        event_hooks: httpx's event hooks: lists of asynchronous functions under `"request"` and
            `"response"`, called for every physical request, once the limiter has granted it. A
            request hook may add headers; the key is added after it.
        transport: What to send requests with instead of httpx's own connections.
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

    settings: Settings

    def __init__(
        self,
        api_key: str | SecretStr | None = None,
        *,
        settings: Settings | None = None,
        analytics_url: str | None = None,
        reference_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        event_hooks: EventHooks | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        on_retry: OnRetry | None = None,
        on_breaker_change: OnBreakerChange | None = None,
    ) -> None:
        from .settings import Settings, masked_key

        api_key = masked_key(api_key)
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
        from .http.hooks import Hooks

        self._begin(chosen, Hooks(event_hooks, transport, on_retry, on_breaker_change))

    @classmethod
    def sandbox(
        cls,
        sandbox: Sandbox | None = None,
        *,
        settings: Settings | None = None,
        event_hooks: EventHooks | None = None,
        on_retry: OnRetry | None = None,
        on_breaker_change: OnBreakerChange | None = None,
    ) -> Self:
        """A client of an offline Trayport in this process: no key, no network, no waiting.

        Args:
            sandbox: The sandbox to talk to; left out, a new one without request limits. Where it
                enforces them, the client paces its requests as it would for the live service.
            settings: All settings but the key and the addresses.
            event_hooks: httpx's event hooks, as for the client.
            on_retry: Called before a failed request is sent again.
            on_breaker_change: Called when a circuit breaker changes its state.

        Raises:
            TrayportConfigurationError: The extra `sandbox` is not installed.
        """
        from .errors import require_extra

        require_extra("sandbox", "numpy", "uvicorn")
        from .http.hooks import Hooks
        from .sandbox import Sandbox
        from .settings import SANDBOX_KEY, Settings

        # The address names no host that exists: nothing may leave the process.
        given = settings or Settings(_env_file=None)
        chosen = given.replace(
            api_key=SANDBOX_KEY,
            analytics_url=f"http://sandbox.invalid{Sandbox.ANALYTICS_PATH}",
            reference_url=f"http://sandbox.invalid{Sandbox.REFERENCE_PATH}",
            cache=None if given.cache == "off" else "memory",
        )
        application = sandbox or Sandbox(limits=False)
        client = cls.__new__(cls)
        client._begin(chosen, Hooks(event_hooks, None, on_retry, on_breaker_change), application)
        return client

    def _begin(self, settings: Settings, hooks: Hooks, application: Sandbox | None = None) -> None:
        from .http.session import Session

        session = Session.from_settings(settings, hooks, application=application)
        self._read = settings
        self._send_over(session, settings)

    def _send_over(self, session: Session, settings: Settings) -> None:
        self._session = session
        self.settings = settings
        for name in (*GROUPS, "planner", "_runner", "_reader"):
            vars(self).pop(name, None)

    @cached_property
    def planner(self) -> Planner:
        """Finds the fewest requests for many contracts, and runs them."""
        from .resources.planner import Planner

        return Planner(self._runner, lambda: self.get_status().limiter)

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
            timeout: Seconds to wait for the next part of a response.
            max_retries: How often a failed request is sent again.
            priority: `"high"`, `"normal"` or `"low"`: whose turn it is when requests wait for the
                limiter. Left out, reference data goes before other calls.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     patient = client.with_options(timeout=300, priority="low")
            ...     markets = await patient.reference.get_markets("ttf hi cal 51.6")
            >>> len(markets)
            1
        """
        from .http.limiter import PRIORITIES
        from .http.session import Policy

        if priority is not None and priority not in PRIORITIES:
            raise TrayportValidationError(
                f"priority {priority!r} is none",
                parameter="priority",
                limit=", ".join(PRIORITIES),
                suggestion=f"use one of {', '.join(PRIORITIES)}",
            )
        _ = self._resolver  # made before the copy, which shares it
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

        It sends the smallest request there is over each of them, at the pace of the limiter: every
        connection costs one request of the allowance.

        Args:
            connections: How many to open.

        Returns:
            How many were opened: fewer where requests could share one, and none in a sandbox in
            this process or over a transport of your own.

        Raises:
            TrayportError: A request failed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     await client.warm_up()
            0
        """
        from .resources.health import REQUESTS

        return await self._session.warm_up(REQUESTS["analytics"], connections)

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

        Where the allowance is shared, its store is read, and the event loop waits for its response:
        a moment, or seconds if the store is away.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     client.get_status().connections.opened
            0
        """
        from .resources.health import Status

        return Status.of(self._session)

    async def health_check(self) -> HealthReport:
        """Checks the settings, the key, both APIs, the limiter and the circuit breakers.

        One small request goes to each API. What is wrong is reported, not raised.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     report = await client.health_check()
            >>> report.ok
            True
        """
        from .resources.health import health_check

        return await health_check(self._session)

    async def first_contact(self) -> FirstContact:
        """Compares what the service sends with the OpenAPI document that this package is made of.

        At most 40 requests go to all operations, within the limits of the key, and no more after a
        minute. Each assumption of the document is settled: it is confirmed, refuted, or not
        reachable with this key, and why. What is wrong is reported, not raised.

        Returns:
            The report. `write` makes files of it: the report, an OpenAPI Overlay with what differs,
            and a cassette of the responses that the sandbox replays.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     report = await client.first_contact()
            >>> report.ok, report.refuted
            (True, ())
        """
        from .resources.first_contact import first_contact

        return await first_contact(self._session, self._runner.now())

    async def retry_failures(
        self, result: Retried, *, on_progress: OnProgress | None = None
    ) -> Retried:
        """Fetches again what a result lacks.

        Args:
            result: What a call about many contracts or about markets returned; it stays as it is.
            on_progress: Called after each response with a `Progress`.

        Returns:
            A result of both: what was there, and what was fetched now.

        Raises:
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.get_trades_bulk(months, "2024-03-04", "2024-03-05")
            ...     trades = await client.retry_failures(trades)
            >>> trades.raise_for_failures()
        """
        return await self._runner.retry(result, on_progress)

    async def retry_failed(self, path: str | Path, out: str | Path) -> RetryReport:
        """Runs the queries in a file of dead letters again.

        The rows of each are written to a Parquet file, whose name has the endpoint and the
        window, and is the same whenever the query is run. What fails again stays in the file.

        Args:
            path: The file that the setting `dead_letter_file` named.
            out: The directory for the rows; made when it is missing.

        Raises:
            TrayportValidationError: There is no such file, or a line of it is damaged.
            TrayportConfigurationError: A file cannot be written to.
        """
        return await self._runner.retry_failed(path, out)

    @overload
    async def resolve_contract(
        self, symbol_or_name: str | ContractSpec, *, at: TimeLike | None = None
    ) -> ContractSpec: ...

    @overload
    async def resolve_contract(
        self,
        *,
        market: str | None = None,
        instrument: str | None = None,
        sequence: str | None = None,
        item: str,
        second_item: str | None = None,
        contract_type: ContractType | str | None = None,
        at: TimeLike | None = None,
    ) -> ContractSpec: ...

    async def resolve_contract(
        self,
        symbol_or_name: Any = None,
        *,
        at: TimeLike | None = None,
        **parts: Any,
    ) -> ContractSpec:
        """The contract of a name, of the names of its parts, or of a machine symbol.

        A name is a product and a delivery period. Case and white space do not count as long as only
        one thing can be meant, and a period may be written as people do: `Apr-24`, `April 2024`,
        `2024-04`, `Q2 24`, `Sum-24`, `Cal-25`; `M+1` is the month after the current one where the
        product is traded, and `front month` the first one that is still traded. Expired periods
        are found as well.

        Args:
            symbol_or_name: Such as `"TTF Hi Cal 51.6* Apr-24"` for a market (with a `*`),
                `"TTF Hi Cal 51.6 EEX Apr-24"` for an instrument, `"TTF Hi Cal 51.6* Apr/May-24"`
                for a spread, or `"10000065*#Single#10000305#244#0"`.
            market: Instead of it: the market; the `*` may be left out.
            instrument: Or the instrument.
            sequence: The sequence; needed only where several have an item of that name.
            item: The delivery period.
            second_item: The second one of a spread or range.
            contract_type: The type, `Spread` unless told where there are two periods.
            at: The time that relative periods count from; now when it is left out.

        Returns:
            The contract; its `name` and `period` are set.

        Raises:
            TrayportLookupError: The name does not exist, or several things have it; names to use
                instead are listed, markets first.

        Warns:
            TrayportAmbiguityWarning: The name is an instrument's, and a market has the same one.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     april = await client.resolve_contract("ttf hi cal 51.6* april 2024")
            ...     same = await client.resolve_contract(market="TTF Hi Cal 51.6", item="Apr-24")
            >>> april.name, april == same
            ('TTF Hi Cal 51.6* Apr-24', True)
        """
        from .resources.resolve import Resolver

        if not parts:
            return await self._resolver.resolve(symbol_or_name, at)
        if symbol_or_name is not None:
            raise exclusive("symbol_or_name", next(iter(parts)))
        arguments = {**parts, "at": at}
        contract: ContractSpec = await called(
            Resolver.contract_of, (self._resolver,), arguments, "resolve_contract"
        )
        return contract

    async def describe(self, contract: ContractSpec | str) -> ContractDescription:
        """The names and dates of a contract, and the ids of its parts.

        Args:
            contract: The contract, its symbol or its name.

        Raises:
            TrayportLookupError: The reference data does not have it.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     april = await client.describe("10000065*#Single#10000305#244#0")
            >>> april.name, april.sequence_name, april.trading_end.date()
            ('TTF Hi Cal 51.6* Apr-24', 'Gas - NG Months', datetime.date(2024, 3, 28))
        """
        return await self._resolver.catalog.describe(await self._resolver.resolve(contract))

    async def search_instruments(self, pattern: str, limit: int = 10) -> list[Match]:
        """The instruments whose names are most like a pattern, best first.

        Case, accents, the order of words and the comma of decimals do not count; words may be only
        begun, or have a typing error.

        Args:
            pattern: What is known of the name.
            limit: How many to return at most.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.search_instruments("eex ttf hi cal 51,6")
            >>> found[0].name, found[0].id
            ('TTF Hi Cal 51.6 EEX', 10002806)
        """
        return await self._resolver.search(pattern, limit, is_market=False)

    async def search_markets(self, pattern: str, limit: int = 10) -> list[Match]:
        """The markets whose names are most like a pattern, best first, as `search_instruments`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.search_markets("ttf cal hi")
            >>> found[0].name, found[0].id
            ('TTF Hi Cal 51.6*', 10000065)
        """
        return await self._resolver.search(pattern, limit, is_market=True)

    async def search_contracts(
        self, pattern: str, limit: int = 10, *, at: TimeLike | None = None
    ) -> list[ContractMatch]:
        """The contracts that a pattern may mean, best first and markets before instruments.

        Args:
            pattern: A product and a delivery period, in any order. Without a period, the first ones
                that are still traded are found.
            limit: How many to return at most.
            at: The time that relative periods count from; now when it is left out.

        Returns:
            Matches whose `contract` and `name` every call takes.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.search_contracts("apr 24 ttf hi cal")
            >>> found[0].name
            'TTF Hi Cal 51.6* Apr-24'
        """
        return await self._resolver.search_contracts(pattern, limit, at)

    async def curve(
        self, product: str, sequence: str | None = None, *, n: int = 12, at: TimeLike | None = None
    ) -> CurveResponse:
        """The forward curve: the next contracts of a product, with their last trades and orders.

        Args:
            product: The market, such as `"TTF Hi Cal 51.6*"`, or an instrument, such as
                `"TTF Hi Cal 51.6 EEX"`.
            sequence: The sequence, by its name, such as `"Gas - NG Months"`, or by what its periods
                are, such as `"months"`. A product with a single one needs no name.
            n: How many contracts, in the order of their delivery periods.
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out, which is midnight, when there may be no orders. Naive times mean
                UTC.

        Returns:
            A table of one row per contract, also where there is neither a trade nor an order.

        Raises:
            TrayportLookupError: A name names nothing, or no period can be traded at the instant.
            TrayportValidationError: An argument cannot work; nothing was sent.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     curve = await client.curve(
            ...         "TTF Hi Cal 51.6*", "months", n=3, at="2024-03-04T16:30"
            ...     )
            >>> curve.to_polars()["period"].to_list()
            ['Apr-24', 'May-24', 'Jun-24']
        """
        return await self._series.curve(product, sequence, n, at)

    async def continuous(
        self,
        series: str,
        rank: int,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        roll: Roll = "expiry",
        days_before: int | None = None,
        what: Literal["trades", "ohlcv"] = "trades",
        interval: Interval | str | None = None,
        adjust: Adjust | None = None,
        on_progress: OnProgress | None = None,
    ) -> ContinuousResponse:
        """The rolling series of a product: rows of the front contract, or of one after it.

        Every contract gives its rows from the roll before it to its own. A roll "by expiry" is the
        end of trading that the reference data have; with `days_before`, the start of the day so
        many days before that day, in UTC. A roll "by volume" comes at the end of the first day on
        which the next contract traded more than the front one, and at the latest with the end
        of trading. Candles stay whole: a roll within one waits for its end.

        Args:
            series: The product and its sequence, such as `"TTF Hi Cal 51.6* months"`.
            rank: 1 for the front contract, 2 for the one after it, and so on. They roll together.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            roll: `"expiry"` or `"volume"`.
            days_before: How many days to roll before the day on which trading ends.
            what: `"trades"` or `"ohlcv"`.
            interval: The length of a candle, with `what="ohlcv"`.
            adjust: `"difference"` adds to earlier prices what the contracts differed by at each
                roll, `"ratio"` multiplies them; the last contract keeps its prices. What was added,
                or multiplied by, is in the column `factor`. They are compared by their last trades
                before the roll.
            on_progress: Called after each response with a `Progress`.

        Raises:
            TrayportLookupError: A name names nothing, or a contract had no trade before a roll.
            TrayportValidationError: An argument cannot work.
            TrayportError: A request failed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     front = await client.continuous(
            ...         "TTF Hi Cal 51.6* months",
            ...         1,
            ...         "2024-03-01",
            ...         "2024-05-01",
            ...         what="ohlcv",
            ...         interval="1d",
            ...         adjust="difference",
            ...     )
            >>> front.rolls["to_name"].to_list()
            ['TTF Hi Cal 51.6* May-24', 'TTF Hi Cal 51.6* Jun-24']
        """
        return await self._series.continuous(
            series,
            rank,
            from_,
            until,
            roll=roll,
            days_before=days_before,
            what=what,
            interval=interval,
            adjust=adjust,
            on_progress=on_progress,
        )

    async def spread(
        self,
        a: ContractSpec | str,
        b: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        what: Literal["quotes", "ohlcv"] = "quotes",
        interval: Interval | str | None = None,
    ) -> SpreadResponse:
        """The price of one contract less that of another, as traded and as made of the two.

        Two periods of one sequence may have a traded spread, and one period at two places, where a
        market is named after both [assumed]. Its rows are marked `"exchange"`.
        Those marked `"synthetic"` are made of the legs: best prices at which both could be traded
        at that instant, buying one and selling the other; or opens and closes of the candles in
        which both traded.

        Args:
            a: The first contract, as `ContractSpec`, as machine symbol, or by name.
            b: The second contract, whose price is taken off.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            what: `"quotes"` for best prices, or `"ohlcv"` for candles.
            interval: The time between two instants, or the length of a candle.

        Raises:
            TrayportLookupError: A name names nothing.
            TrayportValidationError: An argument cannot work, or the contracts have prices in
                different currencies or units; nothing was sent.
            TrayportError: A request failed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     spread = await client.spread(
            ...         "TTF Hi Cal 51.6* Apr-24",
            ...         "TTF Hi Cal 51.6* May-24",
            ...         "2024-03-04",
            ...         "2024-03-05",
            ...         interval="1h",
            ...     )
            >>> spread.is_traded
            True
        """
        return await self._series.spread(a, b, from_, until, what=what, interval=interval)

    @overload
    async def get_trades(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> TradesResponse: ...

    @overload
    async def get_trades(
        self,
        market_name: str,
        sequence_name: str,
        item_name: str,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> TradesResponse: ...

    async def get_trades(self, *args: Any, **options: Any) -> TradesResponse:
        """The trades of contracts, or of a contract that is given by the names of its parts.

        It is called as `get_trades(contracts, from_, until)` or as
        `get_trades(market_name, sequence_name, item_name, from_, until)`.

        Args:
            contracts: As in `client.trades.get_trades`.
            market_name: The market, such as `"TTF Hi Cal 51.6*"`; the `*` may be left out.
            sequence_name: The sequence, such as `"Gas - NG Months"`.
            item_name: The delivery period, such as `"Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            options: The other options of `client.trades.get_trades`.

        Raises:
            TrayportLookupError: A name does not exist; the nearest names are listed.
            TrayportError: As `client.trades.get_trades`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     april = await client.get_trades(
            ...         "TTF Hi Cal 51.6*", "Gas - NG Months", "Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            ...     same = await client.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> len(april) == len(same) > 0
            True
        """
        by_name = len(args) > 3 or not options.keys().isdisjoint(_NAMES)
        method = TrayportClient._trades_by_name if by_name else TrayportClient._trades_of
        trades: TradesResponse = await called(method, (self, *args), options, "get_trades")
        return trades

    async def _trades_of(
        self, contracts: Contracts, from_: TimeLike, until: TimeLike | None = None, **options: Any
    ) -> TradesResponse:
        _check_times(from_, until)
        return await self.trades.get_trades(contracts, from_, until, **options)

    async def _trades_by_name(
        self,
        market_name: str,
        sequence_name: str,
        item_name: str,
        from_: TimeLike,
        until: TimeLike | None = None,
        **options: Any,
    ) -> TradesResponse:
        names = {"market_name": market_name, "sequence_name": sequence_name, "item_name": item_name}
        _check_times(from_, until, item_name)
        for parameter, name in names.items():
            if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise invalid(parameter, name, "is not a name", "give text")
        contract = await self._resolver.contract_of(
            market=market_name, sequence=sequence_name, item=item_name, at=from_
        )
        return await self.trades.get_trades(contract, from_, until, **options)

    async def get_ohlcv(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | OHLCVInterval | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[OHLCVOptions],
    ) -> OHLCVResponse:
        """The candles of a contract: the same as `client.trades.get_ohlcv`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     candles = await client.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-09", "1d"
            ...     )
            >>> len(candles)
            5
        """
        return await self.trades.get_ohlcv(
            contract, from_, until, interval, on_progress=on_progress, **options
        )

    async def get_trades_bulk(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> BulkTradesResponse:
        """The trades of many contracts, a table each; what fails does not stop the rest.

        Contracts that may share requests do, and long ranges are cut. A request that the service
        cannot finish is split, and so is a batch that it refuses for one contract.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.trades.get_trades`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.get_trades_bulk(months, "2024-03-04", "2024-03-05")
            >>> len(trades.results), len(trades.requests), len(trades.failures)
            (3, 1, 0)
        """
        from .bulk.results import BulkTradesResponse
        from .tables import TradesResponse

        return await self._runner.bulk(
            BulkTradesResponse,
            TradesResponse,
            contracts,
            on_progress,
            from_=from_,
            until=until,
            **options,
        )

    async def get_ohlcv_bulk(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | OHLCVInterval | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[OHLCVOptions],
    ) -> BulkQueryResult[OHLCVResponse]:
        """The candles of many contracts, a table each; what fails does not stop the rest.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the last whole candle when it is left out.
            interval: The length of a candle.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.trades.get_ohlcv`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> async with TrayportClient.sandbox() as client:
            ...     candles = await client.get_ohlcv_bulk(months, "2024-03-04", "2024-03-09", "1d")
            >>> [len(table) for table in candles.results.values()]
            [5, 5, 5]
        """
        from .bulk.results import BulkQueryResult
        from .tables import OHLCVResponse

        return await self._runner.bulk(
            BulkQueryResult[OHLCVResponse],
            OHLCVResponse,
            contracts,
            on_progress,
            from_=from_,
            until=until,
            interval=interval,
            **options,
        )

    async def get_order_book_top_bulk(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | str | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[OrderBookTopOptions],
    ) -> BulkQueryResult[OrderBookTopResponse]:
        """The best bid and ask of many contracts at regular points in time, a table each.

        What fails does not stop the rest, as in `get_trades_bulk`.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            interval: The time between two points.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.orders.get_order_book_top`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> async with TrayportClient.sandbox() as client:
            ...     top = await client.get_order_book_top_bulk(
            ...         months, "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> top.to_polars()["contract"].n_unique()
            3
        """
        from .bulk.results import BulkQueryResult
        from .tables import OrderBookTopResponse

        return await self._runner.bulk(
            BulkQueryResult[OrderBookTopResponse],
            OrderBookTopResponse,
            contracts,
            on_progress,
            from_=from_,
            until=until,
            interval=interval,
            **options,
        )

    async def get_snapshots_bulk(
        self,
        contracts: Contracts,
        at: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> BulkSnapshotsResponse:
        """The state of many contracts at an instant, a table of one row each.

        What fails does not stop the rest, as in `get_trades_bulk`.

        Args:
            contracts: As in `client.trades.get_trades`.
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out. Naive times mean UTC.
            on_progress: Called after each response with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> async with TrayportClient.sandbox() as client:
            ...     snapshots = await client.get_snapshots_bulk(months, "2024-03-05T12:00")
            >>> [len(table) for table in snapshots.results.values()]
            [1, 1, 1]
        """
        from .bulk.results import BulkSnapshotsResponse
        from .tables import SnapshotsResponse

        return await self._runner.bulk(
            BulkSnapshotsResponse, SnapshotsResponse, contracts, on_progress, at=at
        )

    async def get_market_data(
        self,
        market_name: str,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        max_requests: int = MAX_REQUESTS,
        on_progress: OnProgress | None = None,
    ) -> MarketData:
        """Everything about the contracts of a market that traded in `[from_, until)`.

        Their trades, daily candles, hourly best orders, and a snapshot at the end. Which contracts
        traded is read from trading activity, and for the time before its first day [documented]
        from the items of the market's sequences and their trades, single periods only. Their names
        are read from reference data.

        Args:
            market_name: The market, such as `"TTF Hi Cal 51.6*"`; the `*` may be left out.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            max_requests: The most requests it may take, those that find the contracts included.
            on_progress: Called after each response with a `Progress`; those that find the contracts
                are not counted.

        Raises:
            TrayportValidationError: It takes more than `max_requests`, as the message says, or
                another argument cannot work.
            TrayportLookupError: No market has this name.
            TrayportError: The contracts could not be found.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     data = await client.get_market_data(
            ...         "EUA*", "2024-03-04T10:00", "2024-03-04T10:30"
            ...     )
            >>> len(data.candles.results) == len(data.contracts)
            True
        """
        data = await self.get_market_data_bulk(
            [market_name], from_, until, max_requests=max_requests, on_progress=on_progress
        )
        return data.results[market_name]

    async def get_market_data_bulk(
        self,
        markets: str | Sequence[str],
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        max_requests: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> BulkMarketDataResponse:
        """Everything about the contracts of several markets, as in `get_market_data`.

        Args:
            markets: The names of the markets, or one name.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            max_requests: The most requests it may take together; as many as `get_market_data`
                takes for each of them when it is left out.
            on_progress: Called after each response with a `Progress`; those that find the contracts
                are not counted.

        Raises:
            TrayportValidationError: It takes more than `max_requests`, or another argument cannot
                work.
            TrayportLookupError: No market has one of the names.
            TrayportError: The contracts could not be found.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     data = await client.get_market_data_bulk(
            ...         ["EUA*"], "2024-03-04T10:00", "2024-03-04T10:30"
            ...     )
            >>> list(data.results)
            ['EUA*']
        """
        from .bulk.results import BulkMarketDataResponse
        from .resources.markets import Markets, listed_markets

        names = listed_markets(markets)
        most = MAX_REQUESTS * len(names) if max_requests is None else max_requests
        return BulkMarketDataResponse(
            await Markets(self._runner, self._resolver).data(
                names, from_, until, max_requests=most, on_progress=on_progress
            )
        )

    def stream_trades(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        in_order: bool = True,
        max_responses: int | None = None,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> TableStream:
        """The trades of many contracts, piece by piece, to be worked on or written to a file.

        While you work on a batch the next responses are fetched, up to `max_responses` of them;
        then nothing is sent until you take the next batch, so memory stays bounded.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            in_order: Whether the batches of each contract come in time order. Otherwise they come
                as they arrive, so that a slow response holds nothing up.
            max_responses: How many responses are held at most besides the one you work on. Left
                out, it is 1 while responses are large, and the setting `max_concurrency` otherwise.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.trades.get_trades`.

        Returns:
            A stream that is iterated, of batches of the rows of one contract in one window, where
            contracts without any are passed over; or written to a file by its methods.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent. This and all other
                errors are raised where the stream is used.
            TrayportError: As `client.trades.get_trades`; what was yielded before is whole.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     async for batch in client.stream_trades(
            ...         ["TTF Hi Cal 51.6* Apr-24"], "2024-03-04", "2024-03-05"
            ...     ):
            ...         print(batch.contract, len(batch) > 0)
            10000065*#Single#10000305#244#0 True
        """
        return self._stream(
            contracts,
            "trades",
            in_order=in_order,
            max_responses=max_responses,
            on_progress=on_progress,
            from_=from_,
            until=until,
            **options,
        )

    async def stream_to_file(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None,
        path: str | Path,
        *,
        endpoint: EndpointName = "trades",
        interval: Interval | str | None = None,
        compression: Compression | None = None,
        time_unit: TimeUnit = "ns",
        on_loss: OnLoss = "raise",
        separator: Separator = ",",
        decimal_comma: bool = False,
        bom: bool = False,
        guard_formulas: bool | None = None,
        max_responses: int | None = None,
        on_progress: OnProgress | None = None,
        **options: Unpack[AnyOptions],
    ) -> FileReport:
        """Downloads rows of one or many contracts into a file, of any length, in bounded memory.

        The columns are those of the call for one contract. Rows of several contracts begin with
        `contract`, their machine symbol, `contract_name` and `period`. They come in the order of
        the requests, so those of each contract in time order. The file appears when it is whole:
        after an error or a cancellation there is none, or still the old one.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            path: The file: `.parquet`, `.arrow`, `.csv` or `.jsonl`.
            endpoint: `"trades"`, `"private_trades"`, `"ohlcv"`, `"order_book_top"` or
                `"order_book"`.
            interval: The length of a candle, or the time between two states of a book.
            compression: For Parquet and Arrow `"zstd"`, the default, `"lz4"` or `"none"`.
            time_unit: The unit of all times, nested ones too: `"ns"`, `"us"` or `"ms"`.
            on_loss: What is done about times with a part below the unit: `"raise"`, an error that
                names the first, or `"extra_column"`, which keeps it in `<column>_ns`, as
                `with_time_unit` does.
            separator: For CSV, what stands between cells: `","`, `";"`, a tab or `"|"`.
            decimal_comma: For CSV, whether numbers have a comma for their point.
            bom: For CSV, whether it begins with the byte order mark by which Excel knows UTF-8.
            guard_formulas: For CSV, whether text that a spreadsheet would run gets an apostrophe in
                front; when it is None, it does with `bom` or `decimal_comma`.
            max_responses: How many responses are held at most besides the one that is written, as
                in `stream_trades`.
            on_progress: Called after each response with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Raises:
            TrayportValidationError: An argument cannot work, and nothing was sent; or a time has a
                part below `time_unit`.
            TrayportError: A request failed.
            OSError: The file cannot be written, because the disk is full for example.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> with TemporaryDirectory() as directory:
            ...     async with TrayportClient.sandbox() as client:
            ...         report = await client.stream_to_file(
            ...             "TTF Hi Cal 51.6* Apr-24",
            ...             "2024-03-04",
            ...             "2024-03-09",
            ...             f"{directory}/candles.parquet",
            ...             endpoint="ohlcv",
            ...             interval="1d",
            ...         )
            ...     candles = open_dataset(report.path).collect()
            >>> report.rows, len(candles)
            (5, 5)
        """
        stream = self._stream(
            contracts,
            endpoint,
            max_responses=max_responses,
            on_progress=on_progress,
            from_=from_,
            until=until,
            interval=interval,
            **options,
        )
        return await stream.to_file(
            path,
            compression=compression,
            time_unit=time_unit,
            on_loss=on_loss,
            separator=separator,
            decimal_comma=decimal_comma,
            bom=bom,
            guard_formulas=guard_formulas,
        )

    async def backfill(
        self,
        contracts: Contracts | None,
        from_: TimeLike,
        until: TimeLike | None,
        path: str | Path,
        *,
        endpoint: EndpointName = "trades",
        interval: Interval | str | None = None,
        time_unit: TimeUnit = "ns",
        on_loss: OnLoss = "raise",
        resume: bool = True,
        processes: int | None = None,
        cluster: DaskCluster | None = None,
        dry_run: bool = False,
        on_progress: OnProgress | None = None,
        **options: Unpack[AnyOptions],
    ) -> BackfillReport:
        """Fetches what a data set lacks: a partitioned Parquet data set that survives anything.

        Each response is recorded when its files are on the disk, and never sent for again. When the
        program is killed, the network is lost or the disk is full, the same call goes on where it
        ended. A later `until` or more contracts fetch the difference, and a call that lacks nothing
        sends nothing. Files are whole or not there, one for each contract and month under `data`,
        with a checksum each; `contracts.parquet` has the names. Polars, DuckDB
        (`catalog.duckdb.sql`), pandas and Arrow read it as it is, and `open_dataset` with names.

        Args:
            contracts: As in `client.trades.get_trades`. None for activity, and for private trades
                of all contracts.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            path: The directory of the data set.
            endpoint: `"trades"`, `"private_trades"`, `"ohlcv"`, `"order_book_top"`,
                `"order_book"` or `"activity"`, which is counted by the day.
            interval: The length of a candle, or the time between two states of a book. Windows
                begin and end with whole bars.
            time_unit: The unit of all times: `"ns"`, or `"us"` or `"ms"` for readers without
                nanoseconds, such as Spark and Delta.
            on_loss: What is done about times with a part below it: `"raise"`, or
                `"extra_column"`, which keeps it in `<column>_ns`.
            resume: Whether to go on with a data set that is there; False refuses one.
            processes: How many processes of this machine send the requests and decode the
                responses, instead of this one; in a script, under `if __name__ == "__main__"`.
                They share the allowance of the key. Needs the extra `cluster`.
            cluster: A cluster of Dask whose workers do so: the address of its scheduler, such as
                `tcp://host:8786`, or a client of it. The setting `limiter_store` must name a place
                that all workers reach.
            dry_run: Whether to send and write nothing, and report what is missing.
            on_progress: Called after each response with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Returns:
            What was done. Requests that failed for good are in `failures`, and are sent again by
            the next call.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportDatasetError: The data set is of another question, is damaged, or another
                program writes to it.
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written, because the disk is full for example.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> months = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]
            >>> with TemporaryDirectory() as directory:
            ...     async with TrayportClient.sandbox() as client:
            ...         report = await client.backfill(
            ...             months, "2024-03-04", "2024-03-09", directory
            ...         )
            ...         again = await client.backfill(months, "2024-03-04", "2024-03-09", directory)
            ...     trades = open_dataset(directory).collect()
            >>> report.requests_done, again.requests_planned, len(trades) == report.rows
            (1, 0, True)
        """
        return await self._backfill(path).run(
            contracts,
            endpoint=endpoint,
            unit=(time_unit, on_loss),
            resume=resume,
            processes=processes,
            cluster=cluster,
            dry_run=dry_run,
            on_progress=on_progress,
            from_=from_,
            until=until,
            interval=interval,
            **options,
        )

    async def run_part(self, part: Part) -> PartReport:
        """Runs one part of a plan or of a backfill, in any process of any machine.

        Run it as often as need be: what an earlier run has left in `part.out` is not requested
        again. Workers share the allowance of the key where the setting `limiter_store` names a
        file or Redis.

        Args:
            part: What `client.planner.parts` gave.

        Returns:
            The rows, or where they are, and what failed.

        Raises:
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-04", "2024-03-05"
            ...     )
            ...     (part,) = client.planner.parts(plans, 1)
            ...     report = await client.run_part(part)
            >>> len(report.to_polars()) == report.rows
            True
        """
        from .bulk.parts import run_part

        return await run_part(self._runner, part)

    async def refresh(
        self,
        path: str | Path,
        last: str | timedelta = "7d",
        *,
        on_progress: OnProgress | None = None,
    ) -> BackfillReport:
        """Fetches the last part of a data set again: venues publish trades late, and correct them.

        What changed is recorded, and given by `changes`; `open_dataset` with `as_of` gives the rows
        as they were known before.

        Args:
            path: The data set.
            last: How much of it, counted from its end, such as `"36h"`, `"7d"`, `"2w"` or a
                `timedelta`.
            on_progress: Called after each response with a `Progress`.

        Returns:
            What was done, with how many rows were added, altered and deleted.

        Raises:
            TrayportValidationError: `last` is no length of time.
            TrayportDatasetError: There is no data set, it is damaged, or another program writes to
                it.
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written.
        """
        return await self._backfill(path).refresh(last, on_progress)

    async def verify(
        self, path: str | Path, *, repair: bool = True, on_progress: OnProgress | None = None
    ) -> BackfillReport:
        """Reads every file of a data set, and fetches again what is missing or damaged.

        Args:
            path: The data set.
            repair: Whether to mend it; False raises instead.
            on_progress: Called after each response with a `Progress`.

        Returns:
            What was done; `damaged` names the files that were made anew.

        Raises:
            TrayportDatasetError: A file is missing or damaged and `repair` is False; there is no
                data set, or another program writes to it.
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written.
        """
        return await self._backfill(path).verify(repair=repair, on_progress=on_progress)

    async def download_raw(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None,
        directory: str | Path,
        *,
        endpoint: EndpointName = "trades",
        interval: Interval | str | None = None,
        max_responses: int | None = None,
        response_format: ResponseFormat = "json",
        on_progress: OnProgress | None = None,
        **options: Unpack[AnyOptions],
    ) -> list[Path]:
        """Keeps the responses about one or many contracts as they came over the wire, a file each.

        Each is checked while it arrives, as if it were decoded, and appears when it is whole. The
        names have the place in the order of requests, the endpoint, the contract where its name is
        known, the window, the format and the compression, as in
        `00001-trades-TTF-Hi-Cal-51.6-Apr-24-20240304T000000Z-20240305T000000Z.json.br`; a file of
        the same name is replaced. `decode_file` reads them, given the same endpoint and options.
        Rows at the end of a window are in them even if the next window has them too.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            directory: Where the files go; made when it is missing.
            endpoint: As in `stream_to_file`.
            interval: The length of a candle, or the time between two states of a book.
            max_responses: How many responses are held at most, as in `stream_trades`.
            response_format: What the service responds with, `"json"` or `"csv"`; CSV is kept
                without checking what is in it.
            on_progress: Called after each response with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Returns:
            The files, in the order of the requests.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: A request failed; the files of those before it stay.
            OSError: A file cannot be written.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> with TemporaryDirectory() as directory:
            ...     async with TrayportClient.sandbox() as client:
            ...         (path,) = await client.download_raw(
            ...             "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", directory
            ...         )
            ...     rows = sum(len(frame) for frame in decode_file(path))
            >>> rows > 0
            True
        """
        stream = self._stream(
            contracts,
            endpoint,
            max_responses=max_responses,
            on_progress=on_progress,
            from_=from_,
            until=until,
            interval=interval,
            response_format=response_format,
            **options,
        )
        return await stream.download_raw(directory)

    @property
    def _series(self) -> Series:
        from .resources.series import Series

        return Series(self._runner, self._resolver)

    def _backfill(self, path: str | Path) -> Backfill:
        from .bulk.backfill import Backfill

        return Backfill(
            self._runner,
            path,
            self._resolver.catalog.named,
            self.planner.estimate_duration,
            self.settings,
        )

    def _stream(self, contracts: Contracts, endpoint: str, **arguments: Any) -> TableStream:
        from .bulk.stream import TableStream

        return TableStream.of(self._runner, contracts, endpoint, **arguments)

    def __repr__(self) -> str:
        # A traceback may show one that has no settings yet.
        settings = vars(self).get("settings")
        return f"TrayportClient({'' if settings is None else repr(settings.analytics_url)})"

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


_NAMES = ("market_name", "sequence_name", "item_name")
_CALLS = (
    "call it as get_trades(contracts, from_, until) or as "
    "get_trades(market_name, sequence_name, item_name, from_, until)"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d.*")


def _check_times(from_: TimeLike, until: TimeLike | None, item: object = "") -> None:
    """Refuses what is in the place of a time, before any name is looked up."""
    from .query.times import instant

    if isinstance(item, date) or (isinstance(item, str) and _DAY.fullmatch(item)):
        raise invalid("item_name", item, "is a time, where a delivery period is expected", _CALLS)
    for name, value in (("from_", from_), ("until", until)):
        if isinstance(value, str) and not value[:4].isdecimal():
            raise invalid(name, value, "is not a time", _CALLS)
        if value is not None:
            instant(value, name)
