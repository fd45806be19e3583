"""The modules of `trayport_spec` that are loaded with a table: row types and column schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from typing import TypeAlias

import spec_types as t
from document import Api, Columns, snake

FOLDER = "generated/trayport_spec"
MARK = "Generated from openapi/. Do not edit: run ./codegen.sh."
ROWS = f'''"""The types that a strict decoder gives to responses and to the rows in them.

{MARK}
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec

LEAST, MOST = -(2**63), 2**63 - 1
'''
SCHEMAS = f'''"""The columns of tables in polars, optional ones too, by operation id.

{MARK}
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

'''
Names: TypeAlias = Mapping[Columns, str]
SCALARS = {
    "int64": "pl.Int64()",
    "float64": "pl.Float64()",
    "string": "pl.String()",
    "bool": "pl.Boolean()",
    "timestamp": 'pl.Datetime("ns", "UTC")',
}


def member(column: t.Column, kind: str) -> str:
    """A line of a class: a field with its name on the wire."""
    name = column.python_name + "_" * iskeyword(column.python_name)
    kind += " | None" * column.nullable + " | msgspec.UnsetType" * (not column.required)
    if name != column.name:
        default = "" if column.required else "default=msgspec.UNSET, "
        return f"    {name}: {kind} = msgspec.field({default}name={column.name!r})\n"
    return f"    {name}: {kind}{'' if column.required else ' = msgspec.UNSET'}\n"


def row_type(column: t.Column, names: Names) -> str:
    match column.type:
        case "int64" | "timestamp":
            least = "LEAST" if column.minimum is None else int(column.minimum)
            return f"Annotated[int, msgspec.Meta(ge={least}, le=MOST)]"
        case "float64":
            return "float"
        case "bool":
            return "bool"
        case "string":
            return f"Literal{list(column.enum)!r}" if column.enum else "str"
        case "struct":
            return names[column.fields]
        case "list":
            return f"list[{names[column.fields]}]"


def column_type(column: t.Column, names: Names) -> str:
    if not column.fields:
        return SCALARS[column.type]
    struct = f"pl.Struct({snake(names[column.fields]).upper()})"
    return struct if column.type == "struct" else f"pl.List({struct})"


def struct(name: str, title: str, lines: Iterable[str]) -> str:
    head = f"class {name}(msgspec.Struct, kw_only=True, gc=False):"
    return f'\n\n{head}\n    """{title}"""\n\n{"".join(lines)}'


def rows_module(api: Api, names: Names) -> str:
    text = ROWS
    for columns, name in names.items():
        lines = [member(column, row_type(column, names)) for column in columns]
        text += struct(name, f"The object `{name}` of the document.", lines)
    kinds: dict[str, str] = {}
    for endpoint in api.endpoints.values():
        row = names[endpoint.row]
        kinds[endpoint.operation_id] = f"list[{row}]" if endpoint.root == "array" else row
        if endpoint.rows_at is not None:
            name = "".join(map(str.title, endpoint.key.split("_"))) + "Response"
            lines = [f"    rows: list[{row}] = msgspec.field(name={endpoint.rows_at!r})\n"]
            lines += [member(c, row_type(c, names)) for c in endpoint.envelope]
            text += struct(name, f"The response of `{endpoint.path}`.", lines)
            kinds[endpoint.operation_id] = name
    text += table("ROWS", "type[Any]", api, lambda endpoint: names[endpoint.row])
    return text + table("RESPONSE_TYPES", "Any", api, lambda endpoint: kinds[endpoint.operation_id])


def schemas_module(api: Api, names: Names) -> str:
    text = SCHEMAS
    for columns, name in names.items():
        kinds = "".join(f"{c.python_name!r}: {column_type(c, names)}, " for c in columns)
        text += f"{snake(name).upper()} = pl.Schema({{{kinds}}})\n"
    return text + table(
        "SCHEMAS", "pl.Schema", api, lambda endpoint: snake(names[endpoint.row]).upper()
    )


def table(name: str, kind: str, api: Api, value: Callable[[t.Endpoint], str]) -> str:
    entries = "".join(f"    {key!r}: {value(one)},\n" for key, one in api.endpoints.items())
    return f"\n{name}: Mapping[str, {kind}] = MappingProxyType({{\n{entries}}})\n"


def modules(api: Api) -> dict[str, str]:
    """The text of both modules, by their paths in the repository."""
    names = api.names
    return {
        f"{FOLDER}/rows.py": rows_module(api, names),
        f"{FOLDER}/schemas.py": schemas_module(api, names),
    }
