# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class TopOfBook(Model):
    """The best bid and ask at one instant."""

    timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    bid_price: float | None
    """The best bid, null when there is none."""
    bid_quantity: float | None
    """The quantity bid, null when there is none."""
    ask_price: float | None
    """The best ask, null when there is none."""
    ask_quantity: float | None
    """The quantity asked, null when there is none."""
    route: str | None = None
    """The name of the route to market."""
    route_id: int | None = None
    """A number that names something for good."""
    bid_venue_code: None | str = None
    """The venue of the best bid, null when there is none."""
    ask_venue_code: None | str = None
    """The venue of the best ask, null when there is none."""
