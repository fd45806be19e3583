"""Settings into a wire: which parts there are, and how they are set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from attrs import frozen
from trayport_spec import REQUEST_LIMITS

from ..bulk.dead_letters import DeadLetters
from ..errors import TrayportConfigurationError
from ..telemetry.events import BreakerEvent, Event, Observer, RetryEvent
from ..telemetry.logging import Log, configure
from ..telemetry.metrics import MetricsCollector
from .breaker import Breakers
from .connections import Origin
from .limiter import RequestLimiter, shared_limiter
from .limiter.limits import Limits
from .retry import RetryPolicy
from .session import Policy, Session
from .transport import Transport

if TYPE_CHECKING:
    import httpx

    from ..settings import Settings
    from .limiter.queue import Priority
    from .middleware import Middleware

# What a wire is made of, and cannot change while it is in use.
FIXED = (
    "api_key", "analytics_url", "reference_url", "http2", "max_connections", "keepalive",
    "limiter_store", "limiter_fallback", "dead_letter_file", "circuit_breakers", "cache",
    "prefetch", "metrics", "opentelemetry",
)  # fmt: skip

OnRetry = Callable[[RetryEvent], None]
OnBreakerChange = Callable[[BreakerEvent], None]


@frozen
class Hooks:
    """What users hand to a client to take part in what happens on the wire."""

    middleware: Sequence[Middleware] = ()
    on_retry: OnRetry | None = None
    on_breaker_change: OnBreakerChange | None = None

    def __attrs_post_init__(self) -> None:
        for name, hook in (
            ("on_retry", self.on_retry),
            ("on_breaker_change", self.on_breaker_change),
        ):
            if iscoroutinefunction(hook):
                raise TrayportConfigurationError(
                    f"{name} is asynchronous, and nobody would await it",
                    suggestion="hand over a plain function; it may start a task",
                )

    def __call__(self, event: Event) -> None:
        """Calls the hook that an event belongs to."""
        if isinstance(event, RetryEvent) and self.on_retry is not None:
            self.on_retry(event)
        elif isinstance(event, BreakerEvent) and self.on_breaker_change is not None:
            self.on_breaker_change(event)


def limits_of(settings: Settings) -> Limits:
    """The allowance that settings ask for."""
    return Limits(
        settings.requests_per_second,
        settings.requests_per_minute,
        evenly=settings.evenly_spaced,
        emergency=settings.emergency_throttling,
    )


def policy_of(settings: Settings, priority: Priority | None = None) -> Policy:
    """What settings say about single calls."""
    return Policy(
        timeout=settings.timeout,
        retry=RetryPolicy(
            retries=settings.max_retries,
            base=settings.retry_base,
            cap=settings.retry_cap,
            budget=settings.retry_budget,
            forbidden_retries=settings.forbidden_retries,
            forbidden_wait=settings.forbidden_wait,
        ),
        adaptive=settings.adaptive_throttling,
        priority=priority,
    )


def limiter_of(settings: Settings, key: str) -> RequestLimiter:
    """The limiter that every client of this key and host shares."""
    host = str(Origin.of(settings.analytics_url))
    return shared_limiter(key, host, store=settings.limiter_store.get_secret_value())


_of_sandboxes: WeakKeyDictionary[object, RequestLimiter] = WeakKeyDictionary()


def limiter_of_sandbox(sandbox: object) -> RequestLimiter:
    """The limiter that every client of a sandbox in this process shares, while it lives."""
    if sandbox not in _of_sandboxes:
        _of_sandboxes[sandbox] = RequestLimiter(
            Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)
        )
    return _of_sandboxes[sandbox]


def assembled(
    settings: Settings,
    key: str,
    hooks: Hooks,
    *,
    limiter: RequestLimiter | None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> tuple[Session, MetricsCollector | None]:
    """The wire that settings ask for, and what counts on it unless metrics are off."""
    if settings.log_format != "none":  # a quiet client silences no other
        configure(settings.log_format, settings.log_level)
    collector = MetricsCollector() if settings.metrics else None
    urls = {"analytics": settings.analytics_url, "reference": settings.reference_url}
    observers: list[Observer] = [Log(), hooks]
    if collector is not None:
        observers.append(collector)
    if settings.opentelemetry:
        from ..telemetry.opentelemetry import OpenTelemetry

        observers.append(OpenTelemetry(urls))
    wire = Session(
        Transport(
            key=key,
            urls=urls,
            connect_timeout=settings.connect_timeout,
            http2=settings.http2,
            max_connections=settings.max_connections,
            keepalive=settings.keepalive,
            middleware=hooks.middleware,
            transport=transport,
        ),
        policy_of(settings),
        limiter=limiter,
        dead_letters=DeadLetters(settings.dead_letter_file) if settings.dead_letter_file else None,
        observers=observers,
    )
    if limiter is not None:
        limiter.configure(wire.transport, limits_of(settings), settings.limiter_fallback)
    if settings.circuit_breakers:
        wire.breakers = Breakers(
            threshold=settings.breaker_threshold,
            recovery=settings.breaker_recovery,
            on_change=wire.tell,
        )
    return wire, collector


def reconfigure(wire: Session, settings: Settings, changed: AbstractSet[str]) -> None:
    """Puts changed limits, timeouts, retries, breakers and log level in force."""
    wire.policy = policy_of(settings, wire.policy.priority)
    wire.transport.configure(connect_timeout=settings.connect_timeout)
    if wire.limiter is not None:
        wire.limiter.configure(wire.transport, limits_of(settings), settings.limiter_fallback)
    if wire.breakers is not None:
        wire.breakers.configure(
            threshold=settings.breaker_threshold, recovery=settings.breaker_recovery
        )
    quiet = settings.log_format == "none"
    if "log_format" in changed or ("log_level" in changed and not quiet):
        configure(settings.log_format, settings.log_level)
