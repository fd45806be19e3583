"""Contracts and a range into the fewest requests that fetch them. Pure: nothing is sent here.

A request covers some contracts over some time, so a plan covers a rectangle: the fewest batches of
contracts times the fewest windows is the least there is. Windows are cut on the grid of bars or
points, where there is one, each as late as the limits allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from attrs import evolve
from trayport_spec import Endpoint

from .contracts import ContractSpec, ContractType
from .plan import (
    BulkMarketQuery,
    BulkSequenceItemQuery,
    ParallelContractQuery,
    QueryPlan,
    alone,
    narrowed,
)
from .times import DAY, Interval, Window, months_after


def plan(query: QueryPlan) -> list[QueryPlan]:
    """The fewest requests that fetch a query, bulk ones first, earliest windows first.

    Example:
        >>> months = tuple(
        ...     ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
        ...     for item in range(244, 256)
        ... )
        >>> quarter = Window.between("2024-01-01", "2024-03-31")
        >>> len(plan(QueryPlan(endpoint="trades", contracts=months, window=quarter)))
        3
    """
    requests = shared(query)
    if query.window is not None:
        windows = cut(query.operation, query.window, query.interval)
        requests = [evolve(request, window=window) for window in windows for request in requests]
    return sorted(requests, key=lambda request: isinstance(request, ParallelContractQuery))


def cut(endpoint: Endpoint, window: Window, interval: Interval | None = None) -> Iterator[Window]:
    """The fewest windows of one request each, which tile the range.

    Where the time between two points is longer than the longest range, there is a window for each
    point, and none for the time between them.
    """
    longest = _longest(endpoint, interval)
    if longest is None:
        yield window
    elif interval is None:
        yield from _every(window, longest, longest)
    elif interval.length is None:
        yield from _months(window, longest, interval.count)
    else:
        bars = max(1, longest // interval.length)
        yield from _every(window, bars * interval.length, longest)


def _longest(endpoint: Endpoint, interval: Interval | None) -> int | None:
    """The longest range of one request, in nanoseconds."""
    unit = None if interval is None else interval.unit.value
    limits = endpoint.limits
    lengths = [r.max_days * DAY for r in limits.ranges if not r.units or unit in r.units]
    if limits.max_points is not None and interval is not None and interval.length is not None:
        lengths.append(limits.max_points * interval.length)
    return min(lengths, default=None)


def _every(window: Window, step: int, longest: int) -> Iterator[Window]:
    """Windows a step apart. Only the last one may end off the grid, so it may be longer."""
    start = window.start
    while window.end - start > longest:
        yield Window(start, start + min(step, longest))
        start += step
    if start < window.end:
        yield Window(start, window.end)


def _months(window: Window, longest: int, count: int) -> Iterator[Window]:
    """Windows that end where a month does, as late as they may."""
    edges = [window.start]
    edge = months_after(window.start, count)
    while edge < window.end:
        following = months_after(edge, count)
        if following - edges[-1] > longest:
            edges.append(edge)
        edge = following
    yield from (Window(start, end) for start, end in pairwise([*edges, window.end]))


def shared(query: QueryPlan) -> list[QueryPlan]:
    """The fewest requests for the contracts of a query, each over the whole range."""
    if isinstance(query, BulkMarketQuery):
        return [query]
    contracts = list(dict.fromkeys(query.contracts))
    endpoint = query.operation
    if not contracts:
        needed = endpoint.limits.contract in ("one", "many")
        return [] if needed else [narrowed(query, BulkMarketQuery, ())]
    match endpoint.batch.by:
        case "items":
            return _batches(query, contracts, endpoint.batch.maximum or 1)
        case "query":
            return _broad(query, contracts)
        case "none":
            return [alone(query, contract) for contract in contracts]


def _batches(query: QueryPlan, contracts: Sequence[ContractSpec], most: int) -> list[QueryPlan]:
    """Single periods of one product and sequence share requests, others do not [documented]."""
    groups: dict[tuple[object, ...], list[ContractSpec]] = {}
    for contract in contracts:
        single = contract.contract_type is ContractType.SINGLE_PERIOD
        product = (contract.market_id, contract.instrument_id, contract.sequence_id)
        groups.setdefault(product if single else (contract,), []).append(contract)
    return [
        together(query, group[start : start + most])
        for group in groups.values()
        for start in range(0, len(group), most)
    ]


def together(query: QueryPlan, contracts: Sequence[ContractSpec]) -> QueryPlan:
    """The same query about contracts that may share a request."""
    kind = ParallelContractQuery if len(contracts) == 1 else BulkSequenceItemQuery
    return narrowed(query, kind, contracts)


def _broad(query: QueryPlan, contracts: Sequence[ContractSpec]) -> list[QueryPlan]:
    """One request for all instruments together, and one for each market.

    Rows name their instrument, but their market only if the request does, so markets cannot share
    a request.
    """
    owners: dict[int | None, list[ContractSpec]] = {}
    for contract in contracts:
        owners.setdefault(contract.market_id, []).append(contract)
    return [
        alone(query, group[0])
        if len(group) == 1
        else narrowed(query, BulkMarketQuery, group, **_scope(group))
        for group in owners.values()
    ]


def _scope(contracts: Sequence[ContractSpec]) -> dict[str, int]:
    """The ids that all of the contracts share."""
    shared_ids: dict[str, int] = {}
    for name in ("market_id", "instrument_id", "sequence_id"):
        ids = {getattr(contract, name) for contract in contracts}
        if len(ids) == 1 and (only := ids.pop()) is not None:
            shared_ids[name] = only
    return shared_ids


def size_of(query: QueryPlan) -> tuple[int, int]:
    """Into how many contracts, and how many bars or points, a request could be split."""
    contracts = len(query.contracts) if isinstance(query, BulkSequenceItemQuery) else 1
    # Which items are the next tradable ones depends on where the range starts [assumed].
    if query.window is None or query.options.trading_items is not None:
        return contracts, 1
    start, end = query.window.start, query.window.end
    step = _step(query)
    if step is not None:
        return contracts, -(-(end - start) // step)
    months = 1
    while months_after(start, months) < end:
        months += 1
    return contracts, months


def _step(query: QueryPlan) -> int | None:
    """The nanoseconds from one bar or point to the next, or None for months."""
    return (query.interval or Interval(1, query.operation.limits.resolution)).length


Split: TypeAlias = Callable[["QueryPlan"], tuple["QueryPlan", ...]]
"""Makes two parts of a query, or none."""


def by_contracts(query: QueryPlan, first: int | None = None) -> tuple[QueryPlan, ...]:
    """Two requests: the first so many contracts, or half of them, and the others; or none."""
    count, _ = size_of(query)
    place = (count + 1) // 2 if first is None else first
    if not 0 < place < count:
        return ()
    return together(query, query.contracts[:place]), together(query, query.contracts[place:])


def by_time(query: QueryPlan, first: int | None = None) -> tuple[QueryPlan, ...]:
    """Two requests: the first so many bars or points, or half of them, and the rest; or none."""
    _, count = size_of(query)
    place = max(1, count // 2) if first is None else first
    if query.window is None or not 0 < place < count:
        return ()
    start, end = query.window.start, query.window.end
    step = _step(query)
    edge = months_after(start, place) if step is None else start + place * step
    return evolve(query, window=Window(start, edge)), evolve(query, window=Window(edge, end))


def ends(query: QueryPlan) -> tuple[QueryPlan, ...]:
    """The smallest parts of a query that lie farthest apart: its first, and its last."""
    contracts, points = size_of(query)
    first, *_ = by_contracts(query, 1) or (query,)
    *_, last = by_contracts(query, contracts - 1) or (query,)
    first, *_ = by_time(first, 1) or (first,)
    *_, last = by_time(last, points - 1) or (last,)
    return (first,) if first == last else (first, last)


def across(query: QueryPlan, split: Split, end: QueryPlan) -> tuple[QueryPlan, ...]:
    """The smallest parts along one axis, seen from an end: on both sides of a cut, and far away."""
    halves = split(query)
    small: list[QueryPlan] = []
    if split is by_time:
        small = [evolve(end, window=one.window) for half in halves for one in ends(half)]
    else:
        contracts = [one for half in halves for one in (half.contracts[0], half.contracts[-1])]
        small = [narrowed(end, ParallelContractQuery, [contract]) for contract in contracts]
    return tuple(one for one in dict.fromkeys(small) if one != end)
