"""The picture of a terminal in the README: what a few commands print."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from io import StringIO
from tempfile import TemporaryDirectory

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.docs.charts import DIGEST, digest
from tests.docs.pages import ROOT, comparable, plain_environment

PICTURE = ROOT / "docs" / "assets" / "terminal.svg"
WIDTH = 112
COMMANDS = (
    "trayport find ttf apr 24 --limit 2 --sandbox",
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
    """Each command with what it prints on a terminal."""
    with TemporaryDirectory() as folder, plain_environment(WIDTH):
        return [(command, _in_terminal(command, folder)) for command in COMMANDS]


def _in_terminal(command: str, folder: str) -> str:
    """The standard output of a command that takes it for a terminal."""
    arguments = [sys.executable, "-m", "trayport_sdk", *shlex.split(command)[1:]]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        arguments, cwd=folder, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        parts = []
        # Linux says that the other end is closed by an error.
        with suppress(OSError):
            while part := terminal.read(65536):
                parts.append(part)
    assert process.wait() == 0, command
    return b"".join(parts).decode().replace("\r\n", "\n")


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
        console.print(Text.from_ansi(text.rstrip() + "\n"))
    svg = console.export_svg(title="trayport", theme=THEME, code_format=FRAME, unique_id="terminal")
    PICTURE.write_text(f"{svg}\n<!-- of {mark(said)} -->\n")
    return True
