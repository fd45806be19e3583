"""Ranges of contracts that a data set lacks, as queries and as the fewest requests. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import evolve

from ..query.contracts import ContractSpec
from ..query.plan import QueryPlan, with_contract_column
from ..query.planner import plan
from ..query.times import Window
from .partitions import Grid


def about(query: QueryPlan, contracts: Sequence[ContractSpec], window: Window | None) -> QueryPlan:
    """The query about some contracts and a range."""
    query = evolve(query, contracts=tuple(contracts), window=window)
    return query if contracts else with_contract_column(query)


def lacking(
    query: QueryPlan, missing: Callable[[ContractSpec | None, Window], list[Window]]
) -> list[QueryPlan]:
    """What is left of a query, so that contracts that lack the same are asked for together."""
    window = query.window or Window(0, 0)
    contracts: Sequence[ContractSpec | None] = query.contracts or (None,)
    return by_range(query, {contract: missing(contract, window) for contract in contracts})


def by_range(
    query: QueryPlan, ranges: Mapping[ContractSpec | None, Sequence[Window]]
) -> list[QueryPlan]:
    whose: dict[Window, list[ContractSpec | None]] = {}
    for contract, windows in ranges.items():
        for window in windows:
            whose.setdefault(window, []).append(contract)
    return [
        about(query, [c for c in contracts if c is not None], window)
        for window, contracts in sorted(whose.items(), key=lambda item: item[0])
    ]


def requests_of(queries: Iterable[QueryPlan]) -> list[QueryPlan]:
    """The fewest requests that fetch some queries."""
    return [
        request for query in queries for part in _counted_apart(query) for request in plan(part)
    ]


def _counted_apart(query: QueryPlan) -> list[QueryPlan]:
    """A query for each bar, where rows are counts that do not say of when they are."""
    grid = Grid.of(query)
    if query.operation.time_column is not None or query.window is None:
        return [query]
    parts, start = list[QueryPlan](), query.window.start
    while start < query.window.end:
        end = grid.ceil(start + 1)
        parts.append(evolve(query, window=Window(start, end)))
        start = end
    return parts


def joined(windows: Iterable[Window]) -> list[Window]:
    """Windows, those that meet or overlap as one."""
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined
