"""A decoder that is slow and plainly right: the `json` of Python, and the tables read aloud.

It gives the rows of a response as dictionaries, or everything that is wrong with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NoReturn

from attrs import field, frozen
from trayport_spec import ENDPOINTS, Column

from trayport_sdk.tables.decode.schema import ColumnFilter

INT64_MAX = 2**63 - 1
ABSENT = object()


@frozen
class Number:
    """A number as it was written."""

    text: str

    @property
    def is_whole(self) -> bool:
        return self.text.lstrip("-").isdecimal()


@frozen
class Problem:
    """A value that is not what the tables say.

    Attributes:
        row: The row it is in, from 0, or None outside of rows.
        field: The path to it in the row, or outside of rows in the response; None for all of it.
        value: The value, or, when it is missing, the object that lacks it.
        assumed: Whether the tables only assume what it should be.
    """

    row: int | None
    field: str | None
    value: Any
    assumed: bool = False


class Wrong(Exception):  # noqa: N818
    """The response is not what the API promises.

    Attributes:
        problems: What is wrong with which value; empty when it is no JSON.
    """

    def __init__(self, problems: Sequence[Problem] = ()) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)


@frozen
class ApiResponse:
    """What a response says: its rows with the columns that were asked for, and its instant.

    Attributes:
        rows: One dictionary per row, by the names of Python.
        timestamp: The instant of the whole response in nanoseconds, or None.
        unexpected: What is wrong with it where the tables only assume.
    """

    rows: list[dict[str, Any]]
    timestamp: int | None = None
    unexpected: Sequence[Problem] = field(default=())


def parsed(body: bytes) -> Any:
    """The JSON value of a body: numbers as written, of fields with the same name the last.

    A byte order mark may stand before it.

    Raises:
        ValueError: It is no JSON, or not in UTF-8.
    """
    return _parser().decode(body.decode("utf-8-sig"))


def stands_at(body: bytes, offset: int, value: Any) -> bool:
    """Whether a value begins at a place of a body."""
    try:
        return bool(_parser().raw_decode(body[offset:].decode())[0] == value)
    except ValueError:
        return False


def _parser() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_refuse
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; the letters of fields that another one replaces are looked at as well."""
    _check_letters([one for pair in pairs for one in pair])
    return dict(pairs)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def decoded(operation_id: str, body: bytes, wanted: ColumnFilter) -> ApiResponse:
    """The rows of a response.

    Raises:
        Wrong: It is not what the API promises.
    """
    endpoint = ENDPOINTS[operation_id]
    try:
        document = parsed(body)
        _check_letters(document)
    except (ValueError, RecursionError) as error:
        raise Wrong from error
    problems: list[Problem] = []
    timestamp = None
    if endpoint.rows_at is not None:
        if not isinstance(document, dict):
            raise Wrong([Problem(None, None, document)])
        for column in endpoint.envelope:
            problems += _problems(column, document, None, "")
            if not problems:
                timestamp = _value(column, document[column.name], wanted)
        document = document.get(endpoint.rows_at, ABSENT)
        if not isinstance(document, list):
            raise Wrong([*problems, Problem(None, endpoint.rows_at, document)])
    elif endpoint.root == "object":
        document = [document]
    if not isinstance(document, list):
        raise Wrong([Problem(None, None, document)])
    place = partial(_row_number, is_only=endpoint.root == "object" and endpoint.rows_at is None)
    for number, row in enumerate(document):
        problems += _object_problems(endpoint.row, row, place(number), "")
    if any(not problem.assumed for problem in problems):
        raise Wrong(problems)
    if problems:
        return ApiResponse([], timestamp, problems)
    return ApiResponse([_row(endpoint.row, row, wanted) for row in document], timestamp)


def _row_number(number: int, *, is_only: bool) -> int | None:
    """A response that is one row has no rows to count."""
    return None if is_only else number


def _check_letters(value: Any) -> None:
    """Refuses halves of letters, which `json` lets pass."""
    match value:
        case str():
            value.encode()
        case dict():
            for name, one in value.items():
                name.encode()
                _check_letters(one)
        case list():
            for one in value:
                _check_letters(one)
        case _:
            pass


def _object_problems(
    columns: Sequence[Column], value: Any, row: int | None, at: str
) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(row, at or None, value)
        return
    for column in columns:
        yield from _problems(column, value, row, f"{at}." if at else "")


def _problems(
    column: Column, parent: dict[str, Any], row: int | None, above: str
) -> Iterator[Problem]:
    at, value = above + column.name, parent.get(column.name, ABSENT)
    if value is ABSENT:
        if column.required:
            yield Problem(row, at, parent, column.provenance.source == "assumed")
    elif value is None and column.nullable:
        pass
    elif column.type == "struct":
        yield from _object_problems(column.fields, value, row, at)
    elif column.type == "list" and isinstance(value, list):
        for number, one in enumerate(value):
            yield from _object_problems(column.fields, one, row, f"{at}[{number}]")
    elif not _is_right(column, value):
        yield Problem(row, at, value, column.provenance.source == "assumed")


def _is_right(column: Column, value: Any) -> bool:
    """Whether a value that is not null is of the type of a column that is no object."""
    match column.type:
        case "int64" | "timestamp":
            least = -INT64_MAX - 1 if column.minimum is None else column.minimum
            return (
                isinstance(value, Number)
                and value.is_whole
                and len(value.text) < 30
                and least <= int(value.text) <= INT64_MAX
            )
        case "float64":
            return isinstance(value, Number) and math.isfinite(float(value.text))
        case "bool":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str) and (not column.enum or value in column.enum)
        case _:
            return False


def _row(columns: Sequence[Column], row: dict[str, Any], wanted: ColumnFilter) -> dict[str, Any]:
    return {c.python_name: _value(c, row.get(c.name), wanted) for c in columns if wanted(c)}


def _value(column: Column, value: Any, wanted: ColumnFilter) -> Any:
    """A value that is right, as a table holds it."""
    if value is None:
        return None
    match column.type:
        case "int64" | "timestamp":
            return int(value.text)
        case "float64":
            return float(value.text)
        case "struct":
            return _row(column.fields, value, wanted)
        case "list":
            return [_row(column.fields, one, wanted) for one in value]
        case _:
            return value
