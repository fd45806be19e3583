"""`make mutation`: what the tests say when the code is changed."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from tests.mutation.mutants import Mutant, mutants, source
from tests.mutation.rooms import ROOMS, Room
from tests.mutation.runner import FOLDER, run
from tests.mutation.survivors import explained
from tests.perf.page import circumstances, put
from tests.perf.process import ROOT

PAGE = ROOT / "docs" / "reliability.md"
GOAL = 90
"""Percent of the mutants of a room that the tests must kill."""
KILLED = ("killed", "timeout")


def sampled(room: Room, size: int | None, seed: int) -> list[Mutant]:
    """All mutants of a room, or so many, of each module in proportion to its own.

    A larger sample holds the smaller one of the same seed.
    """
    found = [mutants(module) for module in room.modules]
    if size is not None:
        share = size / sum(map(len, found))
        drawn = random.Random(seed)
        found = [drawn.sample(each, len(each))[: math.ceil(share * len(each))] for each in found]
    return [mutant for each in found for mutant in each]


class Results:
    """What has come of mutants, in a file that the next run goes on with."""

    def __init__(self, name: str, *, trusted: bool) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self._path = FOLDER / f"{name}.jsonl"
        self._tests = tests = _digest(ROOMS[name].tests)
        reasons = explained()
        self._known: dict[str, str] = {}
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                entry = json.loads(line)
                settled = entry["outcome"] in KILLED or entry["change"] in reasons
                if entry["tests"] == tests or (trusted and settled):
                    self._known[entry["mutant"]] = entry["outcome"]

    def get(self, mutant: Mutant) -> str | None:
        return self._known.get(_identity(mutant))

    def add(self, mutant: Mutant, outcome: str) -> None:
        self._known[_identity(mutant)] = outcome
        entry = {"mutant": _identity(mutant), "tests": self._tests, "outcome": outcome}
        with self._path.open("a") as file:
            file.write(json.dumps({**entry, "change": mutant.key}) + "\n")


def _identity(mutant: Mutant) -> str:
    """A digest of the module as it is and of the change."""
    text = f"{mutant.module}\n{source(mutant.module)}\n{mutant.begin}\n{mutant.code}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _digest(tests: Sequence[str]) -> str:
    files = sorted(file for test in tests for file in _files(ROOT / test))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:24]


def _files(path: Path) -> Iterator[Path]:
    return path.rglob("*.py") if path.is_dir() else iter([path])


@frozen
class Figures:
    """What has come of the mutants of a room."""

    mutants: int
    tried: int
    killed: int
    survived: int
    equivalent: int
    """Those that `survivors.toml` explains."""

    @property
    def percent(self) -> float:
        """The killed ones, of those that a test could kill."""
        return 100 * self.killed / (self.killed + self.survived)


def measured(name: str, options: argparse.Namespace) -> Figures:
    """Runs the mutants of a room that have not been run yet, and shows who survived."""
    chosen = sampled(ROOMS[name], options.sample, options.seed)
    results = Results(name, trusted=options.trust)
    left = [mutant for mutant in chosen if results.get(mutant) is None]
    print(f"{name}: {len(chosen):,} mutants, {len(left):,} to run", flush=True)
    began, count = time.monotonic(), Counter[str]()

    def done(mutant: Mutant, outcome: str) -> None:
        results.add(mutant, outcome)
        count[outcome] += 1
        if count.total() % 50 == 0:
            rate = (time.monotonic() - began) / count.total()
            print(f"  {count.total():,} {dict(count)} {rate:.2f} s each", flush=True)

    if left:
        run(name, left, done)
    reasons = explained()
    alive = [mutant for mutant in chosen if results.get(mutant) not in KILLED]
    survivors = [mutant for mutant in alive if mutant.key not in reasons]
    for mutant in survivors:
        print(f"  {results.get(mutant)}: {mutant.key}", flush=True)
    total = sum(len(mutants(module)) for module in ROOMS[name].modules)
    killed = len(chosen) - len(alive)
    return Figures(total, len(chosen), killed, len(survivors), len(alive) - len(survivors))


def table(figures: dict[str, Figures]) -> str:
    """The figures as Markdown."""
    lines = [
        "| Room | Mutants | Tried | Killed | Survived | Equivalent | Killed, without these |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, room in figures.items():
        counts = (room.mutants, room.tried, room.killed, room.survived, room.equivalent)
        shown = " | ".join(f"{count:,}" for count in counts)
        lines.append(f"| {name} | {shown} | {room.percent:.1f} % |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], help="all without it")
    parser.add_argument("--sample", type=int, help="so many mutants of each room; all without it")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument(
        "--trust",
        action="store_true",
        help="what was killed or explained before the tests changed is not run again",
    )
    options = parser.parse_args()
    names = options.rooms or list(ROOMS)
    figures = {name: measured(name, options) for name in names}
    which = "All mutants" if options.sample is None else f"A sample, drawn with seed {options.seed}"
    text = f"{circumstances()} {which}.\n\n{table(figures)}"
    if not options.rooms:
        put("mutation", text, PAGE)
    print(f"\n{text}")
    sys.exit(any(room.percent < GOAL for room in figures.values()))


if __name__ == "__main__":
    main()
