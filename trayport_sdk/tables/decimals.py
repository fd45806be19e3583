"""Floats as the decimals that they were written as."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..errors import TrayportValidationError

if TYPE_CHECKING:
    import polars as pl
    from polars.datatypes import DataType, DataTypeClass

    # Fields of structs may be typed by a class alone.
    _Type: TypeAlias = DataType | DataTypeClass

DIGITS = 38
# The shortest text of a float: digits before the point and after it, and the power of ten.
_FLOAT = r"^-?(\d+)(?:\.(\d*?)0*)?(?:e([+-]?\d+))?$"


def with_decimals(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with decimals for floats, those inside nested columns too.

    Raises:
        TrayportValidationError: The values of a column need more digits than a decimal has.
    """
    import polars as pl

    return frame.with_columns(
        _changed(values, pl.col(values.name)).alias(values.name)
        for values in frame.iter_columns()
        if _has_floats(values.dtype)
    )


def _has_floats(kind: _Type) -> bool:
    import polars as pl

    match kind:
        case pl.Struct():
            return any(_has_floats(field.dtype) for field in kind.fields)
        case pl.List():
            return _has_floats(kind.inner)
        case _:
            return kind == pl.Float64


def _changed(values: pl.Series, value: pl.Expr) -> pl.Expr:
    """The expression that changes values, made to fit all that there are."""
    import polars as pl

    match values.dtype:
        case pl.Float64():
            return value.cast(pl.String).cast(pl.Decimal(DIGITS, _places(values)))
        case pl.Struct():
            fields = (
                _changed(inner, value.struct.field(inner.name)).alias(inner.name)
                for inner in values.struct.unnest().iter_columns()
            )
            return pl.when(value.is_not_null()).then(pl.struct(fields))
        case pl.List():
            return value.list.eval(_changed(values.explode(), pl.element()))
        case _:
            return value


def _places(values: pl.Series) -> int:
    """The fewest decimal places that lose nothing of any value."""
    import polars as pl

    parts = pl.col("text").str.extract_groups(_FLOAT).struct
    power = parts.field("3").cast(pl.Int64).fill_null(0)
    sizes = (
        values.drop_nulls()
        .unique()
        .cast(pl.String)
        .to_frame("text")
        .select(
            "text",
            # What is not a number has no digits, so it gets more than fit.
            (parts.field("1").str.len_bytes() + power).fill_null(DIGITS + 1).alias("before"),
            (parts.field("2").str.len_bytes().fill_null(0) - power).alias("after"),
        )
    )
    if sizes.is_empty():
        return 0
    widest = sizes.row(sizes["before"].arg_max() or 0, named=True)
    finest = sizes.row(sizes["after"].arg_max() or 0, named=True)
    places: int = max(finest["after"], 0)
    if max(widest["before"], 1) + places > DIGITS:
        raise TrayportValidationError(
            f"values of {values.name} such as {widest['text']} and {finest['text']} do not fit "
            f"decimals of {DIGITS} digits",
            parameter="decimal",
            limit=f"{DIGITS} digits",
            suggestion="leave decimal out, or leave out the rows of such values",
        )
    return places
