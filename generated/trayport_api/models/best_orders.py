# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class BestOrders(Model):
    """The best bid and ask of a contract in a snapshot."""

    bid_price: float | None
    """The best bid, null when there is none."""
    bid_quantity: float | None
    """The quantity bid, null when there is none."""
    ask_price: float | None
    """The best ask, null when there is none."""
    ask_quantity: float | None
    """The quantity asked, null when there is none."""
