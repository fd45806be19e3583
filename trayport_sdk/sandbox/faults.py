"""Faults on demand: what shall go wrong, with which requests, and how often."""

import csv
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Literal, cast, get_args

from attrs import asdict, define, field, fields, frozen, validators
from trayport_spec import ENDPOINTS, Endpoint

Row = dict[str, Any]
Kind = Literal[
    "delay",
    "drip",
    "reset",
    "cut",
    "wrong-length",
    "status",
    "too-fast",
    "html",
    "malformed",
    "unknown-field",
    "unknown-venue",
    "null",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Service page</title></head>"
    b"<body><h1>The service cannot show this page</h1></body></html>\n"
)


def _known_kind(_fault: object, _attribute: object, kind: object) -> None:
    if kind not in KINDS:
        raise ValueError(f"There is no fault {kind!r}; there are {', '.join(KINDS)}.")


def _known_operation(_fault: object, _attribute: object, operation_id: str | None) -> None:
    if operation_id is not None and operation_id not in ENDPOINTS:
        raise ValueError(
            f"There is no operation {operation_id!r}; there are {', '.join(ENDPOINTS)}."
        )


def _at_least_one(_fault: object, _attribute: object, times: int | None) -> None:
    if times is not None and times < 1:
        raise ValueError("'times' must be at least 1, or None for always.")


@frozen
class Fault:
    """One thing that goes wrong.

    It hits requests whose operation and path fit (`path` fits whole, or as a beginning when it ends
    in `*`), leaves out the first `after` of them, hits with the `probability`, and stops after
    `times` hits (None: never).

    - `delay`: the response comes `seconds` later.
    - `drip`: the body comes `chunk` bytes at a time, at `bytes_per_second`.
    - `reset`: the connection is reset, before the head, or after `after_bytes` of the body.
    - `cut`: the body ends after `after_bytes`, half of it by default; `framing` says how its length
      was announced.
    - `wrong-length`: the announced length is `length_error` bytes off.
    - `status`: an error `status` (503 by default), with `retry_after` seconds, as a date when
      `retry_after_date`; with a problem document, or without a body when `empty`.
    - `too-fast`: the 403 that the live service sends to keys that are too fast.
    - `html`: a page instead of the data, with `status` (200 by default).
    - `malformed`: JSON that is not well formed.
    - `unknown-field`, `unknown-venue`: an undocumented field or venue, in every row.
    - `null`: a null in the first row, in `column` or the first that may not be null.
    """

    kind: Kind = field(validator=_known_kind)
    path: str | None = None
    operation_id: str | None = field(default=None, validator=_known_operation)
    times: int | None = field(default=1, validator=_at_least_one)
    after: int = field(default=0, validator=validators.ge(0))
    probability: float = field(
        default=1.0, validator=validators.and_(validators.ge(0.0), validators.le(1.0))
    )
    seed: int = 0
    seconds: float = field(default=1.0, validator=validators.ge(0.0))
    bytes_per_second: float = field(default=1024.0, validator=validators.gt(0.0))
    chunk: int = field(default=64, validator=validators.gt(0))
    after_bytes: int | None = field(default=None, validator=validators.optional(validators.ge(0)))
    framing: Literal["chunked", "content-length"] = field(
        default="chunked", validator=validators.in_(("chunked", "content-length"))
    )
    length_error: int = 1
    status: int | None = field(
        default=None,
        validator=validators.optional(validators.and_(validators.ge(200), validators.le(599))),
    )
    retry_after: float | None = field(
        default=None, validator=validators.optional(validators.ge(0.0))
    )
    retry_after_date: bool = False
    empty: bool = False
    column: str | None = None

    @classmethod
    def from_document(cls, document: object) -> "Fault":
        """The fault a JSON object describes; raises `ValueError` or `TypeError` for others."""
        if not isinstance(document, dict):
            raise TypeError("A fault is a JSON object.")
        values = cast("dict[str, Any]", document)
        known = {attribute.name for attribute in fields(cls)}
        if unknown := sorted(values.keys() - known):
            raise ValueError(f"A fault has no {', '.join(unknown)}.")
        return cls(**values)

    @property
    def announces_length(self) -> bool:
        return self.framing == "content-length"

    def fits(self, path: str, operation_id: str | None) -> bool:
        if self.operation_id is not None and self.operation_id != operation_id:
            return False
        if self.path is None:
            return True
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


@define
class _Armed:
    fault: Fault
    seen: int
    hits: int
    dice: random.Random

    def strikes(self, path: str, operation_id: str | None) -> bool:
        fault = self.fault
        if not fault.fits(path, operation_id):
            return False
        self.seen += 1
        if self.seen <= fault.after or (fault.times is not None and self.hits >= fault.times):
            return False
        if self.dice.random() >= fault.probability:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults of one sandbox; safe to change from other threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._armed += [_Armed(fault, 0, 0, random.Random(fault.seed)) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def striking(self, path: str, operation_id: str | None) -> Sequence[Fault]:
        """The faults that hit a request with this path; the request is counted."""
        with self._lock:
            return [a.fault for a in self._armed if a.strikes(path, operation_id)]

    def documents(self) -> list[dict[str, object]]:
        with self._lock:
            return [{**asdict(armed.fault), "hits": armed.hits} for armed in self._armed]


def damaged(body: bytes, fault: Fault, endpoint: Endpoint, media: str) -> bytes:
    """The body as the fault leaves it; the same when the fault finds nothing to change."""
    if fault.kind == "malformed":
        return _malformed(body)
    change = CHANGES.get(fault.kind)
    if change is None:
        return body
    column = fault.column or next(
        (c.name for c in endpoint.row if c.required and not c.nullable), ""
    )
    if media == "csv":
        return _changed_csv(body, lambda rows: change(rows, column))
    try:
        document = json.loads(body)
    except ValueError:  # another fault has changed it already
        return body
    rows: list[Row] = document if endpoint.root == "array" else [document]
    change(document[endpoint.rows_at] if endpoint.rows_at else rows, column)
    return json.dumps(document, separators=(",", ":")).encode()


def _malformed(body: bytes) -> bytes:
    """A brace too few and a comma too many, in the middle."""
    at = body.find(b"}", len(body) // 2)
    at = body.rfind(b"}") if at < 0 else at
    return body[:at] + b",," + body[at + 1 :] if at >= 0 else body[:-1] + b",,"


def _changed_csv(body: bytes, change: Callable[[list[Row]], None]) -> bytes:
    reader = csv.DictReader(io.StringIO(body.decode()))
    rows: list[Row] = list(reader)
    change(rows)
    text = io.StringIO()
    writer = csv.DictWriter(
        text, list(rows[0]) if rows else list(reader.fieldnames or ()), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _add_field(rows: list[Row], _column: str) -> None:
    for row in rows:
        row["fieldOfTheFuture"] = "new"


def _rename_venues(rows: list[Row], _column: str) -> None:
    for row in rows:
        for name, value in row.items():
            if name.lower().endswith("venuecode") and value is not None:
                row[name] = "NEWV"
            elif isinstance(value, list):
                _rename_venues(cast("list[Row]", value), _column)


def _put_null(rows: list[Row], column: str) -> None:
    for row in rows[:1]:
        row[column] = None


CHANGES: Mapping[str, Callable[[list[Row], str], None]] = {
    "unknown-field": _add_field,
    "unknown-venue": _rename_venues,
    "null": _put_null,
}
