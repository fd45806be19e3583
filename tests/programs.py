"""Programs of tests, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def output_of(program: str, *arguments: str) -> str:
    """What a program prints that ends well and says nothing besides; warnings are errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'generated'}{os.pathsep}{ROOT}"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
