"""What clients do with more rows than fit into memory: streams, files, and answers as they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import TrayportValidationError

if TYPE_CHECKING:
    from pathlib import Path

    from .bulk.progress import OnProgress
    from .bulk.reports import FileReport
    from .bulk.runner import Contracts, Runner
    from .bulk.stream import TableStream
    from .query.plan import QueryPlan
    from .query.rules import Routes
    from .query.times import Interval, TimeLike
    from .tables.files import Compression

ENDPOINTS_OF_FILES = ("trades", "private_trades", "ohlcv", "order_book_top", "order_book")
"""Those whose rows have a time, so that the rows of many windows are one table."""


class Streaming:
    """Calls whose rows never are in memory all at once."""

    _runner: Runner

    def stream_trades(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        include_private: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[str] = (),
        in_order: bool = True,
        max_answers: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> TableStream:
        """The trades of many contracts, piece by piece, to be worked on or written to a file.

        While you work on a batch the next answers are fetched, as many as `max_answers`; then
        nothing more is asked for until you come for the next batch, so memory stays bounded.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            include_private: Whether your own trades carry their private details.
            routes: Routes to market by name or id, or `"all"`.
            deduplicate_routes: Whether a trade that came over several routes is returned once.
            optional_fields: Columns to add.
            in_order: Whether the batches of each contract come in time order. Otherwise they come
                as they arrive, so that a slow answer holds nothing up.
            max_answers: How many answers are held at most besides the one you work on. Left out,
                it is one while answers are large, and the setting `max_concurrency` otherwise.
            on_progress: Called after every answer with a `Progress`.

        Returns:
            A stream that is iterated, of batches of the rows of one contract in one window, where
            contracts without any are passed over; or written to a file by its methods.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent. This and all other
                errors are raised where the stream is used.
            TrayportError: As `client.trades.get_trades`; what was yielded before is whole.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     async for batch in client.stream_trades(
            ...         ["TTF Hi Cal 51.6* Apr-24"], "2024-03-04", "2024-03-05"
            ...     ):
            ...         print(batch.contract, len(batch) > 0)
            10000065*#Single#10000305#244#0 True
        """
        return self._stream(
            contracts,
            "trades",
            in_order=in_order,
            max_answers=max_answers,
            on_progress=on_progress,
            from_=from_,
            until=until,
            include_private=include_private,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )

    async def stream_to_file(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None,
        path: str | Path,
        *,
        endpoint: str = "trades",
        interval: Interval | str | None = None,
        compression: Compression | None = None,
        max_answers: int | None = None,
        on_progress: OnProgress | None = None,
        **options: Any,
    ) -> FileReport:
        """Downloads rows of one or many contracts into a file, of any length, in bounded memory.

        The columns are those of the call for one contract. Several contracts are told apart by the
        column `contract`, or where the endpoint has none by their `symbol` in front. Rows come in
        the order of the requests, so those of each contract in time order. The file appears when it
        is whole: after an error or a cancellation there is none, or still the old one.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            path: The file: `.parquet`, `.arrow`, `.csv` or `.jsonl`.
            endpoint: `"trades"`, `"private_trades"`, `"ohlcv"`, `"order_book_top"` or
                `"order_book"`.
            interval: The length of a candle, or the time between two states of a book.
            compression: For Parquet and Arrow `"zstd"`, the default, `"lz4"` or `"none"`.
            max_answers: How many answers are held at most besides the one that is written, as in
                `stream_trades`.
            on_progress: Called after every answer with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: A request failed.
            OSError: The file cannot be written, because the disk is full for example.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> with TemporaryDirectory() as directory:
            ...     async with TrayportClient.sandbox() as client:
            ...         report = await client.stream_to_file(
            ...             "TTF Hi Cal 51.6* Apr-24",
            ...             "2024-03-04",
            ...             "2024-03-09",
            ...             f"{directory}/candles.csv",
            ...             endpoint="ohlcv",
            ...             interval="1d",
            ...         )
            >>> report.rows
            5
        """
        stream = self._stream(
            contracts,
            endpoint,
            max_answers=max_answers,
            on_progress=on_progress,
            from_=from_,
            until=until,
            interval=interval,
            **options,
        )
        return await stream.to_file(path, compression=compression)

    async def download_raw(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None,
        directory: str | Path,
        *,
        endpoint: str = "trades",
        interval: Interval | str | None = None,
        max_answers: int | None = None,
        on_progress: OnProgress | None = None,
        **options: Any,
    ) -> list[Path]:
        """Keeps the answers about one or many contracts as they came over the wire, a file each.

        Each is checked while it arrives, as if it were decoded, and appears when it is whole. The
        names tell the place in the order of requests, the endpoint, the window, the format and how
        it is compressed, as in `00001-trades-20240304T000000Z-20240305T000000Z.json.br`; a file of
        the same name is replaced. `decode_file` reads them, given the same endpoint and options.
        Rows at the end of a window are in them even if the next window has them too.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            directory: Where the files go; made when it is missing.
            endpoint: As in `stream_to_file`.
            interval: The length of a candle, or the time between two states of a book.
            max_answers: How many answers are held at most, as in `stream_trades`.
            on_progress: Called after every answer with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`; and
                `response_format="csv"`, which keeps CSV without checking what is in it.

        Returns:
            The files, in the order of the requests.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: A request failed; the files of those before it stay.
            OSError: A file cannot be written.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> with TemporaryDirectory() as directory:
            ...     async with TrayportClient.sandbox() as client:
            ...         (path,) = await client.download_raw(
            ...             "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", directory
            ...         )
            ...     rows = sum(len(frame) for frame in decode_file(path))
            >>> rows > 0
            True
        """
        stream = self._stream(
            contracts,
            endpoint,
            max_answers=max_answers,
            on_progress=on_progress,
            from_=from_,
            until=until,
            interval=interval,
            **options,
        )
        return await stream.download_raw(directory)

    def _stream(
        self,
        contracts: Contracts,
        endpoint: str,
        *,
        in_order: bool = True,
        max_answers: int | None = None,
        on_progress: OnProgress | None = None,
        **question: Any,
    ) -> TableStream:
        from .bulk.stream import TableStream

        async def asked() -> QueryPlan:
            _check(endpoint, max_answers, question)
            return await self._runner.about(contracts, self._runner.query(endpoint, **question))

        return TableStream(
            self._runner, asked, in_order=in_order, max_answers=max_answers, on_progress=on_progress
        )


def _check(endpoint: str, max_answers: int | None, question: Mapping[str, object]) -> None:
    from .query.plan import CHOICES

    if endpoint not in ENDPOINTS_OF_FILES:
        raise TrayportValidationError(
            f"endpoint {endpoint!r} has no rows with a time that windows could be joined by",
            parameter="endpoint",
            limit=", ".join(ENDPOINTS_OF_FILES),
            suggestion=f"use one of {', '.join(ENDPOINTS_OF_FILES)}",
        )
    for name in question.keys() - CHOICES - {"from_", "until", "interval"}:
        raise TrayportValidationError(
            f"{name} is no option of a stream",
            parameter=name,
            limit=", ".join(sorted(CHOICES)),
            suggestion=f"options are {', '.join(sorted(CHOICES))}; tables have more, such as tz",
        )
    if max_answers is not None and not _is_count(max_answers):
        raise TrayportValidationError(
            f"max_answers {max_answers!r} is not a whole number from 1",
            parameter="max_answers",
            suggestion="leave it out, or hold at least one answer",
        )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
