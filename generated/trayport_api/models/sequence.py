# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define

from ..types import UNSET, Unset


@define
class Sequence:
    """A row of delivery periods, such as the months of gas."""

    id: int
    """A number that names something for good."""
    name: str
    """The name of the sequence."""
    sequence_items: str
    """The path of its items."""
    display_name: str | Unset = UNSET
    """A shorter name for screens, where there is one."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        id = self.id
        result["id"] = id
        name = self.name
        result["name"] = name
        sequence_items = self.sequence_items
        result["sequenceItems"] = sequence_items
        display_name = self.display_name
        if not isinstance(display_name, Unset):
            result["displayName"] = display_name
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        id = d.pop("id")
        name = d.pop("name")
        sequence_items = d.pop("sequenceItems")
        display_name = d.pop("displayName", UNSET)
        made = cls(
            id=id,
            name=name,
            sequence_items=sequence_items,
            display_name=display_name,
        )
        return made
