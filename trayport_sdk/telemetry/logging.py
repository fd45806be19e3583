"""Events as structured log lines; silent until a handler listens.

The lines go to the logger `trayport_sdk.http` of the standard library, so that a program with a
logging set-up gets them like any others: a readable message, and every field as an attribute of the
record. structlog builds them with processors of our own; the configurations of structlog and of the
root logger are left alone.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TextIO

from ..errors import TrayportError
from .events import (
    AttemptEvent,
    BreakerEvent,
    BreakerState,
    Event,
    FailureEvent,
    RetryEvent,
    StaleEvent,
    ThrottleEvent,
    UnexpectedValuesEvent,
)

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger
    from structlog.typing import Processor

PACKAGE = "trayport_sdk"
LOGGER = "trayport_sdk.http"
# From the line that is logged up to the method here that logs it; structlog stands between.
STACK_LEVEL = 4

_TAKEN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Log:
    """An observer that logs."""

    def __init__(self) -> None:
        package = logging.getLogger(PACKAGE)
        if not any(isinstance(handler, logging.NullHandler) for handler in package.handlers):
            # Without a handler, warnings would land on standard error.
            package.addHandler(logging.NullHandler())
        self._logger = logging.getLogger(LOGGER)
        self._seen: set[tuple[str, str]] = set()

    def __call__(self, event: Event) -> None:
        """Logs one event, if a handler listens."""
        level = _level(event)
        if not self._has_listeners(level):
            return
        log = _structured()
        if isinstance(event, UnexpectedValuesEvent):
            for name, times in event.fields.items():
                if (event.endpoint, name) not in self._seen:
                    self._seen.add((event.endpoint, name))
                    fields = {"endpoint": event.endpoint, "field": name, "times": times}
                    log.log(level, "unexpected value", **fields)
        else:
            message, fields = _line(event)
            log.log(level, message, **fields)

    def _has_listeners(self, level: int) -> bool:
        """Whether a line of this level reaches a handler, so that none is built in vain."""
        return self._logger.isEnabledFor(level) and any(
            not isinstance(handler, logging.NullHandler) for handler in _handlers(self._logger)
        )


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """All handlers that a line of a logger comes to."""
    yield from logger.handlers
    if logger.propagate and logger.parent is not None:
        yield from _handlers(logger.parent)


def _level(event: Event) -> int:
    if isinstance(event, BreakerEvent) and event.state is not BreakerState.CLOSED:
        return logging.WARNING
    return event.level


def _line(
    event: AttemptEvent | RetryEvent | FailureEvent | BreakerEvent | ThrottleEvent | StaleEvent,
) -> tuple[str, dict[str, object]]:
    """The message and the fields of a line."""
    fields: dict[str, object] = {"endpoint": event.endpoint}
    match event:
        case AttemptEvent():
            fields |= {
                "correlation_id": event.correlation_id,
                "attempt": event.attempt,
                "status": None if event.status is None else int(event.status),
                "seconds": _rounded(event.seconds),
                "queued": _rounded(event.queued),
                "bytes_received": event.bytes_received,
                "bytes_decoded": event.bytes_decoded,
                **({} if event.error is None else _error(event.error)),
                "parameters": dict(event.parameters),
            }
            outcome = "cancelled" if event.status is None else "done"
            return f"request {outcome if event.error is None else 'failed'}", fields
        case RetryEvent():
            fields |= {
                "correlation_id": event.correlation_id,
                "attempt": event.attempt,
                "wait": _rounded(event.wait),
                **_error(event.error),
            }
            return "retry", fields
        case FailureEvent():
            fields |= {
                "correlation_id": event.error.correlation_id,
                "attempts": event.error.attempts,
                **_error(event.error),
                "parameters": dict(event.error.parameters),
            }
            return "call failed", fields
        case BreakerEvent():
            fields |= {
                "previous": event.previous.value,
                "state": event.state.value,
                "failures": event.failures,
                "retry_at": None if event.retry_at is None else event.retry_at.isoformat(),
            }
            return "circuit breaker changed", fields
        case ThrottleEvent():
            return "too fast", fields | {"pause": _rounded(event.pause), "share": event.share}
        case StaleEvent():
            return "stale response", fields | {"age": _rounded(event.age)}


def _error(error: TrayportError) -> dict[str, str]:
    # What a user put into a parameter must not begin a line of its own.
    return {"error": type(error).__name__, "reason": " ".join(str(error).split())}


def _rounded(seconds: float) -> float:
    return round(seconds, 6)


@cache
def _structured() -> BoundLogger:
    """The logger as structlog wraps it; structlog is imported with the first line."""
    import structlog
    from structlog.contextvars import get_contextvars
    from structlog.processors import LogfmtRenderer
    from structlog.stdlib import BoundLogger

    logfmt = LogfmtRenderer()

    def record(_: object, __: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """The arguments for the standard library: a message, and the fields beside it."""
        plain = {n: v for n, v in fields.items() if n not in ("event", "parameters")}
        message = f"{fields['event']} {logfmt(None, '', plain)}"
        # What a user has bound to structlog's context shows where the request came from.
        bound = {name + "_" * (name in _TAKEN): v for name, v in get_contextvars().items()}
        return {"msg": message, "extra": {**bound, **fields}, "stacklevel": STACK_LEVEL}

    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(LOGGER),
        processors=[record],
        wrapper_class=BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    ).bind()
    return logger


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment, and knows the level it replaced."""

    def __init__(self, level_before: int) -> None:
        logging.Handler.__init__(self)
        self.level_before = level_before

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # as logging's own handler of last resort
        return sys.stderr


def configure(log_format: Literal["none", "json", "console"], log_level: str) -> None:
    """Chooses how the lines of this package are written to standard error, for the whole process.

    Args:
        log_format: `json` for one object a line, `console` for people, `none` for not at all.
        log_level: The lowest level to write, such as `info`.
    """
    package = logging.getLogger(PACKAGE)
    present = next((h for h in package.handlers if isinstance(h, _Handler)), None)
    if log_format == "none":
        if present is not None:
            package.removeHandler(present)
            package.setLevel(present.level_before)
        return
    handler = present or _Handler(package.level)
    handler.setFormatter(_formatter(log_format))
    package.setLevel(log_level.upper())
    package.addHandler(handler)


def _formatter(log_format: Literal["json", "console"]) -> logging.Formatter:
    from structlog.dev import ConsoleRenderer, plain_traceback
    from structlog.processors import JSONRenderer, TimeStamper
    from structlog.stdlib import (
        ExtraAdder,
        ProcessorFormatter,
        add_log_level,
        add_logger_name,
    )

    renderer: Processor = (
        JSONRenderer(default=str)
        if log_format == "json"
        # Other tracebacks show local variables, and one of them may be the key.
        else ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback)
    )
    return ProcessorFormatter(
        # Every field is an attribute of the record, the event's plain name among them.
        foreign_pre_chain=[ExtraAdder(), add_log_level, add_logger_name, TimeStamper("iso")],
        processors=[ProcessorFormatter.remove_processors_meta, renderer],
    )
