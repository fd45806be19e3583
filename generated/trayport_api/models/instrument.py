# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class Instrument(Model):
    """One venue's or broker group's listing of a product."""

    id: int
    """A number that names something for good."""
    name: str
    """The name traders use."""
    sequences: str
    """The path of its sequences."""
