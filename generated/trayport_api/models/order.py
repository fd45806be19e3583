# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.order_details import OrderDetails


@define
class Order(Model):
    """One order in a book, or the orders of one price at a venue that aggregates them."""

    price: float
    """The price. It may be negative."""
    quantity: float
    """The visible quantity, not always whole."""
    venue_code: str | None = None
    """The code of the venue. New codes appear over time."""
    route: str | None = None
    """The name of the route to market."""
    route_id: int | None = None
    """A number that names something for good."""
    private_fields: OrderDetails | None = None
    """What only the owner of an order sees."""
