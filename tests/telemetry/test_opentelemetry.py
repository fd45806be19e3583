"""What OpenTelemetry gets to see of the requests."""

import importlib.util
import time
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec

import pytest
from attrs import evolve, frozen
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    NumberDataPoint,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from trayport_sdk import (
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportServerError,
    errors,
)
from trayport_sdk.telemetry.events import (
    AttemptEvent,
    BreakerEvent,
    BreakerState,
    Event,
    RetryEvent,
    StaleEvent,
    ThrottleEvent,
    UnexpectedValuesEvent,
)
from trayport_sdk.telemetry.opentelemetry import BOUNDARIES, OpenTelemetry

URLS = {"analytics": "https://analytics.example/api", "reference": "http://localhost:8383/ref"}
SECRET = "s3cret-route"
DONE = AttemptEvent("/trades", {"routes": SECRET}, "f00", 1, 200, None, 0.5, 2.0, 10, 100)
FAILED = TrayportServerError(f"503, no {SECRET}", status_code=503)
BROKEN = TrayportConnectionError("the connection failed")


@frozen
class Telemetry:
    observer: OpenTelemetry
    tracers: TracerProvider
    exported: InMemorySpanExporter
    reader: InMemoryMetricReader

    def span(self, event: Event) -> ReadableSpan:
        self.exported.clear()
        self.observer(event)
        (span,) = self.exported.get_finished_spans()
        return span

    def measured(self) -> Mapping[str, HistogramDataPoint | NumberDataPoint]:
        """The last point of every instrument."""
        data = self.reader.get_metrics_data()
        assert data is not None
        found: dict[str, HistogramDataPoint | NumberDataPoint] = {}
        for metric in data.resource_metrics[0].scope_metrics[0].metrics:
            for point in metric.data.data_points:
                assert isinstance(point, HistogramDataPoint | NumberDataPoint)
                found[metric.name] = point
        return found


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    exported, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exported))
    observer = OpenTelemetry(URLS, tracer_provider=tracers, meter_provider=meters)
    yield Telemetry(observer, tracers, exported, reader)
    tracers.shutdown()
    meters.shutdown()


def test_an_attempt_is_a_client_span_with_the_conventional_attributes(
    telemetry: Telemetry,
) -> None:
    span = telemetry.span(DONE)
    assert span.name == "GET /trades"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.response.body.size": 10,
        "server.address": "analytics.example",
        "server.port": 443,
        "trayport.correlation_id": "f00",
        "trayport.limiter.wait": 0.5,
        "url.path": "/api/trades",
        "url.scheme": "https",
        "url.template": "/trades",
    }


def test_a_span_lasts_as_long_as_the_request_did(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 10_000_000_000)
    span = telemetry.span(DONE)
    assert (span.start_time, span.end_time) == (8_000_000_000, 10_000_000_000)


def test_a_span_is_a_child_of_the_callers(telemetry: Telemetry) -> None:
    with telemetry.tracers.get_tracer("caller").start_as_current_span("work") as caller:
        span = telemetry.span(DONE)
    assert span.parent == caller.get_span_context()
    assert telemetry.span(DONE).parent is None


def test_the_reference_api_has_its_own_address_and_an_id_no_path(telemetry: Telemetry) -> None:
    attributes = telemetry.span(evolve(DONE, endpoint="/markets/{id}")).attributes or {}
    assert (attributes["server.address"], attributes["server.port"]) == ("localhost", 8383)
    assert attributes["url.template"] == "/markets/{id}"
    assert "url.path" not in attributes


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (evolve(DONE, status=503, error=FAILED), "503"),
        (evolve(DONE, status=None, error=BROKEN), "TrayportConnectionError"),
        (evolve(DONE, error=TrayportDecodeError("no list")), "TrayportDecodeError"),
    ],
    ids=["status", "connection", "body"],
)
def test_a_failed_attempt_is_a_failed_span_that_says_how(
    telemetry: Telemetry, event: AttemptEvent, kind: str
) -> None:
    span = telemetry.span(event)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == kind


def test_a_later_attempt_says_how_many_came_before(telemetry: Telemetry) -> None:
    assert "http.request.resend_count" not in (telemetry.span(DONE).attributes or {})
    third = telemetry.span(evolve(DONE, attempt=3))
    assert (third.attributes or {})["http.request.resend_count"] == 2


def test_what_happens_is_measured(telemetry: Telemetry) -> None:
    events: tuple[Event, ...] = (
        DONE,
        RetryEvent("/trades", {}, "f00", 1, 0.5, FAILED),
        ThrottleEvent("/trades", 2.0, 0.5),
        StaleEvent("/markets", 60.0),
        UnexpectedValuesEvent("/trades", {"price": 3}),
        BreakerEvent("/trades", BreakerState.CLOSED, BreakerState.OPEN, 5, None),
    )
    for event in events:
        telemetry.observer(event)
    measured = telemetry.measured()
    duration = measured["http.client.request.duration"]
    assert isinstance(duration, HistogramDataPoint)
    assert (duration.count, duration.sum) == (1, 2.0)
    assert tuple(duration.explicit_bounds) == BOUNDARIES
    assert (duration.attributes or {})["http.response.status_code"] == 200
    counters = {
        name: point.value for name, point in measured.items() if isinstance(point, NumberDataPoint)
    }
    assert counters == {
        "trayport.received": 10,
        "trayport.retries": 1,
        "trayport.throttles": 1,
        "trayport.stale.responses": 1,
        "trayport.unexpected.values": 1,
        "trayport.breaker.changes": 1,
    }


def test_no_query_is_shown(telemetry: Telemetry) -> None:
    span = telemetry.span(evolve(DONE, status=503, error=FAILED))
    assert SECRET not in span.to_json()
    assert SECRET not in repr(telemetry.reader.get_metrics_data())


def test_without_the_extra_the_error_says_which_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> ModuleSpec | None:
        return None if name == "opentelemetry" else importlib.util.find_spec(name)

    monkeypatch.setattr(errors, "find_spec", missing)
    with pytest.raises(TrayportConfigurationError, match=r"opentelemetry.*trayport-sdk\[otel\]"):
        OpenTelemetry(URLS)
