"""What the fork and the end of a process mean for threads.

A forked child has none of its parent's threads, neither ours nor those of polars, and would wait
for them for ever. At its end a process waits for every thread that is no daemon.
"""

from __future__ import annotations

import atexit
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from ..errors import TrayportConfigurationError, TrayportForkError

P = ParamSpec("P")
Result = TypeVar("Result")

EXIT_SECONDS = 5.0
"""How long the end of a process waits for threads that it has stopped."""

# Where Linux lists the threads of this process.
_THREADS = Path("/proc/self/task")
_POLARS = re.compile(r"polars-\d+")


class _Process:
    """What is known of this process; a forked child inherits it."""

    has_threads = False
    has_lost_threads = False
    is_ending = False


def check_process() -> None:
    """Checks that this process may start threads, and notes that it does.

    Raises:
        TrayportForkError: It was forked from a process that had threads already.
    """
    if _Process.has_lost_threads:
        raise TrayportForkError(
            "this process was forked from one that had used trayport_sdk or polars: their threads "
            "do not exist here, and a call would wait for ever",
            suggestion="start processes with multiprocessing.get_context('spawn') (gunicorn "
            "without --preload, Celery with --pool=threads), or use neither before the fork; a "
            "limiter_store of sqlite:///path or redis://... shares the allowance between processes",
        )
    _Process.has_threads = True


def was_forked() -> bool:
    """Whether the threads that this process would need are those of its parent."""
    return _Process.has_lost_threads


def is_ending() -> bool:
    """Whether the process ends, and its threads are being stopped."""
    return _Process.is_ending


def _before_fork() -> None:
    if not _Process.has_threads:
        _Process.has_threads = any(map(_POLARS.fullmatch, _thread_names()))


def _thread_names() -> list[str]:
    """The names of the threads of this process, as far as the system tells them."""
    names: list[str] = []
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            with suppress(OSError):  # it has just ended
                names.append((thread / "comm").read_text().strip())
    return names


def _in_child() -> None:
    _Process.has_lost_threads |= _Process.has_threads
    _stops.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)


_stops: dict[threading.Thread, Callable[[], object]] = {}


def start_thread(
    work: Callable[[], object], *, name: str, stop: Callable[[], object]
) -> threading.Thread:
    """Runs work in a thread that does not keep the process from ending.

    Args:
        work: What the thread does.
        name: The name of the thread.
        stop: Called when the process ends before the work does: the work must end soon after.

    Raises:
        TrayportConfigurationError: The process has too many threads, or is just ending.
    """

    def run() -> None:
        try:
            work()
        finally:
            _stops.pop(threading.current_thread(), None)

    _stop_at_exit()
    thread = threading.Thread(target=run, name=name, daemon=True)
    _stops[thread] = stop
    try:
        thread.start()
    except RuntimeError as error:
        del _stops[thread]
        raise TrayportConfigurationError(
            f"no thread can be started: {error}",
            suggestion="call before the process ends, and have fewer threads",
        ) from error
    return thread


class OneThread(Executor):
    """A thread for one piece of work, as `start_thread` starts it, for an event loop to await."""

    def __init__(self, name: str, stop: Callable[[], object]) -> None:
        self._name = name
        self._stop = stop

    def submit(
        self, fn: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Result]:
        """Starts the thread with its work."""
        done: Future[Result] = Future()
        done.set_running_or_notify_cancel()  # only `stop` ends it early
        work = partial(_hand_over, partial(fn, *args, **kwargs), done)
        start_thread(work, name=self._name, stop=self._stop)
        return done


def _hand_over(work: Callable[[], Result], done: Future[Result]) -> None:
    """Does work, and passes on what comes of it."""
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  (raised where it is awaited)
        done.set_exception(error)
        del done  # which the traceback would keep, and with it all that the work holds
    else:
        done.set_result(result)


@cache
def _stop_at_exit() -> None:
    atexit.register(_stop_threads)


def _stop_threads() -> None:
    """Stops the threads: one that works while the interpreter ends may bring it down."""
    _Process.is_ending = True
    end = time.monotonic() + EXIT_SECONDS
    for thread, stop in list(_stops.items()):
        stop()
        thread.join(max(0.0, end - time.monotonic()))
