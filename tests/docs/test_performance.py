"""The page about performance shows a figure for every goal, all from one run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.perf.goals import DECODING, GOALS, NO_FIGURE, OTHERS, PURE, Figure, tables
from tests.perf.page import PAGE, between, put

LINES = PAGE.read_text().splitlines()


def row(what: str) -> list[str]:
    found = [line for line in LINES if line.startswith(f"| {what} |")]
    assert len(found) == 1, what
    return [cell.strip() for cell in found[0].strip("|").split("|")]


@pytest.mark.parametrize("name", GOALS)
def test_the_table_has_the_goal_and_a_figure_or_says_that_there_is_none(name: str) -> None:
    goal = GOALS[name]
    _, *cells, beside = row(goal.what)
    wanted, today, met = cells[3:] if name.endswith(PURE) else cells[:3]
    assert wanted == str(goal)
    if today == NO_FIGURE:
        assert met == "no"
        assert beside
    else:
        value = float(today.removesuffix(goal.unit))
        # What is shown is rounded, and may so have come to lie on the bound.
        assert met == ("yes" if goal.met_by(value) else "**no**") or value == goal.bound


@pytest.mark.parametrize("name", ["goals", "large"])
def test_figures_come_with_their_date_and_machine(name: str) -> None:
    figures = between(name).search(PAGE.read_text())
    assert figures is not None
    assert re.search(r"Measured on \d+ \w+ \d{4}, \d+ cores of .+, Python 3\.\d+", figures[0])


def test_a_table_says_which_goals_are_met() -> None:
    figures = {name: Figure(goal.bound) for name, goal in GOALS.items()}
    figures |= {"brotli": Figure(50.0), "frame": Figure(1.99, "why"), "search": Figure(None, "no")}
    both, others = (part.splitlines() for part in tables(figures).split("\n\n"))
    assert len(both) == 2 + len(DECODING) / 2
    assert len(others) == 2 + len(OTHERS)
    assert both[2].endswith("| ≥ 4.5 x | 1.99 x | **no** | ≥ 1 x | 1.00 x | yes | native why |")
    lines = [*both[2:], *others[2:]]
    not_met = [line for line in lines if line.count("| yes |") < (2 if line in both else 1)]
    assert [line.split(" |")[0].strip("| ") for line in not_met] == [
        GOALS[name].what for name in ("frame", "brotli", "search", "reuse")
    ]


def test_only_what_stands_between_the_comments_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures: a -->\nold\n<!-- end of a -->\nafter\n")
    put("a", "new \\1", page)
    put("a", "newer \\1", page)
    assert page.read_text() == (
        "before\n<!-- figures: a -->\n\nnewer \\1\n\n<!-- end of a -->\nafter\n"
    )


def test_a_page_without_a_place_for_figures_is_not_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text")
    with pytest.raises(LookupError, match="0 places for the figures 'a'"):
        put("a", "new", page)
    assert page.read_text() == "text"
