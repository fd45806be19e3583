# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..models.contract_kind import ContractKind
from ..types import Model


@define
class Activity(Model):
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
    """The kind of a contract, as responses name it. Requests name the same kinds as
    `ContractType`."""
    count: int
    """How many there were."""
    market_id: int | None = None
    """The market of the instrument, null when it has none."""
    route: str | None = None
    """The name of the route to market."""
    route_id: int | None = None
    """A number that names something for good."""
    update_count: int | None = None
    """How many there were."""
    delete_count: int | None = None
    """How many there were."""
