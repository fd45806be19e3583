"""Writes `generated/trayport_spec` from the OpenAPI document and the table of venues.

    python openapi/generate.py [--spec FILE] [--venues FILE] [--out DIR]

Run `./codegen.sh` rather than this: it checks the document first and makes the client as well.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import spec_types as t
import yaml
from document import Document, Node, SpecError, check_assumptions, endpoint, venue

HERE = Path(__file__).resolve().parent
COPIED = "`openapi/document.py` fills them; `openapi/generate.py` copies this module beside them."
HEADER = '"""{title}\n\nGenerated from openapi/. Do not edit: run ./codegen.sh.\n"""\n'


def source(value: Any) -> str:
    """Python source that makes the value again, without what equals its default."""
    if attrs.has(type(value)):
        given = (
            f"{field.name}={source(getattr(value, field.name))}"
            for field in attrs.fields(type(value))
            if getattr(value, field.name) != field.default
        )
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, tuple):
        return "(" + "".join(source(item) + "," for item in value) + ")"
    return repr(value)


def dictionary(name: str, kind: str, entries: Mapping[str, object]) -> str:
    body = "".join(f"    {key!r}: {source(value)},\n" for key, value in entries.items())
    return f"{name}: Mapping[str, {kind}] = MappingProxyType({{\n{body}}})\n"


def modules(spec_text: str, venues_text: str) -> dict[str, str]:
    """The text of every module of `trayport_spec`, by file name."""
    root: Node = yaml.safe_load(spec_text)
    document = Document(root)
    check_assumptions(document, venues_text)
    endpoints = {
        e.operation_id: e for e in (endpoint(document, p, n) for p, n in document.operations())
    }
    venues = {
        v.code: v for v in (venue(document, r) for r in csv.DictReader(venues_text.splitlines()))
    }
    general: Node = root["x-trayport-limits"]
    requests = t.RequestLimits(
        per_second=general["requests"]["perSecond"],
        per_minute=general["requests"]["perMinute"],
        provenance=document.provenance(general["requests"], "requests"),
    )
    private_from = datetime.date.fromisoformat(general["history"]["privateOrdersFrom"])
    aliases = {
        alias: name
        for schema in root["components"]["schemas"].values()
        for alias, name in schema.get("x-trayport-aliases", {}).items()
    }
    (scheme,) = root["components"]["securitySchemes"].values()
    analytics, reference = (server["url"] for server in root["servers"])
    version = root["info"]["version"]
    digest = hashlib.sha256((spec_text + venues_text).encode()).hexdigest()

    imports = (
        "from __future__ import annotations\n\n"
        "from collections.abc import Mapping\nfrom types import MappingProxyType\n"
    )
    types = ", ".join(name for name in sorted(PUBLIC_TYPES))
    return {
        "types.py": HERE.joinpath("spec_types.py")
        .read_text()
        .replace(
            COPIED,
            "Generated from openapi/. Do not edit: run ./codegen.sh.",
        ),
        "endpoints.py": HEADER.format(title="The operations of both APIs, by operation id.")
        + imports
        + "import datetime\n\n"
        + f"from .types import {types}\n\n"
        + dictionary("ENDPOINTS", "Endpoint", endpoints),
        "venues.py": HEADER.format(title="The venues, by code.")
        + imports
        + "import datetime\n\nfrom .types import Provenance, Venue\n\n"
        + dictionary("VENUES", "Venue", venues),
        "facts.py": HEADER.format(title="What holds for the whole of both APIs.")
        + imports
        + "import datetime\n\nfrom .types import Provenance, RequestLimits\n\n"
        + f"SPEC_VERSION = {version!r}\n"
        + f"SPEC_HASH = {digest!r}\n"
        + f"API_KEY_HEADER = {scheme['name']!r}\n"
        + f"ANALYTICS_URL = {analytics!r}\n"
        + f"REFERENCE_URL = {reference!r}\n"
        + f"REQUEST_LIMITS = {source(requests)}\n"
        + f"PRIVATE_ORDERS_FROM = {private_from!r}\n"
        + dictionary("CONTRACT_TYPE_ALIASES", "str", aliases)
        + dictionary("ASSUMPTIONS", "str", root["x-trayport-assumptions"]),
        "__init__.py": HEADER.format(
            title="The contract of the API as tables: operations, limits, columns, venues."
        )
        + "from .endpoints import ENDPOINTS\n"
        + f"from .facts import {', '.join(FACTS)}\n"
        + f"from .types import {types}\n"
        + "from .venues import VENUES\n\n"
        + f"__all__ = {sorted(['ENDPOINTS', 'VENUES', *FACTS, *PUBLIC_TYPES])!r}\n",
        "py.typed": "",
    }


FACTS = (
    "ANALYTICS_URL", "API_KEY_HEADER", "ASSUMPTIONS", "CONTRACT_TYPE_ALIASES",
    "PRIVATE_ORDERS_FROM", "REFERENCE_URL", "REQUEST_LIMITS", "SPEC_HASH", "SPEC_VERSION",
)  # fmt: skip
PUBLIC_TYPES = (
    "Alignment", "Batch", "Column", "Endpoint", "IntervalLimit", "Limits", "Parameter",
    "Provenance", "RangeLimit", "RequestLimits", "Venue",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Writes the tables made from the OpenAPI document."
    )
    parser.add_argument("--spec", type=Path, default=HERE / "trayport.yaml")
    parser.add_argument("--venues", type=Path, default=HERE / "venues.csv")
    parser.add_argument("--out", type=Path, default=HERE.parent / "generated" / "trayport_spec")
    options = parser.parse_args(arguments)
    try:
        written = modules(options.spec.read_text(), options.venues.read_text())
    except SpecError as error:
        print(f"openapi: {error}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (options.out / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
