# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.contract import Contract


@define
class LastTrade:
    """The latest trade of a contract."""

    price: float
    """The price. It may be negative."""
    deal_date: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    contract: Contract | Unset = UNSET
    """A product together with a delivery period."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        price = self.price
        result["price"] = price
        deal_date = self.deal_date
        result["dealDate"] = deal_date
        contract: dict[str, Any] | Unset = UNSET
        if not isinstance(self.contract, Unset):
            contract = self.contract.to_dict()
        if not isinstance(contract, Unset):
            result["contract"] = contract
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.contract import Contract

        d = dict(src_dict)
        price = d.pop("price")
        deal_date = d.pop("dealDate")
        _contract = d.pop("contract", UNSET)
        contract: Contract | Unset
        if isinstance(_contract, Unset):
            contract = UNSET
        else:
            contract = Contract.from_dict(_contract)

        made = cls(
            price=price,
            deal_date=deal_date,
            contract=contract,
        )
        return made
