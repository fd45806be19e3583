"""Puts figures into the page of the documentation that shows them."""

from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from tests.perf.process import ROOT

PAGE = ROOT / "docs" / "performance.md"


def between(name: str) -> re.Pattern[str]:
    """What stands between the two comments of a name, and the comments."""
    return re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Puts a text between the two comments of a name, in place of what is there.

    Raises:
        LookupError: The page has no such comments.
    """
    before = page.read_text()
    after, places = between(name).subn(lambda m: f"{m[1]}\n{text}\n\n{m[2]}", before)
    if places != 1:
        raise LookupError(f"{page} has {places} places for the figures {name!r}")
    page.write_text(after)


def circumstances() -> str:
    """When and where figures were measured."""
    info = Path("/proc/cpuinfo").read_text() + Path("/proc/meminfo").read_text()
    model = re.search(r"^model name\s*: (.+)$", info, re.MULTILINE)
    cores = len(re.findall(r"^processor\s*:", info, re.MULTILINE))
    memory = re.search(r"^MemTotal:\s+(\d+) kB$", info, re.MULTILINE)
    gigabytes = f", {int(memory[1]) / 1e6:.0f} GB" if memory else ""
    day = datetime.now(UTC)
    return (
        f"Measured on {day.day} {day:%B %Y}, {cores} cores of {model[1] if model else '?'}"
        f"{gigabytes}, {platform.system()} on {platform.machine()}, "
        f"Python {platform.python_version()}."
    )
