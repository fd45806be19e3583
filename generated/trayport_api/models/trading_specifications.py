# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define


@define
class TradingSpecifications:
    """The currencies and units a product trades in."""

    price_currency: str
    """The currency of prices."""
    quantity_unit: str
    """The unit of quantities."""
    notional_currency: str
    """The currency of the total value."""
    notional_quantity_unit: str
    """The unit of the total quantity."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        price_currency = self.price_currency
        result["priceCurrency"] = price_currency
        quantity_unit = self.quantity_unit
        result["quantityUnit"] = quantity_unit
        notional_currency = self.notional_currency
        result["notionalCurrency"] = notional_currency
        notional_quantity_unit = self.notional_quantity_unit
        result["notionalQuantityUnit"] = notional_quantity_unit
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        price_currency = d.pop("priceCurrency")
        quantity_unit = d.pop("quantityUnit")
        notional_currency = d.pop("notionalCurrency")
        notional_quantity_unit = d.pop("notionalQuantityUnit")
        made = cls(
            price_currency=price_currency,
            quantity_unit=quantity_unit,
            notional_currency=notional_currency,
            notional_quantity_unit=notional_quantity_unit,
        )
        return made
