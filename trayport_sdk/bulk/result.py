"""What comes of one request: its rows, by contract, or why it failed."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from attrs import field, frozen

from ..errors import (
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportLimiterError,
    TrayportPartialFailureError,
    TrayportServerError,
)
from ..query.contracts import ContractSpec, response_forms
from ..query.plan import (
    CONTRACT,
    BulkMarketQuery,
    ParallelContractQuery,
    QueryPlan,
    counted,
    with_contract_column,
)
from ..tables.convert import NAMES, flat, named
from .reading import ITEM, FetchedQuery

if TYPE_CHECKING:
    from ..query.times import Window

_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_URI_TOO_LONG}
_TOO_LARGE = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}


@frozen
class FailedQuery:
    """A request that failed for good, as small as it could be made.

    Attributes:
        query: The query; the planner's `execute_plan` takes it again.
        error: Why it failed.
        failed_at: When it failed, in UTC.
    """

    query: QueryPlan
    error: TrayportError
    failed_at: datetime = field(factory=lambda: datetime.now(UTC), eq=False)

    @property
    def contracts(self) -> tuple[ContractSpec, ...]:
        """The contracts whose rows are missing."""
        return self.query.contracts

    @property
    def window(self) -> Window | None:
        """The range whose rows are missing, or None when the query is about an instant."""
        return self.query.window

    def to_dict(self) -> dict[str, Any]:
        """The query and why it failed, as plain values that JSON can hold."""
        error = self.error
        return {
            "query": self.query.to_dict(),
            "failed_at": self.failed_at.isoformat(timespec="milliseconds"),
            "error": {
                "class": type(error).__name__,
                "message": str(error),
                "status": error.status_code if isinstance(error, TrayportAPIError) else None,
                "attempts": error.attempts,
                "correlation_id": error.correlation_id,
            },
        }

    def __str__(self) -> str:
        return f"{self.query.explain()}: {self.error}"


Outcome: TypeAlias = FetchedQuery | FailedQuery


def raise_for(failures: Sequence[FailedQuery], *, completed: int) -> None:
    """Raises where requests failed for good.

    Args:
        failures: Those requests.
        completed: How many others succeeded.

    Raises:
        TrayportPartialFailureError: There are any; it lists the errors.
    """
    if failures:
        raise TrayportPartialFailureError(
            f"{counted(len(failures), 'request')} failed, the first with: {failures[0].error}",
            completed=completed,
            failed=[failure.error for failure in failures],
        )


def is_refused(error: TrayportError) -> bool:
    """Whether the service refused the query, maybe for one contract of many."""
    return isinstance(error, TrayportAPIError) and error.status_code in _REFUSED


def is_unfinished(error: TrayportError) -> bool:
    """Whether the service could not finish the query, maybe because it was too large."""
    if isinstance(error, TrayportConnectionError):
        return error.connected
    too_large = isinstance(error, TrayportAPIError) and error.status_code in _TOO_LARGE
    return too_large or isinstance(error, TrayportServerError | TrayportDecodeError)


def concerns_every_query(error: TrayportError) -> bool:
    """Whether the client cannot send anything, or the service takes nothing from it."""
    return isinstance(
        error, TrayportAuthenticationError | TrayportConfigurationError | TrayportLimiterError
    )


def split_by_contract(
    query: QueryPlan, frame: pl.DataFrame
) -> Iterator[tuple[ContractSpec, pl.DataFrame]]:
    """The rows of each contract that a query is about; rows of others are left out.

    They keep the column of the contract only where the caller wants it.
    """
    by_item: dict[tuple[object, ...], pl.DataFrame] = {}
    if not isinstance(query, ParallelContractQuery):
        item = pl.col(CONTRACT).struct.field(ITEM)
        by_item = frame.with_columns(item.alias(ITEM)).partition_by(
            ITEM, include_key=False, as_dict=True
        )
    for contract in query.contracts:
        rows = frame
        if not isinstance(query, ParallelContractQuery):
            rows = by_item.get((contract.sequence_item_id,), frame.clear())
        if isinstance(query, BulkMarketQuery):
            rows = rows.filter(_is_of(contract, given=query.scope))
        yield contract, rows.drop(CONTRACT) if query.adds_contract_column else rows


def _is_of(contract: ContractSpec, given: Container[str]) -> pl.Expr:
    """Whether a row is of a contract, by what the request did not name itself."""
    own = pl.col(CONTRACT).struct
    is_of = own.field(ITEM) == contract.sequence_item_id
    for name in ("market_id", "instrument_id", "sequence_id", "second_sequence_item_id"):
        value = getattr(contract, name)
        if (value is not None and name not in given) or name == "second_sequence_item_id":
            is_of &= own.field(name).eq_missing(value)
    return is_of & own.field("contract_type").is_in(response_forms(contract.contract_type))


def rows_of(query: QueryPlan, fetched: FetchedQuery) -> Iterator[pl.DataFrame]:
    """The flat rows that a request fetched, of the contracts of the query."""
    for frame in fetched.rows.frames():
        yield with_symbols(query, fetched.query, _of_its_contracts(fetched.query, frame))
    fetched.rows.close()


def _of_its_contracts(query: QueryPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in their order, without those of contracts that are not in the query."""
    if not (isinstance(query, BulkMarketQuery) and query.contracts):
        return frame
    place = "place among all rows"
    parts = split_by_contract(query, frame.with_row_index(place))
    return pl.concat([rows for _, rows in parts]).sort(place).drop(place)


def with_symbols(query: QueryPlan, request: QueryPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """The flat rows; those of several contracts name theirs."""
    rows = named(flat(frame), request.contracts)
    if len(query.contracts) < 2 or CONTRACT in rows.columns:
        return rows
    return add_symbol(rows, request.contracts[0])


def add_symbol(rows: pl.DataFrame, contract: ContractSpec) -> pl.DataFrame:
    """Flat rows of one contract, with its symbol and its names in front."""
    columns = (CONTRACT, *NAMES)
    texts = (str(contract), contract.name, contract.period)
    names = (pl.lit(t, dtype=pl.String).alias(c) for c, t in zip(columns, texts, strict=True))
    return rows.select(*names, pl.exclude(columns))


def with_named_contracts(query: QueryPlan) -> QueryPlan:
    """The query, so that the rows of several contracts name their contract."""
    return with_contract_column(query) if len(query.contracts) > 1 else query
