"""Sends a request again when that may help, and only for as long as it may."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import backoff
from attrs import frozen

from ..errors import (
    TrayportAPIError,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportRateLimitError,
    TrayportServerError,
)

if TYPE_CHECKING:
    from backoff.types import Details

T = TypeVar("T")
OnRetry = Callable[[int, float, TrayportError], None]

MALFORMED_RETRIES = 2
FORBIDDEN_SPREAD = 0.25
_MOST_DOUBLINGS = 60  # a wait beyond is older than the universe, and soon no float


class _Kind(Enum):
    """How an error is answered: each kind has its own waits and its own number of retries."""

    PASSING = auto()
    MALFORMED = auto()
    FORBIDDEN = auto()


def _kind(error: TrayportError) -> _Kind | None:
    """The kind of an error that another attempt may cure, or None."""
    match error:
        case TrayportAuthorizationError():
            return _Kind.FORBIDDEN
        case TrayportDecodeError():
            return _Kind.MALFORMED
        case TrayportConnectionError() | TrayportRateLimitError() | TrayportServerError():
            return _Kind.PASSING
        case TrayportAPIError(status_code=HTTPStatus.REQUEST_TIMEOUT):
            return _Kind.PASSING
        case _:
            return None


@frozen
class RetryPolicy:
    """When a failed request is sent again, and how long to wait before.

    Sent again are requests that met a broken connection, a timeout, a cut or malformed answer, or
    a status of 408, 429 or 5xx; and those refused with 403, which the live service says to keys
    without the right and to keys that are too fast. Everything else fails at once.

    A wait is drawn between nothing and `base`, doubled with every retry up to `cap`, so that many
    callers do not come back together. A `Retry-After` of the service is kept to the letter.

    Attributes:
        retries: How often a call is sent again at most, whatever the reasons; 0 sends it once.
        base: Seconds up to which the first wait is drawn.
        cap: Seconds up to which any wait is drawn.
        budget: Seconds after which no attempt of a call begins, counted from its start by the
            clock of `run`. A wait that would end later is not begun: the call fails at once.
        forbidden_retries: How many of the retries may follow a 403.
        forbidden_wait: Seconds to wait after the first 403 at least; doubled with every further.
    """

    retries: int
    base: float
    cap: float
    budget: float
    forbidden_retries: int
    forbidden_wait: float

    async def run(
        self,
        attempt: Callable[[int], Awaitable[T]],
        *,
        on_retry: OnRetry,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
    ) -> T:
        """Makes attempts until one succeeds or another would be no use.

        Args:
            attempt: Sends the request once; gets the number of the attempt, from 1.
            on_retry: Told before each wait: the attempt that failed, the seconds, the error.
            clock: Seconds that only grow.
            random: A number from 0 up to 1, drawn for every wait.

        Raises:
            TrayportError: The last failure, with the number of requests sent in `attempts`. When a
                circuit breaker refused a retry, it is the failure before, which says more.
        """
        course = _Course(self, clock, random)

        async def send() -> T:
            course.attempt += 1
            try:
                return await attempt(course.attempt)
            except TrayportError as error:
                course.learn(error)
                raise

        def announce(_: Details) -> None:
            if course.wait is not None and course.failure is not None:
                on_retry(course.attempt, course.wait, course.failure)

        # `max_time` would cut a wait short and `jitter` a Retry-After, so both stay unused; to end
        # the waits instead of giving up would leave a StopIteration in the error's context.
        persistent = backoff.on_exception(
            course.waits,
            TrayportError,
            jitter=None,
            giveup=lambda _: course.wait is None,
            on_backoff=announce,
            logger=None,
        )(send)
        try:
            return await persistent()
        except TrayportCircuitBreakerError as refusal:
            if course.failure is None:
                raise
            failure = course.failure
            failure.add_note(f"It was not sent again: {refusal}")
        raise failure


class _Course:
    """What one call has been through, and what follows from it."""

    def __init__(
        self,
        policy: RetryPolicy,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._random = random
        self._started = clock()
        self._retries: Counter[_Kind] = Counter()
        self.attempt = 0
        self.failure: TrayportError | None = None
        self.wait: float | None = None

    def learn(self, error: TrayportError) -> None:
        """Decides after a failure whether there is another attempt, and after which wait."""
        self.wait = None
        kind = _kind(error)
        # What is of no kind and has no status was refused before it was sent.
        sent = kind is not None or isinstance(error, TrayportAPIError)
        error.attempts = self.attempt if sent else self.attempt - 1
        if isinstance(error, TrayportCircuitBreakerError):
            self.attempt -= 1
        if kind is None:
            return
        self.failure = error
        if self._retries.total() >= self._policy.retries or self._retries[kind] >= self._limit(
            kind
        ):
            return
        wait = self._wait(error, kind, self._retries[kind] + 1)
        if self._clock() - self._started + wait <= self._policy.budget:
            self.wait = wait
            self._retries[kind] += 1

    def _limit(self, kind: _Kind) -> int:
        match kind:
            case _Kind.PASSING:
                return self._policy.retries
            case _Kind.MALFORMED:
                # A whole answer of an unknown shape comes again; only a damaged one may be cured.
                return MALFORMED_RETRIES
            case _Kind.FORBIDDEN:
                return self._policy.forbidden_retries

    def _wait(self, error: TrayportError, kind: _Kind, retry: int) -> float:
        """The seconds to wait before a retry, which is counted from 1 among those of its kind."""
        if isinstance(error, TrayportAPIError) and error.retry_after is not None:
            return error.retry_after
        factor = 2.0 ** min(retry - 1, _MOST_DOUBLINGS)
        if kind is _Kind.FORBIDDEN:
            # Never shorter, and spread, so that a crowd that was too fast does not return at once.
            return self._policy.forbidden_wait * factor * (1 + FORBIDDEN_SPREAD * self._random())
        return self._random() * min(self._policy.cap, self._policy.base * factor)

    def waits(self) -> Generator[float]:
        """The waits decided on, in the form that backoff asks for."""
        while True:
            yield 0.0 if self.wait is None else self.wait
