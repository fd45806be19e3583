"""Tables for files that know neither nesting nor nanoseconds: flat columns, and times as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trayport_api.models import OrderSide

if TYPE_CHECKING:
    import polars as pl
    from polars.datatypes import DataType, DataTypeClass

    # Whole fields may be named by their class alone.
    PolarsDataType = DataType | DataTypeClass

SIDES = {"bids": OrderSide.BID, "asks": OrderSide.ASK}
ISO_NANOSECONDS = "%Y-%m-%dT%H:%M:%S%.9fZ"


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The table without nesting: a row per order, a column `outer_inner` per nested field."""
    import polars as pl

    if SIDES.keys() <= set(frame.columns):
        frame = _orders(frame)
    while structs := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        frame = frame.with_columns(
            pl.col(name).name.prefix_fields(f"{name}_") for name in structs
        ).unnest(structs)
    return frame


def _orders(frame: pl.DataFrame) -> pl.DataFrame:
    """A row per order, with its side and level, 0 for the best; a book without any keeps a row."""
    import polars as pl

    keys = ["point", *(name for name in frame.columns if name not in SIDES)]
    points = frame.with_row_index("point")
    sides = [
        points.filter(pl.col(name).list.len() > 0)
        .with_columns(
            pl.lit(str(side)).alias("side"), pl.int_ranges(pl.col(name).list.len()).alias("level")
        )
        .select(*keys, "side", "level", pl.col(name).alias("order"))
        .explode("level", "order")
        .unnest("order")
        for name, side in SIDES.items()
    ]
    # A side that is not known has no orders either.
    sizes = (pl.col(name).list.len().fill_null(0) for name in SIDES)
    empty = points.filter(pl.all_horizontal(size == 0 for size in sizes))
    # Decimals of the sides may differ in their places; without relaxing, one side would lose some.
    return (
        pl.concat([*sides, empty.select(keys)], how="diagonal_relaxed")
        .sort("point", maintain_order=True)
        .drop("point")
    )


def texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with times as ISO-8601 text to the nanosecond."""
    return with_times(frame, lambda time: time.dt.strftime(ISO_NANOSECONDS))


def with_times(frame: pl.DataFrame, change: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """The table with every time changed, those inside nested columns too."""
    return frame.with_columns(changed_times(frame.schema, change))


def changed_times(schema: pl.Schema, change: Callable[[pl.Expr], pl.Expr]) -> list[pl.Expr]:
    """The columns that hold times, changed."""
    import polars as pl

    return [
        _changed(pl.col(name), kind, change).alias(name)
        for name, kind in schema.items()
        if has_times(kind)
    ]


def has_times(kind: PolarsDataType) -> bool:
    """Whether there are times in a column of this type, however deep they lie."""
    import polars as pl

    match kind:
        case pl.Struct():
            return any(has_times(field.dtype) for field in kind.fields)
        case pl.List():
            return has_times(kind.inner)
        case _:
            return isinstance(kind, pl.Datetime)


def _changed(value: pl.Expr, kind: PolarsDataType, change: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    import polars as pl

    match kind:
        case pl.Datetime():
            return change(value)
        case pl.Struct():
            fields = (
                _changed(value.struct.field(field.name), field.dtype, change).alias(field.name)
                for field in kind.fields
            )
            return pl.when(value.is_not_null()).then(pl.struct(fields))
        case pl.List():
            return value.list.eval(_changed(pl.element(), kind.inner, change))
        case _:
            return value
