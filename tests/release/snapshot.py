"""What the last release promised: its public API, and programs of users that it ran.

`python -m tests.release snapshot` stores both in tests/released, for the version that is to be
released. What comes after it is compared with them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

import trayport_sdk
from tests.release.api import Api, added, breaks, describe
from tests.release.changelog import Section, may_break
from tests.release.sbom import ROOT

RELEASED = ROOT / "tests" / "released"
FILE = RELEASED / "api.json"
CONSUMER = ROOT / "tests" / "consumer"
REFUSED = "wrong.py"  # what type checkers refuse, which later versions may allow


@frozen
class Snapshot:
    """The public API of a release."""

    version: str
    api: Api

    @classmethod
    def read(cls) -> Snapshot:
        """The one of the last release."""
        return cls(**json.loads(FILE.read_text()))

    def text(self) -> str:
        """A line for each name."""
        lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in self.api.items()]
        entries = ",\n".join(lines)
        return f'{{"version": "{self.version}", "api": {{\n{entries}\n}}}}\n'


def faults(last: Snapshot, today: Api, top: Section) -> Iterator[str]:
    """What must not be released as it is.

    Args:
        last: The last release.
        today: The public API as it is.
        top: The first section of the changelog.
    """
    if last.version == top.version:
        for name in sorted({*last.api, *today}):
            if last.api.get(name) != today.get(name):
                yield f"{name} is not as in {last.version}: open the section of the next version"
        return
    for broken in breaks(last.api, today):
        if not may_break(last.version, top.version):
            yield f"{broken}: {top.version} may not break what {last.version} promised"
        if not top.names(broken.word):
            yield f"{broken}: the changelog of {top.version} does not name {broken.word}"
    for name in added(last.api, today):
        if not top.names(name):
            yield f"{name} is new: the changelog of {top.version} does not name it"
    if top.released:
        yield f"{top.version} has a date and no snapshot: python -m tests.release snapshot"


def programs(directory: Path) -> dict[str, str]:
    """The programs in a folder, and their tests."""
    return {p.name: p.read_text() for p in directory.glob("*.py") if p.name != REFUSED}


def main() -> int:
    """Stores the API and the programs of today."""
    shutil.rmtree(RELEASED, ignore_errors=True)
    RELEASED.mkdir()
    FILE.write_text(Snapshot(trayport_sdk.__version__, describe()).text())
    for name, text in programs(CONSUMER).items():
        (RELEASED / name).write_text(text)
    return 0
