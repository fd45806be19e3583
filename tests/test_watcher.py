from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field

from tests import virtual_time
from trayport_sdk import Settings, TrayportConfigurationError
from trayport_sdk.setting_sources import variable
from trayport_sdk.watcher import watch

EVERY = 5.0


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


@define
class Watched:
    """Settings that are watched, and what was said of them."""

    settings: Settings
    changes: list[frozenset[str]] = field(factory=list[frozenset[str]])
    errors: list[str] = field(factory=list[str])

    def change(self, new: Settings) -> None:
        self.changes.append(self.settings.differences(new))
        if new.max_concurrency == 13:
            raise TrayportConfigurationError("13 cannot be had while running")
        if new.max_concurrency == 17:
            raise ZeroDivisionError("17 was not foreseen")
        self.settings = new

    def fail(self, error: Exception) -> None:
        self.errors.append(str(error))


def watching(settings: Settings, *steps: Callable[[], object]) -> Watched:
    """What is said after each step has been looked at twice."""
    watched = Watched(settings)

    async def run() -> None:
        task = asyncio.create_task(
            watch(lambda: watched.settings, EVERY, watched.change, watched.fail)
        )
        await asyncio.sleep(2.5 * EVERY)
        for step in steps:
            step()
            await asyncio.sleep(2 * EVERY)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtual_time.run(run())
    return watched


def write(path: str, text: str) -> Callable[[], object]:
    return lambda: Path(path).write_text(text)


def test_nothing_is_said_while_nothing_changes() -> None:
    Path(".env").write_text("TRAYPORT_TIMEOUT=5\n")
    watched = watching(Settings(), write(".env", "TRAYPORT_TIMEOUT=5 # the same\n"))
    assert (watched.changes, watched.errors) == ([], [])


def test_each_change_of_a_file_is_said_once() -> None:
    watched = watching(
        Settings(connect_timeout=3),
        write(".env", "TRAYPORT_TIMEOUT=5\nTRAYPORT_CONNECT_TIMEOUT=9\n"),
        write(".env", "TRAYPORT_LOG_LEVEL=debug\nTRAYPORT_TIMEOUT=5\n"),
        Path(".env").unlink,
    )
    assert watched.changes == [{"timeout"}, {"log_level"}, {"timeout", "log_level"}]
    assert watched.errors == []


def test_a_change_before_the_first_look_is_not_missed() -> None:
    settings = Settings()
    Path(".env").write_text("TRAYPORT_TIMEOUT=5\n")
    assert watching(settings).changes == [{"timeout"}]


def test_a_broken_file_is_said_once_and_does_not_stop_the_watching() -> None:
    watched = watching(
        Settings(),
        write(".env", "TRAYPORT_TIMEOUT=soon\n"),
        write(".env", "TRAYPORT_TIMEOUT=6\n"),
    )
    assert watched.changes == [{"timeout"}]
    (error,) = watched.errors
    assert "TRAYPORT_TIMEOUT" in error


def test_a_change_that_cannot_be_made_is_said_and_does_not_stop_the_watching() -> None:
    watched = watching(
        Settings(),
        write(".env", "TRAYPORT_MAX_CONCURRENCY=13\n"),
        write(".env", "TRAYPORT_MAX_CONCURRENCY=14\n"),
    )
    assert watched.errors == ["13 cannot be had while running"]
    assert watched.settings.max_concurrency == 14


def test_nothing_that_goes_wrong_stops_the_watching() -> None:
    # Warnings are errors here, as under -W error.
    watched = watching(
        Settings(),
        write(".env", "TRAYPORT_TIMEOT=5\n"),
        write(".env", "TRAYPORT_MAX_CONCURRENCY=17\n"),
        write(".env", "TRAYPORT_MAX_CONCURRENCY=14\n"),
    )
    typo, unforeseen = watched.errors
    assert "did you mean TRAYPORT_TIMEOUT" in typo
    assert unforeseen == "17 was not foreseen"
    assert watched.settings.max_concurrency == 14


def test_a_key_file_and_a_secrets_directory_are_watched(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old")
    (tmp_path / "secrets").mkdir()
    watched = watching(
        Settings(api_key_file=tmp_path / "key", secrets_dir=tmp_path / "secrets"),
        write("key", "new"),
        write("secrets/trayport_timeout", "5"),
        Path("key").unlink,
        write("key", "new"),
    )
    assert watched.changes == [{"api_key"}, {"timeout"}]
    (error,) = watched.errors
    assert "TRAYPORT_API_KEY_FILE" in error
