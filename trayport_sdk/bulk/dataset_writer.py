"""Writes a data set: what comes of each response, recorded as a whole or not at all."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from io import BytesIO
from time import time_ns

import polars as pl
from attrs import evolve, field, frozen
from trayport_spec import SPEC_HASH

from ..errors import TrayportDatasetError, invalid
from ..query.contracts import ContractSpec
from ..query.plan import QueryPlan
from ..query.times import Window
from ..tables.files import encode
from ..tables.formats import FileFormat
from ..tables.time_units import with_time_unit
from .corrections import CHANGE, difference, identity, known_change
from .manifest import LEAVING, Manifest, NoDatasetError, locked
from .partitions import (
    DATA,
    VERSIONS,
    Grid,
    file_name,
    keys_above,
    moment,
    months_of,
    rows_by_contract,
    rows_by_month,
    time_column,
)
from .question import (
    NANOSECONDS,
    Unit,
    no_rows_of,
    query_of,
    question_of,
    subject_of,
    unit_of,
    words_of,
)
from .records import Batch, Done, File, Move, Version
from .sidecars import CONTRACTS, EMPTY, VIEW, names_of, view_of
from .storage import Storage, make_directory, sha256, sync_directory, written_aside

MICROSECOND = 1000
STAGING = "staging"
NOTES_LOSS = "verify (trayport verify) notes that it is lost"
REPAIR = "fetch them again with verify (trayport verify)"


@frozen
class _Draft:
    """What a response changes, while it is made."""

    window: Window
    at: int
    windows: list[Done] = field(factory=list[Done])
    again: list[tuple[str, Window]] = field(factory=list[tuple[str, Window]])
    moves: list[Move] = field(factory=list[Move])
    changes: list[pl.DataFrame] = field(factory=list[pl.DataFrame])

    def finished(self, size: int) -> Batch:
        """Everything that is to be recorded together."""
        changes = (
            _parquet(pl.concat(self.changes, how="diagonal_relaxed")) if self.changes else None
        )
        return Batch(self.windows, self.again, self.moves, size, self.at, SPEC_HASH, changes)


class DatasetWriter:
    """A data set that this program writes to, and no other. Made by `writing`.

    Attributes:
        manifest: What is in it.
        changed: How many rows that were known were added, altered and deleted so far.
        files_written: How many files were written so far.
        bytes_written: Their size.
    """

    def __init__(self, storage: Storage, manifest: Manifest, now: Callable[[], int]) -> None:
        self.storage = storage
        self.manifest = manifest
        self._now = now
        self._staging = storage.state / STAGING
        self.changed: dict[str, int] = {}
        self._latest = manifest.latest()
        self.files_written = self.bytes_written = 0

    # --- What it holds

    def bind(self, query: QueryPlan, unit: Unit = NANOSECONDS) -> Grid:
        """Notes what the rows of a new data set are, and gives its grid.

        Raises:
            TrayportDatasetError: The data set is of another operation, interval or options, or has
                another unit of time.
        """
        grid = self.grid_for(query, unit)
        if self.manifest.is_empty():
            question = question_of(query, unit)
            self.manifest.note(question=question, grid=grid.start, spec_hash=SPEC_HASH)
        return grid

    def grid_for(self, query: QueryPlan, unit: Unit = NANOSECONDS) -> Grid:
        """The grid of a query about the same rows as the data set, if it has any.

        Raises:
            TrayportDatasetError: The data set is of others.
        """
        if self.manifest.is_empty():  # what was asked for before has brought nothing
            return Grid.of(query)
        known, question = self.manifest.fact("question"), question_of(query, unit)
        if known != question:
            words = f"{words_of(known)}, and {words_of(question)} was asked for"
            raise TrayportDatasetError(
                f"{self.storage.url!r} holds {words}",
                suggestion="write it to a directory of its own",
            )
        return self.grid()

    def query(self) -> QueryPlan:
        """The query of the data set, without contracts and without a range."""
        return query_of(self.manifest, self.storage)

    def grid(self) -> Grid:
        """Where its windows may begin and end."""
        return Grid.of(self.query(), self.manifest.fact("grid"))

    def missing(self, contract: ContractSpec | None, window: Window) -> list[Window]:
        """The parts of a range that were not fetched yet."""
        parts, start = list[Window](), window.start
        for done in self.manifest.done(subject_of(contract)):
            if done.window.end <= start or done.window.start >= window.end:
                continue
            if done.window.start > start:
                parts.append(Window(start, done.window.start))
            start = done.window.end
        return parts if start >= window.end else [*parts, Window(start, window.end)]

    def check(self) -> None:
        """Checks that every file is there and as it was written, as far as its size and age tell.

        Raises:
            TrayportDatasetError: One is missing or damaged, or there are others.
        """
        stamps = self.storage.stamps(DATA)
        self._check_unknown(stamps)
        bad = [file.name for file in self.manifest.lost_files()]
        bad += [
            file.name
            for file in self.manifest.files()
            if file.rows and stamps.get(file.name) != file.stamp and not self._is_whole(file)
        ]
        if bad:
            raise damaged(self.storage, bad)

    def _check_unknown(self, stamps: Iterable[str]) -> None:
        known = {file.name for file in self.manifest.files()}
        unknown = [name for name in stamps if name not in known and _is_read(name)]
        if unknown:
            raise TrayportDatasetError(
                f"{unknown[0]!r}{_more(unknown)} in {self.storage.url!r} is not of this data set",
                files=unknown,
                suggestion="move it elsewhere: readers of the directory take it for rows",
            )

    def damaged_files(self) -> list[File]:
        """The files that are missing, or not what was written. Every file is read.

        Raises:
            TrayportDatasetError: There are others.
        """
        self._check_unknown(self.storage.stamps(DATA))
        return [
            file
            for file in self.manifest.files()
            if file.rows and not has(self.storage, file.name, file.checksum)
        ]

    def damaged_versions(self) -> list[Version]:
        """The old versions of files that are missing, or not what was written."""
        return [
            version
            for version in self.manifest.versions()
            if version.kept and not has(self.storage, version.kept, version.checksum)
        ]

    def _is_whole(self, file: File) -> bool:
        """Whether a file, whose stamp is another, has the right content nevertheless."""
        stamp = self.storage.stamps(file.name).get(file.name)
        if stamp is None or not has(self.storage, file.name, file.checksum):
            return False
        self.manifest.stamp(file, stamp)
        return True

    @cached_property
    def _unit(self) -> Unit:
        return unit_of(self.manifest)

    # --- What comes

    def add(self, query: QueryPlan, frame: pl.DataFrame, size: int) -> None:
        """Records the rows of one response. Rows that were known are replaced as a whole.

        Args:
            query: The request.
            frame: Its rows.
            size: How many bytes the response had, decompressed.

        Raises:
            TrayportDatasetError: A file that these rows belong to is damaged.
            OSError: A file cannot be written. Nothing of the response is recorded then.
        """
        batch = _Draft(query.window or Window(0, 0), self._moment())
        try:
            for contract, rows in rows_by_contract(query, frame):
                self._replace(batch, query, contract, rows)
            whole = batch.finished(size)
            if batch.moves:
                sync_directory(self._staging)
        except BaseException:
            for move in batch.moves:
                if move.staged is not None:
                    (self._staging / move.staged).unlink(missing_ok=True)
            raise
        # The files stay when this fails: it may be on the disk nevertheless, as `recover` finds.
        self._perform(self.manifest.begin(whole), whole)
        for change in batch.changes:
            for kind, count in change.get_column(CHANGE).value_counts().iter_rows():
                self.changed[kind] = self.changed.get(kind, 0) + count

    def _moment(self) -> int:
        """The time of day; where the clock was put back, just after what was recorded already."""
        now = self._now()
        self._latest = now if now >= self._latest else self._latest + MICROSECOND
        return self._latest

    def _replace(
        self, batch: _Draft, query: QueryPlan, contract: ContractSpec | None, rows: pl.DataFrame
    ) -> None:
        """Makes the files anew in which the rows of a contract lie, where they are not the same."""
        subject, window, time = subject_of(contract), batch.window, time_column(query)
        is_known = not self.missing(contract, window)
        if is_known:
            batch.again.append((subject, window))
        else:
            for part, at in self._known_parts(subject, batch):
                count = rows.select(_is_inside(time, part).sum()).item()
                batch.windows.append(Done(subject, part, count, at))
        rows = with_time_unit(rows, self._unit[0], on_loss=self._unit[1])
        new = rows_by_month(rows, time)
        files = {file.month: file for file in self.manifest.files(subject, months_of(window))}
        is_inside = _is_inside(time, window)
        for month in sorted({*new, *files}):
            file = files.get(month) or File(
                file_name(query.endpoint, contract, month), subject, month, since=batch.at
            )
            comes = content = new.get(month, rows.clear())
            inside, outside = comes.clear(), comes.clear()
            if file.rows:
                old = read(self.storage, file.name, file.checksum)
                inside, outside = old.filter(is_inside), old.filter(~is_inside)
                content = pl.concat([outside, comes], how="diagonal")
            if inside.equals(comes):
                continue
            kept, revision = None, file.revision or 1
            if is_known:
                change = difference(inside, comes, identity(comes.columns, time))
                if not change.height:
                    continue
                batch.changes.append(known_change(change, contract, batch.at))
                kept = _version(file, batch.at) if file.rows else None
                file, revision = evolve(file, since=batch.at), file.revision + 1
            if not content.get_column(time).is_sorted():
                content = content.sort(time, maintain_order=True)
            batch.moves.append(self._staged(evolve(file, revision=revision), content, kept))

    def _known_parts(self, subject: str, batch: _Draft) -> Iterator[tuple[Window, int]]:
        """The parts of a window, and when each became known: what was lost is no news."""
        start, end = batch.window.start, batch.window.end
        for lost, at in self.manifest.lost_windows(subject, batch.window):
            if start < lost.start:
                yield Window(start, lost.start), batch.at
            yield Window(max(start, lost.start), min(end, lost.end)), at
            start = lost.end
        if start < end:
            yield Window(start, end), batch.at

    def _staged(self, file: File, content: pl.DataFrame, kept: Version | None) -> Move:
        """A file made aside, with what is known of it."""
        if not content.height:
            gone = evolve(file, rows=0, size=0, checksum="", stamp=None)
            return Move(gone, None, kept)
        path = self._staging / secrets.token_hex(8)
        with written_aside(path) as opened:
            encode([content], opened, FileFormat(".parquet"))
        done = evolve(file, rows=content.height, size=path.stat().st_size, checksum=sha256(path))
        return Move(done, path.name, kept)

    def _perform(self, number: int, batch: Batch) -> None:
        """Moves the files of a batch to their places; what was moved already is left there."""
        moves = [self._moved(move) for move in batch.moves]
        self.manifest.finish(number, evolve(batch, moves=moves))

    def _moved(self, move: Move) -> Move:
        name = move.file.name
        staged = None if move.staged is None else self._staging / move.staged
        if staged is None or staged.exists():
            if move.kept is not None:
                self.storage.keep(name, move.kept.kept)
            if staged is None:
                self.storage.remove(name)
            else:
                self.storage.place(staged, name)
        self.files_written += 1
        self.bytes_written += move.file.size
        return evolve(move, file=evolve(move.file, stamp=self.storage.stamps(name).get(name)))

    # --- What lies beside it

    def recover(self) -> None:
        """Finishes what a killed program had begun to move, and removes what it was to remove."""
        for number, batch in self.manifest.begun():
            self._perform(number, batch)
        make_directory(self._staging)
        for path in self._staging.iterdir():
            path.unlink()
        self._clear()

    def lose(self, files: Sequence[tuple[File, Sequence[Window]]]) -> None:
        """Removes files that are damaged, and notes which windows are to be fetched again."""
        # Noted first: what is noted is removed at the next start, if not now.
        self.manifest.lose(files)
        self._clear()

    def _clear(self) -> None:
        """Removes what the manifest has noted that it is not part of the data set any more."""
        leaving: list[str] = self.manifest.fact(LEAVING) or []
        for name in leaving:
            self.storage.remove(name)
        if leaving:
            self.manifest.note(**{LEAVING: []})

    def settle(self) -> list[str]:
        """Ends the repair of lost files; the names of those that came out otherwise."""
        return self.manifest.settle(self._moment())

    def lose_versions(self, versions: Sequence[Version]) -> None:
        """Removes old versions that are damaged, and notes that nobody has them any more."""
        self.manifest.lose_versions(versions)
        self._clear()

    def prune(self, wanted: Callable[[Version], bool]) -> int:
        """Removes the versions that are wanted no longer; how many they were."""
        versions = [v for v in self.manifest.versions() if v.kept and not wanted(v)]
        if versions:
            # Forgotten first: a version that is known must be there.
            self.manifest.forget(versions)
            self._clear()
        return len(versions)

    def keep_newest(self, count: int) -> int:
        """Removes all but the newest versions of each file; how many they were."""
        newest: dict[str, list[int]] = {}
        for version in self.manifest.versions():
            if version.kept:
                newest.setdefault(version.name, []).append(version.revision)
        return self.prune(lambda v: v.revision in sorted(newest[v.name], reverse=True)[:count])

    def publish(self) -> None:
        """Writes the names of the contracts and the view for DuckDB, and publishes the manifest.

        Nothing is done where nothing was recorded since the last time, here, and they are there.
        """
        beside = CONTRACTS, VIEW
        is_there = all(self.storage.stamps(name) for name in beside)
        if is_there and self.manifest.fact("published") == self.storage.url:
            return
        contracts = self.manifest.contracts()
        self._place(CONTRACTS, _parquet(names_of(contracts)))
        has_rows = any(file.rows for file in self.manifest.files())
        if has_rows:
            self.storage.remove(EMPTY)
        else:
            self._place(EMPTY, _parquet(no_rows_of(self.query(), contracts, self._unit)))
        view = view_of(
            self.query().endpoint,
            has_names=bool(contracts),
            has_rows=has_rows,
            are_alike=self.manifest.spec_count() < 2,
            storage=self.storage,
        )
        self._place(VIEW, view.encode())
        self.storage.publish()
        self.manifest.note(published=self.storage.url)

    def _place(self, name: str, content: bytes) -> None:
        path = self._staging / secrets.token_hex(8)
        with written_aside(path) as file:
            file.write(content)
        self.storage.place(path, name)


@contextmanager
def writing(storage: Storage, now: Callable[[], int]) -> Generator[DatasetWriter]:
    """A data set to write to, made if it is not there.

    Raises:
        TrayportDatasetError: Another program writes to it, it cannot be read, or there are files
            without a manifest.
        TrayportValidationError: There is a file in the place of a directory.
    """
    if _is_new(storage):
        check_free(storage)
    make_directory(storage.state)
    with locked(storage.state, storage.url), Manifest(storage.state, is_new=True) as manifest:
        yield DatasetWriter(storage, manifest, now)


def is_begun(storage: Storage) -> bool:
    """Whether anything was asked for in a data set.

    Raises:
        TrayportDatasetError: Nothing was, and yet there are files that a data set would replace.
        TrayportValidationError: There is a file in the place of a directory.
    """
    with suppress(NoDatasetError), Manifest(storage.state, reads=True) as manifest:
        if manifest.fact("question") is not None:
            return True
    check_free(storage)
    return False


def _is_new(storage: Storage) -> bool:
    """Whether nothing was asked for yet; not where the manifest cannot be read as it is."""
    try:
        with Manifest(storage.state, reads=True) as manifest:
            return manifest.fact("question") is None
    except NoDatasetError:
        return True
    except TrayportDatasetError:  # older, newer or damaged, as who opens it to write is told
        return False


def check_free(storage: Storage) -> None:
    """Checks that nothing lies where a new data set is to be made."""
    if file := next((parent for parent in storage.state.parents if parent.is_file()), None):
        reason = "is a file" if str(file) == storage.url else f"lies below {str(file)!r}, a file"
        way_out = "give a directory of its own, which is made if it is not there"
        raise invalid("path", storage.url, reason, way_out)
    keys_above(storage.url)
    found = [name for place in (DATA, VERSIONS, CONTRACTS, VIEW) for name in storage.stamps(place)]
    if found:
        raise TrayportDatasetError(
            f"{storage.url!r} has {found[0]!r}{_more(found)}, and no manifest that knows them",
            files=found,
            suggestion="copy a data set whole, with its directory .trayport, and let what fills "
            "one elsewhere come to its end; for a new one give a directory of its own",
        )


def has(storage: Storage, name: str, checksum: str) -> bool:
    """Whether a file is there, and is what was written. It is read."""
    try:
        return storage.checksum(name) == checksum
    except FileNotFoundError:
        return False


def now_in_nanoseconds() -> int:
    """The time of day."""
    return time_ns() // MICROSECOND * MICROSECOND


def read(storage: Storage, name: str, checksum: str) -> pl.DataFrame:
    """The rows of a file.

    Raises:
        TrayportDatasetError: It is missing, or not what was written.
    """
    try:
        with storage.open(name) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != checksum:
            raise damaged(storage, [name])
        return pl.read_parquet(content)
    except FileNotFoundError:
        raise damaged(storage, [name]) from None


def damaged(storage: Storage, names: Sequence[str], way_out: str = REPAIR) -> TrayportDatasetError:
    """The error for files that are not as they were written."""
    return TrayportDatasetError(
        f"{names[0]!r}{_more(names)} in {storage.url!r} is missing, or is not what was written",
        files=names,
        suggestion=way_out,
    )


def _is_inside(time: str, window: Window) -> pl.Expr:
    return pl.col(time).is_between(moment(window.start), moment(window.end), closed="left")


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1:,} more" if len(names) > 1 else ""


def _is_read(name: str) -> bool:
    """Whether readers of a directory take a file for rows."""
    return name.endswith(".parquet") and not name.rpartition("/")[2].startswith((".", "_"))


def _version(file: File, until: int) -> Version:
    kept = file.name.replace(f"{DATA}/", f"{VERSIONS}/", 1).removesuffix(".parquet")
    return Version(
        file.name,
        file.revision,
        file.since,
        until,
        f"{kept}-{file.revision}.parquet",
        file.rows,
        file.size,
        file.checksum,
    )


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
