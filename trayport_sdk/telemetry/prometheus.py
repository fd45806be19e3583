"""A collector of a client's metrics for prometheus-client, and the text that it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from .events import BreakerState

if TYPE_CHECKING:
    from .metrics import EndpointMetrics, Metrics
    from .status import LimiterStatus

Labels = TypeVar("Labels", bound=tuple[str, ...])
Family: TypeAlias = CounterMetricFamily | GaugeMetricFamily | SummaryMetricFamily

PREFIX = "trayport_"
_OF_ENDPOINTS: tuple[tuple[str, str, Callable[[EndpointMetrics], float]], ...] = (
    ("requests_total", "Requests sent.", lambda m: m.requests),
    ("retries_total", "Failed requests to be sent again.", lambda m: m.retries),
    ("stale_responses_total", "Old responses from the cache.", lambda m: m.stale_responses),
    (
        "unexpected_values_total",
        "Values not of their types.",
        lambda m: sum(m.unexpected_values.values()),
    ),
    ("received_bytes_total", "Bytes of bodies.", lambda m: m.bytes_received),
    ("decoded_bytes_total", "The same decompressed.", lambda m: m.bytes_decoded),
    ("request_duration_max_seconds", "The longest request.", lambda m: m.latency.max),
    ("limiter_wait_seconds_total", "Waits for the limiter.", lambda m: m.limiter_wait),
    ("limiter_wait_max_seconds", "The longest of them.", lambda m: m.limiter_wait_max),
)


class PrometheusCollector(Collector):
    """Reads a client's metrics whenever a registry of prometheus-client is scraped.

    Args:
        read: Returns the metrics: the method `get_metrics` of a client.
    """

    def __init__(self, read: Callable[[], Metrics]) -> None:
        self._read = read

    def collect(self) -> Iterator[Family]:
        """The metrics of now. Names whose labels have no values yet are left out."""
        metrics = self._read()
        for family in _families(metrics):
            if family.samples:
                yield family


def exposition(metrics: Metrics) -> str:
    """The metrics as text, with prometheus-client's figures of the process, platform and GC."""
    registry = CollectorRegistry()
    registry.register(PrometheusCollector(lambda: metrics))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return generate_latest(registry).decode()


def _families(metrics: Metrics) -> Iterator[Family]:
    endpoints, breakers = metrics.endpoints, metrics.breakers
    for name, meaning, value in _OF_ENDPOINTS:
        yield _family(name, meaning, ("endpoint",), {(e,): value(m) for e, m in endpoints.items()})
    yield _family(
        "request_errors_total",
        "Requests that failed.",
        ("endpoint", "error"),
        {(e, error): count for e, m in endpoints.items() for error, count in m.errors.items()},
    )
    durations = SummaryMetricFamily(
        f"{PREFIX}request_duration_seconds", "From sending to the last byte.", labels=["endpoint"]
    )
    for endpoint, m in endpoints.items():
        durations.add_metric([endpoint], m.latency.count, m.latency.total)
    yield durations
    yield _family(
        "request_duration_quantile_seconds",
        "Quantiles of the same since counting began.",
        ("endpoint", "quantile"),
        {
            (endpoint, quantile): value
            for endpoint, m in endpoints.items()
            for quantile, value in zip(
                ("0.5", "0.9", "0.99"), (m.latency.p50, m.latency.p90, m.latency.p99), strict=True
            )
        },
    )
    yield _family(
        "breaker_state",
        "1 for the state that the circuit breaker is in.",
        ("endpoint", "state"),
        {(e, state): int(b.state is state) for e, b in breakers.items() for state in BreakerState},
    )
    yield _family(
        "breaker_changes_total",
        "Changes of a circuit breaker's state.",
        ("endpoint",),
        {(endpoint,): count for endpoint, count in metrics.breaker_changes.items()},
    )
    if metrics.limiter is not None:
        yield from _of_limiter(metrics.limiter)
    for name, meaning, number in (
        ("throttles_total", "Responses that said the key is too fast.", metrics.throttles),
        ("connections_opened_total", "Connections opened.", metrics.connections.opened),
        ("connections_reused_total", "Responses over a used one.", metrics.connections.reused),
        ("start_time_seconds", "When counting began.", metrics.since.timestamp()),
    ):
        yield _family(name, meaning, (), {(): number})


def _of_limiter(limiter: LimiterStatus) -> Iterator[Family]:
    windows = [((f"{window.seconds:g}",), window) for window in limiter.windows]
    used, room = {w: u.used for w, u in windows}, {w: u.limit for w, u in windows}
    queued = {(priority,): count for priority, count in limiter.queued.items()}
    yield _family("limiter_window_used", "Requests granted.", ("window_seconds",), used)
    yield _family("limiter_window_limit", "Requests it has room for.", ("window_seconds",), room)
    yield _family("limiter_queued", "Requests that wait for the limiter.", ("priority",), queued)
    for name, meaning, number in (
        ("limiter_grants_total", "Requests granted.", limiter.grants),
        ("limiter_next_grant_seconds", "Time until the next grant.", limiter.next_grant),
        ("limiter_paused_seconds", "Time until the pause ends.", limiter.paused),
        ("limiter_store_up", "1 while grants can be counted.", not limiter.problem),
        ("limiter_share_ratio", "Share of the set rate in force.", limiter.share),
    ):
        yield _family(name, meaning, (), {(): number})


def _family(
    name: str, meaning: str, labels: Sequence[str], values: Mapping[Labels, float]
) -> Family:
    """All samples of one name; it is a counter if its name ends as those of counters do."""
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    family = kind(PREFIX + name, meaning, labels=labels)
    for texts, value in values.items():
        family.add_metric(texts, value)
    return family
