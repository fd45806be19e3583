# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define

from ..types import UNSET, Unset


@define
class Candle:
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
    open_timestamp: int | None | Unset = UNSET
    """When the first trade was made, in nanoseconds since 1970-01-01 UTC."""
    close_timestamp: int | None | Unset = UNSET
    """When the last trade was made, in nanoseconds since 1970-01-01 UTC."""
    vwap: float | None | Unset = UNSET
    """The average price, weighted by quantity."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        from_timestamp = self.from_timestamp
        result["fromTimestamp"] = from_timestamp
        to_timestamp = self.to_timestamp
        result["toTimestamp"] = to_timestamp
        open_ = self.open_

        result["open"] = open_
        high = self.high

        result["high"] = high
        low = self.low

        result["low"] = low
        close = self.close

        result["close"] = close
        volume = self.volume
        result["volume"] = volume
        open_timestamp = self.open_timestamp

        if not isinstance(open_timestamp, Unset):
            result["openTimestamp"] = open_timestamp
        close_timestamp = self.close_timestamp

        if not isinstance(close_timestamp, Unset):
            result["closeTimestamp"] = close_timestamp
        vwap = self.vwap

        if not isinstance(vwap, Unset):
            result["vwap"] = vwap
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        d = dict(src_dict)
        from_timestamp = d.pop("fromTimestamp")
        to_timestamp = d.pop("toTimestamp")
        open_: float | None = d.pop("open")

        high: float | None = d.pop("high")

        low: float | None = d.pop("low")

        close: float | None = d.pop("close")

        volume = d.pop("volume")
        open_timestamp: int | None | Unset = d.pop("openTimestamp", UNSET)

        close_timestamp: int | None | Unset = d.pop("closeTimestamp", UNSET)

        vwap: float | None | Unset = d.pop("vwap", UNSET)

        made = cls(
            from_timestamp=from_timestamp,
            to_timestamp=to_timestamp,
            open_=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
            open_timestamp=open_timestamp,
            close_timestamp=close_timestamp,
            vwap=vwap,
        )
        return made
