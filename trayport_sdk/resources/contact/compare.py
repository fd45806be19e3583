"""Compares responses as they came with what the OpenAPI document says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from attrs import evolve, field, frozen
from trayport_spec import ENDPOINTS, Column
from trayport_spec.places import DECLARED

from ...http.body import ENCODINGS
from .answers import UNFORESEEN, Answer, Row, inside, members, objects
from .known import integer, moment_of, nanoseconds
from .questions import BY_NAME

JSON, PROBLEM = "application/json", "application/problem+json"
TYPES: Mapping[str, tuple[type, ...]] = {
    "int64": (int,), "float64": (int, float), "timestamp": (int,), "string": (str,),
    "bool": (bool,), "struct": (dict,), "list": (list,),
}  # fmt: skip
WORDS: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", dict: "object",
    list: "array", type(None): "null",
}  # fmt: skip
LARGEST = 2**63 - 1
SMALLEST_COMPRESSED = 1024
"""Bytes from which on a body is expected to be compressed."""

# A field that is not there, beside None for null.
ABSENT = object()
SIDES = {"bids": -1, "asks": 1}


@frozen
class SpecDifference:
    """One thing in which responses differ from the document.

    Attributes:
        operation_id: The operation whose response it was.
        kind: `status`, `body`, `header`, `limit`, `unknown`, `missing`, `unrequested`, `type`,
            `null`, `value`, `order` or `range`.
        path: The field, such as `contract.sequenceId`, or what else it is about.
        seen: What came.
        expected: What the document says.
        question: The question that it was first seen in.
        count: In how many rows or responses.
        place: The JSONPath of what says so in the document, where something does.
        change: What the document would say there: fields of the overlay's update.
        assumptions: The assumptions that what the document says there rests on.
    """

    operation_id: str
    kind: str
    path: str
    seen: str
    expected: str
    question: str
    count: int = 1
    place: str = ""
    change: Mapping[str, Any] = field(factory=dict[str, Any], eq=False)
    assumptions: tuple[str, ...] = ()

    @property
    def operation_place(self) -> str:
        """The JSONPath of the operation."""
        return f"$.paths['{ENDPOINTS[self.operation_id].path}'].get"

    @property
    def key(self) -> tuple[str, ...]:
        """What two sightings of one difference share."""
        return self.operation_id, self.kind, self.path, self.seen


def compare(answers: Iterable[Answer]) -> list[SpecDifference]:
    """The differences in all responses, each once."""
    found: dict[tuple[str, ...], SpecDifference] = {}
    for answer in answers:
        try:
            differences = list(_in(answer))
        except UNFORESEEN as error:
            seen = f"it cannot be compared ({type(error).__name__})"
            differences = [_note(answer, "body", "", seen, JSON)]
        for difference in differences:
            first = found.get(difference.key)
            count = difference.count + (0 if first is None else first.count)
            found[difference.key] = evolve(first or difference, count=count)
    return list(found.values())


def _in(answer: Answer) -> Iterator[SpecDifference]:
    yield from _status(answer)
    yield from _head(answer)
    if answer.status == BY_NAME[answer.name].status == 200 and not answer.damage:
        yield from _rows(answer)


def _note(
    answer: Answer, kind: str, path: str, seen: str, expected: str, **more: Any
) -> SpecDifference:
    operation_id = answer.endpoint.operation_id
    return SpecDifference(operation_id, kind, path, seen, expected, answer.name, **more)


def _status(answer: Answer) -> Iterator[SpecDifference]:
    """Another status than promised, unless it is about the key or its allowance."""
    question = BY_NAME[answer.name]
    promised = question.status
    is_of_the_key = answer.status in (401, 403, 429) or answer.status >= 500
    if answer.status == promised or is_of_the_key or (promised, answer.status) == (200, 404):
        return
    if question.settles is not None and {answer.status, promised} == {200, 400}:
        return  # its probe speaks of it
    seen = f"{answer.status} {answer.message if answer.was_refused else ''}".strip()
    if answer.was_refused and question.limit is not None:
        days = [int(word) for word in answer.message.replace(".", " ").split() if word.isdecimal()]
        change = {"maxDays": days[-1]} if days else {}
        yield _note(
            answer, "limit", "maxDays", seen, "a range of this length is accepted",
            place=question.limit, change=change,
        )  # fmt: skip
    else:
        yield _note(answer, "status", "", seen, str(promised))


def _head(answer: Answer) -> Iterator[SpecDifference]:
    """The headers, and whether the body is what they say."""
    kind = answer.headers.get("content-type", "")
    encoding = answer.headers.get("content-encoding", "")
    if answer.status != 200:
        return
    if kind.partition(";")[0].strip().lower() != JSON:
        yield _note(answer, "header", "Content-Type", kind or "absent", JSON)
    if not encoding and len(answer.body) >= SMALLEST_COMPRESSED:
        yield _note(answer, "header", "Content-Encoding", "absent", ", ".join(ENCODINGS))
    if answer.damage:
        yield _note(answer, "body", "", answer.damage, JSON)


def _rows(answer: Answer) -> Iterator[SpecDifference]:
    endpoint, document = answer.endpoint, answer.document
    expected = "array" if endpoint.root == "array" else "object"
    if WORDS[type(document)] != expected:
        yield _note(answer, "type", "", WORDS[type(document)], expected)
        return
    if endpoint.rows_at is not None:
        beside = {k: v for k, v in members(document).items() if k != endpoint.rows_at}
        fields = _Fields(answer, _places(endpoint.operation_id), frozenset())
        yield from fields.of(endpoint.envelope, [beside])
        if not isinstance(members(document).get(endpoint.rows_at), list):
            yield _note(answer, "type", endpoint.rows_at, "no array", "array")
    rows = answer.rows
    yield from _Fields(answer, _places(endpoint.schema), _requested(answer)).of(endpoint.row, rows)
    yield from _order(answer, rows)
    yield from _range(answer, rows)


def _places(name: str) -> Mapping[str, str]:
    """The place that declares each field of a schema."""
    return {path: place for place, paths in DECLARED[name].items() for path in paths}


def _requested(answer: Answer) -> frozenset[str]:
    """The optional fields of a request, and the parameters that bring further fields."""
    given = answer.request.parameters.get("optionalFields", ())
    fields = (given,) if isinstance(given, str) else given
    return frozenset(fields) | {n for n, v in answer.request.parameters.items() if v != "false"}


class _Fields:
    """Compares the fields of objects of one response, column by column."""

    def __init__(
        self, answer: Answer, places: Mapping[str, str], requested: frozenset[str]
    ) -> None:
        self._answer = answer
        self._places = places
        self._requested = requested
        self._is_subset = answer.endpoint.limits.contract == "subset"

    def of(
        self, columns: Sequence[Column], rows: Sequence[Row], path: str = ""
    ) -> Iterator[SpecDifference]:
        """The differences of some objects, whose path ends in a dot."""
        if not rows:
            return
        yield from self._unknown(columns, rows, path)
        for column in columns:
            values = [row.get(column.name, ABSENT) for row in rows]
            kinds = set(map(type, values))
            yield from self._presence(column, values, path)
            if type(None) in kinds and not column.nullable:
                count = sum(value is None for value in values)
                yield self._note(
                    "null", column, path, "null", "never null", count, _nullable(column)
                )
            yield from self._types(column, kinds, values, path)
            yield from self._values(column, values, path)
            if column.fields:
                yield from self.of(column.fields, inside(values), f"{path}{column.name}.")

    def _unknown(
        self, columns: Sequence[Column], rows: Sequence[Row], path: str
    ) -> Iterator[SpecDifference]:
        names = {column.name for column in columns}
        counts = Counter(name for row in rows for name in row.keys() - names)
        for name, count in sorted(counts.items()):
            kinds = sorted({WORDS[type(row[name])] for row in rows if name in row})
            yield _note(
                self._answer, "unknown", path + name, " or ".join(kinds), "no such field",
                count=count, place=self._places.get(path, ""),
                change=_declaration(name, kinds, is_always_there=count == len(rows)),
            )  # fmt: skip

    def _presence(
        self, column: Column, values: Sequence[object], path: str
    ) -> Iterator[SpecDifference]:
        count = sum(value is ABSENT for value in values)
        was_requested = bool({column.optional_field, column.added_by} & self._requested)
        if column.required and count:
            yield self._note(
                "missing", column, path, "absent", "always there", count, {"required": False}
            )
        elif column.optional_field in self._requested and count == len(values):
            # A boolean may be left out where it says nothing, but not always.
            yield self._note("missing", column, path, "absent", "there on request", count, {})
        elif (
            count < len(values)
            and column.optional_field is not None
            and not was_requested
            and not column.required
            and not self._is_subset
        ):
            there = len(values) - count
            yield self._note("unrequested", column, path, "there", "only on request", there, {})

    def _types(
        self, column: Column, kinds: set[type], values: Sequence[object], path: str
    ) -> Iterator[SpecDifference]:
        fitting = {*TYPES[column.type], type(None), object}
        for kind in sorted(kinds - fitting, key=str):
            count = sum(type(value) is kind for value in values)
            change = _retyped(WORDS[kind], nullable=type(None) in kinds or column.nullable)
            yield self._note("type", column, path, WORDS[kind], column.type, count, change)

    def _values(
        self, column: Column, values: Sequence[object], path: str
    ) -> Iterator[SpecDifference]:
        if column.enum:
            odd = {v for v in values if isinstance(v, str)} - {*column.enum}
            for value in sorted(odd):
                count = sum(v == value for v in values)
                yield self._note("value", column, path, value, ", ".join(column.enum), count, {})
        elif column.type in ("int64", "timestamp"):
            least = column.minimum if column.minimum is not None else -LARGEST - 1
            wrong = [v for v in values if type(v) is int and not least <= v <= LARGEST]
            if wrong:
                seen = "below the minimum" if min(wrong) < least else "more than 64 bits"
                expected = f"from {least:g} on, in 64 bits"
                yield self._note("value", column, path, seen, expected, len(wrong), {})

    def _note(
        self,
        kind: str,
        column: Column,
        path: str,
        seen: str,
        expected: str,
        count: int,
        change: Mapping[str, Any],
    ) -> SpecDifference:
        name = path + column.name
        owner = self._places.get(name, "")
        place = f"{owner}.properties.{column.name}"
        if kind == "missing":
            place = f"{owner}.required[?@ == '{column.name}']"
        return _note(
            self._answer, kind, name, seen, expected, count=count, place=place, change=change,
            assumptions=column.provenance.assumptions,
        )  # fmt: skip


def _declaration(name: str, kinds: list[str], *, is_always_there: bool) -> Mapping[str, Any]:
    """What declares an unknown field; nothing when it is no scalar of one type."""
    (kind, *others) = [kind for kind in kinds if kind != "null"] or ["null"]
    if {kind, *others} == {"integer", "number"}:
        kind, others = "number", []
    if others or kind in ("null", "object", "array"):
        return {}
    declared = {
        **_retyped(kind, nullable="null" in kinds),
        "description": "Seen in a response of the live service.",
    }
    required = {"required": [name]} if is_always_there else {}
    return {"properties": {name: declared}, **required}


def _retyped(kind: str, *, nullable: bool) -> Mapping[str, Any]:
    """What a field of another type is declared as; nothing when it is no scalar."""
    if kind in ("null", "object", "array"):
        return {}
    formats = {"integer": {"format": "int64"}, "number": {"format": "double"}}
    return {
        "type": [kind, "null"] if nullable else kind,
        **formats.get(kind, {}),
        "x-provenance": "observed",
    }


def _nullable(column: Column) -> Mapping[str, Any]:
    """What a field that may be null is declared as; nothing when it is no scalar."""
    if column.type == "timestamp":
        options = [{"$ref": "#/components/schemas/Nanoseconds"}, {"type": "null"}]
        return {"oneOf": options, "x-provenance": "observed"}
    kinds = {"int64": "integer", "float64": "number", "string": "string", "bool": "boolean"}
    return _retyped(kinds.get(column.type, "object"), nullable=True)


def _order(answer: Answer, rows: Sequence[Row]) -> Iterator[SpecDifference]:
    """Rows that do not come in time, and orders that do not come best first."""
    name = answer.endpoint.time_column
    times = [_time(row, name) for row in rows] if name else [_period(row) for row in rows]
    known = [time for time in times if time is not None]
    if _falls(known):
        yield _note(answer, "order", name or "periodStart", "not ascending", "ascending")
    for side, sign in SIDES.items():
        count = 0
        for row in (row for row in rows if side in row):
            prices = [order.get("price") for order in objects(row[side])]
            count += _falls([sign * price for price in prices if isinstance(price, int | float)])
        if count:
            yield _note(answer, "order", side, "not best first", "best first", count=count)


def _time(row: Row, name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) else None


def _period(row: Row) -> int | None:
    """The start of a delivery period."""
    moment = moment_of(row["periodStart"]) if row.get("periodStart") else None
    return None if moment is None else nanoseconds(moment)


def _falls(values: Sequence[float]) -> bool:
    return any(later < earlier for earlier, later in pairwise(values))


def _range(answer: Answer, rows: Sequence[Row]) -> Iterator[SpecDifference]:
    """Rows outside of what was asked for; those at `until` are told apart elsewhere."""
    name = answer.endpoint.time_column
    if name is None:
        return
    start, until, at = (
        None
        if (moment := moment_of(answer.request.parameters.get(bound))) is None
        else nanoseconds(moment)
        for bound in ("from", "until", "at")
    )
    times = [time for row in rows if (time := integer(row, name)) is not None]
    count = sum(
        (start is not None and time < start)
        or (until is not None and time > until)
        or (at is not None and time >= at)
        for time in times
    )
    if count:
        seen, expected = "outside the range", "within the range"
        yield _note(answer, "range", name, seen, expected, count=count)
