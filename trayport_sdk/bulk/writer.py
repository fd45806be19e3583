"""A file written in a thread of its own, no further behind than memory allows."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..tables.files import encode, group_rows, replaced

if TYPE_CHECKING:
    import polars as pl

WAITING_BYTES = 1 << 21


class AbandonedError(Exception):
    """Nobody wants the file any more."""


class FileWriter:
    """Writes tables with the same columns to one file, while the next ones are fetched.

    Used as a context manager. The file takes its place in `finish`; left without it, nothing is
    changed.

    Args:
        path: The file.
        kind: The format, as its ending.
        codec: How it is compressed.

    Attributes:
        rows: Rows that were handed in.
        bytes_written: The size of the file, once it is whole.
    """

    def __init__(self, path: str | Path, kind: str, codec: str) -> None:
        self._path = path
        self._kind = kind
        self._codec = codec
        self._changed = threading.Condition()
        self._waiting: deque[pl.DataFrame] = deque()
        self._waiting_rows = self._waiting_bytes = 0
        self._is_complete = self._is_abandoned = self._is_over = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="trayport-write")
        self.rows = self.bytes_written = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Hands in a table; waits while too many are waiting.

        Raises:
            OSError: The file cannot be written.
            AbandonedError: Nobody wants it any more.
        """
        size = int(frame.estimated_size())
        most = group_rows(frame.schema)

        def has_room() -> bool:
            fits = self._waiting_rows + frame.height <= most
            fits &= self._waiting_bytes + size <= WAITING_BYTES
            return self._is_over or self._is_abandoned or not self._waiting or fits

        with self._changed:
            self._changed.wait_for(has_room)
            if self._is_over or self._is_abandoned:
                raise self._failure or AbandonedError
            self._waiting.append(frame)
            self._waiting_rows += frame.height
            self._waiting_bytes += size
            self._changed.notify_all()
        self.rows += frame.height

    def finish(self) -> None:
        """Writes what is waiting, and puts the file in its place.

        Raises:
            OSError: The file cannot be written.
        """
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Ends the writing as soon as possible; whoever waits to hand something in is told."""
        with self._changed:
            self._is_abandoned = True
            self._forget()

    def _forget(self) -> None:
        self._waiting.clear()
        self._changed.notify_all()

    def _work(self) -> None:
        try:
            with replaced(self._path) as part:
                encode(self._coming(), part, self._kind, self._codec)
                if self._is_abandoned:
                    raise AbandonedError
                self.bytes_written = part.stat().st_size
        except AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001  (raised where the file is waited for)
            self._failure = error
        finally:
            with self._changed:
                self._is_over = True
                self._forget()

    def _coming(self) -> Iterator[pl.DataFrame]:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._waiting or self._is_complete or self._is_abandoned
                )
                if self._is_abandoned:
                    raise AbandonedError
                if not self._waiting:
                    return
                frame = self._waiting.popleft()
                self._waiting_rows -= frame.height
                self._waiting_bytes -= int(frame.estimated_size())
                self._changed.notify_all()
            yield frame

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self.abandon()
            self._thread.join()
