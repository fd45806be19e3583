"""What a client sent, received and waited for, counted in memory that does not grow with it."""

from __future__ import annotations

import gc
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Self

from attrs import frozen

from ..errors import require_extra
from .events import (
    AttemptEvent,
    BreakerEvent,
    Event,
    RetryEvent,
    StaleEvent,
    ThrottleEvent,
    UnexpectedValuesEvent,
)
from .status import BreakerStatus, ConnectionCounts, LimiterStatus

RELATIVE_ERROR = 0.02
SHORTEST, LONGEST = 1e-6, 1e6
_GROWTH = math.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
_LOWEST = math.ceil(math.log(SHORTEST) / _GROWTH)
_HIGHEST = math.ceil(math.log(LONGEST) / _GROWTH)
# In pages, the second number is what proc_pid_statm(5) calls "resident".
_STATM = Path("/proc/self/statm")
_COUNTED: Mapping[type[Event], str] = {
    RetryEvent: "retries",
    BreakerEvent: "breaker_changes",
    StaleEvent: "stale_responses",
    ThrottleEvent: "throttles",
}


@frozen
class Latency:
    """How long requests took, from sending to the last byte or to the failure, in seconds.

    The wait for the limiter is not part of it. Quantiles are exact to 2 %. Everything is 0 when
    there was no request.

    Attributes:
        count: How many requests there were.
        total: Seconds of all of them together.
        p50: Half of them took no longer.
        p90: Nine tenths of them took no longer.
        p99: All but a hundredth of them took no longer.
        max: The longest one.
    """

    count: int
    total: float
    p50: float
    p90: float
    p99: float
    max: float

    @property
    def mean(self) -> float:
        """The average, in seconds."""
        return self.total / self.count if self.count else 0.0


@frozen
class EndpointMetrics:
    """What was requested of one endpoint, or of all of them.

    Attributes:
        requests: Requests that were sent; every attempt counts.
        errors: How many of them failed, by the name of the error's class.
        retries: How often a failed request was scheduled to be sent again.
        stale_responses: Old responses from the cache, because the service failed.
        unexpected_values: How often each field was not of its type and was accepted nevertheless.
        bytes_received: Bytes of the bodies as they were received.
        bytes_decoded: Bytes of the bodies, decompressed.
        latency: How long requests took.
        limiter_wait: Seconds that requests waited for the limiter, all of them together.
        limiter_wait_max: The longest wait for the limiter, in seconds.
    """

    requests: int
    errors: Mapping[str, int]
    retries: int
    stale_responses: int
    unexpected_values: Mapping[str, int]
    bytes_received: int
    bytes_decoded: int
    latency: Latency
    limiter_wait: float
    limiter_wait_max: float

    @property
    def failures(self) -> int:
        """Requests that failed, whatever the error."""
        return sum(self.errors.values())

    @property
    def compression_ratio(self) -> float | None:
        """Decompressed bytes for each byte received; None when none was received."""
        return self.bytes_decoded / self.bytes_received if self.bytes_received else None


@frozen
class ProcessUse:
    """What the whole process uses, not only this package.

    Attributes:
        memory: Bytes of memory in use now; None where there is no `/proc`.
        peak_memory: The most bytes that were ever in use; None on Windows.
        cpu_seconds: Processor time since the process began, in seconds.
        gc_collections: Runs of the garbage collector since the process began.
    """

    memory: int | None
    peak_memory: int | None
    cpu_seconds: float
    gc_collections: int

    @classmethod
    def now(cls) -> Self:
        """Reads the figures from the system and the interpreter."""
        memory = peak = None
        if sys.platform != "win32":
            import resource

            # Bytes on macOS, KiB elsewhere.
            unit = 1 if sys.platform == "darwin" else 1024
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
            if _STATM.exists():
                memory = int(_STATM.read_text().split()[1]) * resource.getpagesize()
        collections = sum(generation["collections"] for generation in gc.get_stats())
        return cls(memory, peak, time.process_time(), collections)


@frozen
class Metrics:
    """What a client did since it was made, and what the process uses.

    Attributes:
        since: When counting began, in UTC.
        endpoints: What was requested of each endpoint, by its path such as `/trades`.
        total: The same of all endpoints together.
        throttles: How often the service said that the key is too fast.
        breakers: The circuit breakers, by the path of their endpoint.
        breaker_changes: How often the breaker of an endpoint changed its state.
        limiter: How much of the allowance is in use; None where nothing limits.
        connections: Connections opened, and the responses that came over them.
        process: What the process uses.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     market = await client.reference.get_market_by_id(10000065)
        ...     metrics = client.get_metrics()
        >>> metrics.endpoints["/markets/{id}"].requests
        1
        >>> metrics.total.failures
        0
    """

    since: datetime
    endpoints: Mapping[str, EndpointMetrics]
    total: EndpointMetrics
    throttles: int
    breakers: Mapping[str, BreakerStatus]
    breaker_changes: Mapping[str, int]
    limiter: LimiterStatus | None
    connections: ConnectionCounts
    process: ProcessUse

    @property
    def reuse_share(self) -> float | None:
        """The share of responses over a connection used before; None when none was opened."""
        counts = self.connections
        return counts.reused / counts.requests if counts.opened and counts.requests else None

    def to_prometheus(self) -> str:
        """The metrics in the text format that Prometheus reads.

        With them come the process, platform and garbage collector figures of prometheus-client.

        Raises:
            TrayportConfigurationError: The extra `metrics` is not installed.
        """
        require_extra("metrics", "prometheus_client", what="to_prometheus")
        # By name, because that module knows this one.
        exposition = import_module(".prometheus", __package__).exposition
        return str(exposition(self))


class MetricsCollector:
    """An observer that counts. It may be called from any thread."""

    def __init__(self) -> None:
        self._since = datetime.now(UTC)
        self._lock = Lock()
        self._total = _Tally()
        self._endpoints: defaultdict[str, _Tally] = defaultdict(_Tally)

    def __call__(self, event: Event) -> None:
        """Counts one event."""
        with self._lock:
            self._total.add(event)
            self._endpoints[event.endpoint].add(event)

    def snapshot(
        self,
        *,
        limiter: LimiterStatus | None,
        breakers: Mapping[str, BreakerStatus],
        connections: ConnectionCounts,
    ) -> Metrics:
        """Everything counted so far, with the given states of limiter, breakers and connections."""
        with self._lock:
            tallies = sorted(self._endpoints.items())
            changes = {endpoint: tally.counts["breaker_changes"] for endpoint, tally in tallies}
            return Metrics(
                since=self._since,
                endpoints={endpoint: tally.metrics() for endpoint, tally in tallies},
                total=self._total.metrics(),
                throttles=self._total.counts["throttles"],
                breakers=dict(breakers),
                breaker_changes={endpoint: n for endpoint, n in changes.items() if n},
                limiter=limiter,
                connections=connections,
                process=ProcessUse.now(),
            )


class _Tally:
    """The counts of one endpoint, or of all of them."""

    def __init__(self) -> None:
        self.durations = Histogram()
        self.waits = Histogram()
        self.errors: Counter[str] = Counter()
        self.unexpected: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def add(self, event: Event) -> None:
        if isinstance(event, AttemptEvent):
            self.durations.add(event.seconds)
            self.waits.add(event.queued)
            self.counts["bytes_received"] += event.bytes_received
            self.counts["bytes_decoded"] += event.bytes_decoded
            if event.error is not None:
                self.errors[type(event.error).__name__] += 1
        elif isinstance(event, UnexpectedValuesEvent):
            self.unexpected.update(event.fields)
        elif type(event) in _COUNTED:
            self.counts[_COUNTED[type(event)]] += 1

    def metrics(self) -> EndpointMetrics:
        durations, waits, counts = self.durations, self.waits, self.counts
        p50, p90, p99 = map(durations.quantile, (0.5, 0.9, 0.99))
        latency = Latency(durations.count, durations.total, p50, p90, p99, durations.longest)
        return EndpointMetrics(
            requests=durations.count,
            errors=dict(sorted(self.errors.items())),
            retries=counts["retries"],
            stale_responses=counts["stale_responses"],
            unexpected_values=dict(sorted(self.unexpected.items())),
            bytes_received=counts["bytes_received"],
            bytes_decoded=counts["bytes_decoded"],
            latency=latency,
            limiter_wait=waits.total,
            limiter_wait_max=waits.longest,
        )


class Histogram:
    """Quantiles of durations in bounded memory, from buckets that grow by a constant factor.

    The middle of a bucket is at most 2 % away from every value in it, however many there are and
    however they lie. Durations below a microsecond or above eleven days share the outermost ones.

    Attributes:
        count: How many there were.
        total: Their sum, in seconds.
        longest: The longest one, in seconds; 0 when there was none.
    """

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.longest = 0.0
        self._shortest = math.inf
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Counts one duration."""
        place = _LOWEST if seconds <= SHORTEST else math.ceil(math.log(seconds) / _GROWTH)
        self._buckets[min(place, _HIGHEST)] += 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)
        self._shortest = min(self._shortest, seconds)

    def quantile(self, share: float) -> float:
        """The duration that so large a share of all stays within; 0 when there was none."""
        rank = max(1, math.ceil(share * self.count))
        for place in sorted(self._buckets):
            rank -= self._buckets[place]
            if rank <= 0:
                middle = math.exp(place * _GROWTH) * (1 - RELATIVE_ERROR)
                return min(max(middle, self._shortest), self.longest)
        return 0.0
