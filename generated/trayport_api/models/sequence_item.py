# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class SequenceItem(Model):
    """One delivery period."""

    id: int
    """A number that names something for good."""
    name: str
    """The name of the period, such as Apr-24."""
    period_start: None | str
    """When delivery starts, in ISO-8601; null for rolling items."""
    period_end: None | str
    """When delivery ends, in ISO-8601; null for rolling items."""
    trading_start: None | str
    """When trading starts, in ISO-8601; null for rolling items."""
    trading_end: None | str
    """When trading ends, in ISO-8601; null for rolling items, which never expire."""
