"""Counts grants in a file that the processes of one machine share.

For processes of many machines there is the store in `redis`.
"""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from .base import NEW_MILLISECONDS, Look, Store, StoreError, Taken
from .limits import NEVER, SHARED_PADDING, Limits, Slowdown
from .memory import COPIED, STARTED, MemoryStore

__all__ = ["Look", "MemoryStore", "SqliteStore", "Store", "StoreError", "Taken"]

Result = TypeVar("Result")

IN_MEMORY = ":memory:"
BUSY_SECONDS = 5.0
ATTEMPTS = 5
SAME_CLOCK_MILLISECONDS = 30
SAMPLE_SECONDS = 0.002
SAMPLES = 5

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS store (token VARCHAR, clock INTEGER, made INTEGER)",
    "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, log VARCHAR, "
    "name VARCHAR, event VARCHAR, clock INTEGER, moment INTEGER, ahead INTEGER)",
    'CREATE INDEX IF NOT EXISTS "events by name" ON events (log, name)',
    "CREATE TABLE IF NOT EXISTS slowdowns (log VARCHAR PRIMARY KEY, "
    "clock INTEGER, share REAL, until INTEGER, since INTEGER, reported INTEGER)",
)
_ADD = "INSERT INTO events (log, name, event, clock, moment, ahead) VALUES (?, ?, ?, ?, ?, ?)"
_NEWS = (
    "SELECT number, name, event, clock, moment, ahead FROM events WHERE log = ? AND number > ? "
    "ORDER BY number"
)
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
_SLOWDOWN = "SELECT clock, share, until, since, reported FROM slowdowns WHERE log = ?"


class SqliteStore(MemoryStore):
    """The log of this process, and with it, by a file, what other processes of this machine do.

    The file is a journal of what happens to grants: whoever looks reads what is new, and counts it
    with its own. So nothing depends on how long the file lives. If it is deleted or replaced, each
    process writes what it knows into the next one.

    Times in the file are those of the clock of whoever wrote them. Its number says which clock that
    is: milliseconds between it and the time of day, the same for all processes that it is the clock
    of. The times of other clocks are not comparable (containers may have their own, and one begins
    again with the machine). What they say happened when it is first seen, at the latest.

    Args:
        path: The file; created at the first use.
        name: The name of this allowance among others in the same file.
        clock: Seconds that are never set; of whatever beginning.
        time_of_day: Seconds that all processes agree on, but that may be set.

    Attributes:
        path: The file.
    """

    name = "sqlite"
    remote = True
    padding = SHARED_PADDING

    def __init__(
        self,
        path: str,
        name: str,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock)
        # Resolved now: a process that changes its folder later, as daemons do, keeps its file.
        self.path = path if path == IN_MEMORY else str(Path(path).absolute())
        self._log = name
        self._time_of_day = time_of_day
        self._clock_number = 0
        self._later: dict[int, int] = {}
        self._unlike: set[int] = set()
        self._token: str = ""
        self._read = self._looked = 0
        self._slowdown_read: tuple[object, ...] | None = None
        self._connection: sqlite3.Connection | None = None
        self._place: tuple[int, int] | None = None
        self._known_place: tuple[int, int] | None = None
        self._close_file: Callable[[], object] = lambda: None
        if hasattr(os, "register_at_fork"):
            again = _weakly(self._lock_released)
            os.register_at_fork(
                before=_weakly(self._closed_and_locked), after_in_parent=again, after_in_child=again
            )

    def take(self, limits: Limits, ahead: int = 0) -> Taken:
        return self._retried(super().take, limits, ahead)

    def start(self, name: str, limits: Limits) -> Taken:
        return self._retried(super().start, name, limits)

    def finish(self, name: str) -> None:
        self._retried(super().finish, name)

    def slow_down(self, pause: int, granted: int) -> float:
        return self._retried(super().slow_down, pause, granted)

    def look(self, limits: Limits) -> Look:
        return self._retried(super().look, limits)

    def _retried(self, call: Callable[..., Result], *arguments: object) -> Result:
        """Goes on if the file in use, or its journal, is lost meanwhile."""
        for _ in range(ATTEMPTS):
            try:
                return call(*arguments)
            except StoreError as error:
                is_broken = _code(error.__cause__) == sqlite3.SQLITE_IOERR
                if not is_broken and self._place == _place(self.path):
                    raise
        return call(*arguments)

    @contextmanager
    def _open(self) -> Generator[int]:
        with self._lock:
            try:
                file, now = self._begun()
                try:
                    yield now
                finally:
                    if file.in_transaction:
                        file.commit()
            except sqlite3.Error as error:
                self.close()
                raise StoreError(f"{self.path}: {error}", _way_out(error)) from error

    def _begun(self) -> tuple[sqlite3.Connection, int]:
        """A connection in a transaction, to the file that is at the path now, and the time."""
        for _ in range(ATTEMPTS):
            is_new = self._connection is None
            try:
                file = self._connected()
                file.execute("BEGIN IMMEDIATE")
                if self._place is not None and self._place == _place(self.path):
                    if is_new:
                        for statement in _SCHEMA:
                            file.execute(statement)
                    now = self._now()
                    self._catch_up(file, now)
                    self._keep_up(now)
                    return file, now
            except sqlite3.Error as error:
                if is_new or _code(error) == sqlite3.SQLITE_BUSY:
                    raise
            # The file was deleted, replaced or emptied, or has just been made.
            self.close()
        raise sqlite3.OperationalError("the file is replaced all the time")

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._place = _place(self.path)
            connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection = connection
            self._close_file = weakref.finalize(self, connection.close)
            # The log outlives a process that is killed, and need not outlive a power failure.
            connection.execute("PRAGMA synchronous=OFF")
        return self._connection

    def _catch_up(self, file: sqlite3.Connection, now: int) -> None:
        """Learns what other processes did since this one looked."""
        if now < self._looked:
            self._set_back(now)
        self._clock_number = self._number_of_clock()
        token, clock, made = self._made(file, now)
        moved = bool(self._token) and token != self._token
        if token == self._token and (self._place != self._known_place or self._is_older(file)):
            # A copy was put back: others shall read it anew, too.
            moved, token, clock, made = True, token_hex(8), self._clock_number, now
            file.execute("UPDATE store SET token = ?, clock = ?, made = ?", (token, clock, made))
        is_other = token != self._token
        if is_other:
            self._read = 0
        self._token, self._known_place = token, self._place
        news = file.execute(_NEWS, (self._log, self._read)).fetchall()
        if news:
            times = [(whose, at) for _, _, event, whose, at, _ in news if event != COPIED]
            self._compare_clocks(times, now, since=None if is_other else self._looked)
            for number, name, event, whose, moment, ahead in news:
                self._read = number
                self._happened(event, name, self._date(whose, moment, now) + ahead, now)
        self._catch_up_slowdown(file, now)
        if moved:
            self._keep_up(now)
            self._carry_over({name for _, name, *_ in news}, now)
            self._begins = now + NEW_MILLISECONDS
        if made is not None:
            self._wait_as_new(file, clock, made, now)
        self._looked = now

    def _made(self, file: sqlite3.Connection, now: int) -> tuple[str, int, int | None]:
        """The token of a file, and when it was made; None if that is long ago."""
        for token, clock, made in file.execute("SELECT token, clock, made FROM store"):
            return str(token), int(clock), made
        new = token_hex(8), self._clock_number, now
        file.execute("INSERT INTO store VALUES (?, ?, ?)", new)
        return new

    def _is_older(self, file: sqlite3.Connection) -> bool:
        """Whether a file does not have what was read from it before."""
        row = file.execute(_LAST).fetchone()
        return (row[0] if row else 0) < self._read

    def _wait_as_new(self, file: sqlite3.Connection, clock: int, made: int, now: int) -> None:
        self._compare_clocks([(clock, made)], now)
        begins = self._date(clock, made, now) + NEW_MILLISECONDS
        if begins > now:
            self._begins = max(self._begins, begins)
        else:
            file.execute("UPDATE store SET made = NULL")

    def _number_of_clock(self) -> int:
        before = wall = 0.0
        for _ in range(SAMPLES):
            before, wall = self._clock(), self._time_of_day()
            if self._clock() - before < SAMPLE_SECONDS:
                break
        number = round((wall - before) * 1000)
        # It stays the same as long as it may, as others remember it.
        return self._clock_number if self._is_mine(number) else number

    def _is_mine(self, clock: int) -> bool:
        alike = abs(clock - self._clock_number) <= SAME_CLOCK_MILLISECONDS
        return alike and clock not in self._unlike

    def _compare_clocks(
        self, times: Iterable[tuple[int, int]], now: int, *, since: int | None = None
    ) -> None:
        """Finds out how much later the times of other clocks are on this one, at most."""
        for clock, moment in times:
            # What is new was written after the last look: a clock that says otherwise is another.
            early = since is not None and moment < since - 1
            if self._is_mine(clock) and (early or moment > now + 1):
                self._unlike.add(clock)
            self._later[clock] = min(self._later.get(clock, now - moment), now - moment)

    def _date(self, clock: int, moment: int, now: int) -> int:
        """When something happened at the latest, by this clock."""
        later = 0 if self._is_mine(clock) else self._later.get(clock, now - moment)
        return min(now, moment + later)

    def _catch_up_slowdown(self, file: sqlite3.Connection, now: int) -> None:
        row = file.execute(_SLOWDOWN, (self._log,)).fetchone()
        if row is None:
            if self._slowdown != Slowdown():
                self._slow(self._slowdown)  # the file is another one
        elif row != self._slowdown_read:
            self._slowdown_read = row
            clock, share, until, since, reported = row
            self._compare_clocks([(clock, reported)], now)
            later = self._date(clock, reported, now) - reported
            since = since if since == NEVER else since + later
            self._slowdown = Slowdown(share, until + later, since, reported + later)

    def _slow(self, slowdown: Slowdown) -> None:
        super()._slow(slowdown)
        row = (
            self._clock_number, slowdown.share, slowdown.until, slowdown.since, slowdown.reported
        )  # fmt: skip
        self._slowdown_read = row
        self._connected().execute(
            "INSERT OR REPLACE INTO slowdowns VALUES (?, ?, ?, ?, ?, ?)", (self._log, *row)
        )

    def _carry_over(self, known: set[str], now: int) -> None:
        """Writes what this process knows into a file that knows only some of it."""
        for grant in self._bucket.items:
            if grant.name not in known:
                ahead = max(0, grant.timestamp - now)
                self._record(COPIED, grant.name, grant.timestamp - ahead, ahead)
                if grant in self._sending:
                    self._record(STARTED, grant.name, now)

    def _set_back(self, now: int) -> None:
        """After the clock was set back, requests do not wait until it has caught up."""
        for grant in self._bucket.items:
            grant.timestamp = min(grant.timestamp, now)
        self._slowdown = self._slowdown.restamped(now)
        self._begins = min(self._begins, now + NEW_MILLISECONDS)

    def _new_name(self) -> str:
        return token_hex(8)

    def _record(self, event: str, name: str, now: int, ahead: int = 0) -> None:
        row = self._log, name, event, self._clock_number, now, ahead
        self._read = self._connected().execute(_ADD, row).lastrowid or self._read

    def _forget(self, now: int) -> None:
        grants = list(self._bucket.items)
        gone = grants[: self._bucket.leak(now)]
        self._connected().executemany(
            "DELETE FROM events WHERE log = ? AND name = ?", [(self._log, g.name) for g in gone]
        )

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
            self._connection = None


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Calls a method for as long as its object lives."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        living = reference()
        if living is not None:
            living()

    return call


def _place(path: str) -> tuple[int, int] | None:
    """Which file is at a path, if there is one."""
    if path == IN_MEMORY:
        return 0, 0
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _way_out(error: sqlite3.Error) -> str:
    code = _code(error)
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "delete the file, if nothing else is in it: a new one is made"
    if code == sqlite3.SQLITE_FULL:
        return "make room on the disk, or give limiter_store a file elsewhere"
    if code == sqlite3.SQLITE_BUSY:
        return "end the program that keeps it locked, or give limiter_store another file"
    return "give limiter_store a file on a disk of this machine that this program may write"
