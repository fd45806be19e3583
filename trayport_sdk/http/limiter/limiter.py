"""The allowance of one key: who may send next, and when.

A limiter asks its store for the next grant and hands it to the first in line. Nobody spins: each
event loop that waits has one timer, set to the moment when the next grant is due.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ...errors import TrayportLimiterError, TrayportRateLimitError, TrayportValidationError
from ...telemetry.status import LimiterStatus, WindowUse
from .allowance import Grant, Look, Store, StoreError, Taken
from .forks import renewed_in_children
from .limits import NEVER, Limits
from .owners import Fallback, Owners
from .queue import PRIORITIES, Priority, WaitingLine
from .stores import MemoryStore

_log = logging.getLogger(__name__)

FALLBACK_SHARE = 0.1
TRY_AGAIN_SECONDS = 5.0
# What is handed on later than this would no longer be where the windows counted it.
HANDED_ON_SECONDS = 0.01
TOO_MANY = 429


class RequestLimiter:
    """Grants requests in line, never more than the allowance in any window.

    Within a priority the first to come is the first to go. A higher priority goes first, but only
    so often: whoever waits is passed over a bounded number of times.

    Args:
        limits: What holds as long as nobody has configured the limiter.
        store: Where grants are counted; left out, in memory.
        fallback: What to do while a shared store cannot be used, as long as nobody says.
        clock: Seconds of this process.
    """

    def __init__(
        self,
        limits: Limits,
        store: Store | None = None,
        *,
        fallback: Fallback = "error",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.owners = Owners(limits, fallback)
        self.store = store or MemoryStore(clock)
        self._clock = clock
        self._grants = 0
        self._was_forked = False
        self._start()
        renewed_in_children(self)

    def _start(self) -> None:
        self._line = WaitingLine[Taken](self._dispatch)
        self._asking = False
        self._thread: ThreadPoolExecutor | None = None
        self._substitute = MemoryStore(self._clock)
        self._away_until = self._paused_until = -math.inf
        self._problem = ""

    def after_fork(self) -> None:
        """Begins anew in a child process; what is counted in memory waits for one window."""
        self.owners.after_fork()
        self.store.after_fork(self.owners.limits)
        self._start()
        self._was_forked = not self.store.remote

    async def acquire(
        self, priority: Priority = "normal", *, patience: float | None = None
    ) -> Grant:
        """Waits until a request may be sent.

        Args:
            priority: Whose turn it is.
            patience: How many seconds of a pause to wait out; None for as long as it takes. A wait
                for a window is never refused.

        Raises:
            TrayportRateLimitError: The key is paused for longer than that.
            TrayportLimiterError: The shared store cannot be used, and there is no fallback.
            TrayportValidationError: There is no such priority.
        """
        if priority not in PRIORITIES:
            raise TrayportValidationError(
                f"priority is {priority!r}, not one of {', '.join(map(repr, PRIORITIES))}",
                parameter="priority",
            )
        if self._was_forked:
            self._warn_of_the_fork()
        started = self._clock()
        with self._line.lock:
            waiter = self._line.enter(priority, patience)
            long = patience is not None and self._paused_until - started > patience
            if long or not self._line.will_look_again():
                self._dispatch()
        try:
            taken = await waiter.answer
        except asyncio.CancelledError:
            with self._line.lock:
                self._line.leave(waiter)
            raise
        now = self._clock()
        return Grant(taken.now, now - started, now)

    def give_back(self, grant: Grant) -> None:
        """Hands a grant that will not be used to the next in line; it is spent in any case."""
        now = self._clock()
        with self._line.lock:
            if now - grant.given <= HANDED_ON_SECONDS and now >= self._paused_until:
                self._line.give(Taken(grant.moment, 0))

    async def slow_down(self, pause: float, grant: Grant | None = None) -> float:
        """Pauses everybody on the key for some seconds, and halves the rate.

        The result is the share of the set rate that is in force after the pause. It is not halved
        without the grant of the request that was too fast, nor for one that was granted before it
        was last halved: a burst that was too fast was too fast once.
        """
        store = self._store_in_use()
        arguments = math.ceil(pause * 1000), NEVER if grant is None else grant.moment
        try:
            if store.remote:
                return await asyncio.to_thread(store.slow_down, *arguments)
            return store.slow_down(*arguments)
        except StoreError as error:
            self._lose(error)
            return self._substitute.slow_down(*arguments)
        finally:
            with self._line.lock:
                self._paused_until = max(self._paused_until, self._clock() + pause)
                # Whoever has no patience for the pause shall hear of it now.
                self._line.set_timers(0.0)

    def configure(self, owner: object, limits: Limits, fallback: Fallback) -> None:
        """Sets what a client wants; the strictest of all living ones holds.

        What was granted before still counts.
        """
        if self.owners.add(owner, limits, fallback):
            with self._line.lock:
                self._line.set_timers(0.0)

    def release(self, owner: object) -> None:
        """Forgets a client that is closed. With the last one go thread and connections."""
        if self.owners.drop(owner):
            if self.owners:
                with self._line.lock:
                    self._line.set_timers(0.0)
            else:
                self.close()

    def close(self) -> None:
        """Lets go of the thread and the store's connections; the next use makes them again."""
        with self._line.lock:
            thread, self._thread = self._thread, None
            # A store that is being asked is closed after its answer: nobody waits for that here.
            asking = self._asking and thread is not None
            if thread is not None:
                if asking:
                    thread.submit(self.store.close)
                thread.shutdown(wait=False)
        if not asking:
            self.store.close()

    def status(self) -> LimiterStatus:
        """How busy the allowance is. A shared store is asked, which may take a moment."""
        store, limits = self._store_in_use(), self._limits_in_use()
        try:
            look = store.look(limits)
        except StoreError as error:
            self._lose(error)
            look = Look((0,) * len(limits.windows), 0, 0, 1.0)
        else:
            if store is self.store:
                self._problem = ""
        return LimiterStatus(
            windows=tuple(
                WindowUse(window.milliseconds / 1000, window.limit, used)
                for window, used in zip(limits.windows, look.used, strict=True)
            ),
            queued=self._line.lengths(),
            next_grant=look.wait / 1000,
            share=look.share,
            paused=look.paused / 1000,
            grants=self._grants,
            store=store.name,
            problem=self._problem,
        )

    def _dispatch(self) -> None:
        """Hands on what the store gives, until it says to wait. Called with the lock held."""
        while self._line and not self._asking:
            store = self._store_in_use()
            if store.remote:
                self._asking = True
                if self._thread is None:
                    self._thread = ThreadPoolExecutor(1, "trayport-limiter")
                self._thread.submit(self._ask, store)
                return
            taken = store.take(self._limits_in_use())
            if taken.wait:
                self._wait(taken)
                return
            self._grants += self._line.give(taken)

    def _ask(self, store: Store) -> None:
        """Asks a shared store once, in a thread of its own."""
        try:
            answer: Taken | StoreError = store.take(self.owners.limits)
        except StoreError as error:
            answer = error
        except Exception as error:  # noqa: BLE001  (whoever waits must hear of it)
            answer = StoreError(f"{type(error).__name__}: {error}")
        with self._line.lock:
            self._asking = False
            if isinstance(answer, StoreError):
                self._lose(answer)
                if self.owners.fallback == "error":
                    self._line.refuse(partial(_unusable, answer))
            elif answer.wait:
                self._wait(answer)
                return
            else:
                self._problem = ""
                self._grants += self._line.give(answer)
            self._dispatch()

    def _wait(self, taken: Taken) -> None:
        pause = taken.paused / 1000
        self._paused_until = self._clock() + pause
        if pause > 0:
            self._line.refuse(partial(_paused, pause), pause)
        self._line.set_timers(taken.wait / 1000)

    def _lose(self, error: StoreError) -> None:
        if not self._problem:
            _log.warning("the store of the allowance cannot be used: %s", error)
        self._problem = str(error)
        self._away_until = self._clock() + TRY_AGAIN_SECONDS

    def _store_in_use(self) -> Store:
        away = self._clock() < self._away_until and self.owners.fallback == "slow"
        return self._substitute if away else self.store

    def _limits_in_use(self) -> Limits:
        own = self._store_in_use() is self.store
        return self.owners.limits if own else self.owners.limits.scaled(FALLBACK_SHARE)

    def _warn_of_the_fork(self) -> None:
        self._was_forked = False
        warnings.warn(
            "this process was forked from one that uses the same key, and neither knows what "
            "the other sends: it waits for one window, and both then count for themselves. "
            "Set limiter_store to sqlite:///path or redis://... to share the allowance",
            RuntimeWarning,
            stacklevel=3,
        )


def _unusable(error: StoreError) -> TrayportLimiterError:
    found = TrayportLimiterError(
        f"the store that shares the allowance cannot be used: {error}",
        suggestion="check the setting limiter_store; with limiter_fallback='slow' requests "
        "go on at a tenth of the rate while it is away",
    )
    found.__cause__ = error
    return found


def _paused(seconds: float) -> TrayportRateLimitError:
    return TrayportRateLimitError(
        "not sent: the service said that the key is too fast, and nobody on it sends for another "
        f"{seconds:.0f} s",
        status_code=TOO_MANY,
        retry_after=seconds,
        suggestion="try again after that; if it happens often, let every program of the key count "
        "in one place with the setting limiter_store, or lower requests_per_second",
    )
