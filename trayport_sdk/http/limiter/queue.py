"""The requests that wait for a grant, in whatever event loops, and a timer for each of these loops.

Changes need the lock of the queue. A waiter gets its grant in the thread of its own loop.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from itertools import islice
from threading import RLock
from typing import Literal, TypeAlias, get_args

from attrs import define, field, frozen

from .base import Store

Priority: TypeAlias = Literal["high", "normal", "low"]
"""Which requests go first: look-ups before calls, and calls before backfills."""

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
PASSED_OVER = 20
"""How often the first of a priority lets others pass before it goes next."""


@frozen
class Grant:
    """The permission to send one request.

    Attributes:
        moment: When it was given, in milliseconds of the store's clock.
        queued: Seconds that the request waited for it.
        given: When it was given, in seconds of the limiter's clock.
        name: What the store calls it.
        store: Where it is counted.
    """

    moment: int
    queued: float
    given: float = field(default=-math.inf, eq=False, repr=False)
    name: str = field(default="", eq=False, repr=False)
    store: Store | None = field(default=None, eq=False, repr=False)


@define(eq=False)
class Waiter:
    """One request in the queue."""

    priority: Priority
    loop: asyncio.AbstractEventLoop
    granted: asyncio.Future[Grant]
    max_pause: float
    ahead: int = 0
    passed_over: int = 0


class WaitingQueue:
    """First in, first out within a priority; a higher priority goes first.

    No request starves: each time a request of a higher priority goes first, it is counted. An event
    loop gets its next grant once it has picked up the last one, so that one that is busy with
    something else collects none that it cannot use.

    Args:
        on_due: Called with the lock held, in any of the waiting loops, when its timer fires.

    Attributes:
        size: How many requests wait.
    """

    def __init__(self, on_due: Callable[[], None]) -> None:
        self.lock = RLock()
        self.size = 0
        self._on_due = on_due
        self._waiting: dict[Priority, OrderedDict[Waiter, None]] = {
            priority: OrderedDict() for priority in PRIORITIES
        }
        self._loops: Counter[asyncio.AbstractEventLoop] = Counter()
        # Those in which a request has got a grant, and has not run since.
        self._behind: set[asyncio.AbstractEventLoop] = set()
        # A timer, and an object that distinguishes it from earlier timers of its loop.
        self._timers: dict[asyncio.AbstractEventLoop, tuple[asyncio.TimerHandle, object]] = {}

    def __bool__(self) -> bool:
        return self.size > 0

    def lengths(self) -> Mapping[str, int]:
        """How many wait, by priority."""
        return {str(priority): len(waiting) for priority, waiting in self._waiting.items()}

    def enter(
        self,
        priority: Priority,
        max_pause: float | None = None,
        *,
        ahead: int = 0,
        first: bool = False,
    ) -> Waiter:
        """Adds a request, which fails rather than wait out a pause longer than `max_pause`.

        Args:
            priority: Which requests go first.
            max_pause: In seconds; None for any.
            ahead: How many milliseconds before a grant may be used it wants to have it.
            first: Whether it goes before all others of its priority, as it has waited before.
        """
        loop = asyncio.get_running_loop()
        max_pause = math.inf if max_pause is None else max_pause
        waiter = Waiter(priority, loop, loop.create_future(), max_pause, ahead)
        self._waiting[priority][waiter] = None
        if first:
            self._waiting[priority].move_to_end(waiter, last=False)
        self.size += 1
        self._loops[loop] += 1
        return waiter

    def has_timer(self) -> bool:
        """Whether a timer is set in the running loop."""
        return asyncio.get_running_loop() in self._timers

    def next(self) -> Waiter | None:
        """The request that gets the next grant: of a loop that has picked up its last one."""
        first = self._ready()
        return _next_of(first) if first else None

    def _ready(self) -> list[Waiter]:
        """The first of each priority."""
        self._behind = {loop for loop in self._behind if not loop.is_closed()}
        first: list[Waiter] = []
        for waiting in self._waiting.values():
            ready = (waiter for waiter in waiting if waiter.loop not in self._behind)
            first += islice(ready, 1)
        return first

    def leave(self, waiter: Waiter) -> Grant | None:
        """Removes a cancelled request; returns the grant that it has just got, if it has."""
        if waiter in self._waiting[waiter.priority]:
            self._remove(waiter)
            return None
        granted = waiter.granted
        if granted.done() and not granted.cancelled() and granted.exception() is None:
            self.pick_up(waiter)
            return granted.result()
        return None

    def pick_up(self, waiter: Waiter) -> None:
        """Notes that a request runs with the grant that it has got."""
        self._behind.discard(waiter.loop)

    def give(self, grant: Grant) -> bool:
        """Hands a grant to the next request whose loop is open, if there is one."""
        while first := self._ready():
            waiter = _next_of(first)
            for passed in first:
                passed.passed_over += passed is not waiter
            self._remove(waiter)
            if waiter.loop is _running_loop():
                if not waiter.granted.done():
                    self._behind.add(waiter.loop)
                    waiter.granted.set_result(grant)
                    return True
            elif _called(waiter.loop, self._arrive, waiter, grant):
                self._behind.add(waiter.loop)
                return True
        return False

    def refuse(self, reason: Callable[[], Exception], pause: float | None = None) -> None:
        """Fails the requests that accept only shorter pauses; without a pause, all of them."""
        here = _running_loop()
        for waiting in self._waiting.values():
            for waiter in [w for w in waiting if pause is None or w.max_pause < pause]:
                self._remove(waiter)
                if waiter.loop is here:
                    _fail(waiter, reason())
                else:
                    _called(waiter.loop, _fail, waiter, reason())

    def set_timers(self, wait: float) -> None:
        """Makes every loop with a waiting request call `on_due` after that many seconds at most."""
        here = _running_loop()
        for loop in list(self._loops):
            if loop is here:
                self._set_timer(loop, wait)
            elif not _called(loop, self._set_timer, loop, wait):
                self._forget(loop)

    def _remove(self, waiter: Waiter) -> None:
        del self._waiting[waiter.priority][waiter]
        self.size -= 1
        self._loops[waiter.loop] -= 1
        if not self._loops[waiter.loop]:
            del self._loops[waiter.loop]
            timer = self._timers.pop(waiter.loop, None)
            # That of another thread may not be touched from here: it fires without effect.
            if timer is not None and waiter.loop is _running_loop():
                timer[0].cancel()

    def _arrive(self, waiter: Waiter, grant: Grant) -> None:
        if not waiter.granted.done():
            waiter.granted.set_result(grant)
        else:
            with self.lock:
                self.pick_up(waiter)
                self.give(grant)
                self._on_due()

    def _set_timer(self, loop: asyncio.AbstractEventLoop, wait: float) -> None:
        with self.lock:
            if loop not in self._loops:
                return
            due = loop.time() + wait
            timer = self._timers.get(loop)
            if timer is None or timer[0].when() > due:
                if timer is not None:
                    timer[0].cancel()
                mark = object()
                self._timers[loop] = loop.call_at(due, self._due, loop, mark), mark

    def _due(self, loop: asyncio.AbstractEventLoop, mark: object) -> None:
        with self.lock:
            timer = self._timers.get(loop)
            if timer is not None and timer[1] is mark:
                del self._timers[loop]
                self._on_due()

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timers.pop(loop, None)
        for waiting in self._waiting.values():
            for waiter in [waiter for waiter in waiting if waiter.loop is loop]:
                self._remove(waiter)


def _next_of(first: list[Waiter]) -> Waiter:
    starving = [waiter for waiter in first if waiter.passed_over >= PASSED_OVER]
    return (starving or first)[0]


def _fail(waiter: Waiter, reason: Exception) -> None:
    if not waiter.granted.done():
        waiter.granted.set_exception(reason)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _called(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: object
) -> bool:
    """Whether a callback could be passed to a loop of another thread; a closed one takes none."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        return False
    return True
