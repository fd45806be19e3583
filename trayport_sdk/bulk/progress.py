"""How far a call has come, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import evolve, fields, frozen


@frozen
class Progress:
    """How far a call has come.

    Attributes:
        requests_done: Requests that were answered.
        requests_planned: Requests that the call needs. It grows when one has to be split.
        requests_failed: Requests that failed for good.
        rows: Rows that were received.
        bytes_decoded: Bytes of the answers, decompressed.
        bytes_received: Bytes of the answers as they came over the wire.
        seconds: Since the call began.
    """

    requests_done: int
    requests_planned: int
    requests_failed: int
    rows: int
    bytes_decoded: int
    bytes_received: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows received in a second, so far."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def bytes_per_second(self) -> float:
        """Decompressed bytes received in a second, so far."""
        return self.bytes_decoded / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes if it goes on like this; None before the first answer."""
        ended = self.requests_done + self.requests_failed
        if not ended:
            return None
        return self.seconds / ended * (self.requests_planned - ended)


OnProgress: TypeAlias = Callable[[Progress], None]
"""Is told how far a call has come."""


class Total:
    """Counts the requests of several runs as one.

    Args:
        tell: Told after every answer.
    """

    def __init__(self, tell: OnProgress) -> None:
        self._tell = tell
        self._so_far = Progress(0, 0, 0, 0, 0, 0, 0.0)

    def of_run(self, later: int) -> OnProgress:
        """What the next run tells, where so many requests are expected after it."""
        before = self._so_far

        def told(progress: Progress) -> None:
            names = [attribute.name for attribute in fields(Progress)]
            self._so_far = Progress(
                *(getattr(before, name) + getattr(progress, name) for name in names)
            )
            planned = self._so_far.requests_planned + later
            self._tell(evolve(self._so_far, requests_planned=planned))

        return told
