"""Queries: from the arguments of a call to the fewest requests. Pure: nothing is sent here.

`build.build_query` makes a checked `QueryPlan` of any size of the arguments, and `planner.plan`
cuts it into requests. Nothing is loaded here: a client checks calls before it needs a query.
"""
