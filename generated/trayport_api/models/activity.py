# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define

from ..models.contract_kind import ContractKind
from ..types import UNSET, Unset


@define
class Activity:
    """How often one contract traded."""

    instrument_id: int
    """A number that names something for good."""
    sequence_id: int
    """A number that names something for good."""
    sequence_item_id: int
    """A number that names something for good."""
    second_sequence_item_id: int | None
    """The second delivery period, null for single periods."""
    contract_type: ContractKind
    """The kind of a contract, as answers name it. Requests name the same kinds as `ContractType`."""
    count: int
    """How many there were."""
    market_id: int | None | Unset = UNSET
    """The market of the instrument, null when it has none."""
    route: str | Unset = UNSET
    """The name of the route to market."""
    route_id: int | Unset = UNSET
    """A number that names something for good."""
    update_count: int | Unset = UNSET
    """How many there were."""
    delete_count: int | Unset = UNSET
    """How many there were."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        instrument_id = self.instrument_id
        result["instrumentId"] = instrument_id
        sequence_id = self.sequence_id
        result["sequenceId"] = sequence_id
        sequence_item_id = self.sequence_item_id
        result["sequenceItemId"] = sequence_item_id
        second_sequence_item_id = self.second_sequence_item_id

        result["secondSequenceItemId"] = second_sequence_item_id
        contract_type = self.contract_type.value
        result["contractType"] = contract_type
        count = self.count
        result["count"] = count
        market_id = self.market_id

        if not isinstance(market_id, Unset):
            result["marketId"] = market_id
        route = self.route
        if not isinstance(route, Unset):
            result["route"] = route
        route_id = self.route_id
        if not isinstance(route_id, Unset):
            result["routeId"] = route_id
        update_count = self.update_count
        if not isinstance(update_count, Unset):
            result["updateCount"] = update_count
        delete_count = self.delete_count
        if not isinstance(delete_count, Unset):
            result["deleteCount"] = delete_count
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        instrument_id = d.pop("instrumentId")
        sequence_id = d.pop("sequenceId")
        sequence_item_id = d.pop("sequenceItemId")
        second_sequence_item_id: int | None = d.pop("secondSequenceItemId")

        contract_type = ContractKind(d.pop("contractType"))

        count = d.pop("count")
        market_id: int | None | Unset = d.pop("marketId", UNSET)

        route = d.pop("route", UNSET)
        route_id = d.pop("routeId", UNSET)
        update_count = d.pop("updateCount", UNSET)
        delete_count = d.pop("deleteCount", UNSET)
        made = cls(
            instrument_id=instrument_id,
            sequence_id=sequence_id,
            sequence_item_id=sequence_item_id,
            second_sequence_item_id=second_sequence_item_id,
            contract_type=contract_type,
            count=count,
            market_id=market_id,
            route=route,
            route_id=route_id,
            update_count=update_count,
            delete_count=delete_count,
        )
        return made
