# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define


@define
class SnapshotTrade:
    """The latest trade of a contract in a snapshot."""

    price: float
    """The price. It may be negative."""
    deal_date: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        price = self.price
        result["price"] = price
        deal_date = self.deal_date
        result["dealDate"] = deal_date
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        price = d.pop("price")
        deal_date = d.pop("dealDate")
        made = cls(
            price=price,
            deal_date=deal_date,
        )
        return made
