"""`~` is the home of the user in every path that a method or a command takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportError,
    TrayportValidationError,
    decode_file,
    open_dataset,
)
from trayport_sdk.cli import run

CONTRACT = "10000065*#Single#10000305#244#0"
DAY = ("2024-03-04", "2024-03-05")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home; the working directory is another, which stays empty."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


@pytest.mark.anyio
async def test_files_are_written_to_and_read_from_the_home(home: Path) -> None:
    async with TrayportClient.sandbox() as client:
        trades = await client.trades.get_trades(CONTRACT, *DAY)
        trades.to_csv("~/a.csv")
        trades.to_json(Path("~/a.jsonl"))
        trades.to_parquet("~/a.parquet")
        report = await client.stream_to_file(CONTRACT, *DAY, "~/b.arrow")
        assert report.path == home / "b.arrow"
        (kept,) = await client.download_raw(CONTRACT, *DAY, "~/raw")
        assert kept.parent == home / "raw"
        rows = sum(len(frame) for frame in decode_file(f"~/raw/{kept.name}"))
        assert rows == len(trades) == len(open_dataset("~/a.parquet").collect())
        (home / "failed.jsonl").write_text("")
        await client.retry_failed("~/failed.jsonl", "~/rows")
    names = {path.name for path in home.iterdir()}
    assert names == {"a.csv", "a.jsonl", "a.parquet", "b.arrow", "raw", "rows"}
    assert list(Path().iterdir()) == []


def test_commands_write_to_the_home(home: Path) -> None:
    arguments = ["trades", CONTRACT, "--from", DAY[0], "--until", DAY[1], "--sandbox", "--quiet"]
    assert run([*arguments, "--out", "~/a.csv"]) == 0
    assert run(["last", CONTRACT, "--sandbox", "--quiet", "--out", "~/b.csv"]) == 0
    (home / "failed.jsonl").write_text("")
    assert run(["retry-failed", "~/failed.jsonl", "--sandbox"]) == 0
    assert {path.name for path in home.iterdir()} >= {"a.csv", "b.csv", "failed.jsonl.rows"}
    assert list(Path().iterdir()) == []


def test_settings_lead_to_the_home(home: Path) -> None:
    settings = Settings(
        _env_file=None, limiter_store="sqlite:///~/limits.db", dead_letter_file="~/failed.jsonl"
    )
    assert settings.limiter_store.get_secret_value() == f"sqlite:///{home / 'limits.db'}"
    assert settings.dead_letter_file == home / "failed.jsonl"


STRANGE = "~nobody-of-this-name/a.parquet"


@pytest.mark.parametrize(
    "use",
    [
        lambda client: client.stream_to_file(CONTRACT, *DAY, STRANGE),
        lambda client: client.download_raw(CONTRACT, *DAY, STRANGE),
        lambda client: client.retry_failed(STRANGE, "rows"),
    ],
)
@pytest.mark.anyio
async def test_the_home_of_nobody_is_refused(use: Callable[[TrayportClient], Any]) -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportValidationError, match="home of a user that is not known"):
            await use(client)
    for read in (open_dataset, decode_file):
        with pytest.raises(TrayportValidationError, match="home of a user that is not known"):
            read(STRANGE)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("name", ["limiter_store", "api_key_file", "secrets_dir", "_env_file"])
def test_a_setting_with_the_home_of_nobody_is_refused(name: str) -> None:
    value = f"sqlite:///{STRANGE}" if name == "limiter_store" else STRANGE
    with pytest.raises(TrayportError, match=r"home|cannot be read") as refused:
        Settings(**{name: value})
    assert name.upper().strip("_") in str(refused.value).upper() or STRANGE in str(refused.value)
