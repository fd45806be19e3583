"""The commands `trayport health` and `trayport status`."""

import json
import os
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import requires
from pathlib import Path

import pytest

from trayport_sdk.cli import doctor, run
from trayport_sdk.cli.doctor import LIBRARIES
from trayport_sdk.cli.output import as_json
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.telemetry.events import BreakerState
from trayport_sdk.telemetry.status import BreakerStatus

KEY = "s3cret-key"


@pytest.fixture(autouse=True)
def _an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAYPORT_API_KEY", KEY)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    sandbox = Sandbox(keys=[KEY])
    with sandbox.serve() as server:
        monkeypatch.setenv("TRAYPORT_ANALYTICS_URL", server.analytics_url)
        monkeypatch.setenv("TRAYPORT_REFERENCE_URL", server.reference_url)
        yield sandbox


def test_a_healthy_service_is_exit_code_0(
    served: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["health"]) == 0
    said = capsys.readouterr().out
    assert "nothing is wrong" in said
    assert KEY not in said
    assert len(served.requests) == 2


def test_the_sandbox_is_healthy_without_a_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAYPORT_API_KEY")
    assert run(["health", "--sandbox"]) == 0
    assert "this process: responds" in capsys.readouterr().out


@pytest.mark.usefixtures("served")
def test_a_wrong_key_is_exit_code_1_and_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAYPORT_API_KEY", "wr0ng-key")
    assert run(["health"]) == 1
    said = capsys.readouterr().out
    assert "refused by analytics and reference" in said
    assert "wr0ng-key" not in said


def test_where_nothing_listens_the_report_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("TRAYPORT_ANALYTICS_URL", address)
    monkeypatch.setenv("TRAYPORT_REFERENCE_URL", address)
    assert run(["health"]) == 1
    assert f"{address.removeprefix('http://')}: the connection failed" in capsys.readouterr().out


def test_the_status_tells_the_windows_and_sends_nothing(
    served: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert "in 60 s" in said
    assert "all closed" in said
    assert "http://127.0.0.1" in said
    assert KEY not in said
    assert not served.requests


def test_the_status_of_the_sandbox_needs_no_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAYPORT_API_KEY")
    assert run(["status", "--sandbox"]) == 0
    assert "nothing limits requests" in capsys.readouterr().out


def test_the_status_is_an_object_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["analytics"].startswith("https://")
    assert said["status"]["limiter"]["store"] == "memory"
    assert said["status"]["breakers"] == {}


def test_an_open_breaker_says_when_it_is_tried_as_an_object_too() -> None:
    status = BreakerStatus(BreakerState.OPEN, 5, datetime(2024, 3, 4, 10, tzinfo=UTC))
    assert json.loads(as_json({"get_trades": status})) == {
        "get_trades": {"state": "open", "failures": 5, "retry_at": "2024-03-04T10:00:00+00:00"}
    }


def test_doctor_speaks_of_libraries_that_are_always_there() -> None:
    """Others come with extras, and may be missing."""
    required = [text for text in requires("trayport-sdk") or () if "extra ==" not in text]
    names = {re.split(r"[^a-z0-9-]", text)[0].removesuffix("-settings") for text in required}
    assert {*LIBRARIES} <= names


def test_doctor_asks_the_service_with_a_key_alone(
    served: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["doctor"]) == 0
    assert re.search(r"clock .* s (ahead of|behind) that of the service", capsys.readouterr().out)
    assert len(served.requests) == 2
    monkeypatch.delenv("TRAYPORT_API_KEY")
    assert run(["doctor"]) == 0
    assert "not asked: there is no key" in capsys.readouterr().out
    assert len(served.requests) == 2


@pytest.mark.usefixtures("served")
def test_doctor_says_what_is_wrong_with_clock_and_disks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "MOST_SECONDS_OFF", 0)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run(["doctor", "--json"]) == 1
    checks = {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert {name for name, one in checks.items() if one["ok"] is False} == {
        "cache", "temporary files", "clock",
    }  # fmt: skip
    assert checks["cache"]["detail"].endswith("may not be written to")


def test_doctor_measures_the_machine_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAYPORT_API_KEY")
    monkeypatch.setattr(doctor, "ROWS", 10)
    assert run(["doctor", "--bench"]) == 0
    said = capsys.readouterr().out
    for name in ("decoding", "Parquet"):
        assert re.search(rf"{name} .* MB/s of JSON, [0-9.]+ x msgspec", said)


@pytest.mark.parametrize("shell", doctor.SHELLS)
def test_each_shell_has_its_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert f"_TRAYPORT_COMPLETE={shell}_complete" in said
