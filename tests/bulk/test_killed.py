"""Data sets whose writer is killed, or is failed by the disk: the next one makes them right."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest

from tests.bulk.integrity import check_integrity
from tests.bulk.killed import (
    State,
    done_of,
    in_processes,
    opened,
    rows_of,
    run,
    run_in_little_room,
    run_until_killed,
    state_of,
)
from trayport_sdk.bulk.dataset_writer import is_begun
from trayport_sdk.bulk.manifest import Manifest
from trayport_sdk.bulk.storage import storage_of
from trayport_sdk.errors import TrayportDatasetError


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A directory in memory, where there is one: nothing here waits for a real disk."""
    place = Path("/dev/shm")  # noqa: S108
    with TemporaryDirectory(dir=place if place.is_dir() else None) as directory:
        yield Path(directory)


@pytest.fixture
def folder(memory: Path) -> Path:
    """A directory of a test."""
    made = memory / uuid4().hex
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def states(memory: Path) -> list[State]:
    """What the data set holds before the first step, and after each."""
    root = memory / "undisturbed"
    found = [state_of(root)]
    run(root, done=lambda _: found.append(state_of(root)))
    check_integrity(root)
    return found


def check_goes_on(root: Path, done: int, states: list[State]) -> None:
    """Checks that a data set is before or after a step, and with the last one as it should be."""
    assert rows_of(root) in [state.rows for state in states[done : done + 2]]
    with opened(root, done):
        pass
    check_integrity(root)
    found = state_of(root)
    assert found in states[done : done + 2]
    run(root, first=done)
    check_integrity(root)
    assert state_of(root) == states[-1]


def kill_at(places: list[int], folder: Path, states: list[State]) -> None:
    """Kills a writer at each of some places, and every other time the next one soon after."""
    jobs = [(folder / f"at-{place}", folder / f"done-{place}", place) for place in places]
    assert set(in_processes(run_until_killed, jobs)) == {-9}
    soon = random.Random(places[0])
    again = [(root, progress, soon.randrange(50)) for root, progress, _ in jobs[::2]]
    assert set(in_processes(run_until_killed, again)) <= {-9, 0}
    for root, progress, _ in jobs:
        check_goes_on(root, done_of(progress), states)


@pytest.fixture(scope="module")
def places(memory: Path) -> list[str]:
    """What is done to the files of the data set, one after the other."""
    assert in_processes(run_until_killed, [(memory / "places", memory / "done", None)]) == [0]
    return (memory / "done.places").read_text().splitlines()


def test_a_writer_that_is_killed_leaves_all_of_a_response_or_nothing(
    places: list[str], states: list[State], folder: Path
) -> None:
    chosen = random.Random(14)
    kinds = ("os.rename", "os.link", "os.remove", "os.rmdir", "COMMIT", "fsync", "INSERT", "open")
    some = {
        chosen.choice([place for place, name in enumerate(places) if name == kind])
        for kind in kinds
    }
    kill_at(sorted(some | {*chosen.sample(range(len(places)), 3)}), folder, states)


@pytest.mark.slow
def test_a_writer_may_be_killed_anywhere(
    places: list[str], states: list[State], folder: Path
) -> None:
    for first in range(0, len(places), 50):
        kill_at(list(range(first, min(first + 50, len(places)))), folder, states)


@pytest.mark.parametrize("fault", ["missing", "changed", "strange", "staged"])
def test_what_is_not_as_the_manifest_says_is_seen(
    memory: Path, states: list[State], folder: Path, fault: str
) -> None:
    assert states[-1].files
    copytree(memory / "undisturbed", folder, dirs_exist_ok=True)
    check_integrity(folder)
    file = next((folder / "data").rglob("*.parquet"))
    if fault == "missing":
        file.unlink()
    elif fault == "changed":
        file.write_bytes(file.read_bytes() + b"0")
    else:
        place = file.parent if fault == "strange" else folder / ".trayport" / "staging"
        (place / "part").touch()
    with pytest.raises(AssertionError):
        check_integrity(folder)


# --- The disk


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells which file is synced")
def test_everything_is_on_the_disk_before_the_manifest_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe, due = set[str](), set[str]()
    fsync, replace, link, mkdir = os.fsync, os.replace, os.link, os.mkdir
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    unsafe: list[set[str]] = []

    def synced(handle: int) -> None:
        name = str(Path(f"/proc/self/fd/{handle}").readlink())
        safe.add(name)
        due.discard(name)
        fsync(handle)

    def placed(source: Path, target: Path) -> None:
        assert {str(source), str(source.parent)} <= safe
        due.add(str(target.parent))
        replace(source, target)

    def linked(source: Path, target: Path) -> None:
        due.add(str(target.parent))
        link(source, target)

    def made(path: Path, *mode: int) -> None:
        mkdir(path, *mode)
        due.add(str(path.parent))

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        def note(statement: str) -> None:
            if statement == "COMMIT":
                unsafe.append(set(due))

        connection = connect(*arguments, **options)
        connection.set_trace_callback(note)
        return connection

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", placed)
    monkeypatch.setattr(os, "link", linked)
    monkeypatch.setattr(os, "mkdir", made)
    monkeypatch.setattr(sqlite3, "connect", traced)
    run(folder)
    assert unsafe
    assert not any(unsafe)


def fail_once(monkeypatch: pytest.MonkeyPatch, name: str, place: int, number: int) -> None:
    """Has a function of `os` fail the n-th time it is called."""
    function, calls = getattr(os, name), list[Any]()

    def failing(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == place + 1:
            raise OSError(number, os.strerror(number))
        return function(*arguments, **options)

    monkeypatch.setattr(os, name, failing)


@pytest.mark.parametrize(
    ("name", "number"),
    [("fsync", errno.EIO), ("fsync", errno.ENOSPC), ("replace", errno.ENOSPC), ("link", errno.EIO)],
)
def test_what_the_disk_refuses_is_an_error_and_not_lost(
    states: list[State],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: int,
) -> None:
    for place in (0, 3, 12) if name == "fsync" else (1, 3):
        root, done = folder / f"{place}", list[int]()
        with monkeypatch.context() as patch:
            fail_once(patch, name, place, number)
            with pytest.raises(OSError, match=os.strerror(number)) as caught:
                run(root, done=done.append)
        assert caught.value.filename
        assert caught.value.__notes__
        check_goes_on(root, len(done), states)


class Failing(sqlite3.Connection):
    """A database that fails at a commit, before or after it is on the disk."""

    place = 0
    is_late = False

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if sql != "COMMIT":
            return super().execute(sql, *arguments)
        Failing.place -= 1
        if Failing.place:
            return super().execute(sql)
        if self.is_late:
            super().execute(sql)
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("is_late", [False, True])
def test_a_commit_that_fails_is_an_error_and_nothing_is_lost(
    states: list[State], folder: Path, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    for place in (1, 5, 6):
        root, done = folder / f"{place}", list[int]()
        Failing.place, Failing.is_late = place, is_late
        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", lambda *a, **o: connect(*a, factory=Failing, **o))
            with pytest.raises(TrayportDatasetError, match=r"disk I/O error.*nothing that was"):
                run(root, done=done.append)
        check_goes_on(root, len(done), states)


def test_a_disk_without_room_is_an_error_and_nothing_is_lost(
    states: list[State], folder: Path
) -> None:
    # Where nothing is yet, in the middle of a file of rows, and in the middle of the manifest.
    rooms = [(0, 1000), (0, 33_000), (0, 50_000), (1, 70_000), (4, 200_000)]
    jobs = [(folder / f"{room}", folder / f"{room}.done", room) for room in rooms]
    assert set(in_processes(run_in_little_room, jobs)) == {0}
    errors = set[str]()
    for root, progress, _ in jobs:
        error = progress.with_suffix(".error").read_text()
        assert error.startswith(("OSError", "TrayportDatasetError"))
        assert "make room on the disk" in error
        errors.add(error.split(":")[0])
        check_goes_on(root, done_of(progress), states)
    assert errors == {"OSError", "TrayportDatasetError"}


def test_what_was_killed_before_it_had_begun_is_no_data_set(folder: Path) -> None:
    state = folder / ".trayport"
    state.mkdir()
    (state / "manifest.sqlite").touch()
    with pytest.raises(TrayportDatasetError, match="holds no data set"):
        Manifest(state, reads=True)
    assert not is_begun(storage_of(folder))
