"""Writes the typed methods of the client, their options and their response classes.

A method sends one operation. Its parameters, their types and defaults, what its docstring says
of them and the example in it all come from the document.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import spec_types as t
from attrs import frozen
from document import Api, SpecError, snake

WRAPPER = Path(__file__).resolve().parents[1] / "trayport_sdk"
RESOURCES = "trayport_sdk/resources"
WIDTH = 100
GENERATED = "Generated from openapi/. Do not edit: run ./codegen.sh."
# What a caller gives as contracts, times and intervals rather than as options.
CONTRACT = (
    "instrumentId", "marketId", "sequenceId", "sequenceItemId", "secondSequenceItemId",
    "contractType", "tradingItems",
)  # fmt: skip
TIMES = ("from", "until", "at", "interval", "intervalUnit")
SCOPE = ("market_id", "instrument_id", "sequence_id")
# The tables that can do more with rows of a schema than any table can.
TABLES = {
    "Activity": ("base", "ActivityTable"),
    "Candle": ("candles", "CandlesTable"),
    "OrderBook": ("order_book", "BooksTable"),
    "PrivateTrade": ("trades", "TradesTable"),
    "Snapshot": ("base", "SnapshotsTable"),
    "TopOfBook": ("order_book", "QuotesTable"),
    "Trade": ("trades", "TradesTable"),
}
# Other classes that are imported from the room of the tables.
DOOR = (("base", "TableResponse"), ("trades", "TradesBatch"))
# The responses that other tables are made into, or extend: they stand beside those tables.
BESIDE = {"get_ohlcv": "candles", "get_trades": "trades"}
ACRONYMS = {"Ohlcv": "OHLCV"}
PYTHON = {"integer": "int", "number": "float", "string": "str", "boolean": "bool"}
INTERVALS = {"second": "s", "minute": "m", "hour": "h", "day": "d", "month": "mo"}
# A contract, a day and an interval that the sandbox has data of.
EXAMPLE_CONTRACT = "TTF Hi Cal 51.6* Apr-24"
EXAMPLE_RANGE = ("2024-03-04", "2024-03-05")
EXAMPLE_INTERVAL = "1h"
EXAMPLE_AT = "2024-03-05T12:00"
COLUMNS_SHOWN = 3

CONTRACTS_TEXT = (
    "One contract or several, as `ContractSpec`, as machine symbols, or by name such as "
    f'`"{EXAMPLE_CONTRACT}"`.'
)
CONTRACT_TEXT = (
    "The contract, as `ContractSpec`, as machine symbol, or by name such as "
    f'`"{EXAMPLE_CONTRACT}"`.'
)
FROM_TEXT = "The start, inclusive. Naive times mean UTC."
UNTIL_TEXT = "The end, exclusive; the end of the data when it is left out."
INTERVAL_TEXT = 'The time from one row to the next, such as `"15m"`, `"1h"` or `"1d"`.'
AT_TEXT = "{} Naive times mean UTC."
PROGRESS_TEXT = "Called after each response with a `Progress`."
RAISES = (
    ("TrayportValidationError", "An argument cannot work; nothing was sent."),
    ("TrayportLookupError", "A name names nothing."),
    ("TrayportAPIError", "The service refused a request."),
    ("TrayportConnectionError", "A response did not come, or broke off."),
    ("TrayportDecodeError", "A response is not what the API promises."),
)
NOT_FOUND = ("TrayportNotFoundError", "Nothing has this id.")


@frozen
class Argument:
    """One parameter of a method."""

    name: str
    type: str
    text: str
    default: str | None = None
    keyword_only: bool = False
    value: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + ("" if self.default is None else f" = {self.default}")


def camel(name: str) -> str:
    """The name of a class.

    >>> camel("order_book_top"), camel("ohlcv")
    ('OrderBookTop', 'OHLCV')
    """
    words = "".join(word.capitalize() for word in name.split("_"))
    return ACRONYMS.get(words, words)


def stem(endpoint: t.Endpoint) -> str:
    return camel(endpoint.method.removeprefix("get_"))


def response(endpoint: t.Endpoint) -> str:
    return f"{stem(endpoint)}Response"


def python_name(parameter: t.Parameter) -> str:
    name = parameter.python_name
    return f"{name}_" if keyword.iskeyword(name) else name


def marks(provenance: t.Provenance) -> str:
    """Where a fact comes from, as docstrings say it.

    >>> marks(t.Provenance("documented", ("from-inclusive",)))
    '[documented; assumes from-inclusive]'
    """
    source = provenance.source
    assumptions = provenance.assumptions
    if source == "assumed":
        return f"[assumed: {', '.join(assumptions)}]"
    return f"[{source}; assumes {', '.join(assumptions)}]" if assumptions else f"[{source}]"


def is_option(endpoint: t.Endpoint, parameter: t.Parameter) -> bool:
    in_contract = endpoint.limits.contract is not None and parameter.name in CONTRACT
    return parameter.location == "query" and not in_contract and parameter.name not in TIMES


def options(endpoint: t.Endpoint) -> list[t.Parameter]:
    return [p for p in endpoint.parameters if is_option(endpoint, p)]


def scalar(parameter: t.Parameter) -> str:
    if parameter.type == "instant":
        return "TimeLike"
    if parameter.enum and parameter.name != "optionalFields":
        return f"Literal[{', '.join(map(repr, parameter.enum))}]"
    return PYTHON[parameter.type]


def type_name(endpoint: t.Endpoint, what: str) -> str:
    """The name of a type of an operation, such as `TradesOptions`."""
    return f"{camel(endpoint.method.removeprefix('get_'))}{what}"


def interval_texts(endpoint: t.Endpoint) -> list[str]:
    """The intervals of an operation as texts; none where it takes any number of a unit."""
    intervals = endpoint.limits.intervals
    if not all(limit.counts for limit in intervals):
        return []
    return [f"{count}{INTERVALS[limit.unit]}" for limit in intervals for count in limit.counts]


def interval_type(endpoint: t.Endpoint) -> str:
    text = type_name(endpoint, "Interval") if interval_texts(endpoint) else "str"
    return f"Interval | {text} | None"


def option_type(parameter: t.Parameter, field: str) -> str:
    """The type of an option as callers give it; `field` is that of an optional field."""
    if parameter.name == "routes":
        return "Routes"
    if parameter.name == "optionalFields":
        return f"Sequence[{field}] | {field}"
    one = scalar(parameter)
    return f"{one} | Sequence[{one}]" if parameter.repeated else one


def option(endpoint: t.Endpoint, parameter: t.Parameter) -> Argument:
    kind, default = option_type(parameter, type_name(endpoint, "Field")), None
    text = parameter.description
    if parameter.name == "optionalFields":
        default = "()"
        names = [f"`{snake(name)}`" for name in endpoint.optional_fields]
        text = f"{text.removesuffix('.')}: {', '.join(names)}."
    elif parameter.type == "boolean" and parameter.default is not None and not parameter.repeated:
        default = repr(parameter.default)
    elif not parameter.required:
        kind, default = f"{kind} | None", "None"
    return Argument(
        python_name(parameter), kind, f"{text} {marks(parameter.provenance)}", default, True
    )


def path_arguments(endpoint: t.Endpoint) -> Iterator[tuple[t.Parameter, str]]:
    """The parameters in the path: an id amid the path has the name of what stands before it."""
    parts = endpoint.path.strip("/").split("/")
    for place, part in enumerate(parts):
        if part.startswith("{"):
            parameter = endpoint.parameter(part[1:-1])
            amid = part == "{id}" and place < len(parts) - 1
            name = f"{parts[place - 1].removesuffix('s')}_id" if amid else python_name(parameter)
            yield parameter, name


def arguments(endpoint: t.Endpoint) -> list[Argument]:
    """The parameters of the method of an operation, in their order."""
    known = {p.name: p for p in endpoint.parameters}
    found = [
        Argument(name, PYTHON[p.type], f"{p.description} {marks(p.provenance)}")
        for p, name in path_arguments(endpoint)
    ]
    contract = endpoint.limits.contract
    if contract == "many":
        found.append(Argument("contracts", "Contracts", CONTRACTS_TEXT))
    elif contract == "one":
        found.append(Argument("contract", "ContractSpec | str", CONTRACT_TEXT))
    if "from" in known:
        mark = marks(known["from"].provenance)
        found.append(Argument("from_", "TimeLike", f"{FROM_TEXT} {mark}"))
        text = UNTIL_TEXT
        if endpoint.limits.cutoff == "now":
            text = "The end, exclusive; now when it is left out."
        text = f"{text} {marks(known['until'].provenance)}"
        found.append(Argument("until", "TimeLike | None", text, "None"))
    if "interval" in known:
        text = f"{INTERVAL_TEXT} {marks(known['interval'].provenance)}"
        found.append(Argument("interval", interval_type(endpoint), text, "None"))
    if "at" in known:
        text = f"{AT_TEXT.format(known['at'].description)} {marks(known['at'].provenance)}"
        found.append(Argument("at", "TimeLike | None", text, "None", True))
    if contract == "subset":
        for name in SCOPE:
            mark = next(marks(p.provenance) for p in known.values() if p.python_name == name)
            text = f"Only what is of this {name.removesuffix('_id')}. {mark}"
            found.append(Argument(name, "int | None", text, "None", True))
        text = "Only what is of this contract, in place of the ids. [documented]"
        found.append(Argument("contract", "ContractSpec | str | None", text, "None", True))
    is_reference = endpoint.api == "reference"
    for parameter in options(endpoint):
        given = option(endpoint, parameter)
        if is_reference:
            given = Argument(given.name, given.type, given.text, given.default)
        found.append(given)
    if not is_reference:
        found.append(Argument("on_progress", "OnProgress | None", PROGRESS_TEXT, "None", True))
    return [*(a for a in found if not a.keyword_only), *(a for a in found if a.keyword_only)]


def signature(endpoint: t.Endpoint) -> str:
    given = arguments(endpoint)
    positional = [str(a) for a in given if not a.keyword_only]
    named = [str(a) for a in given if a.keyword_only and a.default is None]
    named += [str(a) for a in given if a.keyword_only and a.default is not None]
    return ", ".join(["self", *positional, *(["*", *named] if named else [])])


def wrapped(text: str, indent: str, hanging: str = "") -> str:
    kept = re.sub("`[^`]*`", lambda code: code[0].replace(" ", "\0"), " ".join(text.split()))
    filled = textwrap.fill(
        kept,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace("\0", " ")


def example(endpoint: t.Endpoint) -> list[str]:
    """A call that runs against the sandbox, and what it gives."""
    given: list[str] = []
    for argument in arguments(endpoint):
        if argument.name in ("contracts", "contract") and endpoint.limits.contract != "subset":
            given.append(repr(EXAMPLE_CONTRACT))
        elif argument.name == "from_":
            given += map(repr, EXAMPLE_RANGE)
        elif argument.name == "interval":
            given.append(repr(EXAMPLE_INTERVAL))
        elif argument.name == "at":
            given.append(f"at={EXAMPLE_AT!r}")
    given += [repr(p.example) for p, _ in path_arguments(endpoint)]
    given += [f"{python_name(p)}={example_value(p)}" for p in options(endpoint) if p.required]
    call = f"client.{endpoint.group}.{endpoint.method}"
    inner = ", ".join(given).replace("'", '"')
    rows = "item" if endpoint.single else "rows"
    lines = [
        ">>> async with TrayportClient.sandbox() as client:",
        f"...     {rows} = await {call}({inner})",
    ]
    if len(lines[-1]) + 12 > WIDTH:
        lines[-1:] = [f"...     {rows} = await {call}(", f"...         {inner}", "...     )"]
    if endpoint.single and endpoint.api == "reference":
        *_, (last, _) = path_arguments(endpoint)
        return [*lines, ">>> item.id", repr(last.example)]
    if endpoint.single:
        return [*lines, ">>> item is not None", "True"]
    if endpoint.api == "reference":
        return [*lines, ">>> len(rows) > 0", "True"]
    names = [c.python_name for c in endpoint.row if c.required]
    # Rows that name their contract begin with its symbol, and have more columns than fields.
    is_nested = any(column.type == "struct" and column.required for column in endpoint.row)
    is_flat = not is_nested and endpoint.limits.contract != "subset"
    columns = f"rows.to_polars({'' if is_flat else 'nested=True'}).columns"
    if len(repr(names)) < WIDTH - 20:
        return [*lines, f">>> {columns}", repr(names)]
    return [*lines, f">>> {columns}[:{COLUMNS_SHOWN}]", repr(names[:COLUMNS_SHOWN])]


def example_value(parameter: t.Parameter) -> str:
    value: object = parameter.example
    if value is None:
        value = (
            parameter.enum[0]
            if parameter.enum
            else {"boolean": True, "string": "text"}.get(
                parameter.type, int(parameter.minimum or 1)
            )
        )
    return repr(list(value) if isinstance(value, tuple) else value)


def docstring(endpoint: t.Endpoint, indent: str) -> str:
    lines = [f'{indent}"""{endpoint.summary}', ""]
    lines += [wrapped(f"{endpoint.description} {marks(endpoint.provenance)}", indent), ""]
    if help_ := " ".join(helps(endpoint)):
        lines += [wrapped(help_, indent), ""]
    given = arguments(endpoint)
    if given:
        lines.append(f"{indent}Args:")
        lines += [wrapped(f"{a.name}: {a.text}", f"{indent}    ", "    ") for a in given]
        lines.append("")
    lines += [f"{indent}Returns:", wrapped(returned(endpoint), f"{indent}    ")]
    for name, text in fields(endpoint):
        lines.append(wrapped(f"- {name}: {text}", f"{indent}    ", "  "))
    lines += ["", f"{indent}Raises:"]
    raised = list(RAISES)
    if endpoint.limits.contract is None:
        del raised[1]
    if any(path_arguments(endpoint)):
        raised.insert(1, NOT_FOUND)
    lines += [wrapped(f"{name}: {text}", f"{indent}    ", "    ") for name, text in raised]
    lines += ["", f"{indent}Example:", *(f"{indent}    {line}" for line in example(endpoint))]
    return "\n".join([*lines, f'{indent}"""'])


def helps(endpoint: t.Endpoint) -> Iterator[str]:
    """What the client adds to an operation."""
    if endpoint.limits.ranges or endpoint.limits.max_points is not None:
        yield "A range of any length is cut into the fewest requests that the API accepts."
    if endpoint.limits.contract == "many":
        yield (
            "Contracts that may share a request do; the rows of several contracts always say which "
            "one they belong to."
        )


def returned(endpoint: t.Endpoint) -> str:
    """What a method returns, in a sentence before the fields of a row."""
    if endpoint.api == "reference":
        kind = "The" if endpoint.single else "A list of"
        return f"{kind} `{endpoint.schema}`, with the fields:"
    if endpoint.single:
        return f"The `{endpoint.schema}`, or None when there is none. Its fields:"
    return f"A table with a row for each `{endpoint.schema}`, with the fields:"


def fields(endpoint: t.Endpoint) -> list[tuple[str, str]]:
    """The fields that always come, with what they mean and their units."""
    return [
        (f"`{c.python_name}`", f"{c.description} {marks(c.provenance)}")
        for c in endpoint.row
        if c.required
    ]


def method(endpoint: t.Endpoint) -> str:
    """The source of the method of an operation."""
    body = reference_body if endpoint.api == "reference" else rows_body
    returned, statement = body(endpoint)
    return (
        f"    async def {endpoint.method}({signature(endpoint)}) -> {returned}:\n"
        f"{docstring(endpoint, ' ' * 8)}\n"
        f"{textwrap.indent(statement, ' ' * 8)}\n"
    )


def rows_body(endpoint: t.Endpoint) -> tuple[str, str]:
    given = arguments(endpoint)
    names = {a.name for a in given}
    passed = [response(endpoint)]
    passed += [name for name in ("contracts", "contract") if name in names]
    if endpoint.limits.contract == "subset":
        passed.append(f"scope={{{', '.join(f'{name!r}: {name}' for name in SCOPE)}}}")
    skipped = {"contracts", "contract"} | (
        set(SCOPE) if endpoint.limits.contract == "subset" else set()
    )
    passed += [f"{a.name}={a.name}" for a in given if a.name not in skipped]
    call = f"await self._runner.fetch({', '.join(passed)})"
    if endpoint.single:
        one = f"rows = {call}\nreturn rows[0] if len(rows) else None"
        return f"{endpoint.schema} | None", one
    return response(endpoint), f"return {call}"


def reference_body(endpoint: t.Endpoint) -> tuple[str, str]:
    passed = [f"{python_name(p)}={name}" for p, name in path_arguments(endpoint)]
    passed += [f"{python_name(p)}={python_name(p)}" for p in options(endpoint)]
    reader = "item" if endpoint.single else "rows"
    call = ", ".join([repr(endpoint.operation_id), endpoint.schema, *passed])
    returned = endpoint.schema if endpoint.single else f"ReferenceList[{endpoint.schema}]"
    return returned, f"return await self._reader.{reader}({call})"


def group_module(name: str, endpoints: Sequence[t.Endpoint], text: str) -> str:
    """The module of a group of methods."""
    is_reference = endpoints[0].api == "reference"
    if any((e.api == "reference") != is_reference for e in endpoints):
        raise SpecError(f"the group {name} mixes operations of both APIs")
    base = "ReferenceOperations" if is_reference else "RowOperations"
    tables = sorted({response(e) for e in endpoints if e.api != "reference"})
    models = sorted({e.schema for e in endpoints if is_reference or e.single})
    lines = [
        f'"""{text}\n\n{GENERATED}\n"""\n',
        "from __future__ import annotations\n",
        *(["from collections.abc import Sequence"] if "Sequence" not in models else []),
        "from typing import Literal\n",
        *_option_imports(endpoints),
        *([f"from trayport_api.models import {', '.join(models)}\n"] if models else []),
        "from ...bulk.progress import OnProgress",
        "from ...bulk.runner import Contracts",
        "from ...query.contracts import ContractSpec",
        "from ...query.build import Routes",
        "from ...query.times import Interval, TimeLike",
    ]
    if tables:
        lines.append(f"from ...tables import {', '.join(tables)}")
    lines += [
        "from ...query.calls import checked_calls",
        "from ..methods import ReferenceList, ReferenceOperations"
        if is_reference
        else "from ..operations import RowOperations",
        "",
        "@checked_calls",
        f"class {camel(name)}Methods({base}):",
        f'    """{text}"""\n',
        *(method(endpoint) for endpoint in endpoints),
    ]
    return "\n".join(lines) + "\n"


def _option_imports(endpoints: Sequence[t.Endpoint]) -> list[str]:
    names = [type_name(e, "Field") for e in endpoints if e.optional_fields]
    names += [type_name(e, "Interval") for e in endpoints if interval_texts(e)]
    return [f"from trayport_spec.options import {', '.join(names)}"] if names else []


def responses_module(endpoints: Iterable[t.Endpoint]) -> str:
    """The module of the response classes."""
    found = [e for e in endpoints if e.api != "reference"]
    bases: dict[str, set[str]] = {}
    written = [e for e in found if e.operation_id not in BESIDE]
    for endpoint in found:
        module, table = TABLES.get(endpoint.schema, ("base", "TableResponse"))
        if endpoint not in written:
            module, table = BESIDE[endpoint.operation_id], response(endpoint)
        bases.setdefault(module, set()).add(table)
    for module, table in DOOR:
        bases.setdefault(module, set()).add(table)
    models = sorted({e.schema for e in written})
    lines = [
        f'"""What calls return: a class of tables per operation.\n\n{GENERATED}\n"""\n',
        "from __future__ import annotations\n",
        "from collections.abc import Mapping\nfrom types import MappingProxyType",
        "from typing import Any\n",
        f"from trayport_api.models import {', '.join(models)}\n",
        *(f"from .{name} import {', '.join(sorted(tables))}" for name, tables in bases.items()),
        f"__all__ = {['RESPONSES', *sorted([*(t for _, t in DOOR), *map(response, found)])]!r}\n",
    ]
    for endpoint in written:
        _, table = TABLES.get(endpoint.schema, ("base", "TableResponse"))
        lines += [
            f"class {response(endpoint)}({table}[{endpoint.schema}]):",
            f'    """{endpoint.summary}\n\n    The models are `{endpoint.schema}`.\n    """\n',
            f"    operation_id = {endpoint.operation_id!r}",
            f"    model = {endpoint.schema}\n\n",
        ]
    lines += ["RESPONSES: Mapping[str, type[TableResponse[Any]]] = MappingProxyType({"]
    lines += [f"    {e.key!r}: {response(e)}," for e in found]
    lines += ["})", '"""The class of each operation, by its short name."""']
    return "\n".join(lines) + "\n"


def groups_module(groups: Mapping[str, tuple[str, bool]], resources: Path) -> str:
    """The groups as attributes of a client. What is more than one operation stands by hand."""
    imports: list[str] = []
    properties: list[str] = []
    for name, (text, is_reference) in groups.items():
        needs = "self._reader" if is_reference else "self._runner, self._resolver"
        by_hand = (resources / f"{name}.py").exists()
        kind = camel(name) + ("Group" if by_hand else "Methods")
        home = f"..{name}" if by_hand else f".{name}"
        imports.append(f"    from {home} import {kind}")
        properties.append(
            f"    @cached_property\n    def {name}(self) -> {kind}:\n"
            f'        """{text}"""\n'
            f"        from {home} import {kind}\n\n"
            f"        return {kind}({needs})\n"
        )
    return (
        "\n".join(
            [
                f'"""The groups of a client, each loaded on first use.\n\n{GENERATED}\n"""\n',
                "from __future__ import annotations\n",
                "from functools import cached_property\nfrom typing import TYPE_CHECKING\n",
                "from ..parts import Parts\n",
                "if TYPE_CHECKING:",
                *imports,
                "",
                "class Groups(Parts):",
                '    """The groups of methods of a client."""\n',
                *properties,
                f"GROUPS = {tuple(groups)!r}",
            ]
        )
        + "\n"
    )


def modules(api: Api) -> dict[str, str]:
    """The text of every module of methods, by its path in the repository."""
    endpoints = [*api.endpoints.values()]
    texts = {tag["name"].lower(): tag["description"] for tag in api.root["tags"]}
    groups = {e.group: (texts.get(e.group, e.summary), e.api == "reference") for e in endpoints}
    found = {f"{RESOURCES}/generated/__init__.py": f'"""{GENERATED}"""\n'}
    for name, (text, _) in groups.items():
        own = [e for e in endpoints if e.group == name]
        found[f"{RESOURCES}/generated/{name}.py"] = group_module(name, own, text)
    found["trayport_sdk/tables/__init__.py"] = responses_module(endpoints)
    found[f"{RESOURCES}/generated/groups.py"] = groups_module(groups, WRAPPER / "resources")
    return found
