"""Tables into files that appear only when they are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trayport_api.models import OrderSide

from .errors import TrayportValidationError

if TYPE_CHECKING:
    import polars as pl
    from polars.datatypes import DataType, DataTypeClass

    # Whole fields may be named by their class alone.
    PolarsDataType = DataType | DataTypeClass

FORMATS = (".parquet", ".csv", ".jsonl")
SIDES = {"bids": OrderSide.BID, "asks": OrderSide.ASK}
ISO_NANOSECONDS = "%Y-%m-%dT%H:%M:%S%.9fZ"


def file_format(path: str | Path) -> str:
    """The format a file's name asks for.

    Raises:
        TrayportValidationError: The ending is not one that can be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise TrayportValidationError(
            f"out {str(path)!r} has no known ending",
            parameter="out",
            limit=", ".join(FORMATS),
            suggestion=f"use one of {', '.join(FORMATS)}",
        )
    return suffix


def check_writable(path: str | Path) -> None:
    """Finds out before the work is done that its result could not be written.

    Raises:
        TrayportValidationError: The path is a directory, or its directory cannot be written to.
    """
    target = Path(path)
    reason = ""
    if target.is_dir():
        reason = "is a directory"
    elif not target.parent.is_dir():
        reason = "lies in a directory that does not exist"
    elif not os.access(target.parent, os.W_OK):
        reason = "lies in a directory that may not be written to"
    if reason:
        raise TrayportValidationError(
            f"out {str(path)!r} {reason}", parameter="out", suggestion="choose another file"
        )


def write(frame: pl.DataFrame, path: str | Path, kind: str) -> None:
    """Writes a table to a file, which is replaced in one step once everything is written."""
    target = Path(path).resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    part = Path(name)
    try:
        if kind == ".parquet":
            frame.write_parquet(part, compression="zstd", compression_level=1)
        elif kind == ".csv":
            flat(frame).write_csv(part, datetime_format=ISO_NANOSECONDS)
        else:
            texts(frame).write_ndjson(part)
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
    empty = points.filter(pl.all_horizontal(pl.col(name).list.len() == 0 for name in SIDES))
    return (
        pl.concat([*sides, empty.select(keys)], how="diagonal")
        .sort("point", maintain_order=True)
        .drop("point")
    )


def texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with times as ISO-8601 text to the nanosecond."""
    return with_times(frame, lambda time: time.dt.strftime(ISO_NANOSECONDS))


def with_times(frame: pl.DataFrame, change: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """The table with every time changed, those inside nested columns too."""
    import polars as pl

    return frame.with_columns(
        _changed(pl.col(name), kind, change).alias(name)
        for name, kind in frame.schema.items()
        if _has_times(kind)
    )


def _has_times(kind: PolarsDataType) -> bool:
    import polars as pl

    match kind:
        case pl.Struct():
            return any(_has_times(field.dtype) for field in kind.fields)
        case pl.List():
            return _has_times(kind.inner)
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
