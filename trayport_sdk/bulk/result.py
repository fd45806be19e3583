"""What comes of one request: its rows, cut to its window, or why there are none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from ..errors import (
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportLimiterError,
    TrayportServerError,
)
from ..query.params import parameters_by_argument
from ..query.plan import QueryPlan
from ..tables.base import RequestRecord
from ..tables.decode.decoder import Decoder
from ..tables.decode.schema import ColumnFilter, column_filter, to_frame
from ..tables.decode.split import SMALL_PIECE
from .correlation import check_contracts
from .spool import Spool

if TYPE_CHECKING:
    import polars as pl

    from ..http.messages import ApiResponse
    from ..query.contracts import ContractSpec
    from ..query.times import Window

_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_URI_TOO_LONG}
_TOO_LARGE = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}


@frozen
class AnsweredQuery:
    """The rows that one request brought."""

    query: QueryPlan
    rows: Spool
    record: RequestRecord

    @property
    def frame(self) -> pl.DataFrame:
        """All rows in one table."""
        return self.rows.frame()


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


Outcome: TypeAlias = AnsweredQuery | FailedQuery

Keep: TypeAlias = Callable[
    ["ApiResponse", QueryPlan], AbstractContextManager[Callable[[bytes], object]]
]
"""Gives what the body of an answer is handed to as it comes, while the answer is read."""


def is_refused(error: TrayportError) -> bool:
    """Whether the service refused what was asked for, maybe for one contract of many."""
    return isinstance(error, TrayportAPIError) and error.status_code in _REFUSED


def is_unfinished(error: TrayportError) -> bool:
    """Whether the service could not finish what was asked for, maybe because it was too much."""
    if isinstance(error, TrayportConnectionError):
        return error.connected
    too_large = isinstance(error, TrayportAPIError) and error.status_code in _TOO_LARGE
    return too_large or isinstance(error, TrayportServerError | TrayportDecodeError)


def read_response(
    answer: ApiResponse,
    query: QueryPlan,
    *,
    hold: int | None = None,
    lenient: bool = False,
    keep: Keep | None = None,
) -> AnsweredQuery:
    """The rows of an answer that lie before the end of its window.

    Whether the service answers rows stamped exactly at `until` is not documented. Dropping them in
    every window leaves each row in exactly one window under either reading.

    Args:
        answer: The answer, which may still be arriving.
        query: What was asked.
        hold: About how many bytes of rows are kept in memory, the others in a file; all of them
            when it is left out.
        lenient: Whether values that are not of their types become null.
        keep: Keeps the body as it comes; the rows are then checked and counted, and forgotten.
    """
    piece = None if hold is None else SMALL_PIECE
    operation_id = query.operation.operation_id
    decoder = Decoder(operation_id, columns_of(query), lenient=lenient, piece=piece)
    rows = Spool(hold)
    received = kept = 0
    with answer.explained(), nullcontext() if keep is None else keep(answer, query) as bytes_to:
        for frame in _frames(decoder, query, answer.chunks(bytes_to)):
            if query.is_shared and query.contracts:
                check_contracts(query, frame, received)
            wanted = _before_the_end(query, frame)
            rows.add(wanted if keep is None else wanted.clear())
            received += frame.height
            kept += wanted.height
    answer.unexpected = decoder.unexpected
    return AnsweredQuery(
        query,
        rows,
        RequestRecord(
            endpoint=query.operation.path,
            parameters=answer.context.parameters,
            window=query.window,
            rows=kept,
            dropped=received - kept,
            bytes_decoded=answer.bytes_decoded,
            bytes_received=answer.bytes_received,
            seconds=answer.seconds,
            timestamp=decoder.timestamp,
            unexpected=decoder.unexpected,
        ),
    )


def _frames(decoder: Decoder, query: QueryPlan, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """The tables of a response; CSV is not decoded, only kept."""
    if query.options.response_format == "json":
        return decoder.frames(chunks)
    deque(chunks, maxlen=0)
    return iter([to_frame(query.operation.operation_id, [], columns_of(query))])


def _before_the_end(query: QueryPlan, frame: pl.DataFrame) -> pl.DataFrame:
    name = query.operation.time_column
    if query.window is None or name is None:
        return frame
    column = next(c.python_name for c in query.operation.row if c.name == name)
    times = frame.get_column(column).to_physical()
    # Looked at first, because to keep everything would copy everything.
    kept = (times < query.window.end).fill_null(value=True)  # lenient decoding makes nulls
    return frame if kept.all() else frame.filter(kept)


def columns_of(query: QueryPlan) -> ColumnFilter:
    """The columns that the rows of a query have."""
    given = query.arguments()
    parameters = parameters_by_argument(query.operation)
    brought = [parameter.name for name, parameter in parameters.items() if given.get(name)]
    return column_filter(query.optional_fields, brought)


def concerns_every_query(error: TrayportError) -> bool:
    """Whether the client cannot send anything, or the service takes nothing from it."""
    return isinstance(
        error, TrayportAuthenticationError | TrayportConfigurationError | TrayportLimiterError
    )
