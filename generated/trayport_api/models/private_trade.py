# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.contract import Contract


@define
class PrivateTrade:
    """One trade of your own. The contract is present when the request did not fix it."""

    trade_id: str
    """The venue's own id. Unique only together with the venue code."""
    venue_code: str
    """The code of the venue. New codes appear over time."""
    deal_date: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    price: float
    """The price in the product's currency per unit. It may be negative."""
    quantity: float
    """The quantity in the product's unit, not always whole."""
    aggressor_buy: bool
    """Whether the aggressor bought."""
    route: str
    """The name of the route to market."""
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
    last_updated: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    contract: Contract | Unset = UNSET
    """A product together with a delivery period."""
    route_id: int | Unset = UNSET
    """A number that names something for good."""
    from_broken_spread: bool | Unset = UNSET
    """Whether the trade is one leg of a spread that was broken up."""
    initiator_owned_spread: bool | Unset = UNSET
    """Whether the initiator traded it as part of an own spread."""
    aggressor_owned_spread: bool | Unset = UNSET
    """Whether the aggressor traded it as part of an own spread."""
    aggressor_sleeve: bool | Unset = UNSET
    """Whether a third party stood between on the aggressor's side. A client author has also seen
    text here."""
    initiator_sleeve: bool | Unset = UNSET
    """Whether a third party stood between on the initiator's side. A client author has also seen
    text here."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        trade_id = self.trade_id
        result["tradeId"] = trade_id
        venue_code = self.venue_code
        result["venueCode"] = venue_code
        deal_date = self.deal_date
        result["dealDate"] = deal_date
        price = self.price
        result["price"] = price
        quantity = self.quantity
        result["quantity"] = quantity
        aggressor_buy = self.aggressor_buy
        result["aggressorBuy"] = aggressor_buy
        route = self.route
        result["route"] = route
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
        last_updated = self.last_updated
        result["lastUpdated"] = last_updated
        contract: dict[str, Any] | Unset = UNSET
        if not isinstance(self.contract, Unset):
            contract = self.contract.to_dict()
        if not isinstance(contract, Unset):
            result["contract"] = contract
        route_id = self.route_id
        if not isinstance(route_id, Unset):
            result["routeId"] = route_id
        from_broken_spread = self.from_broken_spread
        if not isinstance(from_broken_spread, Unset):
            result["fromBrokenSpread"] = from_broken_spread
        initiator_owned_spread = self.initiator_owned_spread
        if not isinstance(initiator_owned_spread, Unset):
            result["initiatorOwnedSpread"] = initiator_owned_spread
        aggressor_owned_spread = self.aggressor_owned_spread
        if not isinstance(aggressor_owned_spread, Unset):
            result["aggressorOwnedSpread"] = aggressor_owned_spread
        aggressor_sleeve = self.aggressor_sleeve
        if not isinstance(aggressor_sleeve, Unset):
            result["aggressorSleeve"] = aggressor_sleeve
        initiator_sleeve = self.initiator_sleeve
        if not isinstance(initiator_sleeve, Unset):
            result["initiatorSleeve"] = initiator_sleeve
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.contract import Contract

        d = dict(src_dict)
        trade_id = d.pop("tradeId")
        venue_code = d.pop("venueCode")
        deal_date = d.pop("dealDate")
        price = d.pop("price")
        quantity = d.pop("quantity")
        aggressor_buy = d.pop("aggressorBuy")
        route = d.pop("route")
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
        last_updated = d.pop("lastUpdated")
        _contract = d.pop("contract", UNSET)
        contract: Contract | Unset
        if isinstance(_contract, Unset):
            contract = UNSET
        else:
            contract = Contract.from_dict(_contract)

        route_id = d.pop("routeId", UNSET)
        from_broken_spread = d.pop("fromBrokenSpread", UNSET)
        initiator_owned_spread = d.pop("initiatorOwnedSpread", UNSET)
        aggressor_owned_spread = d.pop("aggressorOwnedSpread", UNSET)
        aggressor_sleeve = d.pop("aggressorSleeve", UNSET)
        initiator_sleeve = d.pop("initiatorSleeve", UNSET)
        made = cls(
            trade_id=trade_id,
            venue_code=venue_code,
            deal_date=deal_date,
            price=price,
            quantity=quantity,
            aggressor_buy=aggressor_buy,
            route=route,
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
            last_updated=last_updated,
            contract=contract,
            route_id=route_id,
            from_broken_spread=from_broken_spread,
            initiator_owned_spread=initiator_owned_spread,
            aggressor_owned_spread=aggressor_owned_spread,
            aggressor_sleeve=aggressor_sleeve,
            initiator_sleeve=initiator_sleeve,
        )
        return made
