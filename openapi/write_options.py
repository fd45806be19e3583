"""Writes what a call takes besides contracts and times, as values and as types of arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import spec_types as t
from document import Api, snake
from write_methods import (
    GENERATED,
    interval_texts,
    option_type,
    options,
    python_name,
    type_name,
    wrapped,
)

TRADING_ITEMS = "tradingItems"
ANY_FIELD = "OptionalField"
FORMAT = "response_format"
FORMAT_TEXT = 'What the service responds with, `"json"` or `"csv"`.'
HEAD = f'''"""What a call takes besides contracts and times.

{GENERATED}
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, TypedDict

from attrs import fields, frozen

Routes: TypeAlias = str | int | Sequence[str | int]
TimeLike: TypeAlias = datetime | date | str | int
'''
CHOSEN = '''
    @property
    def chosen(self) -> dict[str, Any]:
        """What is chosen, without what is left at its default."""
        values = {one.name: (getattr(self, one.name), one.default) for one in fields(Options)}
        return {name: value for name, (value, default) in values.items() if value != default}
'''


def stored(parameter: t.Parameter) -> str:
    """The attribute that keeps the checked values of an option."""
    name = python_name(parameter)
    kind = {"integer": "int", "number": "float", "boolean": "bool", "instant": "int"}.get(
        parameter.type, "str"
    )
    if parameter.repeated:
        return f"{name}: tuple[{kind}, ...] = ()"
    if parameter.type == "boolean" and parameter.default is not None:
        return f"{name}: bool = {parameter.default!r}"
    return f"{name}: {kind} | None = None"


def modules(api: Api) -> dict[str, str]:
    """The text of the module, by its path: one class of values, and the types of arguments."""
    found = [e for e in api.endpoints.values() if e.api != "reference"]
    every: dict[str, t.Parameter] = {}
    for endpoint in found:
        for parameter in endpoint.parameters:
            if parameter in options(endpoint) or parameter.name == TRADING_ITEMS:
                every.setdefault(parameter.name, parameter)
    lines = [
        HEAD,
        *_literals(found),
        "\n@frozen(kw_only=True)\nclass Options:",
        '    """What a caller may choose besides contracts and times.\n\n    Attributes:',
        *(wrapped(f"{python_name(p)}: {p.description}", " " * 8, "    ") for p in every.values()),
        wrapped(f"{FORMAT}: {FORMAT_TEXT}", " " * 8, "    "),
        '    """\n',
        *(f"    {stored(p)}" for p in every.values()),
        f'    {FORMAT}: str = "json"',
        CHOSEN,
    ]
    for endpoint in found:
        if own := options(endpoint):
            text = f"What `{endpoint.method}` takes besides."
            field = type_name(endpoint, "Field")
            lines += _typed_dict(type_name(endpoint, "Options"), text, own, field)
    anything = [p for p in every.values() if p.name != TRADING_ITEMS]
    lines += _typed_dict("AnyOptions", "What any operation takes besides.", anything, ANY_FIELD)
    return {"generated/trayport_spec/options.py": "\n".join(lines) + "\n"}


def _literals(endpoints: Sequence[t.Endpoint]) -> list[str]:
    """The texts that callers may give, as types: endpoints, optional fields and intervals."""
    lines = [
        _literal("EndpointName", (e.key for e in endpoints), "The name of an operation."),
    ]
    with_fields = [e for e in endpoints if e.optional_fields]
    for endpoint in with_fields:
        names = map(snake, endpoint.optional_fields)
        text = f"An optional field of `{endpoint.method}`."
        lines.append(_literal(type_name(endpoint, "Field"), names, text))
    fields = " | ".join(type_name(e, "Field") for e in with_fields)
    lines.append(f'{ANY_FIELD}: TypeAlias = {fields}\n"""An optional field of any operation."""')
    for endpoint in endpoints:
        if texts := interval_texts(endpoint):
            text = f"An interval of `{endpoint.method}`."
            lines.append(_literal(type_name(endpoint, "Interval"), texts, text))
    return lines


def _literal(name: str, texts: Iterable[str], text: str) -> str:
    return f'{name}: TypeAlias = Literal{list(texts)!r}\n"""{text}"""'


def _typed_dict(name: str, text: str, parameters: Iterable[t.Parameter], field: str) -> list[str]:
    return [
        f"\n\nclass {name}(TypedDict, total=False):",
        f'    """{text}"""\n',
        *(f"    {python_name(p)}: {_given(p, field)}" for p in parameters),
    ]


def _given(parameter: t.Parameter, field: str) -> str:
    kind = option_type(parameter, field)
    is_flag = parameter.type == "boolean" and parameter.default is not None
    return kind if is_flag or parameter.name == "optionalFields" else f"{kind} | None"
