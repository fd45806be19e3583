"""Sends a request again when that may help, and only for as long as it may."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from http import HTTPStatus
from typing import Any, TypeVar

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

T = TypeVar("T")
OnRetry = Callable[[int, float, TrayportError], None]

MALFORMED_RETRIES = 2
FORBIDDEN_SPREAD = 0.25
_MOST_DOUBLINGS = 60  # beyond, the wait is soon no float


@frozen
class RetryPolicy:
    """When a failed request is sent again, and how long to wait before.

    Sent again are requests that met a broken connection, a timeout, a cut or malformed response, or
    a status of 408, 429 or 5xx; and those refused with 403, which the live service says to keys
    without the right and to keys that are too fast. Everything else fails at once.

    A wait is drawn between nothing and `base`, doubled with every retry up to `cap`, so that many
    callers do not come back together. A `Retry-After` of the service is kept to the letter.

    Attributes:
        retries: How often a request is sent again at most, whatever the reasons; 0 sends it once.
        base: Seconds up to which the first wait is drawn.
        cap: Seconds up to which any wait is drawn.
        budget: Seconds after which no attempt begins, counted from the start by the clock of
            `run`. A wait that would end later is not begun: the request fails at once.
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
        attempt: Callable[[int, float], Awaitable[T]],
        *,
        on_retry: OnRetry,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
    ) -> T:
        """Makes attempts until one succeeds or another would be no use.

        Args:
            attempt: Sends the request once; gets the number of the attempt, from 1, and when the
                budget ends, by the clock.
            on_retry: Called before each wait: the attempt that failed, the seconds, the error.
            clock: Seconds that only grow.
            random: A number from 0 up to 1, drawn for every wait.

        Raises:
            TrayportError: The last failure, with the number of requests sent in `attempts`. When a
                circuit breaker refused a retry, it is the failure before, which says more.
        """
        history = _History()
        end = clock() + self.budget

        async def send() -> T:
            history.attempt += 1
            try:
                return await attempt(history.attempt, end)
            except TrayportError as error:
                history.wait = self._wait(error, history, end - clock(), random)
                raise

        def announce(_: Any) -> None:
            if history.wait is not None and history.failure is not None:
                on_retry(history.attempt, history.wait, history.failure)

        # `max_time` would cut a wait short and `jitter` a Retry-After, so both stay unused; to end
        # the waits instead of giving up would leave a StopIteration in the error's context.
        persistent = backoff.on_exception(
            history.waits,
            TrayportError,
            jitter=None,
            giveup=lambda _: history.wait is None,
            on_backoff=announce,
            logger=None,
        )(send)
        try:
            return await persistent()
        except TrayportCircuitBreakerError as refusal:
            if history.failure is None:
                raise
            failure = history.failure
            failure.add_note(f"It was not sent again: {refusal}")
        raise failure

    def _wait(
        self,
        error: TrayportError,
        history: _History,
        left: float,
        random: Callable[[], float],
    ) -> float | None:
        """Seconds to wait before the next attempt, or None when there is none."""
        rule = self._rule(error)
        # Other errors without a rule were raised before anything was sent.
        was_sent = rule is not None or isinstance(error, TrayportAPIError | TrayportDecodeError)
        error.attempts = history.attempt if was_sent else history.attempt - 1
        if rule is None:
            return None
        history.failure = error
        retries = history.retries
        if retries.total() >= self.retries or retries[rule.kind] >= rule.retries:
            return None
        wait = error.retry_after if isinstance(error, TrayportAPIError) else None
        if wait is None:
            wait = rule.wait(retries[rule.kind] + 1, random())
        if wait >= left:
            return None
        retries[rule.kind] += 1
        return wait

    def _rule(self, error: TrayportError) -> _Rule | None:
        """How errors of this kind are retried, or None when another attempt is no use."""
        match error:
            case TrayportAuthorizationError():
                # Never shorter, and spread, so that keys that were too fast do not return together.
                longest = self.forbidden_wait * (1 + FORBIDDEN_SPREAD)
                return _Rule("forbidden", self.forbidden_retries, self.forbidden_wait, longest)
            case TrayportDecodeError() if error.retryable:
                # A whole response of an unknown shape stays so; a damaged one may come whole.
                return _Rule("malformed", MALFORMED_RETRIES, 0.0, self.base, self.cap)
            case (
                TrayportConnectionError()
                | TrayportRateLimitError()
                | TrayportServerError()
                | TrayportAPIError(status_code=HTTPStatus.REQUEST_TIMEOUT)
            ):
                return _Rule("transient", self.retries, 0.0, self.base, self.cap)
            case _:
                return None


@frozen
class _Rule:
    """How often errors of a kind are retried, and the bounds of the first wait."""

    kind: str
    retries: int
    shortest: float
    longest: float
    cap: float = math.inf

    def wait(self, retry: int, random: float) -> float:
        """Seconds before a retry, counted from 1: doubled with each, between the bounds."""
        factor = 2.0 ** min(retry - 1, _MOST_DOUBLINGS)
        shortest = self.shortest * factor
        return shortest + (min(self.cap, self.longest * factor) - shortest) * random


class _History:
    """The attempts so far, and the wait before the next one, or None when there is none."""

    def __init__(self) -> None:
        self.retries: Counter[str] = Counter()
        self.attempt = 0
        self.failure: TrayportError | None = None
        self.wait: float | None = None

    def waits(self) -> Generator[float]:
        """The waits decided on, in the form that backoff takes."""
        while True:
            yield 0.0 if self.wait is None else self.wait
