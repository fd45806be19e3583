"""How far a call has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import evolve, fields, frozen


@frozen
class Progress:
    """How far a call has come.

    Attributes:
        requests_done: Requests that succeeded.
        requests_planned: Requests that the call needs. It grows when a request has to be split.
        requests_failed: Requests that failed for good.
        rows: Rows that were received.
        bytes_decoded: Bytes of the responses, decompressed.
        bytes_received: Bytes of the responses as they came over the wire.
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
        """How long the rest takes if it goes on like this; None before the first response."""
        ended = self.requests_done + self.requests_failed
        if not ended:
            return None
        return self.seconds / ended * (self.requests_planned - ended)


OnProgress: TypeAlias = Callable[[Progress], None]
"""Is called after each response with how far a call has come."""


class Total:
    """Counts the requests of several runs as one.

    Args:
        on_progress: Called after each response, with the progress of all of them.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._so_far = Progress(0, 0, 0, 0, 0, 0, 0.0)

    def of_run(self, later: int) -> OnProgress:
        """What the next run calls, where so many requests are expected after it."""
        before = self._so_far

        def add(progress: Progress) -> None:
            names = [attribute.name for attribute in fields(Progress)]
            self._so_far = Progress(
                *(getattr(before, name) + getattr(progress, name) for name in names)
            )
            planned = self._so_far.requests_planned + later
            self._on_progress(evolve(self._so_far, requests_planned=planned))

        return add
