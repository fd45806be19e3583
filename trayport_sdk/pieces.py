"""What comes of one request: its rows, cut to its window, or why there are none."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from . import decode
from .correlation import check_contracts
from .errors import (
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportInterruptedError,
    TrayportLimiterError,
    TrayportServerError,
)
from .progress import RequestRecord
from .queries import QueryPlan
from .values import parameters_by_argument

if TYPE_CHECKING:
    import polars as pl

    from .contracts import ContractSpec
    from .http.calls import Answer
    from .times import Window

_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_URI_TOO_LONG}
_TOO_LARGE = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}


@frozen
class Piece:
    """The rows that one request brought."""

    query: QueryPlan
    frame: pl.DataFrame
    record: RequestRecord


@frozen
class FailedQuery:
    """A request that failed for good, as small as it could be made.

    Attributes:
        query: What was asked for; the planner's `execute_plan` takes it again.
        error: Why it failed.
    """

    query: QueryPlan
    error: TrayportError

    @property
    def contracts(self) -> tuple[ContractSpec, ...]:
        """The contracts whose rows are missing."""
        return self.query.contracts

    @property
    def window(self) -> Window | None:
        """The range whose rows are missing, or None when an instant was asked about."""
        return self.query.window

    def __str__(self) -> str:
        return f"{self.query.explain()}: {self.error}"


Outcome: TypeAlias = Piece | FailedQuery


def never_answered(query: QueryPlan) -> FailedQuery:
    """A query that nobody waits for any more."""
    return FailedQuery(query, TrayportInterruptedError("cancelled before it was answered"))


def is_refused(error: TrayportError) -> bool:
    """Whether the service refused what was asked for, maybe for one contract of many."""
    return isinstance(error, TrayportAPIError) and error.status_code in _REFUSED


def is_unfinished(error: TrayportError) -> bool:
    """Whether the service could not finish what was asked for, maybe because it was too much."""
    if isinstance(error, TrayportConnectionError):
        return error.connected
    too_large = isinstance(error, TrayportAPIError) and error.status_code in _TOO_LARGE
    return too_large or isinstance(error, TrayportServerError | TrayportDecodeError)


def piece_of(answer: Answer, query: QueryPlan) -> Piece:
    """The rows of an answer that lie before the end of its window.

    Whether the service answers rows stamped exactly at `until` is not documented. Dropping them in
    every window leaves each row in exactly one window under either reading.
    """
    import polars as pl

    endpoint = query.operation
    found = answer.read(decode.answer)
    received = decode.to_frame(endpoint.row, found.rows, columns_of(query))
    if query.is_shared and query.contracts:
        answer.read(lambda _, body: check_contracts(query, received, body))
    frame = received
    if query.window is not None and endpoint.time_column is not None:
        time = next(c.python_name for c in endpoint.row if c.name == endpoint.time_column)
        frame = received.filter(pl.col(time).cast(pl.Int64) < query.window.end)
    return Piece(
        query,
        frame,
        RequestRecord(
            endpoint=endpoint.path,
            parameters=answer.context.parameters,
            window=query.window,
            rows=frame.height,
            dropped=received.height - frame.height,
            bytes_decoded=len(answer.body),
            bytes_received=answer.bytes_received,
            seconds=answer.seconds,
            timestamp=found.timestamp,
        ),
    )


def columns_of(query: QueryPlan) -> decode.Asked:
    """The columns that the rows of a query have."""
    given = query.arguments()
    parameters = parameters_by_argument(query.operation)
    brought = [parameter.name for name, parameter in parameters.items() if given.get(name)]
    return decode.columns_asked(query.optional_fields, brought)


def concerns_every_query(error: TrayportError) -> bool:
    """Whether the client cannot send anything, or the service takes nothing from it."""
    return isinstance(
        error, TrayportAuthenticationError | TrayportConfigurationError | TrayportLimiterError
    )
