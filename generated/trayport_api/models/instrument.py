# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define


@define
class Instrument:
    """One venue's or broker group's listing of a product."""

    id: int
    """A number that names something for good."""
    name: str
    """The name traders use."""
    sequences: str
    """The path of its sequences."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        id = self.id
        result["id"] = id
        name = self.name
        result["name"] = name
        sequences = self.sequences
        result["sequences"] = sequences
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        id = d.pop("id")
        name = d.pop("name")
        sequences = d.pop("sequences")
        made = cls(
            id=id,
            name=name,
            sequences=sequences,
        )
        return made
