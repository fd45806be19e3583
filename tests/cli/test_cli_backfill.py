"""The commands about data sets, as a user runs them, and what signals do to them."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import polars as pl
import pytest
from attrs import frozen

from tests.service import CONTRACTS
from trayport_sdk import Window, open_dataset
from trayport_sdk.bulk.dataset_writer import STAGING
from trayport_sdk.bulk.manifest import Manifest
from trayport_sdk.bulk.storage import storage_of
from trayport_sdk.cli import run
from trayport_sdk.query.times import instant
from trayport_sdk.sandbox import Corrections, Fault, Sandbox, SandboxServer

APRIL = "TTF Hi Cal 51.6* Apr-24"
WEEK = ("--from", "2024-03-04", "--until", "2024-03-06")
DAY = 86_400 * 10**9


@frozen
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def trayport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Done:
        return Done(run(arguments), *capsys.readouterr())

    return command


def environment(server: SandboxServer) -> dict[str, str]:
    return {
        "TRAYPORT_API_KEY": "sandbox",
        "TRAYPORT_ANALYTICS_URL": server.analytics_url,
        "TRAYPORT_REFERENCE_URL": server.reference_url,
        "TRAYPORT_MAX_RETRIES": "0",
        "TRAYPORT_CACHE": "memory",
    }


def use(server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)


def data(directory: str = "d") -> list[str]:
    return sorted(str(path) for path in Path(directory, "data").rglob("*.parquet"))


def test_a_data_set_from_the_first_request_to_the_last(trayport: Command) -> None:
    fill = ("backfill", APRIL, "--out", "d", "--sandbox", "--field", "route_id")
    planned = trayport(*fill, *WEEK, "--dry-run")
    assert "1 request to send, at least 0 s at the allowance" in planned.out
    assert not Path("d").exists()
    first = trayport(*fill, *WEEK)
    rows = open_dataset("d").collect()
    assert (first.code, rows.height > 100) == (0, True)
    assert f"1 request of 1, {rows.height:,} rows, 1 file" in first.out
    assert rows["route_id"].null_count() == 0

    assert trayport(*fill, *WEEK).out.endswith(": nothing is missing\n")
    assert trayport(*fill, *WEEK, "--quiet") == Done(0, "", "")
    more = trayport(*fill, *WEEK[:2], "--until", "2024-03-07", "--dry-run")
    assert "1 request to send" in more.out
    assert " MB" in more.out

    assert trayport("verify", "d", "--no-repair", "--sandbox").code == 0
    Path(data()[0]).write_bytes(b"no rows")
    for command in (("verify", "d", "--no-repair", "--sandbox"), (*fill, *WEEK)):
        bad = trayport(*command)
        assert bad.code == 1
        assert "trades.parquet" in bad.err
        assert "trayport verify" in bad.err
        assert bad.err.count("\n") == 1
    mended = trayport("verify", "d", "--sandbox")
    assert "1 damaged file made anew" in mended.out
    assert open_dataset("d").collect().equals(rows)


def test_contracts_come_from_a_file_by_name_or_symbol(trayport: Command) -> None:
    Path("contracts.txt").write_text(f"{APRIL}\n{CONTRACTS[1]}\n")
    fill = ("backfill", "--contracts-file", "contracts.txt", *WEEK, "--out", "d", "--sandbox")
    assert "trades of 2 contracts" in trayport(*fill).out
    assert len(data()) == 2


def test_times_of_files_may_be_coarser_and_processes_need_a_service(trayport: Command) -> None:
    week = ("backfill", APRIL, *WEEK, "--sandbox", "--out")
    done = trayport(*week, "us", "--time-unit", "us", "--on-loss", "extra_column")
    assert done.code == 0, done.err
    schema = open_dataset("us").collect_schema()
    assert schema["deal_date"] == pl.Datetime("us", "UTC")
    assert schema["deal_date_ns"] == pl.Int16
    loss = trayport(*week, "ms", "--time-unit", "ms")
    assert loss.code == 2
    assert "--on-loss" in loss.err
    own = trayport(*week, "processes", "--processes", "2")
    assert own.code == 2
    assert "`trayport sandbox` serves" in own.err


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (("--endpoint", "activity"), None),
        (("--endpoint", "private_trades"), None),
        ((APRIL, "--endpoint", "ohlcv", "--interval", "1d", "--field", "vwap"), 2),
        ((APRIL, "--endpoint", "order_book", "--interval", "1h", "--depth", "2"), None),
    ],
)  # fmt: skip
def test_other_operations_take_their_own_options(
    arguments: tuple[str, ...], rows: int | None, trayport: Command
) -> None:
    done = trayport("backfill", *arguments, *WEEK, "--out", "d", "--sandbox")
    assert done.code == 0, done.err
    height = open_dataset("d").collect().height
    assert height == rows if rows is not None else height > 3


def test_corrections_are_found_shown_written_and_pruned(
    trayport: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [instant("2024-03-06T01", "now")]
    every = Corrections(late=0.02, altered=0.02, deleted=0.02, after=dt.timedelta(hours=6))
    sandbox = Sandbox(limits=False, corrections=every, clock=lambda: now[0])
    with sandbox.serve() as server:
        use(server, monkeypatch)
        assert trayport("backfill", str(CONTRACTS[0]), *WEEK, "--out", "d").code == 0
        before = now[0]
        now[0] += 9 * DAY
        expected = sandbox.corrections_of(
            CONTRACTS[0],
            from_=instant(WEEK[1], "from_"),
            until=instant(WEEK[3], "until"),
            since=before,
            now=now[0],
        )
        counts = dict(expected["kind"].value_counts().iter_rows())
        refreshed = trayport("refresh", "d", "--last", "2d")
    words = f"{counts['added']:,} rows added, {counts['altered']:,} altered, "
    assert f"{words}{counts['deleted']:,} deleted" in refreshed.out

    monkeypatch.setenv("COLUMNS", "250")
    table = trayport("changes", "d", "--table", "--rows", "100000")
    assert table.err == f"{expected.height:,} changes\n"
    head = [name.strip() for name in table.out.splitlines()[1].strip("│").split("┆")]
    assert head[:3] == ["known_at", "change", "contract"]
    assert "before_price" in head
    assert "before_deal_date" not in head  # it never differs
    assert APRIL in table.out
    assert table.out.count("deleted") == counts["deleted"]
    assert trayport("changes", "d", "--since", "2200-01-01").err == "0 changes\n"
    for name in ("c.parquet", "c.csv"):
        assert (
            trayport("changes", "d", "--out", name).out == f"{name}: {expected.height:,} changes\n"
        )
    frame = pl.read_parquet(tmp_path / "c.parquet")
    assert sorted(frame["trade_id"]) == sorted(expected["trade_id"])
    assert trayport("prune", "d", "--keep", "90d").out == "d: 0 versions removed\n"
    assert trayport("prune", "d", "--keep", "0").out == "d: 1 version removed\n"


def test_requests_that_fail_are_an_exit_code_and_sent_again_by_the_same_command(
    trayport: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(limits=False)
    sandbox.faults.add(Fault("status", status=400, operation_id="get_trades", times=None, after=1))
    fill = ("backfill", str(CONTRACTS[0]), "--from", "2024-01-01", "--until", "2024-03-31")
    with sandbox.serve() as server:
        use(server, monkeypatch)
        failed = trayport(*fill, "--out", "d")
        assert failed.code == 1
        assert "2 requests failed" in failed.out
        line = failed.err.splitlines()[-1]
        assert line.startswith("trayport: 2 requests failed, the first with: ")
        assert line.endswith("; the same command sends what failed again")
        sandbox.faults.clear()
        assert "2 requests of 2" in trayport(*fill, "--out", "d").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backfill", *WEEK, "--out", "d"), "CONTRACTS is missing"),
        (("backfill", APRIL, *WEEK), "--out"),
        (("backfill", APRIL, "--out", "d"), "--from is missing"),
        (("backfill", APRIL, *WEEK, "--out", "d", "--endpoint", "snapshots"), "snapshots"),
        (("backfill", APRIL, *WEEK, "--out", "d", "--endpoint", "activity"), "CONTRACTS"),
        (("backfill", APRIL, *WEEK, "--out", "d", "--depth", "3"), "--depth"),
        (("backfill", APRIL, *WEEK, "--out", "d", "--endpoint", "ohlcv"), "--interval"),
        (("refresh", "d", "--last", "soon"), "--last 'soon'"),
        (("prune", "d", "--keep", "soon"), "--keep 'soon'"),
        (("changes", "d", "--out", "c.xlsx"), ".parquet"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_usage_is_one_line_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, trayport: Command
) -> None:
    asks = arguments[0] not in ("prune", "changes")
    done = trayport(*arguments, *["--sandbox"] * asks)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not Path("d", "data").exists()


@pytest.mark.parametrize("command", ["refresh", "verify", "changes"])
def test_a_directory_that_holds_no_data_set_is_a_failure(command: str, trayport: Command) -> None:
    done = trayport(command, "nowhere", *["--sandbox"] * (command != "changes"))
    assert done.code == 1
    assert "holds no data set" in done.err
    assert not Path("nowhere").exists()


# --- Signals, in processes of their own

QUIET = CONTRACTS[10:12]
MONTHS = ("--from", "2023-01-01", "--until", "2024-01-01")  # twelve windows
SOME = 3


class Market(Sandbox):
    """A sandbox that says when some requests have come.

    As it keeps the limits, the rest of them take seconds more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.amid = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if len(self.requests) >= SOME:
            self.amid.set()
        await super().__call__(scope, receive, send)

    def forget(self) -> None:
        """Begins to count anew."""
        self.requests.clear()
        self.amid.clear()

    def windows(self) -> list[Window]:
        """The ranges of the requests that came."""
        queries = [parse_qs(request.query) for request in self.requests]
        return [Window.between(query["from"][0], query["until"][0]) for query in queries]


@pytest.fixture(scope="module")
def market() -> Iterator[tuple[Market, SandboxServer]]:
    sandbox = Market()
    with sandbox.serve() as server:
        yield sandbox, server


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("undisturbed")
    assert run([*fill(path), "--sandbox", "--quiet"]) == 0
    return path


def fill(path: Path) -> list[str]:
    return ["backfill", *map(str, QUIET), *MONTHS, "--out", str(path)]


@contextmanager
def process(server: SandboxServer, *arguments: str) -> Generator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment(server), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started:
        try:
            yield started
        finally:
            started.kill()


def done_in(path: Path) -> set[Window]:
    """The ranges that a data set has recorded."""
    with Manifest(storage_of(path).state, reads=True) as manifest:
        return {window.window for one in QUIET for window in manifest.done(str(one))}


def names(path: Path) -> set[str]:
    return {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_signal_keeps_what_is_done_and_the_same_command_goes_on(
    number: signal.Signals,
    word: str,
    market: tuple[Market, SandboxServer],
    undisturbed: Path,
    tmp_path: Path,
) -> None:
    sandbox, server = market
    sandbox.forget()
    with process(server, "-m", "trayport_sdk", *fill(tmp_path)) as interrupted:
        assert sandbox.amid.wait(60)
        while not done_in(tmp_path):  # for the first responses may be slow
            assert interrupted.poll() is None
        interrupted.send_signal(number)
        out, err = interrupted.communicate(timeout=30)
    assert interrupted.returncode == 128 + number
    assert out == ""
    assert err.splitlines()[-1] == (
        f"trayport: {word}; the same command goes on, and sends nothing again that is done"
    )
    storage = storage_of(tmp_path)
    assert list((storage.state / STAGING).iterdir()) == []
    with Manifest(storage.state, reads=True) as manifest:
        assert manifest.begun() == []
        for file in manifest.files():
            assert storage.checksum(file.name) == file.checksum
    done = done_in(tmp_path)
    assert 0 < len(done) < 12

    sandbox.requests.clear()
    with process(server, "-m", "trayport_sdk", *fill(tmp_path)) as resumed:
        out, err = resumed.communicate(timeout=30)
    assert resumed.returncode == 0, err
    assert f"{12 - len(done)} requests of {12 - len(done)}" in out
    assert done.isdisjoint(sandbox.windows())
    assert len(sandbox.requests) == 12 - len(done)
    assert open_dataset(tmp_path).collect().equals(open_dataset(undisturbed).collect())
    assert names(tmp_path) == names(undisturbed)


ASYNC = """
import asyncio, sys
from trayport_sdk import TrayportClient
async def main():
    async with TrayportClient() as client:
        await client.get_trades_bulk(sys.argv[1:], "2023-01-01", "2024-01-01")
asyncio.run(main())
"""
SYNC = """
import sys
from trayport_sdk.sync import TrayportClient
with TrayportClient() as client:
    client.get_trades_bulk(sys.argv[1:], "2023-01-01", "2024-01-01")
"""


@pytest.mark.parametrize("script", [ASYNC, SYNC])
def test_ctrl_c_ends_a_script_as_it_ends_any_other(
    script: str, market: tuple[Market, SandboxServer]
) -> None:
    sandbox, server = market
    sandbox.forget()
    with process(server, "-W", "error", "-c", script, *map(str, QUIET)) as program:
        assert sandbox.amid.wait(60)
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=30)
    assert program.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")


HANGS = """
import asyncio, threading
from trayport_sdk.cli.signals import interruptible, run_async
async def command():
    print("begun", flush=True)
    try:
        await asyncio.sleep(600)
    finally:
        print("ending", flush=True)
        await asyncio.shield(asyncio.to_thread(threading.Event().wait))
with interruptible():
    run_async(command())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once_what_hangs(
    number: signal.Signals, market: tuple[Market, SandboxServer]
) -> None:
    with process(market[1], "-c", HANGS) as program:
        assert program.stdout is not None
        for line in ("begun\n", "ending\n"):
            assert program.stdout.readline() == line
            program.send_signal(number)
        _, err = program.communicate(timeout=30)
    assert program.returncode == 128 + number
    assert err == "trayport: ended at once\n"
