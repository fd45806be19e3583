"""The mutants that no test can notice, and why: `survivors.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")


def explained() -> dict[str, str]:
    """The reasons, by the key of a mutant."""
    entries = tomllib.loads(FILE.read_text()).get("survivors", [])
    return {
        f"{entry['module']} {entry['function']}: {was} → {becomes}": entry["why"]
        for entry in entries
        for was, becomes in entry["changes"]
    }
