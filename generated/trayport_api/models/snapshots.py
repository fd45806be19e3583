# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

if TYPE_CHECKING:
    from ..models.snapshot import Snapshot


@define
class Snapshots:
    """The state of several contracts at one instant."""

    timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    snapshots: list[Snapshot]
    """One entry per contract."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        timestamp = self.timestamp
        result["timestamp"] = timestamp
        snapshots = [item.to_dict() for item in self.snapshots]

        result["snapshots"] = snapshots
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.snapshot import Snapshot

        d = dict(src_dict)
        timestamp = d.pop("timestamp")
        snapshots = [Snapshot.from_dict(item) for item in d.pop("snapshots")]

        made = cls(
            timestamp=timestamp,
            snapshots=snapshots,
        )
        return made
