# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

if TYPE_CHECKING:
    from ..models.trading_specifications import TradingSpecifications


@define
class MarketDetails:
    """A market with its currencies and units."""

    id: int
    """A number that names something for good."""
    name: str
    """The name traders use."""
    trading_specifications: TradingSpecifications
    """The currencies and units a product trades in."""
    sequences: str
    """The path of its sequences."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        id = self.id
        result["id"] = id
        name = self.name
        result["name"] = name
        trading_specifications = self.trading_specifications.to_dict()
        result["tradingSpecifications"] = trading_specifications
        sequences = self.sequences
        result["sequences"] = sequences
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.trading_specifications import TradingSpecifications

        d = dict(src_dict)
        id = d.pop("id")
        name = d.pop("name")
        trading_specifications = TradingSpecifications.from_dict(d.pop("tradingSpecifications"))

        sequences = d.pop("sequences")
        made = cls(
            id=id,
            name=name,
            trading_specifications=trading_specifications,
            sequences=sequences,
        )
        return made
