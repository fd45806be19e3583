"""The types of columns that were written as text, from the tables of the endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trayport_spec import ENDPOINTS, Column

from .decode.columns import ColumnFilter, to_frame
from .flattening import changed_times, flat

if TYPE_CHECKING:
    import polars as pl
    from polars.datatypes import DataType

ISO_WITH_OFFSET = "%Y-%m-%dT%H:%M:%S%.f%#z"
"""Reads times of UTC, and those that were written in the time of a zone."""


def scan_text(files: Sequence[Path], kind: str) -> pl.LazyFrame:
    """Files of CSV or JSON Lines as one table with the types it had when it was written."""
    import polars as pl

    names: Any = list(files)
    if kind == ".csv":
        found = pl.scan_csv(names, glob=False, infer_schema=False).collect_schema()
    else:
        found = pl.scan_ndjson(names).collect_schema()
    types = _typed(found, nested=kind != ".csv")
    as_text = {name: _as_text(type_) for name, type_ in types.items()}
    if kind == ".csv":
        table = pl.scan_csv(names, glob=False, schema=as_text)
    else:
        table = pl.scan_ndjson(names, schema=as_text)

    def read(text: pl.Expr) -> pl.Expr:
        return text.str.to_datetime(ISO_WITH_OFFSET, time_unit="ns", time_zone="UTC")

    return table.with_columns(changed_times(pl.Schema(types), read))


def text_schema(files: Sequence[Path], kind: str) -> Any:
    """The columns of such files, for Arrow."""
    import polars as pl

    schema = scan_text(files, kind).collect_schema()
    pa = import_module("pyarrow")
    table = cast("Any", pl.DataFrame(schema=schema).to_arrow())
    return pa.schema([(field.name, _with_small_lists(field.type, pa)) for field in table.schema])


def _with_small_lists(type_: Any, pa: Any) -> Any:
    """The type of Arrow, as its reader of JSON knows it."""
    if pa.types.is_large_list(type_):
        return pa.list_(_with_small_lists(type_.value_type, pa))
    if pa.types.is_struct(type_):
        return pa.struct([(field.name, _with_small_lists(field.type, pa)) for field in type_])
    return type_


def _typed(found: Mapping[str, DataType], *, nested: bool) -> dict[str, DataType]:
    """The types of columns: as the tables say, where one has the columns, or as they look."""
    # What has more required columns than another one may have all of the other's too.
    for required, known in sorted(_tables(nested=nested), key=lambda one: -len(one[0])):
        if required <= found.keys():
            return {name: _part(known.get(name), type_, nested) for name, type_ in found.items()}
    return dict(found)


@cache
def _tables(*, nested: bool) -> list[tuple[frozenset[str], Mapping[str, DataType]]]:
    """The required columns of each endpoint, and the types of all its columns."""

    def schema(columns: Sequence[Column], asked: ColumnFilter) -> Mapping[str, DataType]:
        frame = to_frame(columns, [], asked)
        return (frame if nested else flat(frame)).schema

    rows = [endpoint.row for endpoint in ENDPOINTS.values() if endpoint.api == "analytics"]
    return [
        (frozenset(schema(row, lambda column: column.required)), schema(row, lambda _: True))
        for row in rows
    ]


def _part(known: DataType | None, found: DataType, has_types: bool) -> DataType:
    """The type of a column, with those of its fields that are there."""
    import polars as pl

    match known, found:
        case None, _:
            return pl.String() if isinstance(found, pl.Null) else found
        case pl.Struct(), pl.Struct():
            types = _fields(known)
            return pl.Struct(
                {
                    name: _part(types.get(name), type_, has_types)
                    for name, type_ in _fields(found).items()
                }
            )
        case pl.List(), pl.List():
            return pl.List(_part(_instance(known.inner), _instance(found.inner), has_types))
        case pl.Float64(), pl.String() if has_types:
            return found  # decimals, which JSON Lines keep as text
        case _:
            return known


def _as_text(type_: DataType) -> DataType:
    """The type as files of text have it: times are texts."""
    import polars as pl

    match type_:
        case pl.Datetime():
            return pl.String()
        case pl.Struct():
            return pl.Struct({name: _as_text(field) for name, field in _fields(type_).items()})
        case pl.List():
            return pl.List(_as_text(_instance(type_.inner)))
        case _:
            return type_


def _fields(struct: pl.Struct) -> dict[str, DataType]:
    return {field.name: _instance(field.dtype) for field in struct.fields}


def _instance(type_: Any) -> DataType:
    """The type itself, where it may be given as a class."""
    made: DataType = type_() if isinstance(type_, type) else type_
    return made
