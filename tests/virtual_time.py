"""An event loop whose clock jumps to the next timer when there is nothing else to do.

A minute of waiting costs no time, and every run takes the same course. Sockets do not work in it:
it never waits for the outside world, except for threads that a coroutine is awaiting.
"""

from __future__ import annotations

import asyncio
import selectors
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast
from unittest.mock import patch

from trayport_sdk.http import transport
from trayport_sdk.http.body import Pipe

Result = TypeVar("Result")


class _NeverWaiting(selectors.BaseSelector):
    """Moves the clock ahead instead of waiting for it."""

    def __init__(self) -> None:
        self._inner = selectors.DefaultSelector()
        self.now = 1_000.0
        self.threads_at_work = 0
        self.pipes: weakref.WeakSet[Pipe] = weakref.WeakSet()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # A thread that waits for bytes waits for this loop, and may wait for its next timer.
        starved = sum(pipe.is_starved for pipe in self.pipes)
        if timeout is None or self.threads_at_work > starved:
            # Only a thread can go on from here.
            return self._inner.select(10.0 if timeout is None else 0.001)
        self.now += max(0.0, timeout)
        return self._inner.select(0)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Any:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time."""

    def __init__(self) -> None:
        self._virtual = _NeverWaiting()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now

    def pipe(self) -> Pipe:
        pipe = Pipe()
        self._virtual.pipes.add(pipe)
        return pipe

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Stops the clock while a thread works."""
        self._virtual.threads_at_work += 1
        future = super().run_in_executor(executor, func, *args)

        def finished(_: asyncio.Future[Any]) -> None:
            self._virtual.threads_at_work -= 1

        future.add_done_callback(finished)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Joins the threads, however long that takes: virtual time says nothing of it."""
        self._virtual.threads_at_work += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._virtual.threads_at_work -= 1


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Runs a coroutine to its end on virtual time."""
    with (
        patch.object(
            transport, "Pipe", lambda: cast("VirtualLoop", asyncio.get_running_loop()).pipe()
        ),
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        return runner.run(main)


def clock() -> float:
    """Now, on the loop that is running."""
    return asyncio.get_running_loop().time()


def clock_for_threads() -> Callable[[], float]:
    """The clock of the loop that is running, for use in other threads as well."""
    return asyncio.get_running_loop().time
