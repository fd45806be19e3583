# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.snapshot import Snapshot


@define
class Snapshots(Model):
    """The state of several contracts at one instant."""

    timestamp: int
    """Nanoseconds since 1970-01-01 UTC. They do not fit a float64."""
    snapshots: list[Snapshot]
    """One entry per contract."""
