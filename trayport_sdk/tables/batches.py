"""Work for processors on the rows of a table, in processes, piece by piece and in order."""

from __future__ import annotations

import os
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from ..errors import TrayportConfigurationError, TrayportValidationError
from .files import gathered

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    import polars as pl

Result = TypeVar("Result")

AHEAD = 2
"""Pieces for each process that are under way or done, at most."""


class Crew(Generic[Result]):
    """Has a function run on tables in several processes, and gives its results in order.

    Used as a context manager.

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
        self._workers = _count(workers)
        if not callable(function):  # pyright: ignore[reportUnnecessaryComparison]
            raise TrayportValidationError(
                f"fn {function!r} cannot be called",
                parameter="fn",
                suggestion="give a function that takes a polars frame",
            )
        self._pickled = _pickled(function) if self._workers > 1 else b""
        self._pool: ProcessPoolExecutor | None = None
        self._under_way: deque[tuple[Future[Result], int, int]] = deque()
        self._rows = 0

    @property
    def is_busy(self) -> bool:
        """Whether a result has to be taken before another table is handed in."""
        return len(self._under_way) >= (AHEAD * self._workers if self._pool else 1)

    @property
    def next(self) -> Future[Result] | None:
        """The next result in order, done or not; None when nothing is under way."""
        return self._under_way[0][0] if self._under_way else None

    def begin(self, frame: pl.DataFrame) -> None:
        """Hands in a table."""
        first, self._rows = self._rows, self._rows + frame.height
        if self._pool is None:
            future: Future[Result] = Future()
            try:
                future.set_result(self._function(frame))
            except Exception as error:  # noqa: BLE001  (raised where the result is taken)
                future.set_exception(error)
        else:
            packed = BytesIO()
            frame.write_ipc_stream(packed)
            try:
                if not first:
                    # Nobody would take a table from a pipe whose processes end as they begin.
                    self._pool.submit(os.getpid).result()
                future = self._pool.submit(_run, self._pickled, packed.getvalue())
            except BrokenExecutor as error:
                raise _ended() from error
        self._under_way.append((future, first, self._rows))

    def take(self) -> Result:
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

    def open(self) -> None:
        """Has the processes ready that it needs."""
        if self._workers > 1:
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            # Forked processes would inherit locks that threads of this one hold.
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))

    def close(self) -> None:
        """Ends the processes, once they have done what they are at."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def map_batches(
    frames: Iterable[pl.DataFrame],
    function: Callable[[pl.DataFrame], Result],
    workers: int | None = None,
) -> Iterator[Result]:
    """What a function makes of pieces of about 100,000 rows, in their order.

    Args:
        frames: Tables with the same columns, of any size.
        function: What to run on each piece.
        workers: As for `Crew`.

    Raises:
        TrayportValidationError: As for `Crew`, at once.
    """
    return _mapped(frames, Crew(function, workers))


def _mapped(frames: Iterable[pl.DataFrame], crew: Crew[Result]) -> Iterator[Result]:
    with crew:
        for frame in gathered(frame for frame in frames if frame.height):
            crew.begin(frame)
            while crew.is_busy:
                yield crew.take()
        while crew.next is not None:
            yield crew.take()


class _NotFoundError(Exception):
    """The function is not where its name says, in another process."""


def _run(pickled: bytes, packed: bytes) -> Any:
    """Runs the function, in another process."""
    import polars as pl

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
            told = f"{type(error).__name__}: {error}"
            raise RuntimeError(told) from None
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
        suggestion='put the main part of a script below `if __name__ == "__main__":`, and see '
        "whether there is enough memory for so many workers",
    )


def _not_importable(function: object) -> TrayportValidationError:
    return TrayportValidationError(
        f"fn {function!r} cannot be sent to another process",
        parameter="fn",
        suggestion="define it with `def` at the top level of a module that can be imported, or set "
        "workers to 1",
    )


def _count(workers: int | None) -> int:
    if workers is None:
        return os.cpu_count() or 1
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TrayportValidationError(
            f"workers {workers!r} is not a whole number from 0",
            parameter="workers",
            suggestion="leave it out for as many as there are processors",
        )
    return max(1, workers)
