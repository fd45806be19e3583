"""Every public name, with the place in the reference that describes it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import trayport_sdk

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
DESCRIBED = re.compile(r"^ *::: (\S+)$", re.MULTILINE)


def public_names() -> str:
    """A table of the names that `trayport_sdk` has."""
    places = _places()
    lines = ["| Name | |", "| --- | --- |"]
    for name in sorted(trayport_sdk.__all__, key=str.lower):
        value = getattr(trayport_sdk, name)
        home = f"{getattr(value, '__module__', '')}.{name}"
        place = places.get(name) or places.get(home.rpartition(".")[0])
        if place is None:
            lines.append(f"| [`{name}`]({_page_that_names(name)}) | {_summary(value)} |")
        else:
            page, target = place
            anchor = target if target.endswith(f".{name}") else home
            lines.append(f"| [`{name}`]({page}#{anchor}) | {_summary(value)} |")
    return "\n".join(lines)


def _places() -> dict[str, tuple[str, str]]:
    """The page and the target of what is described, by its name; of modules, by their path."""
    found: dict[str, tuple[str, str]] = {}
    for page in sorted(REFERENCE.glob("*.md")):
        for target in DESCRIBED.findall(page.read_text()):
            found.setdefault(target, (page.name, target))
            if not target.startswith("trayport_sdk.sync."):
                found.setdefault(target.rpartition(".")[2], (page.name, target))
    return found


def _page_that_names(name: str) -> str:
    """The page that speaks of what has no description of its own, the reference first."""
    pages = [p for p in sorted(REFERENCE.glob("*.md")) if p.name != "index.md"]
    for page in [*pages, *sorted(REFERENCE.parent.glob("*.md"))]:
        if not page.is_symlink() and f"`{name}`" in page.read_text():
            return page.name if page.parent == REFERENCE else f"../{page.name}"
    return "../concepts.md"


def _summary(value: object) -> str:
    if not inspect.isclass(value) and not inspect.isfunction(value):
        return ""
    text = (value.__doc__ or "").strip().partition("\n\n")[0]
    return " ".join(text.split()).replace("|", "\\|")
