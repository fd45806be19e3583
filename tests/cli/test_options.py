"""The options that all commands share, and what they make of tables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import polars as pl
import pytest

from trayport_sdk.cli import connection, output, run
from trayport_sdk.cli.connection import Time
from trayport_sdk.cli.output import shown
from trayport_sdk.telemetry.logging import configure

APRIL, MAY = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"
DAY = ("--from", "2024-03-04", "--until", "2024-03-05")
Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def trayport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Called:
    """Runs a command against the sandbox; its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TRAYPORT_")]:
        monkeypatch.delenv(name)

    def call(*arguments: str) -> tuple[int, str, str]:
        return run([*arguments, "--sandbox"]), *capsys.readouterr()

    return call


def test_people_see_a_table_and_programs_get_every_row(
    trayport: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    candles = ("candles", APRIL, *DAY, "--interval", "15m", "-q")
    code, csv, err = trayport(*candles)
    assert (code, err) == (0, "")
    rows = pl.read_csv(StringIO(csv))
    _, lines, _ = trayport(*candles, "--json")
    assert [json.loads(line)["close"] for line in lines.splitlines()] == rows["close"].to_list()
    monkeypatch.setattr(output, "on_terminal", lambda: True)
    _, table, _ = trayport(*candles)
    assert table == trayport(*candles, "--table")[1]
    assert f"20 of {rows.height} rows: --rows shows more" in table
    assert trayport(*candles, "--csv")[1] == csv


def test_contracts_of_operations_about_one_come_together(trayport: Called, tmp_path: Path) -> None:
    names = Path("names.txt")
    names.write_text(f"# months\n\n{APRIL} # the front\n  {MAY}\n")
    call = ("candles", *DAY, "--interval", "1d", "-q")
    _, csv, _ = trayport(*call, "--contracts-file", "names.txt")
    assert pl.read_csv(StringIO(csv))["contract_name"].to_list() == [APRIL, MAY]
    assert trayport(*call, MAY, "--contracts-file", "names.txt", "--out", "a.parquet")[0] == 0
    assert pl.read_parquet(tmp_path / "a.parquet")["contract_name"].n_unique() == 2
    code, _, err = trayport(*call)
    assert (code, "CONTRACTS" in err, "--contracts-file" in err) == (2, True, True)


def test_times_are_shown_where_the_reader_is(trayport: Called) -> None:
    call = ("trades", APRIL, *DAY, "-q", "--tz")
    _, table, _ = trayport(*call, "Europe/Amsterdam", "--table", "--rows", "2")
    assert "2024-03-04 08:00:00 " in table
    assert "times in Europe/Amsterdam" in table
    _, csv, _ = trayport(*call, "Europe/Amsterdam")
    assert "2024-03-04T08:00:00.000000000+01:00" in csv
    code, _, err = trayport(*call, "Mars")
    assert (code, "--tz 'Mars' is no time zone" in err) == (2, True)
    code, _, err = trayport(*call, "UTC", "--out", "a.csv")
    assert (code, "--tz is about what is shown" in err) == (2, True)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("7d", "2024-02-26T00:00:00Z"),
        ("2w", "2024-02-19T00:00:00Z"),
        ("36h", "2024-03-02T21:00:00Z"),
        ("90m", "2024-03-04T08:15:00Z"),
        ("now", "2024-03-04T09:45:30Z"),
        ("2024-03", "2024-03"),
        ("7x", "7x"),
        ("99999w", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_time_may_be_so_long_ago(text: str, time: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2024, 3, 4, 9, 45, 30, 500_000, UTC)
    monkeypatch.setattr(connection, "now", lambda: now)
    assert Time().convert(text, None, None) == time


def test_requests_are_logged_and_measured(trayport: Called, tmp_path: Path) -> None:
    call = ("candles", APRIL, *DAY, "--interval", "1d", "--csv")
    try:
        code, _, err = trayport(*call, "--log-format", "json", "--metrics", "metrics.prom")
        assert code == 0
        lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
        assert any(line["endpoint"].endswith("/trades/ohlcv") for line in lines), err
        assert "trayport_" in (tmp_path / "metrics.prom").read_text()
        assert "request done" in trayport(*call, "-v")[2]
    finally:
        configure("none", "info")
    assert "request done" not in trayport(*call)[2]
    code, _, err = trayport(*call, "--metrics", "none/metrics.prom")
    assert (code, "--metrics" in err) == (2, True)


def test_a_profile_is_one_of_the_settings(trayport: Called) -> None:
    call = ("candles", APRIL, *DAY, "--interval", "1d", "--csv", "-q")
    assert trayport(*call, "--profile", "production")[0] == 0
    assert trayport(*call, "--profile", "moon")[0] == 2


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_table_fits_its_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    frame = pl.DataFrame(
        {
            "trade_id": ["a very long text that says which trade this is"] * 30,
            "deal_date": pl.Series([1_709_544_600_123_456_789] * 30).cast(pl.Datetime("ns", "UTC")),
            **{f"column_{n}": [1.5] * 30 for n in range(20)},
        }
    )
    text = shown(frame, 5)
    table = [line for line in text.splitlines() if line[0] in "┌│╞└"]
    assert max(map(len, table)) <= width
    assert "2024-03-04 09:30:00.123456789" in text
    assert ("more columns" in text) == (width < 400)
    hidden = text.partition("more columns: ")[2].splitlines()[0].split(", ")
    header = [name.strip() for name in table[1].strip("│").split("┆")]
    assert sorted(hidden + header) == sorted(frame.columns)
    assert "5 of 30 rows: --rows shows more" in text


@pytest.mark.parametrize(
    ("command", "key", "value"),
    [
        (["health"], "checks", None),
        (["doctor"], "checks", None),
        (["status"], "analytics", "http://sandbox.invalid/analytics/api"),
        (["backfill", APRIL, *DAY, "--out", "ttf"], "requests_done", 1),
        (["backfill", APRIL, *DAY, "--out", "ttf", "--dry-run"], "is_dry_run", True),
        (["verify", "ttf"], "damaged", []),
        (["refresh", "ttf"], "altered", 0),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else "",
)
def test_reports_are_objects_for_programs(
    command: list[str], key: str, value: object, trayport: Called
) -> None:
    if "ttf" in command and "--out" not in command:
        trayport("backfill", APRIL, *DAY, "--out", "ttf", "-q")
    code, text, err = trayport(*command, "--json")
    found = json.loads(text)
    assert (code, err) == (0, "")
    assert found[key] == value if value is not None else found[key][0]["ok"]


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        (
            ["candles", APRIL, *DAY, "--interval", "1h"],
            ["open", "close", "volume"],
        ),
        (["trades", APRIL, MAY, *DAY], ["contract", "deal_date", "price", "quantity"]),
        (["book", APRIL, *DAY, "--interval", "1h"], ["timestamp", "side", "level", "price"]),
        (["activity", *DAY], ["contract", "count"]),
        (["private", *DAY], ["contract", "deal_date", "price"]),
        (["snapshots", APRIL, "--at", "2024-03-05"], ["contract", "bid_price", "ask_price"]),
        (["curve", "TTF Hi Cal 51.6*", "months", "--at", "2024-03-05"], ["contract", "mid"]),
    ],
    ids=lambda value: value[0],
)
def test_a_narrow_table_has_what_was_asked_for(
    command: list[str], columns: list[str], trayport: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, table, _ = trayport(*command, "--table", "--rows", "2", "-q")
    first, second = (
        [c.strip() for c in table.splitlines()[n].strip("│").split("┆")] for n in (1, 3)
    )
    assert {*columns} <= {*first}
    if "contract" in columns:
        assert "#" not in second[first.index("contract")]


def test_a_chart_of_two_contracts_and_an_empty_key_are_refused(
    trayport: Called, capsys: pytest.CaptureFixture[str]
) -> None:
    chart = ("plot", "candles", APRIL, MAY, *DAY, "--interval", "1h", "--out", "c.svg")
    code, _, err = trayport(*chart)
    assert (code, "a chart of this is about one contract" in err) == (2, True)
    assert run(["sandbox", "--port", "0", "--key", ""]) == 2
    assert "--key may not be empty" in capsys.readouterr().err


def test_a_group_shows_its_help_and_a_chart_its_own_unit(trayport: Called) -> None:
    code, out, err = run(["plot"]), *trayport("plot")[1:]
    assert (code, out, "Commands:" in err) == (2, "", True)
    curve = ("plot", "curve", "TTF Hi Cal 51.6*", "months", "--at", "2024-03-05", "--out", "c.svg")
    code, _, err = trayport(*curve, "--unit", "GBP/therm")
    assert (code, "the prices are in EUR/MWh" in err) == (2, True)
    assert trayport(*curve, "--unit", "EUR/MWh")[0] == 0
