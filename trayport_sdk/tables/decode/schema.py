"""The columns of a table: their types, which of them a request has, and rows put into them.

The types of rows and columns are generated from the document; here they are cut to what a request
names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, count, repeat
from keyword import iskeyword
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
import polars as pl
from attrs import frozen
from polars.datatypes import DataType
from trayport_spec import ENDPOINTS, Column
from trayport_spec.schemas import SCHEMAS

ColumnFilter: TypeAlias = Callable[[Column], bool]
"""Whether a column is part of a table."""


@frozen
class RequestedColumns:
    """Which columns a request has: all but those that it could have named and did not."""

    optional_fields: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    def __call__(self, column: Column) -> bool:
        """Whether a column is part of the table."""
        avoidable = column.optional_field is not None or column.added_by is not None
        wanted = column.optional_field in self.optional_fields or column.added_by in self.parameters
        return column.required or wanted or not avoidable


@frozen
class TypedColumn:
    """A column of a table with its type, and with its fields when it has structs."""

    column: Column
    kind: DataType
    fields: tuple[TypedColumn, ...] = ()

    @property
    def name(self) -> str:
        """The name in tables."""
        return self.column.python_name


@lru_cache
def typed_columns(operation_id: str, wanted: ColumnFilter) -> tuple[TypedColumn, ...]:
    """The columns that the table of a request has, in the order of the document."""
    return _typed(ENDPOINTS[operation_id].row, SCHEMAS[operation_id], wanted)


def _typed(
    columns: Sequence[Column], schema: Mapping[str, DataType], wanted: ColumnFilter
) -> tuple[TypedColumn, ...]:
    typed: list[TypedColumn] = []
    for column in filter(wanted, columns):
        kind = schema[column.python_name]
        fields: tuple[TypedColumn, ...] = ()
        if column.fields:
            struct = kind.inner if isinstance(kind, pl.List) else kind
            inner: Any = dict(struct.to_schema()) if isinstance(struct, pl.Struct) else {}
            fields = _typed(column.fields, inner, wanted)
            kind = _nested(kind, {field.name: field.kind for field in fields})
        typed.append(TypedColumn(column, kind, fields))
    return tuple(typed)


def _nested(kind: DataType, fields: Mapping[str, DataType]) -> DataType:
    """A struct, or a list of structs, with these fields."""
    return pl.List(pl.Struct(fields)) if isinstance(kind, pl.List) else pl.Struct(fields)


def to_frame(operation_id: str, rows: Sequence[Any], wanted: ColumnFilter) -> pl.DataFrame:
    """The rows of a response as a table."""
    return from_rows(typed_columns(operation_id, wanted), rows)


def from_rows(columns: Sequence[TypedColumn], rows: Sequence[Any]) -> pl.DataFrame:
    """The rows as a table with these columns."""
    return pl.DataFrame(
        [_series(c, list(map(attrgetter(attribute(c.column)), rows))) for c in columns]
    )


def attribute(column: Column) -> str:
    """The name of a column in the generated class of its row."""
    return column.python_name + "_" * iskeyword(column.python_name)


def _series(typed: TypedColumn, values: list[Any]) -> pl.Series:
    name, kind = typed.name, typed.kind
    if not typed.column.required:
        values = [None if value is msgspec.UNSET else value for value in values]
    match typed.column.type:
        case "timestamp":
            return pl.Series(name, values, dtype=pl.Int64).cast(kind)
        case "struct":
            present = [value for value in values if value is not None]
            structs = from_rows(typed.fields, present).to_struct(name)
            return _in_place(structs, values, pl.Series(name, [None], dtype=kind))
        case "list":
            filled = [value for value in values if value]
            items = from_rows(typed.fields, list(chain.from_iterable(filled)))
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
