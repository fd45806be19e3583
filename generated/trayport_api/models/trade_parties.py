# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class TradeParties(Model):
    """The two sides of a trade. The one you may not see has zeros and empty names."""

    aggressor_company_id: int
    """A number that names something for good."""
    aggressor_trader_company_name: str
    """The name of the aggressor's company, empty when unknown."""
    aggressor_trader_id: int
    """A number that names something for good."""
    aggressor_trader_name: str
    """The name of the aggressor's trader, empty when unknown."""
    aggressor_derivative_indicator: bool
    """Whether the aggressor flagged the trade as a derivative."""
    initiator_company_id: int
    """A number that names something for good."""
    initiator_trader_company_name: str
    """The name of the initiator's company, empty when unknown."""
    initiator_trader_id: int
    """A number that names something for good."""
    initiator_trader_name: str
    """The name of the initiator's trader, empty when unknown."""
    initiator_derivative_indicator: bool
    """Whether the initiator flagged the trade as a derivative."""
    product_classification: str
    """How the product is classified."""
