"""The way of a call: retry, then breaker, then limiter, then the request itself.

Retry is outermost, so that every attempt asks the breaker and pays the limiter, and it surrounds
the reading as well: a body that breaks halfway, or is not what it should be, is fetched again as a
whole. What happens on the way is told to the observers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import copy
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, Self, TypeVar
from uuid import uuid4

from attrs import frozen

from ..errors import (
    RequestContext,
    TrayportAPIError,
    TrayportAuthorizationError,
    TrayportConfigurationError,
    TrayportError,
    TrayportRateLimitError,
)
from .calls import Answer, Attempt, Call
from .dead_letters import DeadLetter
from .events import AttemptEvent, Event, FailureEvent, Observer, RetryEvent, ThrottleEvent

if TYPE_CHECKING:
    from .breaker import Breakers
    from .dead_letters import DeadLetters
    from .limiter import Grant, RequestLimiter
    from .line import Priority
    from .retry import RetryPolicy
    from .transport import Transport

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
HASTE = ("too many", "too fast", "rate limit", "rate exceeded", "throttl", "quota")
PRODUCT = ("marketId", "instrumentId", "sequenceId")

Read = TypeVar("Read")


class Fetch(Protocol):
    """Sends a call until it is answered, and reads the answer in a thread."""

    async def __call__(
        self, call: Call, read: Callable[[Answer], Read], *, priority: Priority = "normal"
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
        self._let_in: set[tuple[str, str]] = set()

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
        self, call: Call, read: Callable[[Answer], Read], *, priority: Priority = "normal"
    ) -> Read:
        """Sends a call until it is answered, and reads the answer.

        Args:
            call: What to send.
            read: What to make of the answer, in a thread; a `TrayportDecodeError` that it raises
                counts as a failed attempt.
            priority: Whose turn it is when requests wait for the limiter.

        Raises:
            TrayportAPIError: The service answered with an error.
            TrayportConnectionError: No answer came, or it broke off.
            TrayportDecodeError: The answer is not what the API promises.
            TrayportCircuitBreakerError: The endpoint keeps failing, and nothing was sent.
            TrayportConfigurationError: The client cannot be used here and now.
        """
        self.transport.check_usable()
        shown = {name: self.transport.redact(value) for name, value in call.shown.items()}
        context = RequestContext(call.endpoint.path, shown, uuid4().hex)
        refused = False
        queued = 0.0

        async def attempt(number: int) -> Read:
            nonlocal refused, queued
            with self.breakers.admit(context) if self.breakers else nullcontext() as admission:
                grant = await self._granted(priority)
                if grant is not None:
                    queued += grant.queued
                if admission is not None:
                    admission.confirm()
                try:
                    result = await self._attempt(call, read, context, number, grant)
                except TrayportAPIError as error:
                    refused |= isinstance(error, TrayportAuthorizationError)
                    if self._is_haste(call, error):
                        await self._slow_down(context, self._pause(error, number), grant)
                    raise
            if refused and _origin(call) not in self._let_in:
                # What was refused before is let in now, so it had only come too fast.
                await self._slow_down(context, 0.0, grant)
            self._let_in.add(_origin(call))
            return result

        def retrying(number: int, wait: float, error: TrayportError) -> None:
            self.tell(
                RetryEvent(
                    context.endpoint,
                    context.parameters,
                    context.correlation_id,
                    number,
                    wait,
                    error,
                )
            )

        try:
            # The time in line is not the call's: a long queue leaves it its retries.
            return await self.policy.retry.run(
                attempt, on_retry=retrying, clock=lambda: time.monotonic() - queued
            )
        except TrayportError as error:
            self.tell(FailureEvent(context.endpoint, error))
            self._bury(call, error)
            raise

    def tell(self, event: Event) -> None:
        """Tells every observer."""
        for observer in self.observers:
            observer(event)

    async def _granted(self, priority: Priority) -> Grant | None:
        if self.limiter is None:
            return None
        return await self.limiter.acquire(self.policy.priority or priority)

    async def _attempt(
        self,
        call: Call,
        read: Callable[[Answer], Read],
        context: RequestContext,
        number: int,
        grant: Grant | None,
    ) -> Read:
        """One request and the reading of its answer; observers hear of it in any case."""
        started = time.perf_counter()
        answer: Answer | None = None
        failure: TrayportError | None = None
        try:
            answer = await self.transport.send(call, Attempt(context, number, self.policy.timeout))
            # Decoding is work for a processor; in a thread, other answers go on arriving.
            return await asyncio.to_thread(read, answer)
        except TrayportError as error:
            failure = error
            raise
        finally:
            status = HTTPStatus.OK if answer else getattr(failure, "status_code", None)
            self.tell(
                AttemptEvent(
                    endpoint=context.endpoint,
                    parameters=context.parameters,
                    correlation_id=context.correlation_id,
                    attempt=number,
                    status=status,
                    error=failure,
                    queued=grant.queued if grant else 0.0,
                    seconds=answer.seconds if answer else time.perf_counter() - started,
                    bytes_received=answer.bytes_received if answer else 0,
                    bytes_decoded=len(answer.body) if answer else 0,
                )
            )

    def _is_haste(self, call: Call, error: TrayportAPIError) -> bool:
        """Whether an answer means that the key is too fast.

        The live service says 403 to the hasty as well as to those without the right [observed]. It
        means haste if it says so, or if it comes from where this key was let in before.
        """
        if isinstance(error, TrayportRateLimitError):
            return True
        if not isinstance(error, TrayportAuthorizationError):
            return False
        said = error.body.lower()
        return (
            error.retry_after is not None
            or any(word in said for word in HASTE)
            or _origin(call) in self._let_in
        )

    def _pause(self, error: TrayportAPIError, number: int) -> float:
        if error.retry_after is not None:
            return error.retry_after
        forbidden = isinstance(error, TrayportAuthorizationError)
        first = self.policy.retry.forbidden_wait if forbidden else FIRST_PAUSE
        return min(LONGEST_PAUSE, first * 2.0 ** (number - 1))

    async def _slow_down(self, context: RequestContext, pause: float, grant: Grant | None) -> None:
        if self.limiter is not None:
            share = await self.limiter.slow_down(pause, grant if self.policy.adaptive else None)
            self.tell(ThrottleEvent(context.endpoint, pause, share))

    def _bury(self, call: Call, error: TrayportError) -> None:
        """Keeps a call that failed for good, unless it could never have been sent."""
        if self.dead_letters is None or isinstance(error, TrayportConfigurationError):
            return
        try:
            self.dead_letters.add(DeadLetter.from_call(call, error, failed_at=datetime.now(UTC)))
        except (TrayportError, OSError) as unwritten:
            # The failure of the call says more than that of its record.
            error.add_note(f"It could not be kept for a later retry: {unwritten}")


def _origin(call: Call) -> tuple[str, str]:
    """The operation and the product that a call asks for: what a key has rights to."""
    product = [f"{name}={call.parameters[name]}" for name in PRODUCT if name in call.parameters]
    return call.endpoint.operation_id, " ".join(product)
