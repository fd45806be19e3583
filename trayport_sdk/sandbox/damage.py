"""Faults that change a body: bytes in, other bytes out."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from trayport_spec import Endpoint

from trayport_sdk.sandbox.faults import Fault
from trayport_sdk.sandbox.render import Media

HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Service page</title></head>"
    b"<body><h1>The service cannot show this page</h1></body></html>\n"
)
UNKNOWN_FIELD, UNKNOWN_FIELD_VALUE = "fieldOfTheFuture", "new"
UNKNOWN_VENUE = "NEWV"

Row = dict[str, Any]


def damaged(body: bytes, fault: Fault, endpoint: Endpoint, media: Media) -> bytes:
    """The body as the fault leaves it; the same when the fault finds nothing to change."""
    if fault.kind == "malformed":
        return _malformed(body)
    change = _CHANGES.get(fault.kind)
    if change is None:
        return body
    column = fault.column or _never_null(endpoint)
    if media == "csv":
        return _changed_csv(body, lambda rows: change(rows, column))
    try:
        document = json.loads(body)
    except ValueError:  # another fault has been here before
        return body
    rows = _rows_of(document, endpoint)
    change(rows, column)
    return json.dumps(document, separators=(",", ":")).encode()


def _malformed(body: bytes) -> bytes:
    """A brace too few and a comma too many, in the middle."""
    middle = len(body) // 2
    at = body.find(b"}", middle)
    at = body.rfind(b"}") if at < 0 else at
    return body[:at] + b",," + body[at + 1 :] if at >= 0 else body[:-1] + b",,"


def _never_null(endpoint: Endpoint) -> str:
    return next((c.name for c in endpoint.row if c.required and not c.nullable), "")


def _rows_of(document: Any, endpoint: Endpoint) -> list[Row]:
    if endpoint.rows_at is not None:
        return list(document[endpoint.rows_at])
    return cast("list[Row]", document) if isinstance(document, list) else [document]


def _changed_csv(body: bytes, change: Callable[[list[Row]], None]) -> bytes:
    reader = csv.DictReader(io.StringIO(body.decode()))
    rows: list[Row] = list(reader)
    change(rows)
    names = list(rows[0]) if rows else list(reader.fieldnames or ())
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _add_field(rows: Iterable[Row], _column: str) -> None:
    for row in rows:
        row[UNKNOWN_FIELD] = UNKNOWN_FIELD_VALUE


def _rename_venues(rows: Iterable[Row], _column: str) -> None:
    for row in rows:
        for name, value in row.items():
            if name.lower().endswith("venuecode") and value is not None:
                row[name] = UNKNOWN_VENUE
            elif isinstance(value, list):
                _rename_venues(cast("list[Row]", value), _column)


def _put_null(rows: list[Row], column: str) -> None:
    for row in rows[:1]:
        row[column] = None


_CHANGES: Mapping[str, Callable[[list[Row], str], None]] = {
    "unknown-field": _add_field,
    "unknown-venue": _rename_venues,
    "null": _put_null,
}
CHANGING = frozenset({*_CHANGES, "malformed"})
