"""From columns to the bytes of rows, as JSON or CSV, whatever the table says a row is.

A frame names the members of a struct by dotted paths (`contract.marketId`); a boolean column under
the struct's own path says in which rows it is there at all. Columns of lists hold JSON text. A
column that the frame lacks is filled with a placeholder of its type.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl
from attrs import frozen
from trayport_spec import Column

from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.questions import Shape

Media = Literal["json", "csv"]
Makers = Mapping[str, Callable[[], pl.Series]]
_Part = str | pl.Expr

_NEEDS_ESCAPE = r'[\x00-\x1f"\\]'
_NEEDS_QUOTES = '[",\r\n]'
_ISO = "%Y-%m-%dT%H:%M:%S%.9fZ"
_SEPARATORS: Mapping[Media, str] = {"json": ",", "csv": "\n"}


@frozen(eq=False)
class Rows:
    """Rendered rows, one byte apart, and where each of them starts."""

    data: bytes
    starts: I64

    def __len__(self) -> int:
        return len(self.starts) - 1

    def cut(self, first: int, last: int) -> bytes:
        """The rows [first, last) with the separators between them."""
        if first >= last:
            return b""
        if first == 0 and last == len(self):
            return self.data
        return self.data[int(self.starts[first]) : int(self.starts[last]) - 1]

    def part(self, first: int, last: int) -> "Rows":
        starts = self.starts[first : last + 1]
        return Rows(self.cut(first, last), starts - starts[0])


def frame_of(columns: Sequence[Column], shape: Shape, makers: Makers, height: int) -> pl.DataFrame:
    """The columns that an answer of this shape shows, as far as anyone can make them."""
    paths = [path for path in _paths(columns, shape, "") if path in makers]
    if not paths:
        # Keeps the height when no column of the table is known.
        return pl.DataFrame({"": np.zeros(height, np.int8)})
    return pl.DataFrame([makers[path]().alias(path) for path in paths])


def _paths(columns: Sequence[Column], shape: Shape, prefix: str) -> Iterator[str]:
    for column in columns:
        if shape.shows(column):
            yield prefix + column.name
            if column.type == "struct":
                yield from _paths(column.fields, shape, f"{prefix}{column.name}.")


def rows(columns: Sequence[Column], shape: Shape, frame: pl.DataFrame, media: Media) -> Rows:
    """All rows of a frame as bytes."""
    if frame.height == 0:
        return Rows(b"", np.zeros(1, np.int64))
    make_lines = json_lines if media == "json" else csv_lines
    lines = make_lines(columns, shape, frame)
    lengths = lines.str.len_bytes().to_numpy().astype(np.int64)
    text: str = lines.str.join(_SEPARATORS[media]).item()
    return Rows(text.encode(), np.concatenate([[0], np.cumsum(lengths + 1)]))


def json_lines(columns: Sequence[Column], shape: Shape, frame: pl.DataFrame) -> pl.Series:
    """One JSON object per row."""
    flat = _flat(columns, shape, frame.columns, "")
    lists = {path for path, column in flat if column.type == "list"}
    frame = _prepared(frame, lambda texts: texts if texts.name in lists else _escaped(texts))
    line = pl.concat_str(_exprs(_object(columns, shape, frame, "")))
    return _column_of(frame, line)


def csv_lines(columns: Sequence[Column], shape: Shape, frame: pl.DataFrame) -> pl.Series:
    """One CSV record per row, structs spread over columns."""
    frame = _prepared(frame, _quoted)
    parts: list[_Part] = []
    for path, column in _flat(columns, shape, frame.columns, ""):
        value = _csv_value(path, column, frame)
        parts += [",", value] if parts else [value]
    return _column_of(frame, pl.concat_str(_exprs(parts)))


def csv_header(columns: Sequence[Column], shape: Shape, makers: Sequence[str]) -> str:
    return ",".join(path for path, _ in _flat(columns, shape, makers, ""))


def _column_of(frame: pl.DataFrame, line: pl.Expr) -> pl.Series:
    # The first column keeps the height when the line is made of constants alone.
    return frame.select(pl.first().alias(" "), line.alias("line")).get_column("line")


def _prepared(frame: pl.DataFrame, safe: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    changed: list[pl.Series] = []
    for series in frame.iter_columns():
        if series.dtype == pl.String:
            changed.append(safe(series))
        elif series.dtype.is_float():
            changed.append(series.fill_nan(None))
    return frame.with_columns(changed)


def _escaped(texts: pl.Series) -> pl.Series:
    if not texts.str.contains(_NEEDS_ESCAPE).any():
        return texts
    return texts.map_elements(lambda text: json.dumps(text)[1:-1], return_dtype=pl.String)


def _quoted(texts: pl.Series) -> pl.Series:
    needy = texts.str.contains(_NEEDS_QUOTES)
    if not needy.any():
        return texts
    quoted = pl.format('"{}"', texts.str.replace_all('"', '""', literal=True))
    return pl.select(pl.when(needy).then(quoted).otherwise(texts).alias(texts.name)).to_series()


def _exprs(parts: Sequence[_Part]) -> list[pl.Expr]:
    """Expressions, with neighbouring constants made one."""
    merged: list[_Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return [pl.lit(part) if isinstance(part, str) else part for part in merged]


def _shown(
    columns: Sequence[Column], shape: Shape, known: Sequence[str], prefix: str
) -> list[Column]:
    """The columns to write: those asked for, and those only the data brings if it has them."""
    return [
        column
        for column in columns
        if shape.shows(column) and (_brought(column) or _is_known(prefix + column.name, known))
    ]


def _brought(column: Column) -> bool:
    return column.required or column.optional_field is not None or column.brought_by is not None


def _is_known(path: str, known: Sequence[str]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for name in known)


def _object(
    columns: Sequence[Column], shape: Shape, frame: pl.DataFrame, prefix: str
) -> list[_Part]:
    shown = _shown(columns, shape, frame.columns, prefix)
    always = [column for column in shown if not _may_lack(column, frame, prefix)]
    parts: list[_Part] = ["{"]
    for column in always:
        lead = "" if len(parts) == 1 else ","
        parts += [f'{lead}"{column.name}":', *_json_value(column, shape, frame, prefix)]
    for column in shown:
        if _may_lack(column, frame, prefix):
            member = [f',"{column.name}":', *_json_value(column, shape, frame, prefix)]
            there = _is_there(column, prefix)
            parts.append(pl.when(there).then(pl.concat_str(_exprs(member))).otherwise(pl.lit("")))
    if not always and len(parts) > 1:
        members = pl.concat_str(_exprs(parts[1:])).str.strip_prefix(",")
        return ["{", members, "}"]
    return [*parts, "}"]


def _may_lack(column: Column, frame: pl.DataFrame, prefix: str) -> bool:
    """Whether a member is left out of some rows, rather than null."""
    path = prefix + column.name
    if column.required or column.nullable or path not in frame.columns:
        return False
    series = frame.get_column(path)
    if column.type == "struct":
        return not series.all()
    return series.null_count() > 0


def _is_there(column: Column, prefix: str) -> pl.Expr:
    path = pl.col(prefix + column.name)
    return path if column.type == "struct" else path.is_not_null()


def _json_value(column: Column, shape: Shape, frame: pl.DataFrame, prefix: str) -> list[_Part]:
    path = prefix + column.name
    if not _is_known(path, frame.columns):
        return [json.dumps(placeholder(column))]
    if column.type == "struct":
        value = _object(column.fields, shape, frame, f"{path}.")
        if not column.nullable or path not in frame.columns:
            return value
        whole = pl.concat_str(_exprs(value))
        return [pl.when(pl.col(path)).then(whole).otherwise(pl.lit("null"))]
    text = pl.col(path).cast(pl.String)
    if column.type == "string":
        if column.nullable:
            return [pl.concat_str(pl.lit('"'), text, pl.lit('"')).fill_null("null")]
        return ['"', text, '"']
    return [text.fill_null("null") if column.nullable else text]


def _flat(
    columns: Sequence[Column], shape: Shape, known: Sequence[str], prefix: str
) -> Iterator[tuple[str, Column]]:
    for column in _shown(columns, shape, known, prefix):
        if column.type == "struct":
            yield from _flat(column.fields, shape, known, f"{prefix}{column.name}.")
        else:
            yield prefix + column.name, column


def _csv_value(path: str, column: Column, frame: pl.DataFrame) -> pl.Expr:
    if path not in frame.columns:
        filler = placeholder(column)
        value = pl.lit(filler if isinstance(filler, (int, float, str)) else json.dumps(filler))
    else:
        value = pl.col(path)
    if column.type == "timestamp":
        text = value.cast(pl.Datetime("ns")).dt.strftime(_ISO)
    else:
        text = value.cast(pl.String)
    struct, _, _ = path.rpartition(".")
    if struct in frame.columns:
        text = pl.when(pl.col(struct)).then(text)
    return text.fill_null("")


def placeholder(column: Column) -> object:
    """A value of a column that nobody taught this sandbox to make."""
    match column.type:
        case "struct":
            return {field.name: placeholder(field) for field in column.fields if field.required}
        case "list":
            return []
        case "string":
            return column.enum[0] if column.enum else column.name
        case "bool":
            return False
        case "float64":
            return float(column.minimum or 1.0)
        case "int64" | "timestamp":
            return int(column.minimum or 1)
