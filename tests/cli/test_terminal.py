"""The command on a real terminal, as a person sees it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define

from trayport_sdk import open_dataset
from trayport_sdk.sandbox import Sandbox

fcntl = pytest.importorskip("fcntl", reason="there are no such terminals")
termios = pytest.importorskip("termios", reason="there are no such terminals")

APRIL = "TTF Hi Cal 51.6* Apr-24"
# A session of its own with the terminal as its own, so that Ctrl-C comes from it.
START = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'trayport_sdk', *sys.argv[1:]])"
)
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@define
class Terminal:
    """What a command shows on a terminal, and the keys for it."""

    process: subprocess.Popen[bytes]
    handle: int
    text: str = ""

    def until(self, *words: str) -> str:
        """Reads on until all of some words were shown; what was shown since the last time."""
        start = len(self.text)
        while not all(word in self.text[start:] for word in words):
            if not self._read():
                raise AssertionError(f"{words} never came: {self.text[start:]}")
        return self.text[start:]

    def rest(self) -> str:
        """Reads to the end."""
        start = len(self.text)
        while self._read():
            pass
        return self.text[start:]

    def press(self, key: bytes) -> None:
        os.write(self.handle, key)

    def _read(self) -> bool:
        try:
            came = os.read(self.handle, 1 << 16)
        except OSError:  # that is how a terminal ends
            came = b""
        self.text += CODES.sub("", came.decode(errors="replace")).replace("\r", "\n")
        return bool(came)


@contextmanager
def terminal(
    *arguments: str, environment: dict[str, str] | None = None, columns: int = 100
) -> Iterator[Terminal]:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(ours, (40, columns))
    without = {n: v for n, v in os.environ.items() if n not in ("COLUMNS", "LINES", "CI")}
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=without
        | {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
        | (environment or {}),
    )
    os.close(theirs)
    try:
        with process:
            yield Terminal(process, ours)
            if process.poll() is None:
                process.wait(60)
    finally:
        process.kill()
        os.close(ours)


def test_a_bar_moves_and_ctrl_c_keeps_what_was_done(tmp_path: Path) -> None:
    call = ("backfill", APRIL, "--from", "2023-01-01", "--until", "2024-01-01", "--out")
    sandbox = Sandbox(limits=False)
    with sandbox.serve() as server:
        settings = {
            "TRAYPORT_API_KEY": "sandbox",
            "TRAYPORT_ANALYTICS_URL": server.analytics_url,
            "TRAYPORT_REFERENCE_URL": server.reference_url,
            "TRAYPORT_REQUESTS_PER_SECOND": "1",
            "TRAYPORT_CACHE": "memory",
        }
        with terminal(*call, str(tmp_path / "ttf"), environment=settings) as shown:
            shown.until("1/12 requests")
            shown.until("2/12 requests", " left")
            shown.press(b"\x03")
            said = shown.rest()
        assert shown.process.returncode == 130
        assert "interrupted; the same command goes on" in said
        kept = open_dataset(tmp_path / "ttf").collect().height
        sent = len(sandbox.requests)
        settings["TRAYPORT_REQUESTS_PER_SECOND"] = "100"
        with terminal(*call, str(tmp_path / "ttf"), environment=settings) as shown:
            assert "trades of 1 contract" in shown.rest()
        assert shown.process.returncode == 0
        again = len(sandbox.requests) - sent
    assert again < 12  # of what had come, one may not have been recorded yet
    assert open_dataset(tmp_path / "ttf").collect().height > kept


@pytest.mark.parametrize("columns", [60, 120])
def test_a_table_fits_and_is_for_people(columns: int) -> None:
    day = ("--from", "2024-03-04", "--until", "2024-03-05")
    with terminal("trades", APRIL, *day, "--sandbox", columns=columns) as shown:
        lines = [line for line in shown.rest().splitlines() if line[:1] in ("│", "┌")]
    assert shown.process.returncode == 0
    assert len(lines) > 20
    assert {len(line) for line in lines} <= set(range(columns + 1))
    assert ("aggressor_buy" in lines[1]) == (columns == 120)


def test_a_reader_that_ends_ends_the_command_quietly() -> None:
    command = (
        f'{sys.executable} -m trayport_sdk trades "{APRIL}" --from 2024-02-05 --until 2024-03-08 '
        "--sandbox --quiet | head -1; echo ${PIPESTATUS[0]}"
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        ["bash", "-c", command], check=True, capture_output=True, text=True, env=os.environ | path
    )
    first, code = done.stdout.splitlines()
    assert first.startswith("trade_id,")
    assert (code, done.stderr) == ("141", "")
