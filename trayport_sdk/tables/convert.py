"""Tables in local time, with decimals, flat, as text, and as those of other libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from zoneinfo import available_timezones

import polars as pl
from polars.datatypes import DataType, DataTypeClass
from trayport_api.models import OrderSide

from ..errors import TrayportValidationError, invalid, require_extra
from ..query.contracts import KIND_WORDS, ContractSpec, response_forms
from ..query.plan import CONTRACT

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from trayport_spec import Column

ArrowTable: TypeAlias = Any
"""A `pyarrow.Table`: the library has no types."""
PolarsDataType: TypeAlias = DataType | DataTypeClass
"""The type of a field may be a class alone."""

NAMES = ("contract_name", "period")
"""The columns after `contract`, its machine symbol: its name, and that of its delivery period."""
SIDES = {"bids": OrderSide.BID, "asks": OrderSide.ASK}
TIME_TEXT = "%Y-%m-%dT%H:%M:%S%."
PLACES = {"ns": "9f", "us": "6f", "ms": "3f"}
FORMULA = "^([=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])"
"""How text begins that spreadsheets run, by the list of OWASP (CSV injection)."""
DIGITS = 38
# The shortest text of a float: digits before the point and after it, and the power of ten.
_FLOAT = r"^-?(\d+)(?:\.(\d*?)0*)?(?:e([+-]?\d+))?$"


def changed(
    frame: pl.DataFrame, kind: DataTypeClass, change: Callable[[pl.Series, pl.Expr], pl.Expr]
) -> pl.DataFrame:
    """The table with all values of a type changed, those inside nested columns too.

    Args:
        frame: The table.
        kind: The type.
        change: Takes all values of a column or field, and the expression that gives them.
    """
    return frame.with_columns(
        _changed(values, pl.col(values.name), kind, change).alias(values.name)
        for values in frame.iter_columns()
        if _has(values.dtype, kind)
    )


def _has(of: PolarsDataType, kind: DataTypeClass) -> bool:
    """Whether a type is, or contains at any depth, another type."""
    match of:
        case pl.Struct():
            return any(_has(field.dtype, kind) for field in of.fields)
        case pl.List():
            return _has(of.inner, kind)
        case _:
            return of == kind


def _changed(
    values: pl.Series,
    value: pl.Expr,
    kind: DataTypeClass,
    change: Callable[[pl.Series, pl.Expr], pl.Expr],
) -> pl.Expr:
    match values.dtype:
        case pl.Struct():
            fields = (
                _changed(inner, value.struct.field(inner.name), kind, change).alias(inner.name)
                for inner in values.struct.unnest().iter_columns()
            )
            return pl.when(value.is_not_null()).then(pl.struct(fields))
        case pl.List():
            return value.list.eval(_changed(values.explode(), pl.element(), kind, change))
        case dtype:
            return change(values, value) if dtype == kind else value


def converted(frame: pl.DataFrame, tz: str | None, *, decimal: bool) -> pl.DataFrame:
    """The table with times in a zone and numbers as decimals, if they are wanted.

    Raises:
        TrayportValidationError: There is no such zone, or a column has too many digits.
    """
    if tz is not None:
        check_zone(tz)
        frame = changed(frame, pl.Datetime, lambda _, time: time.dt.convert_time_zone(tz))
    return changed(frame, pl.Float64, _as_decimal) if decimal else frame


def check_zone(tz: str) -> None:
    """Checks that there is a time zone of a name.

    Raises:
        TrayportValidationError: There is none.
    """
    with suppress(pl.exceptions.ComputeError, TypeError):
        pl.Series([], dtype=pl.Datetime("ns", tz))  # starts no thread, unlike a conversion
        if tz:
            return
    names = {name.lower(): name for name in available_timezones()}
    near = [names[name] for name in get_close_matches(str(tz).lower(), names)]
    suggestion = f"use {' or '.join(near)}" if near else "use a name such as Europe/London"
    limit = "a name of the IANA time zone database"
    raise invalid("tz", tz, "is no time zone", suggestion, limit)


def _as_decimal(values: pl.Series, value: pl.Expr) -> pl.Expr:
    """Floats as the decimals that they were written as."""
    return value.cast(pl.String).cast(pl.Decimal(DIGITS, _places(values)))


def _places(values: pl.Series) -> int:
    """The fewest decimal places that lose nothing of any value."""
    parts = pl.col("text").str.extract_groups(_FLOAT).struct
    power = parts.field("3").cast(pl.Int64).fill_null(0)
    sizes = (
        values.drop_nulls()
        .unique()
        .cast(pl.String)
        .to_frame("text")
        .select(
            "text",
            # NaN and infinity have no digits: more places than fit make them an error.
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


def texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with times as ISO-8601 text to their unit, with their offset from UTC."""
    return changed(frame, pl.Datetime, _as_text)


def _as_text(values: pl.Series, time: pl.Expr) -> pl.Expr:
    kind = cast("pl.Datetime", values.dtype)
    offset = "Z" if kind.time_zone == "UTC" else "%:z"
    return time.dt.strftime(TIME_TEXT + PLACES[kind.time_unit] + offset)


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with an apostrophe before text that a spreadsheet would run as a formula."""
    return frame.with_columns(pl.col(pl.String).str.replace(FORMULA, "'$1"))


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The table without structs: a column `outer_inner` for each of their fields.

    The symbol of the contract that rows name stands in front, as `contract`.
    """
    contract = frame.get_column(CONTRACT, default=None)
    if contract is None or contract.dtype != pl.Struct:
        return _unnested(frame)
    return _unnested(frame).insert_column(0, _symbols(contract))


def named(frame: pl.DataFrame, contracts: Iterable[ContractSpec]) -> pl.DataFrame:
    """The flat table with the names of contracts after their symbols, null where not known."""
    if CONTRACT not in frame.columns:
        return frame
    names = [(str(c), c.name, c.period) for c in contracts if c.name is not None]
    texts = [(column, pl.String) for column in (CONTRACT, *NAMES)]
    known = pl.DataFrame(names, schema=texts, orient="row")
    left = frame.select(CONTRACT).join(known, on=CONTRACT, how="left", maintain_order="left")
    return pl.concat([left, frame.drop(CONTRACT)], how="horizontal")


def lines(frame: pl.DataFrame) -> pl.DataFrame:
    """The table as lines of text have it: without structs, and with a row per order of a book."""
    return _unnested(_orders(frame) if SIDES.keys() <= set(frame.columns) else frame)


def _unnested(frame: pl.DataFrame) -> pl.DataFrame:
    while structs := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        frame = frame.with_columns(
            pl.col(name).name.prefix_fields(f"{name}_") for name in structs
        ).unnest(structs)
    return frame


def _symbols(contracts: pl.Series) -> pl.Series:
    """The machine symbols of contracts as rows name them; null for a contract that is not known."""
    ids = contracts.struct.unnest()
    keys = ids.hash_rows()
    # Few contracts have many rows, and making text takes time.
    first = keys.arg_unique()
    instrument, market = pl.col("instrument_id"), pl.col("market_id")
    words = {form: word for kind, word in KIND_WORDS.items() for form in response_forms(kind)}
    symbol = pl.format(
        "{}#{}#{}#{}#{}",
        pl.coalesce(instrument.cast(pl.String), pl.format("{}*", market)),
        pl.col("contract_type").replace_strict(words, default=None, return_dtype=pl.String),
        "sequence_id",
        "sequence_item_id",
        pl.col("second_sequence_item_id").fill_null(0),
    )
    known = ids[first].select(symbol.alias(CONTRACT), key=keys[first])
    rows = keys.to_frame("key").join(known, on="key", how="left", maintain_order="left")
    return rows.get_column(CONTRACT)


def _orders(frame: pl.DataFrame) -> pl.DataFrame:
    """A row per order, with its side and level, 0 for the best; a book without any keeps a row."""
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


def arrow_table(frame: pl.DataFrame) -> ArrowTable:
    """The table of Arrow, which shares the memory of all columns but those of text."""
    require_extra("arrow", "pyarrow", what="to_arrow")
    return cast("ArrowTable", frame.to_arrow())


def pandas_frame(
    frame: pl.DataFrame, columns: Sequence[Column], *, arrow: bool, stamps: bool
) -> pd.DataFrame:
    """The frame of pandas.

    Args:
        frame: The table, flat or nested.
        columns: What the spec says of its columns.
        arrow: Whether the columns are those of Arrow, in the memory of the table.
        stamps: Whether times inside nested columns are time stamps, or whole numbers.
    """
    require_extra("pandas", "pandas", "pyarrow", what="to_pandas")
    import pandas as pd

    if arrow:
        return frame.to_pandas(use_pyarrow_extension_array=True)
    gaps = _gaps(columns)
    return pd.DataFrame(
        {
            values.name: _pandas_column(
                values, has_gaps=values.name in gaps or values.has_nulls(), stamps=stamps
            )
            for values in frame.iter_columns()
        }
    )


def _gaps(columns: Sequence[Column], prefix: str = "", *, within: bool = False) -> set[str]:
    """The names of the columns, nested and flat ones, whose values may be missing."""
    names: set[str] = set()
    for column in columns:
        name = prefix + column.python_name
        has_gaps = within or column.nullable or not column.required
        names |= {name} if has_gaps else set()
        if column.type == "struct":
            names |= _gaps(column.fields, f"{name}_", within=has_gaps)
    return names


def _pandas_column(values: pl.Series, *, has_gaps: bool, stamps: bool) -> pd.Series[Any]:
    import pandas as pd

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
    """The values with a filler where they are missing, and a mask of those places."""
    filling = False if values.dtype == pl.Boolean else 0
    return values.fill_null(filling).to_numpy(), values.is_null().to_numpy()


def _objects(values: pl.Series) -> list[Any]:
    """Values as Python has them, the times among them as whole nanoseconds."""
    whole = changed(values.to_frame(), pl.Datetime, lambda _, time: time.cast(pl.Int64))
    return whole.get_column(values.name).to_list()


def numpy_arrays(
    frame: pl.DataFrame, columns: Sequence[Column], names: Iterable[str] | None
) -> dict[str, npt.NDArray[Any]]:
    """An array per column.

    Args:
        frame: The flat table.
        columns: What the spec says of its columns.
        names: Which arrays; all if left out.

    Raises:
        TrayportValidationError: There is no column of a name.
    """
    wanted = [names] if isinstance(names, str) else list(frame.columns if names is None else names)
    for name in wanted:
        if name not in frame.columns:
            near = get_close_matches(str(name), frame.columns)
            raise TrayportValidationError(
                f"column {name!r} is not in the table",
                parameter="columns",
                limit=", ".join(frame.columns),
                suggestion=f"use {' or '.join(near or frame.columns)}",
            )
    gaps = _gaps(columns)
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in wanted:
        values = frame.get_column(name)
        arrays[name] = _array(values, has_gaps=name in gaps or values.has_nulls())
    return arrays


def _array(values: pl.Series, *, has_gaps: bool) -> npt.NDArray[Any]:
    import numpy as np

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
