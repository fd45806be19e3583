"""Signals end a command so that nothing half written is left; a second one ends it at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class SignalInterrupt(BaseException):
    """A signal has ended the command.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _State:
    """What a signal ends."""

    number = 0
    cancel: Callable[[], object] | None = None


_state = _State()


@contextmanager
def interruptible() -> Generator[None]:
    """Handles the signals that would end the process; those that are ignored stay ignored.

    Raises:
        SignalInterrupt: There was one.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        _state.number = 0
        numbers = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, _handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_async(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Runs a coroutine to its end; a signal cancels it.

    Raises:
        SignalInterrupt: There was one.
    """

    async def cancellable() -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(coroutine)
        _state.cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            return await task
        finally:
            _state.cancel = None

    try:
        return asyncio.run(cancellable())
    except BaseException as error:
        if _state.number:
            raise SignalInterrupt(_state.number) from error
        raise


def _handle(number: int, _frame: object) -> None:
    if _state.number:
        _end_at_once(number)
    _state.number = number
    if _state.cancel is not None:
        # Raised in the middle of the loop, an exception would leave it in disorder.
        _state.cancel()
    else:
        raise SignalInterrupt(number)


def _end_at_once(number: int) -> None:
    """Ends the process, without a wait for threads that may hang."""
    cursor = "\x1b[?25h" if sys.stderr.isatty() else ""  # a progress bar has hidden it
    os.write(2, f"{cursor}trayport: ended at once\n".encode())
    os._exit(128 + number)
