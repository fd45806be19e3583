"""The way of a call: retry, then breaker, then limiter, then the request itself.

Retry is outermost, so that every attempt asks the breaker and pays the limiter, and it surrounds
the reading as well: a body that breaks halfway, or is not what it should be, is fetched again as a
whole. What happens on the way is told to the observers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self, TypeVar
from uuid import uuid4

from attrs import evolve, frozen

from ..bulk.dead_letters import DeadLetter
from ..errors import RequestContext, TrayportConfigurationError, TrayportError
from ..telemetry.events import Event, FailureEvent, Observer
from .course import Course
from .haste import Haste
from .messages import ApiRequest, ApiResponse

if TYPE_CHECKING:
    from ..bulk.dead_letters import DeadLetters
    from .breaker import Breakers
    from .limiter import RequestLimiter
    from .limiter.queue import Priority
    from .retry import RetryPolicy
    from .transport import Transport

Read = TypeVar("Read")


class Fetch(Protocol):
    """Sends a call until it is answered, and reads the answer in a thread."""

    async def __call__(
        self,
        call: ApiRequest,
        read: Callable[[ApiResponse], Read],
        *,
        priority: Priority = "normal",
        instead: Callable[[TrayportError], Read | None] | None = None,
    ) -> Read: ...


class Sender(Protocol):
    """Sends calls, and is told of those that were given up."""

    @property
    def fetch(self) -> Fetch: ...

    def give_up(self, call: ApiRequest, error: TrayportError) -> None: ...


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


class Session:
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.transport = transport
        self.policy = policy
        self.limiter = limiter
        self.breakers = breakers
        self.observers = observers
        self.clock = clock
        self.dead_letters = dead_letters
        self.haste = Haste()
        self._under_way: set[asyncio.Timeout] = set()

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
        call: ApiRequest,
        read: Callable[[ApiResponse], Read],
        *,
        priority: Priority = "normal",
        instead: Callable[[TrayportError], Read | None] | None = None,
    ) -> Read:
        """Sends a call until it is answered, and reads the answer.

        Args:
            call: What to send.
            read: What to make of the answer, in a thread; a `TrayportDecodeError` that it raises
                counts as a failed attempt.
            priority: Whose turn it is when requests wait for the limiter.
            instead: Asked when the call has failed for good: what to return in its place, or None
                when there is nothing. What is returned in its place leaves no record.

        Raises:
            TrayportAPIError: The service answered with an error.
            TrayportConnectionError: No answer came, or it broke off.
            TrayportDecodeError: The answer is not what the API promises.
            TrayportCircuitBreakerError: The endpoint keeps failing, and nothing was sent.
            TrayportLimiterError: The shared store of the allowance cannot be used.
            TrayportConfigurationError: The client cannot be used here and now.
        """
        return await self._run(call, read, self.policy.priority or priority, instead)

    async def fetch_ahead(self, call: ApiRequest, read: Callable[[ApiResponse], Read]) -> Read:
        """Fetches what nobody has asked for yet: when there is time, and leaving no record."""
        return await self.without_records()._run(call, read, "low", None)

    async def _run(
        self,
        call: ApiRequest,
        read: Callable[[ApiResponse], Read],
        priority: Priority,
        instead: Callable[[TrayportError], Read | None] | None,
    ) -> Read:
        self.transport.check_usable()
        shown = {n: self.transport.redact(value) for n, value in call.shown.items()}
        context = RequestContext(call.endpoint.path, shown, uuid4().hex)
        course = Course(self, call, read, context, priority)
        try:
            async with self._while_open(context):
                return await self.policy.retry.run(
                    course.attempt, on_retry=course.retrying, clock=course.clock
                )
        except TrayportError as error:
            found = None if instead is None else instead(error)
            if found is not None:
                return found
            self.give_up(call, error)
            raise

    def give_up(self, call: ApiRequest, error: TrayportError) -> None:
        """Tells that a call has failed for good, and keeps it for a later retry."""
        self.tell(FailureEvent(call.endpoint.path, error))
        self._bury(call, error)

    @asynccontextmanager
    async def _while_open(self, context: RequestContext) -> AsyncGenerator[None]:
        """Ends what is inside as soon as the client is closed, wherever it waits."""
        scope = asyncio.timeout(None)
        self._under_way.add(scope)
        try:
            async with scope:
                yield
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise TrayportConfigurationError(
                "the client was closed while the call was under way", context=context
            ) from error
        finally:
            self._under_way.discard(scope)

    async def aclose(self) -> None:
        """Ends every call that is under way, and closes every connection."""
        now = asyncio.get_running_loop().time()
        for scope in list(self._under_way):
            scope.reschedule(now)
        await self.transport.aclose()
        if self.limiter is not None:
            self.limiter.release(self.transport)

    def tell(self, event: Event) -> None:
        """Tells every observer."""
        for observer in self.observers:
            observer(event)

    def _bury(self, call: ApiRequest, error: TrayportError) -> None:
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
