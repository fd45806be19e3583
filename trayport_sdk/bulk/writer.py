"""A file written in a thread of its own, no further behind than memory allows."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Self

import polars as pl
from attrs import field, frozen

from ..query.by_contract import ByContract
from ..query.plan import counted
from ..tables.base import RequestRecord
from ..tables.files import encode
from ..tables.formats import FileFormat
from ..tables.output import replaced
from ..telemetry.processes import start_thread


class AbandonedError(Exception):
    """The writing was ended before the file was whole."""


class FileWriter:
    """Writes tables with the same columns to one file, while the next ones are fetched.

    Used as a context manager. The file takes its place in `finish`; left without it, nothing is
    changed.

    Args:
        path: The file.
        form: Its format.

    Attributes:
        rows: Rows that were handed in.
        bytes_written: The size of the file, once it is whole.
    """

    def __init__(self, path: str | Path, form: FileFormat) -> None:
        self._path = path
        self._form = form
        self._waiting: Queue[pl.DataFrame | None] = Queue(1)
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self.rows = self.bytes_written = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Hands in a table; waits while too many are waiting.

        Raises:
            OSError: The file cannot be written.
            AbandonedError: The writing was ended.
        """
        # To end the writing makes room here, so that this does not wait for ever.
        self._waiting.put(frame)
        self._check()
        self.rows += frame.height

    def write_all(self, frames: Iterable[pl.DataFrame]) -> None:
        """Hands in tables one after another, as `write` does."""
        for frame in frames:
            self.write(frame)

    def finish(self) -> None:
        """Writes what is waiting, and puts the file in its place.

        Raises:
            OSError: The file cannot be written.
        """
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Ends the writing as soon as possible."""
        self._failure = self._failure or AbandonedError()
        while True:
            self._make_room()
            with suppress(Full):
                self._waiting.put_nowait(None)
                return

    def _make_room(self) -> None:
        with suppress(Empty):
            self._waiting.get_nowait()

    def _work(self) -> None:
        try:
            with replaced(self._path) as file:
                encode(self._coming(), file, self._form)
                self._check()
                self.bytes_written = file.tell()
        except BaseException as error:  # noqa: BLE001  (raised where the file is waited for)
            self._failure = self._failure or error
            self._make_room()

    def _coming(self) -> Iterator[pl.DataFrame]:
        while (frame := self._waiting.get()) is not None and self._failure is None:
            yield frame
        self._check()

    def __enter__(self) -> Self:
        self._thread = start_thread(self._work, name="trayport-write", stop=self.abandon)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._thread is not None and self._thread.is_alive():
            self.abandon()
            self._thread.join()


@frozen
class FileReport:
    """A file that was written, and the requests its rows came from.

    Attributes:
        path: The file.
        rows: How many rows of tables were written; a book, which is one of them, becomes a line for
            each order in CSV.
        bytes_written: The size of the file.
        requests: The requests, in the order of the rows.
        seconds: From the first request to the finished file.
        rows_by_contract: How many rows of each contract there are, found by the contract, its name,
            its machine symbol, or what was asked for.
    """

    path: Path
    rows: int
    bytes_written: int
    requests: tuple[RequestRecord, ...] = field(repr=False)
    seconds: float
    rows_by_contract: ByContract[int] = field(factory=lambda: ByContract[int]({}))

    def explain(self) -> str:
        """How the file was made, in words."""
        dropped = sum(request.dropped for request in self.requests)
        decoded = sum(request.bytes_decoded for request in self.requests)
        received = sum(request.bytes_received for request in self.requests)
        return (
            f"{counted(self.rows, 'row')} from {counted(len(self.requests), 'request')}, "
            f"{received:,} bytes received, {decoded:,} decoded, {self.bytes_written:,} written "
            f"in {self.seconds:.1f} s; {counted(dropped, 'row')} left out at the ends of windows"
        )
