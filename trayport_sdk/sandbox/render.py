"""From frames to the bytes of rows, as JSON or CSV, whatever the table says a row is.

A rendered frame names the members of a struct by dotted paths (`contract.marketId`); a boolean
column under the struct's own path says in which rows it is there at all. Columns of lists hold JSON
text.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from zlib import crc32

import numpy as np
import polars as pl
from attrs import frozen
from trayport_spec import Column

from .http import Media
from .noise import I64
from .query import Shape

Known = Mapping[str, pl.Expr]
_Part = str | pl.Expr

_NEEDS_ESCAPE = r'[\x00-\x1f"\\]'
_NEEDS_QUOTES = '[",\r\n]'
_ISO = "%Y-%m-%dT%H:%M:%S%.9fZ"
_SEPARATORS: Mapping[Media, str] = {"json": ",", "csv": "\n"}


@frozen(eq=False)
class Rows:
    """Rendered rows, one byte apart; where each of them starts, and its time if it has one."""

    data: bytes
    starts: I64
    times: I64

    def between(self, start: int, end: int) -> bytes:
        """The rows of [start, end) with the separators between them."""
        first, last = self._within(start, end)
        if first >= last:
            return b""
        if first == 0 and last == len(self.times):
            return self.data
        return self.data[int(self.starts[first]) : int(self.starts[last]) - 1]

    def part(self, start: int, end: int) -> "Rows":
        first, last = self._within(start, end)
        starts = self.starts[first : last + 1]
        return Rows(self.between(start, end), starts - starts[0], self.times[first:last])

    def _within(self, start: int, end: int) -> tuple[int, int]:
        first, last = np.searchsorted(self.times, (start, end)).tolist()
        return first, last

    @property
    def size(self) -> int:
        return len(self.data) + self.starts.nbytes + self.times.nbytes


def shown_columns(
    columns: Sequence[Column], shape: Shape, known: Known, prefix: str = ""
) -> Iterator[tuple[str, Column]]:
    """The columns of a response by path, with the members of structs after them.

    A column that no parameter adds is there when the data has it.
    """
    for column in columns:
        path = prefix + column.name
        optional = column.optional_field is None and column.added_by is None
        if shape.shows(column) and (column.required or not optional or path in known):
            yield path, column
            if column.type == "struct":
                yield from shown_columns(column.fields, shape, known, f"{path}.")


def frame_of(
    columns: Sequence[Column], shape: Shape, known: Known, data: pl.DataFrame
) -> pl.DataFrame:
    """The shown columns; what the data does not know gets values that depend on its `key` alone."""
    made: dict[str, pl.Expr | pl.Series] = {}
    for path, column in shown_columns(columns, shape, known):
        if path in known:
            made[path] = known[path]
        elif column.type == "list":
            made[path] = _invented_lists(column, shape, data)
        elif column.type != "struct":
            made[path] = _invented(column, path, data)
    return data.select(value.alias(path) for path, value in made.items())


def _invented(column: Column, path: str, data: pl.DataFrame) -> pl.Expr:
    key = pl.col("key") if "key" in data.columns else pl.int_range(pl.len())
    number = (key % 1_000_003 * 7_919 + crc32(path.encode())) % 10_007
    least = column.minimum or 0
    match column.type:
        case "bool":
            value = number % 2 == 0
        case "float64":
            value = least + number / 4
        case "timestamp":
            value = pl.col("time") if "time" in data.columns else key
        case "string" if column.enum:
            value = (number % len(column.enum)).replace_strict(dict(enumerate(column.enum)))
        case "string":
            value = pl.format(f"{column.name} {{}}", number)
        case _:
            value = int(least) + number
    return pl.when(number % 8 > 0).then(value) if column.nullable else value


def _invented_lists(column: Column, shape: Shape, data: pl.DataFrame) -> pl.Series:
    """Lists of one element, or empty ones where an element has no members."""
    if not column.fields or not data.height:
        return pl.Series(["[]"], dtype=pl.String).new_from_index(0, data.height)
    return "[" + json_lines(column.fields, frame_of(column.fields, shape, {}, data)) + "]"


def rows_of(columns: Sequence[Column], frame: pl.DataFrame, media: Media, times: I64) -> Rows:
    """All rows of a frame as bytes."""
    if frame.height == 0:
        return Rows(b"", np.zeros(1, np.int64), times)
    lines = (json_lines if media == "json" else _csv_lines)(columns, frame)
    lengths = lines.str.len_bytes().to_numpy().astype(np.int64)
    text: str = lines.str.join(_SEPARATORS[media]).item()
    return Rows(text.encode(), np.concatenate([[0], np.cumsum(lengths + 1)]), times)


def json_lines(columns: Sequence[Column], frame: pl.DataFrame) -> pl.Series:
    """One JSON object per row."""
    lists = {path for path, column in _flat(columns, frame, "") if column.type == "list"}
    frame = _prepared(frame, lambda texts: texts if texts.name in lists else _escaped(texts))
    return _column_of(frame, pl.concat_str(_exprs(_object(columns, frame, ""))))


def _csv_lines(columns: Sequence[Column], frame: pl.DataFrame) -> pl.Series:
    """One CSV record per row, structs spread over columns."""
    frame = _prepared(frame, _quoted)
    parts: list[_Part] = []
    for path, column in _flat(columns, frame, ""):
        value = _csv_value(path, column, frame)
        parts += [",", value] if parts else [value]
    return _column_of(frame, pl.concat_str(_exprs(parts)))


def csv_header(columns: Sequence[Column], shape: Shape, known: Known) -> str:
    shown = shown_columns(columns, shape, known)
    return ",".join(path for path, column in shown if column.type != "struct")


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


def _is_there(path: str, frame: pl.DataFrame) -> bool:
    return any(name == path or name.startswith(f"{path}.") for name in frame.columns)


def _object(columns: Sequence[Column], frame: pl.DataFrame, prefix: str) -> list[_Part]:
    shown = [column for column in columns if _is_there(prefix + column.name, frame)]
    always = [column for column in shown if not _may_lack(column, frame, prefix)]
    parts: list[_Part] = ["{"]
    for column in always:
        lead = "" if len(parts) == 1 else ","
        parts += [f'{lead}"{column.name}":', *_json_value(column, frame, prefix)]
    for column in shown:
        if _may_lack(column, frame, prefix):
            member = [f',"{column.name}":', *_json_value(column, frame, prefix)]
            there = pl.col(prefix + column.name)
            there = there if column.type == "struct" else there.is_not_null()
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
    return not series.all() if column.type == "struct" else series.null_count() > 0


def _json_value(column: Column, frame: pl.DataFrame, prefix: str) -> list[_Part]:
    path = prefix + column.name
    if column.type == "struct":
        value = _object(column.fields, frame, f"{path}.")
        if not column.nullable or path not in frame.columns:
            return value
        whole = pl.concat_str(_exprs(value))
        return [pl.when(pl.col(path)).then(whole).otherwise(pl.lit("null"))]
    text = pl.col(path).cast(pl.String)
    if column.type != "string":
        return [text.fill_null("null") if column.nullable else text]
    if column.nullable:
        return [pl.concat_str(pl.lit('"'), text, pl.lit('"')).fill_null("null")]
    return ['"', text, '"']


def _flat(
    columns: Sequence[Column], frame: pl.DataFrame, prefix: str
) -> Iterator[tuple[str, Column]]:
    for column in columns:
        path = prefix + column.name
        if column.type == "struct":
            yield from _flat(column.fields, frame, f"{path}.")
        elif path in frame.columns:
            yield path, column


def _csv_value(path: str, column: Column, frame: pl.DataFrame) -> pl.Expr:
    if column.type == "timestamp":
        text = pl.col(path).cast(pl.Datetime("ns")).dt.strftime(_ISO)
    else:
        text = pl.col(path).cast(pl.String)
    struct, _, _ = path.rpartition(".")
    if struct in frame.columns:
        text = pl.when(pl.col(struct)).then(text)
    return text.fill_null("")
