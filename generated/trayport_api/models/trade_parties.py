# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define


@define
class TradeParties:
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

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        aggressor_company_id = self.aggressor_company_id
        result["aggressorCompanyId"] = aggressor_company_id
        aggressor_trader_company_name = self.aggressor_trader_company_name
        result["aggressorTraderCompanyName"] = aggressor_trader_company_name
        aggressor_trader_id = self.aggressor_trader_id
        result["aggressorTraderId"] = aggressor_trader_id
        aggressor_trader_name = self.aggressor_trader_name
        result["aggressorTraderName"] = aggressor_trader_name
        aggressor_derivative_indicator = self.aggressor_derivative_indicator
        result["aggressorDerivativeIndicator"] = aggressor_derivative_indicator
        initiator_company_id = self.initiator_company_id
        result["initiatorCompanyId"] = initiator_company_id
        initiator_trader_company_name = self.initiator_trader_company_name
        result["initiatorTraderCompanyName"] = initiator_trader_company_name
        initiator_trader_id = self.initiator_trader_id
        result["initiatorTraderId"] = initiator_trader_id
        initiator_trader_name = self.initiator_trader_name
        result["initiatorTraderName"] = initiator_trader_name
        initiator_derivative_indicator = self.initiator_derivative_indicator
        result["initiatorDerivativeIndicator"] = initiator_derivative_indicator
        product_classification = self.product_classification
        result["productClassification"] = product_classification
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        aggressor_company_id = d.pop("aggressorCompanyId")
        aggressor_trader_company_name = d.pop("aggressorTraderCompanyName")
        aggressor_trader_id = d.pop("aggressorTraderId")
        aggressor_trader_name = d.pop("aggressorTraderName")
        aggressor_derivative_indicator = d.pop("aggressorDerivativeIndicator")
        initiator_company_id = d.pop("initiatorCompanyId")
        initiator_trader_company_name = d.pop("initiatorTraderCompanyName")
        initiator_trader_id = d.pop("initiatorTraderId")
        initiator_trader_name = d.pop("initiatorTraderName")
        initiator_derivative_indicator = d.pop("initiatorDerivativeIndicator")
        product_classification = d.pop("productClassification")
        made = cls(
            aggressor_company_id=aggressor_company_id,
            aggressor_trader_company_name=aggressor_trader_company_name,
            aggressor_trader_id=aggressor_trader_id,
            aggressor_trader_name=aggressor_trader_name,
            aggressor_derivative_indicator=aggressor_derivative_indicator,
            initiator_company_id=initiator_company_id,
            initiator_trader_company_name=initiator_trader_company_name,
            initiator_trader_id=initiator_trader_id,
            initiator_trader_name=initiator_trader_name,
            initiator_derivative_indicator=initiator_derivative_indicator,
            product_classification=product_classification,
        )
        return made
