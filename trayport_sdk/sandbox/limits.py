"""How many requests a key may send: exact sliding windows."""

import math
from collections import deque
from collections.abc import Callable

from trayport_spec import REQUEST_LIMITS, RequestLimits

_SECOND, _MINUTE = 1.0, 60.0


class Allowance:
    """The requests of each key within the last second and the last minute.

    A refused request does not count, so whoever waits as told is let in.
    """

    def __init__(
        self, monotonic: Callable[[], float], limits: RequestLimits = REQUEST_LIMITS
    ) -> None:
        self._monotonic = monotonic
        self._windows = ((limits.per_second, _SECOND), (limits.per_minute, _MINUTE))
        self._granted: dict[str, deque[float]] = {}

    def wait_for(self, key: str) -> float:
        """Takes one request from the allowance; else the seconds until there is one."""
        now = self._monotonic()
        granted = self._granted.setdefault(key, deque())
        while granted and now - granted[0] >= _MINUTE:
            granted.popleft()
        wait = 0.0
        for most, length in self._windows:
            if len(granted) >= most:
                wait = max(wait, length - (now - granted[-most]))
        if wait <= 0.0:
            granted.append(now)
        return max(wait, 0.0)


def retry_after(wait: float) -> str:
    """Whole seconds, because the header knows no others."""
    return str(max(1, math.ceil(wait)))
