"""The command line speaks of options and variables, not of arguments and calls."""

from __future__ import annotations

import re
from typing import get_args

import click
import pytest
from trayport_spec.options import TradesField

from trayport_sdk.cli import run, trayport
from trayport_sdk.cli.words import spoken

APRIL = "10000065*#Single#10000305#244#0"
FIELDS = {*get_args(TradesField)}
"""What --field takes has these names."""


@pytest.mark.parametrize(
    ("command", "parameter", "message", "said"),
    [
        ("trades", "until", "until 1 is not after from_ 2", "--until 1 is not after --from 2"),
        ("trades", "until", "until is [from_, until)", "--until is [--from, --until)"),
        ("trades", "until", "until 1: give a later until", "--until 1: give a later --until"),
        ("trades", "", "start at 1 until then", "start at 1 until then"),
        ("trades", "", "401: give until='2024-03-05'", "401: give --until '2024-03-05'"),
        ("snapshots", "at", "at 1: leave at out for all", "--at 1: leave --at out for all"),
        ("plan", "from_", "from_ 1: give it as at", "--from 1: give it as --at"),
        (
            "private",
            "market_id",
            "contract and market_id exclude each other: leave market_id out",
            "--contract and --market-id exclude each other: leave --market-id out",
        ),
        ("plan", "at", "at: it takes market_id, from_, routes", "--at: it takes --from, --route"),
        ("plan", "endpoint", "endpoint: one of trades, ohlcv", "--endpoint: one of trades, ohlcv"),
        ("trades", "contracts", "contracts is empty", "CONTRACTS is empty"),
        ("book", "", "include_private of it", "--include-private of it"),
        ("book", "", "give a time (in code: or a date)", "give a time"),
        ("config", "", "from_ is no option here", "from_ is no option here"),
        ("items", "", "404 [/sequences?count=2]: x", "404 [/sequences?count=2]: x"),
        ("trades", "", "400 [/trades?a=1&until=2]", "400 [/trades?a=1&until=2]"),
        ("spread", "b", "b is in GBX/therm", "B is in GBX/therm"),
        ("", "", "nothing was run", "nothing was run"),
    ],
)
def test_arguments_are_options(command: str, parameter: str, message: str, said: str) -> None:
    assert (
        spoken(message, trayport.get_command(click.Context(trayport), command), parameter) == said
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["trades", APRIL, "--from", "2024-03-04"],
        ["instruments"],
        ["health"],
        ["status"],
        ["retry-failed", "letters.jsonl"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_missing_key_is_a_variable_that_is_not_set(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TRAYPORT_API_KEY", raising=False)
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert "TRAYPORT_API_KEY" in said
    assert "--sandbox" in said
    assert "TrayportClient" not in said
    assert "api_key" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["trades", APRIL, "--from", "2024-03-05", "--until", "2024-03-04"],
        ["trades", APRIL, "--from", "soon"],
        ["trades", APRIL, "--from", "2024-03-05", "--until", "2999"],
        ["trades", APRIL, "--from", "2024-03-05", "--field", "x"],
        ["top", APRIL, "--from", "2024-03-05", "--interval", "x"],
        ["book", APRIL, "--from", "2024-03-05", "--interval", "1h", "--depth", "0"],
        ["last", APRIL, "--at", "2999"],
        [
            "plot",
            "trades",
            APRIL,
            "--from",
            "2024-03-05",
            "--until",
            "2024-03-04",
            "--out",
            "a.svg",
        ],
        ["private", "--from", "2024-03-05", "--market-id", "1", "--contract", APRIL],
    ],
    ids=" ".join,
)
def test_no_message_names_an_argument(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--sandbox"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("trayport: --")
    names = {*re.findall(r"(?<![\w-])[a-z]+(?:_[a-z]*)+\b|\bdatetime\b|client\.", said)}
    assert names <= FIELDS
