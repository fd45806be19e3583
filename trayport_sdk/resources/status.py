"""What limits and breakers a client at the moment, as a value and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from ..telemetry.events import BreakerState

if TYPE_CHECKING:
    from ..telemetry.status import BreakerStatus, ConnectionCounts, LimiterStatus


@frozen
class Status:
    """What a client is doing at the moment. Its text is one line for each part.

    Attributes:
        limiter: How much of the allowance is in use; None where nothing limits.
        breakers: The circuit breakers, by the path of their endpoint such as `/trades`.
        connections: Connections opened, and the requests that they carried.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     print(client.get_status())
        limiter      nothing limits requests
        breakers     all closed
        connections  0 opened for 0 requests
    """

    limiter: LimiterStatus | None
    breakers: Mapping[str, BreakerStatus]
    connections: ConnectionCounts

    def __str__(self) -> str:
        connections = self.connections
        return "\n".join(
            (
                f"limiter      {limiter_in_words(self.limiter)}",
                f"breakers     {breakers_in_words(self.breakers)}",
                f"connections  {connections.opened} opened for {connections.requests} requests",
            )
        )


def limiter_in_words(limiter: LimiterStatus | None) -> str:
    """How much of the allowance is in use, and what slows requests down."""
    if limiter is None:
        return "nothing limits requests"
    if limiter.problem:
        return f"the store of the allowance cannot be used: {limiter.problem}"
    parts = [
        ", ".join(f"{w.used} of {w.limit} in {w.seconds:g} s" for w in limiter.windows),
        f"counted in {limiter.store}",
    ]
    waiting = sum(limiter.queued.values())
    if waiting:
        parts.append(f"{waiting} waiting, the next leaves in {limiter.next_grant:.1f} s")
    if limiter.paused > 0:
        parts.append(f"paused for {limiter.paused:.1f} s, as the service said the key is too fast")
    if limiter.share < 1:
        parts.append(f"at {limiter.share:.0%} of the set rate, recovering")
    return "; ".join(parts)


def breakers_in_words(breakers: Mapping[str, BreakerStatus]) -> str:
    """The circuit breakers that are not closed."""
    told = [f"{endpoint} {_in_words(status)}" for endpoint, status in breakers.items()]
    return "; ".join(text for text in told if not text.endswith(" closed")) or "all closed"


def _in_words(status: BreakerStatus) -> str:
    if status.state is BreakerState.CLOSED:
        return "closed"
    if status.state is BreakerState.HALF_OPEN:
        return "half-open: the next request is a trial"
    until = "" if status.retry_at is None else f" until {status.retry_at:%H:%M:%S} UTC"
    return f"open{until}, after {status.failures} failures in a row"
