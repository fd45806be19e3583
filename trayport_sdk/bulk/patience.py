"""How long a run waits for a service that is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from ..errors import TrayportCircuitBreakerError, TrayportConnectionError, TrayportError

SHORTEST_REST = 0.1
"""Seconds to wait at least before a service that is away is asked again."""


class Patience:
    """The patience of one run.

    A run waits that has been answered, and so does one for several things that has reached the
    service: what fails at first may be its largest requests.

    Args:
        seconds: How long a service may be away.
        clock: Seconds that only grow.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._away_since: float | None = None
        self.reached = False

    def answered(self) -> None:
        """Notes that the service is there."""
        self.reached, self._away_since = True, None

    def lasts(self) -> bool:
        """Whether to go on waiting for a service that was reached before, and is away."""
        if not self.reached:
            return False
        if self._away_since is None:
            self._away_since = self._clock()
        return self._clock() - self._away_since < self._seconds

    def rest(self, error: TrayportError) -> float | None:
        """The seconds after which a request may get through, or None when it is given up."""
        if isinstance(error, TrayportCircuitBreakerError):
            left = (error.retry_at - datetime.now(UTC)).total_seconds()
        elif isinstance(error, TrayportConnectionError) and not error.connected:
            left = 0.0
        else:
            return None
        return max(SHORTEST_REST, left) if self.lasts() else None
