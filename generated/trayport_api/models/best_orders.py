# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define


@define
class BestOrders:
    """The best bid and ask of a contract in a snapshot."""

    bid_price: float | None
    """The best bid, null when there is none."""
    bid_quantity: float | None
    """The quantity bid, null when there is none."""
    ask_price: float | None
    """The best ask, null when there is none."""
    ask_quantity: float | None
    """The quantity asked, null when there is none."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        bid_price = self.bid_price

        result["bidPrice"] = bid_price
        bid_quantity = self.bid_quantity

        result["bidQuantity"] = bid_quantity
        ask_price = self.ask_price

        result["askPrice"] = ask_price
        ask_quantity = self.ask_quantity

        result["askQuantity"] = ask_quantity
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        bid_price: float | None = d.pop("bidPrice")

        bid_quantity: float | None = d.pop("bidQuantity")

        ask_price: float | None = d.pop("askPrice")

        ask_quantity: float | None = d.pop("askQuantity")

        made = cls(
            bid_price=bid_price,
            bid_quantity=bid_quantity,
            ask_price=ask_price,
            ask_quantity=ask_quantity,
        )
        return made
