"""From bytes to typed columns and to models, strictly.

The types come from the generated tables. A wrong type, a missing field, a number out of range, a
cut or trailing byte is an error; fields the tables do not know pass and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain, count, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from attrs import frozen
from trayport_spec import ENDPOINTS, Column

from .errors import QUOTED_CHARACTERS, TrayportDecodeError

if TYPE_CHECKING:
    import polars as pl

INT64_MAX = 2**63 - 1

# Types are made from the tables while running, which checkers cannot follow.
_ListOf: Any = list
_Literal: Any = Literal

Asked = Callable[[Column], bool]


@frozen
class Decoded:
    """An answer as typed structs.

    Attributes:
        rows: The rows, in the order of the answer.
        timestamp: The instant the whole answer is of, in nanoseconds since 1970-01-01 UTC; None
            where the rows have times of their own.
    """

    rows: Sequence[Any]
    timestamp: int | None = None


def answer(operation_id: str, body: bytes) -> Decoded:
    """The rows of an answer, and what the answer says of all of them.

    Raises:
        TrayportDecodeError: The body is not what the API promises.
    """
    endpoint = ENDPOINTS[operation_id]
    document = decode(operation_id, body)
    if endpoint.rows_at is None:
        return Decoded(document if endpoint.root == "array" else [document])
    times = [getattr(document, c.python_name) for c in endpoint.envelope if c.type == "timestamp"]
    return Decoded(getattr(document, endpoint.rows_at), *times)


def decode(operation_id: str, body: bytes) -> Any:
    """The answer of an operation as typed structs: a list of rows, or the one object it is.

    Raises:
        TrayportDecodeError: The body is not what the API promises.
    """
    return _decoded(body, _answer_type(operation_id))


def decode_documents(operation_id: str, body: bytes) -> list[dict[str, Any]]:
    """The rows of an answer as JSON objects, checked like `decode` does."""
    decode(operation_id, body)
    document = msgspec.json.decode(body)
    endpoint = ENDPOINTS[operation_id]
    if endpoint.rows_at is not None:
        document = document[endpoint.rows_at]
    return document if isinstance(document, list) else [document]  # pyright: ignore[reportUnknownVariableType]


def _decoded(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(r"\(byte (\d+)\)", str(error))
        raise TrayportDecodeError(
            f"the answer is not what the API promises: {error}",
            offset=int(place[1]) if place else None,
            body=body[: 4 * QUOTED_CHARACTERS].decode(errors="replace"),
        ) from error


@cache
def _answer_type(operation_id: str) -> Any:
    endpoint = ENDPOINTS[operation_id]
    row = _struct(operation_id, endpoint.row)
    if endpoint.rows_at is not None:
        return _struct(
            f"{operation_id}_answer", endpoint.envelope, [(endpoint.rows_at, _ListOf[row])]
        )
    return _ListOf[row] if endpoint.root == "array" else row


def _struct(name: str, columns: Sequence[Column], others: Sequence[tuple[str, Any]] = ()) -> Any:
    required = [(c.python_name, _type(name, c)) for c in columns if c.required]
    optional = [
        (c.python_name, _type(name, c) | msgspec.UnsetType, msgspec.UNSET)
        for c in columns
        if not c.required
    ]
    return msgspec.defstruct(
        name,
        [*others, *required, *optional],
        rename={c.python_name: c.name for c in columns},
        kw_only=True,
        gc=False,
    )


def _type(parent: str, column: Column) -> Any:
    name = f"{parent}_{column.python_name}"
    kind: Any
    match column.type:
        case "int64" | "timestamp":
            least = -INT64_MAX - 1 if column.minimum is None else int(column.minimum)
            kind = Annotated[int, msgspec.Meta(ge=least, le=INT64_MAX)]
        case "float64":
            kind = float
        case "bool":
            kind = bool
        case "string":
            kind = _Literal[column.enum] if column.enum else str
        case "struct":
            kind = _struct(name, column.fields)
        case "list":
            kind = _ListOf[_struct(name, column.fields)]
    return kind | None if column.nullable else kind


def columns_asked(optional_fields: Sequence[str], parameters: Sequence[str]) -> Asked:
    """Which columns a request asked for: all but those it could have named and did not."""

    def asked(column: Column) -> bool:
        avoidable = column.optional_field is not None or column.brought_by is not None
        wanted = column.optional_field in optional_fields or column.brought_by in parameters
        return column.required or wanted or not avoidable

    return asked


def to_frame(columns: Sequence[Column], rows: Sequence[Any], asked: Asked) -> pl.DataFrame:
    """The rows as a table with the columns asked for, in the order of the tables."""
    import polars as pl

    return pl.DataFrame(
        [
            _series(column, list(map(attrgetter(column.python_name), rows)), asked)
            for column in columns
            if asked(column)
        ]
    )


def _series(column: Column, values: list[Any], asked: Asked) -> pl.Series:
    import polars as pl

    name, kind = column.python_name, data_type(column, asked)
    if not column.required:
        values = [None if value is msgspec.UNSET else value for value in values]
    match column.type:
        case "timestamp":
            return pl.Series(name, values, dtype=pl.Int64).cast(kind)
        case "struct":
            present = [value for value in values if value is not None]
            structs = to_frame(column.fields, present, asked).to_struct(name)
            return _in_place(structs, values, pl.Series(name, [None], dtype=kind))
        case "list":
            filled = [value for value in values if value]
            items = to_frame(column.fields, list(chain.from_iterable(filled)), asked)
            owners = chain.from_iterable(map(repeat, count(), map(len, filled)))
            owned = [pl.Series("owner", list(owners), dtype=pl.Int64), items.to_struct(name)]
            lists = pl.DataFrame(owned).group_by("owner", maintain_order=True).agg(name)
            return _in_place(lists[name], values, pl.Series(name, [None, []], dtype=kind))
        case _:
            return pl.Series(name, values, dtype=kind)


def _in_place(found: pl.Series, values: Sequence[Any], gaps: pl.Series) -> pl.Series:
    """The nested values found, at the places they have among all: gaps are null or empty lists."""
    import polars as pl

    if len(found) == len(values):
        return found
    following = iter(range(len(found)))
    missing, empty = len(found), len(found) + 1
    return pl.concat([found, gaps]).gather(
        [missing if v is None else next(following) if v else empty for v in values]
    )


def data_type(column: Column, asked: Asked) -> pl.DataType:
    """The polars type of a column."""
    import polars as pl

    match column.type:
        case "int64":
            return pl.Int64()
        case "timestamp":
            return pl.Datetime("ns", "UTC")
        case "float64":
            return pl.Float64()
        case "bool":
            return pl.Boolean()
        case "string":
            return pl.String()
        case "struct" | "list":
            struct = pl.Struct(
                {c.python_name: data_type(c, asked) for c in column.fields if asked(c)}
            )
            return struct if column.type == "struct" else pl.List(struct)
