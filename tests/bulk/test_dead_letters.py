"""The file of what failed for good: nothing is lost from it, and nothing secret is in it."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS

from trayport_sdk.bulk.dead_letters import DeadLetter, DeadLetters
from trayport_sdk.bulk.resend import CONCURRENCY, RetryReport, retry_failed
from trayport_sdk.errors import (
    RequestContext,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportServerError,
    TrayportValidationError,
)
from trayport_sdk.http.messages import ApiRequest

MIDNIGHT = datetime(2024, 3, 4, tzinfo=UTC)
TRADES = ApiRequest(
    ENDPOINTS["get_trades"],
    "/trades",
    {"from": "2024-03-04", "routes": ("Direct", "Agency, London"), "sequenceItemId": "244,245"},
)
MARKET = ApiRequest(ENDPOINTS["get_market"], "/markets/10000065", {})

Send = Callable[[ApiRequest], Awaitable[bytes]]


def failed(call: ApiRequest, correlation_id: str) -> DeadLetter:
    context = RequestContext(call.endpoint.path, call.shown, correlation_id)
    error = TrayportServerError("503, it failed", status_code=503, context=context, attempts=5)
    return DeadLetter.from_call(call, error, failed_at=MIDNIGHT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "failed.jsonl"


@pytest.fixture
def letters(path: Path) -> DeadLetters:
    return DeadLetters(path)


def test_a_line_says_what_was_asked_and_why_it_failed(letters: DeadLetters) -> None:
    letters.add(failed(TRADES, "c0ffee"))
    assert json.loads(letters.path.read_text()) == {
        "failed_at": "2024-03-04T00:00:00Z",
        "operation_id": "get_trades",
        "url": "/trades",
        "parameters": {
            "from": "2024-03-04",
            "routes": ["Direct", "Agency, London"],
            "sequenceItemId": "244,245",
        },
        "correlation_id": "c0ffee",
        "attempts": 5,
        "error": {
            "class": "TrayportServerError",
            "message": str(
                TrayportServerError(
                    "503, it failed",
                    status_code=503,
                    context=RequestContext("/trades", TRADES.shown),
                    attempts=5,
                )
            ),
            "status": 503,
        },
    }


def test_an_error_without_an_answer_has_no_status_and_without_a_request_gets_an_id() -> None:
    error = TrayportConnectionError("the connection failed")
    letter = DeadLetter.from_call(MARKET, error, failed_at=MIDNIGHT)
    assert letter.status is None
    assert len(letter.correlation_id) == 32


def test_times_are_written_in_utc() -> None:
    cet = timezone(timedelta(hours=1))
    letter = evolve(failed(MARKET, "1"), failed_at=datetime(2024, 3, 4, 1, tzinfo=cet))
    assert json.loads(letter.to_json())["failed_at"] == "2024-03-04T00:00:00Z"
    assert DeadLetter.from_json(letter.to_json()).failed_at.tzinfo is UTC


texts = st.text(max_size=20)
ids_in_paths = st.integers(0, 2**63 - 1)
queries = st.dictionaries(texts, texts | st.lists(texts, max_size=3).map(tuple), max_size=4)


@st.composite
def calls(draw: st.DrawFn) -> ApiRequest:
    endpoint = draw(st.sampled_from(list(ENDPOINTS.values())))
    url = re.sub(r"\{\w+\}", lambda _: str(draw(ids_in_paths)), endpoint.path)
    return ApiRequest(endpoint, url, draw(queries))


@given(calls(), texts, st.datetimes(timezones=st.just(UTC)))
def test_a_letter_gives_back_the_call_and_itself(
    call: ApiRequest, said: str, moment: datetime
) -> None:
    error = TrayportConnectionError(said, attempts=3)
    letter = DeadLetter.from_call(call, error, failed_at=moment)
    text = letter.to_json()
    assert "\n" not in text
    assert DeadLetter.from_json(text) == letter
    assert DeadLetter.from_json(text.encode()).call == call


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.text(), st.lists)))
def test_a_line_of_another_kind_is_refused(content: object) -> None:
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    with pytest.raises(TrayportValidationError, match="no dead letter"):
        DeadLetter.from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("operation_id", "get_nothing"),
        ("failed_at", "2024-03-04T00:00:00"),
        ("parameters", {"from": 3}),
        ("attempts", "5"),
        ("error", {}),
        ("url", None),
        ("url", "/markets"),
        ("url", "trades"),
        ("url", "/trades/"),
        ("url", "/trades\n"),
        ("url", "/trades?x=1"),
        ("url", "@127.0.0.1:1/trades"),
        ("url", ".evil.example/trades"),
    ],
)
def test_a_line_with_a_wrong_value_is_refused(field: str, value: object) -> None:
    line = json.loads(failed(TRADES, "1").to_json())
    with pytest.raises(TrayportValidationError):
        DeadLetter.from_json(json.dumps(line | {field: value}))


@pytest.mark.parametrize("place", ["", ".", "..", "1/2", "1@x", "%2e%2e", "1?x", "1#x", "1\n", "ä"])
def test_in_the_place_of_an_id_there_is_nothing_but_an_id(place: str) -> None:
    line = json.loads(failed(MARKET, "1").to_json())
    with pytest.raises(TrayportValidationError, match="is no path of get_market"):
        DeadLetter.from_json(json.dumps(line | {"url": f"/markets/{place}"}))


@given(st.text() | st.text(st.sampled_from("/trades@:.%?#\\\n")))
def test_no_line_leads_to_another_path(url: str) -> None:
    line = json.loads(failed(TRADES, "1").to_json()) | {"url": url}
    if url == "/trades":
        return
    with pytest.raises(TrayportValidationError):
        DeadLetter.from_json(json.dumps(line))


def test_only_the_owner_may_read_the_file(letters: DeadLetters) -> None:
    letters.add(failed(MARKET, "1"))
    assert stat.S_IMODE(letters.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["missing/failed.jsonl", "."])
def test_a_file_that_cannot_be_written_is_told_of_at_the_start(name: str, tmp_path: Path) -> None:
    with pytest.raises(TrayportConfigurationError, match="TRAYPORT_DEAD_LETTER_FILE"):
        DeadLetters(tmp_path / name)


def test_a_file_that_can_no_longer_be_written_is_told_of(tmp_path: Path) -> None:
    directory = tmp_path / "there"
    directory.mkdir()
    letters = DeadLetters(directory / "failed.jsonl")
    directory.rmdir()
    with pytest.raises(TrayportConfigurationError, match=r"dead_letter_file .*No such file"):
        letters.add(failed(MARKET, "1"))


def test_half_a_line_does_not_swallow_the_next(letters: DeadLetters) -> None:
    letters.path.write_text("{half")
    letters.add(failed(MARKET, "1"))
    half, whole = letters.path.read_text().splitlines()
    assert half == "{half"
    assert DeadLetter.from_json(whole).call == MARKET


def test_programs_that_share_a_file_do_not_tear_each_others_lines(path: Path) -> None:
    code = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from trayport_sdk.bulk.dead_letters import DeadLetter, DeadLetters

letters = DeadLetters(Path(sys.argv[1]))
for n in range(200):
    query = {"p": "x" * 3000}
    id = f"{sys.argv[2]}-{n}"
    letters.add(DeadLetter(datetime.now(UTC), "get_trades", "/trades", query, id, 1, "E", "m"))
"""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    programs = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(number)], env=env)
        for number in range(3)
    ]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    with DeadLetters(path).retrying() as found:
        assert len({letter.correlation_id for letter in found}) == 600


def ids(path: Path) -> list[str]:
    return [DeadLetter.from_json(line).correlation_id for line in path.read_text().splitlines()]


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_what_fails_during_a_retry_gets_a_new_file(letters: DeadLetters) -> None:
    letters.add(failed(TRADES, "1"))
    letters.add(failed(MARKET, "2"))
    with letters.retrying() as found:
        assert [letter.call for letter in found] == [TRADES, MARKET]
        assert names(letters.path) == ["failed.jsonl.retrying"]
        letters.add(failed(MARKET, "3"))
    assert names(letters.path) == ["failed.jsonl"]
    assert ids(letters.path) == ["3"]


def interrupt(letters: DeadLetters, meanwhile: DeadLetter) -> None:
    """Begins a retry that is interrupted after one more call has failed."""
    with suppress(KeyboardInterrupt), letters.retrying():
        letters.add(meanwhile)
        raise KeyboardInterrupt


def test_an_interrupted_retry_is_taken_up_by_the_next(letters: DeadLetters) -> None:
    letters.add(failed(TRADES, "1"))
    for number in ("2", "3"):
        interrupt(letters, failed(MARKET, number))
    with letters.retrying() as found:
        assert sorted(letter.correlation_id for letter in found) == ["1", "2", "3"]
    assert names(letters.path) == []


def test_what_failed_again_before_an_interruption_is_sent_once_more_only(
    letters: DeadLetters,
) -> None:
    letters.add(failed(TRADES, "1"))
    interrupt(letters, failed(TRADES, "1"))
    with letters.retrying() as found:
        assert [letter.correlation_id for letter in found] == ["1"]


def test_a_line_written_late_into_the_renamed_file_is_kept(letters: DeadLetters) -> None:
    letters.add(failed(TRADES, "1"))
    with letters.path.open("a") as opened_before, letters.retrying():
        opened_before.write(failed(MARKET, "2").to_json() + "\n")
        opened_before.flush()
    assert ids(letters.path) == ["2"]


def test_a_malformed_line_is_named_and_everything_stays_as_it_was(letters: DeadLetters) -> None:
    letters.add(failed(TRADES, "1"))
    with letters.path.open("a") as file:
        file.write("\n{half\n")
    before = letters.path.read_bytes()
    with (
        pytest.raises(TrayportValidationError, match=r"failed\.jsonl, line 3: this is no dead"),
        letters.retrying(),
    ):
        pytest.fail("it was read")
    assert letters.path.read_bytes() == before
    assert names(letters.path) == ["failed.jsonl"]


def answers(**bodies: bytes | Exception) -> Send:
    """Answers a call by the value of its parameter `n`."""

    async def send(call: ApiRequest) -> bytes:
        await asyncio.sleep(0)
        body = bodies[str(call.parameters["n"])]
        if isinstance(body, Exception):
            raise body
        return body

    return send


def numbered(number: str) -> ApiRequest:
    return ApiRequest(ENDPOINTS["get_trades"], "/trades", {"n": number})


def retry(path: Path, send: Send, out: Path) -> RetryReport:
    return asyncio.run(retry_failed(path, send, out))


def test_answers_become_files_and_what_fails_again_stays(
    letters: DeadLetters, tmp_path: Path
) -> None:
    for number in "abc":
        letters.add(failed(numbered(number), f"id-{number}"))
    out = tmp_path / "deep" / "answers"
    again = TrayportServerError("500, worse", status_code=500, attempts=2)
    report = retry(letters.path, answers(a=b"[1]", b=again, c=b"[3]"), out)
    assert report == RetryReport(2, 1, (out / "id-a.json", out / "id-c.json"))
    assert (out / "id-a.json").read_bytes() == b"[1]"
    assert names(out / "x") == ["id-a.json", "id-c.json"]
    (left,) = map(DeadLetter.from_json, letters.path.read_text().splitlines())
    assert left.call == numbered("b")
    assert left.correlation_id == "id-b"
    assert (left.message, left.status, left.attempts) == (str(again), 500, 2)
    assert left.failed_at > MIDNIGHT
    assert names(letters.path) == ["deep", "failed.jsonl"]


def test_when_all_are_answered_the_file_is_gone(letters: DeadLetters, tmp_path: Path) -> None:
    letters.add(failed(numbered("a"), "1"))
    assert retry(letters.path, answers(a=b"[]"), tmp_path / "out").failed == 0
    assert names(letters.path) == ["out"]


def test_an_interrupted_run_is_taken_up_without_the_file_itself(
    letters: DeadLetters, tmp_path: Path
) -> None:
    letters.add(failed(numbered("a"), "1"))
    with pytest.raises(ZeroDivisionError):
        retry(letters.path, answers(a=ZeroDivisionError()), tmp_path / "out")
    assert names(letters.path) == ["failed.jsonl.retrying", "out"]
    assert retry(letters.path, answers(a=b"[]"), tmp_path / "out").succeeded == 1


def test_settings_that_cannot_work_end_the_run_and_lose_nothing(
    letters: DeadLetters, tmp_path: Path
) -> None:
    letters.add(failed(numbered("a"), "1"))
    closed = TrayportConfigurationError("the client is closed")
    with pytest.raises(TrayportConfigurationError):
        retry(letters.path, answers(a=closed), tmp_path / "out")
    assert len(ids(letters.path.with_name("failed.jsonl.retrying"))) == 1


def test_cancelling_a_run_loses_nothing(letters: DeadLetters, tmp_path: Path) -> None:
    for number in "abcdefghi":
        letters.add(failed(numbered(number), number))
    under_way: list[str] = []
    full = asyncio.Event()

    async def send(call: ApiRequest) -> bytes:
        number = str(call.parameters["n"])
        if number == "a":
            return b"[]"
        if number == "b":
            raise TrayportConnectionError("broken")
        under_way.append(number)
        if len(under_way) == CONCURRENCY:
            full.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        run = asyncio.create_task(retry_failed(letters.path, send, tmp_path / "out"))
        await full.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(main())
    assert len(under_way) == CONCURRENCY
    bodies = dict.fromkeys("abcdefghi", b"[]")
    report = retry(letters.path, answers(**bodies), tmp_path / "out")
    assert report.succeeded == 9
    assert report.failed == 0


def test_no_id_leads_out_of_the_directory_and_copies_of_a_line_have_their_own_answers(
    letters: DeadLetters, tmp_path: Path
) -> None:
    for number, name in (("a", "../../x"), ("b", ""), ("c", "")):
        letters.add(evolve(failed(numbered(number), "1"), correlation_id=name))
    report = retry(letters.path, answers(a=b"1", b=b"2", c=b"3"), tmp_path / "out")
    assert [file.parent for file in report.files] == [tmp_path / "out"] * 3
    assert [file.read_bytes() for file in report.files] == [b"1", b"2", b"3"]


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    for missing in (tmp_path / "failed.jsonl", tmp_path / "no" / "failed.jsonl"):
        with pytest.raises(TrayportValidationError, match="no such file"):
            retry(missing, answers(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_the_place_of_the_file_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(TrayportValidationError, match="this is a directory"):
        retry(tmp_path, answers(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
