"""The file of what failed for good: nothing is lost from it, and nothing secret is in it."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service import CONTRACTS, Request, Service, Verdict, session
from trayport_sdk import (
    QueryPlan,
    TrayportClient,
    TrayportConfigurationError,
    TrayportNotFoundError,
    TrayportServerError,
    TrayportValidationError,
)
from trayport_sdk.bulk.dead_letters import DeadLetters
from trayport_sdk.bulk.result import FailedQuery
from trayport_sdk.query.planner import plan
from trayport_sdk.query.times import Window

DAY = Window.between("2024-03-04", "2024-03-05")
APRIL, MAY, JUNE = CONTRACTS[:3]
REFUSED = TrayportNotFoundError("404, it is not there", status_code=404)


def of(*contracts: Any, endpoint: str = "trades", window: Window = DAY) -> QueryPlan:
    (query,) = plan(QueryPlan(endpoint=endpoint, contracts=contracts, window=window))
    return query


def failed(*contracts: Any, **more: Any) -> FailedQuery:
    return FailedQuery(of(*contracts, **more), REFUSED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "failed.jsonl"


@pytest.fixture
def letters(path: Path) -> DeadLetters:
    return DeadLetters(path)


def queries(path: Path) -> list[QueryPlan]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [QueryPlan.from_dict(json.loads(line)["query"]) for line in lines]


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_a_line_holds_the_query_and_why_it_failed(path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportServerError) as error:
            await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05", routes="Direct")
        (line,) = map(json.loads, path.read_text().splitlines())
        query = QueryPlan.from_dict(line["query"])
        assert (query.contracts, query.window) == ((APRIL,), DAY)
        assert query.options.routes == ("Direct",)
        assert line["failed_at"].endswith("+00:00")
        assert line["error"] == {
            "class": "TrayportServerError",
            "message": str(error.value),
            "status": 503,
            "attempts": 5,
            "correlation_id": error.value.correlation_id,
        }

    session(Service(lambda _: 503), test, dead_letter_file=path, circuit_breakers=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_that_was_mistaken_for_a_value_is_not_written(path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportServerError) as error:
            await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05", routes=["sandbox"])
        assert "routes=[key]" in str(error.value)
        (line,) = map(json.loads, path.read_text().splitlines())
        assert line["query"]["options"]["routes"] == ["[key]"]
        assert "sandbox" not in path.read_text()

    session(Service(lambda _: 503), test, dead_letter_file=path, max_retries=0)


def test_a_client_that_cannot_work_leaves_no_line(letters: DeadLetters) -> None:
    letters.keep(FailedQuery(of(APRIL), TrayportConfigurationError("the client is closed")))
    assert not letters.path.exists()


@pytest.mark.parametrize(
    "name", ["missing/failed.jsonl", ".", "pipe", "read-only", "a" * 256, "/dev/null"]
)
def test_a_file_that_cannot_be_written_is_a_wrong_setting(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "read-only").touch(0o400)
    with pytest.raises(TrayportConfigurationError, match="TRAYPORT_DEAD_LETTER_FILE"):
        DeadLetters(tmp_path / name)


@pytest.mark.parametrize("name", ["a" * 255, "a" * 246, os.fsdecode(b"\xff")])
def test_a_name_of_any_length_can_be_retried(name: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(name)
    for path in (tmp_path / name, tmp_path / "link"):
        letters = DeadLetters(path)
        letters.keep(failed(APRIL))
        with suppress(KeyboardInterrupt), letters.retrying():
            raise KeyboardInterrupt
        with DeadLetters.to_retry(path, str).retrying() as found:
            assert found == [of(APRIL)]
    assert names(tmp_path / name) == ["link"]


def test_the_file_is_run_again_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "failed.jsonl").symlink_to(Path("real", "letters"))
    letters = DeadLetters(tmp_path / "failed.jsonl")
    letters.keep(failed(APRIL))
    with letters.retrying() as found:
        assert found == [of(APRIL)]
        assert names(tmp_path / "real" / "letters") == ["letters.retrying"]
        letters.keep(failed(MAY))
    assert queries(tmp_path / "failed.jsonl") == [of(MAY)]


@pytest.mark.parametrize(
    "plant",
    [
        lambda path: path.symlink_to("victim"),
        lambda path: path.symlink_to("nothing"),
        os.mkfifo,
        Path.mkdir,
    ],
)
def test_what_is_planted_where_a_retry_keeps_its_queries_leads_nowhere(
    plant: Callable[[Path], object], letters: DeadLetters, tmp_path: Path
) -> None:
    (tmp_path / "victim").touch()
    letters.keep(failed(APRIL))
    plant(tmp_path / "failed.jsonl.retrying")
    refused = pytest.raises(TrayportConfigurationError, match=r"retrying' is no regular file")
    with refused, letters.retrying():
        pytest.fail("it was run")
    assert queries(letters.path) == [of(APRIL)]
    assert (tmp_path / "victim").read_bytes() == b""
    assert names(letters.path) == ["failed.jsonl", "failed.jsonl.retrying", "victim"]


def test_a_link_in_the_directory_for_rows_is_replaced(
    path: Path, letters: DeadLetters, tmp_path: Path
) -> None:
    victim, out = tmp_path / "victim", tmp_path / "rows"
    victim.write_text("precious")
    out.mkdir()

    async def test(client: TrayportClient) -> None:
        for _ in range(2):
            letters.keep(failed(APRIL))
            (out / ".trayport-0123456789abcdef").write_text("half of a retry that was killed")
            report = await client.retry_failed(path, out)
            assert [*out.iterdir()] == [*report.files]
            assert victim.read_text() == "precious"
            report.files[0].unlink()
            report.files[0].symlink_to(victim)

    session(Service(), test)


def test_a_directory_for_rows_that_cannot_be_is_refused_before_anything_is_sent(
    path: Path, letters: DeadLetters, tmp_path: Path
) -> None:
    letters.keep(failed(APRIL))
    (tmp_path / "file").touch()

    async def test(client: TrayportClient) -> None:
        for out in (tmp_path / "file", tmp_path / "file" / "rows", tmp_path / ("a" * 256)):
            with pytest.raises(TrayportValidationError, match="choose another directory") as error:
                await client.retry_failed(path, out)
            assert error.value.parameter == "out"
        assert client.get_metrics().total.requests == 0

    session(Service(), test)
    assert queries(path) == [of(APRIL)]


def test_a_file_that_can_no_longer_be_written_is_a_note_on_the_error(tmp_path: Path) -> None:
    directory = tmp_path / "there"
    directory.mkdir()
    letters = DeadLetters(directory / "failed.jsonl")
    directory.rmdir()
    one = FailedQuery(of(APRIL), TrayportNotFoundError("404", status_code=404))
    letters.keep(one)
    (note,) = one.error.__notes__
    assert "could not be kept for a later retry" in note
    assert "No such file" in note


def test_half_a_line_does_not_swallow_the_next(letters: DeadLetters) -> None:
    letters.path.write_text("{half")
    letters.keep(failed(APRIL))
    half, whole = letters.path.read_text().splitlines()
    assert half == "{half"
    assert QueryPlan.from_dict(json.loads(whole)["query"]) == of(APRIL)


def test_programs_that_share_a_file_do_not_tear_each_others_lines(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from trayport_sdk import QueryPlan, TrayportNotFoundError, Window
from trayport_sdk.bulk.dead_letters import DeadLetters
from trayport_sdk.bulk.result import FailedQuery

letters = DeadLetters(Path(sys.argv[1]))
for n in range(200):
    window = Window(10**18 + n * 10**9, 10**18 + int(sys.argv[2]) * 10**12)
    error = TrayportNotFoundError("x" * 3000, status_code=404)
    letters.keep(FailedQuery(QueryPlan(endpoint="activity", window=window), error))
"""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    programs = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(number)], env=env)
        for number in (1, 2)
    ]
    assert [program.wait(60) for program in programs] == [0, 0]
    with DeadLetters(path).retrying() as found:
        assert len(found) == 400


def test_what_fails_during_a_retry_gets_a_new_file(letters: DeadLetters) -> None:
    letters.keep(failed(APRIL))
    letters.keep(failed(MAY))
    with letters.retrying() as found:
        assert found == [of(APRIL), of(MAY)]
        assert names(letters.path) == ["failed.jsonl.retrying"]
        letters.keep(failed(JUNE))
    assert names(letters.path) == ["failed.jsonl"]
    assert queries(letters.path) == [of(JUNE)]


def test_an_interrupted_retry_is_taken_up_by_the_next(letters: DeadLetters) -> None:
    letters.keep(failed(APRIL))
    for contract in (MAY, JUNE, APRIL):  # one failed again before the interruption
        with suppress(KeyboardInterrupt), letters.retrying():
            letters.keep(failed(contract))
            raise KeyboardInterrupt
    with letters.retrying() as found:
        assert found == [of(APRIL), of(MAY), of(JUNE)]
    assert names(letters.path) == []


def test_a_line_written_late_into_the_renamed_file_is_kept(letters: DeadLetters) -> None:
    letters.keep(failed(APRIL))
    with letters.path.open("a") as opened_before, letters.retrying():
        opened_before.write(json.dumps(failed(MAY).to_dict()) + "\n")
        opened_before.flush()
    assert queries(letters.path) == [of(MAY)]


@pytest.mark.parametrize(
    "line",
    [
        "{half",
        "[]",
        "3",
        '{"query": null}',
        '{"query": {"kind": "QueryPlan", "endpoint": "../markets"}}',
        '{"query": {"kind": "QueryPlan", "endpoint": "trades", "url": "//elsewhere"}}',
        '{"query": {"kind": "Path", "endpoint": "trades"}}',
        "[" * 100_000,
    ],
)
def test_a_malformed_line_is_named_and_everything_stays_as_it_was(
    line: str, letters: DeadLetters
) -> None:
    letters.keep(failed(APRIL))
    with letters.path.open("a") as file:
        file.write(f"\n{line}\n")
    before = letters.path.read_bytes()
    with (
        pytest.raises(TrayportValidationError, match=r"failed\.jsonl, line 3: this is no dead"),
        letters.retrying(),
    ):
        pytest.fail("it was read")
    assert letters.path.read_bytes() == before
    assert names(letters.path) == ["failed.jsonl"]


@given(
    st.recursive(
        st.none() | st.text(), lambda more: st.lists(more) | st.dictionaries(st.text(), more)
    )
)
def test_no_line_of_another_kind_is_a_query(content: object) -> None:
    with pytest.raises(TrayportValidationError):
        QueryPlan.from_dict(content)  # type: ignore[arg-type]


class Sick:
    """A service that refuses some contracts until they are well."""

    def __init__(self, *contracts: Any) -> None:
        self.items = {contract.sequence_item_id for contract in contracts}
        self.service = Service(self.verdict)

    def verdict(self, request: Request) -> Verdict:
        return 404 if self.items & {*request.items} else None

    def run(self, test: Any, **values: Any) -> None:
        session(self.service, test, **values)


def test_rows_become_files_and_what_fails_again_stays(path: Path, tmp_path: Path) -> None:
    sick = Sick(APRIL, MAY)
    out = tmp_path / "deep" / "rows"

    async def test(client: TrayportClient) -> None:
        whole = await client.get_trades_bulk([JUNE], "2024-03-04", "2024-03-05")
        await client.get_trades_bulk([APRIL, MAY, JUNE], "2024-03-04", "2024-03-05")
        assert queries(path) == [of(APRIL), of(MAY)]
        sick.items.remove(APRIL.sequence_item_id)
        report = await client.retry_failed(path, out)
        (file,) = report.files
        assert (report.succeeded, report.failed) == (1, 1)
        assert [*out.iterdir()] == [file]
        assert file.name.startswith("trades-20240304T000000Z-20240305T000000Z-")
        rows = pl.read_parquet(file)
        assert set(rows["contract"]) == {str(APRIL)}
        april = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
        assert rows.drop("contract", "contract_name", "period").equals(april.to_polars())
        assert len(whole) > 0
        assert queries(path) == [of(MAY)]
        assert names(path) == ["deep", "failed.jsonl"]
        sick.items.clear()
        report = await client.retry_failed(path, out)
        assert (report.succeeded, report.failed) == (1, 0)
        assert names(path) == ["deep"]
        assert len([*out.iterdir()]) == 2

    sick.run(test, dead_letter_file=path)


def test_rows_of_several_contracts_say_whose_they_are(
    path: Path, letters: DeadLetters, tmp_path: Path
) -> None:
    sick = Sick(MAY)
    letters.keep(failed(APRIL, MAY, JUNE))
    letters.keep(failed(APRIL, MAY, JUNE))

    async def test(client: TrayportClient) -> None:
        report = await client.retry_failed(path, tmp_path / "rows")
        (file,) = report.files
        assert (report.succeeded, report.failed) == (0, 1)
        assert set(pl.read_parquet(file)["contract"]) == {str(APRIL), str(JUNE)}
        (left,) = queries(path)
        assert left.contracts == (MAY,)

    sick.run(test)


def test_a_run_that_ends_early_loses_nothing(
    path: Path, letters: DeadLetters, tmp_path: Path
) -> None:
    for contract in CONTRACTS[:9]:
        letters.keep(failed(contract))
    slow = {contract.sequence_item_id for contract in CONTRACTS[2:9]}
    service = Service(lambda request: 100.0 if slow & {*request.items} else None)

    async def test(client: TrayportClient) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.retry_failed(path, tmp_path / "rows")
        assert names(path) == ["failed.jsonl.retrying", "rows"]
        slow.clear()
        report = await client.retry_failed(path, tmp_path / "rows")
        assert (report.succeeded, report.failed) == (9, 0)
        assert len([*(tmp_path / "rows").iterdir()]) == 9
        assert names(path) == ["rows"]

    session(service, test)


def test_a_key_that_is_refused_ends_the_run_and_loses_nothing(
    path: Path, letters: DeadLetters, tmp_path: Path
) -> None:
    letters.keep(failed(APRIL))

    async def test(client: TrayportClient) -> None:
        service.verdict = lambda _: 401
        with pytest.raises(Exception, match="401"):
            await client.retry_failed(path, tmp_path / "rows")
        service.verdict = lambda _: None
        report = await client.retry_failed(path, tmp_path / "rows")
        assert (report.succeeded, report.failed) == (1, 0)

    service = Service()
    session(service, test)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        for wrong in (tmp_path / "failed.jsonl", tmp_path / "no" / "failed.jsonl"):
            with pytest.raises(TrayportValidationError, match="no such file"):
                await client.retry_failed(wrong, tmp_path / "rows")
        with pytest.raises(TrayportValidationError, match="this is a directory"):
            await client.retry_failed(tmp_path, tmp_path / "rows")

    session(Service(), test)
    assert list(tmp_path.iterdir()) == []
