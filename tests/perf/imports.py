"""How long imports take."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import time
started = time.perf_counter()
{statement}
print(time.perf_counter() - started)
"""


def import_seconds(statement: str, rounds: int = 7) -> float:
    """Seconds that a statement takes in a new interpreter, at best."""
    program = PROGRAM.format(statement=statement)
    return min(
        float(
            subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        )
        for _ in range(rounds)
    )
