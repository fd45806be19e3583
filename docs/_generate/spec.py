"""What the OpenAPI document says, as tables and numbers for the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from trayport_spec import (
    ASSUMPTIONS,
    ENDPOINTS,
    PRIVATE_ORDERS_FROM,
    REQUEST_LIMITS,
    SPEC_VERSION,
    VENUES,
    Column,
    Endpoint,
    Limits,
    Parameter,
    Provenance,
)

from docs._generate.agents import calls
from docs._generate.names import public_names
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.settings import SANDBOX_KEY, SANDBOX_PORT
from trayport_sdk.tables import RESPONSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = "docs/api/trayport.yaml"
SANDBOX = f"http://127.0.0.1:{SANDBOX_PORT}"


def with_sandbox() -> str:
    """The OpenAPI document with the local sandbox as the first server of every operation."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "openapi" / "trayport.yaml").read_text())
    analytics = {"url": SANDBOX + Sandbox.ANALYTICS_PATH, "description": "trayport sandbox"}
    reference = {"url": SANDBOX + Sandbox.REFERENCE_PATH, "description": "trayport sandbox"}
    analytics_host = document["servers"][0]["url"]
    for item in document["paths"].values():
        local = analytics if item["servers"][0]["url"] == analytics_host else reference
        item["servers"] = [local, *item["servers"]]
    document["servers"] = [analytics, *document["servers"]]
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def rows(head: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *body]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def mark(provenance: Provenance) -> str:
    """The source of a fact, with links to the assumptions it rests on."""
    names = [f"[{name}](assumptions.md#{name})" for name in provenance.assumptions]
    return f"{provenance.source} ({', '.join(names)})" if names else provenance.source


def days(count: int) -> str:
    return f"{count:,} days"


def codes(values: Iterable[object]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def range_limit(limits: Limits) -> str:
    parts = [
        days(limit.max_days) + (f" ({', '.join(limit.units)})" if limit.units else "")
        for limit in limits.ranges
    ]
    if limits.max_points is not None:
        parts.append(f"{limits.max_points:,} points")
    if limits.lookback_days is not None:
        parts.append(f"looks back {days(limits.lookback_days)}")
    if limits.earliest_from is not None:
        parts.append(f"not before {limits.earliest_from}")
    return "; ".join(parts) or "none"


def intervals(limits: Limits) -> str:
    return "; ".join(
        f"{limit.unit}: {', '.join(map(str, limit.counts)) or 'any'}" for limit in limits.intervals
    )


CONTRACTS = {
    "one": "exactly one",
    "many": "one, or items of one sequence",
    "subset": "any part of one, or none",
    None: "none",
}
CUTOFFS = {"utc-day-start": "start of today, UTC", "now": "now", None: "none"}


def analytics() -> list[Endpoint]:
    return [endpoint for endpoint in ENDPOINTS.values() if endpoint.api == "analytics"]


def limits_table() -> str:
    return rows(
        ["Endpoint", "Contracts", "In one request", "Range", "Times", "Data ends", "Known from"],
        (
            [
                f"[`{e.path}`](endpoints.md#{e.operation_id})",
                CONTRACTS[e.limits.contract],
                f"{e.batch.maximum} items, {mark(e.batch.provenance)}"
                if e.batch.maximum
                else "one query",
                range_limit(e.limits),
                f"whole {e.limits.resolution}s",
                CUTOFFS[e.limits.cutoff],
                mark(e.limits.provenance),
            ]
            for e in analytics()
        ),
    )


def brief_limits() -> str:
    """The limits alone, for who cannot follow links."""
    return rows(
        ["Endpoint", "Contracts", "In one request", "Range"],
        (
            [
                f"`{e.method}`",
                CONTRACTS[e.limits.contract],
                f"{e.batch.maximum} items" if e.batch.maximum else "one query",
                range_limit(e.limits),
            ]
            for e in analytics()
        ),
    )


def intervals_table() -> str:
    return rows(
        ["Endpoint", "Unit and counts", "Must be aligned"],
        (
            [
                f"`{e.path}`",
                intervals(e.limits),
                "; ".join(f"{a.unit}: {mark(a.provenance)}" for a in e.limits.aligned) or "no",
            ]
            for e in analytics()
            if e.limits.intervals
        ),
    )


def fields_table() -> str:
    return rows(
        ["Endpoint", "`optionalFields`"],
        ([f"`{e.path}`", codes(e.optional_fields) or "none"] for e in analytics()),
    )


def requests_table() -> str:
    return rows(
        ["Requests of one key", "At most", "Known from"],
        [
            ["in a second", str(REQUEST_LIMITS.per_second), mark(REQUEST_LIMITS.provenance)],
            ["in a minute", str(REQUEST_LIMITS.per_minute), mark(REQUEST_LIMITS.provenance)],
        ],
    )


def bounds(parameter: Parameter) -> str:
    parts = [codes(parameter.enum)] if parameter.enum else []
    if parameter.minimum is not None:
        parts.append(f"from {parameter.minimum:g}")
    if parameter.exclusive_minimum is not None:
        parts.append(f"above {parameter.exclusive_minimum:g}")
    if parameter.maximum is not None and parameter.maximum < 2**53:
        parts.append(f"up to {parameter.maximum:g}")
    if parameter.max_items is not None:
        parts.append(f"up to {parameter.max_items} values")
    if parameter.default is not None:
        parts.append(f"default `{str(parameter.default).lower()}`")
    return "; ".join(parts)


def type_of(column: Column) -> str:
    return column.type + (" or null" if column.nullable else "")


def when(column: Column) -> str:
    if column.required:
        return "always"
    if column.optional_field:
        return f"`optionalFields={column.optional_field}`"
    return f"with `{column.added_by}`" if column.added_by else "where there is one"


def nested(columns: Iterable[Column], prefix: str = "") -> Iterator[tuple[str, Column]]:
    for column in columns:
        yield prefix + column.name, column
        yield from nested(column.fields, f"{prefix}{column.name}.")


def endpoint_sections() -> str:
    return "\n".join(section(endpoint) for endpoint in ENDPOINTS.values())


def section(endpoint: Endpoint) -> str:
    parts = [
        f"## `{endpoint.path}` {{ #{endpoint.operation_id} }}",
        f"{endpoint.summary} {endpoint.description} The endpoint itself is known from: "
        f"{mark(endpoint.provenance)}.{in_python(endpoint)}",
    ]
    if endpoint.parameters:
        parts.append(
            rows(
                ["Parameter", "Type", "Needed", "Values", "Known from", "Meaning"],
                (
                    [
                        f"`{p.name}`",
                        f"list of {p.type}" if p.repeated else p.type,
                        "yes" if p.required else "",
                        bounds(p),
                        mark(p.provenance),
                        p.description,
                    ]
                    for p in endpoint.parameters
                ),
            )
        )
    if endpoint.envelope:
        parts.append(field_table("Field beside the rows", endpoint.envelope))
    parts.append(field_table("Field of a row", endpoint.row))
    return "\n\n".join(parts)


def in_python(endpoint: Endpoint) -> str:
    """Where the method of an operation is shown, with what it gives."""
    page = {"reference": "reference-data"}.get(endpoint.group, endpoint.group)
    path = f"reference/{page}.md"
    if not (ROOT / "docs" / path).is_file():
        return ""
    call = f"client.{endpoint.group}.{endpoint.method}"
    return f" In Python it is [`{call}`](../{path}#{endpoint.method})."


def field_table(title: str, columns: Iterable[Column]) -> str:
    return rows(
        [title, "Type", "Comes", "Known from", "Meaning"],
        (
            [f"`{name}`", type_of(c), when(c), mark(c.provenance), c.description]
            for name, c in nested(columns)
        ),
    )


def assumptions() -> str:
    return "\n\n".join(
        f"### `{name}` {{ #{name} }}\n\n{sentence}" for name, sentence in ASSUMPTIONS.items()
    )


def yes(flag: bool) -> str:
    return "yes" if flag else ""


def venues_table() -> str:
    return rows(
        [
            "Code",
            "Name",
            "Id",
            "Active",
            "Kind",
            "Orders from",
            "Aggregated",
            "Two feeds",
            "Known from",
        ],
        (
            [
                f"`{v.code}`",
                v.name,
                str(v.id),
                yes(v.active),
                v.kind,
                str(v.orders_from),
                yes(v.aggregated_book),
                yes(v.separate_feeds),
                mark(v.provenance),
            ]
            for v in VENUES.values()
        ),
    )


def _unnamed(page: str, targets: Iterable[str]) -> str:
    """Blocks of the reference for what a page does not name by hand."""
    text = (ROOT / "docs" / "reference" / page).read_text()
    return "\n\n".join(f"::: {t}" for t in dict.fromkeys(targets) if f"::: {t}\n" not in text)


def more_responses() -> str:
    """The response classes of operations that have come since the page was written."""
    tables = (table for table in RESPONSES.values() if not ENDPOINTS[table.operation_id].single)
    return _unnamed("responses.md", (f"trayport_sdk.tables.{t.__name__}" for t in tables))


def more_models() -> str:
    """The models of rows that have come since the page was written."""
    return _unnamed("models.md", (f"trayport_api.models.{e.schema}" for e in ENDPOINTS.values()))


def more_groups() -> str:
    """The groups of methods without a page of their own."""
    pages = {"trades", "orders", "snapshots", "reference"}
    return "\n\n".join(
        f"::: trayport_sdk.resources.generated.{group}.{group.capitalize()}Methods"
        for group in dict.fromkeys(e.group for e in ENDPOINTS.values())
        if group not in pages
    )


TABLES: dict[str, Callable[[], str]] = {
    "limits": limits_table,
    "brief-limits": brief_limits,
    "calls": calls,
    "public-names": public_names,
    "intervals": intervals_table,
    "optional-fields": fields_table,
    "requests": requests_table,
    "endpoints": endpoint_sections,
    "more-responses": more_responses,
    "more-models": more_models,
    "more-groups": more_groups,
    "assumptions": assumptions,
    "venues": venues_table,
    "venue-count": lambda: str(len(VENUES)),
    "version": lambda: SPEC_VERSION,
    "private-orders-from": PRIVATE_ORDERS_FROM.isoformat,
    "sandbox": lambda: SANDBOX,
    "sandbox-key": lambda: f"`{SANDBOX_KEY}`",
}
