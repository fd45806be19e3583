"""The manifest of a data set: what was fetched, which files hold it, and what changed since.

It is a SQLite database. What comes of a response is first made in files aside; then one transaction
says where they go, they are moved, and another says that they are there. A program that is killed
in between leaves either nothing or moves to be repeated, and the next one repeats them.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from attrs import asdict, evolve
from filelock import FileLock, Timeout

from ..errors import TrayportDatasetError
from ..query.contracts import ContractSpec
from ..query.times import Window
from ..tables.output import naming
from .records import Batch, Done, File, Version

NAME = "manifest.sqlite"
LEAVING = "leaving"
"""The fact with the names of files that are to be removed."""
LOCK, OWNER = "lock", "owner.json"
VERSION = 1
"""The version of the schema below; a manifest of an older one is upgraded when it is opened."""

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE contracts (
    symbol TEXT PRIMARY KEY, name TEXT, period TEXT
) WITHOUT ROWID;
CREATE TABLE windows (
    subject TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'done', 'failed', 'lost')),
    rows INTEGER, bytes INTEGER, at INTEGER NOT NULL, spec_hash TEXT, error TEXT,
    PRIMARY KEY (subject, start, state)
) WITHOUT ROWID;
CREATE TABLE files (
    name TEXT PRIMARY KEY, subject TEXT NOT NULL, month TEXT NOT NULL,
    since INTEGER NOT NULL, revision INTEGER NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum TEXT NOT NULL, stamp TEXT
) WITHOUT ROWID;
CREATE INDEX files_by_subject ON files (subject, month);
CREATE TABLE versions (
    name TEXT NOT NULL, revision INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    kept TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (name, revision)
) WITHOUT ROWID;
CREATE TABLE changes (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, rows BLOB NOT NULL);
CREATE TABLE moves (id INTEGER PRIMARY KEY, document TEXT NOT NULL, changes BLOB);
"""
_DAMAGED = (
    "restore it from a backup, or fill a new directory: nothing else tells what was fetched; the "
    "rows below data are whole Parquet files, which polars.scan_parquet reads"
)
_WAYS_OUT = {
    sqlite3.SQLITE_ERROR: _DAMAGED,  # a table is not there
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_FULL: "make room on the disk; nothing that was recorded is lost",
    sqlite3.SQLITE_READONLY: "make the directory one that may be written to",
    sqlite3.SQLITE_CANTOPEN: "make the directory one that may be written to: a program was killed "
    "there, and its log is to be read",
    sqlite3.SQLITE_BUSY: "see who else uses the file; nothing that was recorded is lost",
}
# What lies beside the data, a published copy of the manifest too, is now out of date.
_OUTDATED = "INSERT OR REPLACE INTO facts VALUES ('published', 'false')"
_OTHERWISE = "make room on the disk, or see whether it is well; nothing that was recorded is lost"
_UPGRADES: tuple[str, ...] = ()
"""What makes a manifest of version n one of version n + 1, from version 1 on."""


class NoDatasetError(TrayportDatasetError):
    """There is no data set, or nothing of it yet."""

    def __init__(self, state: Path) -> None:
        super().__init__(
            f"{str(state.parent)!r} holds no data set",
            suggestion="give the directory that a backfill was written to",
        )


class Manifest:
    """The database. Used by one thread at a time.

    Args:
        state: The directory that it is in.
        is_new: Whether it is made if it is not there.
        reads: Whether it is only read.

    Raises:
        TrayportDatasetError: There is none, or it cannot be read.
    """

    def __init__(self, state: Path, *, is_new: bool = False, reads: bool = False) -> None:
        self.path = state / NAME
        if not is_new and not self.path.is_file():
            raise NoDatasetError(state)
        with _explained(self.path):
            self._database = self._reader() if reads else self._writer()

    def _reader(self) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            database, version = _opened(address)
        except sqlite3.OperationalError:
            # Beside a database that may not be written to there is no room for its log.
            log = self.path.with_name(f"{NAME}-wal")
            if log.is_file() and log.stat().st_size:
                raise
            database, version = _opened(f"{address}&immutable=1")
        if version != VERSION:
            database.close()
            # Version 0 is what a program leaves that was killed before it had made the tables.
            raise (
                _other_version(self.path, version) if version else NoDatasetError(self.path.parent)
            )
        return database

    def _writer(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=30
        )
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            _upgrade(database, self.path)
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with _explained(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk may have ended it already
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with _explained(self.path), closing(self._database.execute(statement, values)) as rows:
            return rows.fetchall()

    # --- Facts and names

    def fact(self, name: str) -> Any:
        """What was noted under a name; None where nothing was."""
        rows = self._rows("SELECT value FROM facts WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else None

    def note(self, **facts: Any) -> None:
        """Notes facts."""
        with self._transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in facts.items()],
            )

    def contracts(self) -> list[ContractSpec]:
        """The contracts of the data set, with their names as far as they are known."""
        return [
            evolve(ContractSpec.parse(symbol), name=name, period=period)
            for symbol, name, period in self._rows("SELECT * FROM contracts ORDER BY symbol")
        ]

    def add_contracts(self, contracts: Iterable[ContractSpec]) -> None:
        """Adds contracts; a name that is known stays where none is given."""
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO contracts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
                "name = coalesce(excluded.name, name), period = coalesce(excluded.period, period)",
                [(str(c), c.name, c.period) for c in contracts],
            )

    # --- Windows

    def is_empty(self) -> bool:
        """Whether no window was fetched yet."""
        return not self._rows("SELECT 1 FROM windows WHERE state IN ('done', 'lost') LIMIT 1")

    def subjects(self) -> list[str]:
        """The subjects of all windows that were fetched."""
        found = self._rows("SELECT DISTINCT subject FROM windows WHERE state = 'done'")
        return [subject for (subject,) in found]

    def done(self, subject: str) -> list[Done]:
        """The windows of a subject that were fetched, in order."""
        return [
            Done(subject, Window(start, end), rows, at)
            for start, end, rows, at in self._rows(
                'SELECT start, "end", rows, at FROM windows '
                "WHERE subject = ? AND state = 'done' ORDER BY start",
                subject,
            )
        ]

    def unfinished(self) -> list[tuple[str, Window, str, str | None]]:
        """Windows that are not there: subject, range, state, and the error of those that failed."""
        return [
            (subject, Window(start, end), state, error)
            for subject, start, end, state, error in self._rows(
                'SELECT subject, start, "end", state, error FROM windows '
                "WHERE state <> 'done' ORDER BY subject, start"
            )
        ]

    def plan(self, windows: Iterable[tuple[str, Window]], at: int) -> None:
        """Notes what a run is going to fetch; what the last one did not is forgotten."""
        with self._transaction() as database:
            database.execute("DELETE FROM windows WHERE state IN ('planned', 'failed')")
            database.executemany(
                'INSERT OR REPLACE INTO windows (subject, start, "end", state, at) '
                "VALUES (?, ?, ?, 'planned', ?)",
                [(subject, window.start, window.end, at) for subject, window in windows],
            )

    def fail(self, windows: Iterable[tuple[str, Window]], error: str, at: int) -> None:
        """Notes that windows could not be fetched."""
        with self._transaction() as database:
            for subject, window in windows:
                _cut_out(database, subject, window, "planned", "failed")
                database.execute(
                    'INSERT OR REPLACE INTO windows (subject, start, "end", state, at, error) '
                    "VALUES (?, ?, ?, 'failed', ?, ?)",
                    (subject, window.start, window.end, at, error),
                )

    def lose(self, files: Sequence[tuple[File, Sequence[Window]]]) -> None:
        """Notes that files, with the rows of some windows, are missing or damaged."""
        with self._transaction() as database:
            for file, windows in files:
                for window in windows:
                    at = _known_since(database, file.subject, window)
                    _cut_out(database, file.subject, window, "done")
                    database.execute(
                        'INSERT OR REPLACE INTO windows (subject, start, "end", state, at) '
                        "VALUES (?, ?, ?, 'lost', ?)",
                        (file.subject, window.start, window.end, at),
                    )
                database.execute(
                    "INSERT OR REPLACE INTO versions SELECT name, revision, since, 0, '', rows, "
                    "bytes, checksum FROM files WHERE name = ?",
                    (file.name,),
                )
                database.execute(
                    "UPDATE files SET rows = 0, bytes = 0, checksum = '', stamp = NULL "
                    "WHERE name = ?",
                    (file.name,),
                )
            _leave(database, [file.name for file, _ in files])

    def settle(self, at: int) -> list[str]:
        """Notes that lost files were fetched again, and gives those that came out otherwise.

        What those were until now is lost: nothing tells what was corrected meanwhile.
        """
        with self._transaction() as database:
            fetched = database.execute(
                "SELECT name, versions.revision, files.checksum <> versions.checksum "
                "FROM versions JOIN files USING (name) WHERE until = 0 AND NOT EXISTS "
                "(SELECT 1 FROM windows WHERE subject = files.subject AND state = 'lost')"
            ).fetchall()
            others = [(name, revision) for name, revision, is_other in fetched if is_other]
            database.executemany(
                "UPDATE versions SET until = ? WHERE name = ? AND revision = ?",
                [(at, *other) for other in others],
            )
            database.executemany(
                "UPDATE files SET since = ?, revision = revision + 1 WHERE name = ?",
                [(at, name) for name, _ in others],
            )
            database.executemany(
                "DELETE FROM versions WHERE name = ? AND revision = ? AND until = 0",
                [own[:2] for own in fetched],
            )
            if fetched:
                database.execute(_OUTDATED)
        return [name for name, _ in others]

    def lost_files(self) -> list[Version]:
        """What files were that are missing or damaged, and have not been fetched again yet."""
        return [version for version in self.versions() if not version.until]

    def lose_versions(self, versions: Sequence[Version]) -> None:
        """Notes that versions are missing or damaged."""
        with self._transaction() as database:
            database.executemany(
                "UPDATE versions SET kept = '' WHERE kept = ?", [(v.kept,) for v in versions]
            )
            _leave(database, [version.kept for version in versions])
            database.execute(_OUTDATED)

    def lost(self) -> list[tuple[str, Window]]:
        """The windows of files that are missing or damaged, by subject."""
        return [
            (subject, window) for subject, window, state, _ in self.unfinished() if state == "lost"
        ]

    def lost_windows(self, subject: str, window: Window) -> list[tuple[Window, int]]:
        """The lost windows of a subject that overlap a range, and when they had become known."""
        return [
            (Window(start, end), at)
            for start, end, at in self._rows(
                "SELECT start, \"end\", at FROM windows WHERE subject = ? AND state = 'lost' "
                'AND start < ? AND "end" > ? ORDER BY start',
                subject,
                window.end,
                window.start,
            )
        ]

    def spec_count(self) -> int:
        """How many versions of the OpenAPI document gave the types of the rows."""
        (found,) = self._rows("SELECT count(DISTINCT spec_hash) FROM windows")
        return int(found[0])

    def latest(self) -> int:
        """When anything became known last, in nanoseconds."""
        (found,) = self._rows(
            "SELECT max((SELECT coalesce(max(at), 0) FROM windows), "
            "(SELECT coalesce(max(since), 0) FROM files), "
            "(SELECT coalesce(max(until), 0) FROM versions))"
        )
        return int(found[0])

    # --- Files

    def files(self, subject: str | None = None, months: Collection[str] = ()) -> list[File]:
        """The files, or those of a subject and some months, also those that have no rows now."""
        statement, values = "SELECT * FROM files", list[object]()
        if subject is not None:
            marks = ", ".join("?" * len(months))
            statement += f" WHERE subject = ? AND month IN ({marks})"
            values = [subject, *months]
        return [File(*row) for row in self._rows(f"{statement} ORDER BY name", *values)]

    def versions(self) -> list[Version]:
        """The versions that are kept, oldest first."""
        return [Version(*row) for row in self._rows("SELECT * FROM versions ORDER BY since, name")]

    def begin(self, batch: Batch) -> int:
        """Notes what is about to be moved; the number of it."""
        with self._transaction() as database:
            row = database.execute(
                "INSERT INTO moves (document, changes) VALUES (?, ?)",
                (batch.to_json(), batch.changes),
            )
            return row.lastrowid or 0

    def begun(self) -> list[tuple[int, Batch]]:
        """What was about to be moved when the last program ended."""
        return [
            (number, Batch.from_json(document, changes))
            for number, document, changes in self._rows("SELECT * FROM moves ORDER BY id")
        ]

    def finish(self, number: int, batch: Batch) -> None:
        """Notes that everything of a batch is in its place."""
        with self._transaction() as database:
            for done in batch.windows:
                _cut_out(database, done.subject, done.window, "planned", "failed", "lost")
                database.execute(
                    "INSERT INTO windows VALUES (?, ?, ?, 'done', ?, ?, ?, ?, NULL)",
                    (
                        done.subject,
                        done.window.start,
                        done.window.end,
                        done.rows,
                        batch.size,
                        done.at,
                        batch.spec_hash,
                    ),
                )
            for subject, window in batch.again:
                _cut_out(database, subject, window, "planned", "failed")
            for move in batch.moves:
                database.execute(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    tuple(asdict(move.file).values()),
                )
                if move.kept is not None:
                    database.execute(
                        "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        tuple(asdict(move.kept).values()),
                    )
            if batch.changes is not None:
                database.execute(
                    "INSERT INTO changes (at, rows) VALUES (?, ?)", (batch.at, batch.changes)
                )
            database.execute("DELETE FROM moves WHERE id = ?", (number,))
            database.execute(_OUTDATED)

    def stamp(self, file: File, stamp: str) -> None:
        """Notes that a file is as it should be, although its stamp is another."""
        with self._transaction() as database:
            database.execute("UPDATE files SET stamp = ? WHERE name = ?", (stamp, file.name))

    # --- What changed

    def changes(self, since: int) -> list[tuple[int, bytes]]:
        """When rows that were known have changed, and those rows as Parquet."""
        return self._rows("SELECT at, rows FROM changes WHERE at >= ? ORDER BY id", since)

    def forget(self, versions: Sequence[Version]) -> None:
        """Forgets versions that are kept no longer."""
        with self._transaction() as database:
            for version in versions:
                database.execute(
                    "DELETE FROM versions WHERE name = ? AND revision = ?",
                    (version.name, version.revision),
                )
            database.execute(
                "INSERT INTO facts VALUES ('forgotten_until', ?) ON CONFLICT DO UPDATE SET "
                "value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
                (str(max(version.until for version in versions)),),
            )
            _leave(database, [version.kept for version in versions])
            database.execute(_OUTDATED)


def _leave(database: sqlite3.Connection, names: Sequence[str]) -> None:
    """Notes that files are to be removed, as the next program does if this one cannot."""
    known = database.execute("SELECT value FROM facts WHERE name = ?", (LEAVING,)).fetchone()
    before: list[str] = json.loads(known[0]) if known else []
    database.execute(
        "INSERT OR REPLACE INTO facts VALUES (?, ?)", (LEAVING, json.dumps([*before, *names]))
    )


def _cut_out(database: sqlite3.Connection, subject: str, window: Window, *states: str) -> None:
    """Forgets what is noted of a range, and keeps what is left beside it."""
    marks = ", ".join("?" * len(states))
    found = database.execute(
        f"SELECT * FROM windows WHERE subject = ? AND state IN ({marks}) "  # noqa: S608
        'AND start < ? AND "end" > ?',
        (subject, *states, window.end, window.start),
    ).fetchall()
    for _, start, end, state, *others in found:
        database.execute(
            "DELETE FROM windows WHERE subject = ? AND start = ? AND state = ?",
            (subject, start, state),
        )
        database.executemany(
            "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (subject, first, last, state, *others)
                for first, last in ((start, window.start), (window.end, end))
                if first < last
            ],
        )


def _known_since(database: sqlite3.Connection, subject: str, window: Window) -> int:
    """When the last rows of a range became known that was fetched."""
    (at,) = database.execute(
        "SELECT max(at) FROM windows WHERE subject = ? AND state = 'done' "
        'AND start < ? AND "end" > ?',
        (subject, window.end, window.start),
    ).fetchone()
    return int(at)


# --- Opening


def _opened(address: str) -> tuple[sqlite3.Connection, int]:
    """A database to read, and the version of its schema."""
    database = sqlite3.connect(address, uri=True, check_same_thread=False)
    try:
        return database, _version(database)
    except BaseException:
        database.close()
        raise


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def _upgrade(database: sqlite3.Connection, path: Path) -> None:
    """Makes the tables, or brings those of an older version up to date."""
    version = _version(database)
    if version > VERSION:
        raise _other_version(path, version)
    scripts = [_SCHEMA, *_UPGRADES] if version == 0 else _UPGRADES[version - 1 :]
    for number, script in enumerate(scripts, start=version + 1):
        database.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")


def _other_version(path: Path, version: int) -> TrayportDatasetError:
    way_out = "upgrade trayport-sdk"
    if version < VERSION:
        way_out = "a backfill, verify or refresh of it brings it up to date"
    return TrayportDatasetError(
        f"{str(path)!r} has version {version} of the manifest, and this one reads {VERSION}",
        suggestion=way_out,
    )


@contextmanager
def _explained(path: Path) -> Generator[None]:
    """Errors of SQLite in the words of the package."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if "UTF-8" in str(error):  # which has no number
            code = sqlite3.SQLITE_CORRUPT
        raise unusable(path, error, _WAYS_OUT.get(code, _OTHERWISE)) from error


def unusable(path: Path, error: object, way_out: str = _DAMAGED) -> TrayportDatasetError:
    """The error for a manifest that cannot be used, by default because it is damaged."""
    return TrayportDatasetError(
        f"the manifest {str(path)!r} cannot be used: {error}", suggestion=way_out
    )


@contextmanager
def locked(state: Path, url: str) -> Generator[None]:
    """Keeps other programs from writing to a data set; the system frees it when this one ends.

    Raises:
        TrayportDatasetError: Another one does.
    """
    lock = FileLock(state / LOCK, timeout=0, thread_local=False)
    try:
        with naming(state / LOCK):
            lock.acquire()
    except Timeout:
        raise TrayportDatasetError(
            f"{url!r} is being written to by {_owner(state)}",
            suggestion="wait until it ends, or stop it: what it has finished is kept",
        ) from None
    try:
        owner = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        (state / OWNER).write_text(json.dumps(owner))
        yield
    finally:
        with suppress(OSError):
            (state / OWNER).unlink()
        lock.release()


def _owner(state: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        owner: Mapping[str, Any] = json.loads((state / OWNER).read_text())
        return f"process {owner['process']} on {owner['host']} since {owner['since']}"
    return "another program"
