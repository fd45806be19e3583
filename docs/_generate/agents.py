"""What coding agents read: the index of the pages, all of them in one file, and every call."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from trayport_spec import ENDPOINTS

from trayport_sdk import sync

ROOT = Path(__file__).resolve().parents[2]
TITLE = "trayport-sdk"
ABOUT = (
    "Unofficial typed Python SDK for the Trayport Data Analytics API: trades, candles, order "
    "books, snapshots and reference data of European gas, power, coal and emissions markets."
)


def calls() -> str:
    """Each method of the synchronous client, with its arguments and what it is for."""
    groups = dict.fromkeys(endpoint.group for endpoint in ENDPOINTS.values())
    classes: dict[str, type[Any]] = {"": sync.TrayportClient}
    classes |= {name: _class_of(name) for name in groups}
    classes["planner"] = sync.Planner
    return "\n".join(line for name, of in classes.items() for line in _calls(name, of))


def _class_of(group: str) -> type[Any]:
    """The class of a group; those that no method by hand joins have the generated one."""
    name = group.capitalize()
    found: type[Any] = getattr(sync, f"{name}Group", None) or getattr(sync, f"{name}Methods")
    return found


def _calls(group: str, of: type[Any]) -> Iterator[str]:
    prefix = f"client.{group}." if group else "client."
    for name, method in inspect.getmembers(of, inspect.isfunction):
        summary = (inspect.getdoc(method) or "").partition("\n\n")[0].replace("\n", " ")
        if not name.startswith("_") and summary:
            names = ", ".join(
                _argument(p) for p in list(inspect.signature(method).parameters.values())[1:]
            )
            yield f"- `{prefix}{name}({names})`: {summary}"


def _argument(parameter: inspect.Parameter) -> str:
    if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
        return str(parameter).partition(":")[0]
    optional = parameter.default is not parameter.empty
    return f"{parameter.name}=..." if optional else str(parameter.name)


def pages() -> list[tuple[str, str, str]]:
    """The section, title and path of every page, in the order of the site."""
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    return list(_pages(nav, "Start"))


def _pages(nav: list[Any], section: str) -> Iterator[tuple[str, str, str]]:
    for entry in nav:
        if isinstance(entry, str):
            yield section, "Overview", entry
            continue
        ((title, content),) = entry.items()
        if isinstance(content, str):
            yield section, title, content
        else:
            yield from _pages(content, title)


def index() -> str:
    """The text of llms.txt."""
    lines = [
        f"# {TITLE}",
        "",
        f"> {ABOUT}",
        "",
        "All pages in one file: llms-full.txt. The guide for",
    ]
    lines[-1] += " coding agents is trayport_sdk/SKILL.md, in the package."
    last = None
    for section, title, path in pages():
        if section != last:
            lines += ["", f"## {section}", ""]
            last = section
        address = path.removesuffix(".md").removesuffix("index").rstrip("/")
        lines.append(f"- [{title}]({address or '.'}/)")
    return "\n".join(lines) + "\n"


def everything(texts: dict[str, str]) -> str:
    """The text of llms-full.txt: the guides, and every call in place of the reference."""
    parts = [f"# {TITLE}\n\n> {ABOUT}\n"]
    for _, _, path in pages():
        if not path.startswith(("reference/", "changelog", "security", "api/openapi")):
            parts.append(plain(texts[path]))
    parts.append(
        f"# Every call\n\nWithout async; with it, the same names are awaited.\n\n{calls()}\n"
    )
    return "\n".join(parts)


def plain(text: str) -> str:
    """A page without what only a site needs."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->|</?div[^>]*>", "", text, flags=re.DOTALL)
    text = re.sub(r"^!\[[^\n]*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\{ [.#][^}]*\}", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
