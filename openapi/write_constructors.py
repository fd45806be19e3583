"""Writes what makes models of tables: a function per model, whose loop sets the fields.

The constructors of the models do no more than that, as they check and convert nothing.
"""

from __future__ import annotations

import spec_types as t
from document import Api, Columns, class_of, shapes, snake
from openapi_python_client.strings import fix_reserved_words

PATH = "trayport_sdk/tables/constructors.py"
HEAD = '''"""Models of the rows of tables, by operation id.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl
from trayport_api import models

from .models import Make, blank, lists, members, optional, required, structs, times
'''


def constructor(schema: str, columns: Columns) -> str:
    """The function that makes the models of a schema."""
    targets = [f"one.{fix_reserved_words(column.python_name)}" for column in columns]
    values = [value(column, schema) for column in columns]
    return (
        f"\n\ndef {function(schema)}(rows: pl.DataFrame) -> list[models.{schema}]:\n"
        f"    made = blank(models.{schema}, rows)\n"
        f"    one: models.{schema}\n"
        f"    for one, {', '.join(targets)} in zip(made, {', '.join(values)}, strict=True):\n"
        "        pass\n"
        "    return made\n"
    )


def value(column: t.Column, schema: str) -> str:
    """The call that gives the values of a column."""
    kind = "required" if column.required else "optional"
    reader = ""
    if column.fields:
        reader = f", {column.type}s({function(class_of(column, schema))})"
    elif column.enum:
        reader = f", members(models.{class_of(column, schema)})"
    elif column.type == "timestamp":
        reader = ", times"
    return f"{kind}(rows, {column.python_name!r}{reader})"


def function(schema: str) -> str:
    """The name of the function that makes the models of a schema."""
    return f"make_{snake(schema)}"


def modules(api: Api) -> dict[str, str]:
    """The text of the module, by its path in the repository."""
    tables = [endpoint for endpoint in api.endpoints.values() if endpoint.api != "reference"]
    found = dict(shape for table in tables for shape in shapes(table.schema, table.row))
    functions = "".join(constructor(*shape) for shape in found.items())
    entries = "".join(f"    {e.operation_id!r}: {function(e.schema)},\n" for e in tables)
    table = f"\n\nCONSTRUCTORS: Mapping[str, Make[Any]] = MappingProxyType({{\n{entries}}})\n"
    return {PATH: f"{HEAD}{functions}{table}"}
