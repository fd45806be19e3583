"""What programs of users rely on, as one value that can be stored, and what of it was broken.

Names, bases of classes, members, parameters, values of literals, columns of tables, commands and
their options. Types of parameters are left to type checkers, over the programs of tests/released.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, Literal

import attrs
import click
import polars as pl
from attrs import frozen
from pydantic import BaseModel
from trayport_spec import ENDPOINTS, options
from trayport_spec.schemas import SCHEMAS

import trayport_sdk
from trayport_sdk.cli import trayport
from trayport_sdk.resources import planner
from trayport_sdk.resources.generated.groups import GROUPS
from trayport_sdk.tables import formats

Entry = Mapping[str, Any]
Api = dict[str, Entry]

MODULES = ("trayport_sdk", "trayport_sdk.sync", "trayport_sdk.sandbox")
OPTIONS = (options, formats, planner)
OURS = ("trayport_sdk", "trayport_api", "trayport_spec")
PROTOCOLS = {
    "__aenter__", "__aiter__", "__await__", "__bool__", "__call__", "__contains__", "__enter__",
    "__eq__", "__getitem__", "__hash__", "__iter__", "__len__", "__lt__", "__str__",
}  # fmt: skip
EMPTY = inspect.Parameter.empty


@frozen
class Break:
    """Something that a program may rely on, and that is no longer so.

    Attributes:
        name: What it is part of.
        word: What the changelog must say.
        what: What happened to it.
    """

    name: str
    word: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


def describe() -> Api:
    """The public API of the package as it is."""
    api: Api = {}
    for module in MODULES:
        public = importlib.import_module(module)
        for name in public.__all__:
            prefix = module.removeprefix("trayport_sdk").lstrip(".")
            api |= described(".".join(filter(None, (prefix, name))), getattr(public, name))
    client = trayport_sdk.TrayportClient.sandbox()
    for group in (*GROUPS, "planner"):
        members = described(f"TrayportClient.{group}", type(getattr(client, group)))
        api |= members | {f"TrayportClient.{group}": {"kind": "field"}}
    for operation, schema in SCHEMAS.items():
        table = f"table {ENDPOINTS[operation].key}"
        api[table] = {"kind": "table"}
        api |= {f"{table} {name}": {"kind": kind} for name, kind in _columns(schema)}
    return dict(sorted((api | dict(_commands("trayport", trayport))).items()))


def described(name: str, value: Any) -> Api:
    """What programs rely on of one public name."""
    if isinstance(value, type):
        return dict(_of_class(name, value))
    if isinstance(value, FunctionType):
        return {name: _of_function(value)}
    if values := sorted(_literals(value)):
        return {name: {"kind": "values", "values": values}}
    return {name: {"kind": "value"}}


def _literals(value: Any) -> Iterator[str]:
    for part in typing.get_args(value):
        if typing.get_origin(value) is Literal:
            yield str(part)
        else:
            yield from _literals(part)


def _of_class(name: str, kind: type) -> Iterator[tuple[str, Entry]]:
    bases = [base.__name__ for base in kind.__mro__[1:] if base.__name__ in trayport_sdk.__all__]
    builtin = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
    entry: dict[str, Any] = {"kind": "class", "bases": [*bases, *builtin]}
    if issubclass(kind, enum.Enum):
        entry["values"] = sorted(str(member.value) for member in kind)
        entry["names"] = sorted(kind.__members__)
    elif not issubclass(kind, (BaseException, dict)) and not inspect.isabstract(kind):
        entry["parameters"] = _parameters(kind.__init__)[1:]
    yield name, entry
    for member, value in sorted(_members(kind).items()):
        yield f"{name}.{member}", _of_member(value)


def _members(kind: type) -> dict[str, Any]:
    """The public members that classes of this package give a class."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.split(".")[0] in OURS:
            names = {**vars(base), **dict.fromkeys(inspect.get_annotations(base))}
            found |= {name: vars(base).get(name) for name in names}
    if attrs.has(kind):
        found |= dict.fromkeys(field.name for field in attrs.fields(kind))
    if issubclass(kind, BaseModel):
        found |= dict.fromkeys(kind.model_fields)
    hidden = set(kind.__members__) if issubclass(kind, enum.Enum) else {"model_config"}
    return {
        name: value
        for name, value in found.items()
        if name not in hidden
        and (not name.startswith("_") or (name in PROTOCOLS and isinstance(value, FunctionType)))
    }


def _of_member(value: Any) -> Entry:
    if isinstance(value, (classmethod, staticmethod)):
        entry = dict(_of_function(value.__func__))
        if isinstance(value, classmethod):
            entry["parameters"] = entry["parameters"][1:]
        return entry
    if isinstance(value, FunctionType):
        entry = dict(_of_function(value))
        entry["parameters"] = entry["parameters"][1:]
        return entry
    return {"kind": "field"}  # or a property: programs read both alike


def _of_function(function: Callable[..., Any]) -> Entry:
    overloads = typing.get_overloads(function)
    plain = inspect.unwrap(function)
    kind = "async" if inspect.iscoroutinefunction(plain) else "function"
    if not overloads:
        return {"kind": kind, "parameters": _parameters(function)}
    first = _parameters(function)[:1]
    forms = [_parameters(overload)[1:] for overload in overloads]
    return {"kind": kind, "parameters": first, "overloads": forms}


def _parameters(function: Callable[..., Any]) -> list[str]:
    """The parameters as they are written, without types: `=` stands for any default."""
    found: list[str] = []
    by_name = False
    for parameter in inspect.signature(function).parameters.values():
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL:
                found.append(f"*{parameter.name}")
                by_name = True
            case inspect.Parameter.VAR_KEYWORD:
                names = _options(parameter.annotation)
                if names and not by_name:
                    found.append("*")
                found += [f"{name}=" for name in names] or [f"**{parameter.name}"]
            case kind:
                if kind is inspect.Parameter.KEYWORD_ONLY and not by_name:
                    found.append("*")
                    by_name = True
                found.append(parameter.name + ("" if parameter.default is EMPTY else "="))
                if kind is inspect.Parameter.POSITIONAL_ONLY:
                    found[-1] = f"/{found[-1]}"
    return found


def _options(annotation: Any) -> list[str]:
    """The names of options that are given as `**options: Unpack[...]`."""
    text = str(annotation)
    if not text.startswith("Unpack["):
        return []
    name = text.removeprefix("Unpack[").removesuffix("]")
    (found,) = {vars(module)[name] for module in OPTIONS if name in vars(module)}
    return sorted(found.__optional_keys__)


def _columns(schema: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    for name, kind in schema.items():
        inner = kind.inner if isinstance(kind, pl.List) else kind
        if isinstance(inner, pl.Struct):
            yield f"{within}{name}", type(kind).__name__
            yield from _columns(dict(inner.to_schema()), f"{within}{name}.")
        else:
            yield f"{within}{name}", str(kind)


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, Entry]]:
    yield name, {"kind": "command"}
    for option in command.params:
        for spelling in (*option.opts, *option.secondary_opts):
            if isinstance(option, click.Option):
                yield f"{name} {spelling}", {"kind": "option"}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            if found := command.get_command(context, child):
                yield from _commands(f"{name} {child}", found)


def breaks(old: Api, new: Api) -> Iterator[Break]:
    """What programs written for an older API may run into; additions are nothing."""
    for name, before in old.items():
        word = name.replace(" ", ".").split(".")[-1]
        after = new.get(name)
        if after is None:
            if not any(
                name.startswith((f"{gone}.", f"{gone} ")) and gone not in new for gone in old
            ):
                yield Break(name, word, "is gone")
            continue
        if before["kind"] != after["kind"]:
            yield Break(name, word, f"was {before['kind']}, is {after['kind']}")
        for what in ("bases", "values", "names"):
            for missing in set(before.get(what, ())) - set(after.get(what, ())):
                yield Break(name, missing, f"is without {missing} in its {what}")
        forms = after.get("overloads", [after.get("parameters", [])])
        for form in before.get("overloads", [before.get("parameters", [])]):
            found = [[*_refused(name, form, other)] for other in forms]
            yield from min(found, key=len)


def added(old: Api, new: Api) -> list[str]:
    """The names and the commands that an older API has not."""
    names = (name.removeprefix("sync.").removeprefix("sandbox.") for name in new if name not in old)
    return [name for name in names if not re.search(r"\.|^table | -", name)]


@frozen
class _Place:
    position: int | None
    by_name: bool
    required: bool


def _places(form: Sequence[str]) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    by_place = True
    for position, item in enumerate(form):
        if item.startswith("*"):
            by_place = False
        else:
            place = position if by_place else None
            places[item.strip("/=")] = _Place(place, item[0] != "/", item[-1] != "=")
    return places


def _refused(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Break]:
    """What calls of one form a newer one refuses."""
    before, after = _places(old), _places(new)
    takes_any = any(item.startswith("**") for item in new)
    for parameter, was in before.items():
        now = after.get(parameter)
        if now is None:
            if not takes_any:
                yield Break(name, parameter, f"does not take {parameter} any more")
        elif was.position is not None and now.position != was.position:
            yield Break(name, parameter, f"has {parameter} in another place")
        elif was.by_name and not now.by_name:
            yield Break(name, parameter, f"does not take {parameter} by name any more")
        elif now.required and not was.required:
            yield Break(name, parameter, f"cannot be called without {parameter} any more")
    for parameter, now in after.items():
        if parameter not in before and now.required:
            yield Break(name, parameter, f"needs {parameter}")
