"""Reads the response to a query: its rows, checked and cut to the window, as they arrive."""

from __future__ import annotations

import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, NoReturn, TypeAlias

import polars as pl
from attrs import frozen

from ..errors import TrayportDecodeError
from ..query.contracts import ContractType, response_forms
from ..query.plan import CONTRACT, BulkMarketQuery, QueryPlan
from ..query.rules import parameters_by_argument
from ..query.times import SECOND, Interval, TimeRange, Window, floored, to_text
from ..tables.analytics.buckets import Buckets, Clock
from ..tables.analytics.ohlcv import END, START
from ..tables.base import RequestRecord
from ..tables.convert import SIDES
from ..tables.decode.decoder import Decoder
from ..tables.decode.schema import ColumnFilter, RequestedColumns, to_frame
from ..tables.output import naming
from ..telemetry.memory import give_back_memory

if TYPE_CHECKING:
    from ..http.messages import ApiResponse

LARGE_RESPONSE = 1 << 23
"""Bytes of a large body: few are under way at a time, and the memory of each is given back."""

ITEM, SECOND_ITEM, KIND = "sequence_item_id", "second_sequence_item_id", "contract_type"
ROUTE, ROUTE_ID = "route", "route_id"
_OTHER_PRODUCT = {"market_id": "instrument_id", "instrument_id": "market_id"}


Keep: TypeAlias = Callable[
    ["ApiResponse", QueryPlan], AbstractContextManager[Callable[[bytes], object]]
]
"""Gives what the body of a response is handed to as it comes, while the response is read."""


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
    operation_id = query.operation.operation_id
    decoder = Decoder(
        operation_id,
        columns_of(query),
        lenient=lenient,
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
    if hold is not None and response.bytes_decoded > LARGE_RESPONSE:
        give_back_memory()
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
    return RequestedColumns(query.optional_fields, tuple(options))


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


class RowCheck:
    """Checks the rows of one response, table by table.

    A row before the range, or of another contract, route or interval, is an error, also where
    decoding is lenient: it belongs to another request. Rows at or after the end of the range are
    left out. Whether the service sends those stamped exactly there is not documented; so each row
    is in exactly one of two ranges that meet.

    Args:
        query: The query that the response is to.

    Attributes:
        received: How many rows there were so far.
    """

    def __init__(self, query: QueryPlan) -> None:
        names = {column.name: column.python_name for column in query.operation.row}
        self._query = query
        self._time_field = query.operation.time_column or ""
        self._time = names.get(self._time_field)
        self._first_point: int | None = None
        self.received = 0

    def wanted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows that lie before the end of the range.

        Raises:
            TrayportDecodeError: A row was not asked for.
        """
        wanted = frame
        if frame.height:
            self._check_contracts(frame)
            self._check_routes(frame)
            if self._time is not None:
                wanted = self._in_range(frame, frame.get_column(self._time).cast(pl.Int64))
        self.received += frame.height
        return wanted

    def check_instant(self, timestamp: int | None) -> None:
        """Checks the instant that a whole response is about; older ones are right too.

        Raises:
            TrayportDecodeError: It is later than that of the query.
        """
        at = self._query.at
        if timestamp is not None and at is not None and timestamp > at:
            raise TrayportDecodeError(
                f"{self._query.explain()} was asked for, and the response is about a later "
                f"instant: {_exact(timestamp)}",
                field="timestamp",
            )

    def _in_range(self, frame: pl.DataFrame, times: pl.Series) -> pl.DataFrame:
        query, window, interval = self._query, self._query.window, self._query.interval
        earliest, latest = times.min(), times.max()
        if not isinstance(earliest, int) or not isinstance(latest, int):
            return frame  # nothing but nulls, which lenient decoding makes
        if window is None:
            if query.at is not None and latest >= query.at:
                self._refuse_time(times >= query.at, times, "not before that instant")
            return frame
        start = window.start if interval is None else floored(window.start, interval)
        if earliest < start:
            self._refuse_time(times < start, times, "before the range")
        if interval is not None:
            is_other = self._is_of_other_interval(frame, times, latest, window, interval)
            if is_other.any():
                self._refuse_time(is_other, times, f"not on the grid of {interval}")
        if latest < window.end:
            return frame
        return frame.filter((times < window.end).fill_null(value=True))

    def _is_of_other_interval(
        self,
        frame: pl.DataFrame,
        times: pl.Series,
        latest: int,
        window: Window,
        interval: Interval,
    ) -> pl.Series:
        """Which rows in the range are candles of another length, or points at other distances."""
        if END in frame.columns:
            start, end = pl.col(START).cast(pl.Int64), pl.col(END).cast(pl.Int64)
            buckets = Buckets.of(interval, Clock(), TimeRange(window.start), last=latest)
            after = buckets.after(start)
            # The end of the range cuts the last of several days short [assumed].
            is_right = (end == after) | ((end == window.end) & (after > window.end))
            off = frame.select((buckets.start(start) != start) | ~is_right).to_series()
        else:
            if self._first_point is None:
                self._first_point = times.drop_nulls()[0]
            off = (times - self._first_point) % (interval.length or 1) != 0
        return off & (times < window.end)

    def _check_contracts(self, frame: pl.DataFrame) -> None:
        if CONTRACT in frame.columns:
            contracts = frame.get_column(CONTRACT)
            is_other = _is_of_other_contract(self._query, contracts)
            if is_other.any():
                self._refuse(is_other, CONTRACT, lambda row: f"its contract is {contracts[row]}")

    def _check_routes(self, frame: pl.DataFrame) -> None:
        routes = [str(route).lower() for route in self._query.options.routes]
        if not routes or "all" in routes:
            return
        checks = {ROUTE: _is_of_other_route(frame.schema, pl.col, routes)}
        for side in SIDES:
            if isinstance(kind := frame.schema.get(side), pl.List):
                orders = pl.Series([], dtype=kind).explode().struct.schema
                is_other = _is_of_other_route(orders, pl.element().struct.field, routes)
                checks[f"{side}.{ROUTE}"] = pl.col(side).list.eval(is_other).list.any()
        for field, other in frame.select(**checks).to_dict().items():
            if other.any():
                self._refuse(other, field, lambda _: "it came over another route")

    def _refuse_time(self, wrong: pl.Series, times: pl.Series, why: str) -> NoReturn:
        name = self._time_field
        self._refuse(wrong, name, lambda row: f"its {name} is {why}, {_exact(times[row])}")

    def _refuse(self, wrong: pl.Series, field: str, why: Callable[[int], str]) -> NoReturn:
        place = wrong.fill_null(value=False).arg_max() or 0
        row = place + self.received
        raise TrayportDecodeError(
            f"{self._query.explain()} was asked for, and row {row} is something else: {why(place)}",
            row=row,
            field=field,
        )


def _exact(time: int) -> str:
    return f"{time} ({to_text(time)[:-1]}.{time % SECOND:09d}Z)"


def _is_of_other_contract(query: QueryPlan, contracts: pl.Series) -> pl.Series:
    """Which rows name a contract that the query is not about, or do not name theirs."""
    own = contracts.struct.field
    is_broad = isinstance(query, BulkMarketQuery)
    parts: dict[str, int] = dict(query.scope)
    if not is_broad:
        first = query.contracts[0]
        named = {name: getattr(first, name) for name in (*_OTHER_PRODUCT, "sequence_id")}
        parts = {name: id_ for name, id_ in named.items() if id_ is not None}
    # Where any part of a contract may be named, rows may leave out what the request named.
    may_omit = query.operation.limits.contract == "subset"
    wrong = pl.Series([False]).new_from_index(0, len(contracts))
    for name, id_ in parts.items():
        wrong |= own(name) != id_
        if name in _OTHER_PRODUCT and not may_omit:
            wrong |= own(name).is_null() & own(_OTHER_PRODUCT[name]).is_not_null()
    if query.is_shared and query.contracts:
        for name in (ITEM, "sequence_id", "instrument_id") if is_broad else (ITEM,):
            # A market is always named by the request.
            if name not in parts and not (name == "instrument_id" and "market_id" in parts):
                wrong |= own(name).is_null()
    kind, second = ContractType.SINGLE_PERIOD, None
    if not is_broad:
        first = query.contracts[0]
        kind, second = first.contract_type, first.second_sequence_item_id
        wrong |= ~own(ITEM).is_in([contract.sequence_item_id for contract in query.contracts])
    if not is_broad or query.options.trading_items is not None:
        wrong |= ~own(KIND).is_in(response_forms(kind))
        wrong |= own(ITEM).is_not_null() & own(SECOND_ITEM).ne_missing(second)
    return wrong


def _is_of_other_route(
    names: Collection[str], field: Callable[[str], pl.Expr], routes: list[str]
) -> pl.Expr:
    """Whether a row came over another route than these, as far as it says so."""
    ids = [int(route) for route in routes if route.isdecimal()]
    by_name = field(ROUTE).str.to_lowercase().is_in(routes)
    if ROUTE not in names or (ids and ROUTE_ID not in names):
        return pl.lit(value=False)
    return ~(by_name | field(ROUTE_ID).is_in(ids)) if ids else ~by_name


BLOCK_ROWS = 100_000
BLOCK_BYTES = 1 << 23
MOST_CHUNKS = 8
"""Tables that a block is made of without a copy; more of them would slow down whoever uses it."""


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
        self._blocks.append(pl.concat(small, rechunk=len(small) > MOST_CHUNKS))
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
