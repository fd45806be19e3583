"""How long imports take, and what they bring along."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

HEAVY = ("polars", "pandas", "pyarrow", "altair", "matplotlib", "plotly", "vl_convert")
TIMED = """
import time
started = time.perf_counter()
{statement}
print(time.perf_counter() - started)
"""
LOADED = """
import sys
{statement}
print(*sys.modules)
"""


def _printed(program: str, statement: str) -> str:
    command = [sys.executable, "-c", program.format(statement=statement)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def import_seconds(statements: Sequence[str], rounds: int = 7) -> dict[str, float]:
    """Seconds that statements take in new interpreters, in turns, each at its best."""
    took: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(rounds):
        for statement in statements:
            took[statement].append(float(_printed(TIMED, statement)))
    return {statement: min(seconds) for statement, seconds in took.items()}


def heavy_imports(statement: str) -> list[str]:
    """The libraries that a statement should not load, and does."""
    return sorted(set(HEAVY) & set(_printed(LOADED, statement).split()))
