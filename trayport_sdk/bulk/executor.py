"""Runs the requests of a plan, a few at once, and cuts every response to its window.

What fails does not stop the rest, and is split where that may help.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from weakref import WeakSet

from attrs import evolve, frozen

from ..errors import (
    TrayportCircuitBreakerError,
    TrayportConnectionError,
    TrayportError,
    invalid,
)
from ..http.messages import ApiRequest
from ..query.plan import QueryPlan
from .progress import OnProgress, Progress
from .reading import FetchedQuery, Keep, Spool, read_response
from .result import FailedQuery, Outcome, concerns_every_query, is_refused, is_unfinished
from .splitting import Splitter

if TYPE_CHECKING:
    from ..http.messages import ApiResponse
    from ..http.session import Session

SHORTEST_REST = 0.1
"""Seconds to wait at least before the next request to a service that is away."""

LONGEST_REST = 5.0
"""Seconds to wait for a service that is away, and does not say when it will be back."""


@frozen
class _Later:
    """Stands for a response to a request that can be sent again after a rest."""

    seconds: float


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
        self._splitter: Splitter | None = None
        self._came: list[QueryPlan] = []
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
        """Everything that comes of one query of the plan, in time order."""
        # Until something fails, there is nothing to split.
        outcome = await self.send(query) if self._splitter is None else None
        if isinstance(outcome, FetchedQuery):
            self._came.append(query)
            return [outcome]
        if self._splitter is None:
            self._splitter = Splitter(self, self._came)
        outcomes = await self._splitter.fetched(query, outcome)
        for outcome in outcomes:
            if isinstance(outcome, FailedQuery):
                self._give_up(outcome)
        return outcomes

    @property
    def responses(self) -> int:
        """How many requests have succeeded."""
        return self._service.responses

    async def send(self, query: QueryPlan, *, once: bool = False, keep: bool = True) -> Outcome:
        """Sends a request, which waits while its endpoint is left alone.

        Args:
            query: The query.
            once: Whether it is sent once, whatever fails.
            keep: Whether its rows are wanted.
        """
        request = ApiRequest.from_query(query)
        session = self._session.once() if once else self._session

        def read(response: ApiResponse) -> Outcome | _Later:
            return read_response(
                response,
                query,
                hold=self._hold,
                lenient=self._lenient,
                keep=self._keep if keep else None,
            )

        def instead(error: TrayportError) -> Outcome | _Later:
            rest = self._service.rest(error)
            return FailedQuery(query, error) if rest is None else _Later(rest)

        async with self._slots:
            outcome = await session.fetch(request, read, instead=instead)
            while isinstance(outcome, _Later):
                await asyncio.sleep(outcome.seconds)
                outcome = await session.fetch(request, read, instead=instead)
        if isinstance(outcome, FetchedQuery):
            self._spools.add(outcome.rows)
            self._service.note_response()
            if keep:
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

    async def rest(self, responses: int) -> bool:
        """Waits a little if the service is away and may return, and others wait for it as well.

        Args:
            responses: How many requests had succeeded when it was last known to be there.
        """
        others_wait = bool(self._waiting) or len(self._running) > 1
        nothing_came = 0 < responses == self.responses
        if not (others_wait and nothing_came and self._service.may_return()):
            return False
        await asyncio.sleep(LONGEST_REST)
        return True

    def plan_more(self, requests: int) -> None:
        """Counts requests more than planned, or fewer."""
        if requests:
            self._count(requests_planned=requests)

    def fail(self, failed: FailedQuery) -> None:
        """Raises the error of a failure, if the rest is of no use without it."""
        if self._whole:
            self._give_up(failed)
            raise failed.error

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


def check_callback(name: str, callback: object, takes: str) -> None:
    """Refuses what cannot be called.

    Raises:
        TrayportValidationError: It is something else than a function, or None.
    """
    if callback is not None and not callable(callback):
        raise invalid(name, callback, "cannot be called", f"give a function that takes a {takes}")
