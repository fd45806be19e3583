"""What happens on the wire as structured log lines; silent until somebody wants to hear it.

The lines go to the logger `trayport_sdk.http` of the standard library, so that whoever has set up
logging gets them as any others: a readable message, and every field as an attribute of the record.
structlog builds them with processors of our own; the configuration of structlog and of the root
logger are left alone.
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
        self._unexpected: set[tuple[str, str]] = set()

    def __call__(self, event: Event) -> None:
        """Logs one event, if anybody listens."""
        level = _level(event)
        if not self._heard(level):
            return
        log = _structured()
        if isinstance(event, AttemptEvent):
            log.log(level, f"request {_outcome(event)}", **_attempt(event))
        elif isinstance(event, RetryEvent):
            log.log(
                level, "retry", **_call(event), wait=_rounded(event.wait), **_error(event.error)
            )
        elif isinstance(event, BreakerEvent):
            log.log(
                level,
                "circuit breaker changed",
                endpoint=event.endpoint,
                previous=event.previous.value,
                state=event.state.value,
                failures=event.failures,
                retry_at=None if event.retry_at is None else event.retry_at.isoformat(),
            )
        elif isinstance(event, ThrottleEvent):
            log.log(
                level,
                "too fast",
                endpoint=event.endpoint,
                pause=_rounded(event.pause),
                share=event.share,
            )
        elif isinstance(event, FailureEvent):
            log.log(
                level,
                "call failed",
                endpoint=event.endpoint,
                correlation_id=event.error.correlation_id,
                attempts=event.error.attempts,
                **_error(event.error),
                parameters=dict(event.error.parameters),
            )
        elif isinstance(event, UnexpectedValuesEvent):
            self._log_once(log, level, event)
        else:
            log.log(level, "stale answer", endpoint=event.endpoint, age=_rounded(event.age))

    def _log_once(self, log: BoundLogger, level: int, event: UnexpectedValuesEvent) -> None:
        for name, times in event.fields.items():
            if (event.endpoint, name) not in self._unexpected:
                self._unexpected.add((event.endpoint, name))
                log.log(level, "unexpected value", endpoint=event.endpoint, field=name, times=times)

    def _heard(self, level: int) -> bool:
        """Whether a line of this level reaches anybody, so that none is built in vain."""
        return self._logger.isEnabledFor(level) and any(
            not isinstance(handler, logging.NullHandler) for handler in _handlers(self._logger)
        )


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """All handlers that a line of a logger comes to."""
    yield from logger.handlers
    if logger.propagate and logger.parent is not None:
        yield from _handlers(logger.parent)


def _level(event: Event) -> int:
    if isinstance(event, AttemptEvent):
        return logging.DEBUG
    if isinstance(event, FailureEvent):
        return logging.ERROR
    closed = isinstance(event, BreakerEvent) and event.state is BreakerState.CLOSED
    return logging.INFO if closed else logging.WARNING


def _outcome(event: AttemptEvent) -> str:
    if event.error is not None:
        return "failed"
    return "cancelled" if event.status is None else "done"


def _call(event: AttemptEvent | RetryEvent) -> dict[str, object]:
    return {
        "endpoint": event.endpoint,
        "correlation_id": event.correlation_id,
        "attempt": event.attempt,
    }


def _attempt(event: AttemptEvent) -> dict[str, object]:
    return {
        **_call(event),
        "status": None if event.status is None else int(event.status),
        "seconds": _rounded(event.seconds),
        "queued": _rounded(event.queued),
        "bytes_received": event.bytes_received,
        "bytes_decoded": event.bytes_decoded,
        **({} if event.error is None else _error(event.error)),
        "parameters": dict(event.parameters),
    }


def _error(error: TrayportError) -> dict[str, str]:
    # What a user put into a parameter must not begin a line of its own.
    return {"error": type(error).__name__, "reason": " ".join(str(error).split())}


def _rounded(seconds: float) -> float:
    return round(seconds, 6)


@cache
def _structured() -> BoundLogger:
    """structlog's side of the logger. It is imported with the first line that is wanted."""
    import structlog
    from structlog.contextvars import get_contextvars
    from structlog.processors import LogfmtRenderer
    from structlog.stdlib import BoundLogger

    logfmt = LogfmtRenderer()

    def record(_: object, __: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """The arguments for the standard library: a message, and the fields beside it."""
        plain = {n: v for n, v in fields.items() if n not in ("event", "parameters")}
        message = f"{fields['event']} {logfmt(None, '', plain)}"
        # What a user has bound to structlog's context tells whose request it was.
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
        log_level: The least important lines to write, such as `info`.
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
