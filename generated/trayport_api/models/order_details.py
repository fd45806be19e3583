# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..models.order_status import OrderStatus
from ..types import Model


@define
class OrderDetails(Model):
    """What only the owner of an order sees."""

    order_status: OrderStatus
    """Whether an own order can be traded against or is held back."""
    last_modifier_user_id: int
    """A number that names something for good."""
    hidden_quantity: float
    """The quantity that is not shown."""
    owner_user_id: int
    """A number that names something for good."""
    owner_company_id: int
    """A number that names something for good."""
    original_hidden_quantity: float
    """The hidden quantity the order began with."""
    hidden_qty_price_delta: float
    """How far the price moves when hidden quantity is shown."""
    client_order_id: str | None = None
    """The id the owner gave the order."""
