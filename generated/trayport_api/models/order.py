# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.order_details import OrderDetails


@define
class Order:
    """One order in a book, or the orders of one price at a venue that aggregates them."""

    price: float
    """The price. It may be negative."""
    quantity: float
    """The visible quantity, not always whole."""
    venue_code: str | Unset = UNSET
    """The code of the venue. New codes appear over time."""
    route: str | Unset = UNSET
    """The name of the route to market."""
    route_id: int | Unset = UNSET
    """A number that names something for good."""
    private_fields: OrderDetails | Unset = UNSET
    """What only the owner of an order sees."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        price = self.price
        result["price"] = price
        quantity = self.quantity
        result["quantity"] = quantity
        venue_code = self.venue_code
        if not isinstance(venue_code, Unset):
            result["venueCode"] = venue_code
        route = self.route
        if not isinstance(route, Unset):
            result["route"] = route
        route_id = self.route_id
        if not isinstance(route_id, Unset):
            result["routeId"] = route_id
        private_fields: dict[str, Any] | Unset = UNSET
        if not isinstance(self.private_fields, Unset):
            private_fields = self.private_fields.to_dict()
        if not isinstance(private_fields, Unset):
            result["privateFields"] = private_fields
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.order_details import OrderDetails

        d = dict(src_dict)
        price = d.pop("price")
        quantity = d.pop("quantity")
        venue_code = d.pop("venueCode", UNSET)
        route = d.pop("route", UNSET)
        route_id = d.pop("routeId", UNSET)
        _private_fields = d.pop("privateFields", UNSET)
        private_fields: OrderDetails | Unset
        if isinstance(_private_fields, Unset):
            private_fields = UNSET
        else:
            private_fields = OrderDetails.from_dict(_private_fields)

        made = cls(
            price=price,
            quantity=quantity,
            venue_code=venue_code,
            route=route,
            route_id=route_id,
            private_fields=private_fields,
        )
        return made
