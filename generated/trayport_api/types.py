# Generated from openapi/. Do not edit: run ./codegen.sh.

import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import Enum
from functools import cache
from operator import itemgetter
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Self,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from attrs import NOTHING, fields, frozen


class Model:
    """What all models share: they are made of JSON objects, and become JSON objects again."""

    __slots__ = ()
    json_names: ClassVar[Mapping[str, str]] = {}
    """The names of fields in JSON, as far as they are not the same in camelCase."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; optional fields that are None are absent."""
        extra: Mapping[str, Any] = getattr(self, "additional_properties", {})
        members = _members(cast("Hashable", type(self)))
        values = {member: getattr(self, member.name) for member in members}
        document = {
            member.json_name: _plain(value)
            for member, value in values.items()
            if member.required or value is not None
        }
        return {**extra, **document}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        if (values := _plain_values(cast("Hashable", cls))) is not None:
            return cls(*values(src_dict))
        members = _members(cast("Hashable", cls))
        made = cls(**{member.name: member.value(src_dict) for member in members})
        if hasattr(made, "additional_properties"):
            known = {member.json_name for member in members}
            extra = {name: value for name, value in src_dict.items() if name not in known}
            setattr(made, "additional_properties", extra)  # noqa: B010
        return made


@frozen
class _Member:
    """A field of a model, its name in JSON, and what makes its value of the one in JSON."""

    name: str
    json_name: str
    required: bool
    read: Callable[[Any], Any]

    def value(self, document: Mapping[str, Any]) -> Any:
        if self.required or self.json_name in document:
            return self.read(document[self.json_name])
        return None


@cache
def _members(model: Any) -> tuple[_Member, ...]:
    hints = get_type_hints(model, localns=vars(sys.modules[f"{__package__}.models"]))
    return tuple(
        _Member(
            field.name,
            model.json_names.get(field.name) or _camel(field.name),
            field.default is NOTHING,
            reader(hints[field.name]),
        )
        for field in fields(model)
        if field.init
    )


@cache
def _plain_values(model: Any) -> Callable[[Mapping[str, Any]], tuple[Any, ...]] | None:
    """The values of a model whose fields all come, and as they are: the quick way to make one."""
    members = _members(cast("Hashable", model))
    names = [member.json_name for member in members if member.required and member.read is _as_it_is]
    is_plain = len(names) == len(members) > 1 and not hasattr(model, "additional_properties")
    return itemgetter(*names) if is_plain else None


def _as_it_is(value: Any) -> Any:
    return value


def _camel(name: str) -> str:
    first, *others = name.rstrip("_").split("_")
    return first + "".join(map(str.capitalize, others))


def reader(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of this type of the one in JSON."""
    if get_origin(kind) in (Union, UnionType):
        # The document only ever unites a type with null.
        (only,) = (part for part in get_args(kind) if part is not NoneType)
        read = reader(only)
        return read if read is _as_it_is else lambda value: None if value is None else read(value)
    if get_origin(kind) is list:
        read = reader(*get_args(kind))
        return lambda values: [read(value) for value in values]
    if isinstance(kind, type) and issubclass(kind, Model):
        return kind.from_dict
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _as_it_is


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None, as JSON has them."""
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_plain(item) for item in cast("Iterable[Any]", value)]
    return value


__all__ = ["Model", "present", "reader"]
