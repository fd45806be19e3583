# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.best_orders import BestOrders
    from ..models.contract import Contract
    from ..models.snapshot_trade import SnapshotTrade


@define
class Snapshot(Model):
    """The state of one contract."""

    contract: Contract
    """A product together with a delivery period."""
    last_trade: None | SnapshotTrade
    """The latest trade, null when there is none."""
    best_orders: BestOrders
    """The best bid and ask of a contract in a snapshot."""
