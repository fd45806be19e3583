# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.contract import Contract


@define
class LastTrade(Model):
    """The latest trade of a contract."""

    price: float
    """The price. It may be negative."""
    deal_date: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    contract: Contract | None = None
    """A product together with a delivery period."""
