"""Where the grants of one allowance are counted: in this process, in a file, or in Redis.

Exact sliding windows over a log of grants. The two shared stores count for all processes that name
the same place.
"""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import RLock
from typing import TypeAlias

from pyrate_limiter import InMemoryBucket, Rate, RateItem, SQLiteBucket

from .allowance import Look, Store, StoreError, Taken
from .count_file import connected
from .limits import EMERGENCY_SHARE, NEVER, PADDING, Limits, Quota, Slowdown

SHARED_PADDING = 1.03
IN_MEMORY = ":memory:"


_Bucket: TypeAlias = InMemoryBucket | SQLiteBucket


class _LogStore(Store):
    """A log of grants in a bucket of pyrate-limiter, read and written under a lock."""

    padding = PADDING

    def __init__(self) -> None:
        self._lock = RLock()
        self._set: Limits | None = None
        self._quotas: tuple[Quota, ...] = ()

    @abstractmethod
    def _open(self) -> AbstractContextManager[tuple[_Bucket, int]]:
        """A context with the bucket and the time, in which nobody else changes the log."""

    @abstractmethod
    def _slowdown(self) -> Slowdown: ...

    @abstractmethod
    def _remember(self, slowdown: Slowdown) -> None: ...

    @abstractmethod
    def _count_since(self, moment: int) -> int: ...

    def take(self, limits: Limits) -> Taken:
        with self._open() as (bucket, now):
            slowdown = self._slowdown()
            crowded = _wait(bucket, limits.crowds, now)
            share = slowdown.share_at(now) * (EMERGENCY_SHARE if crowded else 1.0)
            spread = self._spread(bucket, limits, share, now)
            if crowded:
                spread = min(spread, crowded)
            wait = max(slowdown.until - now, spread, self._room(bucket, limits, now))
            if wait > 0 or not bucket.put(RateItem("request", now)):
                return Taken(now, max(1, wait), max(0, slowdown.until - now))
            bucket.leak(now)
            return Taken(now, 0)

    def slow_down(self, pause: int, granted: int) -> float:
        with self._open() as (_, now):
            slowdown = self._slowdown().slower(now, pause, granted)
            self._remember(slowdown)
            return slowdown.share

    def look(self, limits: Limits) -> Look:
        with self._open() as (bucket, now):
            slowdown = self._slowdown()
            share, paused = slowdown.share_at(now), max(0, slowdown.until - now)
            wait = max(
                self._room(bucket, limits, now), self._spread(bucket, limits, share, now), paused
            )
            return Look(
                used=tuple(self._count_since(now - q.milliseconds + 1) for q in limits.windows),
                wait=wait,
                paused=paused,
                share=share,
            )

    def _room(self, bucket: _Bucket, limits: Limits, now: int) -> int:
        """Milliseconds until every window has room."""
        if self._set != limits:
            self._set = limits
            self._quotas = limits.quotas(self.padding)
            # The library's windows include both of their ends.
            bucket.rates = [Rate(q.limit, q.milliseconds - 1) for q in self._quotas]
        return _wait(bucket, self._quotas, now)

    def _spread(self, bucket: _Bucket, limits: Limits, share: float, now: int) -> int:
        """Milliseconds until a share of the rate allows one more."""
        if share >= 1.0:
            return 0
        return _wait(bucket, (limits.spacing(share, self.padding),), now)


def _wait(bucket: _Bucket, quotas: tuple[Quota, ...], now: int) -> int:
    """Milliseconds until every quota has room for one more grant."""
    wait = 0
    for quota in quotas:
        oldest = bucket.peek(quota.limit - 1)
        if oldest is not None:
            wait = max(wait, oldest.timestamp + quota.milliseconds - now)
    return wait


class MemoryStore(_LogStore):
    """The log of this process."""

    name = "memory"
    remote = False

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._state = Slowdown()
        self._begins = NEVER
        # Replaced by the limits of the first request; a bucket needs rates from the beginning.
        self._bucket = InMemoryBucket([Rate(1, 1)])

    @contextmanager
    def _open(self) -> Generator[tuple[InMemoryBucket, int]]:
        with self._lock:
            yield self._bucket, self._now()

    def _now(self) -> int:
        # A timer that was set to a millisecond must find itself in it, whatever floats make of it.
        return int(self._clock() * 1000 + 1e-3)

    def _slowdown(self) -> Slowdown:
        return self._state

    def _remember(self, slowdown: Slowdown) -> None:
        self._state = slowdown

    def _count_since(self, moment: int) -> int:
        items = self._bucket.items
        return len(items) - bisect_left(items, moment, key=lambda item: item.timestamp)

    def _room(self, bucket: _Bucket, limits: Limits, now: int) -> int:
        return max(super()._room(bucket, limits, now), self._begins - now)

    def after_fork(self, limits: Limits) -> None:
        """Waits for the longest window: what the parent was granted counts for the key as well."""
        self._lock = RLock()
        self._bucket = InMemoryBucket(self._bucket.rates)
        self._begins = self._now() + limits.quotas(self.padding)[-1].milliseconds

    def close(self) -> None:
        """Keeps nothing open."""


_RESTAMP = 'UPDATE "{log}" SET item_timestamp = :now WHERE item_timestamp > :now'
_COUNT = 'SELECT COUNT(*) FROM "{log}" WHERE item_timestamp >= ?'


class SqliteStore(_LogStore):
    """A log in a file, for the processes of one machine.

    Args:
        path: The file; made when it is first needed.
        name: What tells this allowance from others in the same file.
        clock: Seconds that the processes agree on.
    """

    # Unlike the time of day, nobody sets the monotonic clock ahead, which would free every window.
    # All processes of a machine read the same one: seconds since it was started on Linux, macOS and
    # Windows (GetTickCount64 or QueryPerformanceCounter). After a restart it begins again, as if
    # set back.

    name = "sqlite"
    remote = True
    padding = SHARED_PADDING

    def __init__(self, path: str, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        # Resolved now: who changes the folder later, as daemons do, still counts in the same file.
        self._path = path if path == IN_MEMORY else str(Path(path).absolute())
        # The library writes the name of the table into its statements.
        self._log = "grants of " + "".join(c if c.isalnum() else "_" for c in name)
        self._clock = clock
        self._bucket: SQLiteBucket | None = None
        self._let_go: Callable[[], object] = lambda: None
        if hasattr(os, "register_at_fork"):
            again = _weakly(self._lock_released)
            os.register_at_fork(
                before=_weakly(self._closed_and_locked), after_in_parent=again, after_in_child=again
            )

    def _opened(self) -> SQLiteBucket:
        if self._bucket is None:
            connection = connected(self._path, self._log)
            self._bucket = SQLiteBucket([Rate(1, 1)], connection, self._log, self._lock)
            self._let_go = weakref.finalize(self, connection.close)
            self._set = None
        return self._bucket

    @contextmanager
    def _open(self) -> Generator[tuple[SQLiteBucket, int]]:
        with self._lock:
            try:
                bucket = self._opened()
                bucket.conn.execute("BEGIN IMMEDIATE")
                try:
                    now = int(self._clock() * 1000)
                    self._restamp(now)
                    yield bucket, now
                finally:
                    if bucket.conn.in_transaction:
                        bucket.conn.commit()
            except sqlite3.Error as error:
                self.close()
                raise StoreError(f"{self._path}: {error}") from error

    def _slowdown(self) -> Slowdown:
        query = "SELECT share, until, since, told FROM slowdowns WHERE log = ?"
        row = self._opened().conn.execute(query, (self._log,)).fetchone()
        return Slowdown() if row is None else Slowdown(*row)

    def _restamp(self, now: int) -> None:
        """Whoever sets the clock back shall not wait until it has caught up."""
        self._opened().conn.execute(_RESTAMP.format(log=self._log), {"now": now})
        slowdown = self._slowdown()
        if slowdown.told > now:
            self._remember(slowdown.restamped(now))

    def _remember(self, slowdown: Slowdown) -> None:
        self._opened().conn.execute(
            "INSERT OR REPLACE INTO slowdowns VALUES (?, ?, ?, ?, ?)",
            (self._log, slowdown.share, slowdown.until, slowdown.since, slowdown.told),
        )

    def _count_since(self, moment: int) -> int:
        found = self._opened().conn.execute(_COUNT.format(log=self._log), (moment,))
        return int(found.fetchone()[0])

    def after_fork(self, limits: Limits) -> None:
        """Nothing to do: the file was closed before."""

    def _closed_and_locked(self) -> None:
        # A child with a copy of a connection would take the parent's locks for its own, and lose
        # its grants when the parent ends.
        self._lock.acquire()
        self.close()

    def _lock_released(self) -> None:
        self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._let_go()
            self._bucket = None


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Calls a method for as long as its object is there."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        found = reference()
        if found is not None:
            found()

    return call


def opened(store: str, name: str) -> Store:
    """The store that a setting names, for the allowance of a name."""
    if store.startswith("sqlite:///"):
        return SqliteStore(store.removeprefix("sqlite:///"), name)
    if store.startswith(("redis://", "rediss://")):
        from .redis import RedisStore

        return RedisStore(store, name)
    return MemoryStore()
