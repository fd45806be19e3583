"""Writes what pages say of the API and of the settings into them, and what coding agents read.

    python -m docs._generate --out DIR

Run `./codegen.sh` rather than this. A page names what it wants between two comments,
`<!-- spec: limits -->` and `<!-- /spec -->`, or `policy` in place of `spec`; what stands between
them is written. After `settings` may stand which ones.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from docs._generate import agents, policy, spec

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SKILL = "trayport_sdk/SKILL.md"
MARKED = re.compile(
    r"(?P<open><!-- (?P<kind>spec|policy): (?P<name>[a-z-]+)(?P<which>(?: \w+)*) -->)"
    r"(?P<text>.*?)(?P<close><!-- /(?P=kind) -->)",
    re.DOTALL,
)


def filled(text: str, page: str) -> str:
    """The page with what it asks for, as the document and the settings have it today."""

    def put(match: re.Match[str]) -> str:
        name, which = match["name"], match["which"].split()
        if which:
            value = policy.settings_of(which)
        else:
            known: dict[str, Callable[[], str]] = (
                spec.TABLES if match["kind"] == "spec" else policy.NUMBERS
            )
            if name not in known:
                raise SystemExit(f"{page}: there is no {match['kind']} {name!r}")
            value = known[name]()
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if match["text"].startswith("\n"):
            value = f"\n\n{value.strip()}\n\n" if value.strip() else "\n"
        elif not before.strip():
            # Markdown takes a comment at the start of a line for a block of its own.
            raise SystemExit(f"{page}: {match['open']} begins a line of text: move it in")
        return f"{match['open']}{value}{match['close']}"

    return MARKED.sub(put, text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the generated parts of the pages.")
    parser.add_argument("--out", type=Path, required=True, help="in place of the repository")
    out = parser.parse_args().out
    files = {spec.DOCUMENT: spec.with_sandbox()}
    texts: dict[str, str] = {}
    for path in [*sorted(DOCS.rglob("*.md")), ROOT / SKILL]:
        if not path.is_symlink():
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text()
            texts[name.removeprefix("docs/")] = filled(text, name)
            if MARKED.search(text):
                files[name] = filled(text, name)
    files["docs/llms.txt"] = agents.index()
    files["docs/llms-full.txt"] = agents.everything(texts)
    for name, text in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)


if __name__ == "__main__":
    main()
