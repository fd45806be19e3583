# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..models.contract_kind import ContractKind
from ..types import Model


@define
class Contract(Model):
    """A product together with a delivery period."""

    contract_type: ContractKind
    """The kind of a contract, as responses name it. Requests name the same kinds as
    `ContractType`."""
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
