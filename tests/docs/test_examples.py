"""Every example of the README and the docs runs, against the sandbox, and gives what is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trayport_sdk.cli import run

from . import terminal
from .charts import ASSETS, PICTURES, THEMES, charts_of, is_drawn
from .notebooks import EXAMPLES, notebook, without_drawings
from .pages import PAGES, ROOT, blocks, commands, comparable, name, run_page, with_sandbox
from .update import update

EVERY = [block for page in PAGES for block in blocks(page)]
EXECUTED = [block for block in EVERY if block.reason is None]
WITH_PYTHON = sorted({b.page for b in EXECUTED if b.language == "python" or b.output})
# Notebooks run twice: as pages here, and as what they are with the rest of the site.
RUN = [
    pytest.param(page, marks=[pytest.mark.site] if page.parent == EXAMPLES else [])
    for page in WITH_PYTHON
]
COMMANDS = [
    pytest.param(
        command[1:],
        id=f"{name(block.page)}:{block.line}: {' '.join(command[:2])}",
        marks=[pytest.mark.slow] if command[1:] == ["demo"] else [],
    )
    for block in EXECUTED
    if block.language == "shell" and block.output is None
    for command in commands(block)
    if command and command[0] == "trayport"
]
TARGETS = [
    (block, command[1])
    for block in EVERY
    if block.language == "shell"
    for command in commands(block)
    if command[0] == "make"
]


@pytest.mark.parametrize("page", RUN, ids=name)
def test_the_code_of_a_page_runs_and_gives_what_is_shown(page: Path, tmp_path: Path) -> None:
    ran = run_page(page, tmp_path)
    for block, output in ran.outputs:
        place = f"{name(page)}:{block.line}: python -m tests.docs {name(page)} writes the output"
        assert comparable(block.text) == comparable(output), place
    undrawn = [chart for chart in charts_of(page) if not is_drawn(chart, ran.charts[chart])]
    assert undrawn == [], f"python -m tests.docs {name(page)} draws them"
    if page.parent == EXAMPLES:
        kept = json.loads(page.with_suffix(".ipynb").read_text())
        assert without_drawings(kept) == without_drawings(notebook(page, ran))


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_of_a_page_runs(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(with_sandbox(arguments)) == 0


def test_outputs_are_written_into_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    shown = "```python\nprint('a')\n{'b': 1}\n```\n\n```text\n{}```\n\n```text\nno output\n```\n"
    page.write_text(shown.replace("{}", "old\n"))
    assert update(page, tmp_path)
    assert page.read_text() == shown.replace("{}", "a\n{'b': 1}\n")
    assert not update(page, tmp_path)


def test_every_chart_that_is_kept_is_shown_by_the_page_that_makes_it() -> None:
    shown = {
        f"{chart}-{theme}.svg"
        for page in WITH_PYTHON
        for chart in charts_of(page)
        for theme in THEMES
    }
    shown |= {f"{name}.png" for name in PICTURES}
    assert {file.name for file in ASSETS.iterdir()} == shown


@pytest.mark.site
def test_the_terminal_in_the_readme_shows_what_commands_print() -> None:
    assert terminal.is_drawn(), "python -m tests.docs draws it"
    assert "http" not in terminal.PICTURE.read_text().replace("http://www.w3.org/2000/svg", "")


def test_a_duration_may_differ_and_a_number_may_not() -> None:
    assert comparable("4 rows in 0.12 s") == comparable("4 rows in 3 s") != comparable("5 rows")


def test_a_block_is_python_or_shell_or_plain_text() -> None:
    assert {block.language for block in EVERY} <= {"python", "shell", "text"}


@pytest.mark.parametrize("page", [p for p in PAGES if ROOT / "docs" not in p.parents], ids=name)
def test_what_a_page_outside_the_site_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    inside = [link for link in links if not link.startswith(("http", "mailto"))]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_a_target_of_make_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    defined = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert [(name(b.page), target) for b, target in TARGETS if target not in defined] == []
