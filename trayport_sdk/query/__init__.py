"""Queries: from the arguments of a call to the fewest requests. Pure: nothing is sent here.

`build_query` makes a checked `QueryPlan` of any size of the arguments, and `planner.plan` cuts it
into requests.
"""

from .build import build_query
from .plan import QueryPlan

__all__ = ["QueryPlan", "build_query"]
