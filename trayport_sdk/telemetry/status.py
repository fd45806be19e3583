"""The state of the limiter, the circuit breakers and the connections, as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from .events import BreakerState


@frozen
class WindowUse:
    """How much of one limit is used.

    Attributes:
        seconds: The length of the window.
        limit: How many requests it allows.
        used: How many were sent within it, up to now.
    """

    seconds: float
    limit: int
    used: int


@frozen
class LimiterStatus:
    """How busy the allowance of a key is.

    Attributes:
        windows: The use of each limit, the shortest window first.
        queued: How many requests of this process wait, by priority.
        next_grant: Seconds until the next request may leave.
        share: The share of the set rate in force; below 1 after the service said "too fast".
        paused: Seconds until requests with the key may be sent again.
        grants: How many requests this process was granted.
        store: Where grants are counted: `memory`, `sqlite` or `redis`.
        problem: Why the store cannot be used at the moment, or an empty string.
    """

    windows: tuple[WindowUse, ...]
    queued: Mapping[str, int]
    next_grant: float
    share: float
    paused: float
    grants: int
    store: str = "memory"
    problem: str = ""


@frozen
class BreakerStatus:
    """What a circuit breaker is doing.

    Attributes:
        state: What it does with the next request.
        failures: How many requests in a row have failed.
        retry_at: When the next request is let through as a trial, in UTC; None unless open.
    """

    state: BreakerState
    failures: int
    retry_at: datetime | None


@frozen
class ConnectionCounts:
    """How connections were used.

    Attributes:
        opened: Connections that were opened.
        requests: Requests with a response.
        reused: Those of them whose connection had carried a response before.
    """

    opened: int
    requests: int
    reused: int = 0
