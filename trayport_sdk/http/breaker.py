"""Stops asking an endpoint that keeps failing, and finds out with one request when it works again.

pybreaker counts and holds the state. It cannot be trusted with anything that is awaited: it would
let a crowd through a half-open breaker, open on cancellations and close on the late success of an
old call. So admission is decided here, and pybreaker only gets to see the outcomes that count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

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
# When a trial will have been answered is a guess; "now" would make patient callers spin.
TRIAL_SECONDS = 1.0


class Breakers:
    """The circuit breakers of one client, one for each endpoint that was asked.

    Connection errors, timeouts, statuses of 5xx and malformed answers are failures. Cancellations,
    4xx and anything else say nothing about the health of the service and change nothing.

    Args:
        threshold: How many failures in a row open a breaker.
        recovery: Seconds after which an open breaker lets a trial through.
        on_change: Told of every change of state, once, after it has happened.
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
        self._threshold = threshold
        self._recovery = recovery
        self._on_change = on_change
        self._clock = clock
        self._now = now
        self._breakers: dict[str, _Breaker] = {}

    def admit(self, context: RequestContext) -> Admission:
        """Surrounds one attempt: asks before it and learns from how it ends.

        Raises:
            TrayportCircuitBreakerError: On entering, when the endpoint keeps failing or is being
                tried. Its `retry_at` is never in the past; while a trial is under way, it is a
                second from now.
        """
        breaker = self._breakers.get(context.endpoint)
        if breaker is None:
            breaker = _Breaker(context.endpoint, self._on_change, self._clock, self._now)
            breaker.configure(self._threshold, self._recovery)
            self._breakers[context.endpoint] = breaker
        return Admission(breaker, context)

    def states(self) -> Mapping[str, BreakerStatus]:
        """What the breaker of each endpoint that was asked is doing."""
        # Of a copy: it may be asked from another thread while an endpoint is added.
        return {endpoint: breaker.status() for endpoint, breaker in dict(self._breakers).items()}

    def configure(self, *, threshold: int, recovery: float) -> None:
        """Sets threshold and recovery of all breakers, for those already open too.

        A breaker that has counted more failures than a lower threshold opens with the next one.
        """
        self._threshold = threshold
        self._recovery = recovery
        for breaker in list(self._breakers.values()):
            breaker.configure(threshold, recovery)


class Admission:
    """One attempt under the eyes of a breaker."""

    __slots__ = ("_breaker", "_context", "_epoch")

    def __init__(self, breaker: _Breaker, context: RequestContext) -> None:
        self._breaker = breaker
        self._context = context
        self._epoch = 0

    def __enter__(self) -> Self:
        self._epoch = self._breaker.enter(self._context)
        return self

    def confirm(self) -> None:
        """Asks once more, after a wait in which the breaker may have opened.

        Raises:
            TrayportCircuitBreakerError: It has opened since, and has not closed again.
        """
        self._breaker.confirm(self._epoch, self._context)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._breaker.leave(self._epoch, error)


class _Breaker:
    """The breaker of one endpoint.

    An epoch is the time between two changes of state. A call belongs to the one it was admitted in,
    and what becomes of it later counts no more.
    """

    def __init__(
        self,
        endpoint: str,
        on_change: Callable[[BreakerEvent], None],
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._endpoint = endpoint
        self._on_change = on_change
        self._clock = clock
        self._now = now
        # Not at the top: where Redis is installed, pybreaker loads all of its client.
        import pybreaker

        # Its own wall clock never decides: while it is open, it is not called.
        self._outcomes = pybreaker.CircuitBreaker(throw_new_error_on_trip=False)
        self._recovery = 0.0
        self._changed_at = clock()
        self._epoch = 0
        self._trial_under_way = False

    @property
    def state(self) -> BreakerState:
        return BreakerState(self._outcomes.current_state)

    def configure(self, threshold: int, recovery: float) -> None:
        self._outcomes.fail_max = threshold
        self._recovery = recovery

    def status(self) -> BreakerStatus:
        state = self.state
        retry_at = self._retry_at() if state is BreakerState.OPEN else None
        return BreakerStatus(state, self._outcomes.fail_counter, retry_at)

    def enter(self, context: RequestContext) -> int:
        """Admits a call and returns its epoch, or raises."""
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
        """Refuses a call that was admitted before the breaker opened: the trial is another one."""
        if epoch != self._epoch and self.state is not BreakerState.CLOSED:
            raise self._refusal(context)

    def leave(self, epoch: int, error: BaseException | None) -> None:
        """Learns how an admitted call ended."""
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
        self._changed_at = self._clock()
        now = self.status()
        self._on_change(
            BreakerEvent(
                endpoint=self._endpoint,
                previous=previous,
                state=now.state,
                failures=now.failures,
                retry_at=now.retry_at,
            )
        )

    def _remaining(self) -> float:
        """The seconds that an open breaker stays open."""
        return self._changed_at + self._recovery - self._clock()

    def _retry_at(self) -> datetime:
        # Rounded up: whoever comes back at this time must not be a microsecond early.
        try:
            microseconds = math.ceil(max(0.0, self._remaining()) * 1e6)
            return self._now() + timedelta(microseconds=microseconds)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def _refusal(self, context: RequestContext) -> TrayportCircuitBreakerError:
        message = f"the last {self._outcomes.fail_counter} requests to the endpoint failed"
        if self.state is BreakerState.HALF_OPEN:
            retry_at = self._now() + timedelta(seconds=TRIAL_SECONDS)
            if self._trial_under_way:
                message += " and another one is trying it"
            suggestion = "try again when a trial has been answered"
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
    """Stands for a call that succeeded."""


def _fail() -> None:
    raise _ReplayedError
