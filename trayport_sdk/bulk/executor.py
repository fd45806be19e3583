"""Runs the requests of a plan, a few at once, and cuts every response to its window.

What fails does not stop the rest. A request that the service cannot finish is split, and so is a
batch that it refuses, until what still fails is as small as it gets.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from weakref import WeakSet

from attrs import define, evolve, frozen

from ..errors import (
    TrayportCircuitBreakerError,
    TrayportConnectionError,
    TrayportError,
    invalid,
)
from ..http.messages import ApiRequest
from ..query.plan import BulkSequenceItemQuery, QueryPlan, alone
from ..query.planner import by_contracts, by_time, together
from ..query.times import Window
from .progress import OnProgress, Progress
from .result import (
    FailedQuery,
    FetchedQuery,
    Keep,
    Outcome,
    Spool,
    concerns_every_query,
    is_refused,
    is_unfinished,
    read_response,
)

if TYPE_CHECKING:
    from ..http.messages import ApiResponse
    from ..http.session import Session
    from ..query.contracts import ContractSpec

SHORTEST_REST = 0.1
"""Seconds to wait at least before the next request to a service that is away."""

LONGEST_REST = 5.0
"""Seconds to wait for a service that is away, and does not say when it will be back."""

CORNER_SPLITS = 5
"""How often the time is halved of the small part that shows whether size is what fails."""

FAILURES_IN_A_ROW = 3
"""After so many, the time is halved again only once a small part of the query was fetched."""

MOST_SPLITS = 256
"""How often a query of the plan is split; what then still fails has failed as it is."""

# Three corners of a query that have little in common, so that one bad row is not in all of them:
# the first or the last contract, and the start or the end of the time.
_CORNERS = ((0, 0), (-1, -1), (0, -1))


@frozen
class _Later:
    """Stands for a response to a request that can be sent again after a rest."""

    seconds: float


@define
class _Splitting:
    """How the splitting of one query of the plan goes.

    Attributes:
        splits: How often it was split.
        failures_in_a_row: Requests that failed since the last response.
        has_responses: Whether any part of it was fetched.
        is_dead: Whether even small parts failed, and nothing was fetched since.
    """

    splits: int = 0
    failures_in_a_row: int = 0
    has_responses: bool = False
    is_dead: bool = False

    def note(self, outcome: Outcome) -> None:
        """Takes note of the outcome of a request."""
        if isinstance(outcome, FetchedQuery):
            self.has_responses, self.is_dead = True, False
            self.failures_in_a_row = 0
        else:
            self.failures_in_a_row += 1

    def halves(self, query: QueryPlan) -> Sequence[QueryPlan]:
        """Halves of a query that the service could not finish, if smaller queries work."""
        if not self.has_responses:
            return ()
        halves = by_contracts(query)
        return halves or (by_time(query) if self.failures_in_a_row <= FAILURES_IN_A_ROW else ())


class _Service:
    """Whether the service of a run responds, and how long to wait while it is away.

    A run waits once it has had a response. So does a run of several queries that has reached the
    service: the first failures may be due to the size of its requests.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._away_since: float | None = None
        self.responses = 0
        self.reached = False

    def note_response(self) -> None:
        """Notes that the service is there."""
        self.responses += 1
        self.reached, self._away_since = True, None

    def may_return(self) -> bool:
        """Whether to go on waiting for it."""
        if not self.reached:
            return False
        if self._away_since is None:
            self._away_since = self._clock()
        return self._clock() - self._away_since < self._seconds

    def rest(self, error: TrayportError) -> float | None:
        """The seconds after which a request that was not sent may be, or None to give it up."""
        if isinstance(error, TrayportCircuitBreakerError):
            left = (error.retry_at - datetime.now(UTC)).total_seconds()
        elif isinstance(error, TrayportConnectionError) and not error.connected:
            left = 0.0
        else:
            return None
        return max(SHORTEST_REST, left) if self.may_return() else None


class Run:
    """One run of a plan.

    Args:
        session: Sends the requests.
        plans: The requests.
        whole: Whether the rest is of no use when something is missing. Then the first failure is
            raised.
        concurrency: Requests under way at once, at most.
        ahead: Responses under way or waiting to be taken, at most.
        longest_wait: Seconds to wait for a service that is away after it was reached.
        hold: About how many bytes of the rows of a response are kept in memory, the others in a
            file; all of them when it is left out.
        lenient: Whether values that are not of their types become null.
        keep: Keeps the bodies as they come, instead of the rows.
        on_progress: Called after each response.
        on_failure: Called with each query that has failed for good.

    Attributes:
        ahead: Responses under way or waiting to be taken, at most; may change.
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
        longest_wait: float,
        hold: int | None = None,
        lenient: bool = False,
        keep: Keep | None = None,
        on_progress: OnProgress | None = None,
        on_failure: Callable[[FailedQuery], None] | None = None,
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
        self._on_failure = on_failure
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._several = len({contract for plan in plans for contract in plan.contracts}) > 1
        self._several |= len(plans) > 1
        self._refused: set[tuple[str, ContractSpec]] = set()
        self._service = _Service(longest_wait, self._clock)
        self._spools = WeakSet[Spool]()
        self._progress = Progress(0, len(plans), 0, 0, 0, 0, 0.0)

    async def outcomes(self, *, in_order: bool = False) -> AsyncGenerator[Outcome]:
        """What came of every request, as it comes or in the order of the plan.

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
            if self._hold is not None:
                # Rows that nobody takes any more, however long the error of others is kept.
                for spool in self._spools:
                    spool.close()

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.ahead:
            task = asyncio.create_task(self._settled(self._waiting.popleft()))
            # Read here: of several that fail alike, one is raised and the others are ended.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._running[task] = None

    async def _settled(self, query: QueryPlan) -> list[Outcome]:
        """Everything that comes of one query of the plan."""
        outcomes = await self._fetched(query, _Splitting())
        outcomes.sort(key=_start)
        for outcome in outcomes:
            if isinstance(outcome, FailedQuery):
                self._give_up(outcome)
        return outcomes

    async def _fetched(self, query: QueryPlan, splitting: _Splitting) -> list[Outcome]:
        """Everything that comes of a query, or of a part of one."""
        known = [c for c in query.contracts if (query.endpoint, c) in self._refused]
        if known and len(query.contracts) > 1 and isinstance(query, BulkSequenceItemQuery):
            # What was refused in one window is requested alone in the others: no batch is searched
            # for it again.
            others = [contract for contract in query.contracts if contract not in known]
            parts = [together(query, others)] if others else []
            return await self._all_of([*parts, *(alone(query, c) for c in known)], splitting)
        outcome = await self._tried(query, splitting)
        if isinstance(outcome, FetchedQuery):
            return [outcome]
        return await self._narrowed(outcome, splitting)

    async def _all_of(self, parts: Sequence[QueryPlan], splitting: _Splitting) -> list[Outcome]:
        """Everything that comes of the parts of a query."""
        self._count(requests_planned=len(parts) - 1)
        return [outcome for part in parts for outcome in await self._fetched(part, splitting)]

    async def _narrowed(self, failed: FailedQuery, splitting: _Splitting) -> list[Outcome]:
        """What the parts of a failed query bring, and the smallest ones that still fail."""
        query = failed.query
        first: list[Outcome] = []
        parts: Sequence[QueryPlan] = ()
        if splitting.splits < MOST_SPLITS:
            if is_refused(failed.error):
                parts = by_contracts(query)
            elif is_unfinished(failed.error) and not splitting.is_dead:
                parts = splitting.halves(query)
                if not parts:
                    first, parts = await self._first_part(query, splitting)
        if not parts:
            if is_refused(failed.error):
                self._refused |= {(query.endpoint, contract) for contract in query.contracts}
            if self._whole:
                self._give_up(failed)
                raise failed.error
            return [failed]
        splitting.splits += 1
        self._count(requests_planned=len(first))
        outcomes = [*first, *await self._all_of(parts, splitting)]
        if is_refused(failed.error) or any(isinstance(o, FetchedQuery) for o in outcomes):
            return outcomes
        # Both halves failed as well, so size is not the reason.
        self._count(requests_planned=1 - len(outcomes))
        return [failed]

    async def _first_part(
        self, query: QueryPlan, splitting: _Splitting
    ) -> tuple[list[Outcome], Sequence[QueryPlan]]:
        """A small part of a query that was fetched, and the rest of the query.

        Nothing when small parts fail too: then size is not the reason. While other requests of
        the run wait for the service as well, small parts are sent again and again.
        """
        before = self._service.responses
        tries = 0
        while True:
            small, *rest = _corner(query, *_CORNERS[tries % len(_CORNERS)])
            if not rest:
                return [], ()
            outcome = await self._tried(small, splitting)
            if isinstance(outcome, FetchedQuery):
                return [outcome], rest
            tries += 1
            if tries % len(_CORNERS):
                continue
            others_wait = bool(self._waiting) or len(self._running) > 1
            nothing_came = 0 < before == self._service.responses
            if not (others_wait and nothing_came and self._service.may_return()):
                splitting.is_dead = True
                return [], ()
            await asyncio.sleep(LONGEST_REST)

    async def _tried(self, query: QueryPlan, splitting: _Splitting) -> Outcome:
        """One request, which waits while its endpoint is left alone."""
        request = ApiRequest.from_query(query)

        def read(response: ApiResponse) -> Outcome | _Later:
            return read_response(
                response, query, hold=self._hold, lenient=self._lenient, keep=self._keep
            )

        def instead(error: TrayportError) -> Outcome | _Later:
            rest = self._service.rest(error)
            return FailedQuery(query, error) if rest is None else _Later(rest)

        async with self._slots:
            outcome = await self._session.fetch(request, read, instead=instead)
            while isinstance(outcome, _Later):
                await asyncio.sleep(outcome.seconds)
                outcome = await self._session.fetch(request, read, instead=instead)
        splitting.note(outcome)
        if isinstance(outcome, FetchedQuery):
            self._spools.add(outcome.rows)
            self._service.note_response()
            self._count(
                requests_done=1,
                rows=outcome.record.rows,
                bytes_decoded=outcome.record.bytes_decoded,
                bytes_received=outcome.record.bytes_received,
            )
            return outcome
        if not self._progress.requests_done and concerns_every_query(outcome.error):
            self._publish(outcome)
            raise outcome.error
        if is_refused(outcome.error) or is_unfinished(outcome.error):
            self._service.reached |= self._several
        return outcome

    def _give_up(self, failed: FailedQuery) -> None:
        self._publish(failed)
        self._count(requests_failed=1)

    def _publish(self, failed: FailedQuery) -> None:
        self._session.give_up(ApiRequest.from_query(failed.query), failed.error)
        if self._on_failure is not None:
            self._on_failure(failed)

    def _count(self, **more: int) -> None:
        so_far = {name: getattr(self._progress, name) + value for name, value in more.items()}
        seconds = self._clock() - self._started
        self._progress = evolve(self._progress, **so_far, seconds=seconds)
        if self._on_progress is not None:
            self._on_progress(self._progress)


def _start(outcome: Outcome) -> int:
    return outcome.query.window.start if outcome.query.window else 0


def _corner(query: QueryPlan, contract: int, end: int) -> Iterator[QueryPlan]:
    """A small part of a query, and what is left of it: some of the time, and other contracts."""
    others: list[QueryPlan] = []
    if isinstance(query, BulkSequenceItemQuery):
        chosen = query.contracts[contract]
        others = [together(query, [c for c in query.contracts if c != chosen])]
        query = alone(query, chosen)
    small = query
    for _ in range(CORNER_SPLITS):
        parts = by_time(small)
        if not parts:
            break
        small = parts[end]
    yield small
    if query.window is not None and small.window is not None and small != query:
        rest = (
            Window(query.window.start, small.window.start)
            if end
            else Window(small.window.end, query.window.end)
        )
        yield evolve(query, window=rest)
    yield from others


def check_callback(name: str, callback: object, takes: str) -> None:
    """Refuses what cannot be called.

    Raises:
        TrayportValidationError: It is something else than a function, or None.
    """
    if callback is not None and not callable(callback):
        raise invalid(name, callback, "cannot be called", f"give a function that takes a {takes}")
