# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define

from ..models.contract_kind import ContractKind


@define
class Contract:
    """A product together with a delivery period."""

    contract_type: ContractKind
    """The kind of a contract, as answers name it. Requests name the same kinds as `ContractType`."""
    market_id: int | None
    """The market, null when the contract is of an instrument."""
    instrument_id: int | None
    """The instrument, null when the contract is of a market."""
    sequence_id: int
    """A number that names something for good."""
    sequence_item_id: int
    """A number that names something for good."""
    second_sequence_item_id: int | None
    """The second delivery period, null for single periods."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        contract_type = self.contract_type.value
        result["contractType"] = contract_type
        market_id = self.market_id

        result["marketId"] = market_id
        instrument_id = self.instrument_id

        result["instrumentId"] = instrument_id
        sequence_id = self.sequence_id
        result["sequenceId"] = sequence_id
        sequence_item_id = self.sequence_item_id
        result["sequenceItemId"] = sequence_item_id
        second_sequence_item_id = self.second_sequence_item_id

        result["secondSequenceItemId"] = second_sequence_item_id
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        contract_type = ContractKind(d.pop("contractType"))

        market_id: int | None = d.pop("marketId")

        instrument_id: int | None = d.pop("instrumentId")

        sequence_id = d.pop("sequenceId")
        sequence_item_id = d.pop("sequenceItemId")
        second_sequence_item_id: int | None = d.pop("secondSequenceItemId")

        made = cls(
            contract_type=contract_type,
            market_id=market_id,
            instrument_id=instrument_id,
            sequence_id=sequence_id,
            sequence_item_id=sequence_item_id,
            second_sequence_item_id=second_sequence_item_id,
        )
        return made
