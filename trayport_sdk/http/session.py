"""The door of the room: sends a request until there is a response, and has that read.

Retry is outermost, so that every attempt passes the circuit breaker and waits for the limiter. The
reading of the response is part of an attempt: a body that breaks off, or is not what the API
promises, is fetched again as a whole. Observers receive an event for each step.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, nullcontext
from copy import copy
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from uuid import uuid4
from weakref import WeakKeyDictionary

import httpx
from attrs import evolve, frozen
from pydantic import SecretStr
from trayport_spec import REQUEST_LIMITS

from ..errors import (
    MAX_DEPTH,
    RequestContext,
    TrayportAPIError,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportConfigurationError,
    TrayportError,
)
from ..telemetry.events import (
    AttemptEvent,
    Event,
    FailureEvent,
    Observer,
    RetryEvent,
    ThrottleEvent,
    UnexpectedValuesEvent,
)
from ..telemetry.logging import LOGGER, Log, configure
from ..telemetry.metrics import MetricsCollector
from ..telemetry.processes import was_forked
from .breaker import Breakers
from .hooks import EventHook, Hooks
from .inprocess import InProcessTransport
from .limiter import Limits, RequestLimiter, limiter_for
from .messages import ApiRequest, ApiResponse, free_texts
from .retry import RetryPolicy
from .status_errors import is_rate_limited, pause_after
from .transport import Transport

if TYPE_CHECKING:
    from ..settings import Settings
    from .breaker import Confirm
    from .limiter import Grant, Priority

Read = TypeVar("Read")

# What a session is made of, and cannot change while it is in use.
FIXED = (
    "api_key", "analytics_url", "reference_url", "http2", "max_connections", "keepalive",
    "limiter_store", "limiter_fallback", "dead_letter_file", "circuit_breakers", "cache",
    "cache_dir", "products_ttl", "sequences_ttl", "items_ttl", "metrics", "opentelemetry",
)  # fmt: skip
CLOSE_SECONDS = 5.0
"""How long another event loop, which runs, may take to close what belongs to it."""

PORTS = {"http": 80, "https": 443}
# The parameters that name a product: a key has rights to an operation for a product.
PRODUCT = ("marketId", "instrumentId", "sequenceId")


@frozen
class Policy:
    """What may change while running, or by `with_options`.

    Attributes:
        timeout: Seconds to wait for the next part of a response.
        retry: When a failed request is sent again.
        max_decoded_bytes: How large a response may be without compression, unless it is streamed.
        max_depth: How deeply its JSON may be nested.
        adaptive: Whether a response that means "too fast" halves the rate, besides the pause.
        priority: Which request goes first when several wait; None leaves it to each method.
    """

    timeout: float
    retry: RetryPolicy
    max_decoded_bytes: int | None = None
    max_depth: int = MAX_DEPTH
    adaptive: bool = True
    priority: Priority | None = None

    @classmethod
    def from_settings(cls, settings: Settings, priority: Priority | None = None) -> Self:
        """What settings say about single requests."""
        retry = RetryPolicy(
            retries=settings.max_retries,
            base=settings.retry_base,
            cap=settings.retry_cap,
            budget=settings.retry_budget,
            forbidden_retries=settings.forbidden_retries,
            forbidden_wait=settings.forbidden_wait,
        )
        return cls(
            timeout=settings.timeout,
            retry=retry,
            max_decoded_bytes=settings.max_decoded_bytes,
            max_depth=settings.max_depth,
            adaptive=settings.adaptive_throttling,
            priority=priority,
        )


def limits_of(settings: Settings) -> Limits:
    """The allowance that settings ask for."""
    return Limits(
        settings.requests_per_second,
        settings.requests_per_minute,
        evenly=settings.evenly_spaced,
        emergency=settings.emergency_throttling,
    )


_sandbox_limiters: WeakKeyDictionary[object, RequestLimiter] = WeakKeyDictionary()


def _limiter_of_sandbox(application: Any) -> RequestLimiter | None:
    """The limiter that every client of a sandbox in this process shares, while it lives."""
    if not application.limits:
        return None
    if application not in _sandbox_limiters:
        _sandbox_limiters[application] = RequestLimiter(
            Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)
        )
    return _sandbox_limiters[application]


_logger = logging.getLogger(LOGGER)


class Session:
    """Everything between a planned request and its decoded response.

    Attributes:
        policy: What is in force; may be replaced at any time.
        observers: They are called with every event.
        log: Writes lines about events, or None.
        metrics: Counts the events, or None.
        hook: One more event hook for responses, after those of the user.
        accessible: The operations and products that the key has been allowed so far.
    """

    def __init__(
        self,
        transport: Transport,
        policy: Policy,
        *,
        limiter: RequestLimiter | None = None,
        breakers: Breakers | None = None,
        observers: Sequence[Observer] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.transport = transport
        self.policy = policy
        self.limiter = limiter
        self.breakers = breakers
        self.observers = observers
        self.clock = clock
        self.log: Log | None = None
        self.metrics: MetricsCollector | None = None
        self.hook: EventHook | None = None
        self.accessible: set[tuple[str, str]] = set()
        self._under_way: set[asyncio.Timeout] = set()

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        hooks: Hooks,
        *,
        application: Any | None = None,
    ) -> Self:
        """The session that settings ask for.

        Args:
            settings: The settings, with a key.
            hooks: What users hand to the client.
            application: The sandbox in this process that requests go to, if they go to one.

        Raises:
            TrayportConfigurationError: The settings cannot work.
        """
        if settings.log_format != "none":  # a quiet client silences no other
            configure(settings.log_format, settings.log_level)
        key = settings.api_key or SecretStr("")
        urls = {"analytics": settings.analytics_url, "reference": settings.reference_url}
        if application is not None:
            hooks = evolve(hooks, transport=InProcessTransport(application))
            limiter = _limiter_of_sandbox(application)
        else:
            url = httpx.URL(settings.analytics_url)
            host = f"{url.host}:{url.port or PORTS[url.scheme]}"
            limiter = limiter_for(key, host, settings.limiter_store)
        session = cls(
            Transport(
                key=key,
                urls=urls,
                connect_timeout=settings.connect_timeout,
                http2=settings.http2,
                max_connections=settings.max_connections,
                keepalive=settings.keepalive,
                hooks=hooks,
            ),
            Policy.from_settings(settings),
            limiter=limiter,
        )
        session.log = Log()
        observers: list[Observer] = [hooks] if hooks.on_retry or hooks.on_breaker_change else []
        if settings.metrics:
            session.metrics = MetricsCollector()
            observers.append(session.metrics)
        if settings.opentelemetry:
            from ..telemetry.opentelemetry import OpenTelemetry

            observers.append(OpenTelemetry(urls))
        session.observers = observers
        if limiter is not None:
            limiter.configure(session.transport, limits_of(settings), settings.limiter_fallback)
        if settings.circuit_breakers:
            session.breakers = Breakers(
                threshold=settings.breaker_threshold,
                recovery=settings.breaker_recovery,
                on_change=session.notify,
            )
        return session

    def reconfigure(self, settings: Settings, changed: AbstractSet[str]) -> None:
        """Puts changed limits, timeouts, retries, breakers and log level in force."""
        self.policy = Policy.from_settings(settings, self.policy.priority)
        self.transport.configure(connect_timeout=settings.connect_timeout)
        if self.limiter is not None:
            limits = limits_of(settings)
            self.limiter.configure(self.transport, limits, settings.limiter_fallback)
        if self.breakers is not None:
            self.breakers.configure(
                threshold=settings.breaker_threshold, recovery=settings.breaker_recovery
            )
        quiet = settings.log_format == "none"
        if "log_format" in changed or ("log_level" in changed and not quiet):
            configure(settings.log_format, settings.log_level)

    def with_policy(self, policy: Policy) -> Self:
        """The same session, with another policy: all the rest is shared."""
        other = copy(self)
        other.policy = policy
        return other

    def watched(self, hook: EventHook) -> Self:
        """The same session, whose responses an event hook sees besides."""
        other = copy(self)
        other.hook = hook
        return other

    def once(self) -> Self:
        """The same session, which sends each request once."""
        policy = evolve(self.policy, retry=evolve(self.policy.retry, retries=0))
        return self.with_policy(policy)

    async def fetch(
        self,
        request: ApiRequest,
        read: Callable[[ApiResponse], Read],
        *,
        priority: Priority = "normal",
        instead: Callable[[TrayportError], Read | None] | None = None,
    ) -> Read:
        """Sends a request until there is a response, and reads it.

        Args:
            request: What to send.
            read: Reads the response, in a thread; a `TrayportDecodeError` that it raises counts as
                a failed attempt.
            priority: Which request goes first when several wait for the limiter.
            instead: Called when the request has failed for good: what to return in its place, or
                None when there is nothing. The failure is then no event.

        Raises:
            TrayportAPIError: The service responded with an error.
            TrayportConnectionError: There was no response, or it broke off.
            TrayportDecodeError: The response is not what the API promises.
            TrayportCircuitBreakerError: The endpoint keeps failing, and nothing was sent.
            TrayportLimiterError: The shared store of the allowance cannot be used.
            TrayportConfigurationError: The client cannot be used here and now.
        """
        self.transport.check_usable()
        call = _Call(self, request, read, self.policy.priority or priority)
        try:
            async with self._while_open(call.context):
                return await self.policy.retry.run(
                    call.attempt, on_retry=call.retrying, clock=call.clock
                )
        except TrayportError as error:
            substitute = None if instead is None else instead(error)
            if substitute is not None:
                return substitute
            self.give_up(request, error)
            raise

    async def warm_up(self, request: ApiRequest, connections: int) -> int:
        """Sends a small request over each of so many connections, to have them open.

        Returns:
            How many connections were opened; none in this process or over a transport of the user.
        """
        if self.transport.in_process:
            return 0
        before = self.transport.counts.opened
        sending = (self.once().fetch(request, _drain) for _ in range(connections))
        for outcome in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return self.transport.counts.opened - before

    def give_up(self, request: ApiRequest, error: TrayportError) -> None:
        """Publishes that a request has failed for good."""
        self.notify(FailureEvent(request.endpoint.path, error))

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
        """Ends every request that is under way, and closes every connection.

        It may be called from another event loop than the one that requests were sent from: that
        one closes them if it runs. In a forked child everything belongs to the parent, and stays.
        """
        if was_forked():
            return
        loop = self.transport.loop
        if loop is None or loop is asyncio.get_running_loop():
            await self._close()
        else:
            if loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(self._close(), loop)
                await asyncio.wait({asyncio.wrap_future(closing)}, timeout=CLOSE_SECONDS)
            self.transport.abandon()
        if self.limiter is not None:
            self.limiter.release(self.transport)

    async def _close(self) -> None:
        now = asyncio.get_running_loop().time()
        for scope in list(self._under_way):
            scope.reschedule(now)
        await self.transport.aclose()

    def notify(self, event: Event) -> None:
        """Logs an event, and calls every observer with it."""
        if self.log is not None and _logger.isEnabledFor(event.level):
            self.log(event)
        for observer in self.observers:
            observer(event)


class _Call(Generic[Read]):
    """One request over all its attempts."""

    def __init__(
        self,
        session: Session,
        request: ApiRequest,
        read: Callable[[ApiResponse], Read],
        priority: Priority,
    ) -> None:
        # What callers write freely may spell the key in another way; the rest only as it is.
        free, transport = free_texts(request.endpoint.operation_id), session.transport
        shown = {
            name: transport.redact(value) if name in free or transport.has_key(value) else value
            for name, value in request.shown.items()
        }
        self.context = RequestContext(request.endpoint.path, shown, uuid4().hex)
        self._session = session
        self._request = request
        self._read = read
        self._priority: Priority = priority
        self._policy = session.policy
        self._queued = 0.0
        self._refused = False
        self._grant: Grant | None = None
        self._is_held = self._is_writing = False
        product = [f"{n}={request.parameters[n]}" for n in PRODUCT if n in request.parameters]
        self._right = request.endpoint.operation_id, " ".join(product)

    def clock(self) -> float:
        """Seconds that stand still in the queue: a long queue leaves a request its retries."""
        return self._session.clock() - self._queued

    async def attempt(self, number: int, end: float) -> Read:
        """Passes the breaker and the limiter, sends the request and reads its response."""
        session, accessible = self._session, self._session.accessible
        breakers = session.breakers
        with breakers.admit(self.context) if breakers else nullcontext() as confirm:
            await self._acquire()
            if confirm is not None:
                self._confirm(confirm)
            try:
                result = await self._exchange(number, end)
            except TrayportAPIError as error:
                if self._is_held:
                    raise
                self._refused |= isinstance(error, TrayportAuthorizationError)
                if is_rate_limited(error, had_access=self._right in accessible):
                    error.retryable = True
                    pause = pause_after(error, number, self._policy.retry.forbidden_wait)
                    await self._slow_down(pause)
                raise
        is_new = self._right not in accessible
        accessible.add(self._right)
        if self._refused and is_new:
            # It was refused before and has access now, so it had only been too fast.
            await self._slow_down(0.0)
        return result

    def retrying(self, number: int, wait: float, error: TrayportError) -> None:
        """Publishes that the request will be sent again."""
        endpoint, parameters = self.context.endpoint, self.context.parameters
        self._session.notify(
            RetryEvent(endpoint, parameters, self.context.correlation_id, number, wait, error)
        )

    async def _acquire(self) -> None:
        limiter = self._session.limiter
        if limiter is not None:
            max_pause = self._policy.retry.budget
            self._grant = await limiter.acquire(self._priority, max_pause=max_pause, starts=True)
            self._queued += self._grant.queued

    def _confirm(self, confirm: Confirm) -> None:
        """Checks the breaker again after the wait; gives the grant back if it refuses."""
        try:
            confirm()
        except TrayportCircuitBreakerError:
            if self._grant is not None and self._session.limiter is not None:
                self._session.limiter.give_back(self._grant)
            raise

    async def before_writing(self) -> None:
        """Waits until the request may be written, whatever went on since it was granted."""
        limiter, grant = self._session.limiter, self._grant
        if limiter is None or grant is None or self._is_writing:
            return
        self._is_held = True
        self._grant = await limiter.start_sending(
            grant, self._priority, max_pause=self._policy.retry.budget
        )
        self._is_held, self._is_writing = False, True
        self._queued += self._grant.queued - grant.queued

    def after_writing(self) -> None:
        """Has the grant count from now on, when the server may have the request."""
        if self._is_writing and self._grant is not None and self._session.limiter is not None:
            self._is_writing = False
            self._session.limiter.sent(self._grant)

    async def _exchange(self, number: int, end: float) -> Read:
        """Sends one request and has its response read; observers hear of it in any case."""
        started = time.perf_counter()
        response: ApiResponse | None = None

        def read(arriving: ApiResponse) -> Read:
            nonlocal response
            response = arriving
            arriving.max_decoded_bytes = self._policy.max_decoded_bytes
            arriving.max_depth = self._policy.max_depth
            return self._read(arriving)

        try:
            result = await self._session.transport.send(
                self._request,
                self.context,
                read,
                attempt=number,
                silence=self._policy.timeout,
                within=max(0.0, end - self.clock()),
                writing=self,
                hook=self._session.hook,
            )
        except (TrayportError, asyncio.CancelledError) as error:
            failure = error if isinstance(error, TrayportError) else None
            self._publish(number, time.perf_counter() - started, response, failure)
            raise
        finally:
            self.after_writing()
        self._publish(number, time.perf_counter() - started, response)
        return result

    def _publish(
        self,
        number: int,
        seconds: float,
        response: ApiResponse | None,
        failure: TrayportError | None = None,
    ) -> None:
        whole = response if response is not None and response.seconds else None
        self._session.notify(
            AttemptEvent(
                endpoint=self.context.endpoint,
                parameters=self.context.parameters,
                correlation_id=self.context.correlation_id,
                attempt=number,
                status=HTTPStatus.OK if whole else getattr(failure, "status_code", None),
                error=failure,
                queued=self._grant.queued if self._grant else 0.0,
                seconds=whole.seconds if whole else seconds,
                bytes_received=whole.bytes_received if whole else 0,
                bytes_decoded=whole.bytes_decoded if whole else 0,
            )
        )
        if whole and whole.unexpected and failure is None:
            self._session.notify(UnexpectedValuesEvent(self.context.endpoint, whole.unexpected))

    async def _slow_down(self, pause: float) -> None:
        limiter = self._session.limiter
        if limiter is not None:
            share = await limiter.slow_down(pause, self._grant if self._policy.adaptive else None)
            self._session.notify(ThrottleEvent(self.context.endpoint, pause, share))


def _drain(response: ApiResponse) -> None:
    deque(response.chunks(), maxlen=0)
