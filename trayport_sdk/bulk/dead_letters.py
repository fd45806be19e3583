"""Keeps queries that failed for good in a file, so that they can be run again later.

One line of JSON for each, appended in one write, so that several programs can share a file. It
holds the query and why it failed; the key is no part of it, and neither is what the service sent.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, cast

from attrs import frozen

from ..errors import TrayportConfigurationError, TrayportError, TrayportValidationError
from ..query.plan import QueryPlan
from ..tables.files import encode
from ..tables.formats import FileFormat
from ..tables.output import naming, obstacle, replaced, user_path
from ..tables.part import PRIVATE, remove_abandoned
from .raw import check_directory, name_of
from .reading import FetchedQuery
from .result import (
    FailedQuery,
    Outcome,
    add_symbol,
    rows_of,
    with_named_contracts,
)

RETRYING = ".retrying"
LONGEST_NAME = 255
"""Bytes, in the file systems that are in use."""
SETTING = "dead_letter_file (variable TRAYPORT_DEAD_LETTER_FILE)"


@frozen
class RetryReport:
    """What became of a file of dead letters that was run again.

    Attributes:
        succeeded: How many queries succeeded.
        failed: How many failed again, as a whole or in part; what is missing is in the file.
        files: The files that were written, in the order of the queries.
    """

    succeeded: int
    failed: int
    files: tuple[Path, ...]


class DeadLetters:
    """The file of the queries that failed for good.

    Args:
        path: The file; made when something fails.
        redact: Takes the key out of a text, where it was mistaken for a value.

    Raises:
        TrayportConfigurationError: The file cannot be written to.
    """

    def __init__(self, path: Path, redact: Callable[[str], str] = str) -> None:
        if reason := obstacle(path):
            raise _unusable(path, reason)
        # The file itself is renamed for a retry, and not a link to it.
        self.path = Path(os.path.realpath(path))
        self._taken = _while_retrying(self.path)
        self._redact = redact

    @classmethod
    def to_retry(cls, path: str | Path, redact: Callable[[str], str]) -> Self:
        """The file whose queries are to be run again.

        Raises:
            TrayportValidationError: There is no such file.
        """
        path = user_path(path)
        with naming(path):
            if path.is_dir():
                raise _no_file(path, "this is a directory, not a file of dead letters")
            if not (path.is_file() or _while_retrying(Path(os.path.realpath(path))).is_file()):
                raise _no_file(path, "there is no such file of dead letters")
        return cls(path, redact)

    def keep(self, failed: FailedQuery) -> None:
        """Appends a query, unless the client is what cannot work."""
        if isinstance(failed.error, TrayportConfigurationError):
            return
        try:
            self._append(self._redact(json.dumps(failed.to_dict())).encode() + b"\n")
        except (TrayportError, OSError) as error:
            # The failure of the request says more than that of its record.
            failed.error.add_note(f"It could not be kept for a later retry: {error}")

    def _append(self, lines: bytes) -> None:
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE)
            try:
                # Half a line that a full disk left must not swallow the next one. That another
                # program may be in the middle of writing costs an empty line, which is skipped.
                size = os.fstat(handle).st_size
                torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
                lines = b"\n" + lines if torn else lines
                written = os.write(handle, lines)
            finally:
                os.close(handle)
        except OSError as error:
            raise _unusable(self.path, f"cannot be written to ({error.strerror})") from error
        if written < len(lines):
            raise _unusable(self.path, "cannot be written to (the disk is full)")

    @contextmanager
    def retrying(self) -> Generator[list[QueryPlan]]:
        """The queries, each of them once, in a `with` that ends when all of them were run again.

        The file is renamed first, so that what fails meanwhile gets a new one. The renamed file
        goes away when the `with` ends; when that raises, it stays, and the next one takes it up.

        Raises:
            TrayportValidationError: A line is not a dead letter; the message names file and line.
        """
        with naming(self.path):
            size = self._take()
            queries = list(dict.fromkeys(_read(self._taken)))
        yield queries
        with naming(self.path):
            # A program that had opened the file before it was renamed may have written to it.
            if late := self._taken.read_bytes()[size:]:
                self._append(late)
            self._taken.unlink()

    def _take(self) -> int:
        """Renames the file, or adds it to what an interrupted retry has left; the size of both."""
        if os.path.lexists(self._taken) and not stat.S_ISREG(self._taken.lstat().st_mode):
            raise _unusable(self._taken, "is no regular file, and is needed while queries are run")
        for path in (self._taken, self.path):
            _read(path)  # before anything is renamed
        if not self._taken.exists():
            self.path.rename(self._taken)
        elif self.path.exists():
            with self._taken.open("ab") as taken:
                taken.write(b"\n" + self.path.read_bytes())
                taken.flush()
                os.fsync(taken.fileno())
            self.path.unlink()
        return self._taken.stat().st_size


async def retry_failed(
    letters: DeadLetters,
    fetch: Callable[[QueryPlan], Awaitable[Sequence[Outcome]]],
    out: str | Path,
    concurrency: int,
) -> RetryReport:
    """Runs everything in a file of dead letters again.

    An interruption loses nothing: the next run repeats what this one had begun.

    Args:
        letters: The file.
        fetch: Runs a query, and keeps what fails again as a dead letter.
        out: The directory for the rows; made when it is missing.
        concurrency: How many queries are run at once.

    Raises:
        TrayportValidationError: A line is not a dead letter, or there can be no such directory.
        TrayportConfigurationError: A file cannot be written to, or the settings cannot work.
    """
    directory = check_directory(out, "out")
    remove_abandoned(directory)
    slots = asyncio.Semaphore(concurrency)

    async def run_again(query: QueryPlan) -> tuple[Path | None, bool]:
        query = with_named_contracts(query)
        async with slots:
            outcomes = await fetch(query)
        fetched = [outcome for outcome in outcomes if isinstance(outcome, FetchedQuery)]
        path = await asyncio.to_thread(_write, query, fetched, directory) if fetched else None
        return path, len(fetched) == len(outcomes)

    with letters.retrying() as queries:
        tasks = [asyncio.create_task(run_again(query)) for query in queries]
        try:
            ended = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    succeeded = sum(is_whole for _, is_whole in ended)
    files = tuple(path for path, _ in ended if path is not None)
    return RetryReport(succeeded, len(ended) - succeeded, files)


def _write(query: QueryPlan, fetched: Sequence[FetchedQuery], out: Path) -> Path:
    """Writes the rows of a query, under a name that is the same whenever it is run."""
    digest = hashlib.sha256(json.dumps(query.to_dict()).encode()).hexdigest()[:12]
    path = out / f"{name_of(query)}-{digest}.parquet"
    frames = (frame for part in fetched for frame in rows_of(query, part))
    if len(query.contracts) == 1:
        frames = (add_symbol(frame, query.contracts[0]) for frame in frames)
    with replaced(path, follow=False) as file:
        encode(frames, file, FileFormat(".parquet"))
    return path


def _while_retrying(path: Path) -> Path:
    """The name of a file of dead letters while its queries are run again."""
    name = os.fsencode(path.name)
    if len(name) + len(RETRYING) > LONGEST_NAME:
        name = hashlib.sha256(name).hexdigest().encode()
    return path.with_name(f"{os.fsdecode(name)}{RETRYING}")


def _read(path: Path) -> list[QueryPlan]:
    """The queries of a file, which may be missing."""
    queries: list[QueryPlan] = []
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            # The query alone is run again, and it can name nothing but a query.
            document = cast("dict[str, Any]", json.loads(line))
            queries.append(QueryPlan.from_dict(document["query"]))
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
            raise TrayportValidationError(
                f"{path}, line {number}: this is no dead letter: {error}",
                parameter="path",
                suggestion="correct the line or remove it",
            ) from error
    return queries


def _no_file(path: Path, reason: str) -> TrayportValidationError:
    return TrayportValidationError(f"path {str(path)!r}: {reason}", parameter="path")


def _unusable(path: Path, reason: str) -> TrayportConfigurationError:
    return TrayportConfigurationError(
        f"{SETTING}: {str(path)!r} {reason}", suggestion="choose another file"
    )
