# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define

from ..types import UNSET, Unset


@define
class TopOfBook:
    """The best bid and ask at one instant."""

    timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    bid_price: float | None
    """The best bid, null when there is none."""
    bid_quantity: float | None
    """The quantity bid, null when there is none."""
    ask_price: float | None
    """The best ask, null when there is none."""
    ask_quantity: float | None
    """The quantity asked, null when there is none."""
    route: str | Unset = UNSET
    """The name of the route to market."""
    route_id: int | Unset = UNSET
    """A number that names something for good."""
    bid_venue_code: None | str | Unset = UNSET
    """The venue of the best bid, null when there is none."""
    ask_venue_code: None | str | Unset = UNSET
    """The venue of the best ask, null when there is none."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        timestamp = self.timestamp
        result["timestamp"] = timestamp
        bid_price = self.bid_price

        result["bidPrice"] = bid_price
        bid_quantity = self.bid_quantity

        result["bidQuantity"] = bid_quantity
        ask_price = self.ask_price

        result["askPrice"] = ask_price
        ask_quantity = self.ask_quantity

        result["askQuantity"] = ask_quantity
        route = self.route
        if not isinstance(route, Unset):
            result["route"] = route
        route_id = self.route_id
        if not isinstance(route_id, Unset):
            result["routeId"] = route_id
        bid_venue_code = self.bid_venue_code

        if not isinstance(bid_venue_code, Unset):
            result["bidVenueCode"] = bid_venue_code
        ask_venue_code = self.ask_venue_code

        if not isinstance(ask_venue_code, Unset):
            result["askVenueCode"] = ask_venue_code
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        timestamp = d.pop("timestamp")
        bid_price: float | None = d.pop("bidPrice")

        bid_quantity: float | None = d.pop("bidQuantity")

        ask_price: float | None = d.pop("askPrice")

        ask_quantity: float | None = d.pop("askQuantity")

        route = d.pop("route", UNSET)
        route_id = d.pop("routeId", UNSET)
        bid_venue_code: None | str | Unset = d.pop("bidVenueCode", UNSET)

        ask_venue_code: None | str | Unset = d.pop("askVenueCode", UNSET)

        made = cls(
            timestamp=timestamp,
            bid_price=bid_price,
            bid_quantity=bid_quantity,
            ask_price=ask_price,
            ask_quantity=ask_quantity,
            route=route,
            route_id=route_id,
            bid_venue_code=bid_venue_code,
            ask_venue_code=ask_venue_code,
        )
        return made
