# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

if TYPE_CHECKING:
    from ..models.best_orders import BestOrders
    from ..models.contract import Contract
    from ..models.snapshot_trade import SnapshotTrade


@define
class Snapshot:
    """The state of one contract."""

    contract: Contract
    """A product together with a delivery period."""
    last_trade: None | SnapshotTrade
    """The latest trade, null when there is none."""
    best_orders: BestOrders
    """The best bid and ask of a contract in a snapshot."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        from ..models.snapshot_trade import SnapshotTrade

        result: dict[str, Any] = {}
        contract = self.contract.to_dict()
        result["contract"] = contract
        last_trade: dict[str, Any] | None = (
            self.last_trade.to_dict()
            if isinstance(self.last_trade, SnapshotTrade)
            else self.last_trade
        )

        result["lastTrade"] = last_trade
        best_orders = self.best_orders.to_dict()
        result["bestOrders"] = best_orders
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.best_orders import BestOrders
        from ..models.contract import Contract
        from ..models.snapshot_trade import SnapshotTrade

        d = dict(src_dict)
        contract = Contract.from_dict(d.pop("contract"))

        _last_trade = d.pop("lastTrade")
        last_trade: None | SnapshotTrade
        if _last_trade is None:
            last_trade = _last_trade
        else:
            last_trade = SnapshotTrade.from_dict(_last_trade)

        best_orders = BestOrders.from_dict(d.pop("bestOrders"))

        made = cls(
            contract=contract,
            last_trade=last_trade,
            best_orders=best_orders,
        )
        return made
