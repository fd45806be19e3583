# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.contract import Contract
    from ..models.trade_parties import TradeParties


@define
class Trade(Model):
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
    contract: Contract | None = None
    """A product together with a delivery period."""
    route: str | None = None
    """The name of the route to market."""
    route_id: int | None = None
    """A number that names something for good."""
    from_broken_spread: bool | None = None
    """Whether the trade is one leg of a spread that was broken up."""
    initiator_owned_spread: bool | None = None
    """Whether the initiator traded it as part of an own spread."""
    aggressor_owned_spread: bool | None = None
    """Whether the aggressor traded it as part of an own spread."""
    aggressor_sleeve: bool | None = None
    """Whether a third party stood between on the aggressor's side. A client author has also seen
    text here."""
    initiator_sleeve: bool | None = None
    """Whether a third party stood between on the initiator's side. A client author has also seen
    text here."""
    private_fields: TradeParties | None = None
    """The two sides of a trade. The one you may not see has zeros and empty names."""
