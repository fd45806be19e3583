"""The allowance of one key: who may send next, and when.

One limiter serves every client, task, thread and event loop of the process that use the same key on
the same host. It asks its store for the next grant and hands it to the first in line. Nobody spins:
each event loop that waits has one timer, set to the moment when the next grant is due.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import os
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Literal, TypeAlias

from attrs import frozen

from ..errors import TrayportLimiterError
from .allowance import Look, Store, StoreError, Taken
from .line import Priority, WaitingLine
from .pace import NEVER, Limits
from .stores import MemoryStore, opened

_log = logging.getLogger(__name__)

FALLBACK_SHARE = 0.1
TRY_AGAIN_SECONDS = 5.0
HASH_DIGITS = 16

Fallback: TypeAlias = Literal["error", "slow"]


@frozen
class Grant:
    """Leave to send one request.

    Attributes:
        moment: When it was given, in milliseconds of the store's clock.
        queued: Seconds it took to get.
    """

    moment: int
    queued: float


@frozen
class WindowUse:
    """How much of one limit is used.

    Attributes:
        seconds: The length of the window.
        limit: How many requests it allows.
        used: How many were sent within it, up to now.
    """

    seconds: float
    limit: int
    used: int


@frozen
class LimiterStatus:
    """How busy the allowance of a key is.

    Attributes:
        windows: The use of each limit, the shortest window first.
        queued: How many requests of this process wait, by priority.
        next_grant: Seconds until the next request may leave.
        share: The share of the set rate in force; below 1 after the service said "too fast".
        paused: Seconds until anybody on the key may send again.
        grants: How many requests this process was granted.
        store: Where grants are counted: `memory`, `sqlite` or `redis`.
        problem: Why the store cannot be used at the moment, or an empty string.
    """

    windows: tuple[WindowUse, ...]
    queued: Mapping[str, int]
    next_grant: float
    share: float
    paused: float
    grants: int
    store: str = "memory"
    problem: str = ""


class RequestLimiter:
    """Grants requests in line, never more than the allowance in any window.

    Within a priority the first to come is the first to go. A higher priority goes first, but only
    so often: whoever waits is passed over a bounded number of times.
    """

    def __init__(
        self,
        limits: Limits,
        store: Store | None = None,
        *,
        fallback: Fallback = "error",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._store = store or MemoryStore(clock)
        self._fallback = fallback
        self._clock = clock
        self._grants = 0
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._line = WaitingLine[Taken | StoreError](self._dispatch)
        self._asking = False
        self._thread: ThreadPoolExecutor | None = None
        self._substitute = MemoryStore(self._clock)
        self._away_until = -math.inf
        self._problem = ""

    async def acquire(self, priority: Priority = "normal") -> Grant:
        """Waits until a request may be sent.

        Raises:
            TrayportLimiterError: The shared store cannot be used, and there is no fallback.
        """
        self._notice_a_fork()
        started = self._clock()
        with self._line.lock:
            waiter = self._line.enter(priority)
            if not self._line.will_look_again():
                self._dispatch()
        try:
            answer = await waiter.answer
        except asyncio.CancelledError:
            with self._line.lock:
                self._line.leave(waiter)
            raise
        if isinstance(answer, StoreError):
            raise TrayportLimiterError(
                f"the store that shares the allowance cannot be used: {answer}",
                suggestion="check the setting limiter_store; with limiter_fallback='slow' requests "
                "go on at a tenth of the rate while it is away",
            ) from answer
        return Grant(answer.now, self._clock() - started)

    async def slow_down(self, pause: float, grant: Grant | None = None) -> float:
        """Pauses everybody on the key for some seconds, and halves the rate.

        The result is the share of the set rate that is in force after the pause. It is not halved
        without the grant of the request that was too fast, nor for one that was granted before it
        was last halved: a burst that was too fast was too fast once.
        """
        self._notice_a_fork()
        store = self._store_in_use()
        arguments = math.ceil(pause * 1000), NEVER if grant is None else grant.moment
        try:
            if store.remote:
                return await asyncio.to_thread(store.slow_down, *arguments)
            return store.slow_down(*arguments)
        except StoreError as error:
            self._lose(error)
            return self._substitute.slow_down(*arguments)

    def configure(self, limits: Limits, fallback: Fallback | None = None) -> None:
        """Changes the limits while running. What was granted before still counts."""
        with self._line.lock:
            self._fallback = fallback or self._fallback
            if limits != self._limits:
                _log.info("the limits of a key change from %s to %s", self._limits, limits)
                self._limits = limits
                self._line.set_timers(0.0)

    def status(self) -> LimiterStatus:
        """How busy the allowance is. A shared store is asked, which may take a moment."""
        self._notice_a_fork()
        store, limits = self._store_in_use(), self._limits_in_use()
        try:
            look = store.look(limits)
        except StoreError as error:
            self._lose(error)
            look = Look((0,) * len(limits.windows), 0, 0, 1.0)
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
                self._line.set_timers(taken.wait / 1000)
                return
            self._grants += self._line.give(taken)

    def _ask(self, store: Store) -> None:
        """Asks a shared store once, in a thread of its own."""
        try:
            answer: Taken | StoreError = store.take(self._limits)
        except StoreError as error:
            answer = error
        except Exception as error:  # noqa: BLE001  (whoever waits must hear of it)
            answer = StoreError(f"{type(error).__name__}: {error}")
        with self._line.lock:
            self._asking = False
            if isinstance(answer, StoreError):
                self._lose(answer)
                while self._fallback == "error" and self._line.give(answer):
                    pass
            elif answer.wait:
                self._line.set_timers(answer.wait / 1000)
                return
            else:
                self._problem = ""
                self._grants += self._line.give(answer)
            self._dispatch()

    def _lose(self, error: StoreError) -> None:
        if not self._problem:
            _log.warning("the store of the allowance cannot be used: %s", error)
        self._problem = str(error)
        self._away_until = self._clock() + TRY_AGAIN_SECONDS

    def _store_in_use(self) -> Store:
        away = self._fallback == "slow" and self._clock() < self._away_until
        return self._substitute if away else self._store

    def _limits_in_use(self) -> Limits:
        own = self._store_in_use() is self._store
        return self._limits if own else self._limits.scaled(FALLBACK_SHARE)

    def _notice_a_fork(self) -> None:
        if os.getpid() == self._process:
            return
        self._store.after_fork(self._limits)
        self._start()
        if not self._store.remote:
            warnings.warn(
                "this process was forked from one that uses the same key, and neither knows what "
                "the other sends: it waits for one window, and both then count for themselves. "
                "Set limiter_store to sqlite:///path or redis://... to share the allowance",
                RuntimeWarning,
                stacklevel=3,
            )


_limiters: dict[str, RequestLimiter] = {}
_registry = Lock()


def shared_limiter(
    key: str,
    host: str,
    limits: Limits,
    *,
    store: str = "memory",
    fallback: Fallback = "error",
) -> RequestLimiter:
    """The limiter that all clients of this process with this key, host and store share.

    Args:
        key: The personal key; only its hash is kept.
        host: The host and port of the API.
        limits: The limits from now on, for all of them.
        store: `memory`, `sqlite:///path` or `redis://...`.
        fallback: What to do while a shared store cannot be used: fail, or go on slowly.
    """
    # Hashed as a whole, because the address of a store may hold a password.
    identity = _hash(f"{key}\n{host}\n{store}")
    with _registry:
        if identity not in _limiters:
            name = f"{_hash(key)[:HASH_DIGITS]}@{host}"
            _limiters[identity] = RequestLimiter(limits, opened(store, name))
        limiter = _limiters[identity]
    limiter.configure(limits, fallback)
    return limiter


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
