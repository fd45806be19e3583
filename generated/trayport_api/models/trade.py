# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.contract import Contract
    from ..models.trade_parties import TradeParties


@define
class Trade:
    """One executed trade."""

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
    contract: Contract | Unset = UNSET
    """A product together with a delivery period."""
    route: str | Unset = UNSET
    """The name of the route to market."""
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
    private_fields: TradeParties | Unset = UNSET
    """The two sides of a trade. The one you may not see has zeros and empty names."""

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
        contract: dict[str, Any] | Unset = UNSET
        if not isinstance(self.contract, Unset):
            contract = self.contract.to_dict()
        if not isinstance(contract, Unset):
            result["contract"] = contract
        route = self.route
        if not isinstance(route, Unset):
            result["route"] = route
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
        private_fields: dict[str, Any] | Unset = UNSET
        if not isinstance(self.private_fields, Unset):
            private_fields = self.private_fields.to_dict()
        if not isinstance(private_fields, Unset):
            result["privateFields"] = private_fields
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.contract import Contract
        from ..models.trade_parties import TradeParties

        d = dict(src_dict)
        trade_id = d.pop("tradeId")
        venue_code = d.pop("venueCode")
        deal_date = d.pop("dealDate")
        price = d.pop("price")
        quantity = d.pop("quantity")
        aggressor_buy = d.pop("aggressorBuy")
        _contract = d.pop("contract", UNSET)
        contract: Contract | Unset
        if isinstance(_contract, Unset):
            contract = UNSET
        else:
            contract = Contract.from_dict(_contract)

        route = d.pop("route", UNSET)
        route_id = d.pop("routeId", UNSET)
        from_broken_spread = d.pop("fromBrokenSpread", UNSET)
        initiator_owned_spread = d.pop("initiatorOwnedSpread", UNSET)
        aggressor_owned_spread = d.pop("aggressorOwnedSpread", UNSET)
        aggressor_sleeve = d.pop("aggressorSleeve", UNSET)
        initiator_sleeve = d.pop("initiatorSleeve", UNSET)
        _private_fields = d.pop("privateFields", UNSET)
        private_fields: TradeParties | Unset
        if isinstance(_private_fields, Unset):
            private_fields = UNSET
        else:
            private_fields = TradeParties.from_dict(_private_fields)

        made = cls(
            trade_id=trade_id,
            venue_code=venue_code,
            deal_date=deal_date,
            price=price,
            quantity=quantity,
            aggressor_buy=aggressor_buy,
            contract=contract,
            route=route,
            route_id=route_id,
            from_broken_spread=from_broken_spread,
            initiator_owned_spread=initiator_owned_spread,
            aggressor_owned_spread=aggressor_owned_spread,
            aggressor_sleeve=aggressor_sleeve,
            initiator_sleeve=initiator_sleeve,
            private_fields=private_fields,
        )
        return made
