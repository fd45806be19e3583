"""Programs whose time of day is set while they run, by libfaketime; their other clocks go on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("faketime")
ROOT = Path(__file__).resolve().parents[2]


def needed() -> str:
    """The library; skips the test where there is none, or fails it where nothing may be skipped."""
    if PROGRAM is None:
        reason = "needs libfaketime: apt-get install faketime"
        if "TRAYPORT_TESTS_SKIP_NOTHING" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    shown = subprocess.check_output([PROGRAM, "-m", "-f", "+0", "printenv", "LD_PRELOAD"])
    return shown.decode().strip()


class WallClock:
    """The time of day of some programs: so many seconds ahead of the right one.

    Args:
        file: Where libfaketime finds it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def set(self, ahead: float) -> None:
        """Sets it, for whoever runs by it."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{ahead:+f}\n")
        new.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to run by it."""
        return {
            "LD_PRELOAD": needed(),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_RESET": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",  # its name in older versions
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # with it, threads spin that wait for each other
            "NO_FAKE_STAT": "1",  # the times of files stay, as they do on a disk
        }


class Program:
    """A function of `tests.clock.program` in a process of its own.

    Args:
        clock: The clock that it runs by; the right one, if there is none.
        task: The name of the function.
        arguments: What it is called with.
    """

    def __init__(self, clock: WallClock | None, task: str, /, **arguments: object) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.clock.program", task]
        self._process = subprocess.Popen(
            [*command, json.dumps(arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT / 'generated'}{os.pathsep}{ROOT}",
                **({} if clock is None else clock.environment),
            },
        )

    def result(self, within: float) -> Any:
        """What the function returns."""
        output, said = self._process.communicate(timeout=within)
        assert (self._process.returncode, said) == (0, "")
        return json.loads(output)

    def kill(self) -> None:
        """Ends it, if it has not ended."""
        with self._process:
            self._process.kill()


def results(*programs: Program, within: float = 60.0) -> list[Any]:
    """What programs return, none of which may wait as long as a clock was set ahead."""
    try:
        return [program.result(within) for program in programs]
    finally:
        for program in programs:
            program.kill()
