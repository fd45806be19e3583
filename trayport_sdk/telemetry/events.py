"""What happens to requests, as values: metrics, logs, traces and hooks all read the same ones.

The `level` of an event is the lowest level of logging at which it makes a line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, TypeAlias

from attrs import frozen

from ..errors import TrayportError


class BreakerState(StrEnum):
    """What a circuit breaker does with the next request.

    Attributes:
        CLOSED: It is let through.
        OPEN: It fails at once.
        HALF_OPEN: One is let through as a trial, the others fail at once.
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@frozen
class AttemptEvent:
    """One request that was sent, and how it ended.

    Attributes:
        endpoint: The path of the operation, such as `/trades`.
        parameters: The query as it was sent, without secrets.
        correlation_id: The id that all attempts of one call share.
        attempt: Which attempt of the call it was, from 1.
        status: The HTTP status, or None when no response came.
        error: What went wrong, or None.
        queued: Seconds spent waiting for the limiter.
        seconds: From sending to the last byte.
        bytes_received: Bytes of the body as they were received.
        bytes_decoded: Bytes of the body, decompressed.
    """

    level: ClassVar[int] = logging.DEBUG

    endpoint: str
    parameters: Mapping[str, str]
    correlation_id: str
    attempt: int
    status: int | None
    error: TrayportError | None
    queued: float
    seconds: float
    bytes_received: int = 0
    bytes_decoded: int = 0


@frozen
class RetryEvent:
    """A request that failed and will be sent again.

    Attributes:
        endpoint: The path of the operation, such as `/trades`.
        parameters: The query as it was sent, without secrets.
        correlation_id: The id that all attempts of one call share.
        attempt: The attempt that failed, from 1.
        wait: Seconds until the next one.
        error: Why it failed.
    """

    level: ClassVar[int] = logging.WARNING

    endpoint: str
    parameters: Mapping[str, str]
    correlation_id: str
    attempt: int
    wait: float
    error: TrayportError


@frozen
class BreakerEvent:
    """A circuit breaker that changed its state.

    Attributes:
        endpoint: The path of the operation whose breaker it is.
        previous: The state before.
        state: The state now.
        failures: How many requests in a row have failed.
        retry_at: When the next request is let through as a trial, in UTC; None unless open.
    """

    level: ClassVar[int] = logging.INFO

    endpoint: str
    previous: BreakerState
    state: BreakerState
    failures: int
    retry_at: datetime | None


@frozen
class ThrottleEvent:
    """The service said that the key is too fast, and all its requests were slowed down.

    Attributes:
        endpoint: The path of the operation whose response said so.
        pause: Seconds in which no request with the key is sent.
        share: The share of the set rate that is in force after the pause; it recovers in steps.
    """

    level: ClassVar[int] = logging.WARNING

    endpoint: str
    pause: float
    share: float


@frozen
class StaleEvent:
    """Old reference data was served from the cache, because the service fails.

    Attributes:
        endpoint: The path of the operation.
        age: Seconds since it was fetched.
    """

    level: ClassVar[int] = logging.WARNING

    endpoint: str
    age: float


@frozen
class UnexpectedValuesEvent:
    """A response had values that are not of their types, and they were accepted nevertheless.

    Attributes:
        endpoint: The path of the operation.
        fields: How often each field was not of its type.
    """

    level: ClassVar[int] = logging.WARNING

    endpoint: str
    fields: Mapping[str, int]


@frozen
class FailureEvent:
    """A call that failed for good.

    Attributes:
        endpoint: The path of the operation.
        error: Why it failed; it carries the query, the correlation id and the attempts.
    """

    level: ClassVar[int] = logging.ERROR

    endpoint: str
    error: TrayportError


Event: TypeAlias = (
    AttemptEvent
    | RetryEvent
    | FailureEvent
    | BreakerEvent
    | ThrottleEvent
    | StaleEvent
    | UnexpectedValuesEvent
)
Observer: TypeAlias = Callable[[Event], None]
