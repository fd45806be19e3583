"""Times in a coarser unit than nanoseconds, with nothing lost that was not meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

import polars as pl

from ..errors import TrayportValidationError, invalid, unknown_value
from . import convert

TimeUnit: TypeAlias = Literal["ns", "us", "ms"]
"""Nanoseconds, microseconds or milliseconds."""
OnLoss: TypeAlias = Literal["raise", "extra_column"]
"""What is done about times that have a part below the unit."""

TIME_UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)
ON_LOSS = get_args(OnLoss)
NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000}
REST_TYPES = {"us": pl.Int16, "ms": pl.Int32}


def check_time_unit(time_unit: str, on_loss: str) -> None:
    """Checks a unit, and what is done about the part of times below it.

    Raises:
        TrayportValidationError: One of them is unknown, or nothing could be lost.
    """
    if time_unit not in TIME_UNITS:
        raise unknown_value("time_unit", time_unit, TIME_UNITS)
    if on_loss not in ON_LOSS:
        raise unknown_value("on_loss", on_loss, ON_LOSS)
    if on_loss == "extra_column" and time_unit == "ns":
        reason = 'does nothing with time_unit="ns", which loses nothing'
        way_out = 'give time_unit="us" or "ms", or leave it out'
        raise invalid("on_loss", on_loss, reason, way_out, "us, ms")


def with_time_unit(
    frame: pl.DataFrame, time_unit: TimeUnit, *, on_loss: OnLoss = "raise"
) -> pl.DataFrame:
    """A frame with all its time columns in a unit, for what knows no nanoseconds.

    Times inside structs and lists are cast too. A time that is finer than the unit is never cut
    silently.

    Args:
        frame: Any polars frame.
        time_unit: `"us"` for microseconds, `"ms"` for milliseconds; `"ns"` changes nothing.
        on_loss: `"raise"`, or `"extra_column"` to keep what is below the unit: after each time
            column that is finer than the unit, whatever its values, stands `<column>_ns`, the
            nanoseconds to add, from 0 to 999 (`Int16`) or 999,999 (`Int32`). A time in a struct
            has it as a field after it, which becomes a column of its own where structs do.

    Raises:
        TrayportValidationError: A time has a part below the unit, an argument is unknown, or the
            name of an extra column is taken.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     trades = await client.trades.get_trades(
        ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
        ...     )
        >>> frame = with_time_unit(trades.to_polars(), "us", on_loss="extra_column")
        >>> frame.select("deal_date", "deal_date_ns").dtypes
        [Datetime(time_unit='us', time_zone='UTC'), Int16]
    """
    check_time_unit(time_unit, on_loss)
    if time_unit == "ns":
        return frame
    if on_loss == "raise":
        _check(frame, time_unit)
    columns: list[pl.Expr] = []
    for name, kind in frame.schema.items():
        columns += _fields(pl.col(name), name, kind, time_unit, keep=on_loss == "extra_column")
    try:
        return frame.select(columns)
    except pl.exceptions.DuplicateError as error:
        raise TrayportValidationError(
            f"a time column has an extra column whose name is taken: {error}",
            parameter="on_loss",
            suggestion="rename that column first",
        ) from error


def _ratio(kind: pl.Datetime, unit: TimeUnit) -> int:
    """How many units of a column make one of the unit; 0 where they are as coarse already."""
    return NANOSECONDS[unit] // NANOSECONDS[kind.time_unit]


def _fields(
    value: pl.Expr, name: str, kind: convert.PolarsDataType, unit: TimeUnit, *, keep: bool
) -> Iterator[pl.Expr]:
    """A column or field in the unit, and what is below it, if that is kept."""
    match kind:
        case pl.Datetime() if (ratio := _ratio(kind, unit)) > 1:
            whole = value.to_physical()
            yield (whole // ratio).cast(pl.Datetime(unit, kind.time_zone)).alias(name)
            if keep:
                rest = whole % ratio * NANOSECONDS[kind.time_unit]
                yield rest.cast(REST_TYPES[unit]).alias(f"{name}_ns")
        case pl.Datetime():
            yield value.dt.cast_time_unit(unit).alias(name)
        case pl.Struct():
            fields: list[pl.Expr] = []
            for inner in kind.fields:
                field = value.struct.field(inner.name)
                fields += _fields(field, inner.name, inner.dtype, unit, keep=keep)
            yield pl.when(value.is_not_null()).then(pl.struct(fields)).alias(name)
        case pl.List():
            for part in _fields(pl.element(), name, kind.inner, unit, keep=keep):
                yield value.list.eval(part).alias(part.meta.output_name())
        case _:
            yield value.alias(name)


def _check(frame: pl.DataFrame, unit: TimeUnit) -> None:
    for values in frame.iter_columns():
        for name, times in _times(values, values.name):
            ratio = _ratio(times.dtype, unit) if isinstance(times.dtype, pl.Datetime) else 0
            if ratio > 1 and (finer := times.filter(times.to_physical() % ratio != 0)).len():
                first = convert.texts(finer.head(1).to_frame()).item()
                raise TrayportValidationError(
                    f"column {name!r} has the time {first}, of which time_unit {unit!r} would "
                    "lose a part",
                    parameter="time_unit",
                    limit=f"whole {unit}",
                    suggestion=f'give on_loss="extra_column", which keeps that part in {name}_ns, '
                    'or time_unit="ns"',
                )


def _times(values: pl.Series, name: str) -> Iterator[tuple[str, pl.Series]]:
    """The times of a column or field, those inside it too, each with its path."""
    match values.dtype:
        case pl.Datetime():
            yield name, values
        case pl.Struct():
            for inner in values.struct.unnest().iter_columns():
                yield from _times(inner, f"{name}.{inner.name}")
        case pl.List():
            yield from _times(values.explode(), name)
        case _:
            pass
