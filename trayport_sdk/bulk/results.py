"""Results of many requests, some of which may have failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from attrs import evolve, frozen

from ..errors import TrayportConfigurationError, TrayportPartialFailureError
from ..query.contracts import ContractSpec
from ..query.plan import QueryPlan, alone, counted
from ..query.times import Window
from ..tables import RESPONSES, SnapshotsResponse, TableResponse, TradesResponse
from ..tables.base import RequestRecord
from .correlation import by_contract
from .progress import OnProgress
from .result import AnsweredQuery, FailedQuery, Outcome

if TYPE_CHECKING:
    import polars as pl

Response = TypeVar("Response", bound=TableResponse[Any])

SYMBOL = "symbol"


@frozen
class Share:
    """What one request brought for one contract."""

    query: QueryPlan
    frame: pl.DataFrame
    record: RequestRecord


@frozen
class Ran:
    """What came of a plan.

    Attributes:
        shares: What came, by contract.
        failures: What did not.
    """

    shares: Mapping[ContractSpec, Sequence[Share]]
    failures: tuple[FailedQuery, ...] = ()


Rerun = Callable[[Sequence[QueryPlan], OnProgress | None], Awaitable[Ran]]


@frozen
class QueryResult(Generic[Response]):
    """The rows of one contract that one request fetched.

    Attributes:
        query: The query, about this contract alone, with the window that its rows cover.
        table: The rows, in the response class of the operation.
    """

    query: QueryPlan
    table: Response

    @property
    def contract(self) -> ContractSpec:
        """The contract."""
        return self.query.contracts[0]

    @property
    def window(self) -> Window | None:
        """The range that the rows cover, or None when an instant was asked about."""
        return self.query.window

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The request that fetched the rows, which other contracts may share."""
        return self.table.requests


OnResult: TypeAlias = Callable[[QueryResult[TableResponse[Any]]], None]
"""Is called with the rows of a contract and window as soon as they are complete."""


class BulkQueryResult(Generic[Response]):
    """Tables by contract, and what is missing.

    Attributes:
        results: What came of every contract; an empty table where there is nothing to come. A
            contract that is not here has failed as a whole. Private trades that are asked for as a
            whole cannot tell a contract that does not exist from one without trades.
        incomplete: The part of the results that lacks the rows of a failed request.
        failures: The requests that failed for good, each with its contracts, its window and its
            error.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     found = await client.get_trades_bulk(
        ...         ["10000065*#Single#10000305#244#0", "10000065*#Single#10000305#245#0"],
        ...         "2024-03-04",
        ...         "2024-03-05",
        ...     )
        >>> found.raise_for_failures()
        >>> [len(trades) > 0 for trades in found.results.values()]
        [True, True]
    """

    def __init__(self, response: type[Response], ran: Ran, rerun: Rerun | None) -> None:
        self._response = response
        self._ran = ran
        self._rerun = rerun
        self.results: Mapping[ContractSpec, Response] = tables(response, ran)
        lacking = {contract for failure in ran.failures for contract in failure.contracts}
        self.incomplete = {c: table for c, table in self.results.items() if c in lacking}
        self.failures = ran.failures

    def __reduce__(self) -> tuple[object, ...]:
        # What asks again holds connections, which belong to this process.
        return type(self), (self._response, self._ran, None)

    @property
    def contracts(self) -> tuple[ContractSpec, ...]:
        """Every contract that was asked for."""
        return tuple(self._ran.shares)

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that were answered, each of them once."""
        shares = (share for some in self._ran.shares.values() for share in some)
        return tuple({id(share.record): share.record for share in shares}.values())

    @property
    def complete(self) -> dict[ContractSpec, Response]:
        """The part of the results that lacks nothing."""
        return {c: table for c, table in self.results.items() if c not in self.incomplete}

    def __len__(self) -> int:
        return sum(map(len, self.results.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.explain()})"

    def explain(self) -> str:
        """What came and what did not, in words."""
        told = f"{counted(len(self.results), 'contract')}, {counted(len(self), 'row')} from "
        told += counted(len(self.requests), "request")
        if self.incomplete:
            told += f"; {counted(len(self.incomplete), 'contract')} incomplete"
        if self.failures:
            told += f"; {counted(len(self.failures), 'request')} failed"
        return told

    def raise_for_failures(self) -> None:
        """Raises unless everything is there.

        Raises:
            TrayportPartialFailureError: Something is missing; it lists the errors.
        """
        if not self.failures:
            return
        raise TrayportPartialFailureError(
            f"{counted(len(self.failures), 'request')} failed, first {self.failures[0].error}",
            completed=len(self.requests),
            failed=[failure.error for failure in self.failures],
        )

    async def retry_failures(self, *, on_progress: OnProgress | None = None) -> Self:
        """Asks again for what is missing.

        Returns:
            A result of both: what was there, and what has come now.

        Raises:
            TrayportConfigurationError: The result comes from another process, so nobody is there to
                ask; `client.planner.execute_plan` takes the queries of the failures.
        """
        if not self.failures:
            return self
        if self._rerun is None:
            raise TrayportConfigurationError(
                "the result comes from another process, so there is no client to ask with",
                suggestion="give the queries of its failures to client.planner.execute_plan",
            )
        again = await self._rerun([failure.query for failure in self.failures], on_progress)
        return type(self)(self._response, joined(self._ran, again), self._rerun)

    def to_polars(self) -> pl.DataFrame:
        """One table of all results, incomplete ones too, whose first column is the symbol."""
        import polars as pl

        frames = [
            response.to_polars().select(pl.lit(str(contract)).alias(SYMBOL), pl.all())
            for contract, response in self.results.items()
        ]
        if frames:
            return pl.concat(frames)
        columns = self._response.nothing(lambda column: column.required).to_polars()
        return columns.select(pl.lit("").alias(SYMBOL), pl.all())


class BulkTradesResponse(BulkQueryResult[TradesResponse]):
    """Trades by contract, and what is missing."""


class BulkSnapshotsResponse(BulkQueryResult[SnapshotsResponse]):
    """Snapshots by contract, of one row each, and what is missing."""


def ran(plans: Sequence[QueryPlan], outcomes: Sequence[Outcome]) -> Ran:
    """What came of a plan, by contract in the order of the plan."""
    shares: dict[ContractSpec, list[Share]] = {c: [] for plan in plans for c in plan.contracts}
    for piece in outcomes:
        if isinstance(piece, AnsweredQuery):
            for contract, rows in by_contract(piece.query, piece.frame):
                shares[contract].append(Share(piece.query, rows, piece.record))
    failures = tuple(one for one in outcomes if isinstance(one, FailedQuery))
    return Ran(shares, failures)


def query_results(answered: AnsweredQuery) -> list[QueryResult[TableResponse[Any]]]:
    """What one request fetched for each of its contracts."""
    response: type[TableResponse[Any]] = RESPONSES[answered.query.endpoint]
    return [
        QueryResult(alone(answered.query, contract), response.of([rows], [answered.record]))
        for contract, rows in by_contract(answered.query, answered.frame)
    ]


def joined(first: Ran, second: Ran) -> Ran:
    """What came of two runs, the second of which was for what failed in the first."""
    contracts = dict.fromkeys([*first.shares, *second.shares])
    shares = {c: [*first.shares.get(c, ()), *second.shares.get(c, ())] for c in contracts}
    return evolve(second, shares=shares)


def tables(response: type[Response], ran: Ran) -> dict[ContractSpec, Response]:
    """The table of every contract that anything came of."""
    found: dict[ContractSpec, Response] = {}
    for contract, shares in ran.shares.items():
        by_time = sorted(shares, key=lambda share: share.query.window or Window(0, 0))
        if by_time:
            frames = [share.frame for share in by_time]
            found[contract] = response.of(frames, [share.record for share in by_time])
    return found
