"""Splits what the service cannot finish or refuses, until what still fails is as small as it gets.

A failed query is halved, by contracts or by time. Where one half comes, only the other is halved
again: that finds a bad contract, a bad day and a day with very many rows, once for all batches.
Where no half comes, the smallest parts of the query are requested. If those fail too, size is not
the reason, and the query has failed as it is. Otherwise the size that works is searched, and what
is left comes in parts of that size.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, starmap
from typing import Protocol, TypeAlias

from attrs import evolve

from ..errors import TrayportDecodeError, TrayportError
from ..query.contracts import ContractSpec
from ..query.plan import BulkSequenceItemQuery, QueryPlan, alone
from ..query.planner import Split, across, by_contracts, by_time, ends, size_of, together
from ..query.times import Window
from .reading import FetchedQuery
from .result import FailedQuery, Outcome, is_refused, is_unfinished
from .sizes import Sizes

Left: TypeAlias = list[tuple[QueryPlan, Sizes]]
"""Parts of a query that are still to be fetched, the next one last, and what is known of sizes."""


MANY_FAILURES = 3
"""After so many parts in a row that failed as they are, sizes are learned anew for the rest."""

MOST_UNREADABLE = 64
"""After so many malformed responses, and no rows since the first of them, nothing is split further:
the service means something else than we do, and smaller parts of it would not change that."""


class Sender(Protocol):
    """What splitting needs of a run."""

    @property
    def responses(self) -> int:
        """How many requests have succeeded."""
        ...

    async def send(self, query: QueryPlan, *, once: bool = False, keep: bool = True) -> Outcome:
        """Sends a request.

        Args:
            query: The query.
            once: Whether it is sent once, whatever fails.
            keep: Whether its rows are wanted.
        """
        ...

    async def rest(self, responses: int) -> bool:
        """Waits a little if the service is away and may return: nothing came since so many."""
        ...

    def plan_more(self, requests: int) -> None:
        """Notes that the run takes more requests than planned, or fewer."""
        ...

    def fail(self, failed: FailedQuery) -> None:
        """Notes that a query has failed for good; raises when the rest is of no use without it."""
        ...


class Splitter:
    """Fetches the queries of a run, in parts where they have to be split.

    What is learned from one query is used for the others.

    Args:
        run: Sends the requests.
        came: Takes the queries that came as a whole; others may be added at any time.
    """

    def __init__(self, run: Sender, came: list[QueryPlan] | None = None) -> None:
        self._run = run
        self._came = [] if came is None else came
        self._sizes: defaultdict[tuple[str, str], Sizes] = defaultdict(Sizes)
        # Contracts and times that failed alone: they spoil no other batch and no longer range.
        self._bad: set[tuple[str, ContractSpec]] = set()
        self._bad_times: set[tuple[str, Window]] = set()
        # One query at a time finds out why it failed; the others of the run learn from it.
        self._searching = asyncio.Lock()
        self._responses_at_failure: int | None = None
        self._unreadable = 0

    async def fetched(self, planned: QueryPlan, failed: FailedQuery | None = None) -> list[Outcome]:
        """Everything that comes of a query of the plan, and what failed for good.

        Args:
            planned: The query.
            failed: Why it failed, if it was sent as a whole already.
        """
        for came in self._came:
            self._sizes[came.endpoint, came.kind].worked(came)
        self._came.clear()
        shared = self._sizes[planned.endpoint, planned.kind]
        outcomes: list[Outcome] = []
        left: Left = [(planned, shared)]
        failures_in_a_row = 0
        while left:
            query, sizes = left.pop()
            if failed is None and (parts := self._bad_ones_apart(query)):
                self._run.plan_more(len(parts) - 1)
                left += [(part, shared if len(part.contracts) > 1 else Sizes()) for part in parts]
                continue
            sent = (failed, ()) if failed else await self._next_part(query, sizes)
            (outcome, others), failed = sent, None
            self._run.plan_more(len(others))
            left += [(other, sizes) for other in reversed(others)]
            if isinstance(outcome, FetchedQuery):
                outcomes.append(outcome)
                failures_in_a_row = 0
                if window := outcome.query.window:
                    self._bad_times.discard((planned.endpoint, window))
                continue
            part, error = outcome.query, outcome.error
            async with self._searching:
                learned = sizes.are_limited and not sizes.cover(part)
                if self._may_be_split(error) and (learned or self._bad_ones_apart(part)):
                    left.append((part, sizes))
                    continue
                if await self._nothing_comes([part], error):
                    found: list[Outcome] = [self._failed(outcome)]
                else:
                    found = await self._narrowed(outcome, sizes, left)
                self._learn(planned, part, sizes, found)
            outcomes += found
            if found != [outcome]:
                failures_in_a_row = 0
                continue
            self._responses_at_failure = self._run.responses
            failures_in_a_row += 1
            rest = [other for other, _ in reversed(left)]
            if not self._may_be_split(error) or await self._nothing_comes(rest, error):
                # What is left would fail alike.
                outcomes += [self._failed(FailedQuery(other, error)) for other in rest]
                break
            if failures_in_a_row == MANY_FAILURES:
                # Size was not the reason, so what seemed to be too large may not have been.
                left = [(other, Sizes()) for other, _ in left]
        joined = _joined(outcomes)
        self._run.plan_more(len(joined) - len(outcomes))
        return joined

    def _bad_ones_apart(self, query: QueryPlan) -> list[QueryPlan]:
        """A batch without its bad contracts, a range without its bad times, and what is bad."""
        for endpoint, window in self._bad_times:
            if endpoint == query.endpoint and (parts := _cut_out(query, window)):
                return parts
        if not isinstance(query, BulkSequenceItemQuery):
            return []
        bad = [one for one in query.contracts if (query.endpoint, one) in self._bad]
        if not bad:
            return []
        good = [one for one in query.contracts if one not in bad]
        # Taken from the end.
        return [*(alone(query, one) for one in bad), *([together(query, good)] if good else [])]

    async def _next_part(
        self, query: QueryPlan, sizes: Sizes
    ) -> tuple[Outcome, Sequence[QueryPlan]]:
        """The next part of a query that is as large as works, and what is then left of it."""
        if not sizes.cover(sizes.cut(query)[0]) and sizes.are_limited:
            async with self._searching:
                while not sizes.cover((cut := sizes.cut(query))[0]):
                    outcome = await self._send_larger(cut[0])
                    if isinstance(outcome, FailedQuery) and is_unfinished(outcome.error):
                        sizes.failed(cut[0])
                        continue
                    if isinstance(outcome, FetchedQuery):
                        sizes.worked(cut[0])
                    return outcome, cut[1:]
        part, *others = sizes.cut(query)
        outcome = await self._send(part)
        if isinstance(outcome, FetchedQuery):
            sizes.worked(part)
        return outcome, others

    async def _narrowed(
        self,
        failed: FailedQuery,
        sizes: Sizes,
        left: Left,
        splits: Sequence[Split] = (by_contracts, by_time),
    ) -> list[Outcome]:
        """What the halves of a failed query bring, and the smallest parts that still fail.

        Where size is the reason the query goes back to what is left.
        """
        query, error = failed.query, failed.error
        responses = self._run.responses
        came: QueryPlan | None = None
        for split in splits if self._may_be_split(error) else ():
            parts = () if is_refused(error) and split is by_time else split(query)
            if not parts:
                continue
            splits = (split, *(other for other in splits if other is not split))
            halves = [await self._send_larger(part) for part in parts]
            if is_refused(error) or any(map(_is_response, halves)):
                return await self._halves_narrowed(halves, sizes, left, splits)
            if not all(map(_is_unfinished, halves)):
                break
            came = came or await self._one_that_comes([end for part in parts for end in ends(part)])
            if came is None:
                if await self._run.rest(responses):
                    return await self._narrowed(failed, sizes, left, splits)
                break
            if not all([await self._comes(part) for part in across(query, split, came)]):
                # Not even small parts come everywhere.
                return await self._halves_narrowed(halves, sizes, left, splits)
        if came is None:
            return [self._failed(failed)]
        if sizes.cover(query):
            # Others of this size came: there is more in this one.
            sizes = Sizes()
        if not sizes.are_limited:
            sizes.learn(came, query)
        left.append((query, sizes))
        return []

    async def _halves_narrowed(
        self, halves: Sequence[Outcome], sizes: Sizes, left: Left, splits: Sequence[Split]
    ) -> list[Outcome]:
        """What came of the halves of a query, and what comes of parts of those that failed."""
        self._run.plan_more(len(halves) - 1)
        found: list[Outcome] = []
        for half in halves:
            if isinstance(half, FetchedQuery):
                sizes.worked(half.query)
                found.append(half)
            else:
                found += await self._narrowed(half, sizes, left, splits)
        return found

    async def _nothing_comes(self, queries: Sequence[QueryPlan], error: TrayportError) -> bool:
        """Whether nothing has come since a query failed as a whole, and still does not."""
        if self._responses_at_failure != self._run.responses or not is_unfinished(error):
            return False
        for query in queries:
            for end in ends(query):
                if await self._comes(end, once=True):
                    return False
        return True

    async def _send_larger(self, query: QueryPlan) -> Outcome:
        """Sends what may be too large: only once, if it can be split instead."""
        return await self._send(query, once=bool(by_contracts(query) or by_time(query)))

    async def _one_that_comes(self, queries: Sequence[QueryPlan]) -> QueryPlan | None:
        for place, query in enumerate(queries):
            if await self._comes(query, once=place > 0):
                return query
        return None

    async def _comes(self, query: QueryPlan, *, once: bool = False) -> bool:
        """Whether a small part comes, which shows that the service is there."""
        return isinstance(await self._send(query, once=once, keep=False), FetchedQuery)

    def _learn(
        self, planned: QueryPlan, part: QueryPlan, sizes: Sizes, found: Sequence[Outcome]
    ) -> None:
        """Notes what the halves of a query say about contracts and about sizes."""
        failed = [one for one in found if isinstance(one, FailedQuery)]
        for query in (one.query for one in _joined(failed)):
            if query.window and query.window != part.window and query.contracts == part.contracts:
                self._bad_times.add((planned.endpoint, query.window))
        if len(planned.contracts) > 1 and (found != failed or len(part.contracts) == 1):
            self._bad |= {
                (planned.endpoint, contract)
                for one in failed
                if one.window == part.window and self._may_be_split(one.error)
                for contract in one.contracts
            }
        if found and not failed:
            sizes.learn(max((one.query for one in found), key=_area), part)

    async def _send(self, query: QueryPlan, *, once: bool = False, keep: bool = True) -> Outcome:
        outcome = await self._run.send(query, once=once, keep=keep)
        if isinstance(outcome, FailedQuery):
            self._unreadable += isinstance(outcome.error, TrayportDecodeError)
        elif self._unreadable and outcome.record.rows:
            self._unreadable = 0
        return outcome

    def _may_be_split(self, error: TrayportError) -> bool:
        if isinstance(error, TrayportDecodeError) and self._unreadable >= MOST_UNREADABLE:
            return False
        return is_refused(error) or is_unfinished(error)

    def _failed(self, failed: FailedQuery) -> FailedQuery:
        self._run.fail(failed)
        return failed


def _cut_out(query: QueryPlan, bad: Window) -> list[QueryPlan]:
    """What lies in a time, before it and after it; nothing where all does, or none of it."""
    if query.window is None:
        return []
    start, end = query.window.start, query.window.end
    edges = [start, *(edge for edge in (bad.start, bad.end) if start < edge < end), end]
    windows = list(starmap(Window, pairwise(edges)))
    return [evolve(query, window=one) for one in windows] if len(windows) > 1 else []


def _is_response(outcome: Outcome) -> bool:
    return isinstance(outcome, FetchedQuery) or is_refused(outcome.error)


def _is_unfinished(outcome: Outcome) -> bool:
    return isinstance(outcome, FailedQuery) and is_unfinished(outcome.error)


def _area(query: QueryPlan) -> int:
    contracts, points = size_of(query)
    return contracts * points


def start_of(outcome: Outcome) -> int:
    """Where the range of a request begins."""
    return outcome.query.window.start if outcome.query.window else 0


def _joined(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes in time order, with failures of the same contracts that meet as one."""
    joined: list[Outcome] = []
    places: dict[tuple[ContractSpec, ...], int] = {}
    for outcome in sorted(outcomes, key=start_of):
        window, contracts = outcome.query.window, outcome.query.contracts
        place = places.get(contracts)
        if isinstance(outcome, FailedQuery) and window is not None:
            before = None if place is None else joined[place].query.window
            if place is not None and before is not None and before.end == window.start:
                query = evolve(outcome.query, window=Window(before.start, window.end))
                joined[place] = evolve(joined[place], query=query)
                continue
            places[contracts] = len(joined)
        joined.append(outcome)
    return joined
