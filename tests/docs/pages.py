"""The code blocks of pages, run as a reader would run them, and the outputs shown below them.

A block of text straight after one of Python or of commands shows what that one gives: what it
prints, then its last expression, as a notebook does. `python -m tests.docs [PAGE ...]` writes
outputs into the pages; tests compare them.

Pages in docs/examples are notebooks as well, which are written beside them.

A chart that the code of a page saves as `NAME.svg`, and that the page shows as
`assets/charts/NAME-light.svg`, is drawn by the same command.

Durations, sizes of bodies on the wire, ports and digests of the document differ from run to run.
They are shown as they were, and compared by their place only.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import shlex
import textwrap
from contextlib import AbstractContextManager, chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import polars as pl
from attrs import evolve, frozen

from trayport_sdk.cli import run
from trayport_sdk.tables.plots.chart import Chart

ROOT = Path(__file__).resolve().parents[2]
DOCS = [page for page in (ROOT / "docs").rglob("*.md") if not page.is_symlink()]
SKILL = ROOT / "trayport_sdk" / "SKILL.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", SKILL, *sorted(DOCS)]
BLOCK = re.compile(
    r"(?:<!-- not executed: (?P<reason>[^\n]+) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
ASKS_THE_SERVICE = {"trades"}
VARYING = (
    r"\b\d[\d,.]* (ms|s|seconds?|minutes?)\b",
    r"\b\d[\d,.]* (bytes|kB|MB)\b",
    r"(?<=127\.0\.0\.1:)\d+",
    r"(?<=spec )[0-9a-f]{12}",
    r"(?<=reader       )\w+",
)
WIDTH = 100


@frozen
class Block:
    page: Path
    start: int
    line: int
    indent: str
    language: str
    text: str
    reason: str | None
    client: str
    """Where clients of both kinds stand side by side: whether it is the one without async."""

    output: Block | None = None
    """The block of text that shows what this one gives."""


def blocks(page: Path) -> list[Block]:
    """The blocks of a page; those that show an output belong to the block before."""
    text = page.read_text()
    found: list[Block] = []
    end = 0
    for match in BLOCK.finditer(text):
        block = Block(
            page,
            match.start("text"),
            text.count("\n", 0, match.start("language")) + 2,
            match["indent"],
            match["language"],
            textwrap.dedent(match["text"]),
            match["reason"],
            "Sync" if text[end : match.start()].rstrip().endswith('=== "Sync"') else "",
        )
        follows = not text[end : match.start()].strip()
        if block.language == "text" and follows and found and _may_show(found[-1]):
            shown = textwrap.dedent(match["text"])
            found[-1] = evolve(found[-1], output=evolve(block, text=shown))
        else:
            found.append(block)
        end = match.end()
    return found


def _may_show(block: Block) -> bool:
    return block.language in {"python", "shell"} and block.output is None


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(block: Block) -> list[list[str]]:
    lines = block.text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def with_sandbox(arguments: list[str]) -> list[str]:
    """The arguments of a command as the tests run it: without the live service."""
    if arguments[0] in ASKS_THE_SERVICE and not {"--sandbox", "--help"} & set(arguments):
        return [*arguments, "--sandbox"]
    return arguments


class Terminal(StringIO):
    """Where commands are read by people."""

    def isatty(self) -> bool:
        return True


@frozen
class Cell:
    """A block of Python, what it printed, and its last expression, if that is one."""

    block: Block
    printed: str
    shown: object
    text: str
    """The last expression as text, at that time."""


@frozen
class Ran:
    """What a page gave."""

    outputs: list[tuple[Block, str]]
    """Each shown output, and today's."""

    charts: dict[str, dict[str, Any]]
    """The charts that its code saved as SVG, as specifications, by the stems of their names."""

    cells: list[Cell]
    """What each block of Python gave."""


def run_page(page: Path, folder: Path) -> Ran:
    """Runs the Python of a page, in one namespace, and the commands whose output it shows.

    `await` works at the top level, as in a notebook. What stands under a tab `Sync` has a namespace
    of its own, since its names are those of the tab `Async`.
    """
    namespaces: dict[str, dict[str, Any]] = {"": {"__name__": "__main__"}}
    ran = Ran([], {}, [])
    saved = Chart.save

    def save(chart: Chart, path: str | Path) -> None:
        if Path(path).suffix == ".svg":
            ran.charts[Path(path).stem] = chart.to_dict()
        saved(chart, path)

    with (
        chdir(folder),
        plain_environment(),
        patch.object(Chart, "save", save),
        pl.Config(tbl_width_chars=WIDTH),
        asyncio.Runner() as runner,
    ):
        for block in blocks(page):
            if block.reason or (block.language == "shell" and block.output is None):
                continue
            with redirect_stdout(Terminal()) as printed:
                if block.language == "python":
                    namespace = namespaces.setdefault(block.client, {"__name__": "__main__"})
                    shown = _run_python(block, namespace, runner)
                    text = "" if shown is None else repr(shown)
                    ran.cells.append(Cell(block, printed.getvalue(), shown, text))
                    if text:
                        print(text)
                elif block.language == "shell":
                    with TemporaryDirectory() as elsewhere, chdir(elsewhere):
                        for _, *arguments in commands(block):
                            assert run(with_sandbox(arguments)) == 0, arguments
            if block.output is not None:
                lines = [line.rstrip() for line in printed.getvalue().splitlines()]
                ran.outputs.append((block.output, "\n".join(lines).strip("\n") + "\n"))
        for namespace in namespaces.values():
            client: Any = namespace.get("client")
            if hasattr(client, "aclose"):
                runner.run(client.aclose())
            elif client is not None:
                client.close()
    return ran


def plain_environment(width: int = WIDTH) -> AbstractContextManager[object]:
    """The environment without settings of whoever runs this, and a terminal of one width."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("TRAYPORT_")}
    return patch.dict(os.environ, others | {"COLUMNS": str(width)}, clear=True)


def _run_python(block: Block, namespace: dict[str, Any], runner: asyncio.Runner) -> object:
    """Runs a block; the value is that of its last expression."""
    # The line numbers of a traceback are those of the page.
    tree = ast.parse("\n" * (block.line - 1) + block.text, str(block.page))
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        kept = ast.Assign([ast.Name("_shown", ast.Store())], last.value)
        tree.body[-1] = ast.copy_location(kept, last)
        ast.fix_missing_locations(tree)
    code = compile(
        tree, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    if code.co_flags & inspect.CO_COROUTINE:
        runner.run(eval(code, namespace))  # noqa: S307  (our own pages)
    else:
        exec(code, namespace)  # noqa: S102  (our own pages)
    return namespace.pop("_shown", None)


def comparable(output: str) -> str:
    """An output without what differs from run to run."""
    for varying in VARYING:
        output = re.sub(varying, "...", output)
    return output
