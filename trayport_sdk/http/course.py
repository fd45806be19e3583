"""One call on its way: every attempt asks the breaker, pays the limiter and is told of.

The reading of the answer is part of an attempt: a body that breaks halfway, or is not what it
should be, is fetched again as a whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import (
    RequestContext,
    TrayportAPIError,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportError,
)
from ..telemetry.events import AttemptEvent, RetryEvent, ThrottleEvent, UnexpectedValuesEvent
from .haste import pause
from .messages import ApiRequest, ApiResponse, Attempt

if TYPE_CHECKING:
    from .breaker import Admission
    from .limiter import Grant
    from .limiter.queue import Priority
    from .session import Session

Read = TypeVar("Read")


class Course(Generic[Read]):
    """One call on its way, over all its attempts."""

    def __init__(
        self,
        wire: Session,
        call: ApiRequest,
        read: Callable[[ApiResponse], Read],
        context: RequestContext,
        priority: Priority,
    ) -> None:
        self._wire = wire
        self._call = call
        self._read = read
        self._context = context
        self._priority: Priority = priority
        self._policy = wire.policy
        self._queued = 0.0
        self._started = self.clock()
        self._refused = False

    def clock(self) -> float:
        """Seconds that stand still in line: a long queue leaves a call its retries."""
        return self._wire.clock() - self._queued

    async def attempt(self, number: int) -> Read:
        """Asks the breaker, pays the limiter, sends the request and reads its answer."""
        breakers = self._wire.breakers
        with breakers.admit(self._context) if breakers else nullcontext() as admission:
            grant = await self._granted()
            if admission is not None:
                self._confirm(admission, grant)
            try:
                result = await self._exchanged(number, grant)
            except TrayportAPIError as error:
                self._refused |= isinstance(error, TrayportAuthorizationError)
                if self._wire.haste.explains(self._call, error):
                    error.retryable = True
                    await self._slow_down(
                        pause(error, number, self._policy.retry.forbidden_wait), grant
                    )
                raise
        if self._wire.haste.let_in(self._call) and self._refused:
            # What was refused before is let in now, so it had only come too fast.
            await self._slow_down(0.0, grant)
        return result

    def retrying(self, number: int, wait: float, error: TrayportError) -> None:
        """Tells that the request will be sent again."""
        context = self._context
        self._wire.tell(
            RetryEvent(
                endpoint=context.endpoint,
                parameters=context.parameters,
                correlation_id=context.correlation_id,
                attempt=number,
                wait=wait,
                error=error,
            )
        )

    async def _granted(self) -> Grant | None:
        limiter = self._wire.limiter
        if limiter is None:
            return None
        grant = await limiter.acquire(self._priority, patience=self._policy.retry.budget)
        self._queued += grant.queued
        return grant

    def _confirm(self, admission: Admission, grant: Grant | None) -> None:
        """Asks the breaker again after the wait; what is not sent leaves its grant to others."""
        try:
            admission.confirm()
        except TrayportCircuitBreakerError:
            if grant is not None and self._wire.limiter is not None:
                self._wire.limiter.give_back(grant)
            raise

    async def _exchanged(self, number: int, grant: Grant | None) -> Read:
        """One request and the reading of its answer; observers hear of it in any case."""
        started = time.perf_counter()
        answer: ApiResponse | None = None

        def read(arriving: ApiResponse) -> Read:
            nonlocal answer
            answer = arriving
            return self._read(arriving)

        try:
            left = self._policy.retry.budget - (self.clock() - self._started)
            attempt = Attempt(self._context, number, self._policy.timeout, max(0.0, left))
            result = await self._wire.transport.send(self._call, attempt, read)
        except (TrayportError, asyncio.CancelledError) as error:
            failure = error if isinstance(error, TrayportError) else None
            self._tell(number, grant, time.perf_counter() - started, answer, failure)
            raise
        self._tell(number, grant, time.perf_counter() - started, answer)
        return result

    def _tell(
        self,
        number: int,
        grant: Grant | None,
        seconds: float,
        answer: ApiResponse | None,
        failure: TrayportError | None = None,
    ) -> None:
        context = self._context
        whole = answer if answer is not None and answer.seconds else None
        self._wire.tell(
            AttemptEvent(
                endpoint=context.endpoint,
                parameters=context.parameters,
                correlation_id=context.correlation_id,
                attempt=number,
                status=HTTPStatus.OK if whole else getattr(failure, "status_code", None),
                error=failure,
                queued=grant.queued if grant else 0.0,
                seconds=whole.seconds if whole else seconds,
                bytes_received=whole.bytes_received if whole else 0,
                bytes_decoded=whole.bytes_decoded if whole else 0,
            )
        )
        if whole and whole.unexpected and failure is None:
            self._wire.tell(UnexpectedValuesEvent(context.endpoint, whole.unexpected))

    async def _slow_down(self, pause: float, grant: Grant | None) -> None:
        limiter = self._wire.limiter
        if limiter is not None:
            share = await limiter.slow_down(pause, grant if self._policy.adaptive else None)
            self._wire.tell(ThrottleEvent(self._context.endpoint, pause, share))
