"""The modules of `trayport_spec`: the contract of the API as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs
import spec_types as t
from document import Api, parameter, snake

HERE = Path(__file__).resolve().parent
FOLDER = "generated/trayport_spec"
COPIED = "`openapi/document.py` fills them; `openapi/generate.py` copies this module beside them."
MARK = "Generated from openapi/. Do not edit: run ./codegen.sh."
HEADER = f'"""{{title}}\n\n{MARK}\n"""\n\nfrom __future__ import annotations\n\n'
MAPPING = "from collections.abc import Mapping\nfrom types import MappingProxyType\n\n"
FACTS = (
    "ANALYTICS_URL", "API_KEY_HEADER", "ASSUMPTIONS", "CONTRACT_TYPE_ALIASES",
    "PRIVATE_ORDERS_FROM", "REFERENCE_URL", "REQUEST_LIMITS", "SPEC_HASH", "SPEC_VERSION",
)  # fmt: skip
TYPES = (
    "Alignment", "Batch", "Column", "Endpoint", "IntervalLimit", "Limits", "Parameter",
    "Provenance", "RangeLimit", "RequestLimits", "Venue",
)  # fmt: skip
# Their first fields speak for themselves, so they are given by position.
BRIEF = (t.Column, t.Parameter, t.Provenance, t.Venue)


class Source:
    """Python source that makes values again, without what equals its default.

    Values that have a name are written as this name.
    """

    def __init__(self, names: Mapping[object, str] | None = None) -> None:
        self.names = dict(names or {})

    def of(self, value: Any) -> str:
        if isinstance(value, t.Column | t.Parameter | tuple) and value in self.names:
            return self.names[cast("object", value)]
        return self.definition(value)

    def definition(self, value: Any) -> str:
        """The source of a value itself, of whose parts some may have names."""
        if attrs.has(type(value)):
            return f"{type(value).__name__}({', '.join(self._arguments(value))})"
        if isinstance(value, tuple):
            items = cast("tuple[object, ...]", value)
            return f"({', '.join(map(self.of, items))}{',' if len(items) == 1 else ''})"
        return repr(value)

    def _arguments(self, value: Any) -> Iterator[str]:
        by_position = isinstance(value, BRIEF)
        for field in attrs.fields(type(value)):
            given = getattr(value, field.name)
            if field.default is attrs.NOTHING and by_position:
                yield self.of(given)
            elif given != field.default:
                yield f"{field.name}={self.of(given)}"


def dictionary(name: str, kind: str, entries: Mapping[str, object], source: Source) -> str:
    body = "".join(f"    {key!r}: {source.of(value)},\n" for key, value in entries.items())
    return f"{name}: Mapping[str, {kind}] = MappingProxyType({{\n{body}}})\n"


def constant(name: str) -> str:
    return snake(name).upper()


def parameter_names(api: Api) -> dict[object, str]:
    """The names of the parameters that operations share, in the order of the document."""
    shared = api.root["components"]["parameters"].items()
    return {parameter(api.document, node): constant(name) for name, node in shared}


class Columns:
    """The module of the rows: those of a schema once, and so the columns that recur in them."""

    def __init__(self, api: Api) -> None:
        self.lines: list[str] = []
        self._source = Source()
        self._structs = {row: constant(name) for row, name in api.names.items()}
        counts = Counter(column for row in self._structs for column in row)
        self._recurring = {column for column, count in counts.items() if count > 1}
        rows = [endpoint.row for endpoint in api.endpoints.values()]
        for row in rows:
            self._write(row)
        self.names: dict[object, str] = {row: f"columns.{self._source.names[row]}" for row in rows}

    def _write(self, value: t.Column | tuple[t.Column, ...]) -> None:
        """Writes the named values that a value is made of, and the value if it has a name."""
        if value in self._source.names:
            return
        if isinstance(value, t.Column):
            self._write(value.fields)
        else:
            for column in value:
                self._write(column)
        name = self._name(value)
        if name is not None:
            self.lines.append(f"{name} = {self._source.definition(value)}\n")
            self._source.names[value] = name

    def _name(self, value: t.Column | tuple[t.Column, ...]) -> str | None:
        if not isinstance(value, t.Column):
            return self._structs.get(value)
        if value not in self._recurring:
            return None
        name = "_" + value.python_name.upper()
        taken = self._source.names.values()
        others = (f"{name}_{number}" for number in range(2, 100))
        return next(one for one in (name, *others) if one not in taken)


def modules(api: Api) -> dict[str, str]:
    """The text of every module of the package, by its path in the repository."""
    types = ", ".join(TYPES)
    plain = Source()
    facts = {
        "SPEC_VERSION": api.root["info"]["version"],
        "SPEC_HASH": api.digest,
        "API_KEY_HEADER": api.key_header,
        "ANALYTICS_URL": api.root["servers"][0]["url"],
        "REFERENCE_URL": api.root["servers"][1]["url"],
        "REQUEST_LIMITS": api.request_limits,
        "PRIVATE_ORDERS_FROM": api.private_orders_from,
    }
    shared = parameter_names(api)
    used = {p for endpoint in api.endpoints.values() for p in endpoint.parameters}
    columns = Columns(api)
    names = columns.names | {value: f"parameters.{name}" for value, name in shared.items()}
    written = {
        "types.py": HERE.joinpath("spec_types.py").read_text().replace(COPIED, MARK),
        "parameters.py": HEADER.format(title="The parameters that operations share.")
        + "from .types import Parameter, Provenance\n\n"
        + "".join(f"{n} = {plain.of(p)}\n" for p, n in shared.items() if p in used),
        "columns.py": HEADER.format(title="The rows, by the name of their schema.")
        + "from .types import Column, Provenance\n\n"
        + "".join(columns.lines),
        "endpoints.py": HEADER.format(title="The operations of both APIs, by operation id.")
        + f"import datetime\n{MAPPING}"
        + f"from . import columns, parameters\nfrom .types import {types}\n\n"
        + dictionary("ENDPOINTS", "Endpoint", api.endpoints, Source(names)),
        "venues.py": HEADER.format(title="The venues, by code.")
        + f"import datetime\n{MAPPING}from .types import Provenance, Venue\n\n# fmt: off\n"
        + dictionary("VENUES", "Venue", api.venues, plain),
        "facts.py": HEADER.format(title="What holds for the whole of both APIs.")
        + f"import datetime\n{MAPPING}from .types import Provenance, RequestLimits\n\n"
        + "".join(f"{name} = {plain.of(value)}\n" for name, value in facts.items())
        + dictionary("CONTRACT_TYPE_ALIASES", "str", api.aliases, plain)
        + dictionary("ASSUMPTIONS", "str", api.root["x-trayport-assumptions"], plain),
        "__init__.py": HEADER.format(
            title="The contract of the API as tables: operations, limits, columns, venues."
        )
        + "from .endpoints import ENDPOINTS\n"
        + f"from .facts import {', '.join(FACTS)}\n"
        + f"from .types import {types}\n"
        + "from .venues import VENUES\n\n"
        + f"__all__ = {sorted(['ENDPOINTS', 'VENUES', *FACTS, *TYPES])!r}\n",
        "py.typed": "",
    }
    return {f"{FOLDER}/{name}": text for name, text in written.items()}
