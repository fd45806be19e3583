"""From CSV to the tables that the JSON of the same answer gives.

A column is found by its name in the header; the members of an object have dotted names, such as
`contract.marketId`. Columns that are not known, or that nobody asked for, pass unread. What a field
may be:

- A time is ISO-8601 [documented] down to seconds or finer, in UTC unless it says otherwise, and
  exact to the nanosecond. Booleans are `true` and `false`, in any case [assumed]. Numbers are
  written as in JSON [assumed].
- A field with nothing in it, not even quotation marks, is null where the column may be null or
  absent. Where it may be neither, it is an empty text, or an error in all other types. `""` is an
  empty text.
- An object that may be null or absent is so where nothing is in any of its fields.

A field that is cut off may still look whole, and so may a body that ends between two records: CSV
has no end that could be missing. What the connection tells (the length that was announced, the end
of compression) has to be kept to as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from attrs import define, field, frozen
from trayport_spec import ENDPOINTS, Column

from ..errors import TrayportDecodeError, TrayportValidationError
from .csv_records import AnsweredQuery, Records
from .decode.columns import ColumnFilter, data_type, to_frame

if TYPE_CHECKING:
    import polars as pl

_WHOLE = r"^-?(?:0|[1-9][0-9]*)$"
_WHOLE_OR_SO = r"^-?[0-9]+(?:\.0+)?$"
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?$"
)
_OFFSET = r"([+-])([0-9]{2}):([0-9]{2})$"
_SECOND = 10**9
_LAST_SECOND = 2**63 // _SECOND


def refuse_unknown_layout(operation_id: str) -> None:
    """Refuses operations whose CSV nobody has described, before they are asked for it.

    Raises:
        TrayportValidationError: The answer has lists, or values beside its rows, or is never CSV.
    """
    if has_known_layout(operation_id):
        return
    endpoint = ENDPOINTS[operation_id]
    if "text/csv" in endpoint.media_types:
        reason = "how its rows are laid out in CSV is not known"
        way_out = "leave response_format out, or keep the CSV as it comes with download_raw"
    else:
        reason, way_out = "it answers in JSON only", "leave response_format out"
    raise TrayportValidationError(
        f"response_format='csv' makes no table of {endpoint.path}: {reason}",
        parameter="response_format",
        limit="CSV of flat rows",
        suggestion=way_out,
    )


def refuse_lenience() -> None:
    """Refuses to make nulls of CSV that is not as it should be.

    Raises:
        TrayportValidationError: Always.
    """
    raise TrayportValidationError(
        "response_format='csv' does not go with lenient decoding",
        parameter="response_format",
        limit="json with decode_mode lenient",
        suggestion="leave response_format out, or set decode_mode to strict",
    )


def has_known_layout(operation_id: str) -> bool:
    """Whether tables can be made of the CSV of an operation."""
    endpoint = ENDPOINTS[operation_id]
    has_lists = any(column.type == "list" for column in endpoint.row)
    return "text/csv" in endpoint.media_types and endpoint.root == "array" and not has_lists


def frames(
    operation_id: str, asked: ColumnFilter, chunks: Iterable[bytes], *, piece: int | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of a CSV answer in tables, while the text arrives; at least one table.

    Args:
        operation_id: The operation that was asked.
        asked: Which columns are part of the tables.
        chunks: The decompressed body.
        piece: About how many bytes are read at once.

    Raises:
        TrayportValidationError: The layout of this operation's CSV is not known.
        TrayportDecodeError: The body is not what the API promises. The tables before were.
    """
    refuse_unknown_layout(operation_id)
    return _frames(ENDPOINTS[operation_id].row, asked, Records(chunks, piece))


def _frames(
    columns: Sequence[Column], asked: ColumnFilter, records: Records
) -> Iterator[pl.DataFrame]:
    header = _Header(records.header(), asked)
    header.check(columns)
    for piece in records:
        frame = _Reading(header, piece, records.beginning).frame(columns)
        records.rows += frame.height
        yield frame
    if not records.rows:
        yield to_frame(columns, [], asked)


@frozen
class _Header:
    """The names of the columns in a body."""

    names: Sequence[str]
    asked: ColumnFilter = field(repr=False)

    def has(self, column: Column, path: str) -> bool:
        """Whether a column, or anything in it, is there."""
        if column.type != "struct":
            return path in self.names
        return any(self.has(inner, f"{path}.{inner.name}") for inner in column.fields)

    def check(self, columns: Sequence[Column], above: str = "") -> None:
        """Refuses a header that lacks a column which must be there, or has one twice."""
        for column in filter(self.asked, columns):
            path = above + column.name
            if self.names.count(path) > 1:
                self._refuse(path, "there twice")
            if not self.has(column, path):
                if column.required and column.provenance.source != "assumed":
                    self._refuse(path, "missing")
            elif column.type == "struct":
                self.check(column.fields, f"{path}.")

    def _refuse(self, path: str, reason: str) -> NoReturn:
        raise TrayportDecodeError(
            f"the answer is not what the API promises: column `{path}` is {reason}",
            offset=0,
            field=path,
            body=",".join(self.names),
        )


@frozen
class _Typed:
    """The values of a column, and which of the fields are none."""

    values: pl.Series
    wrong: pl.Series


@define
class _Reading:
    """Makes the table of a piece.

    Attributes:
        beginning: How the whole text begins.
        wrong: The first row that is wrong, for each path where there is one.
    """

    header: _Header
    piece: AnsweredQuery
    beginning: str
    wrong: dict[str, int] = field(factory=dict[str, int])

    def frame(self, columns: Sequence[Column]) -> pl.DataFrame:
        import polars as pl

        cells = self._cells(columns)
        every = pl.Series([True], dtype=pl.Boolean).new_from_index(0, cells.height)
        frame = pl.DataFrame(self._series(columns, "", cells, every))
        if self.wrong:
            self._refuse(cells)
        return frame

    def _cells(self, columns: Sequence[Column]) -> pl.DataFrame:
        """The texts of all columns that are part of the table, by their paths."""
        import polars as pl

        wanted = set(self._paths(columns, ""))
        # A name may be anything, and polars would take a mark at the very start for its own.
        names = [str(place) for place in range(len(self.header.names))]
        places = [n for n, name in enumerate(self.header.names) if name in wanted]
        cells = pl.read_csv(
            ",".join(names).encode() + b"\n" + self.piece.text,
            schema=dict.fromkeys(names, pl.String),
            columns=[names[place] for place in places],
        )
        return cells.rename({names[place]: self.header.names[place] for place in places})

    def _paths(self, columns: Sequence[Column], above: str) -> Iterator[str]:
        for column in filter(self.header.asked, columns):
            if column.type == "struct":
                yield from self._paths(column.fields, f"{above}{column.name}.")
            else:
                yield above + column.name

    def _series(
        self, columns: Sequence[Column], above: str, cells: pl.DataFrame, there: pl.Series
    ) -> list[pl.Series]:
        return [
            self._column(column, above + column.name, cells, there).alias(column.python_name)
            for column in columns
            if self.header.asked(column)
        ]

    def _column(
        self, column: Column, path: str, cells: pl.DataFrame, there: pl.Series
    ) -> pl.Series:
        """A column; `there` says in which rows the object is there that it belongs to."""
        import polars as pl

        if not self.header.has(column, path):
            kind = data_type(column, self.header.asked)
            return pl.Series([None], dtype=kind).new_from_index(0, cells.height)
        if column.type == "struct":
            return self._struct(column, path, cells, there)
        texts = cells.get_column(path)
        typed = _typed(column, texts)
        wrong = typed.wrong.fill_null(value=False)
        values = typed.values
        if column.required and not column.nullable:
            if column.type == "string":
                filled = pl.when(texts.is_null() & there).then(pl.lit("")).otherwise(values)
                values = pl.select(filled).to_series()
            elif column.provenance.source != "assumed":
                wrong |= texts.is_null() & there
        if column.enum:
            wrong |= (~values.is_in(column.enum)).fill_null(value=False)
        if (first := wrong.arg_max()) is not None and wrong[first]:
            self.wrong[path] = first
        return values

    def _struct(
        self, column: Column, path: str, cells: pl.DataFrame, there: pl.Series
    ) -> pl.Series:
        import polars as pl

        may_lack = column.nullable or not column.required
        if may_lack:
            inner = [cells[p].is_not_null() for p in cells.columns if p.startswith(f"{path}.")]
            there &= pl.DataFrame(inner).select(pl.any_horizontal(pl.all())).to_series()
        fields = self._series(column.fields, f"{path}.", cells, there)
        struct = pl.DataFrame(fields).to_struct(path)
        return struct if not may_lack else pl.select(pl.when(there).then(struct)).to_series()

    def _refuse(self, cells: pl.DataFrame) -> NoReturn:
        """Says what is wrong in the first row where something is."""
        path = min(self.wrong, key=lambda path: (self.wrong[path], self.header.names.index(path)))
        row = self.wrong[path]
        offset = self.piece.place(row, self.header.names.index(path))
        number, value = row + self.piece.row, cells[path][row]
        found = "nothing" if value is None else f"{value!r:.80}"
        raise TrayportDecodeError(
            f"the answer is not what the API promises: {found} in column `{path}` "
            f"(byte {offset}, row {number})",
            offset=offset,
            row=number,
            field=path,
            body=self.beginning,
        )


def _typed(column: Column, texts: pl.Series) -> _Typed:
    import polars as pl

    is_assumed = column.provenance.source == "assumed"
    match column.type:
        case "timestamp":
            values, wrong = _instants(texts)
        case "int64" if is_assumed:
            values = texts.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
            wrong = ~texts.str.contains(_WHOLE_OR_SO)
        case "int64":
            values = texts.cast(pl.Int64, strict=False)
            wrong = ~texts.str.contains(_WHOLE)
        case "float64":
            values = texts.cast(pl.Float64, strict=False)
            wrong = ~texts.str.contains(_NUMBER) | values.is_infinite()
        case "bool":
            lowered = texts.str.to_lowercase()
            values, wrong = lowered == "true", ~lowered.is_in(["true", "false"])
        case _:
            return _Typed(texts, texts.is_null() & False)
    if column.minimum is not None and not is_assumed:
        wrong |= (
            values.cast(pl.Int64 if column.type == "timestamp" else values.dtype) < column.minimum
        )
    return _Typed(values, wrong | (values.is_null() & texts.is_not_null()))


def _instants(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Times in nanoseconds, and which texts are none: floats would lose the last digits."""
    import polars as pl

    whole = texts.str.slice(0, 19).str.to_datetime(
        "%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False, cache=False
    )
    seconds = whole.dt.epoch("s")
    if texts.str.contains(_OFFSET).any():
        sign, hours, minutes = (texts.str.extract(_OFFSET, group) for group in (1, 2, 3))
        ahead = hours.cast(pl.Int64) * 3600 + minutes.cast(pl.Int64) * 60
        ahead = pl.select(pl.when(sign == "-").then(-ahead).otherwise(ahead)).to_series()
        seconds -= ahead.fill_null(0)
    digits = texts.str.extract(r"\.([0-9]{1,9})").str.pad_end(9, "0").cast(pl.Int64)
    values = seconds * _SECOND + digits.fill_null(0)
    wrong = ~texts.str.contains(_INSTANT) | ~seconds.is_between(-_LAST_SECOND, _LAST_SECOND)
    # The last second before the numbers end is not a whole one.
    wrong |= (seconds >= 0) & (values < 0)
    return values.cast(pl.Datetime("ns", "UTC")), wrong
