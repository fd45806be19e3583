# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class TradingSpecifications(Model):
    """The currencies and units a product trades in."""

    price_currency: str
    """The currency of prices."""
    quantity_unit: str
    """The unit of quantities."""
    notional_currency: str
    """The currency of the total value."""
    notional_quantity_unit: str
    """The unit of the total quantity."""
