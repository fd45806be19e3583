"""Circuit breakers: an endpoint that keeps failing is left alone, until one trial succeeds.

pybreaker counts and holds the state. It is not used around anything that is awaited: it would let
many requests through a half-open breaker, open on cancellations and close on the late success of an
old request. So admission is decided here, and pybreaker only sees the outcomes that count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from ..errors import (
    RequestContext,
    TrayportCircuitBreakerError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportServerError,
)
from ..telemetry.events import BreakerEvent, BreakerState
from ..telemetry.status import BreakerStatus

FAILURES = (TrayportConnectionError, TrayportServerError, TrayportDecodeError)
# When a trial will have its response is a guess; "now" would make callers that wait spin.
TRIAL_SECONDS = 1.0
Confirm = Callable[[], None]


class Breakers:
    """The circuit breakers of one client, one for each endpoint that was used.

    Connection errors, timeouts, statuses of 5xx and malformed responses are failures.
    Cancellations, 4xx and anything else say nothing about the health of the service and change
    nothing.

    Args:
        threshold: How many failures in a row open a breaker.
        recovery: Seconds after which an open breaker lets a trial through.
        on_change: Called after every change of state, once.
        clock: Seconds that only grow.
        now: The time of day in UTC, for what people read.
    """

    def __init__(
        self,
        *,
        threshold: int,
        recovery: float,
        on_change: Callable[[BreakerEvent], None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.threshold = threshold
        self.recovery = recovery
        self.on_change = on_change
        self.clock = clock
        self.now = now
        self._breakers: dict[str, _Breaker] = {}

    @contextmanager
    def admit(self, context: RequestContext) -> Generator[Confirm]:
        """Surrounds one attempt: admits it, and counts how it ends.

        Yields:
            A function that checks once more, after a wait in which the breaker may have opened.

        Raises:
            TrayportCircuitBreakerError: The endpoint keeps failing or is on trial. Its `retry_at`
                is never in the past; while a trial is under way, it is a second from now.
        """
        breaker = self._breakers.get(context.endpoint)
        if breaker is None:
            breaker = self._breakers[context.endpoint] = _Breaker(context.endpoint, self)
        epoch = breaker.enter(context)
        try:
            yield partial(breaker.confirm, epoch, context)
        except BaseException as error:
            breaker.leave(epoch, error)
            raise
        breaker.leave(epoch, None)

    def states(self) -> Mapping[str, BreakerStatus]:
        """The state of the breaker of each endpoint that was used."""
        # Of a copy: another thread may call while an endpoint is added.
        return {endpoint: breaker.status() for endpoint, breaker in dict(self._breakers).items()}

    def configure(self, *, threshold: int, recovery: float) -> None:
        """Sets threshold and recovery of all breakers, for those already open too.

        A breaker that has counted more failures than a lower threshold opens with the next one.
        """
        self.threshold = threshold
        self.recovery = recovery
        for breaker in list(self._breakers.values()):
            breaker.set_threshold()


class _Breaker:
    """The breaker of one endpoint.

    An epoch is the time between two changes of state. A request belongs to the one it was admitted
    in, and what becomes of it later does not count.
    """

    def __init__(self, endpoint: str, settings: Breakers) -> None:
        self._endpoint = endpoint
        self._settings = settings
        # Not at the top: where Redis is installed, pybreaker loads all of its client.
        import pybreaker

        # Its own wall clock never decides: while it is open, it is not called.
        self._outcomes = pybreaker.CircuitBreaker(throw_new_error_on_trip=False)
        self._changed_at = settings.clock()
        self._epoch = 0
        self._trial_under_way = False
        self.set_threshold()

    def set_threshold(self) -> None:
        self._outcomes.fail_max = self._settings.threshold

    @property
    def state(self) -> BreakerState:
        return BreakerState(self._outcomes.current_state)

    def status(self) -> BreakerStatus:
        state = self.state
        retry_at = self._retry_at() if state is BreakerState.OPEN else None
        return BreakerStatus(state, self._outcomes.fail_counter, retry_at)

    def enter(self, context: RequestContext) -> int:
        """Admits a request and returns its epoch, or raises."""
        state = self.state
        if state is BreakerState.CLOSED:
            return self._epoch
        if self._trial_under_way or (state is BreakerState.OPEN and self._remaining() > 0):
            raise self._refusal(context)
        self._trial_under_way = True
        if state is BreakerState.OPEN:
            self._outcomes.half_open()
            try:
                self._changed(state)
            except BaseException:
                self._trial_under_way = False
                raise
        return self._epoch

    def confirm(self, epoch: int, context: RequestContext) -> None:
        """Refuses what was admitted before the breaker opened: the trial is another request."""
        if epoch != self._epoch and self.state is not BreakerState.CLOSED:
            raise self._refusal(context)

    def leave(self, epoch: int, error: BaseException | None) -> None:
        """Counts how an admitted request ended."""
        if epoch != self._epoch:
            return
        self._trial_under_way = False
        previous = self.state
        if error is None:
            self._outcomes.call(_succeed)
        elif isinstance(error, FAILURES):
            with suppress(_ReplayedError):
                self._outcomes.call(_fail)
        if self.state is not previous:
            self._changed(previous)

    def _changed(self, previous: BreakerState) -> None:
        self._epoch += 1
        self._changed_at = self._settings.clock()
        now = self.status()
        self._settings.on_change(
            BreakerEvent(self._endpoint, previous, now.state, now.failures, now.retry_at)
        )

    def _remaining(self) -> float:
        """The seconds that an open breaker stays open."""
        return self._changed_at + self._settings.recovery - self._settings.clock()

    def _retry_at(self) -> datetime:
        # Rounded up: a caller that comes back at this time must not be a microsecond early.
        try:
            microseconds = math.ceil(max(0.0, self._remaining()) * 1e6)
            return self._settings.now() + timedelta(microseconds=microseconds)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def _refusal(self, context: RequestContext) -> TrayportCircuitBreakerError:
        message = f"the last {self._outcomes.fail_counter} requests to the endpoint failed"
        if self.state is BreakerState.HALF_OPEN:
            retry_at = self._settings.now() + timedelta(seconds=TRIAL_SECONDS)
            message += " and another one is trying it" if self._trial_under_way else ""
            suggestion = "try again when a trial has had its response"
        else:
            retry_at = self._retry_at()
            suggestion = f"try again at {retry_at:%Y-%m-%d %H:%M:%S} UTC"
        error = TrayportCircuitBreakerError(
            f"{message}, so this one was not sent", retry_at=retry_at, context=context
        )
        error.suggestion = suggestion
        return error


class _ReplayedError(Exception):
    """Stands for a failure, so that the real one keeps its traceback and its context."""


def _succeed() -> None:
    """Stands for a request that succeeded."""


def _fail() -> None:
    raise _ReplayedError
