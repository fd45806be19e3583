"""Where the grants of one allowance are counted: in this process, in a file, or in Redis.

Exact sliding windows over a log of grants. Every store answers the same three questions; the two
shared ones answer them for all processes that name the same place.
"""

from __future__ import annotations

import sqlite3
import time
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import ClassVar, TypeAlias, cast

from attrs import frozen
from pyrate_limiter import InMemoryBucket, Rate, RateItem, SQLiteBucket

from .pace import EMERGENCY_SHARE, PADDING, Limits, Quota, Slowdown

SHARED_PADDING = 1.03
BUSY_SECONDS = 5.0


class StoreError(Exception):
    """The store cannot be reached, or does not answer as it should."""


@frozen
class Taken:
    """The answer to a wish: granted `now`, or how many milliseconds to wait."""

    now: int
    wait: int


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
    """Whether an answer may take a while, so that no event loop should wait for it."""

    @abstractmethod
    def take(self, limits: Limits) -> Taken:
        """Takes one request from the allowance, or says how long to wait."""

    @abstractmethod
    def slow_down(self, pause: int, granted: int) -> float:
        """Pauses everybody and halves the rate; the result is the share now in force."""

    @abstractmethod
    def look(self, limits: Limits) -> Look:
        """How much of the allowance is used. Takes nothing."""

    @abstractmethod
    def after_fork(self, limits: Limits) -> None:
        """Goes on in a child process."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of files and connections."""


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
            if slowdown.until > now:
                return Taken(now, slowdown.until - now)
            crowded = _wait(bucket, limits.crowds, now)
            share = slowdown.share_at(now) * (EMERGENCY_SHARE if crowded else 1.0)
            self._set_rates(bucket, limits)
            wait = self._wait_for_share(bucket, limits, share, now)
            if not wait:
                item = RateItem("request", now)
                if bucket.put(item):
                    bucket.leak(now)
                    return Taken(now, 0)
                wait = max(1, cast("int", bucket.waiting(item)))
            return Taken(now, wait)

    def slow_down(self, pause: int, granted: int) -> float:
        with self._open() as (_, now):
            slowdown = self._slowdown().slower(now, pause, granted)
            self._remember(slowdown)
            return slowdown.share

    def look(self, limits: Limits) -> Look:
        with self._open() as (bucket, now):
            slowdown = self._slowdown()
            share, paused = slowdown.share_at(now), max(0, slowdown.until - now)
            self._set_rates(bucket, limits)
            wait = max(
                _wait(bucket, self._quotas, now),
                self._wait_for_share(bucket, limits, share, now),
            )
            return Look(
                used=tuple(self._count_since(now - q.milliseconds + 1) for q in limits.windows),
                wait=max(paused, wait),
                paused=paused,
                share=share,
            )

    def _set_rates(self, bucket: _Bucket, limits: Limits) -> None:
        if self._set != limits:
            self._set = limits
            self._quotas = limits.quotas(self.padding)
            # The library's windows include both of their ends.
            bucket.rates = [Rate(q.limit, q.milliseconds - 1) for q in self._quotas]

    def _wait_for_share(self, bucket: _Bucket, limits: Limits, share: float, now: int) -> int:
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

    def after_fork(self, limits: Limits) -> None:
        """Waits for the longest window: what the parent was granted counts for the key as well."""
        self._lock = RLock()
        self._bucket = InMemoryBucket(self._bucket.rates)
        longest = limits.quotas(self.padding)[-1].milliseconds
        now = self._now()
        self._state = Slowdown(self._state.share_at(now), now + longest, self._state.since)

    def close(self) -> None:
        """Keeps nothing open."""


_SCHEMA = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "CREATE TABLE IF NOT EXISTS grants (name VARCHAR, item_timestamp INTEGER)",
    "CREATE INDEX IF NOT EXISTS grants_by_time ON grants (item_timestamp)",
    "CREATE TABLE IF NOT EXISTS slowdown (id INTEGER PRIMARY KEY CHECK (id = 0), "
    "share REAL, until INTEGER, since INTEGER)",
)


class SqliteStore(_LogStore):
    """A log in a file, for the processes of one machine."""

    name = "sqlite"
    remote = True
    padding = SHARED_PADDING

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._path = path
        self._clock = clock
        self._bucket: SQLiteBucket | None = None

    def _opened(self) -> SQLiteBucket:
        if self._bucket is None:
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            for statement in _SCHEMA:
                connection.execute(statement)
            self._bucket = SQLiteBucket([Rate(1, 1)], connection, "grants", self._lock)
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
                    # Whoever sets the clock back shall not wait until it has caught up.
                    bucket.conn.execute(
                        "UPDATE grants SET item_timestamp = ?1 WHERE item_timestamp > ?1", (now,)
                    )
                    yield bucket, now
                finally:
                    if bucket.conn.in_transaction:
                        bucket.conn.commit()
            except sqlite3.Error as error:
                self.close()
                raise StoreError(f"{self._path}: {error}") from error

    def _slowdown(self) -> Slowdown:
        query = "SELECT share, until, since FROM slowdown"
        row = self._opened().conn.execute(query).fetchone()
        return Slowdown() if row is None else Slowdown(*row)

    def _remember(self, slowdown: Slowdown) -> None:
        self._opened().conn.execute(
            "INSERT OR REPLACE INTO slowdown VALUES (0, ?, ?, ?)",
            (slowdown.share, slowdown.until, slowdown.since),
        )

    def _count_since(self, moment: int) -> int:
        query = "SELECT COUNT(*) FROM grants WHERE item_timestamp >= ?"
        return int(self._opened().conn.execute(query, (moment,)).fetchone()[0])

    def after_fork(self, limits: Limits) -> None:  # noqa: ARG002
        """Opens the file again: a connection does not survive a fork."""
        self._lock = RLock()
        self._bucket = None

    def close(self) -> None:
        with self._lock:
            if self._bucket is not None:
                self._bucket.conn.close()
                self._bucket = None
