# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

if TYPE_CHECKING:
    from ..models.order import Order


@define
class OrderBook:
    """The book at one instant."""

    timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    bids: list[Order]
    """The bids, highest first."""
    asks: list[Order]
    """The asks, lowest first."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        timestamp = self.timestamp
        result["timestamp"] = timestamp
        bids = [item.to_dict() for item in self.bids]

        result["bids"] = bids
        asks = [item.to_dict() for item in self.asks]

        result["asks"] = asks
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.order import Order

        d = dict(src_dict)
        timestamp = d.pop("timestamp")
        bids = [Order.from_dict(item) for item in d.pop("bids")]

        asks = [Order.from_dict(item) for item in d.pop("asks")]

        made = cls(
            timestamp=timestamp,
            bids=bids,
            asks=asks,
        )
        return made
