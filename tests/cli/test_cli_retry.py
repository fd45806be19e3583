"""`trayport retry-failed`, as a user runs it."""

from pathlib import Path

import polars as pl
import pytest

from trayport_sdk import ContractSpec, QueryPlan, Window
from trayport_sdk.bulk.dead_letters import DeadLetters
from trayport_sdk.bulk.result import FailedQuery
from trayport_sdk.cli import run
from trayport_sdk.errors import TrayportServerError
from trayport_sdk.query.planner import plan

APRIL = ContractSpec.parse("10000065*#Single#10000305#244#0")
NOBODY = ContractSpec.parse("10000065*#Single#10000305#99999#0")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "failed.jsonl"


def failed(file: Path, *contracts: ContractSpec) -> None:
    error = TrayportServerError("503, it failed", status_code=503)
    window = Window.between("2024-03-04", "2024-03-05")
    for contract in contracts:
        (query,) = plan(QueryPlan(endpoint="trades", contracts=(contract,), window=window))
        DeadLetters(file).keep(FailedQuery(query, error))


def test_what_is_fetched_now_lies_in_the_directory(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(file, APRIL)
    assert run(["retry-failed", str(file), "--sandbox"]) == 0
    (rows,) = file.with_name("failed.jsonl.rows").iterdir()
    assert pl.read_parquet(rows).height > 0
    assert not file.exists()
    assert capsys.readouterr().out == f"1 fetched, into {rows.parent}; 0 failed again, in {file}\n"


def test_what_fails_again_stays_in_the_file_once_and_the_exit_code_says_so(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(file, NOBODY, APRIL)
    out = tmp_path / "rows"
    assert run(["retry-failed", str(file), "--out", str(out), "--sandbox"]) == 1
    assert "1 fetched" in capsys.readouterr().out
    (left,) = file.read_text().splitlines()
    assert str(NOBODY) in left
    assert len(list(out.iterdir())) == 1


def test_a_file_that_is_not_there_is_wrong_usage(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retry-failed", str(file), "--sandbox"]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_directory_is_wrong_usage(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["retry-failed", name, "--sandbox"]) == 2
    assert "this is a directory" in capsys.readouterr().err
