"""The command as a user runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import polars as pl
import pytest
from attrs import frozen

import trayport_sdk
from trayport_sdk.cli import run
from trayport_sdk.sandbox import Corrections, Sandbox, server

CONTRACT = "TTF Hi Cal 51.6* Apr-24"
DAY = ("--from", "2024-03-04", "--until", "2024-03-05")


@frozen
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Command: TypeAlias = Callable[..., Done]


@pytest.fixture
def trayport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command in an empty directory, with nothing else in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TRAYPORT_")]:
        monkeypatch.delenv(name)

    def command(*arguments: str, **environment: str) -> Done:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = run(arguments)
        return Done(code, *capsys.readouterr())

    return command


def test_trades_are_written_in_every_format_with_the_same_rows(
    trayport: Command, tmp_path: Path
) -> None:
    for name in ("trades.parquet", "trades.csv", "trades.jsonl"):
        done = trayport("trades", CONTRACT, *DAY, "--out", name, "--sandbox")
        assert done.code == 0, done.err
        assert name in done.out
    parquet = pl.read_parquet(tmp_path / "trades.parquet")
    csv = pl.read_csv(tmp_path / "trades.csv")
    lines = pl.read_ndjson(tmp_path / "trades.jsonl")
    assert parquet.schema["deal_date"] == pl.Datetime("ns", "UTC")
    assert parquet.height == csv.height == lines.height > 100
    text = parquet["deal_date"].dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_list()
    assert csv["deal_date"].to_list() == text
    assert lines["deal_date"].to_list() == text
    assert csv["price"].cast(pl.Float64).to_list() == parquet["price"].to_list()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "trades.csv", "trades.jsonl", "trades.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "nonsense"),
        (["trades", CONTRACT, "--out", "x.parquet", "--sandbox"], "--from"),
        (["trades", "--from", "2024", "--out", "x.parquet", "--sandbox"], "CONTRACTS"),
        (["trades", CONTRACT, "--from", "soon", "--out", "x.csv", "--sandbox"], "soon"),
        (["trades", CONTRACT, "--from", "2024-2", "--out", "x.csv", "--sandbox"], "2024-2"),
        (["trades", CONTRACT, "--from", "2024-02", "--out", "x.xlsx", "--sandbox"], ".parquet"),
        (["trades", CONTRACT, "--from", "2024-02", "--out", "no/x.csv", "--sandbox"], "directory"),
        (["trades", CONTRACT, "--from", "2024-02", "--out", "x.csv"], "TRAYPORT_API_KEY"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, trayport: Command, tmp_path: Path
) -> None:
    done = trayport(*arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.startswith("trayport: ")
    assert done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["ttf", "hi", "cal", "apr", "24", "--kind", "contract", "--limit", "1"],
         ["contract,TTF Hi Cal 51.6* Apr-24,10000065*#Single#10000305#244#0"]),
        (["nbp m+1", "--at", "2024-03-04", "--kind", "contract", "--limit", "1"],
         ["contract,NBP* Apr-24,10000001*#Single#10000305#244#0"]),
        (["eex ttf hi cal 51,6", "--kind", "instrument", "--limit", "1"],
         ["instrument,TTF Hi Cal 51.6 EEX,10002806"]),
        (["ttf cal hi", "--kind", "market", "--limit", "1"], ["market,TTF Hi Cal 51.6*,10000065"]),
        (["ice endex", "--kind", "venue"], ["venue,ICE ENDEX Spot,IENX"]),
        (["qqqqqqzz"], []),
    ],
    ids=lambda value: value[0] if value else "nothing",
)  # fmt: skip
def test_find_gives_names_that_can_be_pasted(
    arguments: list[str], lines: list[str], trayport: Command
) -> None:
    done = trayport("find", *arguments, "--sandbox")
    assert done.out.splitlines()[1:] == lines
    assert done.code == (0 if lines else 1)
    assert (arguments[0] in done.err) == (not lines)
    columns = [
        [cell.strip() for cell in line.split("  ") if cell]
        for line in trayport("find", *arguments, "--table", "--sandbox").out.splitlines()
    ]
    assert columns == [line.split(",") for line in lines]


def test_find_looks_for_everything(trayport: Command) -> None:
    found = trayport("find", "eex", "--limit", "2", "--sandbox").out.splitlines()[1:]
    kinds = [line.partition(",")[0] for line in found]
    assert list(dict.fromkeys(kinds)) == ["contract", "market", "instrument", "venue"]
    assert max(map(kinds.count, kinds)) == 2


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("ttf hi cal 51.6*", {"TTF Hi Cal 51.6*", "market 10000065", "prices EUR/MWh",
                              "Gas - NG Quarters Q1-24, Q2-24, Q3-24"}),
        ("TTF Hi Cal 51.6 EEX", {"TTF Hi Cal 51.6 EEX", "instrument 10002806"}),
        ("Gas - NG Months", {"Gas - NG Months", "sequence 10000305", "periods Mar-24, Apr-24"}),
        ("10000305", {"Gas - NG Months", "sequence 10000305"}),
        ("TTF Hi Cal 51.6* april 2024", {
            "TTF Hi Cal 51.6* Apr-24", "symbol 10000065*#Single#10000305#244#0",
            "delivery 2024-04-01 00:00 UTC to 2024-05-01 00:00 UTC",
        }),
    ],
)  # fmt: skip
def test_show_says_what_a_name_is(name: str, lines: set[str], trayport: Command) -> None:
    done = trayport("show", name, "--at", "2024-03-04", "--sandbox")
    assert done.code == 0, done.err
    found = [" ".join(line.split()) for line in done.out.splitlines()]
    assert {line for line in lines if any(one.startswith(line) for one in found)} == lines


def test_show_says_what_an_unknown_name_may_mean(trayport: Command) -> None:
    done = trayport("show", "ttf hi cal 51.7* apr-24", "--sandbox")
    assert done.code == 1
    assert "TTF Hi Cal 51.6* Apr-24" in done.err


def test_a_failure_is_one_line_and_exit_code_1(trayport: Command, tmp_path: Path) -> None:
    done = trayport("trades", "TTF Hi Cal 51.9* Apr-24", *DAY, "--out", "x.csv", "--sandbox")
    assert done.code == 1
    assert "TTF Hi Cal 51.6*" in done.err
    assert done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_refused_key_is_a_failure_that_does_not_show_it(trayport: Command) -> None:
    with Sandbox().serve() as server:
        done = trayport(
            "trades", CONTRACT, *DAY, "--out", "x.csv",
            TRAYPORT_API_KEY="s3cret-key",
            TRAYPORT_ANALYTICS_URL=server.analytics_url,
            TRAYPORT_REFERENCE_URL=server.reference_url,
        )  # fmt: skip
    assert done.code == 1
    assert "401" in done.err
    assert "s3cret-key" not in done.out + done.err


def process(*arguments: str) -> "subprocess.Popen[str]":
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "trayport_sdk", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_sandbox_command_serves_until_it_is_told_to_stop(trayport: Command) -> None:
    with process("sandbox", "--port", "0", "--key", "k2") as server:
        assert server.stdout is not None
        urls = [server.stdout.readline().split()[-1] for _ in range(2)]
        done = trayport(
            "trades", CONTRACT, *DAY, "--out", "x.csv",
            TRAYPORT_API_KEY="k2",
            TRAYPORT_ANALYTICS_URL=urls[0],
            TRAYPORT_REFERENCE_URL=urls[1],
        )  # fmt: skip
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert done.code == 0, done.err
    assert urls[0].endswith("/analytics/api")
    assert urls[1].endswith("/reference")


@pytest.mark.parametrize("arguments", [(), ("--corrections",)])
def test_the_sandbox_command_has_corrections_on_request(
    arguments: tuple[str, ...], trayport: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Sandbox] = []
    monkeypatch.setattr(server, "run", lambda sandbox, *_, **_more: served.append(sandbox))
    assert trayport("sandbox", *arguments).code == 0
    assert [sandbox.corrections for sandbox in served] == [Corrections() if arguments else None]


def test_the_demo_writes_what_it_tells_of(
    trayport: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = import_module("trayport_sdk.cli.demo")  # the package has a command of this name
    monkeypatch.setattr(demo, "FROM", "2024-03-04")
    monkeypatch.setattr(demo, "UNTIL", "2024-03-06")
    done = trayport("demo", "--out", "out/trades.parquet")
    assert done.code == 0, done.err
    written = pl.read_parquet(tmp_path / "out" / "trades.parquet")
    assert f"{written.height:,} trades" in done.out
    assert "1 requests instead of 12" in done.out
    assert written["contract"].n_unique() == 12
    *_, said = done.out.splitlines()
    assert said == ("a chart of TTF Hi Cal 51.6* Apr-24 is in out/trades.html and out/trades.png")
    assert (tmp_path / "out" / "trades.png").read_bytes().startswith(b"\x89PNG")
    assert "TTF Hi Cal 51.6* Apr-24" in (tmp_path / "out" / "trades.html").read_text()


def test_the_version_is_that_of_the_package() -> None:
    with process("--version") as asked:
        said, _ = asked.communicate(timeout=60)
    assert trayport_sdk.__version__ in said
