"""The types of rows, made from the tables, and rows that are not quite of them.

What the tables mark as documented or observed is kept to. What they only assume is not held against
an answer: there, any scalar that fits is taken, and counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, cast

import msgspec
from trayport_spec import ENDPOINTS, Column

INT64_MAX = 2**63 - 1
FLOAT_EXACT = 2**53

# Types are made from the tables while running, which checkers cannot follow.
_ListOf: Any = list
_Literal: Any = Literal


@cache
def row_type(operation_id: str) -> Any:
    """The type of one row of an operation."""
    return _struct(operation_id, ENDPOINTS[operation_id].row)


@cache
def answer_type(operation_id: str) -> Any:
    """The type of a whole answer: a list of rows, one row, or an object with rows in it."""
    endpoint, row = ENDPOINTS[operation_id], row_type(operation_id)
    if endpoint.rows_at is not None:
        rows = (endpoint.rows_at, _ListOf[row])
        return _struct(f"{operation_id}_answer", endpoint.envelope, [rows])
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
    kind = _field_type(f"{parent}_{column.python_name}", column)
    return kind | None if column.nullable else kind


def _field_type(name: str, column: Column) -> Any:
    match column.type:
        case "int64" | "timestamp":
            least = -INT64_MAX - 1 if column.minimum is None else int(column.minimum)
            return Annotated[int, msgspec.Meta(ge=least, le=INT64_MAX)]
        case "float64":
            return float
        case "bool":
            return bool
        case "string":
            return _Literal[column.enum] if column.enum else str
        case "struct":
            return _struct(name, column.fields)
        case "list":
            return _ListOf[_struct(name, column.fields)]


@cache
def _scalar_type(column: Column) -> Any:
    return _type("", column)


class Tolerance:
    """Makes an answer of JSON values, some of which are not of their types.

    Args:
        operation_id: The operation that answered.
        lenient: Whether every field that is not of its type becomes null; otherwise only those
            whose type is assumed are taken as they are, if they fit.

    Attributes:
        unexpected: How often each field was not of its type.
    """

    def __init__(self, operation_id: str, *, lenient: bool) -> None:
        self._operation_id = operation_id
        self._endpoint = ENDPOINTS[operation_id]
        self._lenient = lenient
        self.unexpected: Counter[str] = Counter()

    def answer(self, document: Any) -> Any:
        """The typed answer.

        Raises:
            msgspec.ValidationError: It is none.
        """
        kind, place = answer_type(self._operation_id), self._endpoint.rows_at
        if place is not None:
            if not isinstance(document, Mapping):
                raise _wrong("object", document, "$")
            rest = {c.python_name: self._envelope(c, document) for c in self._endpoint.envelope}  # pyright: ignore[reportUnknownArgumentType]
            return kind(**{place: self._rows(document.get(place), f"$.{place}")}, **rest)  # pyright: ignore[reportUnknownMemberType]
        if self._endpoint.root == "array":
            return self._rows(document, "$")
        return self._object(self._endpoint.row, kind, document, "$", "")

    def _envelope(self, column: Column, document: Mapping[str, object]) -> Any:
        try:
            return msgspec.convert(document.get(column.name, msgspec.UNSET), _scalar_type(column))
        except msgspec.ValidationError:
            value = document.get(column.name, msgspec.UNSET)
            raise _wrong(column.type, value, f"$.{column.name}") from None

    def _rows(self, documents: Any, at: str) -> list[Any]:
        if not isinstance(documents, list):
            raise _wrong("array", documents, at)
        columns, kind = self._endpoint.row, row_type(self._operation_id)
        rows: list[Any] = documents  # pyright: ignore[reportUnknownVariableType]
        return [
            self._object(columns, kind, document, f"{at}[{number}]", "")
            for number, document in enumerate(rows)
        ]

    def _object(
        self, columns: Sequence[Column], kind: Any, document: object, at: str, above: str
    ) -> Any:
        if not isinstance(document, Mapping):
            raise _wrong("object", document, at)
        kinds = {field.name: field.type for field in msgspec.structs.fields(kind)}
        values: dict[str, Any] = {}
        for column in columns:
            if column.name not in document and not column.required:
                continue
            value = document.get(column.name, msgspec.UNSET)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            place, name = f"{at}.{column.name}", above + column.name
            values[column.python_name] = self._value(
                column, kinds[column.python_name], value, place, name
            )
        return kind(**values)

    def _value(self, column: Column, kind: Any, value: Any, at: str, name: str) -> Any:
        if column.fields:
            return self._nested(column, kind, value, at, name)
        try:
            if isinstance(value, _TooLarge):
                raise _wrong(column.type, value, at)
            return msgspec.convert(value, _scalar_type(column))
        except msgspec.ValidationError:
            fitting = _fitting(column, value) if column.provenance.source == "assumed" else None
            if fitting is None and not self._lenient and not _may_lack(column, value):
                raise _wrong(column.type, value, at) from None
            self.unexpected[name] += 1
            return fitting

    def _nested(self, column: Column, kind: Any, value: Any, at: str, name: str) -> Any:
        inner = _struct_in(kind)
        if column.nullable and value is None:
            return None
        try:
            if column.type == "struct":
                return self._object(column.fields, inner, value, at, f"{name}.")
            if not isinstance(value, list):
                raise _wrong("array", value, at)
            items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            return [
                self._object(column.fields, inner, one, f"{at}[{number}]", f"{name}.")
                for number, one in enumerate(items)
            ]
        except msgspec.ValidationError:
            if not self._lenient:
                raise
            self.unexpected[name] += 1
            return None


def untyped(text: bytes) -> Any:
    """Any JSON. A number that is too large for a float is kept as something that is no number.

    Raises:
        msgspec.DecodeError: It is none.
    """
    return _UNTYPED.decode(text)


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else _TooLarge(text)


class _TooLarge(str):
    """The text of a number that is too large."""

    def __repr__(self) -> str:
        return str(self)


_UNTYPED = msgspec.json.Decoder[Any](float_hook=_number)


def _may_lack(column: Column, value: object) -> bool:
    """Whether a field is missing whose presence is only assumed."""
    return column.provenance.source == "assumed" and (value is None or value is msgspec.UNSET)


def _struct_in(kind: Any) -> Any:
    """The struct in the type of a field, which may be a list of it, or null, or absent."""
    if isinstance(kind, type) and issubclass(cast("type[Any]", kind), msgspec.Struct):
        return kind  # pyright: ignore[reportUnknownVariableType]
    found = (_struct_in(one) for one in getattr(cast("Any", kind), "__args__", ()))
    return next((one for one in found if one is not None), None)


def _wrong(expected: str, value: object, at: str) -> msgspec.ValidationError:
    if value is msgspec.UNSET:
        above, _, name = at.rpartition(".")
        return msgspec.ValidationError(f"Object missing required field `{name}` - at `{above}`")
    return msgspec.ValidationError(f"Expected `{expected}`, got {value!r:.80} - at `{at}`")


def _fitting(column: Column, value: object) -> Any:
    """A scalar as the type of a column whose type is assumed; None when it does not fit."""
    match column.type, value:
        case _, _TooLarge():
            return None
        case "string", bool():
            return str(value).lower()
        case "string", str() | int() | float():
            return str(value)
        case "int64" | "timestamp", int() if not isinstance(value, bool):
            return value if -INT64_MAX <= value <= INT64_MAX else None
        case "int64" | "timestamp", float():
            return int(value) if value.is_integer() and abs(value) <= FLOAT_EXACT else None
        case "int64" | "timestamp", str():
            number = int(value) if value.lstrip("-").isdecimal() and len(value) < 20 else None
            return _fitting(column, number)
        case "float64", int() | float() if not isinstance(value, bool):
            return float(value)
        case _:
            return None
