"""`make fuzz`: the properties of the suite with all of their examples, and how many those were."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter

import pytest

from tests.perf.page import circumstances, put
from tests.perf.process import ROOT

PAGE = ROOT / "docs" / "reliability.md"
WHICH = "hypothesis and not perf and not slow"
ENOUGH = 10_000
"""How many examples there must have been for figures that go into the documentation."""
WHAT = {
    "documents": "Documents of which the native reader took rows, the same as `json`",
    "requests": "Requests of every public method, held against the document by openapi-core",
    "chains": "Chains of links that schemathesis followed to market data, by ids of responses",
    "allowed": "Responses drawn by schemathesis that came out of the methods as equal rows",
    "spoiled": "Responses changed to something else, each an error and never rows or nothing",
}


class Counts:
    """A plugin that counts what the tests of all processes say that they did."""

    def __init__(self) -> None:
        self.properties = self.examples = 0
        self.recorded: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return
        statistics = vars(report).get("_hypothesis_stats", "")
        self.properties += bool(statistics)
        self.examples += sum(map(int, re.findall(r"(\d+) passing", statistics)))
        for name, count in report.user_properties:
            if isinstance(count, int):
                self.recorded[name] += count


def text(counts: Counts, seconds: float) -> str:
    """The figures as Markdown."""
    rows = [f"| {what} | {counts.recorded[name]:,} |" for name, what in WHAT.items()]
    return "\n".join(
        [
            f"{circumstances()} {counts.properties:,} properties held for {counts.examples:,} "
            f"drawn examples, in {seconds / 60:.0f} minutes; none failed. Besides:",
            "",
            "| What | How many |",
            "| --- | ---: |",
            *rows,
        ]
    )


def main(arguments: list[str]) -> int:
    os.environ["TRAYPORT_TESTS_EXAMPLES"] = "1"
    counts, started = Counts(), time.monotonic()
    code = pytest.main([*arguments, "-m", WHICH], plugins=[counts])
    if code == pytest.ExitCode.OK:
        figures = text(counts, time.monotonic() - started)
        # What a checkout of continuous integration says in its pages is what was committed.
        if counts.examples >= ENOUGH and "CI" not in os.environ:
            put("fuzz", figures, PAGE)
        print(f"\n{figures}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
