"""What a client did and what it cost, as values.

They are made by `collector.MetricsCollector` and written for Prometheus by `prometheus.exposition`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import frozen

from .process import ProcessUse

if TYPE_CHECKING:
    from .status import BreakerStatus, ConnectionCounts, LimiterStatus


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
    """What was asked of one endpoint, or of all of them.

    Attributes:
        requests: Requests that were sent, every attempt counted.
        errors: How many of them failed, by the name of the error's class.
        retries: How often a failed request was put back to be sent again.
        stale_answers: Answers from memory, because the service kept failing.
        unexpected_values: How often each field was not of its type, and was taken nevertheless.
        bytes_received: Bytes of the bodies as they came over the wire.
        bytes_decoded: Bytes of the bodies, decompressed.
        latency: How long requests took.
        limiter_wait: Seconds that requests waited for the limiter, all of them together.
        limiter_wait_max: The longest wait for the limiter, in seconds.
    """

    requests: int
    errors: Mapping[str, int]
    retries: int
    stale_answers: int
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
        """How many bytes came out of each one received; None when none was received."""
        return self.bytes_decoded / self.bytes_received if self.bytes_received else None


@frozen
class Metrics:
    """What a client did since it was made, and what the process uses.

    Attributes:
        since: When counting began, in UTC.
        endpoints: What was asked of each endpoint, by its path such as `/trades`.
        total: The same of all endpoints together.
        throttles: How often the service said that the key is too fast.
        breakers: The circuit breakers, by the path of their endpoint.
        breaker_changes: How often the breaker of an endpoint changed its state.
        limiter: How much of the allowance is in use; None where nothing limits.
        connections: Connections opened, and the requests that were answered over them.
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
        """The share of answers over a connection used before; None when none was ever opened."""
        counts = self.connections
        return counts.reused / counts.requests if counts.opened and counts.requests else None

    def to_prometheus(self) -> str:
        """The metrics in the text format that Prometheus reads."""
        from .prometheus import exposition

        return exposition(self)
