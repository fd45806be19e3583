"""The allowance of one key, shared by every client of the process.

A key may send so many requests a second and a minute [documented]. Grants stay at three quarters of
that and come in small bursts, and each window is a little longer than its name says, because what
leaves evenly does not arrive evenly.
"""

from __future__ import annotations

import hashlib
import math
from threading import Lock

from pyrate_limiter import InMemoryBucket, Limiter, Rate
from trayport_spec import REQUEST_LIMITS

SHARE_OF_ALLOWANCE = 0.75
WINDOW_PADDING = 1.02
BURST_MILLISECONDS = 500

_limiters: dict[tuple[str, str], RequestLimiter] = {}
_registry = Lock()


class RequestLimiter:
    """Grants requests one after the other, never more than the allowance in any window."""

    def __init__(self, per_second: int, per_minute: int) -> None:
        windows = (
            (math.ceil(per_second / 2), BURST_MILLISECONDS),
            (per_second, 1_000),
            (per_minute, 60_000),
        )
        rates = [Rate(limit, round(length * WINDOW_PADDING)) for limit, length in windows]
        self._limiter = Limiter(InMemoryBucket(rates), buffer_ms=1)

    async def acquire(self) -> None:
        """Waits until a request may be sent."""
        await self._limiter.try_acquire_async("request", timeout=-1)


def shared_limiter(key: str, host: str) -> RequestLimiter:
    """The limiter that all clients of this process with this key and host share."""
    name = hashlib.sha256(key.encode()).hexdigest(), host
    with _registry:
        if name not in _limiters:
            _limiters[name] = RequestLimiter(
                max(1, int(REQUEST_LIMITS.per_second * SHARE_OF_ALLOWANCE)),
                max(1, int(REQUEST_LIMITS.per_minute * SHARE_OF_ALLOWANCE)),
            )
        return _limiters[name]
