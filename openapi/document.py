"""Reads the OpenAPI document and the table of venues into the tables' own types."""

from __future__ import annotations

import csv
import datetime
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, count
from typing import Any, Self, TypeVar, cast

import spec_types as t
import yaml
from attrs import frozen

JSON = "application/json"
# The safe loader in C is there wherever PyYAML comes as a wheel, and many times as fast.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Node = Mapping[str, Any]
Columns = tuple[t.Column, ...]
Read = TypeVar("Read")


class SpecError(Exception):
    """The document contradicts itself; the message says where."""


def snake(name: str) -> str:
    """The Python name of a camelCase name."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Document:
    """An OpenAPI document with its local references.

    Attributes:
        root: The whole document.
    """

    def __init__(self, root: Node) -> None:
        self.root = root

    def resolve(self, node: Node) -> tuple[Node, str | None]:
        """The node with its reference followed, and the name it was found under.

        Keywords beside a reference win over those behind it.
        """
        name: str | None = None
        while "$ref" in node:
            *_, name = parts = str(node["$ref"]).removeprefix("#/").split("/")
            target: Any = self.root
            for part in parts:
                target = target[part]
            node = {**target, **{k: v for k, v in node.items() if k != "$ref"}}
        return node, name

    def provenance(self, node: Node, where: str) -> t.Provenance:
        """Where the facts of a node come from. A forgotten mark must not pass for a document."""
        assumes = tuple(self.assumption(name, where) for name in node.get("x-assumes", ()))
        match node.get("x-provenance"):
            case "documented" | "observed" as source:
                return t.Provenance(source, assumes)
            case {"assumed": str(name)}:
                return t.Provenance("assumed", (self.assumption(name, where), *assumes))
            case None:
                raise SpecError(f"{where}: x-provenance is missing")
            case mark:
                raise SpecError(f"{where}: x-provenance is {mark!r}")

    def assumption(self, name: str, where: str) -> str:
        if name not in self.root["x-trayport-assumptions"]:
            raise SpecError(f"{where}: the assumption {name!r} is not listed")
        return name

    def operations(self) -> Iterator[tuple[str, Node]]:
        for path, item in self.root["paths"].items():
            yield path, {"servers": item["servers"], **item["get"]}


def prose(node: Node) -> str:
    return " ".join(str(node.get("description", "")).split())


def parameter(document: Document, node: Node) -> t.Parameter:
    node, _ = document.resolve(node)
    schema, schema_name = document.resolve(node["schema"])
    repeated = schema["type"] == "array"
    value, value_name = document.resolve(schema["items"]) if repeated else (schema, schema_name)
    example: Any = node.get("example", schema.get("example"))
    return t.Parameter(
        name=node["name"],
        python_name=snake(node["name"]),
        location=node["in"],
        type="instant" if value_name == "Instant" else value["type"],
        required=node.get("required", False),
        repeated=repeated,
        separator=(None if not repeated else "repeat" if node.get("explode", True) else "comma"),
        enum=tuple(value.get("enum", ())),
        minimum=value.get("minimum"),
        exclusive_minimum=value.get("exclusiveMinimum"),
        maximum=value.get("maximum"),
        max_items=schema.get("maxItems"),
        pattern=value.get("pattern"),
        default=schema.get("default"),
        example=tuple(example) if isinstance(example, list) else example,
        provenance=document.provenance(node, f"parameter {node['name']}"),
        description=prose(node),
    )


def members(document: Document, schema: Node) -> tuple[dict[str, Node], set[str]]:
    """The properties of an object and the names of the required ones, `allOf` merged."""
    schema, _ = document.resolve(schema)
    properties: dict[str, Node] = {}
    required: set[str] = set()
    for part in schema.get("allOf", ()):
        inner, names = members(document, part)
        properties |= inner
        required |= names
    properties |= schema.get("properties", {})
    return properties, required | set(schema.get("required", ()))


def without_null(document: Document, node: Node) -> tuple[Node, str | None, bool]:
    """The schema of the values that are not null, its name, and whether null is allowed."""
    if "oneOf" in node:
        alternatives = [option for option in node["oneOf"] if option.get("type") != "null"]
        if len(alternatives) != 1:
            raise SpecError(f"oneOf may only add null, not choose between schemas: {node}")
        inner, name = document.resolve(alternatives[0])
        return {**inner, **{k: v for k, v in node.items() if k != "oneOf"}}, name, True
    node, name = document.resolve(node)
    kind = node.get("type")
    if isinstance(kind, list):
        (only,) = (k for k in cast("list[str]", kind) if k != "null")
        return {**node, "type": only}, name, "null" in kind
    return node, name, False


class Additions:
    """What adds the columns that are not always there, from the row's extension."""

    def __init__(self, row: Node, optional_fields: tuple[str, ...]) -> None:
        self.parameters = {
            name: by for by, names in row.get("brings", {}).items() for name in names
        }
        renamed: Mapping[str, list[str]] = row.get("optional", {})
        self.fields = {
            column: value for value in optional_fields for column in renamed.get(value, [value])
        }


def columns(
    document: Document, schema: Node, additions: Additions, where: str
) -> tuple[t.Column, ...]:
    properties, required = members(document, schema)
    return tuple(
        column(document, name, node, name in required, additions, f"{where}.{name}")
        for name, node in properties.items()
    )


SCALARS: dict[str, t.ColumnType] = {
    "integer": "int64",
    "number": "float64",
    "string": "string",
    "boolean": "bool",
}


def column(
    document: Document, name: str, node: Node, required: bool, additions: Additions, where: str
) -> t.Column:
    value, value_name, nullable = without_null(document, node)
    fields: tuple[t.Column, ...] = ()
    kind: t.ColumnType
    if value_name == "Nanoseconds":
        kind = "timestamp"
    elif value.get("type") == "array":
        kind = "list"
        value_name = document.resolve(value["items"])[1]
        fields = columns(document, value["items"], additions, where)
    elif "properties" in value or "allOf" in value:
        kind = "struct"
        fields = columns(document, value, additions, where)
    else:
        kind = SCALARS[value["type"]]
    enum = tuple(value.get("enum", ()))
    return t.Column(
        name=name,
        python_name=snake(name),
        type=kind,
        nullable=nullable,
        required=required,
        optional_field=None if required else additions.fields.get(name),
        added_by=None if required else additions.parameters.get(name),
        enum=enum,
        minimum=value.get("minimum"),
        fields=fields,
        schema=value_name if fields or enum else None,
        provenance=document.provenance(value, where),
        description=prose(value),
    )


def class_of(column: t.Column, schema: str) -> str:
    """The class of the objects, or of the enumeration, in a column of a schema.

    >>> class_of(t.Column("kind", "kind", "string", "", enum=("a", "b")), "Settlement")
    'SettlementKind'
    """
    return column.schema or schema + column.name[0].upper() + column.name[1:]


def shapes(schema: str, columns: Columns) -> Iterator[tuple[str, Columns]]:
    """A schema and those of the objects in it, the inner ones first, with their columns."""
    for column in columns:
        if column.fields:
            yield from shapes(class_of(column, schema), column.fields)
    yield schema, columns


def envelope(document: Document, schema: Node, rows_at: str, where: str) -> tuple[t.Column, ...]:
    """The members of a response that stand beside its rows."""
    found = columns(document, schema, Additions({}, ()), where)
    if all(c.name != rows_at for c in found):
        raise SpecError(f"{where}: the response has no member {rows_at!r}")
    return tuple(c for c in found if c.name != rows_at)


def names_of(found: tuple[t.Column, ...]) -> set[str]:
    return {c.name for c in found} | {n for c in found for n in names_of(c.fields)}


MARKS = frozenset({"x-provenance", "x-assumes"})


def known(node: Node, names: set[str], where: str) -> Node:
    """The node, when it has no keys but these: a misspelt one would quietly lift a limit."""
    if unknown := set(node) - names - MARKS:
        raise SpecError(
            f"{where}: there is no {', '.join(sorted(unknown))}; known: {sorted(names)}"
        )
    return node


LIMITS = {
    "aligned", "contract", "cutoff", "earliestFrom", "intervals", "lookbackDays", "maxPoints",
    "ranges", "resolution",
}  # fmt: skip


def limits(document: Document, node: Node, where: str) -> t.Limits:
    known(node, LIMITS, where)
    earliest = node.get("earliestFrom")
    return t.Limits(
        contract=node.get("contract"),
        ranges=tuple(range_limit(r, f"{where}.ranges") for r in node.get("ranges", ())),
        max_points=node.get("maxPoints"),
        intervals=tuple(
            t.IntervalLimit(unit, tuple(counts))
            for unit, counts in node.get("intervals", {}).items()
        ),
        aligned=tuple(
            t.Alignment(unit, document.provenance(mark, f"{where}.aligned.{unit}"))
            for unit, mark in node.get("aligned", {}).items()
        ),
        earliest_from=datetime.date.fromisoformat(earliest) if earliest else None,
        resolution=node.get("resolution", "second"),
        cutoff=node.get("cutoff"),
        lookback_days=node.get("lookbackDays"),
        provenance=document.provenance(node, where),
    )


def range_limit(node: Node, where: str) -> t.RangeLimit:
    known(node, {"maxDays", "units"}, where)
    if "maxDays" not in node:
        raise SpecError(f"{where}: maxDays is missing")
    return t.RangeLimit(node["maxDays"], tuple(node.get("units", ())))


def batch(document: Document, node: Node, where: str) -> t.Batch:
    known(node, {"by", "maximum"}, where)
    return t.Batch(
        by=node.get("by", "none"),
        maximum=node.get("maximum"),
        provenance=document.provenance(node, where),
    )


def endpoint(document: Document, path: str, node: Node) -> t.Endpoint:
    where: str = node["operationId"]
    parameters = tuple(parameter(document, p) for p in node.get("parameters", ()))
    optional_fields = next((p.enum for p in parameters if p.name == "optionalFields"), ())
    content: Mapping[str, Node] = node["responses"]["200"]["content"]
    body, _ = document.resolve(content[JSON]["schema"])
    row = known(
        node["x-trayport-row"],
        {"at", "brings", "optional", "schema", "time"},
        f"{where}: x-trayport-row",
    )
    found = columns(
        document,
        {"$ref": f"#/components/schemas/{row['schema']}"},
        Additions(row, optional_fields),
        where,
    )
    rows_at: str | None = row.get("at")
    renamed: Mapping[str, list[str]] = row.get("optional", {})
    wanted = {n for value in optional_fields for n in renamed.get(value, [value])}
    if missing := wanted - names_of(found):
        raise SpecError(f"{where}: optional fields without a property: {sorted(missing)}")
    time_column: str | None = row.get("time")
    if time_column and not any(c.name == time_column and c.type == "timestamp" for c in found):
        raise SpecError(f"{where}: the time column {time_column!r} is not a timestamp of the row")
    (tag,) = node["tags"]
    method = known(
        node.get("x-trayport-method", {}),
        {"command", "group", "name"},
        f"{where}: x-trayport-method",
    )
    single = body.get("maxItems") == 1 or (body.get("type") != "array" and rows_at is None)

    def extension(name: str, read: Callable[[Document, Node, str], Read]) -> Read | None:
        return read(document, node[name], f"{where}: {name}") if name in node else None

    return t.Endpoint(
        operation_id=where,
        api="reference" if tag == "Reference" else "analytics",
        path=path,
        tag=tag,
        group=method.get("group", tag.lower()),
        method=method.get("name", where),
        command=method.get("command", where.removeprefix("get_").replace("_", "-")),
        schema=row["schema"],
        summary=node["summary"],
        description=prose(node),
        parameters=parameters,
        limits=extension("x-trayport-limits", limits) or t.Limits(),
        batch=extension("x-trayport-batch", batch) or t.Batch(),
        root="array" if body.get("type") == "array" else "object",
        single=single,
        rows_at=rows_at,
        envelope=envelope(document, body, rows_at, where) if rows_at else (),
        time_column=time_column,
        row=found,
        media_types=tuple(content),
        provenance=document.provenance(node, where),
    )


def venue(document: Document, row: Mapping[str, str]) -> t.Venue:
    where = f"venues.csv: {row['code']}"
    if row["kind"] not in ("broker", "exchange"):
        raise SpecError(f"{where}: kind is {row['kind']!r}")
    return t.Venue(
        code=row["code"],
        name=row["name"],
        id=int(row["id"]),
        active=flag(row["active"], where),
        kind="exchange" if row["kind"] == "exchange" else "broker",
        orders_from=datetime.date.fromisoformat(row["orders_from"]),
        aggregated_book=flag(row["aggregated_book"], where),
        separate_feeds=flag(row["separate_feeds"], where),
        provenance=document.provenance({"x-provenance": venue_mark(row)}, where),
    )


def venue_mark(row: Mapping[str, str]) -> object:
    source, _, assumption = row["orders_from_provenance"].partition(":")
    return {source: assumption} if assumption else source


def flag(text: str, where: str) -> bool:
    if text not in ("true", "false"):
        raise SpecError(f"{where}: {text!r} is neither true nor false")
    return text == "true"


def assumed(node: object) -> Iterator[str]:
    """The names of the assumptions that a part of the document rests on."""
    match node:
        case {"assumed": str(name)}:
            yield name
        case dict():
            for key, value in cast("Node", node).items():
                yield from value if key == "x-assumes" else assumed(value)
        case list():
            for value in cast("list[object]", node):
                yield from assumed(value)
        case _:
            pass


def check_assumptions(document: Document, venues_text: str) -> None:
    """Every assumption that is named is listed, and the other way round, so the list cannot rot."""
    listed = set(document.root["x-trayport-assumptions"])
    used = {*assumed(document.root), *re.findall(r"assumed:([a-z0-9-]+)", venues_text)}
    if listed != used:
        raise SpecError(f"assumptions either not listed or named nowhere: {sorted(listed ^ used)}")


@frozen
class Api:
    """All that the document and the table of venues say, for those who write modules of it."""

    document: Document
    endpoints: Mapping[str, t.Endpoint]
    venues: Mapping[str, t.Venue]
    digest: str

    @classmethod
    def read(cls, spec_text: str, venues_text: str) -> Self:
        """Reads both.

        Raises:
            SpecError: They contradict themselves.
        """
        document = Document(yaml.load(spec_text, LOADER))  # noqa: S506  (it is a safe one)
        check_assumptions(document, venues_text)
        endpoints = [endpoint(document, path, node) for path, node in document.operations()]
        venues = [venue(document, row) for row in csv.DictReader(venues_text.splitlines())]
        return cls(
            document,
            {endpoint.operation_id: endpoint for endpoint in endpoints},
            {venue.code: venue for venue in venues},
            hashlib.sha256((spec_text + venues_text).encode()).hexdigest(),
        )

    @property
    def root(self) -> Node:
        return self.document.root

    @property
    def names(self) -> dict[Columns, str]:
        """A name for the columns of each row and of each object in it, the inner ones first.

        It is that of their schema. The same columns share a name; others have another one.
        """
        found: dict[Columns, str] = {}
        for endpoint in self.endpoints.values():
            for schema, columns in shapes(endpoint.schema, endpoint.row):
                others = (f"{schema}{number}" for number in count(2))
                unique = (one for one in chain([schema], others) if one not in found.values())
                found[columns] = found.get(columns) or next(unique)
        return found

    @property
    def key_header(self) -> str:
        (scheme,) = self.root["components"]["securitySchemes"].values()
        return str(scheme["name"])

    @property
    def request_limits(self) -> t.RequestLimits:
        node = self.root["x-trayport-limits"]["requests"]
        return t.RequestLimits(
            per_second=node["perSecond"],
            per_minute=node["perMinute"],
            provenance=self.document.provenance(node, "requests"),
        )

    @property
    def private_orders_from(self) -> datetime.date:
        history = self.root["x-trayport-limits"]["history"]
        return datetime.date.fromisoformat(history["privateOrdersFrom"])

    @property
    def aliases(self) -> dict[str, str]:
        """The words of responses for enumerated values, with the words that requests use."""
        schemas = self.root["components"]["schemas"].values()
        return {
            alias: name
            for schema in schemas
            for alias, name in schema.get("x-trayport-aliases", {}).items()
        }
