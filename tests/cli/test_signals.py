"""Signals and errors of the system end a command cleanly, in one line."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trayport_sdk import Progress
from trayport_sdk.bulk.progress import OnProgress
from trayport_sdk.cli import run
from trayport_sdk.cli.signals import SignalInterrupt, interruptible, run_async

CONTRACT = "TTF Hi Cal 51.6* Apr-24"
WEEKS = ("--from", "2023-12-01", "--until", "2024-03-01")
SIGNALS = {
    signal.SIGTERM: (143, "terminated"),
    signal.SIGHUP: (129, "the terminal hung up"),
    signal.SIGINT: (130, "interrupted"),
}


@pytest.fixture(autouse=True)
def _signals_that_count() -> Iterator[None]:
    """Also where the suite itself runs in the background, or under nohup."""
    on_ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    on_hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, on_ctrl_c)
    signal.signal(signal.SIGHUP, on_hang_up)


@pytest.fixture
def without_ctrl_c() -> Iterator[None]:
    """As in a script that runs a command in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def trades(out: Path | str) -> list[str]:
    return ["trades", CONTRACT, *WEEKS, "--out", str(out), "--sandbox"]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("exists", [True, False])
def test_a_signal_ends_a_command_as_ctrl_c_does(
    number: signal.Signals,
    exists: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[int] = []

    @contextmanager
    def progress_bar(*_: object, **__: object) -> Generator[OnProgress]:
        def end(progress: Progress) -> None:
            assert progress.requests_done < progress.requests_planned
            seen.append(len([*tmp_path.iterdir()]))
            signal.raise_signal(number)

        yield end

    monkeypatch.setattr("trayport_sdk.cli.operations.progress_bar", progress_bar)
    out = tmp_path / "a.parquet"
    if exists:
        out.write_text("old")
    before = [signal.getsignal(one) for one in SIGNALS]
    code, said = SIGNALS[number]
    assert run(trades(out)) == code
    assert capsys.readouterr().err.strip() == (
        f"trayport: {said}; files that are finished stay, and the command can be run again"
    )
    assert seen[0] == 1 + exists
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"] * exists
    assert [signal.getsignal(one) for one in SIGNALS] == before


@pytest.mark.usefixtures("without_ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_in_the_background_is_ended_too(number: signal.Signals) -> None:
    cleaned: list[str] = []

    async def command() -> None:
        try:
            signal.raise_signal(number)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    with pytest.raises(SignalInterrupt) as raised, interruptible():
        run_async(command())
    assert raised.value.number == number
    assert cleaned == ["up"]


def test_what_fails_while_a_signal_ends_it_is_no_other_failure() -> None:
    async def command() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError(errno.EIO, "the disk is gone too")

    with pytest.raises(SignalInterrupt), interruptible():
        run_async(command())


def test_a_signal_ends_what_is_no_coroutine() -> None:
    with pytest.raises(SignalInterrupt), interruptible():
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


DOOR = """
import os, signal, sys
import trayport_sdk.__main__ as door
class Import:
    def find_spec(self, name, *_):
        if name == "trayport_spec":
            os.kill(os.getpid(), int(sys.argv[1]))
sys.meta_path.insert(0, Import())
sys.exit(door.main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_anything_is_loaded(number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DOOR, str(int(number))],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 128 + number
    assert done.stderr == "trayport: interrupted before anything was done\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
def test_an_error_of_the_system_is_one_line(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("trayport_sdk.bulk.writer.encode", refuse)
    out = tmp_path / "a.csv"
    assert run([*trades(out), "--quiet"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"trayport: '{out}': {os.strerror(number)}: ")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("/dev/stdout", "has no known ending"),
        ("read-only.csv", "is read-only"),
        ("pipe.csv", "is a pipe"),
        ("a" * 252 + ".csv", "File name too long"),
    ],
)
def test_what_cannot_be_written_is_wrong_usage(
    out: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("read-only.csv").touch(0o444)
    os.mkfifo("pipe.csv")
    before = sorted(tmp_path.iterdir())
    assert run(trades(out)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trayport: --out ")
    assert reason in line
    assert sorted(tmp_path.iterdir()) == before


def test_standard_output_that_is_closed_ends_a_command_quietly() -> None:
    command = [sys.executable, "-m", "trayport_sdk", "config", "example"]
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, env=env, stdout=write, stderr=subprocess.PIPE, timeout=60)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 141
