"""A data set that is written to without a service, by a process that can be killed anywhere."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from attrs import evolve, field, frozen

from trayport_sdk import open_dataset
from trayport_sdk.bulk.dataset_writer import DatasetWriter, is_begun, writing
from trayport_sdk.bulk.manifest import Manifest, NoDatasetError
from trayport_sdk.bulk.storage import storage_of
from trayport_sdk.errors import TrayportDatasetError, TrayportError
from trayport_sdk.query.contracts import ContractSpec
from trayport_sdk.query.plan import QueryPlan
from trayport_sdk.query.planner import shared
from trayport_sdk.query.times import Window

APRIL, MAY = (
    ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
    for item in (244, 245)
)


# --- What is written


def question(start: str, end: str) -> QueryPlan:
    """A request for the trades of both contracts."""
    query = QueryPlan(endpoint="trades", contracts=(APRIL, MAY), window=Window.between(start, end))
    (request,) = shared(query)
    return request


def response(
    start: str, days: int, *, price: float = 30.0, without: int = 0, text: int = 0
) -> pl.DataFrame:
    """Two trades a day for each contract, without those whose number can be divided by one.

    With a text of some length they take as much room.
    """
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    numbers = [n for n in range(4 * days) if not without or n % without]
    contracts = [
        {"sequence_item_id": (APRIL, MAY)[n % 2].sequence_item_id, "name": "same"} for n in numbers
    ]
    times = [first + timedelta(hours=6 * n) for n in numbers]
    rows = {
        "deal_date": times,
        "trade_id": [f"{time:%m%d%H}" for time in times],
        "price": [price + n % 7 for n in numbers],
        "contract": contracts,
        "trader": [random.Random(n).randbytes(text // 2).hex() for n in numbers],
    }
    schema: dict[str, pl.DataType] = {
        "deal_date": pl.Datetime("ns", "UTC"),
        "trade_id": pl.String(),
        "price": pl.Float64(),
        "contract": pl.Struct({"sequence_item_id": pl.Int64(), "name": pl.String()}),
        "trader": pl.String(),
    }
    return pl.DataFrame(rows, schema=schema)


def _begun(writer: DatasetWriter) -> None:
    query = question("2024-03-01", "2024-04-11")
    writer.bind(query)
    writer.manifest.add_contracts([APRIL, MAY])
    writer.manifest.plan([(str(c), query.window) for c in (APRIL, MAY) if query.window], 1)


def _add(start: str, end: str, days: int, **rows: Any) -> Callable[[DatasetWriter], None]:
    # Made when it is needed: a process that is to be forked must not have used polars.
    return lambda writer: writer.add(question(start, end), response(start, days, **rows), 1000)


def _lose(writer: DatasetWriter) -> None:
    """A file was found damaged."""
    march = Window.between("2024-03-01", "2024-04-01")
    (file, *_) = writer.manifest.files(str(APRIL), ["2024-03"])
    if file.rows:
        writer.lose([(file, [march])])


STEPS: tuple[Callable[[DatasetWriter], Any], ...] = (
    _begun,
    _add("2024-03-01", "2024-03-16", 15, text=10_000),
    # A window in two months: one file grows, another one is new.
    _add("2024-03-16", "2024-04-11", 26),
    # Rows that were known are altered, deleted and added.
    _add("2024-03-10", "2024-03-20", 10, price=31, without=5),
    # All rows of a month are deleted, and come back.
    _add("2024-04-01", "2024-04-11", 0),
    _add("2024-04-01", "2024-04-11", 10, without=3),
    # A window without rows, in which some become known late.
    _add("2024-05-01", "2024-05-05", 0),
    _add("2024-05-01", "2024-05-05", 2),
    # A damaged file is fetched again.
    _lose,
    _add("2024-03-01", "2024-04-01", 31, price=32),
    lambda writer: writer.settle(),
    lambda writer: writer.keep_newest(1),
    lambda writer: writer.publish(),
)
"""What is done to a data set, one after the other; each is there as a whole or not at all."""


@contextmanager
def opened(root: Path, step: int) -> Iterator[DatasetWriter]:
    """The data set at a time that the number of the step tells, recovered."""
    with writing(storage_of(root), lambda: (step + 1) * 10**9) as writer:
        writer.recover()
        yield writer


def run(root: Path, first: int = 0, done: Callable[[int], object] = lambda _: None) -> None:
    """Takes the steps from one on, each as a program of its own, and calls after each."""
    for step in range(first, len(STEPS)):
        with opened(root, step) as writer:
            STEPS[step](writer)
        done(step)


@frozen
class State:
    """What a data set holds."""

    planned: list[Any]
    windows: dict[str, list[Any]]
    files: list[Any]
    versions: list[Any]
    changes: list[Any] = field(repr=False)
    rows: list[Any] = field(repr=False)


def state_of(root: Path) -> State:
    """What a data set holds."""
    try:
        with Manifest(root / ".trayport", reads=True) as manifest:
            return State(
                planned=sorted(manifest.unfinished()),
                windows={s: manifest.done(s) for s in sorted(manifest.subjects())},
                files=[evolve(file, stamp=None) for file in manifest.files()],
                versions=manifest.versions(),
                changes=manifest.changes(0),
                rows=rows_of(root),
            )
    except NoDatasetError:
        return State([], {}, [], [], [], [])


def rows_of(root: Path) -> list[Any]:
    """The rows as readers have them, in an order of their own, or what they lack."""
    if not is_begun(storage_of(root)):
        return []
    try:
        return sorted(open_dataset(root).collect().rows(), key=repr)
    except TrayportDatasetError as error:
        return [*error.files]


# --- Where it is killed


class Places:
    """Counts what is done to the files below a directory, and acts before the n-th."""

    def __init__(self, root: Path, place: int | None, act: Callable[[], None]) -> None:
        self._root, self._place, self._act = str(root), place, act
        self.names: list[str] = []

    def note(self, name: str) -> None:
        if len(self.names) == self._place:
            self._act()
        self.names.append(name)

    def watch(self) -> None:
        """Begins to count; there is no end to it, so this is for a process of its own."""
        fsync: Callable[[Any], None] = os.fsync
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect

        def counted(handle: Any) -> None:
            self.note("fsync")
            fsync(handle)

        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(lambda statement: self.note(statement.split()[0]))
            return connection

        setattr(os, "fsync", counted)  # noqa: B010
        setattr(sqlite3, "connect", traced)  # noqa: B010
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_about_files = event == "open" or event.startswith("os.")
        if is_about_files and any(str(a).startswith(self._root) for a in arguments[:2]):
            self.note(event)


def done_of(progress: Path) -> int:
    """How many steps were done."""
    return int(progress.read_text()) if progress.exists() else 0


def run_until_killed(root: Path, progress: Path, place: int | None) -> None:
    """Goes on in this process, which is killed at a place; notes how many steps were done."""
    places = Places(root, place, lambda: os.kill(os.getpid(), signal.SIGKILL))
    places.watch()
    run(root, done_of(progress), lambda step: progress.write_text(str(step + 1)))
    progress.with_suffix(".places").write_text("\n".join(places.names))


def run_in_little_room(root: Path, progress: Path, room: tuple[int, int]) -> None:
    """Takes all steps, from one on with files that may not grow beyond a size; notes the error."""
    first, most = room

    def done(step: int) -> None:
        progress.write_text(str(step + 1))
        if step + 1 >= first:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    done(-1)
    try:
        run(root, done=done)
    except (OSError, TrayportError) as error:
        notes = " ".join(getattr(error, "__notes__", ()))
        progress.with_suffix(".error").write_text(f"{type(error).__name__}: {error} {notes}")


def in_processes(
    target: Callable[[Path, Path, Any], None], jobs: list[tuple[Path, Path, Any]]
) -> list[int | None]:
    """Runs a function in a process for each job, which starts fast; their exit codes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    codes: list[int | None] = []
    for job in jobs:
        process = context.Process(target=target, args=job)
        process.start()
        process.join(60)
        codes.append(process.exitcode)
    return codes
