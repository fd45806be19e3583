"""`make chaos`: data sets that are filled by programs that are killed again and again."""

from __future__ import annotations

import argparse

from tests.chaos.rounds import FULL, Figures, chaos
from tests.perf.page import circumstances, put
from tests.perf.process import ROOT

PAGE = ROOT / "docs" / "reliability.md"
ENOUGH = 1000
"""How many kills there must have been for figures that go into the documentation."""


def table(figures: Figures) -> str:
    """The figures as Markdown."""
    lines = [
        "| Call | Programs | Killed | Requests needed | Failed on purpose | Sent | Lost to kills |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind, calls in figures.calls.items():
        counts = (calls.runs, calls.kills, calls.planned, calls.faults, calls.sent, calls.lost)
        lines.append(f"| `{kind}` | {' | '.join(f'{n:,}' for n in counts)} |")
    return "\n".join(lines)


def words(figures: Figures) -> str:
    """What was compared."""
    contracts, days = len(FULL.contracts), FULL.days
    signals = " and ".join(f"{n:,} by {name}" for name, n in sorted(figures.signals.items()))
    return (
        f"{figures.kills:,} kills ({signals}) in {figures.seconds / 60:.0f} minutes, while "
        f"{figures.rounds:,} data sets of {contracts} contracts and {days} days were filled, had "
        f"{figures.damaged:,} files damaged and mended, and were refreshed twice. Compared with "
        f"undisturbed ones: {figures.rows:,} rows in the end, and {figures.corrections:,} "
        "corrections; none was missing, wrong or too many, and no file was left behind."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=ENOUGH, help="how many at least")
    parser.add_argument("--seed", type=int, default=0, help="of the times of the kills")
    options = parser.parse_args()
    figures = chaos(options.kills, seed=options.seed)
    text = f"{circumstances()} {words(figures)}\n\n{table(figures)}"
    if options.kills >= ENOUGH:
        put("chaos", text, PAGE)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
