"""Rows of many requests that pass through a program without ever being in it all at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import polars as pl
from attrs import field, frozen
from trayport_spec import ENDPOINTS

from ..errors import (
    TrayportConfigurationError,
    not_whole,
    unknown_parameter,
)
from ..query.build import unknown_endpoint
from ..query.by_contract import Asked, ByContract
from ..query.contracts import ContractSpec
from ..query.plan import CHOICES, CONTRACT, QueryPlan
from ..query.planner import plan
from ..tables import RESPONSES, TradesBatch
from ..tables.base import RequestRecord
from ..tables.batches import Workers
from ..tables.files import Gatherer, gathered
from ..tables.formats import ColumnarOptions, CsvOptions, FileFormat, FileOptions, TimeOptions
from ..tables.output import check_writable
from .progress import OnProgress
from .raw import BodyKeeper, check_directory
from .reading import LARGE_RESPONSE, FetchedQuery, Keep, columns_of
from .result import (
    rows_of,
    split_by_contract,
    with_named_contracts,
    with_symbols,
)
from .writer import FileReport, FileWriter

if TYPE_CHECKING:
    from .runner import Contracts, Runner

HOLD = 1 << 20
"""About how many bytes of the rows of a response wait in memory for their turn to be written."""

LARGE_RESPONSES = 1
"""How many large responses are under way beside the one in use: each takes memory."""

FIRST_RESPONSES = 2
"""How many are under way before it is known how large they are."""

STREAMED = tuple(
    endpoint.key
    for endpoint in ENDPOINTS.values()
    if endpoint.time_column is not None and not endpoint.single and endpoint.limits.contract
)
"""The operations whose rows have a time, so that the rows of many windows are one table."""

Result = TypeVar("Result")


class TableStream:
    """Rows of one or many contracts, request by request. Made by `client.stream_trades`.

    It is used in one way and once: iterated, written to a file, or worked on by a function.
    Nothing is sent before.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> months = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]
        >>> with TemporaryDirectory() as directory:
        ...     async with TrayportClient.sandbox() as client:
        ...         stream = client.stream_trades(months, "2024-03-04", "2024-03-05")
        ...         report = await stream.to_parquet(f"{directory}/trades.parquet")
        >>> len(report.requests)
        1
    """

    def __init__(
        self,
        runner: Runner,
        make_query: Callable[[], Awaitable[tuple[QueryPlan, Asked]]],
        *,
        in_order: bool = True,
        max_responses: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._source = _Source(runner, make_query, in_order, max_responses, on_progress)
        self._batches: AsyncGenerator[TradesBatch] | None = None
        self._is_used = self._is_over = False

    @classmethod
    def of(
        cls,
        runner: Runner,
        contracts: Contracts,
        endpoint: str,
        *,
        in_order: bool = True,
        max_responses: int | None = None,
        on_progress: OnProgress | None = None,
        **arguments: Any,
    ) -> Self:
        """The stream of an operation about contracts that may be given by name."""

        async def query() -> tuple[QueryPlan, Asked]:
            _check(endpoint, max_responses, arguments)
            return await runner.about_named(contracts, runner.query(endpoint, **arguments))

        return cls(
            runner, query, in_order=in_order, max_responses=max_responses, on_progress=on_progress
        )

    @property
    def rows_by_contract(self) -> ByContract[int]:
        """How many rows of each contract have come so far; none before the first request.

        They are found by the contract, its name, its machine symbol, or what was asked for.
        """
        return ByContract(self._source.counts, self._source.asked)

    def __aiter__(self) -> Self:
        if self._batches is None or self._is_over:
            self._batches = self._begun(self._source.by_contract())
        return self

    async def __anext__(self) -> TradesBatch:
        """The rows of one contract in one window; contracts without any are passed over."""
        if self._batches is None:
            self._batches = self._begun(self._source.by_contract())
        try:
            return await anext(self._batches)
        except BaseException:
            self._is_over = True
            raise

    async def aclose(self) -> None:
        """Ends the requests of a stream that is not iterated to its end."""
        self._is_used = self._is_over = True
        if self._batches is None:
            return
        try:
            await self._batches.aclose()
        except RuntimeError as error:
            raise TrayportConfigurationError(
                "another task waits for the next batch of the stream",
                suggestion="cancel that task, which ends the stream as well",
            ) from error

    async def to_parquet(self, path: str | Path, **options: Unpack[ColumnarOptions]) -> FileReport:
        """Writes all rows as Parquet, in groups of 50,000; otherwise like `to_file`."""
        return await self._written(path, FileFormat.of(".parquet", options))

    async def to_arrow(self, path: str | Path, **options: Unpack[ColumnarOptions]) -> FileReport:
        """Writes all rows as an Arrow IPC file, in batches of 100,000; otherwise like `to_file`."""
        return await self._written(path, FileFormat.of(".arrow", options))

    async def to_csv(self, path: str | Path, **options: Unpack[CsvOptions]) -> FileReport:
        """Writes all rows as CSV, times in ISO-8601 with nanoseconds.

        Arguments, errors and result are those of `to_file`.
        """
        return await self._written(path, FileFormat.of(".csv", options))

    async def to_json(self, path: str | Path, **options: Unpack[TimeOptions]) -> FileReport:
        """Writes all rows as JSON Lines, times in ISO-8601 with nanoseconds.

        Arguments, errors and result are those of `to_file`.
        """
        return await self._written(path, FileFormat.of(".jsonl", options))

    async def to_file(self, path: str | Path, **options: Unpack[FileOptions]) -> FileReport:
        """Writes all rows to a file, in the format that its name ends with.

        The rows and columns are those of the call that returns a table, in the order of the
        requests. A few responses are in memory or in temporary files at a time. The file appears
        when it is whole: after an error or a cancellation there is none, or still the old one.

        Args:
            path: The file: `.parquet`, `.arrow`, `.csv` or `.jsonl`.
            options: How it is written, as in `FileOptions`.

        Raises:
            TrayportValidationError: The file cannot be written like that, and nothing was sent; or
                a time has a part below `time_unit`.
            TrayportConfigurationError: The stream was used already.
            TrayportError: A request failed.
            OSError: The file cannot be written, because the disk is full for example.
        """
        return await self._written(path, FileFormat.of_path(path, options))

    async def download_raw(self, directory: str | Path) -> list[Path]:
        """Keeps the bodies of the responses as they came over the wire, a file each.

        Checks, names and contents are those of `client.download_raw`.

        Args:
            directory: Where they go; made when it is missing.

        Returns:
            The files, in the order of the requests.

        Raises:
            TrayportValidationError: There can be no such directory; nothing was sent.
            TrayportConfigurationError: The stream was used already.
            TrayportError: A request failed; the files of those before it stay.
            OSError: A file cannot be written.
        """
        target = check_directory(directory)
        self._use()
        query = with_named_contracts(await self._source.query())
        with BodyKeeper(target) as keeper:
            async with aclosing(self._source.fetched(query, keep=keeper)) as responses:
                return [
                    await asyncio.to_thread(keeper.place, fetched.query)
                    async for fetched in responses
                ]

    def map_batches(
        self, fn: Callable[[pl.DataFrame], Result], workers: int | None = None
    ) -> AsyncGenerator[Result]:
        """What a function makes of pieces of about 100,000 rows, in their order.

        It is for work that keeps a processor busy: the pieces are worked on in processes of their
        own, while the next ones are fetched. The columns are those of the table, so that rows of
        several contracts say whose they are.

        Args:
            fn: Takes a polars frame; defined at the top level of a module that can be imported.
                What it returns is pickled.
            workers: How many processes; with 0 or 1 it runs in this one. As many as there are
                processors when it is left out.

        Raises:
            TrayportValidationError: The function cannot be sent to another process; nothing was
                sent.
            TrayportConfigurationError: The stream was used already, or a process has ended.
            TrayportError: A request failed.
            Exception: What the function raised, with a note about the rows.

        Example:
            >>> import polars as pl
            >>> async with TrayportClient.sandbox() as client:
            ...     stream = client.stream_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            ...     async for columns in stream.map_batches(pl.DataFrame.get_columns, workers=1):
            ...         print(columns[0].name)
            trade_id
        """
        return self._begun(self._source.mapped(Workers(fn, workers)))

    def _use(self) -> None:
        if self._is_used:
            raise TrayportConfigurationError(
                "the stream was used already, and can be used once",
                suggestion="make another one with the same arguments",
            )
        self._is_used = True

    def _begun(self, generator: AsyncGenerator[Result]) -> AsyncGenerator[Result]:
        self._use()
        return generator

    async def _written(self, path: str | Path, form: FileFormat) -> FileReport:
        path = check_writable(path, "path")
        self._use()
        started = time.perf_counter()
        query = with_named_contracts(await self._source.query())
        records: list[RequestRecord] = []
        with FileWriter(path, form) as writer:
            # Without any rows the file has the columns nevertheless.
            writer.write(_no_rows(query))
            async with aclosing(self._source.fetched(query)) as responses:
                async for fetched in responses:
                    records.append(fetched.record)
                    rows = self._source.rows(query, fetched)
                    await _aside(partial(writer.write_all, rows), writer.abandon)
            await _aside(writer.finish, writer.abandon)
        seconds = time.perf_counter() - started
        return FileReport(
            path,
            writer.rows,
            writer.bytes_written,
            tuple(records),
            seconds,
            self.rows_by_contract,
        )


@frozen
class _Source:
    """Where the rows of a stream come from.

    It does not know the stream: who lets go of a stream in a loop, ends its requests.
    """

    runner: Runner
    make_query: Callable[[], Awaitable[tuple[QueryPlan, Asked]]]
    in_order: bool
    max_responses: int | None
    on_progress: OnProgress | None
    counts: dict[ContractSpec, int] = field(factory=dict[ContractSpec, int])
    asked: dict[str, ContractSpec] = field(factory=dict[str, ContractSpec])

    async def query(self) -> QueryPlan:
        """The query, once its contracts are known."""
        query, asked = await self.make_query()
        self.asked.update(asked)
        self.counts.update(dict.fromkeys(query.contracts, 0))
        return query

    def rows(self, query: QueryPlan, fetched: FetchedQuery) -> Iterator[pl.DataFrame]:
        """The flat rows that a request fetched, of the contracts of the query, counted."""
        contracts = fetched.query.contracts
        by_symbol = {str(contract): contract for contract in contracts}
        for frame in rows_of(query, fetched):
            if len(contracts) == 1:
                self.counts[contracts[0]] += frame.height
            elif contracts:
                for symbol, count in frame.get_column(CONTRACT).value_counts().iter_rows():
                    self.counts[by_symbol[symbol]] += count
            yield frame

    async def by_contract(self) -> AsyncGenerator[TradesBatch]:
        async with aclosing(self.fetched(await self.query())) as responses:
            async for fetched in responses:
                frames = gathered(fetched.rows.frames())
                while (frame := await asyncio.to_thread(next, frames, None)) is not None:
                    for contract, rows in split_by_contract(fetched.query, frame):
                        if rows.height:
                            self.counts[contract] += rows.height
                            yield TradesBatch.about(contract, rows, fetched.record)

    async def mapped(self, workers: Workers[Result]) -> AsyncGenerator[Result]:
        query = with_named_contracts(await self.query())
        is_over = False
        try:
            async with aclosing(self.groups(query)) as groups:
                async for group in groups:
                    await asyncio.to_thread(workers.submit, group)
                    while workers.is_full:
                        yield await _taken(workers)
            while workers.next is not None:
                yield await _taken(workers)
            is_over = True
        finally:
            # A caller that is cancelled does not wait for what the processes are at.
            workers.close(wait=is_over)

    async def groups(self, query: QueryPlan) -> AsyncGenerator[pl.DataFrame]:
        """All rows, in tables of about 100,000."""
        gatherer = Gatherer()
        async with aclosing(self.fetched(query)) as responses:
            async for fetched in responses:
                frames = self.rows(query, fetched)
                while (frame := await asyncio.to_thread(next, frames, None)) is not None:
                    for group in gatherer.add(frame):
                        yield group
        for group in gatherer.rest():
            if group.height:
                yield group

    async def fetched(
        self, query: QueryPlan, *, hold: int | None = HOLD, keep: Keep | None = None
    ) -> AsyncGenerator[FetchedQuery]:
        run = self.runner.run(
            plan(query),
            self.on_progress,
            ahead=self.max_responses or FIRST_RESPONSES,
            whole=True,
            hold=hold,
            keep=keep,
        )
        async with aclosing(run.outcomes(in_order=self.in_order)) as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, FetchedQuery):
                    if self.max_responses is None:
                        # The next ones will be about as large.
                        is_large = outcome.record.bytes_decoded > LARGE_RESPONSE
                        run.ahead = LARGE_RESPONSES if is_large else run.concurrency
                    with closing(outcome.rows):
                        yield outcome


async def _aside(work: Callable[[], None], stop: Callable[[], None]) -> None:
    """Does work in a thread; when the task is cancelled it is stopped, and its end waited for."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        stop()
        await asyncio.wait([working])
        if not working.cancelled():
            working.exception()
        raise


async def _taken(workers: Workers[Result]) -> Result:
    if workers.next is not None and not workers.next.done():
        # The result is taken below, where its error is explained.
        waiting = asyncio.wrap_future(workers.next)
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([waiting])
    return workers.result()


def _check(endpoint: str, max_responses: int | None, arguments: Mapping[str, object]) -> None:
    if endpoint not in STREAMED:
        is_known = any(endpoint == other.key for other in ENDPOINTS.values())
        reason = "has no rows with a time that windows could be joined by"
        raise unknown_endpoint(endpoint, STREAMED, reason if is_known else "is unknown")
    for name in arguments.keys() - CHOICES - {"from_", "until", "interval"}:
        suggestion = "tables have more, such as tz; options are "
        raise unknown_parameter(name, "is no option of a stream", sorted(CHOICES), suggestion)
    if max_responses is None:
        return
    if not isinstance(max_responses, int) or isinstance(max_responses, bool) or max_responses < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_whole("max_responses", max_responses, 1, "leave it out, or hold at least one")


def _no_rows(query: QueryPlan) -> pl.DataFrame:
    """A table without rows, with the columns that `rows_of` gives."""
    table = RESPONSES[query.endpoint].nothing(columns_of(query)).to_polars(nested=True)
    return with_symbols(query, query, table)
