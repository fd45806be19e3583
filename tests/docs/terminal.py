"""The picture of a terminal in the README: what a few commands print."""

from __future__ import annotations

import re
import shlex
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from tempfile import TemporaryDirectory

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.docs.charts import DIGEST, digest
from tests.docs.pages import ROOT, comparable, plain_environment
from trayport_sdk.cli import run

PICTURE = ROOT / "docs" / "assets" / "terminal.svg"
WIDTH = 112
COMMANDS = (
    "trayport search ttf apr 24 --limit 3 --sandbox",
    'trayport candles "TTF Hi Cal 51.6* Apr-24" --from 2024-03-04 --until 2024-03-05 '
    "--interval 4h --sandbox",
    'trayport backfill "TTF Hi Cal 51.6* Apr-24" --from 2024-03-04 --until 2024-03-08 '
    "--out ttf --sandbox",
)
THEME = TerminalTheme(
    (12, 42, 58), (220, 231, 238),
    [(12, 42, 58), (255, 107, 107), (98, 201, 140), (255, 181, 69), (108, 194, 238),
     (204, 121, 167), (98, 201, 201), (220, 231, 238)],
)  # fmt: skip
# Rich lets a picture load a font from elsewhere.
FRAME = re.sub(r"@font-face \{\{.*?\}\}|<!--.*?-->", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
FRAME = FRAME.replace("Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, monospace")


def recorded() -> list[tuple[str, str]]:
    """Each command with what it prints."""
    said: list[tuple[str, str]] = []
    with TemporaryDirectory() as folder, chdir(folder), plain_environment(WIDTH):
        for command in COMMANDS:
            with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()):
                assert run(shlex.split(command)[1:]) == 0, command
            said.append((command, printed.getvalue()))
    return said


def mark(said: list[tuple[str, str]]) -> str:
    return digest({"said": [[command, comparable(text)] for command, text in said]})


def is_drawn() -> bool:
    kept = DIGEST.findall(PICTURE.read_text()) if PICTURE.exists() else []
    return kept == [mark(recorded())]


def write() -> bool:
    """Draws the picture, unless it is there; whether it was not."""
    said = recorded()
    if PICTURE.exists() and DIGEST.findall(PICTURE.read_text()) == [mark(said)]:
        return False
    console = Console(record=True, width=WIDTH, file=StringIO())
    for command, text in said:
        console.print(Text("$ ", "bold yellow") + Text(command, "bold"))
        console.print(Text(text.rstrip() + "\n"))
    svg = console.export_svg(title="trayport", theme=THEME, code_format=FRAME, unique_id="terminal")
    PICTURE.write_text(f"{svg}\n<!-- of {mark(said)} -->\n")
    return True
