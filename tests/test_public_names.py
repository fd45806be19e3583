"""What users may import from the package. A name that goes missing here breaks somebody.

`python -m tests.test_public_names` writes the stub that type checkers read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import trayport_sdk

STUB = Path(trayport_sdk.__file__).with_suffix(".pyi")


def stub() -> str:
    """The table of public names as imports."""
    lines = ["# Made from __init__.py by `python -m tests.test_public_names`. Do not edit."]
    lines += ["# ruff: noqa", "# fmt: off", "", "__version__: str", "__all__: list[str]"]
    lines += ["_PUBLIC: dict[str, str]", ""]
    for module, names in trayport_sdk._PUBLIC.items():
        lines += [f"from {module} import {name} as {name}" for name in names.split()]
    return "\n".join(lines) + "\n"


def test_the_public_names_are_those_that_the_stub_pins() -> None:
    assert STUB.read_text() == stub(), "run python -m tests.test_public_names"


@pytest.mark.parametrize("name", trayport_sdk.__all__)
def test_a_public_name_can_be_had(name: str) -> None:
    assert getattr(trayport_sdk, name) is not None


def test_all_public_names_come_with_a_star() -> None:
    code = "from trayport_sdk import *; print(*sorted(n for n in dir() if not n.startswith('_')))"
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.split() == sorted(trayport_sdk.__all__)


def test_a_name_that_does_not_exist_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="'TrayportClinet'"):
        trayport_sdk.TrayportClinet  # type: ignore[attr-defined]  # noqa: B018


def test_the_public_names_are_listed_by_dir() -> None:
    assert set(trayport_sdk.__all__) <= set(dir(trayport_sdk))


if __name__ == "__main__":
    STUB.write_text(stub())
