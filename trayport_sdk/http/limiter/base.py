"""What every store of grants can do. It counts those of one allowance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from attrs import field, frozen

from .limits import Limits

SENDING_MILLISECONDS = 10_000
"""How long a request counts as just sent, at most, if nobody says that it is: its process may be
stopped, or dead."""

NEW_MILLISECONDS = 1_100
"""How long a store grants nothing after it was made. It may replace one that is lost, and that
others still count in: what they sent until then has left the windows of a second by its end."""


class StoreError(Exception):
    """The store cannot be reached, or does not respond as it should.

    Args:
        message: What is wrong.
        way_out: What to do about it.
    """

    def __init__(self, message: str, way_out: str = "check the setting limiter_store") -> None:
        super().__init__(message)
        self.way_out = way_out


@frozen
class Taken:
    """The result of a request for a grant: granted `now`, or how many milliseconds to wait.

    Attributes:
        now: The time of the store, in milliseconds.
        wait: Milliseconds until another attempt makes sense; 0 when it was granted.
        paused: Milliseconds that a pause goes on, as far as the wait is due to one.
        name: The name of the grant; empty if there is none.
    """

    now: int
    wait: int
    paused: int = 0
    name: str = field(default="", eq=False)


@frozen
class Look:
    """How full a store is.

    Attributes:
        used: The grants within each window of the limits.
        wait: Milliseconds until the next grant is possible.
        paused: Milliseconds that a pause goes on.
        share: The share of the rate in force.
    """

    used: tuple[int, ...]
    wait: int
    paused: int
    share: float


class Store(ABC):
    """Counts the grants of one allowance; safe for use by several threads."""

    name: ClassVar[str]
    remote: ClassVar[bool]
    """Whether a call may take a while, so that no event loop should wait for it."""

    @abstractmethod
    def take(self, limits: Limits, ahead: int = 0) -> Taken:
        """Takes one grant from the allowance, or returns how long to wait.

        Args:
            limits: The windows to keep.
            ahead: How many milliseconds before the windows let it be used; `start` waits for that.
        """

    @abstractmethod
    def start(self, name: str, limits: Limits) -> Taken:
        """Uses a grant now, or returns how long to wait, and has it count from then on.

        Once it is used it counts as if it was given just now, until `finish`.
        """

    @abstractmethod
    def finish(self, name: str) -> None:
        """Counts a grant that was started from now on."""

    @abstractmethod
    def slow_down(self, pause: int, granted: int) -> float:
        """Pauses all requests and halves the rate; returns the share now in force."""

    @abstractmethod
    def look(self, limits: Limits) -> Look:
        """Returns how much of the allowance is used. Takes nothing."""

    @abstractmethod
    def after_fork(self, limits: Limits) -> None:
        """Continues in a child process."""

    @abstractmethod
    def close(self) -> None:
        """Closes files and connections; the next use opens them again."""
