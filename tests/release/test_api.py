"""The public API keeps what the last release promised, or the changelog names what it breaks."""

from __future__ import annotations

import subprocess
from enum import Enum
from typing import Any, Literal

import pytest
from attrs import frozen

import trayport_sdk
from tests.release.api import Api, added, breaks, describe, described
from tests.release.changelog import Section, sections
from tests.release.sbom import ROOT
from tests.release.snapshot import CONSUMER, RELEASED, Snapshot, faults, programs

LAST = Snapshot.read()


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-c", "safe.directory=*", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_api_keeps_what_was_released() -> None:
    assert [*faults(LAST, describe(), sections()[0])] == []


def test_the_programs_are_those_of_the_release() -> None:
    if LAST.version == trayport_sdk.__version__:
        assert programs(RELEASED) == programs(CONSUMER), "python -m tests.release snapshot"


def test_the_snapshot_is_that_of_the_tag() -> None:
    tag = f"v{LAST.version}"
    if git("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}").returncode:
        pytest.skip(f"this clone has no tag {tag}")
    assert git("diff", "--stat", tag, "--", "tests/released").stdout == ""


class Colour(Enum):
    RED = "red"


@frozen
class Base:
    """A class of another package would give no members."""

    size: int


def test_what_programs_rely_on_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.release.api.OURS", ("tests",))

    @frozen
    class Thing(Base):
        colour: Colour = Colour.RED

        async def get(self, name: str, /, *, at: int | None = None) -> None: ...
        @classmethod
        def of(cls, *names: str, **options: Any) -> None: ...
        @property
        def area(self) -> int:
            return 1

        def _hidden(self) -> None: ...

    assert {
        name: entry for name, entry in described("Thing", Thing).items() if "__" not in name
    } == {
        "Thing": {"kind": "class", "bases": ["object"], "parameters": ["size", "colour="]},
        "Thing.area": {"kind": "field"},
        "Thing.colour": {"kind": "field"},
        "Thing.get": {"kind": "async", "parameters": ["/name", "*", "at="]},
        "Thing.of": {"kind": "function", "parameters": ["*names", "**options"]},
        "Thing.size": {"kind": "field"},
    }
    assert described("Kind", Literal["a"] | Literal["b", "c"] | None)["Kind"] == {
        "kind": "values",
        "values": ["a", "b", "c"],
    }
    assert described("Colour", Colour)["Colour"]["names"] == ["RED"]


def function(*parameters: str) -> Api:
    return {"f": {"kind": "function", "parameters": parameters}}


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        (function("a", "b="), function("a", "b=", "c=", "*", "d="), []),
        (function("a", "*", "b"), function("a", "*", "c=", "b="), []),
        (function("a", "b"), function("a"), ["does not take b"]),
        (function("a"), function("a", "**options"), []),
        (function("b", "*", "a"), function("b", "**options"), []),
        (function("a", "b"), function("b", "a"), ["a in another place", "b in another place"]),
        (function("a"), function("*", "a"), ["a in another place"]),
        (function("*", "a"), function("a"), []),
        (function("a"), function("/a"), ["does not take a by name"]),
        (function("a="), function("a"), ["cannot be called without a"]),
        (function("a"), function("a", "*", "b"), ["needs b"]),
        (function(), {"f": {"kind": "async", "parameters": []}}, ["was function, is async"]),
        (function(), {}, ["is gone"]),
        ({"A": {"kind": "class"}, "A.b": {"kind": "field"}}, {}, ["A: is gone"]),
        (
            {"E": {"kind": "class", "bases": ["ValueError", "object"]}},
            {"E": {"kind": "class", "bases": ["object"]}},
            ["without ValueError in its bases"],
        ),
        (
            {"K": {"kind": "values", "values": ["a", "b"]}},
            {"K": {"kind": "values", "values": ["b", "c"]}},
            ["without a in its values"],
        ),
        ({"table trades price": {"kind": "Float64"}}, {}, ["is gone"]),
        (
            function("a"),
            {"f": {"kind": "function", "parameters": [], "overloads": [["b"], ["a", "c="]]}},
            [],
        ),
        (
            {"f": {"kind": "function", "parameters": [], "overloads": [["a"], ["b"]]}},
            function("a"),
            ["does not take b"],
        ),
    ],
)  # fmt: skip
def test_what_breaks_programs(old: Api, new: Api, broken: list[str]) -> None:
    found = [str(item) for item in breaks(old, new)]
    assert len(found) >= len(broken)
    assert all(any(text in item for item in found) for text in broken)
    assert bool(found) is bool(broken)


def test_names_and_commands_are_additions_and_members_are_not() -> None:
    names = ("A", "A.b", "sync.C", "trayport do-it", "trayport do-it --now", "table t x")
    new: Api = {name: {"kind": "x"} for name in names}
    assert added({}, new) == ["A", "C", "trayport do-it"]


@pytest.mark.parametrize(
    ("version", "state", "text", "today", "expected"),
    [
        ("0.3.0", "unreleased", "", function("a"), []),
        ("0.3.0", "unreleased", "", {**function("a"), "g": {"kind": "x"}}, ["g is new"]),
        ("0.3.0", "unreleased", "`g`", {**function("a"), "g": {"kind": "x"}}, []),
        ("0.3.0", "unreleased", "", {}, ["does not name f"]),
        ("0.3.0", "unreleased", "`f` is gone", {}, []),
        ("0.2.1", "unreleased", "`f` is gone", {}, ["0.2.1 may not break"]),
        ("0.3.0", "1 May 2027", "", function("a"), ["no snapshot"]),
        ("0.2.0", "1 May 2026", "", function("a"), []),
        ("0.2.0", "1 May 2026", "`f`", function("a", "b="), ["f is not as in 0.2.0: open"]),
    ],
)  # fmt: skip
def test_what_must_not_be_released(
    version: str, state: str, text: str, today: Api, expected: list[str]
) -> None:
    last = Snapshot("0.2.0", function("a"))
    found = [*faults(last, today, Section(version, state, text))]
    assert len(found) == len(expected)
    assert all(part in item for part, item in zip(expected, found, strict=True))
