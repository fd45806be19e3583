"""The operations of the API as typed groups, each loaded on first use: `client.trades`, …"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .orders import OrdersGroup as OrdersGroup
    from .planner import Planner as Planner
    from .reference import ReferenceGroup as ReferenceGroup
    from .snapshots import SnapshotsGroup as SnapshotsGroup
    from .trades import TradesGroup as TradesGroup


def __getattr__(name: str) -> object:
    module = name.removesuffix("Group").lower()
    if not name.endswith("Group") and name != "Planner":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
