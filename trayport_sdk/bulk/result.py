"""What comes of one request: its rows, cut to its window and by contract, or why it failed."""

from __future__ import annotations

import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, TypeAlias

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
    TrayportServerError,
)
from ..query.contracts import ContractSpec, response_forms
from ..query.plan import (
    CONTRACT,
    BulkMarketQuery,
    ParallelContractQuery,
    QueryPlan,
    with_contract_column,
)
from ..query.rules import parameters_by_argument
from ..tables.base import RequestRecord
from ..tables.convert import flat
from ..tables.decode.decoder import Decoder
from ..tables.decode.schema import ColumnFilter, column_filter, to_frame
from ..tables.decode.split import SMALL_PIECE
from ..tables.output import naming
from .checks import ITEM, RowCheck

if TYPE_CHECKING:
    from ..http.messages import ApiResponse
    from ..query.times import Window

_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_URI_TOO_LONG}
_TOO_LARGE = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}

BLOCK_ROWS = 100_000
BLOCK_BYTES = 1 << 23


class Spool:
    """The rows of one response, in memory up to a limit and in a temporary file beyond it.

    Rows may be handed on only when their response is whole: before, the request may be sent again,
    or in parts. Until then they wait here, in blocks of about 100,000 rows.

    Args:
        hold: About how many bytes are kept in memory; all of them when it is left out.
    """

    def __init__(self, hold: int | None = None) -> None:
        self._hold = hold
        # Of what goes into a file, little is in memory at a time.
        self._block = BLOCK_BYTES if hold is None else min(BLOCK_BYTES, hold // 2)
        self._small: list[pl.DataFrame] = []
        self._small_rows = self._small_bytes = 0
        self._blocks: list[pl.DataFrame] = []
        self._held = 0
        self._file: IO[bytes] | None = None
        self._written: list[tuple[int, int]] = []
        self.height = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Adds rows at the end."""
        self._small.append(frame)
        self._small_rows += frame.height
        self._small_bytes += int(frame.estimated_size())
        self.height += frame.height
        if self._small_rows >= BLOCK_ROWS or self._small_bytes >= self._block:
            self._gather()

    def frames(self) -> Iterator[pl.DataFrame]:
        """All rows in order; at least one table, which has the columns."""
        self._gather()
        for start, size in self._written:
            with _naming_temporary_files():
                file = self._opened()
                file.seek(start)
                block = file.read(size)
            yield pl.read_ipc_stream(BytesIO(block))
        yield from self._blocks

    def frame(self) -> pl.DataFrame:
        """All rows in one table."""
        return pl.concat(list(self.frames()), rechunk=False)

    def close(self) -> None:
        """Forgets everything."""
        self._blocks, self._small, self._written = [], [], []
        if self._file is not None:
            _close(self._file)

    def _gather(self) -> None:
        """Makes one block of the small tables."""
        # Empty tables are dropped, except for the only one, which has the columns.
        small = [frame for frame in self._small if frame.height] or self._small[:1]
        self._small = []
        if not small or (not self._small_rows and (self._blocks or self._written)):
            return
        self._blocks.append(pl.concat(small, rechunk=True))
        self._held += self._small_bytes
        self._small_rows = self._small_bytes = 0
        if self._hold is not None and self._held > self._hold:
            self._write()

    def _write(self) -> None:
        """Moves the blocks to the file."""
        with _naming_temporary_files():
            file = self._opened()
            for block in self._blocks:
                start = file.seek(0, 2)
                # By way of memory: a file that polars writes to must not be read from meanwhile.
                buffer = BytesIO()
                block.write_ipc_stream(buffer, compression="lz4")
                self._written.append((start, file.write(buffer.getbuffer())))
        self._blocks, self._held = [], 0

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="trayport-")  # noqa: SIM115
            weakref.finalize(self, _close, self._file)
        return self._file


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # of what was left to write to a full disk
        file.close()


@contextmanager
def _naming_temporary_files() -> Generator[None]:
    way_out = "rows wait there for their turn; make room, or set TMPDIR to another directory"
    with naming("TMPDIR", way_out), naming(tempfile.gettempdir(), way_out):
        yield


@frozen
class FetchedQuery:
    """The rows that one request fetched."""

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

Keep: TypeAlias = Callable[
    ["ApiResponse", QueryPlan], AbstractContextManager[Callable[[bytes], object]]
]
"""Gives what the body of a response is handed to as it comes, while the response is read."""


def is_refused(error: TrayportError) -> bool:
    """Whether the service refused the query, maybe for one contract of many."""
    return isinstance(error, TrayportAPIError) and error.status_code in _REFUSED


def is_unfinished(error: TrayportError) -> bool:
    """Whether the service could not finish the query, maybe because it was too large."""
    if isinstance(error, TrayportConnectionError):
        return error.connected
    too_large = isinstance(error, TrayportAPIError) and error.status_code in _TOO_LARGE
    return too_large or isinstance(error, TrayportServerError | TrayportDecodeError)


def read_response(
    response: ApiResponse,
    query: QueryPlan,
    *,
    hold: int | None = None,
    lenient: bool = False,
    keep: Keep | None = None,
) -> FetchedQuery:
    """The rows of a response that lie before the end of its window.

    Args:
        response: The response, which may still be arriving.
        query: The query that it is the response to.
        hold: About how many bytes of rows are kept in memory, the others in a file; all of them
            when it is left out.
        lenient: Whether values that are not of their types become null.
        keep: Keeps the body as it comes; the rows are then checked and counted, and forgotten.
    """
    piece = None if hold is None else SMALL_PIECE
    operation_id = query.operation.operation_id
    decoder = Decoder(
        operation_id,
        columns_of(query),
        lenient=lenient,
        piece=piece,
        max_depth=response.max_depth,
    )
    check = RowCheck(query)
    rows = Spool(hold)
    kept = 0
    keeping = nullcontext() if keep is None else keep(response, query)
    with ExitStack() as unless_whole:
        unless_whole.callback(rows.close)
        with response.explained(), keeping as bytes_to:
            # What is not held in memory may have any size.
            chunks = response.chunks(bytes_to, is_limited=hold is None and keep is None)
            for frame in _frames(decoder, query, chunks):
                wanted = check.wanted(frame)
                rows.add(wanted if keep is None else wanted.clear())
                kept += wanted.height
            check.check_instant(decoder.timestamp)
        unless_whole.pop_all()
    response.unexpected = decoder.unexpected
    return FetchedQuery(
        query,
        rows,
        RequestRecord(
            endpoint=query.operation.path,
            parameters=response.context.parameters,
            window=query.window,
            rows=kept,
            dropped=check.received - kept,
            bytes_decoded=response.bytes_decoded,
            bytes_received=response.bytes_received,
            seconds=response.seconds,
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


def columns_of(query: QueryPlan) -> ColumnFilter:
    """The columns that the rows of a query have."""
    given = query.arguments()
    parameters = parameters_by_argument(query.operation)
    options = [parameter.name for name, parameter in parameters.items() if given.get(name)]
    return column_filter(query.optional_fields, options)


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
    rows = flat(frame)
    if len(query.contracts) < 2 or CONTRACT in rows.columns:
        return rows
    return add_symbol(rows, request.contracts[0])


def add_symbol(rows: pl.DataFrame, contract: ContractSpec) -> pl.DataFrame:
    """Flat rows of one contract, with its symbol in front."""
    return rows.select(pl.lit(str(contract)).alias(CONTRACT), pl.exclude(CONTRACT))


def with_named_contracts(query: QueryPlan) -> QueryPlan:
    """The query, so that the rows of several contracts name their contract."""
    return with_contract_column(query) if len(query.contracts) > 1 else query
