from __future__ import annotations

from pathlib import Path

import pytest

from trayport_sdk import Settings
from trayport_sdk.cli import run
from trayport_sdk.cli.config import HEADINGS
from trayport_sdk.settings import PROFILES, variable

KEY = "s3cret-key-of-a-trader"


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    """Value and origin of each setting, as the command prints them."""
    assert run(["config", "show", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {name: rest.split("  ", 1) for name, rest in (line.split(maxsplit=1) for line in lines)}


def test_every_setting_is_shown_even_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(capsys)
    assert list(found) == list(Settings.model_fields)
    assert [text.strip() for text in found["api_key"]] == ["(not set)", "default"]
    assert [text.strip() for text in found["timeout"]] == ["60", "default"]
    assert [text.strip() for text in found["metrics"]] == ["true", "default"]


def test_a_value_is_shown_with_where_it_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text("TRAYPORT_HTTP2=1\n")
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "1.5")
    found = shown(capsys, "--profile", "production")
    assert [text.strip() for text in found["timeout"]] == ["1.5", "TRAYPORT_TIMEOUT"]
    assert [text.strip() for text in found["http2"]] == ["true", ".env"]
    assert [text.strip() for text in found["log_format"]] == ["json", "profile"]


def test_secrets_are_masked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv("TRAYPORT_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("TRAYPORT_LIMITER_STORE", f"redis://desk:{KEY}@cache.example:6379/0")
    found = shown(capsys)
    assert KEY not in str(found)
    assert [text.strip() for text in found["api_key"]] == ["********", "key file"]
    assert found["limiter_store"][0] == "redis://********@cache.example:6379/0"


def test_a_variable_with_a_typo_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAYPORT_API_KY", KEY)
    assert run(["config", "show"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("trayport: the variable TRAYPORT_API_KY sets nothing")
    assert said.count("\n") == 1


def test_settings_that_cannot_work_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "soon")
    monkeypatch.setenv("TRAYPORT_HTTP2", "perhaps")
    assert run(["config", "show"]) == 2
    said = capsys.readouterr().err
    assert "TRAYPORT_TIMEOUT" in said
    assert "TRAYPORT_HTTP2" in said


@pytest.mark.parametrize("arguments", [[], ["show", "--profile", "prod"], ["hide"]])
def test_wrong_usage_has_exit_code_2(arguments: list[str]) -> None:
    assert run(["config", *arguments]) == 2


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_can_be_tried(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "--profile", profile)["profile"][0].strip() == profile


def test_the_example_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "example"]) == 0
    printed = capsys.readouterr().out
    assert all(f"# {variable(name)}=" in printed for name in Settings.model_fields)
    assert all(heading in printed for heading in HEADINGS.values())
    assert max(map(len, printed.splitlines())) <= 100
