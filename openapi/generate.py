"""Writes what is generated beside the client: tables, and what is made from them.

    python openapi/generate.py [--spec FILE] [--venues FILE] [--out DIR]

Run `./codegen.sh` rather than this: it checks the document first and makes the client as well.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import write_builders
import write_constructors
import write_methods
import write_options
import write_places
import write_rows
import write_sync
import write_tables
from document import Api, SpecError

HERE = Path(__file__).resolve().parent
# Each makes the text of its modules, by their paths in the repository.
WRITERS = (
    write_tables.modules,
    write_rows.modules,
    write_constructors.modules,
    write_places.modules,
    write_builders.modules,
    write_options.modules,
    write_methods.modules,
)


def modules(spec_text: str, venues_text: str) -> dict[str, str]:
    """The text of every module that is written, by its path in the repository."""
    api = Api.read(spec_text, venues_text)
    found = {path: text for write in WRITERS for path, text in write(api).items()}
    return found | write_sync.modules(found)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Writes what is made from the OpenAPI document.")
    parser.add_argument("--spec", type=Path, default=HERE / "trayport.yaml")
    parser.add_argument("--venues", type=Path, default=HERE / "venues.csv")
    parser.add_argument("--out", type=Path, default=HERE.parent, help="in place of the repository")
    options = parser.parse_args(arguments)
    try:
        written = modules(options.spec.read_text(), options.venues.read_text())
    except SpecError as error:
        print(f"openapi: {error}", file=sys.stderr)
        return 1
    for name, text in written.items():
        path = options.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
