"""The sections of the changelog."""

from __future__ import annotations

import re
from datetime import date, datetime

from attrs import frozen

from tests.release.sbom import ROOT

HEADING = re.compile(r"^## (\d+\.\d+\.\d+) \((.+)\)$", re.MULTILINE)


@frozen
class Section:
    """What a version brings.

    Attributes:
        version: The version.
        state: The day of its release, or what is in its place.
        text: The entries.
    """

    version: str
    state: str
    text: str

    @property
    def numbers(self) -> tuple[int, ...]:
        """The parts of the version."""
        return numbers(self.version)

    @property
    def released(self) -> date | None:
        """The day of its release, if there was one."""
        if self.state in ("unreleased", "never released"):
            return None
        return datetime.strptime(self.state, "%d %B %Y").date()

    def names(self, word: str) -> bool:
        """Whether an entry has a name in it."""
        return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self.text) is not None


def numbers(version: str) -> tuple[int, ...]:
    """The parts of a version."""
    return tuple(map(int, version.split(".")))


def sections(text: str | None = None) -> list[Section]:
    """The sections, newest first."""
    text = (ROOT / "CHANGELOG.md").read_text() if text is None else text
    _, *parts = HEADING.split(text)
    return [Section(*parts[i : i + 3]) for i in range(0, len(parts), 3)]


def may_break(old: str, new: str) -> bool:
    """Whether semantic versioning lets a version break what an older one promised."""
    before, after = numbers(old), numbers(new)
    kept = 2 if before[0] == 0 else 1
    return after[:kept] > before[:kept]
