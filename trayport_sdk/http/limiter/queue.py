"""The line of requests that wait, in whatever event loops, and a timer for each of these loops.

Whoever holds the line's lock may change it. Answers reach a waiter in the thread of its own loop.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Generic, Literal, TypeAlias, TypeVar, get_args

from attrs import define, frozen

Priority: TypeAlias = Literal["high", "normal", "low"]
"""Who goes first when requests wait: look-ups go before calls, and calls before backfills."""

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
PASSED_OVER = 20
"""How often the first of a priority lets others pass before it goes next, whoever else waits."""

Answer = TypeVar("Answer")


@define(eq=False)
class Waiter(Generic[Answer]):
    """One request in the line."""

    priority: Priority
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Answer]
    patience: float
    passed_over: int = 0


@frozen
class _Timer:
    """A timer, and what tells it from earlier ones of its loop."""

    handle: asyncio.TimerHandle
    turn: object


class WaitingLine(Generic[Answer]):
    """Within a priority the first to come is the first to go; a higher priority goes first.

    Nobody starves: each time somebody of a higher priority goes first, it is counted.

    Args:
        on_due: Called with the lock held, in any of the waiting loops, when the timers fire.
    """

    def __init__(self, on_due: Callable[[], None]) -> None:
        self.lock = RLock()
        self._on_due = on_due
        self._lines: dict[Priority, OrderedDict[Waiter[Answer], None]] = {
            priority: OrderedDict() for priority in PRIORITIES
        }
        self._loops: Counter[asyncio.AbstractEventLoop] = Counter()
        self._timers: dict[asyncio.AbstractEventLoop, _Timer] = {}

    def __bool__(self) -> bool:
        return any(self._lines.values())

    def lengths(self) -> Mapping[str, int]:
        """How many wait, by priority."""
        return {str(priority): len(line) for priority, line in self._lines.items()}

    def enter(self, priority: Priority, patience: float | None = None) -> Waiter[Answer]:
        """A new last in the line of a priority, who leaves it rather than wait out a long pause."""
        loop = asyncio.get_running_loop()
        patience = math.inf if patience is None else patience
        waiter = Waiter[Answer](priority, loop, loop.create_future(), patience)
        self._lines[priority][waiter] = None
        self._loops[loop] += 1
        return waiter

    def will_look_again(self) -> bool:
        """Whether a timer is set in the loop that is running."""
        return asyncio.get_running_loop() in self._timers

    def leave(self, waiter: Waiter[Answer]) -> None:
        """Takes a cancelled waiter out. An answer that it was just given goes to the next."""
        if waiter in self._lines[waiter.priority]:
            self._remove(waiter)
            return
        answer = waiter.answer
        if answer.done() and not answer.cancelled() and answer.exception() is None:
            self.give(answer.result())

    def give(self, answer: Answer) -> bool:
        """Hands an answer to the next who is still there, if anybody is."""
        while (waiter := self._next()) is not None:
            self._remove(waiter)
            if waiter.loop is _running_loop():
                if not waiter.answer.done():
                    waiter.answer.set_result(answer)
                    return True
            elif _called(waiter.loop, self._arrive, waiter, answer):
                return True
        return False

    def refuse(self, reason: Callable[[], Exception], pause: float | None = None) -> None:
        """Fails whoever has less patience than a pause is long; without a pause, everybody."""
        here = _running_loop()
        for line in self._lines.values():
            for waiter in [one for one in line if pause is None or one.patience < pause]:
                self._remove(waiter)
                if waiter.loop is here:
                    _fail(waiter, reason())
                else:
                    _called(waiter.loop, _fail, waiter, reason())

    def set_timers(self, wait: float) -> None:
        """Lets every loop that somebody waits in look again after some seconds at the latest."""
        here = _running_loop()
        for loop in list(self._loops):
            if loop is here:
                self._set_timer(loop, wait)
            elif not _called(loop, self._set_timer, loop, wait):
                self._forget(loop)

    def _next(self) -> Waiter[Answer] | None:
        first = [next(iter(line)) for line in self._lines.values() if line]
        if not first:
            return None
        starving = [waiter for waiter in first if waiter.passed_over >= PASSED_OVER]
        chosen = (starving or first)[0]
        for waiter in first:
            waiter.passed_over += waiter is not chosen
        return chosen

    def _remove(self, waiter: Waiter[Answer]) -> None:
        del self._lines[waiter.priority][waiter]
        self._loops[waiter.loop] -= 1
        if not self._loops[waiter.loop]:
            del self._loops[waiter.loop]
            timer = self._timers.pop(waiter.loop, None)
            # That of another thread may not be touched from here: it fires into nothing.
            if timer is not None and waiter.loop is _running_loop():
                timer.handle.cancel()

    def _arrive(self, waiter: Waiter[Answer], answer: Answer) -> None:
        if not waiter.answer.done():
            waiter.answer.set_result(answer)
        else:
            with self.lock:
                self.give(answer)

    def _set_timer(self, loop: asyncio.AbstractEventLoop, wait: float) -> None:
        with self.lock:
            if loop not in self._loops:
                return
            due = loop.time() + wait
            timer = self._timers.get(loop)
            if timer is None or timer.handle.when() > due:
                if timer is not None:
                    timer.handle.cancel()
                turn = object()
                self._timers[loop] = _Timer(loop.call_at(due, self._due, loop, turn), turn)

    def _due(self, loop: asyncio.AbstractEventLoop, turn: object) -> None:
        with self.lock:
            timer = self._timers.get(loop)
            if timer is not None and timer.turn is turn:
                del self._timers[loop]
                self._on_due()

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timers.pop(loop, None)
        for line in self._lines.values():
            for waiter in [one for one in line if one.loop is loop]:
                self._remove(waiter)


def _fail(waiter: Waiter[Answer], reason: Exception) -> None:
    if not waiter.answer.done():
        waiter.answer.set_exception(reason)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _called(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: object
) -> bool:
    """Whether a loop of another thread could be told; a closed one cannot."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        return False
    return True
