"""Work for processors on the rows of a table: in processes, piece by piece and in order."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context, parent_process
from typing import Any, Generic, TypeVar

import polars as pl

from ..errors import (
    TrayportConfigurationError,
    TrayportValidationError,
    invalid,
    not_whole,
)
from .files import gathered

Result = TypeVar("Result")

MAIN_PART = 'put the main part of a script below `if __name__ == "__main__":`'
"""What a script needs that starts processes, because each of them imports it."""
AHEAD = 2
"""Pieces for each process that are under way or done, at most."""


class Workers(Generic[Result]):
    """Runs a function on tables in several processes, and gives its results in order.

    Args:
        function: What to run, defined at the top level of a module that can be imported.
        workers: How many processes; with 0 or 1 it runs in this one. As many as there are
            processors when it is left out.

    Raises:
        TrayportValidationError: The function cannot be sent to another process, or the number is
            none.
    """

    def __init__(
        self, function: Callable[[pl.DataFrame], Result], workers: int | None = None
    ) -> None:
        self._function = function
        self._count = _count(workers)
        if not callable(function):  # pyright: ignore[reportUnnecessaryComparison]
            suggestion = "give a function that takes a polars frame"
            raise invalid("fn", function, "cannot be called", suggestion)
        self._pickled = _pickled(function) if self._count > 1 else b""
        self._pool: ProcessPoolExecutor | None = None
        self._under_way: deque[tuple[Future[Result], int, int]] = deque()
        self._rows = 0

    @property
    def is_full(self) -> bool:
        """Whether a result has to be taken before another table is submitted."""
        return len(self._under_way) >= (AHEAD * self._count if self._count > 1 else 1)

    @property
    def next(self) -> Future[Result] | None:
        """The next result in order, done or not; None when nothing is under way."""
        return self._under_way[0][0] if self._under_way else None

    def submit(self, frame: pl.DataFrame) -> None:
        """Runs the function on a table; the processes start with the first one."""
        first, self._rows = self._rows, self._rows + frame.height
        if self._count == 1:
            future: Future[Result] = Future()
            try:
                future.set_result(self._function(frame))
            except Exception as error:  # noqa: BLE001  (raised where the result is taken)
                future.set_exception(error)
        else:
            try:
                future = self._started().submit(_run, self._pickled, _packed(frame))
            except BrokenExecutor as error:
                raise _ended() from error
        self._under_way.append((future, first, self._rows))

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Forked processes would inherit locks that threads of this process hold.
            self._pool = ProcessPoolExecutor(
                self._count, mp_context=get_context("spawn"), initializer=_end_with_parent
            )
            # A table sent to processes that end while they start would never be read.
            self._pool.submit(os.getpid).result()
        return self._pool

    def result(self) -> Result:
        """The next result in order, once it is there.

        Raises:
            TrayportConfigurationError: A process has ended before its work was done.
            Exception: What the function raised, with a note about the rows.
        """
        future, first, end = self._under_way.popleft()
        try:
            return future.result()
        except BrokenExecutor as error:
            raise _ended() from error
        except _NotFoundError as error:
            raise _not_importable(self._function) from error
        except Exception as error:
            error.add_note(f"The function was given the rows {first:,} to {end - 1:,}.")
            raise

    def close(self, *, wait: bool) -> None:
        """Ends the processes after their current work, and waits for that with `wait`."""
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=True)


def map_batches(
    frames: Iterable[pl.DataFrame],
    function: Callable[[pl.DataFrame], Result],
    workers: int | None = None,
) -> Iterator[Result]:
    """The results of a function on pieces of about 100,000 rows, in their order."""
    return _mapped(frames, Workers(function, workers))  # which checks its arguments at once


def _mapped(frames: Iterable[pl.DataFrame], workers: Workers[Result]) -> Iterator[Result]:
    is_over = False
    try:
        for frame in gathered(frame for frame in frames if frame.height):
            workers.submit(frame)
            while workers.is_full:
                yield workers.result()
        while workers.next is not None:
            yield workers.result()
        is_over = True
    finally:
        workers.close(wait=is_over)


class _NotFoundError(Exception):
    """The function is not where its name says, in another process."""


def _end_with_parent() -> None:
    """Ends this process as soon as the one that began it has ended, even if that was killed."""

    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="trayport-parent", daemon=True).start()


def _packed(frame: pl.DataFrame) -> bytes:
    packed = BytesIO()
    frame.write_ipc_stream(packed)
    return packed.getvalue()


def _run(pickled: bytes, packed: bytes) -> Any:
    """Runs the function, in another process."""
    try:
        function = pickle.loads(pickled)  # noqa: S301  (it comes from the process that began this)
    except (AttributeError, ImportError) as error:
        raise _NotFoundError(str(error)) from error
    try:
        return function(pl.read_ipc_stream(packed))
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301
        except Exception:  # noqa: BLE001  (whatever it is, it cannot travel)
            message = f"{type(error).__name__}: {error}"
            raise RuntimeError(message) from None
        raise


def _pickled(function: Callable[..., Any]) -> bytes:
    home = sys.modules["__main__"]
    if getattr(function, "__module__", "") == "__main__" and not hasattr(home, "__file__"):
        # A process of its own has nothing to import it from.
        raise _not_importable(function)
    try:
        return pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise _not_importable(function) from error


def _ended() -> TrayportConfigurationError:
    return TrayportConfigurationError(
        "a process that the function runs in has ended",
        suggestion=f"{MAIN_PART}, and see whether there is enough memory for so many workers",
    )


def _not_importable(function: object) -> TrayportValidationError:
    suggestion = (
        "define it with `def` at the top level of a module that can be imported, or set "
        "workers to 1"
    )
    return invalid("fn", function, "cannot be sent to another process", suggestion)


def _count(workers: int | None) -> int:
    if workers is None:
        return os.cpu_count() or 1
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        suggestion = "leave it out for as many as there are processors"
        raise not_whole("workers", workers, 0, suggestion)
    return max(1, workers)
