"""`make faults`: every fault with every method, at the first, the middle and the last request."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.faults.kinds import FAULTS
from tests.faults.matrix import Cell, Mode, outcomes_of
from tests.faults.methods import METHODS
from tests.faults.table import Outcomes, written
from tests.perf.page import circumstances, put
from tests.perf.process import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def matrix(methods: Sequence[str], processes: int) -> tuple[list[Cell], Outcomes, list[str]]:
    """All cells of some methods, what came of them, and what was wrong."""
    outcomes: defaultdict[tuple[str, str, Mode], set[str]] = defaultdict(set)
    done: list[Cell] = []
    wrong: list[str] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for method, found in zip(methods, pool.map(outcomes_of, methods), strict=True):
            for cell, label, error in found:
                done.append(cell)
                if error:
                    wrong.append(f"{cell}: {error}")
                else:
                    outcomes[method, cell.fault, cell.mode].add(label)
            print(f"{method}: {len(found):,} calls", flush=True)
    return done, {key: frozenset(labels) for key, labels in outcomes.items()}, wrong


def words(done: Sequence[Cell]) -> str:
    """What was tried."""
    methods = {cell.method for cell in done}
    places = Counter(cell.place for cell in done)
    return (
        f"{len(done):,} calls of {len(methods)} methods, each with one of {len(FAULTS)} faults, "
        f"once or from then on: {places['first']:,} at the first request, {places['middle']:,} at "
        f"a middle one, {places['last']:,} at the last. None returned other rows, or fewer without "
        "saying so, and none hung."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), help="only these")
    options = parser.parse_args()
    done, outcomes, wrong = matrix(options.methods, options.processes)
    if wrong:
        sys.exit("\n".join([*wrong, f"{len(wrong):,} of {len(done):,} calls were wrong"]))
    text = f"{circumstances()} {words(done)}\n\n{written(outcomes)}"
    if options.methods == list(METHODS):
        put("faults", text, PAGE)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
