"""What a client counts, and how Prometheus gets to see it."""

import gc
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from trayport_sdk import (
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportError,
    TrayportServerError,
    errors,
)
from trayport_sdk.telemetry import metrics as metrics_module
from trayport_sdk.telemetry.events import (
    AttemptEvent,
    BreakerEvent,
    BreakerState,
    RetryEvent,
    StaleEvent,
    ThrottleEvent,
    UnexpectedValuesEvent,
)
from trayport_sdk.telemetry.metrics import RELATIVE_ERROR, Metrics, MetricsCollector
from trayport_sdk.telemetry.prometheus import PrometheusCollector
from trayport_sdk.telemetry.status import BreakerStatus, ConnectionCounts, LimiterStatus, WindowUse

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
BROKEN = TrayportConnectionError("the connection failed")
FAILED = TrayportServerError("the service failed", status_code=503)
LIMITER = LimiterStatus(
    windows=(WindowUse(0.5, 3, 1), WindowUse(60.0, 360, 17)),
    queued={"high": 0, "normal": 4},
    next_grant=0.25,
    share=0.5,
    paused=2.0,
    grants=40,
)
OPEN = BreakerStatus(BreakerState.OPEN, 5, NOON)


def attempt(
    endpoint: str = "/trades",
    seconds: float = 0.2,
    error: TrayportError | None = None,
    queued: float = 0.0,
    received: int = 100,
    decoded: int = 1000,
) -> AttemptEvent:
    return AttemptEvent(endpoint, {}, "id", 1, 200, error, queued, seconds, received, decoded)


def retry(endpoint: str = "/trades") -> RetryEvent:
    return RetryEvent(endpoint, {}, "id", 1, 0.5, FAILED)


@pytest.fixture
def collector() -> MetricsCollector:
    return MetricsCollector()


def snapshot(collector: MetricsCollector) -> Metrics:
    return collector.snapshot(
        limiter=LIMITER, breakers={"/trades": OPEN}, connections=ConnectionCounts(2, 100, 98)
    )


def test_every_attempt_of_an_endpoint_is_counted(collector: MetricsCollector) -> None:
    collector(attempt(seconds=0.1, queued=1.0))
    collector(retry())
    collector(attempt(seconds=0.3, queued=3.0, error=BROKEN, received=0, decoded=0))
    collector(attempt(seconds=0.2, error=FAILED))
    trades = snapshot(collector).endpoints["/trades"]
    assert trades.requests == trades.latency.count == 3
    assert trades.errors == {"TrayportConnectionError": 1, "TrayportServerError": 1}
    assert trades.failures == 2
    assert trades.retries == 1
    assert (trades.bytes_received, trades.bytes_decoded) == (200, 2000)
    assert trades.compression_ratio == 10
    assert trades.latency.mean == pytest.approx(0.2)
    assert trades.latency.p50 == pytest.approx(0.2, rel=RELATIVE_ERROR)
    assert trades.latency.max == 0.3
    assert (trades.limiter_wait, trades.limiter_wait_max) == (4.0, 3.0)


def test_endpoints_are_counted_apart_and_together(collector: MetricsCollector) -> None:
    collector(attempt("/trades", seconds=1.0))
    collector(attempt("/markets", seconds=9.0, error=FAILED))
    metrics = snapshot(collector)
    assert list(metrics.endpoints) == ["/markets", "/trades"]
    assert metrics.endpoints["/trades"].failures == 0
    assert metrics.total.requests == 2
    assert metrics.total.errors == {"TrayportServerError": 1}
    assert metrics.total.latency.max == 9.0


def test_throttles_stale_responses_and_changes_of_breakers_are_counted(
    collector: MetricsCollector,
) -> None:
    collector(ThrottleEvent("/trades", 2.0, 0.5))
    collector(StaleEvent("/markets", 60.0))
    collector(BreakerEvent("/markets", BreakerState.CLOSED, BreakerState.OPEN, 5, NOON))
    collector(BreakerEvent("/markets", BreakerState.OPEN, BreakerState.HALF_OPEN, 5, None))
    metrics = snapshot(collector)
    assert metrics.throttles == 1
    assert metrics.endpoints["/markets"].stale_responses == 1
    assert metrics.endpoints["/markets"].requests == 0
    assert metrics.endpoints["/markets"].latency.mean == 0.0
    assert metrics.endpoints["/markets"].compression_ratio is None
    assert metrics.breaker_changes == {"/markets": 2}
    assert metrics.breakers == {"/trades": OPEN}


def test_the_share_of_reused_connections_is_shown(collector: MetricsCollector) -> None:
    assert snapshot(collector).reuse_share == 0.98
    unused = collector.snapshot(limiter=None, breakers={}, connections=ConnectionCounts(0, 0))
    assert unused.reuse_share is None


def test_a_snapshot_does_not_change_when_counting_goes_on(collector: MetricsCollector) -> None:
    collector(attempt())
    metrics = snapshot(collector)
    collector(attempt(error=FAILED))
    assert metrics.total.requests == 1
    assert metrics.endpoints["/trades"].errors == {}


def test_nothing_is_lost_when_many_threads_count(collector: MetricsCollector) -> None:
    def count() -> None:
        for _ in range(500):
            collector(attempt(seconds=0.25, error=FAILED))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = snapshot(collector).total
    assert total.requests == total.failures == 4000
    assert total.bytes_received == 400_000
    assert total.latency.total == 1000


def test_the_process_shows_its_memory_its_time_and_its_collections(
    collector: MetricsCollector,
) -> None:
    callbacks = list(gc.callbacks)
    before = snapshot(collector).process
    gc.collect()
    after = snapshot(collector).process
    assert after.gc_collections > before.gc_collections
    assert after.cpu_seconds >= before.cpu_seconds > 0
    if after.memory is not None:
        assert after.peak_memory is not None
        assert 1 << 20 < after.memory <= after.peak_memory * 1.1
    assert gc.callbacks == callbacks


def test_without_a_proc_file_system_the_memory_in_use_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, collector: MetricsCollector
) -> None:
    monkeypatch.setattr(metrics_module, "_STATM", tmp_path / "none")
    assert snapshot(collector).process.memory is None


def parsed(metrics: Metrics) -> dict[str, Metric]:
    families = text_string_to_metric_families(metrics.to_prometheus())
    return {family.name: family for family in families}


def test_prometheus_reads_what_was_counted(collector: MetricsCollector) -> None:
    collector(attempt(seconds=2.0, queued=0.5, error=FAILED))
    collector(retry())
    collector(UnexpectedValuesEvent("/trades", {"price": 3, "route": 1}))
    collector(ThrottleEvent("/trades", 2.0, 0.5))
    collector(BreakerEvent("/trades", BreakerState.CLOSED, BreakerState.OPEN, 5, NOON))
    metrics = snapshot(collector)
    read = {
        (sample.name, *sample.labels.values()): sample.value
        for family in parsed(metrics).values()
        for sample in family.samples
    }
    expected: dict[tuple[str, ...], float] = {
        ("requests_total", "/trades"): 1,
        ("request_errors_total", "/trades", "TrayportServerError"): 1,
        ("retries_total", "/trades"): 1,
        ("unexpected_values_total", "/trades"): 4,
        ("received_bytes_total", "/trades"): 100,
        ("decoded_bytes_total", "/trades"): 1000,
        ("request_duration_quantile_seconds", "/trades", "0.99"): 2.0,
        ("request_duration_seconds_sum", "/trades"): 2.0,
        ("request_duration_seconds_count", "/trades"): 1,
        ("limiter_wait_seconds_total", "/trades"): 0.5,
        ("throttles_total",): 1,
        ("breaker_state", "/trades", "open"): 1,
        ("breaker_state", "/trades", "closed"): 0,
        ("breaker_changes_total", "/trades"): 1,
        ("limiter_window_used", "60"): 17,
        ("limiter_window_limit", "0.5"): 3,
        ("limiter_queued", "normal"): 4,
        ("limiter_grants_total",): 40,
        ("limiter_share_ratio",): 0.5,
        ("limiter_paused_seconds",): 2.0,
        ("limiter_store_up",): 1,
        ("connections_opened_total",): 2,
        ("connections_reused_total",): 98,
        ("start_time_seconds",): metrics.since.timestamp(),
    }
    for (name, *labels), value in expected.items():
        assert read[f"trayport_{name}", *labels] == value, name
    assert read["python_gc_collections_total", "0"] >= 0
    assert ("process_cpu_seconds_total",) in read or metrics.process.memory is None


def test_every_family_has_a_kind_a_meaning_and_a_name_with_its_unit(
    collector: MetricsCollector,
) -> None:
    collector(attempt(error=FAILED))
    families = parsed(snapshot(collector))
    own = {name: family for name, family in families.items() if name.startswith("trayport_")}
    assert len(own) > 20
    for name, family in own.items():
        assert family.documentation.endswith(".")
        assert family.type in ("counter", "gauge", "summary")
        if family.type == "counter":
            assert {sample.name for sample in family.samples} == {f"{name}_total"}
    assert all(name.startswith(("process_", "python_")) for name in families.keys() - own.keys())


@given(endpoint=st.text(st.characters(codec="utf-8", exclude_characters="\r")))
def test_a_label_comes_back_as_it_was_whatever_it_holds(endpoint: str) -> None:
    collector = MetricsCollector()
    collector(attempt(endpoint))
    family = parsed(snapshot(collector))["trayport_requests"]
    assert [sample.labels["endpoint"] for sample in family.samples] == [endpoint]


def test_before_the_first_request_there_is_nothing_of_endpoints_or_the_limiter(
    collector: MetricsCollector,
) -> None:
    text = collector.snapshot(
        limiter=None, breakers={}, connections=ConnectionCounts(0, 0)
    ).to_prometheus()
    assert "trayport_requests" not in text
    assert "trayport_limiter" not in text
    assert "trayport_throttles_total 0" in text


def test_a_registry_reads_the_metrics_of_the_moment(collector: MetricsCollector) -> None:
    registry = CollectorRegistry()
    registry.register(PrometheusCollector(lambda: snapshot(collector)))
    for count in (1, 2):
        collector(attempt())
        labels = {"endpoint": "/trades"}
        assert registry.get_sample_value("trayport_requests_total", labels) == count


def test_the_text_without_its_extra_says_which_to_install(
    monkeypatch: pytest.MonkeyPatch, collector: MetricsCollector
) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    with pytest.raises(TrayportConfigurationError, match=r"trayport-sdk\[metrics\]"):
        snapshot(collector).to_prometheus()
