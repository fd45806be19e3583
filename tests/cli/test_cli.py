"""The command as a user runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import trayport_sdk
from trayport_sdk.sandbox import Sandbox

CONTRACT = "TTF Hi Cal 51.6* Apr-24"


def trayport(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRAYPORT_")}
    return subprocess.run(
        [sys.executable, "-m", "trayport_sdk", *arguments],
        cwd=cwd,
        env=kept | {"PYTHONPATH": os.pathsep.join(sys.path)} | (env or {}),
        capture_output=True,
        text=True,
        timeout=120,
    )


def download(out: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    dates = ("--from", "2024-03-04", "--until", "2024-03-06")
    return trayport("trades", CONTRACT, *dates, "--out", out, "--sandbox", cwd=cwd)


def test_trades_are_written_in_every_format_with_the_same_rows(tmp_path: Path) -> None:
    for name in ("trades.parquet", "trades.csv", "trades.jsonl"):
        done = download(name, tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert name in done.stdout
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
        ([], "Missing command"),
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
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = trayport(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("trayport: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_failure_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    arguments = ("TTF Hi Cal 51.9* Apr-24", "--from", "2024-03-04", "--until", "2024-03-05")
    done = trayport("trades", *arguments, "--out", "x.csv", "--sandbox", cwd=tmp_path)
    assert done.returncode == 1
    assert "TTF Hi Cal 51.6*" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_refused_key_is_a_failure_that_does_not_show_it(tmp_path: Path) -> None:
    with Sandbox().serve() as server:
        done = trayport(
            "trades", CONTRACT, "--from", "2024-03-04", "--until", "2024-03-05", "--out", "x.csv",
            cwd=tmp_path,
            env={
                "TRAYPORT_API_KEY": "s3cret-key",
                "TRAYPORT_ANALYTICS_URL": server.analytics_url,
                "TRAYPORT_REFERENCE_URL": server.reference_url,
            },
        )  # fmt: skip
    assert done.returncode == 1
    assert "401" in done.stderr
    assert "s3cret-key" not in done.stdout + done.stderr


def test_the_sandbox_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trayport_sdk", "sandbox", "--port", "0", "--key", "k2"]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        urls = [server.stdout.readline().split()[-1] for _ in range(2)]
        done = trayport(
            "trades", CONTRACT, "--from", "2024-03-04", "--until", "2024-03-05", "--out", "x.csv",
            cwd=tmp_path,
            env={
                "TRAYPORT_API_KEY": "k2",
                "TRAYPORT_ANALYTICS_URL": urls[0],
                "TRAYPORT_REFERENCE_URL": urls[1],
            },
        )  # fmt: skip
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert done.returncode == 0, done.stderr
    assert urls[0].endswith("/analytics/api")
    assert urls[1].endswith("/reference")


def test_the_demo_writes_what_it_tells_of(tmp_path: Path) -> None:
    done = trayport("demo", "--out", "out/trades.parquet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = pl.read_parquet(tmp_path / "out" / "trades.parquet")
    assert f"{written.height:,} trades" in done.stdout
    assert "3 requests instead of 36" in done.stdout
    assert written["contract"].n_unique() == 12


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert trayport_sdk.__version__ in trayport("--version", cwd=tmp_path).stdout
