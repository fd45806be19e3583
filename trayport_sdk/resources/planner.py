"""Plans for many contracts: made, estimated, explained and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from trayport_spec.options import AnyOptions, EndpointName

from ..bulk.backfill import directory_of
from ..bulk.backfill_report import BackfillReport
from ..bulk.parts import Part, parts_of
from ..bulk.progress import OnProgress
from ..bulk.results import BulkQueryResult, OnResult
from ..bulk.runner import Contracts, Runner
from ..errors import TrayportValidationError
from ..query.build import ResponseFormat, build_query, endpoint_named, listed
from ..query.calls import checked_calls
from ..query.contracts import ContractSpec, looks_like_symbol
from ..query.plan import CHOICES, QueryPlan
from ..query.planner import plan
from ..query.times import Interval, TimeLike, Window
from ..tables import RESPONSES, TableResponse
from .estimates import duration, explain

if TYPE_CHECKING:
    from ..telemetry.status import LimiterStatus


class PlanOptions(AnyOptions, total=False):
    """What plans take besides contracts and times."""

    response_format: ResponseFormat


@checked_calls
class Planner:
    """Finds the fewest requests for many contracts, and runs them.

    Planning sends nothing, not even to look up a name: contracts are `ContractSpec` values or
    machine symbols, which `client.resolve_contract` makes of names.
    """

    def __init__(self, runner: Runner, limiter: Callable[[], LimiterStatus | None]) -> None:
        self._runner = runner
        self._limiter = limiter

    def plan_multi_contract_query(
        self,
        contracts: Contracts,
        endpoint: EndpointName,
        from_: TimeLike | None = None,
        until: TimeLike | None = None,
        *,
        at: TimeLike | None = None,
        interval: Interval | str | None = None,
        **options: Unpack[PlanOptions],
    ) -> list[QueryPlan]:
        """The fewest requests that fetch the data of contracts.

        Single periods of one product and sequence share requests of trades and snapshots, up to the
        maximum the API documents; private trades of many contracts are requested as a whole. Ranges
        are cut into the fewest windows, candles where a candle ends.

        Args:
            contracts: One contract or several, as `ContractSpec` or machine symbols. A contract
                that is given twice is requested once.
            endpoint: What to request: `"trades"`, `"private_trades"`, `"ohlcv"`, `"last_trade"`,
                `"order_book_top"`, `"order_book"` or `"snapshots"`.
            from_: The start of the range, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            at: The instant, for last trades and snapshots.
            interval: The interval, for candles and order books.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Returns:
            A plan per request, batches first. Plans can be pickled, and `to_dict` writes them down.

        Raises:
            TrayportValidationError: An argument cannot work.

        Example:
            >>> months = [f"10000065*#Single#10000305#{item}#0" for item in range(230, 280)]
            >>> async with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         months, "trades", "2024-01-01", "2024-03-31"
            ...     )
            >>> client.planner.estimate_request_count(plans)
            3
        """
        return planned(
            contracts,
            endpoint,
            now=self._runner.now(),
            intraday=self._runner.intraday,
            from_=from_,
            until=until,
            at=at,
            interval=interval,
            **options,
        )

    def estimate_request_count(self, plans: Sequence[QueryPlan]) -> int:
        """How many requests the plans take, if none has to be split or sent again.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-04-04"
            ...     )
            ...     client.planner.estimate_request_count(plans)
            2
        """
        return len(_requests(plans))

    def estimate_duration(self, plans: Sequence[QueryPlan]) -> timedelta:
        """How long the rate limit makes the plans take at most, given what the key has used of it.

        Responses that are slower than the pace of the requests add time on top. Where the allowance
        is shared, its store is read.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-04-01"
            ...     )
            ...     client.planner.estimate_duration(plans).total_seconds()
            0.0
        """
        return duration(self.estimate_request_count(plans), self._limiter())

    def explain(self, plans: Sequence[QueryPlan]) -> str:
        """The plans in words, and as a table.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-04-01"
            ...     )
            >>> print(client.planner.explain(plans).splitlines()[0])
            1 request for 1 contract: 1 ParallelContractQuery; no wait for the rate limit
        """
        return explain(_requests(plans), self.estimate_duration(plans))

    def parts(
        self,
        plans: Sequence[QueryPlan] | BackfillReport,
        n: int,
        *,
        out: str | Path | None = None,
    ) -> list[Part]:
        """Plans in parts, for workers that run them by `client.run_part`.

        Args:
            plans: What `plan_multi_contract_query` returned; or the report of a backfill with
                `dry_run=True`, whose parts leave their rows with the data set: the next backfill
                of it takes them in.
            n: How many parts at most.
            out: Where the rows go: a directory or a URL that all workers reach. Where it is None,
                those of a backfill lie beside the data set, and others come with the reports.

        Returns:
            The parts; each has as many requests as the others, or one more.

        Raises:
            TrayportValidationError: An argument cannot work.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0",
            ...         "ohlcv",
            ...         "2023-01-01",
            ...         "2024-01-01",
            ...         interval="1h",
            ...     )
            ...     reports = [await client.run_part(p) for p in client.planner.parts(plans, 3)]
            >>> [len(report.responses) for report in reports]
            [2, 1, 1]
        """
        if isinstance(plans, BackfillReport):
            return parts_of(plans.plans, n, out or directory_of(plans.path))
        return parts_of(_requests(plans), n, out)

    async def execute_plan(
        self,
        plans: Sequence[QueryPlan],
        *,
        on_result: OnResult | None = None,
        on_progress: OnProgress | None = None,
    ) -> BulkQueryResult[TableResponse[Any]]:
        """Runs plans of one endpoint and its options; a failure does not stop the rest.

        A request that the service cannot finish is split, and so is a batch it refuses, until what
        still fails is as small as it gets. A cancelled call raises `CancelledError` at once; use
        `on_result` to keep what came before.

        Args:
            plans: What `plan_multi_contract_query` returned, a part of it, or the queries of
                failures; a plan that is given twice runs once.
            on_result: Called with a `QueryResult` for each contract and window as soon as its rows
                are complete, never for one that failed. It runs in the event loop; what it raises
                ends the call.
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table per contract, and what failed.

        Raises:
            TrayportValidationError: The plans do not belong together.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-03-05"
            ...     )
            ...     result = await client.planner.execute_plan(
            ...         plans, on_result=lambda result: print(result.contract, result.window)
            ...     )
            10000065*#Single#10000305#244#0 2024-03-01T00:00:00Z to 2024-03-05T00:00:00Z
            >>> len(result.failures)
            0
        """
        once = _requests(plans)
        endpoint = _together(once) if once else "trades"
        result: type[BulkQueryResult[TableResponse[Any]]] = BulkQueryResult
        return await self._runner.result(result, RESPONSES[endpoint], once, on_progress, on_result)


def _requests(given: Any) -> list[QueryPlan]:
    """The requests of some plans, which may be larger than one, each of them once."""
    plans: list[Any] = [given] if not hasattr(given, "__iter__") else list(given)
    for item in plans:
        if not isinstance(item, QueryPlan):
            raise _apart(
                f"plans has {item!r:.60}, which is no plan", "read it by QueryPlan.from_dict"
            )
    return list(dict.fromkeys(request for item in plans for request in plan(item)))


def planned(
    contracts: Contracts,
    endpoint: str,
    *,
    now: datetime,
    intraday: bool,
    from_: TimeLike | None = None,
    until: TimeLike | None = None,
    at: TimeLike | None = None,
    interval: Interval | str | None = None,
    **options: Any,
) -> list[QueryPlan]:
    """The fewest requests that fetch the data of contracts. Pure.

    Args:
        contracts: One contract or several, as `ContractSpec` or machine symbols.
        endpoint: The operation.
        now: The time of day, which decides where the data ends.
        intraday: Whether the data of the current day is available.
        from_: The start of the range, inclusive.
        until: The end, exclusive; the end of the data when it is left out.
        at: The instant, for operations that take one.
        interval: The interval, for operations that take one.
        options: What the method of the endpoint takes besides.

    Raises:
        TrayportValidationError: An argument cannot work.
    """
    operation = endpoint_named(endpoint)
    if operation.limits.contract is None:
        raise TrayportValidationError(
            f"endpoint {endpoint!r} is not about contracts",
            parameter="endpoint",
            suggestion="ask for it by itself (in code: client.trades.get_activity)",
        )
    for name, value in options.items():
        if name not in CHOICES:
            raise TrayportValidationError(
                f"{name} is not an option",
                parameter=name,
                limit=", ".join(sorted(CHOICES)),
                suggestion=f"options are {', '.join(sorted(CHOICES))}",
            )
        if name == "trading_items" and value is not None:
            raise TrayportValidationError(
                "trading_items exclude contracts",
                parameter=name,
                suggestion="use get_trades_by_trading_items or get_snapshots_by_trading_items",
            )
    query = build_query(
        operation,
        [_contract(one) for one in listed(contracts)],
        now=now,
        intraday=intraday,
        from_=from_,
        until=until,
        at=at,
        interval=interval,
        **options,
    )
    return plan(query)


def _contract(contract: ContractSpec | str) -> ContractSpec:
    if isinstance(contract, ContractSpec):
        return contract
    if not looks_like_symbol(contract):
        raise TrayportValidationError(
            f"contract {contract!r} is a name, and plans are made without looking names up",
            parameter="contracts",
            suggestion="give its symbol, such as 10000065*#Single#10000305#244#0 (in code: "
            "client.resolve_contract finds it)",
        )
    return ContractSpec.parse(contract)


def _together(plans: Sequence[QueryPlan]) -> str:
    """The endpoint of plans whose rows fit into one table per contract, each row once."""
    first = plans[0]
    batches: dict[tuple[ContractSpec, ...], list[tuple[int, int]]] = {}
    for query in plans:
        alike = (query.endpoint, query.interval, query.options, query.at)
        if alike != (first.endpoint, first.interval, first.options, first.at):
            raise _apart(
                f"plans mix {first.explain()} and {query.explain()}", "run each of them on its own"
            )
        if not query.contracts:
            raise _apart(
                f"plan {query.explain()} names no contract", "use the methods of client.trades"
            )
        window = query.window or Window(0, 1)  # instants are all the same
        batches.setdefault(query.contracts, []).append((window.start, window.end))
    windows_of: dict[ContractSpec, list[tuple[int, int]]] = {}
    for contracts, windows in batches.items():
        for contract in contracts:
            windows_of.setdefault(contract, []).extend(windows)
    for contract, windows in windows_of.items():
        if any(end > start for (_, end), (start, _) in pairwise(sorted(windows))):
            raise _apart(f"plans request {contract} twice", "leave out those that overlap")
    return first.endpoint


def _apart(what: str, way_out: str) -> TrayportValidationError:
    return TrayportValidationError(what, parameter="plans", suggestion=way_out)
