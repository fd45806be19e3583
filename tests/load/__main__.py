"""`make load`: many requests at once, faults, limits, and the lag of the event loop."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen
from trayport_spec import REQUEST_LIMITS

from tests.load.lag import LONGEST, Lag, lags
from tests.load.runs import Load, at_default_limits, many_callers, simultaneous, with_faults
from tests.perf.goals import PURE
from tests.perf.page import circumstances, put
from tests.perf.process import ROOT

PAGE = ROOT / "docs" / "reliability.md"
RIGHT, LEAST_REUSE = 0.999, 0.98
READER_NAMES = {"": "native", PURE: "Python"}


@frozen
class Line:
    """One goal, and what was measured."""

    what: str
    goal: str
    figure: str
    is_met: bool


def lines_of_one_client(once: Load, many: Load) -> Iterator[Line]:
    """Of requests at the same time, and of callers that share a client."""
    count = once.most_within(1)
    yield Line(
        "Requests of one client under way at the same time",
        "100, all rows right",
        f"{count}, {once.rows:,} rows, {_wrong(once)}",
        count == once.calls and once.succeeded == 1,
    )
    yield Line(
        "1,000 callers on one client, every row compared",
        "none missing, wrong or of another caller",
        f"{many.calls:,} calls, {many.rows:,} rows, {_wrong(many)}",
        many.succeeded == 1,
    )
    yield Line(
        "Requests over a connection used before",
        f"> {LEAST_REUSE:.0%}",
        f"{many.reuse:.1%}",
        many.reuse > LEAST_REUSE,
    )


def line_of_faults(load: Load) -> Line:
    """Of calls of which some requests fail."""
    sent = sum(load.statuses.values())
    failed = sum(load.failures.values())
    return Line(
        "Calls that succeed while each kind of fault meets 1 % of the requests",
        f"≥ {RIGHT:.1%}",
        f"{load.succeeded:.2%} of {load.calls:,} ({failed} failed, {_wrong(load)}, "
        f"{sent - load.calls:,} requests sent again)",
        load.succeeded >= RIGHT and load.wrong == 0,
    )


def line_of_limits(load: Load) -> Line:
    """Of requests at the default limits."""
    second, minute = load.most_within(1), load.most_within(60)
    refused = load.statuses.get(429, 0)
    return Line(
        "429s of 100 callers at the default limits, by the clock of the server",
        "0",
        f"{refused} in {load.seconds:.0f} s (at most {second} of {REQUEST_LIMITS.per_second} in a "
        f"second, {minute} of {REQUEST_LIMITS.per_minute} in a minute)",
        refused == 0 and load.succeeded == 1,
    )


def lines_of_lag(found: Mapping[str, Lag]) -> Iterator[Line]:
    """Of the event loop while a large body is decoded."""
    for name, lag in found.items():
        yield Line(
            f"Lag of the event loop, p99, while {lag.megabytes:.0f} MB are decoded, "
            f"{READER_NAMES[name]} reader",
            f"< {LONGEST * 1e3:.0f} ms",
            f"{lag.p99 * 1e3:.1f} ms, the longest {lag.longest * 1e3:.1f} ms (idle, p99: "
            f"{lag.idle * 1e3:.1f} ms){f', best of {lag.tries}' if lag.tries > 1 else ''}",
            lag.p99 < LONGEST,
        )


def _wrong(load: Load) -> str:
    return f"{load.wrong or 'none'} wrong"


MEASURES: Mapping[str, Callable[[], Sequence[Line]]] = {
    "one client": lambda: [*lines_of_one_client(simultaneous(), many_callers())],
    "faults": lambda: [line_of_faults(with_faults())],
    "limits": lambda: [line_of_limits(at_default_limits())],
    "lag": lambda: [*lines_of_lag(lags())],
}


def table(lines: Sequence[Line]) -> str:
    """The figures as Markdown."""
    rows = ["| Measured | Goal | Figure | Met |", "| --- | --- | --- | --- |"]
    rows += [f"| {x.what} | {x.goal} | {x.figure} | {'yes' if x.is_met else 'no'} |" for x in lines]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, help="one measure, and nothing is written")
    only = parser.parse_args().only
    lines: list[Line] = []
    for name in [only] if only else MEASURES:
        print(f"{name} ...", flush=True)
        lines += MEASURES[name]()
    text = f"{circumstances()}\n\n{table(lines)}"
    if not only:
        put("load", text, PAGE)
    print(f"\n{text}")
    sys.exit(not all(line.is_met for line in lines))


if __name__ == "__main__":
    main()
