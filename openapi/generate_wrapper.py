"""Writes the generated part of the wrapper: methods, response classes, and the synchronous client.

    python openapi/generate_wrapper.py [--spec FILE] [--wrapper DIR] --out DIR

Run `./codegen.sh` rather than this. The names of files are those under `trayport_sdk/`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml
from document import Document, Node, SpecError, endpoint
from methods import GENERATED, group_module, groups_module, responses_module
from sync import sync_module

HERE = Path(__file__).resolve().parent
METHODS = "resources/generated"


def written(spec_text: str, wrapper: Path) -> dict[str, str]:
    """The text of every generated module of the wrapper, by its place in the package."""
    root: Node = yaml.safe_load(spec_text)
    document = Document(root)
    endpoints = [endpoint(document, path, node) for path, node in document.operations()]
    texts = {tag["name"].lower(): tag["description"] for tag in root["tags"]}
    groups = {e.group: (texts.get(e.group, e.summary), e.api == "reference") for e in endpoints}
    found = {f"{METHODS}/__init__.py": f'"""{GENERATED}"""\n'}
    for name, (text, _) in groups.items():
        own = [e for e in endpoints if e.group == name]
        found[f"{METHODS}/{name}.py"] = group_module(name, own, text)
    found[f"{METHODS}/groups.py"] = groups_module(groups, wrapper / "resources")
    found["tables/responses.py"] = responses_module(endpoints)
    found["sync.py"] = sync_module(wrapper, found)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Writes the generated part of the wrapper.")
    parser.add_argument("--spec", type=Path, default=HERE / "trayport.yaml")
    parser.add_argument("--wrapper", type=Path, default=HERE.parent / "trayport_sdk")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        modules = written(options.spec.read_text(), options.wrapper)
    except (SpecError, ValueError) as error:
        print(f"openapi: {error}", file=sys.stderr)
        return 1
    for name, text in modules.items():
        target = options.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
