"""`make perf`: today's figures on this machine beside the goals, on the screen and in the docs."""

from __future__ import annotations

import argparse

from tests.perf import large, scaling
from tests.perf.figures import FULL, MEASURES, QUICK, Figures
from tests.perf.goals import tables
from tests.perf.load import print_rates
from tests.perf.page import circumstances, put
from tests.perf.process import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.perf", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small share, nothing is written")
    parser.add_argument("--large", action="store_true", help="10 GB over a local server")
    options = parser.parse_args()
    if options.large:
        text = f"{circumstances()}\n\n{large.table(large.measured())}"
        put("large", text)
    else:
        figures: Figures = {}
        for name, measure in MEASURES.items():
            print(f"{name} ...", flush=True)
            figures |= measure(QUICK if options.quick else FULL)
        text = f"{circumstances()}\n\n{tables(figures)}"
        workers = f"{circumstances()} {scaling.table(scaling.measured())}"
        if not options.quick:
            put("goals", text)
            put("workers", workers, ROOT / "docs" / "scaling.md")
        text += f"\n\n{workers}"
    print(f"\n{text}")
    if not options.large:
        print_rates()


if __name__ == "__main__":
    main()
