"""The commands that ask for one operation each."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result
from trayport_spec import ENDPOINTS

from trayport_sdk.cli import run as run_command
from trayport_sdk.cli import trayport

CONTRACT = "TTF Hi Cal 51.6* Apr-24"
TTF = "10000065*"
RANGE = ("--from", "2024-03-04T10", "--until", "2024-03-04T12")
# What each operation is asked for, and how many rows the sandbox has of it.
CALLS = {
    "trades": ((CONTRACT, *RANGE), None),
    "private": (RANGE, None),
    "candles": ((CONTRACT, *RANGE, "--interval", "1h"), 2),
    "last": ((CONTRACT, "--at", "2024-03-05"), 1),
    "activity": (RANGE, None),
    "top": ((CONTRACT, *RANGE, "--interval", "30m"), 4),
    "book": ((CONTRACT, *RANGE, "--interval", "30m", "--depth", "2"), 4),
    "snapshots": ((CONTRACT, "--at", "2024-03-05T12:00"), 1),
    "instruments": ((), None),
    "instrument": (("10002806",), 1),
    "instrument-sequences": (("10002806",), None),
    "markets": ((), None),
    "market": (("10000065",), 1),
    "market-sequences": (("10000065",), None),
    "sequences": ((), None),
    "items": (("10000305", "--count", "3"), 3),
    "item": (("10000305", "244"), 1),
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(trayport, [*arguments, "--sandbox"], catch_exceptions=False)


def test_every_operation_has_a_command() -> None:
    assert {endpoint.command for endpoint in ENDPOINTS.values()} == CALLS.keys()
    assert CALLS.keys() <= {*trayport.list_commands(click.Context(trayport))}


@pytest.mark.parametrize("command", CALLS)
def test_a_command_shows_a_table_and_writes_the_same_rows(command: str, tmp_path: Path) -> None:
    arguments, rows = CALLS[command]
    shown = run(command, *arguments, "--table")
    assert shown.exit_code == 0, shown.output
    assert "│" in shown.stdout
    out = tmp_path / "rows.parquet"
    written = run(command, *arguments, "--out", str(out))
    assert written.exit_code == 0, written.output
    frame = pl.read_parquet(out)
    assert frame.height == rows if rows is not None else frame.height > 3
    assert str(out) in written.stdout


def test_a_table_is_as_long_as_is_asked_for() -> None:
    few, more = (run("instruments", "--table", "--rows", rows).stdout for rows in ("4", "12"))
    assert more.count("\n") - few.count("\n") == 8


def test_what_is_missing_is_named() -> None:
    missing = CliRunner().invoke(trayport, ["candles", CONTRACT, *RANGE, "--sandbox"])
    assert missing.exit_code == 2
    assert "--interval" in missing.stderr


def test_the_help_of_a_command_says_what_the_document_says() -> None:
    for endpoint in ENDPOINTS.values():
        text = " ".join(CliRunner().invoke(trayport, [endpoint.command, "--help"]).stdout.split())
        assert endpoint.summary in text


@pytest.mark.parametrize(
    ("asked", "column"),
    [
        ([CONTRACT, "NBP* Apr-24"], {CONTRACT, "NBP* Apr-24"}),
        ([CONTRACT, f"{TTF}#Single#10000305#245#0"], {CONTRACT, "TTF Hi Cal 51.6* May-24"}),
    ],
)
def test_the_screen_shows_names_where_they_are_known_and_files_the_ids_too(
    asked: list[str], column: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    call = ("snapshots", *asked, "--at", "2024-03-05T12:00")
    rows = [
        line.split("│")[1].split("┆")
        for line in run(*call, "--table").stdout.splitlines()
        if "│" in line
    ]
    assert {row[0].strip() for row in rows} == {"contract", *column}
    assert [name.strip() for name in rows[0]][1] == "last_price"
    out = tmp_path / "rows.parquet"
    assert run(*call, "--out", str(out)).exit_code == 0
    assert pl.read_parquet(out).columns[:3] == ["contract", "contract_name", "period"]


def test_a_file_is_written_as_the_options_say(tmp_path: Path) -> None:
    """The one of a stream and that of a table, for readers without nanoseconds and spreadsheets."""
    unit = ("--time-unit", "us", "--on-loss", "extra_column")
    for call, time in ((("trades", CONTRACT, *RANGE), "deal_date"), (("private", *RANGE), None)):
        out = tmp_path / "a.csv"
        sheet = ("--separator", "tab", "--decimal-comma", "--bom")
        result = run(*call, "--out", str(out), *unit, *sheet)
        assert result.exit_code == 0, result.output
        frame = pl.read_csv(out, separator="\t", decimal_comma=True)
        times = [time] if time else [n for n in frame.columns if f"{n}_ns" in frame.columns]
        assert times
        assert all(frame.schema[f"{name}_ns"] == pl.Int64 for name in times)
        assert frame.schema["price"] == pl.Float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--bom",), "--bom needs --out"),
        (("--bom", "--out", "a.parquet"), "--bom does not go with .parquet files"),
        (("--decimal-comma", "--out", "a.csv"), 'give --separator ";" or another one'),
        (("--on-loss", "extra_column", "--out", "a.csv"), 'give --time-unit "us" or "ms"'),
        (("--time-unit", "ms", "--out", "a.parquet"), 'give --on-loss "extra_column"'),
    ],
)
def test_options_of_a_file_that_cannot_work_are_refused(
    options: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["trades", CONTRACT, *RANGE, *options, "--quiet", "--sandbox"]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
