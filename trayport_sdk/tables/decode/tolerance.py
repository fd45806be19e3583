"""Responses that are not quite of their types.

Types that the document marks as documented or observed are enforced. Where a type is only assumed,
any scalar that fits is accepted, and counted.
"""

from __future__ import annotations

import json
import math
import reprlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast

import msgspec
from trayport_spec import ENDPOINTS, Column
from trayport_spec.rows import RESPONSE_TYPES, ROWS

from .schema import attribute

INT64_MAX = 2**63 - 1
FLOAT_EXACT = 2**53


class Tolerance:
    """Makes a response of JSON values, some of which are not of their types.

    Args:
        operation_id: The operation of the request.
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

    def response(self, document: Any) -> Any:
        """The typed response.

        Raises:
            msgspec.ValidationError: It is none.
        """
        kind, place = RESPONSE_TYPES[self._operation_id], self._endpoint.rows_at
        if place is not None:
            members = cast("Mapping[str, object]", document)
            kinds = _kinds(kind)
            rest = {
                attribute(column): _converted(column, kinds[attribute(column)], members)
                for column in self._endpoint.envelope
            }
            return kind(rows=self._rows(members.get(place), f"$.{place}"), **rest)
        if self._endpoint.root == "array":
            return self._rows(document, "$")
        return self._object(self._endpoint.row, kind, document, "$", "")

    def _rows(self, documents: Any, at: str) -> list[Any]:
        if not isinstance(documents, list):
            raise _wrong("array", documents, at)
        columns, kind = self._endpoint.row, ROWS[self._operation_id]
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
        kinds = _kinds(kind)
        values: dict[str, Any] = {}
        for column in columns:
            if column.name not in document and not column.required:
                continue
            value = document.get(column.name, msgspec.UNSET)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            place, name = f"{at}.{column.name}", above + column.name
            values[attribute(column)] = self._value(
                column, kinds[attribute(column)], value, place, name
            )
        return kind(**values)

    def _value(self, column: Column, kind: Any, value: Any, at: str, name: str) -> Any:
        if column.fields:
            return self._nested(column, kind, value, at, name)
        try:
            if isinstance(value, _TooLarge):
                raise _wrong(column.type, value, at)
            return msgspec.convert(value, kind)
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
                self._object(column.fields, inner, item, f"{at}[{number}]", f"{name}.")
                for number, item in enumerate(items)
            ]
        except msgspec.ValidationError:
            if not self._lenient:
                raise
            self.unexpected[name] += 1
            return None


def untyped(text: bytes) -> Any:
    """Any JSON. A number that is too large for a float becomes a marker that is no number.

    Raises:
        msgspec.DecodeError: It is none.
    """
    try:
        return _UNTYPED.decode(text)
    except msgspec.ValidationError:
        # A whole number of more digits than Python reads, perhaps in a field that is unknown.
        try:
            return _SLOW.decode(text.decode())
        except ValueError as error:
            raise msgspec.DecodeError(str(error)) from error


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else _TooLarge(text)


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= sys.get_int_max_str_digits() else _TooLarge(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for pair in pairs:
        _check_letters(pair)
    return dict(pairs)


def _check_letters(value: object) -> None:
    """Refuses half of a surrogate pair, also in fields that another one replaces."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[object]", value):
            _check_letters(item)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"JSON is malformed: invalid {constant}")


class _TooLarge(str):
    """The text of a number that is too large."""

    def __repr__(self) -> str:
        return str(self)


_UNTYPED = msgspec.json.Decoder[Any](float_hook=_number)
_SLOW = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_number, parse_constant=_refuse
)


def _kinds(struct: Any) -> dict[str, Any]:
    """The types of the fields of a struct."""
    return {field.name: field.type for field in msgspec.structs.fields(struct)}


def _converted(column: Column, kind: Any, document: Mapping[str, object]) -> Any:
    """A member beside the rows, of the right type."""
    value = document.get(column.name, msgspec.UNSET)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise _wrong(column.type, value, f"$.{column.name}") from None


def _may_lack(column: Column, value: object) -> bool:
    """Whether a field is missing whose presence is only assumed."""
    return column.provenance.source == "assumed" and (value is None or value is msgspec.UNSET)


def _struct_in(kind: Any) -> Any:
    """The struct in the type of a field, which may be a list of it, or null, or absent."""
    if isinstance(kind, type) and issubclass(cast("type[Any]", kind), msgspec.Struct):
        return kind  # pyright: ignore[reportUnknownVariableType]
    structs = (_struct_in(part) for part in getattr(cast("Any", kind), "__args__", ()))
    return next((struct for struct in structs if struct is not None), None)


def _wrong(expected: str, value: object, at: str) -> msgspec.ValidationError:
    if value is msgspec.UNSET:
        above, _, name = at.rpartition(".")
        return msgspec.ValidationError(f"Object missing required field `{name}` - at `{above}`")
    return msgspec.ValidationError(f"Expected `{expected}`, got {reprlib.repr(value)} - at `{at}`")


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
            is_number = value.removeprefix("-").isdecimal() and len(value) < 20
            number = int(value) if is_number else None
            return _fitting(column, number)
        case "float64", int() | float() if not isinstance(value, bool):
            return float(value)
        case _:
            return None
