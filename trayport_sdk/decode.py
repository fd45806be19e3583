"""From bytes to typed columns and to models, strictly.

The types come from the generated tables. A wrong type, a missing field, a number out of range, a
cut or trailing byte is an error; fields the tables do not know pass and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from trayport_spec import ENDPOINTS, Column

from .errors import QUOTED_CHARACTERS, TrayportDecodeError

if TYPE_CHECKING:
    import polars as pl

INT64_MAX = 2**63 - 1

# Types are made from the tables while running, which checkers cannot follow.
_ListOf: Any = list
_Literal: Any = Literal

Asked = Callable[[Column], bool]


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
        return msgspec.defstruct(f"{operation_id}_answer", [(endpoint.rows_at, _ListOf[row])])
    return _ListOf[row] if endpoint.root == "array" else row


def _struct(name: str, columns: Sequence[Column]) -> Any:
    required = [(c.python_name, _type(name, c)) for c in columns if c.required]
    optional = [
        (c.python_name, _type(name, c) | msgspec.UnsetType, msgspec.UNSET)
        for c in columns
        if not c.required
    ]
    return msgspec.defstruct(
        name,
        [*required, *optional],
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
            _series(column, [getattr(row, column.python_name) for row in rows], asked)
            for column in columns
            if asked(column)
        ]
    )


def _series(column: Column, values: list[Any], asked: Asked) -> pl.Series:
    import polars as pl

    name = column.python_name
    values = [None if value is msgspec.UNSET else value for value in values]
    if column.type == "timestamp":
        return pl.Series(name, values, dtype=pl.Int64).cast(data_type(column, asked))
    if column.type == "struct":
        present = [value for value in values if value is not None]
        inner = to_frame(column.fields, present, asked).to_struct(name)
        if len(present) == len(values):
            return inner
        places = pl.Series([value is not None for value in values])
        index = pl.select(pl.when(places).then(places.cum_sum().cast(pl.Int64) - 1)).to_series()
        return inner.gather(index) if present else pl.Series(name, values, dtype=inner.dtype)
    return pl.Series(name, values, dtype=data_type(column, asked))


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
