# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class Sequence(Model):
    """A row of delivery periods, such as the months of gas."""

    id: int
    """A number that names something for good."""
    name: str
    """The name of the sequence."""
    sequence_items: str
    """The path of its items."""
    display_name: str | None = None
    """A shorter name for screens, where there is one."""
