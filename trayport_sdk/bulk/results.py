"""Results of many requests, some of which may have failed. Plain values, which can be pickled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar, Unpack

import polars as pl
from attrs import evolve, field, frozen
from trayport_spec import ENDPOINTS

from ..query.by_contract import Asked, ByContract
from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT, QueryPlan, alone, counted
from ..query.times import Window
from ..tables import (
    RESPONSES,
    OHLCVResponse,
    OrderBookTopResponse,
    SnapshotsResponse,
    TableResponse,
    TradesResponse,
    convert,
)
from ..tables.base import RequestRecord
from ..tables.files import write
from ..tables.formats import ColumnarOptions
from .reading import FetchedQuery
from .result import FailedQuery, Outcome, add_symbol, raise_for, split_by_contract

if TYPE_CHECKING:
    import pandas as pd

Response = TypeVar("Response", bound=TableResponse[Any])


@frozen
class ContractRows:
    """What one request fetched for one contract."""

    query: QueryPlan
    frame: pl.DataFrame
    record: RequestRecord


@frozen
class RunResult:
    """The outcome of a plan.

    Attributes:
        rows: What was fetched for each contract of the plan, in no order.
        failures: What was not.
        asked: The contracts of the names that were given.
    """

    rows: Mapping[ContractSpec, Sequence[ContractRows]]
    failures: tuple[FailedQuery, ...] = ()
    asked: Asked = field(factory=dict[str, ContractSpec])

    @classmethod
    def of(
        cls, plans: Sequence[QueryPlan], outcomes: Sequence[Outcome], asked: Asked | None = None
    ) -> Self:
        """The result of requests, by contract in the order of the plan."""
        rows: dict[ContractSpec, list[ContractRows]] = {c: [] for p in plans for c in p.contracts}
        for outcome in outcomes:
            if isinstance(outcome, FetchedQuery):
                for contract, frame in split_by_contract(outcome.query, outcome.frame):
                    rows[contract].append(ContractRows(outcome.query, frame, outcome.record))
        failures = tuple(outcome for outcome in outcomes if isinstance(outcome, FailedQuery))
        return cls(rows, failures, asked or {})

    def added(self, other: Self) -> Self:
        """Both results, which are about different endpoints."""
        contracts = dict.fromkeys([*self.rows, *other.rows])
        rows = {c: (*self.rows.get(c, ()), *other.rows.get(c, ())) for c in contracts}
        return evolve(self, rows=rows, failures=self.failures + other.failures)

    def retried(self, again: Self) -> Self:
        """This result, completed by the result of running its failures again."""
        return evolve(self.added(again), failures=again.failures)

    def of_endpoint(self, endpoint: str) -> Self:
        """The part about one endpoint."""
        rows = {
            contract: [part for part in parts if part.query.endpoint == endpoint]
            for contract, parts in self.rows.items()
        }
        failures = tuple(part for part in self.failures if part.query.endpoint == endpoint)
        return evolve(self, rows=rows, failures=failures)

    def of_contracts(self, wanted: Callable[[ContractSpec], bool]) -> Self:
        """The part about some contracts, which share no request with others."""
        rows = {contract: parts for contract, parts in self.rows.items() if wanted(contract)}
        failures = tuple(f for f in self.failures if any(map(wanted, f.contracts)))
        return evolve(self, rows=rows, failures=failures)

    def tables(self, response: type[Response]) -> ByContract[Response]:
        """The table of every contract that anything was fetched for."""
        tables: dict[ContractSpec, Response] = {}
        for contract, parts in self.rows.items():
            by_time = sorted(parts, key=lambda part: part.query.window or Window(0, 0))
            if by_time:
                frames = [part.frame for part in by_time]
                records = [part.record for part in by_time]
                tables[contract] = response.of(frames, records, [contract])
        return ByContract(tables, self.asked)


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
        """The range that the rows cover, or None when the query is about an instant."""
        return self.query.window

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The request that fetched the rows, which other contracts may share."""
        return self.table.requests


OnResult: TypeAlias = Callable[[QueryResult[TableResponse[Any]]], None]
"""Is called with the rows of a contract and window as soon as they are complete."""


def query_results(fetched: FetchedQuery) -> list[QueryResult[TableResponse[Any]]]:
    """What one request fetched for each of its contracts."""
    response: type[TableResponse[Any]] = RESPONSES[fetched.query.endpoint]
    return [
        QueryResult(
            alone(fetched.query, contract), response.of([rows], [fetched.record], [contract])
        )
        for contract, rows in split_by_contract(fetched.query, fetched.frame)
    ]


class BulkResult(ABC):
    """What came of many requests, and what is missing."""

    @property
    @abstractmethod
    def failures(self) -> tuple[FailedQuery, ...]:
        """The requests that failed for good, each with its contracts, window and error."""

    @property
    @abstractmethod
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that succeeded, each of them once."""

    @abstractmethod
    def explain(self) -> str:
        """What came and what did not, in words."""

    @abstractmethod
    def retried(self, again: RunResult) -> Self:
        """This result, with what came when its failures were run again."""

    def raise_for_failures(self) -> None:
        """Raises unless everything is there.

        Raises:
            TrayportPartialFailureError: Something is missing; it lists the errors.
        """
        raise_for(self.failures, completed=len(self.requests))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'; '.join(self.explain().splitlines())})"


class BulkQueryResult(BulkResult, Generic[Response]):
    """Tables by contract, and what is missing.

    Attributes:
        results: What came of every contract, found by the contract, its name, its symbol or what
            was asked for; an empty table where there is nothing to come. A contract that is not
            here has failed as a whole. Private trades that are requested as a whole do not show
            whether a contract without trades exists.
        incomplete: The part of the results that lacks the rows of a failed request.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     result = await client.get_trades_bulk(
        ...         ["10000065*#Single#10000305#244#0", "10000065*#Single#10000305#245#0"],
        ...         "2024-03-04",
        ...         "2024-03-05",
        ...     )
        >>> result.raise_for_failures()
        >>> len(result.results["10000065*#Single#10000305#244#0"]) > 0
        True
    """

    def __init__(self, response: type[Response], run: RunResult) -> None:
        self._response = response
        self._run = run
        self.results = run.tables(response)
        lacking = {contract for failure in run.failures for contract in failure.contracts}
        self.incomplete = self._part(lambda contract: contract in lacking)

    def __reduce__(self) -> tuple[object, ...]:
        # The tables share their memory with the rows, which a pickle would hold twice.
        return type(self), (self._response, self._run)

    @property
    def contracts(self) -> tuple[ContractSpec, ...]:
        """Every contract of the call."""
        return tuple(self._run.rows)

    @property
    def failures(self) -> tuple[FailedQuery, ...]:
        """The requests that failed for good, each with its contracts, window and error."""
        return self._run.failures

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that succeeded, each of them once."""
        records = (part.record for parts in self._run.rows.values() for part in parts)
        return tuple({id(record): record for record in records}.values())

    @property
    def complete(self) -> ByContract[Response]:
        """The part of the results that lacks nothing."""
        return self._part(lambda contract: contract not in self.incomplete)

    def _part(self, wanted: Callable[[ContractSpec], bool]) -> ByContract[Response]:
        part = {c: table for c, table in self.results.items() if wanted(c)}
        return ByContract(part, self._run.asked)

    def __len__(self) -> int:
        return sum(map(len, self.results.values()))

    def explain(self) -> str:
        """What came and what did not, in words."""
        words = f"{counted(len(self.results), 'contract')}, {counted(len(self), 'row')} from "
        words += counted(len(self.requests), "request")
        if self.incomplete:
            words += f"; {counted(len(self.incomplete), 'contract')} incomplete"
        return words + _failed(self.failures)

    def retried(self, again: RunResult) -> Self:
        """This result, with what came when its failures were run again."""
        return type(self)(self._response, self._run.retried(again))

    def to_polars(self, *, tz: str | None = None, decimal: bool = False) -> pl.DataFrame:
        """One flat frame of all results, incomplete ones too.

        Its first column, `contract`, is the machine symbol of the contract in `results`; its names
        are in `contract_name` and `period`. The options are those of a table.
        """
        frames = [
            add_symbol(response.to_polars(), contract)
            for contract, response in self.results.items()
        ]
        if not frames:
            columns = self._response.nothing(lambda column: column.required).to_polars()
            others = pl.exclude(CONTRACT, *convert.NAMES)
            frames = [convert.named(columns.select(pl.lit("").alias(CONTRACT), others), ())]
        return convert.converted(pl.concat(frames), tz, decimal=decimal)

    def to_pandas(
        self, *, tz: str | None = None, decimal: bool = False, arrow: bool = False
    ) -> pd.DataFrame:
        """The same frame in pandas; needs the extra `pandas`. The options are those of a table."""
        frame = self.to_polars(tz=tz, decimal=decimal)
        columns = ENDPOINTS[self._response.operation_id].row
        return convert.pandas_frame(frame, columns, arrow=arrow, stamps=tz is not None)

    def to_parquet(
        self,
        path: str | Path,
        *,
        tz: str | None = None,
        decimal: bool = False,
        **options: Unpack[ColumnarOptions],
    ) -> None:
        """Writes the same frame as Parquet; the file appears when it is whole.

        The options are those of a table.
        """
        write(self.to_polars(tz=tz, decimal=decimal), path, ".parquet", **options)


class BulkTradesResponse(BulkQueryResult[TradesResponse]):
    """Trades by contract, and what is missing."""


class BulkSnapshotsResponse(BulkQueryResult[SnapshotsResponse]):
    """Snapshots by contract, of one row each, and what is missing."""


class MarketData(BulkResult):
    """Trades, daily candles, hourly best orders and a snapshot at the end, by contract.

    Attributes:
        market: The name of the market.
        market_id: Its id.
        contracts: Its contracts that traded, in order.
        trades: Their trades.
        candles: Their daily candles, of all days that the range touches.
        order_book_top: Their best bid and ask, every hour from the start of the range.
        snapshots: Their state at the end of the range.
        requests_to_find: The requests that it took to find the contracts, of all markets of
            the call; `max_requests` counts them too.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     data = await client.get_market_data(
        ...         "Germany Baseload", "2024-03-04T10:00", "2024-03-04T10:02"
        ...     )
        >>> data.trades.results.keys() == data.candles.results.keys()
        True
    """

    def __init__(self, market: str, market_id: int, run: RunResult, requests_to_find: int) -> None:
        self._run = run.of_contracts(lambda contract: contract.market_id == market_id)
        part = self._run.of_endpoint
        self.market = market
        self.market_id = market_id
        self.contracts = tuple(sorted(self._run.rows))
        self.trades = BulkTradesResponse(TradesResponse, part("trades"))
        self.candles = BulkQueryResult(OHLCVResponse, part("ohlcv"))
        self.order_book_top = BulkQueryResult(OrderBookTopResponse, part("order_book_top"))
        self.snapshots = BulkSnapshotsResponse(SnapshotsResponse, part("snapshots"))
        self.requests_to_find = requests_to_find

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.market, self.market_id, self._run, self.requests_to_find)

    @property
    def _parts(self) -> tuple[BulkQueryResult[Any], ...]:
        return self.trades, self.candles, self.order_book_top, self.snapshots

    @property
    def failures(self) -> tuple[FailedQuery, ...]:
        """The requests that failed for good, of all four."""
        return self._run.failures

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that succeeded, of all four."""
        return _joined(part.requests for part in self._parts)

    def explain(self) -> str:
        """What came and what did not, in words."""
        names = ("trade", "daily candle", "hourly top", "snapshot")
        parts = [counted(len(self.contracts), "contract")]
        parts += [counted(len(part), name) for part, name in zip(self._parts, names, strict=True)]
        words = f"{self.market}: {', '.join(parts)} from {counted(len(self.requests), 'request')}"
        words += f", after {self.requests_to_find} to find the contracts"
        return words + _failed(self.failures)

    def retried(self, again: RunResult) -> Self:
        """This result, with what came when its failures were run again."""
        run = self._run.retried(again.of_contracts(lambda c: c.market_id == self.market_id))
        return type(self)(self.market, self.market_id, run, self.requests_to_find)


class BulkMarketDataResponse(BulkResult):
    """The data of several markets.

    Attributes:
        results: The data of every market, by its name as it was given.
    """

    def __init__(self, results: Mapping[str, MarketData]) -> None:
        self.results = results

    @property
    def failures(self) -> tuple[FailedQuery, ...]:
        """The requests that failed for good, in all markets."""
        return _joined(data.failures for data in self.results.values())

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that succeeded, in all markets."""
        return _joined(data.requests for data in self.results.values())

    def explain(self) -> str:
        """What came and what did not, a line per market."""
        return "\n".join(data.explain() for data in self.results.values())

    def retried(self, again: RunResult) -> Self:
        """This result, with what came when its failures were run again."""
        return type(self)({name: data.retried(again) for name, data in self.results.items()})


Item = TypeVar("Item")


def _joined(parts: Iterable[tuple[Item, ...]]) -> tuple[Item, ...]:
    return tuple(item for part in parts for item in part)


def _failed(failures: Sequence[FailedQuery]) -> str:
    return f"; {counted(len(failures), 'request')} failed" if failures else ""
