# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class SnapshotTrade(Model):
    """The latest trade of a contract in a snapshot."""

    price: float
    """The price. It may be negative."""
    deal_date: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
