# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define

from ..types import Model


@define
class Candle(Model):
    """The trades of one bucket of time."""

    from_timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    to_timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    open_: float | None
    """The first price."""
    high: float | None
    """The highest price."""
    low: float | None
    """The lowest price."""
    close: float | None
    """The last price."""
    volume: float
    """The sum of the quantities, not always whole."""
    open_timestamp: int | None = None
    """When the first trade was made, in nanoseconds since 1970-01-01 UTC."""
    close_timestamp: int | None = None
    """When the last trade was made, in nanoseconds since 1970-01-01 UTC."""
    vwap: float | None = None
    """The average price, weighted by quantity."""
