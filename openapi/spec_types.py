"""The types of the tables made from the OpenAPI document.

`openapi/document.py` fills them; `openapi/generate.py` copies this module beside them.
"""

from __future__ import annotations

import datetime
from typing import Literal

from attrs import frozen

Source = Literal["documented", "observed", "assumed"]
ParameterType = Literal["integer", "number", "string", "boolean", "instant"]
ColumnType = Literal["int64", "float64", "string", "bool", "timestamp", "struct", "list"]


@frozen
class Provenance:
    """Where a fact comes from, and the named assumptions it rests on besides."""

    source: Source
    assumptions: tuple[str, ...] = ()


@frozen
class Parameter:
    """One parameter of an operation, with the bounds its values must keep."""

    name: str
    python_name: str
    type: ParameterType
    description: str
    location: Literal["query", "path"] = "query"
    required: bool = False
    repeated: bool = False
    separator: Literal["comma", "repeat"] | None = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    max_items: int | None = None
    pattern: str | None = None
    default: int | float | str | bool | None = None
    example: int | float | str | bool | tuple[int | str, ...] | None = None
    provenance: Provenance = Provenance("documented")


@frozen
class Column:
    """One field of a row. A column that is not `required` comes only on request.

    `optional_field` is the value of the request's optional fields that adds it, `added_by` the
    other request parameter that does. `fields` are the members of a struct, or of the structs in a
    list. `schema` names the schema of such a struct, or of an enumeration, if it has a name.
    """

    name: str
    python_name: str
    type: ColumnType
    description: str
    nullable: bool = False
    required: bool = True
    optional_field: str | None = None
    added_by: str | None = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    fields: tuple[Column, ...] = ()
    schema: str | None = None
    provenance: Provenance = Provenance("documented")


@frozen
class RangeLimit:
    """The longest range of one request, for some interval units or (none named) for all."""

    max_days: int
    units: tuple[str, ...] = ()


@frozen
class IntervalLimit:
    """The interval counts one unit allows; none named means any whole number from 1."""

    unit: str
    counts: tuple[int, ...] = ()


@frozen
class Alignment:
    """A unit whose ranges must start and end on its grid."""

    unit: str
    provenance: Provenance


@frozen
class Limits:
    """What one request may ask for.

    `contract` says how contracts are named: exactly `one`, `many` items of a sequence, any `subset`
    of a contract's parts, or not at all. `cutoff` is where the data ends: at the start of the
    current day in UTC, or now.
    """

    contract: Literal["one", "many", "subset"] | None = None
    ranges: tuple[RangeLimit, ...] = ()
    max_points: int | None = None
    intervals: tuple[IntervalLimit, ...] = ()
    aligned: tuple[Alignment, ...] = ()
    earliest_from: datetime.date | None = None
    resolution: Literal["second", "minute"] = "second"
    cutoff: Literal["utc-day-start", "now"] | None = None
    lookback_days: int | None = None
    provenance: Provenance = Provenance("documented")


@frozen
class Batch:
    """How contracts share a request: by `items` up to a maximum, by `query`, or not at all."""

    by: Literal["items", "query", "none"] = "none"
    maximum: int | None = None
    provenance: Provenance = Provenance("documented")


@frozen
class Endpoint:
    """One operation: its parameters, its limits and the rows it returns.

    `root` is the JSON type of the response; where it is an object, `rows_at` names the member that
    holds the rows and `envelope` holds the members beside it, or `rows_at` is None when the object
    itself is the only row. `schema` is the name of a row, `single` whether there is at most one.
    The method `method` of the client's group `group` sends it, and so does the command `command`.
    """

    operation_id: str
    api: Literal["analytics", "reference"]
    path: str
    tag: str
    group: str
    method: str
    command: str
    schema: str
    summary: str
    description: str
    media_types: tuple[str, ...]
    root: Literal["array", "object"]
    row: tuple[Column, ...]
    single: bool = False
    rows_at: str | None = None
    envelope: tuple[Column, ...] = ()
    time_column: str | None = None
    parameters: tuple[Parameter, ...] = ()
    limits: Limits = Limits()
    batch: Batch = Batch()
    provenance: Provenance = Provenance("documented")

    @property
    def key(self) -> str:
        """The short name of the operation, such as `trades`."""
        return self.operation_id.removeprefix("get_")

    @property
    def optional_fields(self) -> tuple[str, ...]:
        """The optional fields that may be requested."""
        return next((p.enum for p in self.parameters if p.name == "optionalFields"), ())

    def parameter(self, name: str) -> Parameter:
        """The parameter with this name on the wire; `KeyError` when there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)


@frozen
class Venue:
    """A venue: its id, whether it still trades, and what its data looks like.

    Orders reach back to `orders_from`. A venue with `aggregated_book` sends one order per price;
    one with `separate_feeds` shows an own order or trade twice when private details are requested.
    """

    code: str
    name: str
    id: int
    active: bool
    kind: Literal["broker", "exchange"]
    orders_from: datetime.date
    aggregated_book: bool
    separate_feeds: bool
    provenance: Provenance = Provenance("documented")


@frozen
class RequestLimits:
    """How many requests one key may send."""

    per_second: int
    per_minute: int
    provenance: Provenance = Provenance("documented")
