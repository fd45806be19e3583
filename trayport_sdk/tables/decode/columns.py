"""The columns of a table: their types, which of them were asked for, and rows put into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, count, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from trayport_spec import Column

if TYPE_CHECKING:
    import polars as pl

ColumnFilter: TypeAlias = Callable[[Column], bool]
"""Whether a column is part of a table."""


def column_filter(optional_fields: Sequence[str], parameters: Sequence[str]) -> ColumnFilter:
    """Which columns a request asked for: all but those it could have named and did not."""

    def asked(column: Column) -> bool:
        avoidable = column.optional_field is not None or column.brought_by is not None
        wanted = column.optional_field in optional_fields or column.brought_by in parameters
        return column.required or wanted or not avoidable

    return asked


def to_frame(columns: Sequence[Column], rows: Sequence[Any], asked: ColumnFilter) -> pl.DataFrame:
    """The rows as a table with the columns asked for, in the order of the tables."""
    import polars as pl

    return pl.DataFrame(
        [
            _series(column, list(map(attrgetter(column.python_name), rows)), asked)
            for column in columns
            if asked(column)
        ]
    )


def _series(column: Column, values: list[Any], asked: ColumnFilter) -> pl.Series:
    import polars as pl

    name, kind = column.python_name, data_type(column, asked)
    if not column.required:
        values = [None if value is msgspec.UNSET else value for value in values]
    match column.type:
        case "timestamp":
            return pl.Series(name, values, dtype=pl.Int64).cast(kind)
        case "struct":
            present = [value for value in values if value is not None]
            structs = to_frame(column.fields, present, asked).to_struct(name)
            return _in_place(structs, values, pl.Series(name, [None], dtype=kind))
        case "list":
            filled = [value for value in values if value]
            items = to_frame(column.fields, list(chain.from_iterable(filled)), asked)
            owners = chain.from_iterable(map(repeat, count(), map(len, filled)))
            owned = [pl.Series("owner", list(owners), dtype=pl.Int64), items.to_struct(name)]
            lists = pl.DataFrame(owned).group_by("owner", maintain_order=True).agg(name)
            return _in_place(lists[name], values, pl.Series(name, [None, []], dtype=kind))
        case _:
            return pl.Series(name, values, dtype=kind)


def _in_place(found: pl.Series, values: Sequence[Any], gaps: pl.Series) -> pl.Series:
    """The nested values found, at the places they have among all: gaps are null or empty lists."""
    import polars as pl

    if len(found) == len(values):
        return found
    following = iter(range(len(found)))
    missing, empty = len(found), len(found) + 1
    return pl.concat([found, gaps]).gather(
        [missing if v is None else next(following) if v else empty for v in values]
    )


def data_type(column: Column, asked: ColumnFilter) -> pl.DataType:
    """The polars type of a column."""
    import polars as pl

    match column.type:
        case "int64":
            return pl.Int64()
        case "timestamp":
            return pl.Datetime("ns", "UTC")
        case "float64":
            return pl.Float64()
        case "bool":
            return pl.Boolean()
        case "string":
            return pl.String()
        case "struct" | "list":
            struct = pl.Struct(
                {c.python_name: data_type(c, asked) for c in column.fields if asked(c)}
            )
            return struct if column.type == "struct" else pl.List(struct)


def from_json(columns: Sequence[Column], text: bytes, asked: ColumnFilter) -> pl.DataFrame | None:
    """The table of a JSON array of rows that are known to be right, read at once; else None.

    Polars reads fast, and only what is known to be right may be given to it: it makes nulls and
    numbers out of what is neither. It takes the first of fields with the same name, where the last
    one counts, and leaves out fields without a word; the number of quotation marks tells.
    """
    import polars as pl

    wanted = [column for column in columns if asked(column)]
    try:
        found = pl.read_json(text, schema={c.name: _as_sent(c, asked) for c in wanted})
    except (pl.exceptions.PolarsError, ValueError):
        return None
    if _quotation_marks(wanted, found, asked) != text.count(b'"'):
        return None
    if any(column.fields for column in wanted):
        found = found.with_columns(
            _renamed(pl.col(column.name), column, asked) for column in wanted if column.fields
        )
    for place, column in enumerate(wanted):
        if column.type == "timestamp":
            found.replace_column(place, found.to_series(place).cast(data_type(column, asked)))
    found.columns = [column.python_name for column in wanted]
    return found


def _as_sent(column: Column, asked: ColumnFilter) -> pl.DataType:
    """The type of a column under the names that the API uses, times as they are sent."""
    import polars as pl

    if column.type == "timestamp":
        return pl.Int64()
    if not column.fields:
        return data_type(column, asked)
    struct = pl.Struct({c.name: _as_sent(c, asked) for c in column.fields if asked(c)})
    return struct if column.type == "struct" else pl.List(struct)


def _renamed(value: pl.Expr, column: Column, asked: ColumnFilter) -> pl.Expr:
    """A column with the names and types of the table."""
    import polars as pl

    fields = [field for field in column.fields if asked(field)]
    match column.type:
        case "timestamp":
            return value.cast(data_type(column, asked))
        case "struct":
            nested = [field for field in fields if field.fields or field.type == "timestamp"]
            if nested:
                value = value.struct.with_fields(
                    _renamed(pl.field(field.name), field, asked).alias(field.name)
                    for field in nested
                )
            return value.struct.rename_fields([field.python_name for field in fields])
        case "list":
            one = Column(column.name, column.python_name, "struct", "", fields=column.fields)
            return value.list.eval(_renamed(pl.element(), one, asked))
        case _:
            return value


def _quotation_marks(columns: Sequence[Column], table: pl.DataFrame, asked: ColumnFilter) -> int:
    """How many quotation marks the text of a table has, if it has no other fields.

    Below zero when that cannot be told.
    """
    marks = 0
    for column in columns:
        values = table.get_column(column.name)
        given = table.height - values.null_count()
        if column.nullable and not column.required and given < table.height:
            return -1  # it cannot be told from a null whether the field was there
        marks += 2 * (table.height if column.required else given)
        match column.type:
            case "string":
                within = 2 * given
            case "struct":
                inner = values.drop_nulls().struct.unnest()
                within = _quotation_marks([c for c in column.fields if asked(c)], inner, asked)
            case "list":
                items = values.explode(empty_as_null=False, keep_nulls=False).struct.unnest()
                within = _quotation_marks([c for c in column.fields if asked(c)], items, asked)
            case _:
                within = 0
        if within < 0:
            return -1
        marks += within
    return marks
