"""Tables in local time, with decimals, and as tables and arrays of other libraries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from zoneinfo import available_timezones

from ..errors import TrayportValidationError, require_extra
from .decimals import with_decimals
from .flattening import with_times

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import polars as pl
    from trayport_spec import Column

ArrowTable: TypeAlias = Any
"""A `pyarrow.Table`: the library tells type checkers nothing."""

LOCAL_TEXT = "%Y-%m-%dT%H:%M:%S%.9f%:z"


def converted(frame: pl.DataFrame, tz: str | None, *, decimal: bool) -> pl.DataFrame:
    """The table with times in a zone, and with decimals if they are wanted."""
    if tz is not None:
        _check_zone(tz)
        frame = with_times(frame, lambda time: time.dt.convert_time_zone(tz))
    return with_decimals(frame) if decimal else frame


def texts(frame: pl.DataFrame, tz: str | None, *, decimal: bool) -> pl.DataFrame:
    """The table for files of text: times of a zone are texts with their offset from UTC."""
    frame = converted(frame, tz, decimal=decimal)
    if tz is None:
        return frame
    return with_times(frame, lambda time: time.dt.strftime(LOCAL_TEXT))


def _check_zone(tz: str) -> None:
    import polars as pl

    with suppress(pl.exceptions.ComputeError, TypeError):
        pl.Series([], dtype=pl.Datetime("ns", "UTC")).dt.convert_time_zone(tz)
        if tz:
            return
    names = {name.lower(): name for name in available_timezones()}
    near = [names[name] for name in get_close_matches(str(tz).lower(), names)]
    raise TrayportValidationError(
        f"tz {tz!r} is no time zone",
        parameter="tz",
        limit="a name of the IANA time zone database",
        suggestion=f"use {' or '.join(near)}" if near else "use a name such as Europe/London",
    )


def arrow_table(frame: pl.DataFrame) -> ArrowTable:
    """The table of Arrow, which shares the memory of all columns but those of text."""
    require_extra("arrow", "pyarrow", what="to_arrow")
    return cast("ArrowTable", frame.to_arrow())


def pandas_frame(
    frame: pl.DataFrame, columns: Sequence[Column], *, arrow: bool, stamps: bool
) -> pd.DataFrame:
    """The frame of pandas.

    Args:
        frame: The table.
        columns: What the spec says of its columns.
        arrow: Whether the columns are those of Arrow, in the memory of the table.
        stamps: Whether times inside nested columns are time stamps, or whole numbers.
    """
    require_extra("pandas", "pandas", "pyarrow", what="to_pandas")
    import pandas as pd

    if arrow:
        return frame.to_pandas(use_pyarrow_extension_array=True)
    gaps = {column.python_name for column in columns if _may_be_missing(column)}
    return pd.DataFrame(
        {
            values.name: _pandas_column(
                values, has_gaps=values.name in gaps or values.has_nulls(), stamps=stamps
            )
            for values in frame.iter_columns()
        }
    )


def _pandas_column(values: pl.Series, *, has_gaps: bool, stamps: bool) -> pd.Series[Any]:
    import pandas as pd
    import polars as pl

    match values.dtype:
        case pl.Int64() if has_gaps:
            return pd.Series(pd.arrays.IntegerArray(*_filled(values)))
        case pl.Boolean() if has_gaps:
            return pd.Series(pd.arrays.BooleanArray(*_filled(values)))
        case pl.Struct() | pl.List() if stamps:
            return pd.Series(cast("Any", values.to_arrow()).to_pylist(), dtype=object)
        case pl.Struct() | pl.List() | pl.Decimal():
            return pd.Series(_objects(values), dtype=object)
        case _:
            return values.to_pandas()


def _filled(values: pl.Series) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The values, with something where they are missing, and where they are."""
    import polars as pl

    filling = False if values.dtype == pl.Boolean else 0
    return values.fill_null(filling).to_numpy(), values.is_null().to_numpy()


def _objects(values: pl.Series) -> list[Any]:
    """Values as Python has them, the times among them as whole nanoseconds."""
    import polars as pl

    whole = with_times(values.to_frame(), lambda time: time.cast(pl.Int64))
    return whole.get_column(values.name).to_list()


def numpy_arrays(
    frame: pl.DataFrame, columns: Sequence[Column], names: Iterable[str] | None
) -> dict[str, npt.NDArray[Any]]:
    """An array per column; the fields of structs are columns of their own.

    Args:
        frame: The table.
        columns: What the spec says of its columns.
        names: Which arrays; all if left out.

    Raises:
        TrayportValidationError: There is no column of a name.
    """
    flat = {
        values.name: (values, has_gaps)
        for values, has_gaps in _flat(frame, "", columns, has_gaps=False)
    }
    wanted = [names] if isinstance(names, str) else list(flat if names is None else names)
    for name in wanted:
        if name not in flat:
            near = get_close_matches(str(name), flat)
            raise TrayportValidationError(
                f"column {name!r} is not in the table",
                parameter="columns",
                limit=", ".join(flat),
                suggestion=f"use {' or '.join(near or flat)}",
            )
    return {name: _array(*flat[name]) for name in wanted}


def _flat(
    frame: pl.DataFrame, prefix: str, columns: Sequence[Column], *, has_gaps: bool
) -> Iterator[tuple[pl.Series, bool]]:
    """The columns, those inside structs too, and whether values may be missing in them."""
    import polars as pl

    known = {column.python_name: column for column in columns}
    for values in frame.iter_columns():
        column = known.get(values.name)
        gap = has_gaps or values.has_nulls() or _may_be_missing(column)
        name = prefix + values.name
        if values.dtype == pl.Struct:
            inner = column.fields if column else ()
            yield from _flat(values.struct.unnest(), f"{name}_", inner, has_gaps=gap)
        else:
            yield values.alias(name), gap


def _may_be_missing(column: Column | None) -> bool:
    return column is not None and (column.nullable or not column.required)


def _array(values: pl.Series, has_gaps: bool) -> npt.NDArray[Any]:
    import numpy as np
    import polars as pl

    match values.dtype:
        case pl.Int64() | pl.Boolean() if has_gaps:
            return np.ma.MaskedArray(*_filled(values))
        case pl.Datetime() as time:
            local = values if time.time_zone is None else values.dt.replace_time_zone(None)
            return local.to_numpy()
        case pl.List() | pl.Decimal() | pl.String():
            return np.fromiter(_objects(values), dtype=object, count=len(values))
        case _:
            return values.to_numpy()
