"""The file in which the processes of one machine count their grants."""

from __future__ import annotations

import sqlite3
import time

BUSY_SECONDS = 5.0
BUSY_AGAIN_SECONDS = 0.01

_SCHEMA = (
    "PRAGMA synchronous=NORMAL",
    'CREATE TABLE IF NOT EXISTS "{log}" (name VARCHAR, item_timestamp INTEGER)',
    'CREATE INDEX IF NOT EXISTS "{log} by time" ON "{log}" (item_timestamp)',
    "CREATE TABLE IF NOT EXISTS slowdowns (log VARCHAR PRIMARY KEY, "
    "share REAL, until INTEGER, since INTEGER, told INTEGER)",
)


def connected(path: str, log: str) -> sqlite3.Connection:
    """A connection to a file that has what a log of grants needs."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, log)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, log: str) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            # The one statement that does not wait for other processes by itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_AGAIN_SECONDS)
    for statement in _SCHEMA:
        connection.execute(statement.format(log=log))
