"""What errors say, what they know, and that nothing of it is lost on the way."""

import inspect
import json
import pickle
import traceback
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from trayport_spec import ENDPOINTS

from tests.http.peers import encoded, held, peer
from trayport_sdk import Settings, TrayportClient, __main__, errors
from trayport_sdk.errors import (
    QUOTED_CHARACTERS,
    RequestContext,
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDatasetError,
    TrayportDecodeError,
    TrayportError,
    TrayportForkError,
    TrayportLimiterError,
    TrayportLookupError,
    TrayportNotFoundError,
    TrayportPartialFailureError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
    TrayportValidationError,
)
from trayport_sdk.http.messages import ApiRequest
from trayport_sdk.http.status_errors import INTRADAY, api_error
from trayport_sdk.http.transport import Transport
from trayport_sdk.query.times import instant, to_text
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.tables.decode.decoder import decode_response as decode

KEY = "s3cr3t-k3y"
CONTEXT = RequestContext("/trades", {"from": "2024-01-01"}, "abc")
EXAMPLES = [
    TrayportError("it failed", context=CONTEXT, suggestion="try again"),
    TrayportValidationError("too long", parameter="until", limit="32 days", suggestion="cut it"),
    TrayportLookupError("no such name", candidates=["a", "b"]),
    TrayportAPIError("400", status_code=400, errors={"until": ["too late"]}, context=CONTEXT),
    TrayportRateLimitError("429", status_code=429),
    TrayportDecodeError("malformed", offset=7, body="<html>", context=CONTEXT),
    TrayportCircuitBreakerError("open", retry_at=datetime(2024, 1, 1, tzinfo=UTC)),
    TrayportPartialFailureError("some failed", completed=2, failed=[TrayportError("one")]),
    TrayportConfigurationError("no key", suggestion="set it"),
    TrayportForkError("this process was forked"),
    TrayportConnectionError("the connection failed", context=CONTEXT, suggestion="try again"),
    TrayportTimeoutError("no response in time", context=CONTEXT, attempts=3),
    TrayportAuthenticationError("401", status_code=401, context=CONTEXT, suggestion="check it"),
    TrayportAuthorizationError("403", status_code=403, attempts=2, context=CONTEXT),
    TrayportNotFoundError("404", status_code=404, body="none", context=CONTEXT),
    TrayportServerError("503", status_code=503, retry_after=2.5, context=CONTEXT, attempts=5),
    TrayportDatasetError("'data/a' is missing", files=["data/a"], suggestion="verify"),
    TrayportLimiterError("no store", suggestion="check the setting limiter_store"),
]
RETRYABLE = (
    TrayportConnectionError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportDecodeError,
    TrayportLimiterError,
    TrayportCircuitBreakerError,
)


def test_the_sentence_names_the_request_and_the_way_out() -> None:
    assert str(EXAMPLES[0]) == "it failed [/trades?from=2024-01-01]: try again"


def test_a_lookup_error_lists_the_nearest_names() -> None:
    assert str(EXAMPLES[2]) == "no such name: did you mean 'a', 'b'?"


def test_the_builtin_errors_catch_theirs() -> None:
    assert isinstance(EXAMPLES[1], ValueError)
    assert isinstance(EXAMPLES[2], LookupError)


def test_long_bodies_are_quoted_in_part() -> None:
    assert (
        len(TrayportServerError("500", status_code=500, body="x" * 9999).body) == QUOTED_CHARACTERS
    )


def test_the_tree_at_the_top_of_the_module_names_every_error() -> None:
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, TrayportError)
    ]
    assert errors.__doc__ is not None
    assert all(name in errors.__doc__ for name in classes)
    assert {*classes} == {type(error).__name__ for error in EXAMPLES}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_carries_the_request_the_attempts_and_the_way_out(
    error: TrayportError,
) -> None:
    assert error.endpoint == ("/trades" if error.context else None)
    assert error.parameters == ({"from": "2024-01-01"} if error.context else {})
    assert error.correlation_id == ("abc" if error.context else "")
    assert error.attempts >= 0
    assert isinstance(error.suggestion, str)
    assert error.retryable is isinstance(error, RETRYABLE)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling_with_everything_it_knows(
    error: TrayportError, protocol: int
) -> None:
    copied = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert copied.context == error.context
    assert {k: str(v) for k, v in vars(copied).items()} == {
        k: str(v) for k, v in vars(error).items()
    }
    copied.context = RequestContext("/trades", {"a": "b"}, "def")
    copied.attempts = 4
    copied.add_note("It could not be kept.")
    again = pickle.loads(pickle.dumps(copied, protocol))  # noqa: S301
    assert again.__notes__ == ["It could not be kept."]
    assert (again.correlation_id, again.attempts) == ("def", 4)
    assert str(again) == str(copied)
    assert "after 4 attempts" in str(again)


HOSTILE = "one\ntwo\r\nthree\u2028four\x1b[31m\x00five\tsix"


@pytest.mark.parametrize(
    "error",
    [
        TrayportError(HOSTILE, suggestion=HOSTILE, context=RequestContext("/x", {"a": HOSTILE})),
        TrayportLookupError(HOSTILE, candidates=[HOSTILE]),
        TrayportValidationError(HOSTILE, parameter="a", suggestion=HOSTILE),
        TrayportDecodeError(HOSTILE, body=HOSTILE),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_one_line_that_no_terminal_obeys(error: TrayportError) -> None:
    assert str(error).isprintable()
    assert "  " not in str(error)


def test_a_decode_error_says_how_the_answer_begins_and_what_to_do() -> None:
    error = TrayportDecodeError("malformed", body="<html>\n", context=CONTEXT)
    assert str(error).startswith(
        "malformed; it begins '<html>\\n' [/trades?from=2024-01-01]: try again; if it goes on"
    )


STATUSES = (204, 302, 400, 401, 403, 404, 408, 418, 429, 500, 503, 599)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_comes_with_advice(status: int) -> None:
    error = api_error(status, {}, b"", CONTEXT)
    assert error.suggestion
    assert str(error).startswith(f"{status}, ")
    assert "no body" in str(error)
    assert error.retryable is (status in (408, 429) or status >= 500)
    assert pickle.loads(pickle.dumps(error)).retryable is error.retryable  # noqa: S301


def test_how_long_to_wait_is_part_of_the_advice() -> None:
    error = api_error(429, {"Retry-After": "7"}, b"", CONTEXT)
    assert error.retry_after == 7
    assert "wait 7 seconds" in str(error)


@pytest.mark.parametrize(
    ("document", "said", "errors_told"),
    [
        (
            {"errors": {"until": ["Too long.", "Sorry."]}},
            "until: Too long. Sorry.",
            {"until": ("Too long.", "Sorry.")},
        ),
        ({"errors": {"until": "Too long."}}, "until: Too long.", {"until": ("Too long.",)}),
        ({"errors": {"a": ["b"], "c": ["d"]}}, "a: b; c: d", {"a": ("b",), "c": ("d",)}),
        ({"title": "Bad", "detail": "The range."}, "The range.", {}),
        ({"title": "Bad"}, "Bad", {}),
        ({"errors": {}, "title": "Bad"}, "Bad", {}),
        ({"errors": ["until"], "title": "Bad"}, '{"errors": ["until"], "title": "Bad"}', {}),
        ([1], "[1]", {}),
        (None, "null", {}),
    ],
)
def test_a_problem_document_says_what_is_wrong(
    document: object, said: str, errors_told: dict[str, tuple[str, ...]]
) -> None:
    error = api_error(400, {}, json.dumps(document).encode(), CONTEXT)
    assert f"breaks a rule of the API: {said} [" in str(error)
    assert error.errors == errors_told


@pytest.mark.parametrize(
    "body",
    [
        b"<html>\n<body>" + b"no " * 400,
        b'{"title": "cut", "errors": {"unt' + b"x" * 999,
        json.dumps({"detail": "d" * 999}).encode(),
        json.dumps({"errors": {"e": ["f" * 999]}}).encode(),
        b"\xff" * 999,
    ],
    ids=["html", "cut", "long detail", "long errors", "not text"],
)
def test_bodies_are_quoted_up_to_300_characters(body: bytes) -> None:
    error = api_error(500, {}, body, CONTEXT)
    assert QUOTED_CHARACTERS == 300
    assert len(error.body) == QUOTED_CHARACTERS
    assert error.body == body.decode(errors="replace")[:QUOTED_CHARACTERS]
    around = len(str(api_error(500, {}, b"", CONTEXT)))
    assert len(str(error)) <= around + QUOTED_CHARACTERS


def test_the_cause_of_a_decode_error_is_what_the_parser_said() -> None:
    with pytest.raises(TrayportDecodeError) as broken:
        decode("get_trades", b"[{")
    assert broken.value.__cause__ is not None
    assert "Traceback" in "".join(traceback.format_exception(broken.value))


def from_today(**offset: int) -> datetime:
    """So long after the start of the current day in UTC."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(**offset)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("offset", "intraday"),
    [({"days": -30}, False), ({}, False), ({"seconds": 1}, True)],
    ids=["long ago", "up to the start of today", "a second of today"],
)
async def test_a_refused_key_is_told_to_be_checked_unless_the_range_touches_today(
    offset: dict[str, int], intraday: bool
) -> None:
    since, until = from_today(days=-31), from_today(**offset)
    sandbox = Sandbox(keys=["another"], limits=False)
    with sandbox.serve() as server:
        async with TrayportClient(
            KEY,
            settings=Settings(_env_file=None, intraday=intraday),
            analytics_url=server.analytics_url,
            reference_url=server.reference_url,
        ) as client:
            contract = "10000065*#Single#10000305#244#0"
            with pytest.raises(TrayportAuthenticationError) as refused:
                await client.trades.get_trades(contract, since, until)
            with pytest.raises(TrayportAuthenticationError) as reference:
                await client.reference.get_sequences()
    assert ("intraday data needs" in str(refused.value)) is intraday
    assert refused.value.suggestion == (INTRADAY if intraday else "check the key")
    assert reference.value.suggestion == "check the key"
    assert refused.value.attempts == 1
    assert not refused.value.retryable


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("operation", "intraday"), [("get_trades", True), ("get_private_trades", False)]
)
async def test_private_trades_of_today_need_no_right_to_intraday_data(
    operation: str, intraday: bool
) -> None:
    range_of_today = {
        "from": to_text(instant(from_today(), "from")),
        "until": to_text(instant(from_today(days=1), "until")),
    }
    call = ApiRequest(ENDPOINTS[operation], ENDPOINTS[operation].path, range_of_today)
    async with peer(lambda _: encoded(b"", 401)) as one:
        urls = {"analytics": one.url, "reference": one.url}
        async with aclosing(Transport(key=SecretStr(KEY), urls=urls)) as wire:
            with pytest.raises(TrayportAuthenticationError) as refused:
                await wire.send(call, RequestContext(call.url), held)
    assert refused.value.suggestion == (INTRADAY if intraday else "check the key")


@pytest.mark.anyio
async def test_an_error_tells_the_request_and_how_often_it_was_sent() -> None:
    async with (
        peer(lambda _: encoded(b"<html>busy</html>", 503)) as one,
        TrayportClient(settings=one.settings(max_retries=2)) as client,
    ):
        with pytest.raises(TrayportServerError) as failed:
            await client.trades.get_trades("1*#Single#2#3#0", "2024-03-04", "2024-03-05")
    error = failed.value
    assert error.attempts == 3
    assert "503, the service failed: <html>busy</html>, after 3 attempts [/trades?" in str(error)
    assert error.endpoint == "/trades"
    assert error.parameters["marketId"] == "1"
    assert len(error.correlation_id) == 32
    assert error.retryable
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


@pytest.mark.anyio
async def test_an_empty_answer_is_no_data_but_an_error() -> None:
    async with (
        peer(lambda _: encoded(b"")) as one,
        TrayportClient(settings=one.settings()) as client,
    ):
        with pytest.raises(TrayportDecodeError, match="it begins ''") as failed:
            await client.reference.get_sequences()
    assert failed.value.attempts == len(one.requests) == 3


# --- Extras


def test_a_missing_library_names_the_extra_that_brings_it() -> None:
    with pytest.raises(TrayportConfigurationError, match=r"trayport-sdk\[sandbox\]"):
        errors.require_extra("sandbox", "json", "a_library_that_is_not_there")


def test_the_command_without_its_extra_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    assert __main__.main() == 1
    said = capsys.readouterr().err
    assert "trayport-sdk[cli]" in said
    assert said.count("\n") == 1
