"""The allowance of one key: which request may be sent next, and when.

A limiter takes the next grant from its store and hands it to the first request in its queue.
Nothing polls: each event loop with a waiting request has a timer, set to when a grant is due.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Literal, Protocol, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from attrs import evolve

from ...errors import TrayportLimiterError, TrayportRateLimitError, TrayportValidationError
from ...telemetry.status import LimiterStatus, WindowUse
from .base import Look, Store, StoreError, Taken
from .limits import NEVER, Limits
from .memory import MemoryStore
from .queue import PRIORITIES, Grant, Priority, WaitingQueue
from .stores import SqliteStore

Result = TypeVar("Result")
Fallback: TypeAlias = Literal["error", "slow"]

_log = logging.getLogger(__name__)

FALLBACK_SHARE = 0.1
TRY_AGAIN_SECONDS = 5.0
TOO_MANY = 429
AHEAD_MILLISECONDS = 100
"""How long before it may be used a request gets its grant that says when it is sent: meanwhile it
is prepared."""
HELD_SECONDS = 0.4
"""How long a grant may be unused, or a busy event loop would use those of a long time at once.
Shorter than every window."""
UNKNOWN = -1


class RequestLimiter:
    """Grants requests in their order, never more than the limits allow in any window.

    Within a priority it is first in, first out. A higher priority goes first, but only so often:
    a waiting request is passed over a bounded number of times.

    A grant counts from when it is given. What happens between that and the socket does not loosen
    the windows: a grant that is picked up too late is not used, and who tells `start_sending` and
    `sent` has it counted as if it was given just now for as long as the request is being written.

    Args:
        limits: What holds while no client has configured the limiter.
        store: Where grants are counted; left out, in memory.
        fallback: What to do while a shared store cannot be used, as long as no client says.
        clock: Seconds of this process.
        allowance: What the allowance is called among others in a shared store.
    """

    def __init__(
        self,
        limits: Limits,
        store: Store | None = None,
        *,
        fallback: Fallback = "error",
        clock: Callable[[], float] = time.monotonic,
        allowance: str = "",
    ) -> None:
        self.allowance = allowance
        self._sharing = 0
        self._unclaimed = limits, fallback
        # The strictest limits, and of how many clients; a forgotten client leaves without a call.
        self._strictest, self._counted = limits, UNKNOWN
        self._clients: WeakKeyDictionary[object, tuple[Limits, Fallback]] = WeakKeyDictionary()
        self.store = store or MemoryStore(clock)
        self._clock = clock
        self._grants = 0
        self._was_forked = False
        self._start()
        renew_in_children(self)

    def _start(self) -> None:
        self._queue = WaitingQueue(self._dispatch)
        self._taking = False
        self._thread: ThreadPoolExecutor | None = None
        self._substitute = MemoryStore(self._clock)
        self._away_until = self._paused_until = -math.inf
        self._problem = ""

    def after_fork(self) -> None:
        """Starts afresh in a child process; what is counted in memory waits for one window."""
        self._start()
        self.store.after_fork(self.limits)
        self._was_forked = not self.store.remote

    async def acquire(
        self,
        priority: Priority = "normal",
        *,
        max_pause: float | None = None,
        starts: bool = False,
    ) -> Grant:
        """Waits until a request may be sent.

        Args:
            priority: Which requests go first.
            max_pause: The longest pause to wait out, in seconds; None for any. A wait for a window
                is never refused.
            starts: Whether `start_sending` is going to be called: then the grant comes a little
                earlier, to prepare the request.

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
        ahead = AHEAD_MILLISECONDS if starts else 0
        with self._queue.lock:
            if (grant := self._granted_at_once(ahead)) is not None:
                return grant
        return await self._queued(priority, max_pause, ahead)

    def _granted_at_once(self, ahead: int) -> Grant | None:
        """A grant that no request waits for, if the store has one and responds at once."""
        now = self._clock()
        if self._queue.size or self._taking or now < self._paused_until:
            return None
        store, limits = self._in_use()
        if store.remote:
            return None
        taken = store.take(limits, ahead)
        if taken.wait:
            return None
        self._grants += 1
        return Grant(taken.now, 0.0, now, taken.name, store)

    async def _queued(self, priority: Priority, max_pause: float | None, ahead: int) -> Grant:
        started = now = self._clock()
        first = False
        while True:
            with self._queue.lock:
                waiter = self._queue.enter(priority, max_pause, ahead=ahead, first=first)
                too_long = max_pause is not None and self._paused_until - now > max_pause
                if too_long or not self._queue.has_timer():
                    self._dispatch()
            try:
                grant = await waiter.granted
            except asyncio.CancelledError:
                with self._queue.lock:
                    unused = self._queue.leave(waiter)
                    if unused is not None:
                        self._hand_on(unused)
                        self._dispatch()
                raise
            now = self._clock()
            with self._queue.lock:
                self._queue.pick_up(waiter)
                if self._queue:
                    self._dispatch()
            if now - grant.given <= HELD_SECONDS:
                return evolve(grant, queued=now - started)
            # The event loop was busy for so long that the grant is spent. It was first in the
            # queue, so it is again.
            first = True

    async def start_sending(
        self, grant: Grant, priority: Priority = "normal", *, max_pause: float | None = None
    ) -> Grant:
        """Called right before a request is written, when nothing else is left to wait for.

        Waits until the windows have room for it now, whenever it was granted. From then on it
        counts as if it was sent just now, until `sent`. Returns the grant to use: another one
        where its store is lost.

        Raises:
            TrayportRateLimitError: The key is paused for longer than `max_pause`.
            TrayportLimiterError: The shared store cannot be used, and there is no fallback.
        """
        began, has_waited = self._clock(), False
        while True:
            try:
                taken = await self._started(grant)
            except StoreError as error:
                self._lose(error)
                if self.fallback == "error":
                    raise _unusable(error) from error
                grant = await self._queued(priority, max_pause, 0)
                continue
            if not taken.wait:
                waited = self._clock() - began
                return evolve(grant, queued=grant.queued + waited) if has_waited else grant
            has_waited = True
            if max_pause is not None and taken.paused / 1000 > max_pause:
                raise _paused(taken.paused / 1000)
            await asyncio.sleep(taken.wait / 1000)

    async def _started(self, grant: Grant) -> Taken:
        store, limits = self._store_of(grant), self.limits
        if store is self._substitute:
            limits = limits.scaled(FALLBACK_SHARE)
        if not store.remote:
            return store.start(grant.name, limits)
        try:
            return await asyncio.wrap_future(self._submit(store.start, grant.name, limits))
        except asyncio.CancelledError:
            self.sent(grant)
            raise

    def sent(self, grant: Grant) -> None:
        """Called once the request is written, or is not going to be: the grant counts from now."""
        store = self._store_of(grant)
        if not store.remote:
            store.finish(grant.name)
            return
        with self._queue.lock:
            # Without a thread the limiter is closed: then the store counts on for a while.
            if self._thread is not None:
                self._thread.submit(store.finish, grant.name)

    def _store_of(self, grant: Grant) -> Store:
        """Where a grant counts: also one that is older than the store in use."""
        return self._substitute if grant.store is self._substitute else self.store

    @contextmanager
    def in_file(self, path: str) -> Generator[str]:
        """Counts in a file meanwhile, which other processes share, instead of in memory.

        Args:
            path: The file. While another call has one open, that is used; it is yielded.

        Raises:
            TrayportLimiterError: The file cannot be used.
        """
        with self._queue.lock:
            if not self._sharing:
                try:
                    self._count_in(SqliteStore(path, self.allowance, self._clock))
                except StoreError as error:
                    raise _unusable(error) from error
            self._sharing += 1
            shared = self.store
        try:
            yield shared.path if isinstance(shared, SqliteStore) else path
        finally:
            with self._queue.lock:
                self._sharing -= 1
                if not self._sharing:
                    self._count_in(MemoryStore(self._clock))

    def _count_in(self, store: MemoryStore) -> None:
        """Replaces a store of this machine by another, which counts on."""
        before = self.store
        if isinstance(before, MemoryStore):
            store.count_those_of(before)
        self.store = store
        before.close()
        self._queue.set_timers(0.0)

    def give_back(self, grant: Grant) -> None:
        """Hands an unused grant to the next request in the queue; it is spent in any case."""
        with self._queue.lock:
            self._hand_on(grant)

    def _hand_on(self, grant: Grant) -> None:
        now = self._clock()
        if now - grant.given <= HELD_SECONDS and now >= self._paused_until:
            self._queue.give(grant)

    async def slow_down(self, pause: float, grant: Grant | None = None) -> float:
        """Pauses all requests with the key for some seconds, and halves the rate.

        Returns the share of the set rate that is in force after the pause. The rate is not halved
        without the grant of the request that was too fast, nor for one that was granted before it
        was last halved: a burst that was too fast counts once.
        """
        store, _ = self._in_use()
        arguments = math.ceil(pause * 1000), NEVER if grant is None else grant.moment
        try:
            if store.remote:
                return await asyncio.to_thread(store.slow_down, *arguments)
            return store.slow_down(*arguments)
        except StoreError as error:
            self._lose(error)
            return self._substitute.slow_down(*arguments)
        finally:
            with self._queue.lock:
                self._paused_until = max(self._paused_until, self._clock() + pause)
                # Requests that do not accept the pause fail now.
                self._queue.set_timers(0.0)

    @property
    def limits(self) -> Limits:
        """The strictest limits of the living clients; what they were granted before still counts.

        Clients are held weakly: one that was forgotten instead of closed stops counting as well.
        """
        with self._queue.lock:
            living = len(self._clients)
            if living != self._counted:
                self._strictest = Limits.strictest([limits for limits, _ in self._wanted()])
                self._counted = living
            return self._strictest

    @property
    def fallback(self) -> Fallback:
        """What to do while the store cannot be used: an error, if any client wants one."""
        return "error" if any(fallback == "error" for _, fallback in self._wanted()) else "slow"

    @property
    def is_in_use(self) -> bool:
        """Whether there is a living client."""
        return len(self._clients) > 0

    def _wanted(self) -> list[tuple[Limits, Fallback]]:
        with self._queue.lock:
            return list(self._clients.values()) or [self._unclaimed]

    def configure(self, client: object, limits: Limits, fallback: Fallback) -> None:
        """Sets what a client wants."""
        with self._queue.lock:
            before = self.limits
            self._clients[client] = limits, fallback
            self._counted = UNKNOWN
            self._look_again(before)

    def release(self, client: object) -> None:
        """Forgets a client that is closed. The last one closes thread and connections."""
        with self._queue.lock:
            before = self.limits
            known = self._clients.pop(client, None) is not None
            self._counted = UNKNOWN
            self._look_again(before)
        if known and not self.is_in_use:
            self.close()

    def _look_again(self, before: Limits) -> None:
        if (limits := self.limits) != before:
            _log.debug("the limits of a key change from %s to %s", before, limits)
            self._queue.set_timers(0.0)

    def close(self) -> None:
        """Ends the thread and closes the store; the next use opens them again."""
        with self._queue.lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                # After what it still has to do: nothing waits for that here.
                thread.submit(self.store.close)
                thread.shutdown(wait=False)
        if thread is None:
            self.store.close()

    def status(self) -> LimiterStatus:
        """How busy the allowance is. Reads the store, which may take a moment if it is shared."""
        store, limits = self._in_use()
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
            queued=self._queue.lengths(),
            next_grant=look.wait / 1000,
            share=look.share,
            paused=look.paused / 1000,
            grants=self._grants,
            store=store.name,
            problem=self._problem,
        )

    def _dispatch(self) -> None:
        """Hands on what the store grants, until it says to wait. Called with the lock held."""
        while not self._taking and (waiter := self._queue.next()) is not None:
            store, limits = self._in_use()
            if store.remote:
                self._taking = True
                self._submit(self._take_remotely, store, limits, waiter.ahead)
                return
            given = self._clock()
            taken = store.take(limits, waiter.ahead)
            if taken.wait:
                self._wait(taken)
                return
            self._give(taken, store, given)

    def _give(self, taken: Taken, store: Store, given: float) -> None:
        grant = Grant(taken.now, 0.0, given, taken.name, store)
        self._grants += self._queue.give(grant)

    def _submit(self, call: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Calls something in the one thread that waits for the store."""
        with self._queue.lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "trayport-limiter")
            return self._thread.submit(call, *arguments)

    def _take_remotely(self, store: Store, limits: Limits, ahead: int) -> None:
        """Takes one grant from a shared store, in a thread of its own."""
        given = self._clock()
        try:
            taken: Taken | StoreError = store.take(limits, ahead)
        except StoreError as error:
            taken = error
        except Exception as error:  # noqa: BLE001  (the waiting requests must get it)
            taken = StoreError(f"{type(error).__name__}: {error}")
        with self._queue.lock:
            self._taking = False
            if isinstance(taken, StoreError):
                self._lose(taken)
                if self.fallback == "error":
                    self._queue.refuse(partial(_unusable, taken))
            elif taken.wait:
                self._wait(taken)
                return
            else:
                self._problem = ""
                self._give(taken, store, given)
            self._dispatch()

    def _wait(self, taken: Taken) -> None:
        pause = taken.paused / 1000
        self._paused_until = self._clock() + pause
        if pause > 0:
            self._queue.refuse(partial(_paused, pause), pause)
        self._queue.set_timers(taken.wait / 1000)

    def _lose(self, error: StoreError) -> None:
        if not self._problem:
            _log.warning("the store of the allowance cannot be used: %s", error)
        self._problem = str(error)
        self._away_until = self._clock() + TRY_AGAIN_SECONDS

    def _in_use(self) -> tuple[Store, Limits]:
        """The store that counts and the limits that hold: a share of them while it is away."""
        if self._clock() < self._away_until and self.fallback == "slow":
            return self._substitute, self.limits.scaled(FALLBACK_SHARE)
        return self.store, self.limits

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
    unusable = TrayportLimiterError(
        f"the store that shares the allowance cannot be used: {error}",
        suggestion=f"{error.way_out}; with limiter_fallback='slow' requests go on at a tenth of "
        "the rate while it is away",
    )
    unusable.__cause__ = error
    return unusable


def _paused(seconds: float) -> TrayportRateLimitError:
    return TrayportRateLimitError(
        "not sent: the service said that the key is too fast, and its requests pause for another "
        f"{seconds:.0f} s",
        status_code=TOO_MANY,
        retry_after=seconds,
        suggestion="try again after that; if it happens often, let every program of the key count "
        "in one place with the setting limiter_store, or lower requests_per_second",
    )


class Renewable(Protocol):
    """What starts afresh in a child process."""

    def after_fork(self) -> None:
        """Called once in the child, while it has a single thread."""


_living: WeakSet[Renewable] = WeakSet()


def renew_in_children(renewable: Renewable) -> None:
    """Renews an object in every forked process, for as long as it lives.

    A lock that another thread of the parent held is never released in the child.
    """
    _living.add(renewable)
    _watch_forks()


@cache
def _watch_forks() -> None:
    def renew() -> None:
        for renewable in list(_living):
            renewable.after_fork()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)
