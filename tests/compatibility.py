"""`python -m tests.compatibility`: the tests with the lowest and with the latest dependencies.

Each Python and each choice of versions has an environment in .cache/compatibility, with the package
as users install it, all extras, and of the tools of contributors only those of the dependency group
`compatibility`. Without them, what needs others is left out: code generation, the documentation,
fuzzing by schemathesis, figures of speed, releases, and storage in S3. Needs a package index.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.perf import page
from tests.release import dist

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "compatibility.md"
PLACE = ROOT / ".cache" / "compatibility"
PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = {"lowest": "lowest-direct", "latest": "highest"}
SHOWN = ("httpx", "polars", "msgspec", "pandas", "pyarrow", "click")
# What meets the most of what other packages give, in about a minute.
SHORT = (
    "tests/released", "tests/generated", "tests/query", "tests/tables", "tests/telemetry",
    "tests/cli/test_options.py", "tests/cli/test_help.py", "tests/http/test_transport.py",
    "tests/bulk/test_streams.py", "tests/test_settings.py", "tests/test_client.py",
)  # fmt: skip
FULL = (
    "tests/bulk", "tests/cli", "tests/consumer", "tests/decoding", "tests/exactness",
    "tests/generated", "tests/http", "tests/query", "tests/released", "tests/resources",
    "tests/sandbox", "tests/tables", "tests/telemetry", "tests/test_calls.py",
    "tests/test_client.py",
    "tests/test_errors.py", "tests/faults/test_chaos.py", "tests/test_processes.py",
    "tests/test_secrets.py", "tests/test_settings.py", "tests/test_sync.py",
    "tests/test_tracebacks.py", "tests/test_warnings.py", "--ignore=tests/bulk/test_storage.py",
)  # fmt: skip


@frozen
class Outcome:
    """What the tests said.

    Attributes:
        python: The version of Python.
        choice: Whether the dependencies were the lowest or the latest.
        versions: Those of the packages that the page shows.
        passed: How many tests passed.
    """

    python: str
    choice: str
    versions: Sequence[str]
    passed: int

    def __str__(self) -> str:
        return f"| {' | '.join((self.python, self.choice, *self.versions, f'{self.passed:,}'))} |"


def interpreter(version: str) -> str:
    """A Python of this version: pyenv's, or the one on PATH.

    Raises:
        LookupError: There is none.
    """
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [str(path) for path in pyenv.glob(f"{version}.*/bin/python")]
    for candidate in (*found, shutil.which(f"python{version}")):
        if candidate:
            done = subprocess.run(
                [candidate, "-c", program], capture_output=True, text=True, check=False
            )
            if done.stdout.strip() == version:
                return candidate
    raise LookupError(f"Python {version} is not on this machine")


def run(version: str, choice: str, tests: Sequence[str]) -> Outcome:
    """Makes the environment, and runs the tests in it.

    Raises:
        LookupError: The machine has no such Python.
        RuntimeError: A command or a test fails.
    """
    place = PLACE / f"{version}-{choice}"
    versions = Path(f"{place}.txt")
    PLACE.mkdir(parents=True, exist_ok=True)
    wheels = ("--only-binary", ":all:")
    wanted = ("--all-extras", "--group", "compatibility", "--python-version", version, *wheels)
    chosen = ("--resolution", RESOLUTIONS[choice], "--upgrade", "--output-file", str(versions))
    _uv("pip", "compile", "pyproject.toml", *wanted, *chosen)
    _uv("venv", "--clear", "--python", interpreter(version), str(place))
    python = str(place / "bin" / "python")
    _uv("pip", "sync", *wheels, "--python", python, str(versions))
    with tempfile.TemporaryDirectory() as directory:
        dist.build(ROOT, Path(directory), ["wheel"])
        (wheel,) = Path(directory).glob("*.whl")
        _uv("pip", "install", "--no-deps", "--python", python, str(wheel))
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", versions.read_text(), re.MULTILINE))
    command = [python, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *tests]
    line = ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
    if process.returncode:
        raise RuntimeError(f"with the {choice} dependencies, tests fail on Python {version}")
    (passed,) = re.findall(r"^(\d+) passed", line)
    return Outcome(version, choice, [pins[name] for name in SHOWN], int(passed))


def _uv(*arguments: str) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "PIP_FIND_LINKS"}
    command = [sys.executable, "-m", "uv", *arguments, "--quiet", "--no-config"]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise RuntimeError(f"uv {' '.join(arguments)} failed")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.compatibility", description=__doc__)
    parser.add_argument("--python", action="append", choices=PYTHONS, help="all by default")
    parser.add_argument("--only", choices=RESOLUTIONS, help="both by default")
    parser.add_argument("--short", action="store_true", help="a minute each instead of ten")
    options = parser.parse_args()
    pythons, choices = options.python or PYTHONS, [options.only] if options.only else RESOLUTIONS
    outcomes = []
    for version in pythons:
        for choice in choices:
            print(f"Python {version}, the {choice} dependencies", flush=True)
            outcomes.append(run(version, choice, SHORT if options.short else FULL))
    if not options.short and len(outcomes) == len(PYTHONS) * len(RESOLUTIONS):
        head = " | ".join(("Python", "Dependencies", *SHOWN, "Tests passed"))
        rule = "| --- | --- |" + " --- |" * len(SHOWN) + " ---: |"
        table = "\n".join((f"| {head} |", rule, *map(str, outcomes)))
        page.put("compatibility", f"{page.circumstances()}\n\n{table}", PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
