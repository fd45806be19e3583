"""A span and measurements for OpenTelemetry of every request that is sent.

An event comes when its request is over, in the task that sent it: the span is made afterwards, with
the real times, as a child of the caller's span. Queries are left out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trayport_spec import ENDPOINTS

from .. import __version__
from ..errors import require_extra
from .events import (
    AttemptEvent,
    BreakerEvent,
    Event,
    FailureEvent,
    RetryEvent,
    StaleEvent,
    ThrottleEvent,
    UnexpectedValuesEvent,
)

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

METHOD = "GET"
PORTS = {"http": 80, "https": 443}
# The boundaries that the semantic conventions advise for the duration of requests, in seconds.
BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
NANOSECONDS = 1_000_000_000

Attributes = dict[str, str | int | float]


class OpenTelemetry:
    """An observer that makes spans and measurements.

    Args:
        urls: The address of each API.
        tracer_provider: Where spans go; left out, to the provider of the process.
        meter_provider: Where measurements go; left out, to the provider of the process.

    Raises:
        TrayportConfigurationError: The extra `otel` is not installed.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        require_extra("otel", "opentelemetry", what="the setting opentelemetry")
        from opentelemetry import metrics, trace

        self._known = {e.path: _of_endpoint(e.path, urls[e.api]) for e in ENDPOINTS.values()}
        self._tracer = trace.get_tracer("trayport_sdk", __version__, tracer_provider)
        self._kind = trace.SpanKind.CLIENT
        self._failed = trace.StatusCode.ERROR
        meter = metrics.get_meter("trayport_sdk", __version__, meter_provider)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )
        self._wait = meter.create_histogram(
            "trayport.limiter.wait", unit="s", description="Time that requests wait to be sent."
        )
        self._received = meter.create_counter(
            "trayport.received", unit="By", description="Bytes of bodies as received."
        )
        kinds: tuple[tuple[type[Event], str, str], ...] = (
            (RetryEvent, "retries", "Failed requests to be sent again."),
            (FailureEvent, "failures", "Calls that failed for good."),
            (ThrottleEvent, "throttles", "Responses that said the key is too fast."),
            (BreakerEvent, "breaker.changes", "Changes of a circuit breaker's state."),
            (StaleEvent, "stale.responses", "Old responses from the cache."),
            (
                UnexpectedValuesEvent,
                "unexpected.values",
                "Responses with values that are not of their types.",
            ),
        )
        self._counters = {
            kind: meter.create_counter(f"trayport.{name}", description=text)
            for kind, name, text in kinds
        }

    def __call__(self, event: Event) -> None:
        """Makes a span and measurements of an attempt, and counts other events."""
        if isinstance(event, AttemptEvent):
            self._attempt(event, time.time_ns())
        else:
            self._counters[type(event)].add(1, {"url.template": event.endpoint})

    def _attempt(self, event: AttemptEvent, now: int) -> None:
        attributes: Attributes = dict(self._known[event.endpoint])
        if event.status is not None:
            attributes["http.response.status_code"] = int(event.status)
        if event.error is not None:
            refused = event.status is not None and event.status >= HTTPStatus.BAD_REQUEST
            attributes["error.type"] = f"{event.status}" if refused else type(event.error).__name__
        measured = {n: v for n, v in attributes.items() if n != "url.path"}
        self._duration.record(event.seconds, measured)
        self._wait.record(event.queued, {"url.template": event.endpoint})
        self._received.add(event.bytes_received, {"url.template": event.endpoint})
        span = self._tracer.start_span(
            f"{METHOD} {event.endpoint}",
            kind=self._kind,
            start_time=now - round(event.seconds * NANOSECONDS),
            attributes={**attributes, **_only_of_a_span(event)},
        )
        if event.error is not None:
            # The error's message would show the query.
            span.set_status(self._failed, type(event.error).__name__)
        span.end(now)


def _of_endpoint(path: str, url: str) -> Attributes:
    """The attributes of all requests of an endpoint. The path is left out where an id varies."""
    parts = urlsplit(url)
    attributes: Attributes = {
        "http.request.method": METHOD,
        "server.address": parts.hostname or "",
        "server.port": parts.port or PORTS[parts.scheme],
        "url.scheme": parts.scheme,
        "url.template": path,
    }
    if "{" not in path:
        attributes["url.path"] = parts.path + path
    return attributes


def _only_of_a_span(event: AttemptEvent) -> Attributes:
    resent: Attributes = (
        {"http.request.resend_count": event.attempt - 1} if event.attempt > 1 else {}
    )
    return resent | {
        "http.response.body.size": event.bytes_received,
        "trayport.correlation_id": event.correlation_id,
        "trayport.limiter.wait": event.queued,
    }
