"""Memory that was freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trayport_sdk.telemetry.memory import _trim, give_back_memory  # pyright: ignore[reportPrivateUsage]

PROGRAM = """
from pathlib import Path
from trayport_sdk.telemetry.memory import give_back_memory

def in_use():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096

blocks = [bytes([number % 256]) * 100_000 for number in range(500)]
del blocks[:-1]
before = in_use()
give_back_memory()
print(before - in_use())
"""
"""A block that stays lies above those that were freed, so that they are kept as well."""


def test_memory_below_a_block_that_stays_goes_back_to_the_system() -> None:
    if _trim() is None:
        pytest.skip("this C library has no malloc_trim")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 25_000_000


def test_without_such_a_function_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(_: None) -> None:
        raise TypeError

    _trim.cache_clear()
    monkeypatch.setattr("ctypes.CDLL", no_library)
    give_back_memory()
    assert _trim() is None
    _trim.cache_clear()
