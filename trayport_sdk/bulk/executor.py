"""Runs the requests of a plan, a few at once, and cuts every answer to its window.

What fails does not stop the rest. A request that the service cannot finish is split, and so is a
batch that it refuses, until what still fails is as small as it gets.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ..errors import TrayportError, TrayportValidationError
from ..http.requests import call_of
from ..query.plan import BulkSequenceItemQuery, QueryPlan, alone
from ..query.planner import Split, by_contracts, by_time, far_end, together
from .patience import Patience
from .progress import OnProgress, Progress
from .result import (
    AnsweredQuery,
    FailedQuery,
    Keep,
    Outcome,
    concerns_every_query,
    is_refused,
    is_unfinished,
    read_response,
)

if TYPE_CHECKING:
    from ..http.messages import ApiResponse
    from ..http.session import Session
    from ..query.contracts import ContractSpec

LONGEST_REST = 5.0
"""Seconds to wait for a service that is away, and says nothing of when it will be back."""

FRUITLESS_SPLITS = 5
"""How often the time is halved of a small request that shows whether size is what fails."""

MOST_SPLITS = 256
"""How often a query of the plan is split; what then still fails has failed as it is."""

# Three places of a query that have little in common, so that one bad row is not in all of them.
_ENDS = ((0, 0), (-1, -1), (0, -1))


@frozen
class _Later:
    """Stands for an answer that can be asked for again after a rest."""

    seconds: float


class Run:
    """One run of a plan.

    Args:
        session: Sends the requests.
        plans: What to ask for.
        whole: Whether the rest is of no use when something is missing. Then the first failure is
            raised.
        concurrency: Requests under way at once, at most.
        ahead: Answers under way or waiting for whoever takes them, at most.
        patience: Seconds to wait for a service that is away after it was reached.
        hold: About how many bytes of the rows of an answer are kept in memory, the others in a
            file; all of them when it is left out.
        lenient: Whether values that are not of their types become null.
        keep: Keeps the bodies as they come, instead of the rows.
        on_progress: Told after every answer.

    Attributes:
        ahead: Answers under way or waiting for whoever takes them, at most; may change on the way.
        concurrency: Requests under way at once, at most.
    """

    def __init__(
        self,
        session: Session,
        plans: Sequence[QueryPlan],
        *,
        whole: bool = False,
        concurrency: int,
        ahead: int,
        patience: float,
        hold: int | None = None,
        lenient: bool = False,
        keep: Keep | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        check_callback("on_progress", on_progress, "Progress")
        self._session = session
        self._whole = whole
        self._hold = hold
        self._lenient = lenient
        self._keep = keep
        self._waiting = deque(plans)
        self._running: dict[asyncio.Task[list[Outcome]], None] = {}
        self.concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self.ahead = ahead
        self._on_progress = on_progress
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._several = len({contract for plan in plans for contract in plan.contracts}) > 1
        self._several |= len(plans) > 1
        self._answered: QueryPlan | None = None
        self._refused: set[tuple[str, ContractSpec]] = set()
        self._patience = Patience(patience, self._clock)
        self._progress = Progress(0, len(plans), 0, 0, 0, 0, 0.0)

    async def outcomes(self, *, in_order: bool = False) -> AsyncGenerator[Outcome]:
        """What every request brought or why it failed, as it comes or in the order of the plan.

        While the caller works on one, the next ones are fetched; closing it ends them all.
        """
        try:
            self._fill()
            while self._running:
                first = next(iter(self._running))
                when = asyncio.ALL_COMPLETED if in_order else asyncio.FIRST_COMPLETED
                awaited = [first] if in_order else list(self._running)
                done, _ = await asyncio.wait(awaited, return_when=when)
                task = next(task for task in self._running if task in done)
                del self._running[task]
                self._fill()
                for outcome in task.result():
                    yield outcome
        finally:
            for task in self._running:
                task.cancel()
            if self._running:
                # Not gathered: a second cancellation would disturb those that are just ending.
                await asyncio.wait(self._running)

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.ahead:
            query = self._waiting.popleft()
            task = asyncio.create_task(self._settled(query))
            # Read here: of several that fail alike, one is told of and the others are ended.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._running[task] = None

    async def _settled(self, query: QueryPlan) -> list[Outcome]:
        """Everything that comes of one query of the plan."""
        return await self._brought(query, count(1))

    async def _brought(
        self, query: QueryPlan, splits: Iterator[int], split: Split | None = None
    ) -> list[Outcome]:
        """Everything that comes of a query, or of a part of one."""
        refused = {c for c in query.contracts if (query.endpoint, c) in self._refused}
        if refused and len(query.contracts) > 1 and isinstance(query, BulkSequenceItemQuery):
            # What was refused in one window is asked for alone in the others: no batch is searched
            # for it again.
            others = [contract for contract in query.contracts if contract not in refused]
            parts = [alone(query, contract) for contract in query.contracts if contract in refused]
            found: list[Outcome] = []
            self._count(requests_planned=len(parts) - (not others))
            for part in [*([together(query, others)] if others else []), *parts]:
                found += await self._brought(part, splits, split)
            return found
        one = await self._tried(query)
        return [one] if isinstance(one, AnsweredQuery) else await self._narrowed(one, splits, split)

    def _given_up(self, failed: FailedQuery) -> list[Outcome]:
        if is_refused(failed.error):
            self._refused |= {(failed.query.endpoint, one) for one in failed.contracts}
        self._session.give_up(call_of(failed.query), failed.error)
        self._count(requests_failed=1)
        if self._whole:
            raise failed.error
        return [failed]

    async def _narrowed(
        self, failed: FailedQuery, splits: Iterator[int], split: Split | None = None
    ) -> list[Outcome]:
        """What the parts of a failed query bring, and the smallest ones that still fail.

        Args:
            failed: The query, and why it failed.
            splits: Counts how often the query of the plan that it is a part of was split.
            split: What has helped with the other part of a larger query.
        """
        query = failed.query
        if is_refused(failed.error):
            split = by_contracts
        elif not is_unfinished(failed.error):
            split = None
        elif split is None or not split(query):
            split = await self._split_that_helps(query)
        parts = split(query) if split else ()
        if not parts or next(splits) > MOST_SPLITS:
            return self._given_up(failed)
        self._count(requests_planned=len(parts) - 1)
        outcomes: list[Outcome] = []
        for part in parts:
            helped = split if any(isinstance(one, AnsweredQuery) for one in outcomes) else None
            outcomes += await self._brought(part, splits, helped)
        return outcomes

    async def _split_that_helps(self, query: QueryPlan) -> Split | None:
        """How to make a query smaller that the service could not finish.

        None when small parts of it are not answered either: then its size was not the reason. What
        they bring is thrown away: they are asked for as signs of life.
        """
        # Twice, because the service may have gone away between a sign of life and the rest.
        for _ in range(2 if self._answered else 1):
            if not await self._is_back():
                return None
            for end in _ENDS:
                one = far_end(query, by_contracts, end)
                small = far_end(one, by_time, end, FRUITLESS_SPLITS)
                if small == query:
                    return None
                if isinstance(await self._asked(small), FailedQuery):
                    continue
                if one == query:
                    return by_time
                enough = one == small or isinstance(await self._asked(one), AnsweredQuery)
                return by_contracts if enough else by_time
        return None

    async def _is_back(self) -> bool:
        """Waits until the service answers what it has answered before, if there is such a thing."""
        if self._answered is None:
            return True
        sign = far_end(self._answered, by_contracts, _ENDS[0])
        sign = far_end(sign, by_time, _ENDS[0], FRUITLESS_SPLITS)
        while isinstance(outcome := await self._asked(sign), FailedQuery):
            if not (is_unfinished(outcome.error) and self._patience.lasts()):
                return False
            await asyncio.sleep(LONGEST_REST)
        return True

    async def _tried(self, query: QueryPlan) -> Outcome:
        """One request of the plan: its rows, or why it failed."""
        found = await self._asked(query)
        if isinstance(found, AnsweredQuery):
            self._count(
                requests_done=1,
                rows=found.record.rows,
                bytes_decoded=found.record.bytes_decoded,
                bytes_received=found.record.bytes_received,
            )
        return found

    async def _asked(self, query: QueryPlan) -> Outcome:
        """One request, which waits while its endpoint cannot be asked."""
        call = call_of(query)

        def read(answer: ApiResponse) -> Outcome | _Later:
            return read_response(
                answer, query, hold=self._hold, lenient=self._lenient, keep=self._keep
            )

        def instead(error: TrayportError) -> Outcome | _Later:
            rest = self._patience.rest(error)
            return FailedQuery(query, error) if rest is None else _Later(rest)

        async with self._slots:
            found = await self._session.fetch(call, read, instead=instead)
            while isinstance(found, _Later):
                await asyncio.sleep(found.seconds)
                found = await self._session.fetch(call, read, instead=instead)
        if isinstance(found, AnsweredQuery):
            self._answered = query
            self._patience.answered()
            return found
        if not self._progress.requests_done and concerns_every_query(found.error):
            self._session.give_up(call, found.error)
            raise found.error
        if is_refused(found.error) or is_unfinished(found.error):
            self._patience.reached |= self._several
        return found

    def _count(self, **more: int) -> None:
        so_far = {name: getattr(self._progress, name) + value for name, value in more.items()}
        seconds = self._clock() - self._started
        self._progress = evolve(self._progress, **so_far, seconds=seconds)
        if self._on_progress is not None:
            self._on_progress(self._progress)


def check_callback(name: str, callback: object, takes: str) -> None:
    """Refuses what cannot be called.

    Raises:
        TrayportValidationError: It is something else than a function, or None.
    """
    if callback is not None and not callable(callback):
        raise TrayportValidationError(
            f"{name} {callback!r} cannot be called",
            parameter=name,
            suggestion=f"give a function that takes a {takes}",
        )
