"""Metrics in the text format that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from .events import BreakerState

if TYPE_CHECKING:
    from .metrics import EndpointMetrics, Metrics
    from .process import ProcessUse
    from .status import LimiterStatus

PREFIX = "trayport_"
_Labels = Mapping[str, str]
_Kind = Literal["counter", "gauge", "summary"]
_OF_AN_ENDPOINT: tuple[tuple[str, _Kind, str, Callable[[EndpointMetrics], float]], ...] = (
    ("requests_total", "counter", "Requests sent.", lambda one: one.requests),
    ("retries_total", "counter", "Failed requests to be sent again.", lambda one: one.retries),
    ("stale_answers_total", "counter", "Answers from memory.", lambda one: one.stale_answers),
    (
        "unexpected_values_total",
        "counter",
        "Values not of their types.",
        lambda one: sum(one.unexpected_values.values()),
    ),
    ("received_bytes_total", "counter", "Bytes of bodies.", lambda one: one.bytes_received),
    ("decoded_bytes_total", "counter", "The same decompressed.", lambda one: one.bytes_decoded),
    ("request_duration_max_seconds", "gauge", "The longest request.", lambda one: one.latency.max),
    ("limiter_wait_seconds_total", "counter", "Waits for the limiter.", lambda o: o.limiter_wait),
    ("limiter_wait_max_seconds", "gauge", "The longest of them.", lambda o: o.limiter_wait_max),
)


@frozen
class _Family:
    """All samples of one name. A sample is the end of its name, its labels and its value."""

    name: str
    kind: _Kind
    meaning: str
    samples: tuple[tuple[str, _Labels, float], ...]

    def lines(self) -> Iterator[str]:
        name = PREFIX + self.name
        yield f"# HELP {name} {self.meaning}"
        yield f"# TYPE {name} {self.kind}"
        for ending, labels, value in self.samples:
            shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{name}{ending}{{{shown}}} {value}" if shown else f"{name}{ending} {value}"


def exposition(metrics: Metrics) -> str:
    """The metrics as text, one line a sample. A family without a sample is left out."""
    families = (
        *_of_endpoints(metrics.endpoints),
        *_of_breakers(metrics),
        *_of_limiter(metrics.limiter),
        _counter("throttles_total", "Answers that said the key is too fast.", metrics.throttles),
        _counter("connections_opened_total", "Connections opened.", metrics.connections.opened),
        _counter(
            "connections_reused_total",
            "Requests over a connection that was open already.",
            metrics.connections.reused,
        ),
        *_of_process(metrics.process),
        _gauge("start_time_seconds", "When counting began.", metrics.since.timestamp()),
    )
    lines = [line for family in families if family.samples for line in family.lines()]
    return "\n".join([*lines, ""])


def _of_endpoints(endpoints: Mapping[str, EndpointMetrics]) -> Iterator[_Family]:
    for name, kind, meaning, value in _OF_AN_ENDPOINT:
        values = {endpoint: value(one) for endpoint, one in endpoints.items()}
        yield _Family(name, kind, meaning, _by("endpoint", values))
    yield _Family(
        "request_errors_total",
        "counter",
        "Requests that failed.",
        tuple(
            ("", {"endpoint": endpoint, "error": error}, count)
            for endpoint, one in endpoints.items()
            for error, count in one.errors.items()
        ),
    )
    yield _Family(
        "request_duration_seconds",
        "summary",
        "From sending to the last byte.",
        tuple(sample for endpoint, one in endpoints.items() for sample in _summary(endpoint, one)),
    )


def _summary(endpoint: str, one: EndpointMetrics) -> Iterator[tuple[str, _Labels, float]]:
    latency = one.latency
    for quantile, value in (("0.5", latency.p50), ("0.9", latency.p90), ("0.99", latency.p99)):
        yield "", {"endpoint": endpoint, "quantile": quantile}, value
    yield "_sum", {"endpoint": endpoint}, latency.total
    yield "_count", {"endpoint": endpoint}, latency.count


def _of_breakers(metrics: Metrics) -> Iterator[_Family]:
    yield _Family(
        "breaker_state",
        "gauge",
        "1 for the state that the circuit breaker is in.",
        tuple(
            ("", {"endpoint": endpoint, "state": state.value}, int(status.state is state))
            for endpoint, status in metrics.breakers.items()
            for state in BreakerState
        ),
    )
    yield _Family(
        "breaker_changes_total",
        "counter",
        "Changes of a circuit breaker's state.",
        _by("endpoint", metrics.breaker_changes),
    )


def _of_limiter(limiter: LimiterStatus | None) -> Iterator[_Family]:
    if limiter is None:
        return
    yield _Family(
        "limiter_window_used",
        "gauge",
        "Requests granted in a window.",
        _by("window_seconds", {f"{w.seconds:g}": w.used for w in limiter.windows}),
    )
    yield _Family(
        "limiter_window_limit",
        "gauge",
        "Requests that a window has room for.",
        _by("window_seconds", {f"{w.seconds:g}": w.limit for w in limiter.windows}),
    )
    yield _Family(
        "limiter_queued",
        "gauge",
        "Requests that wait for the limiter.",
        _by("priority", limiter.queued),
    )
    yield _counter("limiter_grants_total", "Requests granted.", limiter.grants)
    yield _gauge("limiter_next_grant_seconds", "Time until the next grant.", limiter.next_grant)
    yield _gauge("limiter_paused_seconds", "Time until the pause ends.", limiter.paused)
    yield _gauge("limiter_store_up", "1 while grants can be counted.", int(not limiter.problem))
    yield _gauge("limiter_share_ratio", "Share of the set rate in force.", limiter.share)


def _of_process(process: ProcessUse) -> Iterator[_Family]:
    if process.memory is not None:
        yield _gauge("process_resident_memory_bytes", "Memory in use.", process.memory)
    if process.peak_memory is not None:
        yield _gauge("process_peak_memory_bytes", "Most memory in use.", process.peak_memory)
    yield _counter("process_cpu_seconds_total", "Processor time.", process.cpu_seconds)
    yield _counter("gc_pauses_total", "Runs of the garbage collector.", process.gc_pauses)
    yield _counter("gc_pause_seconds_total", "Time of these runs.", process.gc_seconds)
    yield _gauge("gc_pause_max_seconds", "The longest of these runs.", process.gc_longest)


def _counter(name: str, meaning: str, value: float) -> _Family:
    return _Family(name, "counter", meaning, (("", {}, value),))


def _gauge(name: str, meaning: str, value: float) -> _Family:
    return _Family(name, "gauge", meaning, (("", {}, value),))


def _by(label: str, values: Mapping[str, float]) -> tuple[tuple[str, _Labels, float], ...]:
    return tuple(("", {label: text}, value) for text, value in values.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
