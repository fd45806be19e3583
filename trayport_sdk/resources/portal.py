"""A thread that owns an event loop, for callers that have none or are not allowed to wait on it."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Coroutine, Generator
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ..errors import TrayportConfigurationError
from ..query.warn import WarningsHere
from ..telemetry.processes import check_process, is_ending, start_thread, was_forked

Result = TypeVar("Result")
Item = TypeVar("Item")

POLL_SECONDS = 1.0
"""How long a wait lasts before it looks for Ctrl-C, where nothing else would let it through."""


class Portal:
    """Runs coroutines on the loop of its own thread, which begins with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """The result of a coroutine. Ctrl-C cancels it.

        Raises:
            TrayportConfigurationError: The portal is closed, or the caller is one of its own
                coroutines, which would wait for itself.
        """
        try:
            loop = self._running_loop()
        except TrayportConfigurationError:
            coroutine.close()
            raise
        ended: Future[Result] = Future()
        running: list[asyncio.Task[Result]] = []

        def begin() -> None:
            running.append(loop.create_task(coroutine))
            running[0].add_done_callback(partial(_hand_over, ended))

        def cancel() -> None:
            if running:
                running[0].cancel()
            else:
                coroutine.close()
                ended.set_exception(asyncio.CancelledError())

        try:
            with WarningsHere():
                loop.call_soon_threadsafe(begin)
                _wait(ended)
        except BaseException:
            # What is cancelled has let go of its stream and its connection when the error travels.
            loop.call_soon_threadsafe(cancel)
            _wait(ended)
            raise
        try:
            return ended.result()
        except asyncio.CancelledError:
            if not self._closed:
                raise
            raise TrayportConfigurationError(
                "the client was closed while the call was under way"
            ) from None

    def iterate(self, items: AsyncIterator[Item]) -> Generator[Item]:
        """The items, each fetched when the caller asks for it."""
        self.run(_begun(items))
        try:
            while True:
                try:
                    item = self.run(_next(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            close = getattr(items, "aclose", None)
            if close is not None and not self._is_over():
                self.run(close())

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Runs a last coroutine and ends the thread; does nothing where the thread is no more.

        Raises:
            TrayportConfigurationError: The caller is one of the portal's own coroutines.
        """
        if self._is_over() or self._thread is threading.current_thread():
            last.close()
            if not self._is_over():
                raise _called_from_within()
            self._closed = True
            return
        with self._lock:
            self._closed = is_unused = self._thread is None and not _is_in_loop()
        if is_unused:  # no thread is needed, and at the end of the process none could be started
            own = asyncio.new_event_loop()  # unlike asyncio.run, it leaves that of the caller alone
            try:
                own.run_until_complete(last)
            finally:
                own.close()
            return
        try:
            self.run(last)
        finally:
            self._closed = True
            with self._lock:
                thread, loop = self._thread, self._loop
            if thread is not None and loop is not None:
                self._end()
                thread.join()

    def _is_over(self) -> bool:
        """Whether it is closed, or its thread has ended: with the process, or by a fork."""
        has_ended = self._thread is not None and not self._thread.is_alive()
        return self._closed or has_ended or was_forked()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        check_process()
        with self._lock:
            if self._is_over():
                raise TrayportConfigurationError(
                    "the client is closed", suggestion="make another one"
                )
            if self._thread is threading.current_thread():
                raise _called_from_within()
            if self._loop is None:
                started: Future[asyncio.AbstractEventLoop] = Future()
                # The thread must not keep the portal alive: a client that is forgotten ends it.
                self._thread = start_thread(
                    partial(_serve, started),
                    name="trayport-loop",
                    stop=lambda: _stop(started.result()),
                )
                self._loop = started.result()
                self._end = weakref.finalize(self, _stop, self._loop)
                self._end.atexit = False
            return self._loop


def _is_in_loop() -> bool:
    """Whether the caller is in an event loop, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _called_from_within() -> TrayportConfigurationError:
    return TrayportConfigurationError(
        "a function that the client calls, such as on_progress, called the client",
        suggestion="note there what is wanted, and ask for it after the call",
    )


async def _begun(items: AsyncIterator[Any]) -> None:
    aiter(items)


def _wait(ended: Future[Any]) -> None:
    while not wait([ended], POLL_SECONDS).done:
        pass


def _hand_over(ended: Future[Result], task: asyncio.Task[Result]) -> None:
    """Passes on how a task has ended."""
    if task.cancelled():
        ended.set_exception(asyncio.CancelledError())
    elif (error := task.exception()) is not None:
        ended.set_exception(error)
    else:
        ended.set_result(task.result())


async def _next(items: AsyncIterator[Item]) -> Item:
    return await anext(items)


def _serve(started: Future[asyncio.AbstractEventLoop]) -> None:
    runner = asyncio.Runner()
    loop = runner.get_loop()
    loop.call_soon(started.set_result, loop)
    is_interrupted = True
    while is_interrupted:
        # Polars raises KeyboardInterrupt in any thread, and callbacks may raise SystemExit: the
        # task hands it over to who waits.
        with suppress(KeyboardInterrupt, SystemExit):
            loop.run_forever()
            is_interrupted = False
    if not is_ending():  # then nobody needs to hear that what is under way is cancelled
        runner.close()


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    with suppress(RuntimeError):  # it is closed
        loop.call_soon_threadsafe(loop.stop)
