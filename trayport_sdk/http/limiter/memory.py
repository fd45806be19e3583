"""Counts grants in this process.

Exact sliding windows over a log of grants, in the bucket of pyrate-limiter.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from itertools import count
from threading import RLock

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from .base import SENDING_MILLISECONDS, Look, Store, StoreError, Taken
from .limits import EMERGENCY_SHARE, NEVER, PADDING, Limits, Quota, Slowdown

# What happens to a grant. A copy is one that was counted in a file that is gone.
TAKEN, MOVED, STARTED, FINISHED, COPIED = "taken", "moved", "started", "finished", "copied"


class MemoryStore(Store):
    """The log of this process.

    Args:
        clock: Seconds of this process.
    """

    name = "memory"
    remote = False
    padding = PADDING

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = RLock()
        self._clock = clock
        self._set: Limits | None = None
        self._quotas: tuple[Quota, ...] = ()
        self._slowdown = Slowdown()
        self._begins = NEVER
        # Replaced by the limits of the first request; a bucket needs rates from the beginning.
        self._bucket = InMemoryBucket([Rate(1, 1)])
        self._numbers = count()
        # The grants whose requests are being written, and since when.
        self._sending: dict[RateItem, int] = {}

    @contextmanager
    def _open(self) -> Generator[int]:
        """A context with the time, which holds the lock of the log."""
        with self._lock:
            now = self._now()
            self._keep_up(now)
            yield now

    def _now(self) -> int:
        # A timer set to a millisecond must fire within it, whatever the rounding of floats.
        return int(self._clock() * 1000 + 1e-3)

    def take(self, limits: Limits, ahead: int = 0) -> Taken:
        with self._open() as now:
            slowdown = self._slowdown
            crowded = self._wait(limits.emergency_quotas, now)
            share = 1.0 if slowdown.share == 1.0 else slowdown.share_at(now)
            share *= EMERGENCY_SHARE if crowded else 1.0
            spread = self._spread(limits, share, now)
            if crowded:
                spread = min(spread, crowded)
            paused = max(0, slowdown.until - now)
            wait = max(paused, spread, self._room(limits, now))
            if paused:
                return Taken(now, wait, paused)
            grant = RateItem(self._new_name(), now + wait)
            if wait > ahead or not self._bucket.put(grant):
                return Taken(now, max(1, wait - ahead))
            if any(other.timestamp > grant.timestamp for other in self._bucket.items[-2:-1]):
                self._bucket.items.sort(key=_by_time)  # others wait for longer
            self._record(TAKEN, grant.name, now, wait)
            self._forget(now)
            return Taken(now, 0, name=grant.name)

    def count_those_of(self, other: MemoryStore) -> None:
        """Counts what another store of this process, with the same clock, has counted.

        Raises:
            StoreError: This one cannot be used.
        """
        with suppress(StoreError), other._open():  # to have it learn the latest; it may be lost
            pass
        with self._open() as now:
            for grant in [*other._bucket.items]:
                name, ahead = self._new_name(), max(0, grant.timestamp - now)
                self._happened(COPIED, name, grant.timestamp, now)
                self._record(COPIED, name, grant.timestamp - ahead, ahead)
            if other._slowdown != self._slowdown:
                self._slow(other._slowdown)

    def _new_name(self) -> str:
        return str(next(self._numbers))

    def _record(self, event: str, name: str, now: int, ahead: int = 0) -> None:
        """Tells other processes, where there are any."""

    def _forget(self, now: int) -> None:
        """Removes the grants that no window holds any more."""
        self._bucket.leak(now)

    def start(self, name: str, limits: Limits) -> Taken:
        with self._open() as now:
            grant, until = self._find(name), now
            if grant is not None:
                self._remove(grant)
                until = max(now, grant.timestamp)
            # Grants that may be used only later wait for this one, and not the other way round.
            items = self._bucket.items
            place = bisect_right(items, until, key=_by_time)
            later = items[place:]
            del items[place:]
            wait = max(0, self._room(limits, now))
            items += later
            paused = max(0, self._slowdown.until - now)
            event = MOVED if wait or paused else STARTED
            self._happened(event, name, now + wait, now)
            self._record(event, name, now, wait)
            return Taken(now, max(wait, paused), paused)

    def finish(self, name: str) -> None:
        with self._open() as now:
            self._happened(FINISHED, name, now, now)
            self._record(FINISHED, name, now)

    def slow_down(self, pause: int, granted: int) -> float:
        with self._open() as now:
            self._slow(self._slowdown.slower(now, pause, granted))
            return self._slowdown.share

    def _slow(self, slowdown: Slowdown) -> None:
        self._slowdown = slowdown

    def look(self, limits: Limits) -> Look:
        with self._open() as now:
            share, paused = self._slowdown.share_at(now), max(0, self._slowdown.until - now)
            wait = max(self._room(limits, now), self._spread(limits, share, now), paused)
            return Look(
                used=tuple(self._count_since(now - q.milliseconds + 1) for q in limits.windows),
                wait=wait,
                paused=paused,
                share=share,
            )

    def _find(self, name: str) -> RateItem | None:
        """A grant, which is nearly always one of the last."""
        return next((grant for grant in reversed(self._bucket.items) if grant.name == name), None)

    def _happened(self, event: str, name: str, date: int, now: int) -> None:
        """Counts a grant from when it was last heard of, or from when it may be used."""
        if (grant := self._find(name)) is not None:
            if event == COPIED:
                return
            self._remove(grant)
        grant = RateItem(name, date)
        insort(self._bucket.items, grant, key=_by_time)
        if event == STARTED:
            self._sending[grant] = now

    def _remove(self, grant: RateItem) -> None:
        items = self._bucket.items
        place = len(items) - 1
        while items[place] is not grant:
            place -= 1
        del items[place]
        self._sending.pop(grant, None)

    def _keep_up(self, now: int) -> None:
        """Counts requests that are being written as if they were sent just now."""
        for grant, since in [*self._sending.items()]:
            self._remove(grant)
            grant.timestamp = now
            insort(self._bucket.items, grant, key=_by_time)
            if now - since <= SENDING_MILLISECONDS:
                self._sending[grant] = since

    def _count_since(self, moment: int) -> int:
        items = self._bucket.items
        return len(items) - bisect_left(items, moment, key=_by_time)

    def _room(self, limits: Limits, now: int) -> int:
        """Milliseconds until every window has room."""
        if self._set != limits:
            self._set = limits
            self._quotas = limits.quotas(self.padding)
            # The library's windows include both of their ends.
            self._bucket.rates = [Rate(q.limit, q.milliseconds - 1) for q in self._quotas]
        return max(self._wait(self._quotas, now), self._begins - now)

    def _spread(self, limits: Limits, share: float, now: int) -> int:
        """Milliseconds until a share of the rate allows one more."""
        if share >= 1.0:
            return 0
        return self._wait((limits.spacing(share, self.padding),), now)

    def _wait(self, quotas: tuple[Quota, ...], now: int) -> int:
        """Milliseconds until every quota has room for one more grant."""
        wait = 0
        for quota in quotas:
            oldest = self._bucket.peek(quota.limit - 1)
            if oldest is not None:
                wait = max(wait, oldest.timestamp + quota.milliseconds - now)
        return wait

    def after_fork(self, limits: Limits) -> None:
        """Waits for the longest window: the grants of the parent count for the key as well."""
        self._lock = RLock()
        self._bucket = InMemoryBucket(self._bucket.rates)
        self._sending = {}
        self._begins = self._now() + limits.quotas(self.padding)[-1].milliseconds

    def close(self) -> None:
        """Keeps nothing open."""


def _by_time(grant: RateItem) -> int:
    return grant.timestamp
