"""Queries: from the arguments of a call to the fewest requests. Pure: nothing is sent here.

`build_query` makes a checked `QueryPlan` of any size of the arguments, and `planner.plan` cuts it
into requests. They are loaded on first use: a client checks calls before it needs a query.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .build import build_query
    from .plan import QueryPlan

__all__ = ["QueryPlan", "build_query"]
_HOMES = {"QueryPlan": ".plan", "build_query": ".build"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
