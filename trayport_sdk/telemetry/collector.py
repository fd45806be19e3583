"""Counts what happens on the wire, in memory that does not grow with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from .events import (
    AttemptEvent,
    BreakerEvent,
    Event,
    RetryEvent,
    StaleEvent,
    ThrottleEvent,
    UnexpectedValuesEvent,
)
from .metrics import EndpointMetrics, Latency, Metrics
from .process import GarbageWatch, process_use
from .quantiles import Histogram

if TYPE_CHECKING:
    from .status import BreakerStatus, ConnectionCounts, LimiterStatus


class MetricsCollector:
    """An observer that counts. It may be told of events from any thread."""

    def __init__(self) -> None:
        self._since = datetime.now(UTC)
        self._lock = Lock()
        self._tallies: dict[str, _Tally] = {}
        self._throttles = 0
        self._garbage = GarbageWatch()

    def __call__(self, event: Event) -> None:
        """Counts one event."""
        with self._lock:
            tally = self._tallies.get(event.endpoint)
            if tally is None:
                tally = self._tallies[event.endpoint] = _Tally()
            if isinstance(event, AttemptEvent):
                tally.attempt(event)
            elif isinstance(event, RetryEvent):
                tally.retries += 1
            elif isinstance(event, BreakerEvent):
                tally.breaker_changes += 1
            elif isinstance(event, ThrottleEvent):
                self._throttles += 1
            elif isinstance(event, StaleEvent):
                tally.stale_answers += 1
            elif isinstance(event, UnexpectedValuesEvent):
                tally.unexpected_values.update(event.fields)

    def snapshot(
        self,
        *,
        limiter: LimiterStatus | None,
        breakers: Mapping[str, BreakerStatus],
        connections: ConnectionCounts,
    ) -> Metrics:
        """Everything counted so far, with the state of what others keep."""
        with self._lock:
            tallies = {endpoint: self._tallies[endpoint] for endpoint in sorted(self._tallies)}
            endpoints = {endpoint: tally.metrics() for endpoint, tally in tallies.items()}
            total = _Tally.merged(tallies.values()).metrics()
            changes = {e: t.breaker_changes for e, t in tallies.items() if t.breaker_changes}
            throttles = self._throttles
        return Metrics(
            since=self._since,
            endpoints=endpoints,
            total=total,
            throttles=throttles,
            breakers=dict(breakers),
            breaker_changes=changes,
            limiter=limiter,
            connections=connections,
            process=process_use(self._garbage),
        )

    def close(self) -> None:
        """Watches the garbage collector no more; what was counted stays."""
        self._garbage.close()


class _Tally:
    """The counts of one endpoint."""

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()
        self.unexpected_values: Counter[str] = Counter()
        self.retries = 0
        self.stale_answers = 0
        self.breaker_changes = 0
        self.bytes_received = 0
        self.bytes_decoded = 0
        self.limiter_wait = 0.0
        self.limiter_wait_max = 0.0
        self.durations = Histogram()

    def attempt(self, event: AttemptEvent) -> None:
        self.durations.add(event.seconds)
        self.bytes_received += event.bytes_received
        self.bytes_decoded += event.bytes_decoded
        self.limiter_wait += event.queued
        self.limiter_wait_max = max(self.limiter_wait_max, event.queued)
        if event.error is not None:
            self.errors[type(event.error).__name__] += 1

    def metrics(self) -> EndpointMetrics:
        durations = self.durations
        return EndpointMetrics(
            requests=durations.count,
            errors=dict(sorted(self.errors.items())),
            retries=self.retries,
            stale_answers=self.stale_answers,
            unexpected_values=dict(sorted(self.unexpected_values.items())),
            bytes_received=self.bytes_received,
            bytes_decoded=self.bytes_decoded,
            latency=Latency(
                count=durations.count,
                total=durations.total,
                p50=durations.quantile(0.5),
                p90=durations.quantile(0.9),
                p99=durations.quantile(0.99),
                max=durations.longest,
            ),
            limiter_wait=self.limiter_wait,
            limiter_wait_max=self.limiter_wait_max,
        )

    @classmethod
    def merged(cls, tallies: Iterable[_Tally]) -> _Tally:
        parts = list(tallies)
        whole = cls()
        for part in parts:
            whole.errors.update(part.errors)
            whole.unexpected_values.update(part.unexpected_values)
            whole.retries += part.retries
            whole.stale_answers += part.stale_answers
            whole.bytes_received += part.bytes_received
            whole.bytes_decoded += part.bytes_decoded
            whole.limiter_wait += part.limiter_wait
            whole.limiter_wait_max = max(whole.limiter_wait_max, part.limiter_wait_max)
        whole.durations = Histogram.merged(part.durations for part in parts)
        return whole
