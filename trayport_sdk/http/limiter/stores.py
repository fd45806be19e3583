"""Where the grants of one allowance are counted: in this process, or in a file of one machine.

Exact sliding windows over a log of grants, in the buckets of pyrate-limiter. Processes that name
the same file share its allowance; for those of many machines there is the store in `redis`.
"""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import RLock
from typing import ClassVar, TypeAlias

from attrs import frozen
from pyrate_limiter import InMemoryBucket, Rate, RateItem, SQLiteBucket

from .limits import EMERGENCY_SHARE, NEVER, PADDING, SHARED_PADDING, Limits, Quota, Slowdown

IN_MEMORY = ":memory:"
BUSY_SECONDS = 5.0
BUSY_RETRY_SECONDS = 0.01

_Bucket: TypeAlias = InMemoryBucket | SQLiteBucket


class StoreError(Exception):
    """The store cannot be reached, or does not respond as it should."""


@frozen
class Taken:
    """The result of a request for a grant: granted `now`, or how many milliseconds to wait.

    Attributes:
        now: The time of the store, in milliseconds.
        wait: Milliseconds until another attempt makes sense; 0 when it was granted.
        paused: Milliseconds that a pause goes on, as far as the wait is due to one.
    """

    now: int
    wait: int
    paused: int = 0


@frozen
class Look:
    """How full a store is.

    Attributes:
        used: The grants within each window of the limits.
        wait: Milliseconds until the next grant is possible.
        paused: Milliseconds that a pause goes on.
        share: The share of the rate in force.
    """

    used: tuple[int, ...]
    wait: int
    paused: int
    share: float


class Store(ABC):
    """Counts the grants of one allowance; safe for use by several threads."""

    name: ClassVar[str]
    remote: ClassVar[bool]
    """Whether a call may take a while, so that no event loop should wait for it."""

    @abstractmethod
    def take(self, limits: Limits) -> Taken:
        """Takes one grant from the allowance, or returns how long to wait."""

    @abstractmethod
    def slow_down(self, pause: int, granted: int) -> float:
        """Pauses all requests and halves the rate; returns the share now in force."""

    @abstractmethod
    def look(self, limits: Limits) -> Look:
        """Returns how much of the allowance is used. Takes nothing."""

    @abstractmethod
    def after_fork(self, limits: Limits) -> None:
        """Continues in a child process."""

    @abstractmethod
    def close(self) -> None:
        """Closes files and connections; the next use opens them again."""


class _LogStore(Store):
    """A log of grants in a bucket of pyrate-limiter, read and written under a lock."""

    padding = PADDING

    def __init__(self) -> None:
        self._lock = RLock()
        self._set: Limits | None = None
        self._quotas: tuple[Quota, ...] = ()

    @abstractmethod
    def _open(self) -> AbstractContextManager[tuple[_Bucket, int]]:
        """A context with the bucket and the time, which holds the lock of the log."""

    @abstractmethod
    def _load(self) -> Slowdown: ...

    @abstractmethod
    def _save(self, slowdown: Slowdown) -> None: ...

    @abstractmethod
    def _count_since(self, moment: int) -> int: ...

    def take(self, limits: Limits) -> Taken:
        with self._open() as (bucket, now):
            slowdown = self._load()
            crowded = _wait(bucket, limits.emergency_quotas, now)
            share = 1.0 if slowdown.share == 1.0 else slowdown.share_at(now)
            share *= EMERGENCY_SHARE if crowded else 1.0
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
            slowdown = self._load().slower(now, pause, granted)
            self._save(slowdown)
            return slowdown.share

    def look(self, limits: Limits) -> Look:
        with self._open() as (bucket, now):
            slowdown = self._load()
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
        # A timer set to a millisecond must fire within it, whatever the rounding of floats.
        return int(self._clock() * 1000 + 1e-3)

    def _load(self) -> Slowdown:
        return self._state

    def _save(self, slowdown: Slowdown) -> None:
        self._state = slowdown

    def _count_since(self, moment: int) -> int:
        items = self._bucket.items
        return len(items) - bisect_left(items, moment, key=lambda item: item.timestamp)

    def _room(self, bucket: _Bucket, limits: Limits, now: int) -> int:
        return max(super()._room(bucket, limits, now), self._begins - now)

    def after_fork(self, limits: Limits) -> None:
        """Waits for the longest window: the grants of the parent count for the key as well."""
        self._lock = RLock()
        self._bucket = InMemoryBucket(self._bucket.rates)
        self._begins = self._now() + limits.quotas(self.padding)[-1].milliseconds

    def close(self) -> None:
        """Keeps nothing open."""


_RESTAMP = 'UPDATE "{log}" SET item_timestamp = :now WHERE item_timestamp > :now'
_COUNT = 'SELECT COUNT(*) FROM "{log}" WHERE item_timestamp >= ?'
_SCHEMA = (
    "PRAGMA synchronous=NORMAL",
    'CREATE TABLE IF NOT EXISTS "{log}" (name VARCHAR, item_timestamp INTEGER)',
    'CREATE INDEX IF NOT EXISTS "{log} by time" ON "{log}" (item_timestamp)',
    "CREATE TABLE IF NOT EXISTS throttles (log VARCHAR PRIMARY KEY, "
    "share REAL, until INTEGER, since INTEGER, reported INTEGER)",
)


class SqliteStore(_LogStore):
    """A log in a file, for the processes of one machine.

    Args:
        path: The file; created at the first use.
        name: The name of this allowance among others in the same file.
        clock: Seconds that the processes agree on.
    """

    # Unlike the time of day, the monotonic clock is never set ahead, which would free every window.
    # All processes of a machine read the same one: seconds since it was started on Linux, macOS and
    # Windows (GetTickCount64 or QueryPerformanceCounter). After a restart it begins again, as if
    # set back.

    name = "sqlite"
    remote = True
    padding = SHARED_PADDING

    def __init__(self, path: str, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        # Resolved now: a process that changes its folder later, as daemons do, keeps its file.
        self._path = path if path == IN_MEMORY else str(Path(path).absolute())
        # The library writes the name of the table into its statements.
        self._log = "grants of " + "".join(c if c.isalnum() else "_" for c in name)
        self._clock = clock
        self._bucket: SQLiteBucket | None = None
        self._close_file: Callable[[], object] = lambda: None
        if hasattr(os, "register_at_fork"):
            again = _weakly(self._lock_released)
            os.register_at_fork(
                before=_weakly(self._closed_and_locked), after_in_parent=again, after_in_child=again
            )

    def _opened(self) -> SQLiteBucket:
        if self._bucket is None:
            connection = _connect(self._path, self._log)
            self._bucket = SQLiteBucket([Rate(1, 1)], connection, self._log, self._lock)
            self._close_file = weakref.finalize(self, connection.close)
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

    def _load(self) -> Slowdown:
        query = "SELECT share, until, since, reported FROM throttles WHERE log = ?"
        row = self._opened().conn.execute(query, (self._log,)).fetchone()
        return Slowdown() if row is None else Slowdown(*row)

    def _restamp(self, now: int) -> None:
        """After the clock was set back, requests do not wait until it has caught up."""
        self._opened().conn.execute(_RESTAMP.format(log=self._log), {"now": now})
        slowdown = self._load()
        if slowdown.reported > now:
            self._save(slowdown.restamped(now))

    def _save(self, slowdown: Slowdown) -> None:
        self._opened().conn.execute(
            "INSERT OR REPLACE INTO throttles VALUES (?, ?, ?, ?, ?)",
            (self._log, slowdown.share, slowdown.until, slowdown.since, slowdown.reported),
        )

    def _count_since(self, moment: int) -> int:
        rows = self._opened().conn.execute(_COUNT.format(log=self._log), (moment,))
        return int(rows.fetchone()[0])

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
            self._close_file()
            self._bucket = None


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Calls a method for as long as its object lives."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        living = reference()
        if living is not None:
            living()

    return call


def _connect(path: str, log: str) -> sqlite3.Connection:
    """A connection to a file that has the tables of a log of grants."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _use_wal(connection)
        for statement in _SCHEMA:
            connection.execute(statement.format(log=log))
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switches to the write-ahead log: the one statement that does not wait for other processes."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_RETRY_SECONDS)
        else:
            return
