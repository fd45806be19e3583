"""The survivors that are explained exist, and the runner sees what a test says about a mutant."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.mutation.mutants import Mutant, mutants, source
from tests.mutation.rooms import ROOMS
from tests.mutation.runner import FOLDER, run
from tests.mutation.survivors import explained
from tests.perf.process import ROOT

TIMES = "trayport_sdk/query/times.py"


def mutant(function: str, was: str, becomes: str) -> Mutant:
    """The one mutant of `query/times.py` that reads so."""
    (found,) = (m for m in mutants(TIMES, function) if (m.was, m.becomes) == (was, becomes))
    return found


def test_each_explained_survivor_is_a_mutant_of_the_code_as_it_is() -> None:
    reasons = explained()
    places = {tuple(key.split(": ", 1)[0].split(" ", 1)) for key in reasons}
    there = {m.key for module, function in places for m in mutants(module, function)}
    assert not reasons.keys() - there
    assert all(reason.strip() for reason in reasons.values())


def test_there_are_modules_and_tests_in_each_room() -> None:
    for room in ROOMS.values():
        assert room.modules
        assert all((ROOT / path).exists() for path in (*room.modules, *room.tests))


def test_a_mutant_is_the_module_with_one_change() -> None:
    one = mutant("_offset", "if hours > 23 or minutes > 59:", "if hours >= 23 or minutes > 59:")
    names: dict[str, object] = {"__name__": "x", "__package__": "trayport_sdk.query"}
    exec(one.compiled(), names)  # noqa: S102
    offset = names["_offset"]
    assert callable(offset)
    assert offset("+22:59")
    with pytest.raises(ValueError, match="not an offset"):
        offset("+23:00")


@pytest.mark.slow
def test_a_mutant_is_killed_by_a_test_or_by_time_or_survives() -> None:
    one = mutant("_offset", "if hours > 23 or minutes > 59:", "if hours >= 23 or minutes > 59:")
    same = evolve(one, code="\n".join(source(TIMES).splitlines()[one.begin : one.end]))
    endless = evolve(one, code="def _offset(zone):\n    while True:\n        pass")
    wrong = evolve(one, code="def _offset(zone):\n    return timedelta(days=7)")
    outcomes: list[str] = []
    FOLDER.mkdir(parents=True, exist_ok=True)
    run("times", [same, endless, wrong], lambda _, outcome: outcomes.append(outcome))
    assert outcomes == ["survived", "timeout", "killed"]
