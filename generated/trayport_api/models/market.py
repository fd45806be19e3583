# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class Market(Model):
    """A product over all its venues."""

    id: int
    """A number that names something for good."""
    name: str
    """The name traders use."""
    sequences: str
    """The path of its sequences."""
