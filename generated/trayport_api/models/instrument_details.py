# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.trading_specifications import TradingSpecifications


@define
class InstrumentDetails(Model):
    """An instrument with its currencies and units."""

    id: int
    """A number that names something for good."""
    name: str
    """The name traders use."""
    trading_specifications: TradingSpecifications
    """The currencies and units a product trades in."""
    sequences: str
    """The path of its sequences."""
