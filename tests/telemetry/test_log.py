"""What is logged, for whom, and what it costs when nobody listens."""

import json
import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import structlog

from trayport_sdk import TrayportServerError
from trayport_sdk.errors import RequestContext
from trayport_sdk.telemetry import logging as log
from trayport_sdk.telemetry.events import (
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
from trayport_sdk.telemetry.logging import LOGGER, PACKAGE, Log, configure

CONTEXT = RequestContext("/trades", {"marketId": "1", "routes": "a\nb"}, "f00")
FAILED = TrayportServerError(
    "503, the service failed", status_code=503, context=CONTEXT, attempts=2
)
RETRY = RetryEvent("/trades", {}, "f00", 1, 0.5, FAILED)
DONE = AttemptEvent("/trades", {"marketId": "1"}, "f00", 1, 200, None, 0.1, 0.25, 10, 100)
OPENED = BreakerEvent(
    "/trades", BreakerState.CLOSED, BreakerState.OPEN, 5, datetime(2024, 3, 4, tzinfo=UTC)
)
CLOSED = BreakerEvent("/trades", BreakerState.HALF_OPEN, BreakerState.CLOSED, 0, None)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    package = logging.getLogger(PACKAGE)
    before = package.handlers[:]
    package.handlers.clear()
    yield
    configure("none", "info")
    package.handlers[:] = before


@contextmanager
def unheard() -> Generator[None]:
    """No handler listens, not even those that pytest gives to every logger before a test."""
    package = logging.getLogger(PACKAGE)
    package.propagate, handlers = False, package.handlers[:]
    package.handlers.clear()
    try:
        yield
    finally:
        package.propagate, package.handlers[:] = True, handlers


def logged(caplog: pytest.LogCaptureFixture, event: Event) -> logging.LogRecord:
    caplog.clear()
    caplog.set_level(logging.DEBUG, LOGGER)
    Log()(event)
    (record,) = caplog.records
    assert record.name == LOGGER
    return record


def test_nothing_is_written_unless_somebody_asks(capfd: pytest.CaptureFixture[str]) -> None:
    with unheard():
        observer = Log()
        for event in (DONE, RETRY, OPENED, CLOSED, StaleEvent("/markets", 60.0)):
            observer(event)
        observer(FailureEvent("/trades", FAILED))
    assert capfd.readouterr() == ("", "")


def test_no_line_is_built_that_nobody_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    def built() -> None:
        raise AssertionError("a line was built")

    monkeypatch.setattr(log, "_structured", built)
    with unheard():
        observer = Log()
        observer(DONE)
        observer(RETRY)
        observer(FailureEvent("/trades", FAILED))


def test_the_fields_of_a_request_are_attributes_of_its_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    record = logged(caplog, DONE)
    fields = vars(record)
    assert record.levelno == logging.DEBUG
    assert fields["event"] == "request done"
    assert fields["endpoint"] == "/trades"
    assert fields["correlation_id"] == "f00"
    assert fields["parameters"] == {"marketId": "1"}
    assert (fields["status"], fields["attempt"]) == (200, 1)
    assert (fields["queued"], fields["seconds"]) == (0.1, 0.25)
    assert (fields["bytes_received"], fields["bytes_decoded"]) == (10, 100)
    assert record.getMessage().startswith("request done endpoint=/trades correlation_id=f00")


@pytest.mark.parametrize(
    ("event", "said", "level"),
    [
        (DONE, "request done", logging.DEBUG),
        (AttemptEvent("/trades", {}, "f00", 1, 503, FAILED, 0, 0), "request failed", logging.DEBUG),
        (AttemptEvent("/trades", {}, "f00", 1, None, None, 0, 0), "cancelled", logging.DEBUG),
        (RETRY, "retry", logging.WARNING),
        (OPENED, "circuit breaker changed", logging.WARNING),
        (CLOSED, "circuit breaker changed", logging.INFO),
        (ThrottleEvent("/trades", 2.0, 0.5), "too fast", logging.WARNING),
        (StaleEvent("/markets", 60.0), "stale response", logging.WARNING),
    ],
)
def test_an_event_is_as_loud_as_it_is_important(
    caplog: pytest.LogCaptureFixture, event: Event, said: str, level: int
) -> None:
    record = logged(caplog, event)
    assert said in record.getMessage()
    assert record.levelno == level


def test_a_field_with_unexpected_values_is_mentioned_once(caplog: pytest.LogCaptureFixture) -> None:
    observer = Log()
    for fields in ({"price": 2}, {"price": 5, "route": 1}):
        observer(UnexpectedValuesEvent("/trades", fields))
    assert [(r.getMessage(), r.levelno) for r in caplog.records] == [
        ("unexpected value endpoint=/trades field=price times=2", logging.WARNING),
        ("unexpected value endpoint=/trades field=route times=1", logging.WARNING),
    ]


def test_a_call_that_failed_for_good_is_an_error_with_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Log()(FailureEvent("/trades", FAILED))
    (record,) = caplog.records
    fields = vars(record)
    assert record.levelno == logging.ERROR
    assert fields["error"] == "TrayportServerError"
    assert fields["attempts"] == 2
    assert fields["correlation_id"] == "f00"
    assert "503" in fields["reason"]


def test_a_parameter_cannot_forge_a_line(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    for log_format in ("json", "console"):
        configure(log_format, "info")
        Log()(FailureEvent("/trades", FAILED))
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert capsys.readouterr().err.count("\n") == 2


def test_a_line_says_where_in_this_package_it_comes_from(caplog: pytest.LogCaptureFixture) -> None:
    assert logged(caplog, RETRY).module == "logging"


def test_what_is_bound_to_the_context_of_structlog_comes_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with structlog.contextvars.bound_contextvars(job="backfill", message="hello"):
        record = logged(caplog, DONE)
    assert vars(record)["job"] == "backfill"
    assert vars(record)["message_"] == "hello"


def test_json_is_one_object_a_line_with_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "debug")
    Log()(DONE)
    Log()(OPENED)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["event"] == "request done"
    assert first["level"] == "debug"
    assert first["logger"] == LOGGER
    assert first["parameters"] == {"marketId": "1"}
    assert datetime.fromisoformat(first["timestamp"]).tzinfo is not None
    assert second["retry_at"] == "2024-03-04T00:00:00+00:00"


def test_the_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", "info")
    Log()(RETRY)
    (line,) = capsys.readouterr().err.splitlines()
    assert "[warning" in line
    assert "retry" in line
    assert "endpoint=/trades" in line
    assert "\x1b" not in line


def test_another_line_of_the_package_is_written_in_the_same_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("json", "info")
    logging.getLogger("trayport_sdk.other").warning("%d left", 3)
    assert json.loads(capsys.readouterr().err)["event"] == "3 left"


def test_format_and_level_change_while_running_and_lines_never_come_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    observer = Log()
    configure("json", "info")
    configure("json", "debug")
    observer(DONE)
    configure("console", "warning")
    observer(DONE)
    observer(CLOSED)
    observer(RETRY)
    json_line, console_line = capsys.readouterr().err.splitlines()
    assert json_line.startswith("{")
    assert "retry" in console_line


def test_none_takes_everything_back(capsys: pytest.CaptureFixture[str]) -> None:
    package = logging.getLogger(PACKAGE)
    package.setLevel(logging.ERROR)
    configure("json", "debug")
    configure("none", "debug")
    assert package.level == logging.ERROR
    package.setLevel(logging.NOTSET)
    Log()(RETRY)
    assert capsys.readouterr().err == ""


def test_the_configurations_of_structlog_and_of_the_root_logger_are_left_alone() -> None:
    handlers, level = logging.root.handlers[:], logging.root.level
    configure("json", "debug")
    Log()(DONE)
    assert not structlog.is_configured()
    assert (logging.root.handlers, logging.root.level) == (handlers, level)
