# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.order import Order


@define
class OrderBook(Model):
    """The book at one instant."""

    timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    bids: list[Order]
    """The bids, highest first."""
    asks: list[Order]
    """The asks, lowest first."""
