"""What a process uses of the machine's memory, itself or as seen by another. Linux tells."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tests.perf.goals import PURE
from trayport_sdk.tables.decode.native.reader import PYTHON, VARIABLE, library

ROOT = Path(__file__).resolve().parents[2]
MB = 10**6
SAMPLE_SECONDS = 0.25

READERS = {"": "", PURE: PYTHON} if library() else {PURE: PYTHON}
"""What the variable says of each reader, by how the names of its figures end."""


@contextmanager
def read_by(reader: str) -> Iterator[None]:
    """Has this process, and those that it starts, decode with one of `READERS`."""
    before = os.environ.get(VARIABLE, "")
    os.environ[VARIABLE] = READERS[reader]
    try:
        yield
    finally:
        os.environ[VARIABLE] = before


def memory(name: str, process: int | str = "self") -> int:
    """A line of the process's status, such as `VmRSS`, in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise LookupError(f"process {process} tells no {name}")
    return int(found[1]) * 1024


def forget_the_peak() -> None:
    """Has `VmHWM`, the most memory that was in use, begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def limit_growth(count: int) -> None:
    """Has this process get no more than so many bytes of addresses from now on."""
    limit = memory("VmSize") + count
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@frozen
class Done:
    """What a job in a process of its own came to.

    Attributes:
        seconds: How long it took, without the imports.
        peak: The most memory the process used, in bytes, the interpreter and imports included.
        grown: How much of it came after the imports.
        result: What the job returns.
        samples: The memory in use, four times a second.
    """

    seconds: float
    peak: int
    grown: int
    result: dict[str, Any]
    samples: tuple[int, ...] = field(repr=False, default=())


def run(job: str, **arguments: object) -> Done:
    """Runs a job of `tests.perf.jobs` in a process of its own.

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, "-m", "tests.perf.jobs", job, json.dumps(arguments, default=str)]
    samples: list[int] = []
    surroundings = dict(os.environ)
    if arguments.get("headroom") is not None:
        # Each thread has addresses reserved for it otherwise.
        surroundings["MALLOC_ARENA_MAX"] = "1"
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while True:
            try:
                out, errors = process.communicate(timeout=SAMPLE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                with suppress(LookupError):  # it is just ending
                    samples.append(memory("VmRSS", process.pid))
    if process.returncode:
        raise RuntimeError(f"{job} failed: {errors or process.returncode}")
    return Done(**json.loads(out.splitlines()[-1]), samples=tuple(samples))
