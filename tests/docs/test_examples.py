"""Every example of the README and the docs runs, against the sandbox."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from trayport_sdk.cli import run

ROOT = Path(__file__).resolve().parents[2]
DOCS = [page for page in (ROOT / "docs").rglob("*.md") if not page.is_symlink()]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS)]
BLOCK = re.compile(
    r"(?:<!-- not executed: (?P<reason>[^\n]+) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
ASKS_THE_SERVICE = {"trades"}


@frozen
class Block:
    page: Path
    line: int
    language: str
    text: str
    reason: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(
            page,
            text.count("\n", 0, match.start("language")) + 2,
            match["language"],
            inspect.cleandoc(match["text"]) + "\n",
            match["reason"],
        )
        for match in BLOCK.finditer(text)
    ]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(block: Block) -> list[list[str]]:
    lines = block.text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


EVERY = [block for page in PAGES for block in blocks(page)]
EXECUTED = [block for block in EVERY if block.reason is None]
WITH_PYTHON = sorted({block.page for block in EXECUTED if block.language == "python"})
COMMANDS = [
    pytest.param(
        command[1:],
        id=f"{name(block.page)}:{block.line}: {' '.join(command[:2])}",
        marks=[pytest.mark.slow] if command[1:] == ["demo"] else [],
    )
    for block in EXECUTED
    if block.language == "shell"
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


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_the_python_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks of a page in one namespace; `await` works at the top level, as in a notebook."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for block in blocks(page):
            if block.language != "python" or block.reason:
                continue
            # The line numbers of a traceback are those of the page.
            code = compile(
                "\n" * (block.line - 1) + block.text,
                str(page),
                "exec",
                flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
            if code.co_flags & inspect.CO_COROUTINE:
                runner.run(eval(code, namespace))  # noqa: S307  (our own pages)
            else:
                exec(code, namespace)  # noqa: S102  (our own pages)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_of_a_page_runs(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments[0] in ASKS_THE_SERVICE and not {"--sandbox", "--help"} & set(arguments):
        arguments = [*arguments, "--sandbox"]
    assert run(arguments) == 0


def test_a_block_is_python_or_shell_or_plain_text() -> None:
    assert {block.language for block in EVERY} <= {"python", "shell", "text"}


def test_a_target_of_make_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    defined = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert [(name(b.page), target) for b, target in TARGETS if target not in defined] == []
