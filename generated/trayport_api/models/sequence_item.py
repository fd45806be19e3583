# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define


@define
class SequenceItem:
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

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        id = self.id
        result["id"] = id
        name = self.name
        result["name"] = name
        period_start = self.period_start

        result["periodStart"] = period_start
        period_end = self.period_end

        result["periodEnd"] = period_end
        trading_start = self.trading_start

        result["tradingStart"] = trading_start
        trading_end = self.trading_end

        result["tradingEnd"] = trading_end
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        id = d.pop("id")
        name = d.pop("name")
        period_start: None | str = d.pop("periodStart")

        period_end: None | str = d.pop("periodEnd")

        trading_start: None | str = d.pop("tradingStart")

        trading_end: None | str = d.pop("tradingEnd")

        made = cls(
            id=id,
            name=name,
            period_start=period_start,
            period_end=period_end,
            trading_start=trading_start,
            trading_end=trading_end,
        )
        return made
