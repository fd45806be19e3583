"""The words of the limiter: what it is asked, and what it asks whoever counts the grants."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from attrs import field, frozen

if TYPE_CHECKING:
    from .limits import Limits


@frozen
class Grant:
    """Leave to send one request.

    Attributes:
        moment: When it was given, in milliseconds of the store's clock.
        queued: Seconds it took to get.
        given: When it was given, in seconds of the limiter's clock.
    """

    moment: int
    queued: float
    given: float = field(default=-math.inf, eq=False, repr=False)


class StoreError(Exception):
    """The store cannot be reached, or does not answer as it should."""


@frozen
class Taken:
    """The answer to a wish: granted `now`, or how many milliseconds to wait.

    Attributes:
        now: The time of the store, in milliseconds.
        wait: Milliseconds until it is worth to ask again; 0 when it was granted.
        paused: Milliseconds that a pause goes on, as far as the wait is due to one.
    """

    now: int
    wait: int
    paused: int = 0


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
    """Whether an answer may take a while, so that no event loop should wait for it."""

    @abstractmethod
    def take(self, limits: Limits) -> Taken:
        """Takes one request from the allowance, or says how long to wait."""

    @abstractmethod
    def slow_down(self, pause: int, granted: int) -> float:
        """Pauses everybody and halves the rate; the result is the share now in force."""

    @abstractmethod
    def look(self, limits: Limits) -> Look:
        """How much of the allowance is used. Takes nothing."""

    @abstractmethod
    def after_fork(self, limits: Limits) -> None:
        """Goes on in a child process."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of files and connections."""
