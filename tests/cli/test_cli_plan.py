"""`trayport plan`, as a user runs it: without a key, without a network."""

from __future__ import annotations

import io
import json
import re
import shlex
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trayport_sdk import QueryPlan
from trayport_sdk.cli import run

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
APRIL, MAY = "10000065*#Single#10000305#244#0", "10000065*#Single#10000305#245#0"
QUARTER = ("--from", "2024-01-01", "--until", "2024-03-31")


@pytest.fixture(autouse=True)
def _neither_key_nor_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRAYPORT_API_KEY", raising=False)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("planning needs no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def plans(text: str) -> list[QueryPlan]:
    return [QueryPlan.from_dict(one) for one in json.loads(text)]


def test_a_plan_is_told_in_words_and_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", APRIL, MAY, *QUARTER]) == 0
    first, _, head, *rows = capsys.readouterr().out.splitlines()
    assert first == (
        "3 requests for 2 contracts: 3 BulkSequenceItemQuery; "
        "up to 1 s of waiting for the rate limit"
    )
    assert head.split() == ["kind", "endpoint", "about", "from", "until"]
    assert len(rows) == 3


def test_json_is_a_list_of_plans_that_can_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "plan",
        APRIL,
        "--endpoint",
        "ohlcv",
        "--interval",
        "1d",
        "--field",
        "VWAP",
        "--json",
    ]
    assert run([*command, *QUARTER]) == 0
    (found,) = plans(capsys.readouterr().out)
    assert found.explain().startswith(f"ohlcv of {APRIL} every 1d from 2024-01-01T00:00:00Z to")
    assert found.options.optional_fields == ("vwap",)


def test_an_instant_and_routes_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", APRIL, "--endpoint", "snapshots", "--at", "2024-03-04T12:00"]) == 0
    assert "2024-03-04T12:00:00Z" in capsys.readouterr().out
    assert run(["plan", APRIL, *QUARTER, "--route", "ALL", "--json"]) == 0
    assert {one.options.routes for one in plans(capsys.readouterr().out)} == {("all",)}


def test_contracts_come_from_a_file_and_from_arguments_each_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "symbols.txt"
    file.write_text(f"\ufeff{APRIL}\r\n\n  {MAY} \n{APRIL}\n", encoding="utf-8")
    assert run(["plan", APRIL, "--contracts-file", str(file), *QUARTER]) == 0
    assert "3 requests for 2 contracts" in capsys.readouterr().out


def test_contracts_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f"10000065*#Single#10000305#{item}#0\n" for item in range(1, 2001))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert run(["plan", "--contracts-file", "-", *QUARTER]) == 0
    out = capsys.readouterr().out
    assert "120 requests for 2,000 contracts" in out
    assert out.count("\n") < 20


def test_the_time_is_that_of_the_limits_that_are_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> str:
        command = ["plan", APRIL, "--endpoint", "order_book", "--interval", "1s"]
        assert run([*command, "--from", "2023-01-01", "--until", "2024-01-01"]) == 0
        return capsys.readouterr().out.splitlines()[0]

    usual = told()
    monkeypatch.setenv("TRAYPORT_REQUESTS_PER_SECOND", "1")
    slow = told()
    assert re.search(r"up to \d\d s of waiting", usual)
    assert re.search(r"up to \d min of waiting", slow)
    assert usual.split(";")[0] == slow.split(";")[0]


def test_the_current_day_may_be_planned_where_the_settings_say_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["plan", APRIL, "--from", "2024-01-01"]
    until = ["--until", datetime.now(UTC).strftime("%Y-%m-%dT23:00")]
    assert run([*command, *until]) == 2
    assert "TRAYPORT_INTRADAY" in capsys.readouterr().err
    monkeypatch.setenv("TRAYPORT_INTRADAY", "true")
    assert run([*command, *until]) == 0


def test_history_that_does_not_exist_is_told_beside_the_plan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["plan", APRIL, "--endpoint", "order_book", "--interval", "1h", "--json"]
    assert run([*command, "--from", "2020-03-01", "--until", "2020-03-02"]) == 0
    said = capsys.readouterr()
    assert len(plans(said.out)) == 1
    assert said.err.startswith("trayport: /orders/book from 2020-03-01T00:00:00Z lacks orders")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["TTF Hi Cal 51.6* Apr-24", *QUARTER], "'TTF Hi Cal 51.6* Apr-24' is a name"),
        (["10000065#Single", *QUARTER], "is not a symbol"),
        ([*QUARTER], "CONTRACTS is empty"),
        ([APRIL], "--from is missing"),
        ([APRIL, "--from", "soon"], "--from 'soon' is not a time"),
        ([APRIL, "--from", "2024-02", "--until", "2024-01"], "--until"),
        ([APRIL, "--from", "2024-02", "--until", "2999"], "TRAYPORT_INTRADAY"),
        ([APRIL, *QUARTER, "--endpoint", "tradez"], "'tradez' is unknown"),
        ([APRIL, *QUARTER, "--endpoint", "activity"], "not about contracts"),
        ([APRIL, *QUARTER, "--endpoint", "ohlcv"], "interval"),
        ([APRIL, *QUARTER, "--endpoint", "ohlcv", "--interval", "2h"], "2h"),
        ([APRIL, *QUARTER, "--interval", "1h"], "interval"),
        ([APRIL, *QUARTER, "--field", "price"], "--field 'price'"),
        ([APRIL, "--contracts-file", "nowhere.txt", *QUARTER], "nowhere.txt"),
        ([APRIL, *QUARTER, "--nonsense"], "--nonsense"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plan", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.startswith("trayport: ")
    assert printed.err.count("\n") == 1


def test_a_file_that_is_no_text_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "symbols.bin").write_bytes(bytes(range(128, 256)))
    assert run(["plan", "--contracts-file", "symbols.bin", *QUARTER]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_settings_that_cannot_work_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAYPORT_REQUESTS_PER_SECOND", "many")
    assert run(["plan", APRIL, *QUARTER]) == 2
    assert "TRAYPORT_REQUESTS_PER_SECOND" in capsys.readouterr().err


def test_the_guide_shows_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(
        r"```shell\ntrayport (plan .*?)```\n\n```text\n(.*?)```", GUIDE.read_text(), re.S
    )
    assert shown is not None
    assert run(shlex.split(shown[1].replace("\\\n", " "))) == 0
    assert capsys.readouterr().out == shown[2]
