"""The way of a call: retry, then breaker, then limiter, then the request itself.

Retry is outermost, so that every attempt asks the breaker and pays the limiter, and it surrounds
the reading as well: a body that breaks halfway, or is not what it should be, is fetched again as a
whole. What happens on the way is told to the observers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar
from uuid import uuid4

from attrs import evolve, frozen

from ..errors import (
    RequestContext,
    TrayportAPIError,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportConfigurationError,
    TrayportError,
)
from .calls import Answer, Attempt, Call
from .dead_letters import DeadLetter
from .events import AttemptEvent, Event, FailureEvent, Observer, RetryEvent, ThrottleEvent
from .haste import Haste, pause

if TYPE_CHECKING:
    from .breaker import Breakers
    from .dead_letters import DeadLetters
    from .limiter import Grant, RequestLimiter
    from .line import Priority
    from .retry import RetryPolicy
    from .transport import Transport

Read = TypeVar("Read")


class Fetch(Protocol):
    """Sends a call until it is answered, and reads the answer in a thread."""

    async def __call__(
        self,
        call: Call,
        read: Callable[[Answer], Read],
        *,
        priority: Priority = "normal",
        instead: Callable[[TrayportCircuitBreakerError], Read | None] | None = None,
    ) -> Read: ...


@frozen
class Policy:
    """What may change while running, or by `with_options`.

    Attributes:
        timeout: Seconds to wait for the next part of an answer.
        retry: When a failed request is sent again.
        adaptive: Whether an answer that means "too fast" halves the rate, besides the pause.
        priority: Whose turn it is when requests wait; None leaves it to each method.
    """

    timeout: float
    retry: RetryPolicy
    adaptive: bool = True
    priority: Priority | None = None


class Wire:
    """Everything between a planned request and its decoded answer.

    Attributes:
        policy: What is in force; may be replaced at any time.
        observers: Who is told what happens.
        dead_letters: Where calls are kept that failed for good, or None.
    """

    def __init__(
        self,
        transport: Transport,
        policy: Policy,
        *,
        limiter: RequestLimiter | None = None,
        breakers: Breakers | None = None,
        dead_letters: DeadLetters | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.transport = transport
        self.policy = policy
        self.limiter = limiter
        self.breakers = breakers
        self.observers = observers
        self.dead_letters = dead_letters
        self.haste = Haste()

    def with_policy(self, policy: Policy) -> Self:
        """The same wire, with another policy: all the rest is shared."""
        other = copy(self)
        other.policy = policy
        return other

    def without_records(self) -> Self:
        """The same wire, which keeps no dead letters."""
        other = copy(self)
        other.dead_letters = None
        return other

    async def fetch(
        self,
        call: Call,
        read: Callable[[Answer], Read],
        *,
        priority: Priority = "normal",
        instead: Callable[[TrayportCircuitBreakerError], Read | None] | None = None,
    ) -> Read:
        """Sends a call until it is answered, and reads the answer.

        Args:
            call: What to send.
            read: What to make of the answer, in a thread; a `TrayportDecodeError` that it raises
                counts as a failed attempt.
            priority: Whose turn it is when requests wait for the limiter.
            instead: What to return when the endpoint is left alone; None when there is nothing.

        Raises:
            TrayportAPIError: The service answered with an error.
            TrayportConnectionError: No answer came, or it broke off.
            TrayportDecodeError: The answer is not what the API promises.
            TrayportCircuitBreakerError: The endpoint keeps failing, and nothing was sent.
            TrayportLimiterError: The shared store of the allowance cannot be used.
            TrayportConfigurationError: The client cannot be used here and now.
        """
        self.transport.check_usable()
        shown = {n: self.transport.redact(value) for n, value in call.shown.items()}
        context = RequestContext(call.endpoint.path, shown, uuid4().hex)
        course = _Course(self, call, read, context, self.policy.priority or priority)
        try:
            return await self.policy.retry.run(
                course.attempt, on_retry=course.retrying, clock=course.clock
            )
        except TrayportError as error:
            if isinstance(error, TrayportCircuitBreakerError) and instead is not None:
                found = instead(error)
                if found is not None:
                    return found
            self.tell(FailureEvent(context.endpoint, error))
            self._bury(call, error)
            raise

    def tell(self, event: Event) -> None:
        """Tells every observer."""
        for observer in self.observers:
            observer(event)

    def _bury(self, call: Call, error: TrayportError) -> None:
        """Keeps a call that failed for good, unless the client is what cannot work."""
        if self.dead_letters is None or isinstance(error, TrayportConfigurationError):
            return
        try:
            # As messages show it: a key that was mistaken for a value is not written down.
            shown = evolve(call, parameters=self._redacted(call.parameters))
            self.dead_letters.add(DeadLetter.from_call(shown, error, failed_at=datetime.now(UTC)))
        except (TrayportError, OSError) as unwritten:
            # The failure of the call says more than that of its record.
            error.add_note(f"It could not be kept for a later retry: {unwritten}")

    def _redacted(
        self, parameters: Mapping[str, str | tuple[str, ...]]
    ) -> dict[str, str | tuple[str, ...]]:
        redact = self.transport.redact
        return {
            name: redact(value) if isinstance(value, str) else tuple(map(redact, value))
            for name, value in parameters.items()
        }


class _Course(Generic[Read]):
    """One call on its way, over all its attempts."""

    def __init__(
        self,
        wire: Wire,
        call: Call,
        read: Callable[[Answer], Read],
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
        self._refused = False

    def clock(self) -> float:
        """Seconds that stand still in line: a long queue leaves a call its retries."""
        return time.monotonic() - self._queued

    async def attempt(self, number: int) -> Read:
        """Asks the breaker, pays the limiter, sends the request and reads its answer."""
        breakers = self._wire.breakers
        with breakers.admit(self._context) if breakers else nullcontext() as admission:
            grant = await self._granted()
            if admission is not None:
                admission.confirm()
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
        if self._wire.limiter is None:
            return None
        grant = await self._wire.limiter.acquire(self._priority)
        self._queued += grant.queued
        return grant

    async def _exchanged(self, number: int, grant: Grant | None) -> Read:
        """One request and the reading of its answer; observers hear of it in any case."""
        started = time.perf_counter()
        answer: Answer | None = None
        try:
            attempt = Attempt(self._context, number, self._policy.timeout)
            answer = await self._wire.transport.send(self._call, attempt)
            # Decoding is work for a processor; in a thread, other answers go on arriving.
            result = await asyncio.to_thread(self._read, answer)
        except (TrayportError, asyncio.CancelledError) as error:
            failure = error if isinstance(error, TrayportError) else None
            self._tell(number, grant, time.perf_counter() - started, answer, failure)
            raise
        self._tell(number, grant, answer.seconds, answer)
        return result

    def _tell(
        self,
        number: int,
        grant: Grant | None,
        seconds: float,
        answer: Answer | None,
        failure: TrayportError | None = None,
    ) -> None:
        context = self._context
        self._wire.tell(
            AttemptEvent(
                endpoint=context.endpoint,
                parameters=context.parameters,
                correlation_id=context.correlation_id,
                attempt=number,
                status=HTTPStatus.OK if answer else getattr(failure, "status_code", None),
                error=failure,
                queued=grant.queued if grant else 0.0,
                seconds=answer.seconds if answer else seconds,
                bytes_received=answer.bytes_received if answer else 0,
                bytes_decoded=len(answer.body) if answer else 0,
            )
        )

    async def _slow_down(self, pause: float, grant: Grant | None) -> None:
        limiter = self._wire.limiter
        if limiter is not None:
            share = await limiter.slow_down(pause, grant if self._policy.adaptive else None)
            self._wire.tell(ThrottleEvent(self._context.endpoint, pause, share))
