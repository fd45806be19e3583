# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define

from ..models.order_status import OrderStatus
from ..types import UNSET, Unset


@define
class OrderDetails:
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
    client_order_id: str | Unset = UNSET
    """The id the owner gave the order."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        order_status = self.order_status.value
        result["orderStatus"] = order_status
        last_modifier_user_id = self.last_modifier_user_id
        result["lastModifierUserId"] = last_modifier_user_id
        hidden_quantity = self.hidden_quantity
        result["hiddenQuantity"] = hidden_quantity
        owner_user_id = self.owner_user_id
        result["ownerUserId"] = owner_user_id
        owner_company_id = self.owner_company_id
        result["ownerCompanyId"] = owner_company_id
        original_hidden_quantity = self.original_hidden_quantity
        result["originalHiddenQuantity"] = original_hidden_quantity
        hidden_qty_price_delta = self.hidden_qty_price_delta
        result["hiddenQtyPriceDelta"] = hidden_qty_price_delta
        client_order_id = self.client_order_id
        if not isinstance(client_order_id, Unset):
            result["clientOrderId"] = client_order_id
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        order_status = OrderStatus(d.pop("orderStatus"))

        last_modifier_user_id = d.pop("lastModifierUserId")
        hidden_quantity = d.pop("hiddenQuantity")
        owner_user_id = d.pop("ownerUserId")
        owner_company_id = d.pop("ownerCompanyId")
        original_hidden_quantity = d.pop("originalHiddenQuantity")
        hidden_qty_price_delta = d.pop("hiddenQtyPriceDelta")
        client_order_id = d.pop("clientOrderId", UNSET)
        made = cls(
            order_status=order_status,
            last_modifier_user_id=last_modifier_user_id,
            hidden_quantity=hidden_quantity,
            owner_user_id=owner_user_id,
            owner_company_id=owner_company_id,
            original_hidden_quantity=original_hidden_quantity,
            hidden_qty_price_delta=hidden_qty_price_delta,
            client_order_id=client_order_id,
        )
        return made
