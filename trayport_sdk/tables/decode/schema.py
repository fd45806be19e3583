"""The columns of a table: their types, which of them a request has, and rows put into them.

The types of rows and columns are generated from the document; here they are cut to what a request
names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count, repeat
from keyword import iskeyword
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
import polars as pl
from polars.datatypes import DataType
from trayport_spec import ENDPOINTS, Column
from trayport_spec.schemas import SCHEMAS

Schema: TypeAlias = Mapping[str, DataType]
ColumnFilter: TypeAlias = Callable[[Column], bool]
"""Whether a column is part of a table."""


def column_filter(optional_fields: Sequence[str], parameters: Sequence[str]) -> ColumnFilter:
    """Which columns a request has: all but those that it could have named and did not."""

    def is_wanted(column: Column) -> bool:
        avoidable = column.optional_field is not None or column.added_by is not None
        wanted = column.optional_field in optional_fields or column.added_by in parameters
        return column.required or wanted or not avoidable

    return is_wanted


def schema_of(operation_id: str, wanted: ColumnFilter) -> Schema:
    """The columns of a table and their types, in the order of the document."""
    return _cut(ENDPOINTS[operation_id].row, SCHEMAS[operation_id], wanted)


def _cut(columns: Sequence[Column], schema: Schema, wanted: ColumnFilter) -> Schema:
    wanted_schema: dict[str, DataType] = {}
    for column in filter(wanted, columns):
        kind = schema[column.python_name]
        if column.fields:
            kind = _nested(kind, _cut(column.fields, _fields(kind), wanted))
        wanted_schema[column.python_name] = kind
    return wanted_schema


def _fields(kind: DataType) -> dict[str, Any]:
    """The fields of a struct, or of the structs in a list."""
    struct = kind.inner if isinstance(kind, pl.List) else kind
    return dict(struct.to_schema()) if isinstance(struct, pl.Struct) else {}


def _nested(kind: DataType, fields: Schema) -> DataType:
    """A struct, or a list of structs, with these fields."""
    return pl.List(pl.Struct(fields)) if isinstance(kind, pl.List) else pl.Struct(fields)


def to_frame(operation_id: str, rows: Sequence[Any], wanted: ColumnFilter) -> pl.DataFrame:
    """The rows of a response as a table."""
    schema = schema_of(operation_id, wanted)
    return from_rows(ENDPOINTS[operation_id].row, rows, schema)


def from_rows(columns: Sequence[Column], rows: Sequence[Any], schema: Schema) -> pl.DataFrame:
    """The rows as a table with the columns of a schema."""
    return pl.DataFrame(
        [
            _series(column, list(map(attrgetter(attribute(column)), rows)), kind)
            for column, kind in _typed(columns, schema)
        ]
    )


def attribute(column: Column) -> str:
    """The name of a column in the generated class of its row."""
    return column.python_name + "_" * iskeyword(column.python_name)


def _typed(columns: Sequence[Column], schema: Schema) -> Iterator[tuple[Column, DataType]]:
    """The columns that a schema has, with their types."""
    return ((c, schema[c.python_name]) for c in columns if c.python_name in schema)


def _series(column: Column, values: list[Any], kind: DataType) -> pl.Series:
    name = column.python_name
    if not column.required:
        values = [None if value is msgspec.UNSET else value for value in values]
    match column.type:
        case "timestamp":
            return pl.Series(name, values, dtype=pl.Int64).cast(kind)
        case "struct":
            present = [value for value in values if value is not None]
            structs = from_rows(column.fields, present, _fields(kind)).to_struct(name)
            return _in_place(structs, values, pl.Series(name, [None], dtype=kind))
        case "list":
            filled = [value for value in values if value]
            items = from_rows(column.fields, list(chain.from_iterable(filled)), _fields(kind))
            owners = chain.from_iterable(map(repeat, count(), map(len, filled)))
            owned = [pl.Series("owner", list(owners), dtype=pl.Int64), items.to_struct(name)]
            lists = pl.DataFrame(owned).group_by("owner", maintain_order=True).agg(name)
            return _in_place(lists[name], values, pl.Series(name, [None, []], dtype=kind))
        case _:
            return pl.Series(name, values, dtype=kind)


def _in_place(nested: pl.Series, values: Sequence[Any], gaps: pl.Series) -> pl.Series:
    """The nested values at their places in the column: gaps are null or empty lists."""
    if len(nested) == len(values):
        return nested
    following = iter(range(len(nested)))
    missing, empty = len(nested), len(nested) + 1
    return pl.concat([nested, gaps]).gather(
        [missing if v is None else next(following) if v else empty for v in values]
    )


def from_json(columns: Sequence[Column], text: bytes, schema: Schema) -> pl.DataFrame | None:
    """The table of a JSON array of rows that are known to be right, read at once; else None.

    Polars reads fast but does not check: it makes nulls and numbers out of what is neither. Of
    fields with the same name it takes the first, where the last counts, and it leaves out fields
    silently; the number of quotation marks shows both.
    """
    typed = list(_typed(columns, schema))
    try:
        frame = pl.read_json(text, schema=_as_sent(typed))
    except (pl.exceptions.PolarsError, ValueError):
        return None
    if _quotation_marks(typed, frame) != text.count(b'"'):
        return None
    if any(column.fields for column, _ in typed):
        frame = frame.with_columns(
            _renamed(pl.col(column.name), column, kind) for column, kind in typed if column.fields
        )
    for place, (column, kind) in enumerate(typed):
        if column.type == "timestamp":
            frame.replace_column(place, frame.to_series(place).cast(kind))
    frame.columns = [column.python_name for column, _ in typed]
    return frame


def _as_sent(typed: Sequence[tuple[Column, DataType]]) -> Schema:
    """The columns under the names that the API uses, times as the integers that it sends."""
    sent_schema: dict[str, DataType] = {}
    for column, kind in typed:
        if column.fields:
            kind = _nested(kind, _as_sent(list(_typed(column.fields, _fields(kind)))))
        sent_schema[column.name] = pl.Int64() if column.type == "timestamp" else kind
    return sent_schema


def _renamed(value: pl.Expr, column: Column, kind: DataType) -> pl.Expr:
    """A column with the names and types of the table."""
    if column.type == "timestamp":
        return value.cast(kind)
    if isinstance(kind, pl.List):
        struct = Column(column.name, column.python_name, "struct", "", fields=column.fields)
        return value.list.eval(_renamed(pl.element(), struct, pl.Struct(_fields(kind))))
    typed = list(_typed(column.fields, _fields(kind)))
    changed = [
        _renamed(pl.field(field.name), field, kind).alias(field.name)
        for field, kind in typed
        if field.fields or field.type == "timestamp"
    ]
    if changed:
        value = value.struct.with_fields(changed)
    return value.struct.rename_fields([field.python_name for field, _ in typed])


def _quotation_marks(typed: Sequence[tuple[Column, DataType]], table: pl.DataFrame) -> int:
    """How many quotation marks the text of a table has, if it has no other fields.

    Below zero when that cannot be known.
    """
    marks = 0
    for column, kind in typed:
        values = table.get_column(column.name)
        given = table.height - values.null_count()
        if column.nullable and not column.required and given < table.height:
            return -1  # the field may have been null or absent
        marks += 2 * (table.height if column.required else given)
        if column.type == "string":
            marks += 2 * given
        elif column.fields:
            if column.type == "list":
                values = values.explode(empty_as_null=False, keep_nulls=False)
            inner = values.drop_nulls().struct.unnest()
            within = _quotation_marks(list(_typed(column.fields, _fields(kind))), inner)
            if within < 0:
                return -1
            marks += within
    return marks
