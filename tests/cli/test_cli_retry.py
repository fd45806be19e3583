"""`trayport retry-failed`, as a user runs it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from trayport_spec import ENDPOINTS

from trayport_sdk.bulk.dead_letters import DeadLetter, DeadLetters
from trayport_sdk.cli import run
from trayport_sdk.errors import TrayportServerError
from trayport_sdk.http.messages import ApiRequest

MARKET = ApiRequest(ENDPOINTS["get_market"], "/markets/10000065", {})
NOTHING = ApiRequest(ENDPOINTS["get_market"], "/markets/1", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "failed.jsonl"


def failed(file: Path, *calls: ApiRequest) -> None:
    error = TrayportServerError("503, it failed", status_code=503)
    for call in calls:
        DeadLetters(file).add(DeadLetter.from_call(call, error, failed_at=datetime.now(UTC)))


def test_what_is_answered_now_lies_in_the_directory(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(file, MARKET)
    assert run(["retry-failed", str(file), "--sandbox"]) == 0
    (answer,) = file.with_name("failed.jsonl.answers").iterdir()
    assert json.loads(answer.read_bytes())["id"] == 10000065
    assert not file.exists()
    assert capsys.readouterr().out == f"1 answered, in {answer.parent}; 0 failed again, in {file}\n"


def test_what_fails_again_stays_in_the_file_once_and_the_exit_code_says_so(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(file, NOTHING, MARKET)
    out = tmp_path / "answers"
    assert run(["retry-failed", str(file), "--out", str(out), "--sandbox"]) == 1
    assert "1 answered" in capsys.readouterr().out
    (left,) = map(DeadLetter.from_json, file.read_text().splitlines())
    assert left.call == NOTHING
    assert left.status == 404
    assert len(list(out.iterdir())) == 1


def test_a_file_that_is_not_there_is_wrong_usage(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retry-failed", str(file), "--sandbox"]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_directory_is_wrong_usage(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["retry-failed", name, "--sandbox"]) == 2
    assert "this is a directory" in capsys.readouterr().err
