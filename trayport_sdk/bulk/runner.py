"""The door of the room: checks, plans and runs queries, and makes tables and results of them."""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from trayport_spec import ENDPOINTS

from ..errors import TrayportValidationError, exclusive, invalid
from ..query.build import about, build_query, listed
from ..query.by_contract import Asked
from ..query.contracts import ContractSpec
from ..query.plan import OPERATIONS, QueryPlan, with_contract_column
from ..query.planner import plan
from ..tables import TableResponse
from .dead_letters import DeadLetters, RetryReport, retry_failed
from .executor import Run, check_callback
from .progress import OnProgress
from .reading import FetchedQuery, Keep, columns_of
from .result import FailedQuery, Outcome
from .results import BulkQueryResult, BulkResult, OnResult, RunResult, query_results

if TYPE_CHECKING:
    from ..http.session import Session
    from ..settings import Settings

Contracts: TypeAlias = ContractSpec | str | Iterable[ContractSpec | str]
"""One contract or several: as `ContractSpec`, as machine symbols, or by name."""

_SEVERAL = {"ohlcv": "get_ohlcv_bulk", "order_book_top": "get_order_book_top_bulk"}

Table = TypeVar("Table", bound=TableResponse[Any])
Result = TypeVar("Result", bound=BulkQueryResult[Any])
Retried = TypeVar("Retried", bound=BulkResult)


class Runner:
    """Checks, plans and runs queries.

    Args:
        session: Sends the requests.
        resolve: Finds the contracts of names and symbols; relative periods count from a time.
        settings: The settings in force.
        now: The time of day, which decides where the data ends.

    Attributes:
        session: Sends the requests.
        settings: Gives the settings in force.
        now: The time of day.
    """

    def __init__(
        self,
        session: Session,
        resolve: Callable[
            [Iterable[ContractSpec | str], str | None], Awaitable[Sequence[ContractSpec]]
        ],
        settings: Callable[[], Settings],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.session = session
        self.settings = settings
        self._resolve = resolve
        file = settings().dead_letter_file
        self._letters = None if file is None else DeadLetters(file, session.transport.redact)
        self.now = now

    @property
    def intraday(self) -> bool:
        """Whether the data of the current day is available."""
        return self.settings().intraday

    def query(
        self,
        endpoint: str,
        contracts: Sequence[ContractSpec] = (),
        *,
        scope: Mapping[str, int | None] | None = None,
        **question: Any,
    ) -> QueryPlan:
        """The query of a call, checked; contracts that are still names come later."""
        return build_query(
            OPERATIONS[endpoint],
            contracts,
            now=self.now(),
            intraday=self.intraday,
            scope=scope,
            **question,
        )

    async def about(self, contracts: Contracts | None, query: QueryPlan) -> QueryPlan:
        """The query, about contracts that may be given by name."""
        query, _ = await self.about_named(contracts, query)
        return query

    async def about_named(
        self, contracts: Contracts | None, query: QueryPlan
    ) -> tuple[QueryPlan, Asked]:
        """The same, and the contracts of the names and symbols that were given.

        Relative periods count from where the query starts.
        """
        given = listed(contracts)
        specs = [contract for contract in given if isinstance(contract, ContractSpec)]
        if len(specs) < len(given):
            specs = list(await self._resolve(given, query.starts_at))
        pairs = zip(given, specs, strict=True)
        return about(query, specs), {text: c for text, c in pairs if isinstance(text, str)}

    async def about_one(self, contract: Contracts | None, query: QueryPlan) -> QueryPlan:
        """The query about one contract, whose rows need no column that names it."""
        if not isinstance(contract, ContractSpec | str):
            several = _SEVERAL.get(query.endpoint, "planner")
            suggestion = f"give a ContractSpec, a symbol or a name; client.{several} takes several"
            raise invalid("contract", contract, "is not one contract", suggestion)
        return await self.about(contract, query)

    async def fetch(
        self,
        response: type[Table],
        contracts: Contracts | None = None,
        *,
        scope: Mapping[str, int | None] | None = None,
        on_progress: OnProgress | None = None,
        **arguments: Any,
    ) -> Table:
        """All rows of one operation, in one table. The generated methods call this.

        Args:
            response: The class of the table, which knows its operation.
            contracts: Whose rows are wanted: one contract, or several where the operation takes
                several.
            scope: The ids of a whole product or sequence, instead of contracts.
            on_progress: Called after each response with a `Progress`.
            arguments: The times, the interval and the options, as callers write them.
        """
        endpoint = ENDPOINTS[response.operation_id]
        if contracts is not None and scope is not None:
            only_one({"contract": contracts, **scope})
            scope = None
        query = self.query(endpoint.key, scope=scope, **arguments)
        needs_contracts = endpoint.limits.contract in ("one", "many") and scope is None
        if needs_contracts or contracts is not None:
            if endpoint.limits.contract == "many":
                query = await self.about(contracts, query)
            else:
                query = await self.about_one(contracts, query)
            if len(query.contracts) > 1:
                query = with_contract_column(query)
        return await self.table(response, query, on_progress)

    def run(
        self,
        plans: Sequence[QueryPlan],
        on_progress: OnProgress | None = None,
        *,
        ahead: int | None = None,
        whole: bool = False,
        hold: int | None = None,
        keep: Keep | None = None,
        letters: DeadLetters | None = None,
    ) -> Run:
        """A run of a plan that has not begun.

        Args:
            plans: The requests.
            on_progress: Called after each response with a `Progress`.
            ahead: Responses held at most; as many as requests may be under way when left out.
            whole: Whether the first failure is raised, because the rest is of no use without it.
            hold: About how many bytes of the rows of a response are kept in memory, the others in
                a file; all of them when it is left out.
            keep: Keeps the bodies as they come, instead of the rows.
            letters: Where failures go, if not to the file that the settings name.

        Raises:
            TrayportValidationError: Tables are to be made of CSV.
        """
        settings = self.settings()
        letters = letters or self._letters
        if keep is None:
            for query in plans:
                check_makes_table(query)
        return Run(
            self.session,
            plans,
            concurrency=settings.max_concurrency,
            ahead=ahead or settings.max_concurrency,
            longest_wait=settings.retry_budget,
            whole=whole,
            hold=hold,
            keep=keep,
            lenient=settings.decode_mode == "lenient",
            on_progress=on_progress,
            on_failure=None if letters is None else letters.keep,
        )

    def keep_failed(self, failed: FailedQuery) -> None:
        """Adds a query that failed elsewhere to the dead letters, if there are any."""
        if self._letters is not None:
            self._letters.keep(failed)

    async def table(
        self, table: type[Table], query: QueryPlan, on_progress: OnProgress | None = None
    ) -> Table:
        """Every row of a query in one table, or the error that keeps it from being whole."""
        plans = plan(query)
        run = self.run(plans, on_progress, whole=True)
        async with aclosing(run.outcomes()) as outcomes:
            fetched = [part async for part in outcomes if isinstance(part, FetchedQuery)]
        place = {contract: number for number, contract in enumerate(query.contracts)}
        starts = sorted({each.window.start for each in plans if each.window})

        def order(part: FetchedQuery) -> tuple[int, int, int]:
            """The order of the plan, whatever had to be split."""
            start = part.query.window.start if part.query.window else 0
            contracts = part.query.contracts
            return bisect(starts, start), place[contracts[0]] if contracts else 0, start

        fetched.sort(key=order)
        frames = [part.rows.frame() for part in fetched]
        if not frames:
            return table.nothing(columns_of(query), query.contracts)
        records = [part.record for part in fetched]
        return await asyncio.to_thread(table.of, frames, records, query.contracts)

    async def run_result(
        self,
        plans: Sequence[QueryPlan],
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        asked: Asked | None = None,
    ) -> RunResult:
        """What came of a plan, by contract."""
        check_callback("on_result", on_result, "QueryResult")
        outcomes: list[Outcome] = []
        async with aclosing(self.run(plans, on_progress).outcomes()) as coming:
            async for outcome in coming:
                outcomes.append(outcome)
                if on_result is not None and isinstance(outcome, FetchedQuery):
                    for result in await asyncio.to_thread(query_results, outcome):
                        on_result(result)
        # Arranging large tables is work for a processor; meanwhile other responses go on arriving.
        return await asyncio.to_thread(RunResult.of, plans, outcomes, asked)

    async def result(
        self,
        result: type[Result],
        table: type[TableResponse[Any]],
        plans: Sequence[QueryPlan],
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        asked: Asked | None = None,
    ) -> Result:
        """Tables by contract, and what is missing."""
        run = await self.run_result(plans, on_progress, on_result, asked)
        return await asyncio.to_thread(result, table, run)

    async def bulk(
        self,
        result: type[Result],
        table: type[TableResponse[Any]],
        contracts: Contracts,
        on_progress: OnProgress | None = None,
        **arguments: Any,
    ) -> Result:
        """The rows of one operation, a table for each contract, and what is missing.

        Args:
            result: The class of the result.
            table: The class of its tables, which knows the operation.
            contracts: Whose rows are wanted.
            on_progress: Called after each response with a `Progress`.
            arguments: The times, the interval and the options, as callers write them.
        """
        query = self.query(ENDPOINTS[table.operation_id].key, **arguments)
        query, asked = await self.about_named(contracts, query)
        return await self.result(result, table, plan(query), on_progress, asked=asked)

    async def retry(self, result: Retried, on_progress: OnProgress | None = None) -> Retried:
        """A result with what comes when its failures are run again."""
        if not result.failures:
            return result
        queries = list(dict.fromkeys(failure.query for failure in result.failures))
        again = await self.run_result(queries, on_progress)
        return await asyncio.to_thread(result.retried, again)

    async def retry_failed(self, path: str | Path, out: str | Path) -> RetryReport:
        """Runs the queries of a file of dead letters again; what fails again stays in the file."""
        letters = DeadLetters.to_retry(path, self.session.transport.redact)

        async def fetch(query: QueryPlan) -> list[Outcome]:
            async with aclosing(self.run([query], letters=letters).outcomes()) as outcomes:
                return [outcome async for outcome in outcomes]

        return await retry_failed(letters, fetch, out, self.settings().max_concurrency)


def check_makes_table(query: QueryPlan) -> None:
    """Refuses a query whose response is kept as it comes.

    Raises:
        TrayportValidationError: It is for CSV.
    """
    if query.options.response_format != "json":
        raise TrayportValidationError(
            f"response_format={query.options.response_format!r} makes no table",
            parameter="response_format",
            limit="json, except for download_raw",
            suggestion="leave response_format out, or keep the CSV with download_raw",
        )


def only_one(given: Mapping[str, Any]) -> None:
    """Refuses arguments that stand for the same thing in different ways.

    Raises:
        TrayportValidationError: More than one of them is given.
    """
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise exclusive(names[0], names[1])
