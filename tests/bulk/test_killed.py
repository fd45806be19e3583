"""Data sets whose writer is killed, or is failed by the disk: the next one makes them right."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.integrity import check_integrity
from tests.bulk.killed import (
    STEPS,
    State,
    in_processes,
    opened,
    run,
    run_in_little_room,
    run_until_killed,
    state_of,
)
from trayport_sdk.bulk.manifest import Manifest
from trayport_sdk.errors import TrayportDatasetError


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> list[State]:
    """What the data set holds before the first step, and after each."""
    root = tmp_path_factory.mktemp("undisturbed")
    found = [state_of(root)]
    run(root, done=lambda _: found.append(state_of(root)))
    check_integrity(root)
    return found


def check_goes_on(root: Path, done: int, states: list[State]) -> None:
    """Checks that the next start leaves a data set before or after a step, and the last its end."""
    with opened(root, done):
        pass
    check_integrity(root)
    found = state_of(root)
    assert found in states[done : done + 2]
    run(root, first=done)
    check_integrity(root)
    assert state_of(root) == states[-1]


def kill_at(places: list[int], folder: Path, states: list[State]) -> None:
    """Kills a writer at each of some places."""
    jobs = [(folder / f"at-{place}", folder / f"done-{place}", place) for place in places]
    assert set(in_processes(run_until_killed, jobs)) == {-9}
    for root, progress, _ in jobs:
        done = int(progress.read_text()) if progress.exists() else 0
        check_goes_on(root, done, states)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is done to the files of the data set, one after the other."""
    folder = tmp_path_factory.mktemp("places")
    assert in_processes(run_until_killed, [(folder / "set", folder / "done", None)]) == [0]
    return (folder / "done.places").read_text().splitlines()


def test_a_writer_that_is_killed_leaves_all_of_a_response_or_nothing(
    places: list[str], states: list[State], tmp_path: Path
) -> None:
    chosen = random.Random(14)
    kinds = ("os.rename", "os.link", "os.remove", "COMMIT", "fsync", "INSERT", "open")
    some = {
        chosen.choice([place for place, name in enumerate(places) if name == kind])
        for kind in kinds
    }
    kill_at(sorted(some | {*chosen.sample(range(len(places)), 3)}), tmp_path, states)


@pytest.mark.slow
def test_a_writer_may_be_killed_anywhere(
    places: list[str], states: list[State], tmp_path: Path
) -> None:
    for first in range(0, len(places), 50):
        kill_at(list(range(first, min(first + 50, len(places)))), tmp_path, states)
