"""Parts of plans: any process may run them, as often as need be, and what comes is the same."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service import CONTRACTS, Service, session
from trayport_sdk import (
    BackfillReport,
    ContractSpec,
    EndpointName,
    Part,
    PartReport,
    QueryPlan,
    TrayportClient,
    TrayportDatasetError,
    TrayportPartialFailureError,
    TrayportValidationError,
    open_dataset,
)
from trayport_sdk.bulk.parts import parts_of
from trayport_sdk.query.plan import ParallelContractQuery
from trayport_sdk.query.times import DAY, Window

RANGE = ("2024-03-01", "2024-04-20")
SOME = CONTRACTS[8:14]


def plans_of(client: TrayportClient) -> list[QueryPlan]:
    return client.planner.plan_multi_contract_query(SOME, "trades", *RANGE)


@given(requests=st.integers(0, 40), n=st.integers(1, 12))
def test_the_parts_of_a_plan_are_the_plan(requests: int, n: int) -> None:
    plans = [
        ParallelContractQuery(
            endpoint="trades", contracts=CONTRACTS[:1], window=Window(day * DAY, (day + 1) * DAY)
        )
        for day in range(requests)
    ]
    parts = parts_of(plans, n, None)
    assert [query for part in parts for query in part.plans] == plans
    sizes = [len(part.plans) for part in parts]
    assert len(sizes) == min(n, requests)
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert len({part.id for part in parts}) == len(parts)
    for part in parts:
        assert pickle.loads(pickle.dumps(part)) == part  # noqa: S301
        assert Part.from_dict(json.loads(json.dumps(part.to_dict()))) == part


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_a_number_of_parts_is_a_whole_one(n: int) -> None:
    with pytest.raises(TrayportValidationError, match="n "):
        TrayportClient.sandbox().planner.parts([], n)


@pytest.mark.parametrize("document", [None, [], {"plans": 1}, {"plans": [], "other": None}])
def test_what_is_no_part_is_refused(document: Any) -> None:
    with pytest.raises(TrayportValidationError, match=r"part .* is no part: .*to_dict"):
        Part.from_dict(document)


def test_a_part_is_read_before_it_runs() -> None:
    document: Any = Part(()).to_dict()

    async def run(client: TrayportClient) -> None:
        with pytest.raises(TrayportValidationError, match=r"part .* is no part: .*Part\.from_dict"):
            await client.run_part(document)

    session(Service(), run)


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def test_a_part_that_runs_twice_is_fetched_once(tmp_path: Path) -> None:
    service = Service()

    async def both(client: TrayportClient) -> None:
        (part,) = client.planner.parts(plans_of(client), 1, out=tmp_path)
        first = await client.run_part(part)
        assert len(service.requests) == len(part.plans) == len(first.responses)
        assert repr(part) == f"Part(plans={len(part.plans)} requests, out={str(tmp_path)!r})"
        assert part.plans[0].explain() in repr(first.responses[0])
        files = files_of(tmp_path)
        again = await client.run_part(pickle.loads(pickle.dumps(part)))  # noqa: S301
        assert len(service.requests) == len(part.plans)
        assert (again, files_of(tmp_path)) == (first, files)
        # One file is damaged, and one is missing: those two are fetched again, into the same files.
        lost, torn, *_ = sorted(response.file for response in first.responses)
        (tmp_path / lost).unlink()
        (tmp_path / torn).write_bytes(files[torn][:-1])
        damaged = {response.file: response for response in first.responses}
        for name in (lost, torn):
            with pytest.raises(TrayportDatasetError, match="run the part again"):
                _ = damaged[name].frame
        assert await client.run_part(part) == first
        assert len(service.requests) == len(part.plans) + 2
        assert files_of(tmp_path) == files
        # The rows are those of a call, in memory and in files.
        in_memory = await client.run_part(Part(part.plans))
        whole = await client.planner.execute_plan(part.plans)
        order = ["contract", "deal_date", "trade_id"]
        expected = whole.to_polars().sort(order)
        for report in (first, in_memory, pickle.loads(pickle.dumps(in_memory))):  # noqa: S301
            found = report.to_polars().sort(order)
            assert (
                repr(report) == f"PartReport({found.height:,} rows from {len(part.plans)} requests)"
            )
            assert report.rows == found.height > 0
            assert found.select(expected.columns).equals(expected)

    session(service, both)


def test_failures_come_with_the_report_and_alone_are_sent_again(tmp_path: Path) -> None:
    service = Service(
        lambda request: 404 if request.items[0] == SOME[-1].sequence_item_id else None
    )
    plans = [
        ParallelContractQuery(
            endpoint="trades",
            contracts=(contract,),
            window=Window.between("2024-03-01", "2024-03-05"),
        )
        for contract in (SOME[0], SOME[-1])
    ]

    async def run(client: TrayportClient) -> None:
        part = Part(tuple(plans), str(tmp_path))
        report = await client.run_part(part)
        assert {failure.contracts for failure in report.failures} == {(SOME[-1],)}
        assert {response.query.contracts for response in report.responses} == {(SOME[0],)}
        copy: PartReport = pickle.loads(pickle.dumps(report))  # noqa: S301
        assert str(copy.failures[0]) == str(report.failures[0])
        rows = (
            f"{report.rows:,} rows from 1 request; 1 request failed, which the next run sends again"
        )
        assert repr(copy) == f"PartReport({rows})"
        nothing = await client.run_part(Part(part.plans[1:]))
        with pytest.raises(TrayportPartialFailureError):  # rather than no rows
            nothing.to_polars()
        with pytest.raises(TrayportPartialFailureError, match="failed, the first with"):
            copy.raise_for_failures()
        service.verdict = lambda _: None
        service.requests.clear()
        assert not (await client.run_part(part)).failures
        assert {request.items[0] for request in service.requests} == {SOME[-1].sequence_item_id}

    session(service, run)


@pytest.mark.parametrize("endpoint", ["trades", "ohlcv", "private_trades", "activity"])
def test_a_backfill_takes_in_what_its_parts_left(endpoint: EndpointName, tmp_path: Path) -> None:
    service = Service()
    contracts = None if endpoint == "activity" else list(SOME[:3])
    days = ("2024-03-01", "2024-03-06") if endpoint == "activity" else RANGE

    async def backfill(
        client: TrayportClient, path: Path, *, dry_run: bool = False
    ) -> BackfillReport:
        return await client.backfill(
            contracts,
            *days,
            path,
            endpoint=endpoint,
            interval="1h" if endpoint == "ohlcv" else None,
            dry_run=dry_run,
        )

    async def run(client: TrayportClient) -> None:
        alone = await backfill(client, tmp_path / "alone")
        dry = await backfill(client, tmp_path / "parts", dry_run=True)
        parts = client.planner.parts(dry, 3)
        for part in [*parts[1:], *parts[1:]]:
            (await client.run_part(part)).raise_for_failures()
        sent = len(service.requests)
        report = await backfill(client, tmp_path / "parts")
        # What the parts have fetched is not requested again; what they have not is.
        assert len(service.requests) - sent == len(parts[0].plans)
        assert (report.requests_planned, report.requests_done) == (len(dry.plans),) * 2
        assert report.rows == alone.rows > 0
        frames = [
            open_dataset(tmp_path / name).collect().drop("contract_name", "period", strict=False)
            for name in ("alone", "parts")
        ]
        assert frames[0].equals(frames[1])
        assert not [*(tmp_path / "parts/.trayport/parts").rglob("*.parquet")]
        assert (await client.verify(tmp_path / "parts")).requests_planned == 0

    session(service, run)


def test_a_backfill_leaves_parts_of_others_and_removes_what_is_of_no_use(tmp_path: Path) -> None:
    service = Service()

    async def parts(
        client: TrayportClient, contract: ContractSpec, **options: object
    ) -> list[Part]:
        dry = await client.backfill([contract], *RANGE, tmp_path, dry_run=True, **options)  # type: ignore[arg-type]
        return client.planner.parts(dry, 1)

    async def run(client: TrayportClient) -> None:
        of_other = await parts(client, SOME[1])
        of_question = await parts(client, SOME[0], include_private=True)
        await client.backfill([SOME[0]], "2024-03-01", "2024-03-03", tmp_path)
        of_known = await parts(client, SOME[0])
        for part in (*of_other, *of_question, *of_known):
            await client.run_part(part)
        directory = tmp_path / ".trayport/parts"
        garbage = directory / "00-00.parquet"
        garbage.write_bytes(b"PAR1")
        assert len([*directory.glob("*.parquet")]) > 3
        # Of a part of which something is known already nothing is doubled.
        await client.backfill([SOME[0]], "2024-03-03", "2024-03-05", tmp_path)
        report = await client.backfill([SOME[0]], *RANGE, tmp_path)
        left = [*directory.glob("*.parquet")]
        assert len(left) == len(of_other[0].plans)
        rows = open_dataset(tmp_path).collect()
        whole = await client.trades.get_trades(SOME[0], *RANGE)
        assert rows.height == len(whole) > report.rows > 0
        sent = len(service.requests)
        await client.backfill(SOME[:2], *RANGE, tmp_path)
        assert len(service.requests) == sent
        assert pl.read_parquet(tmp_path / "contracts.parquet").height == 2

    session(service, run)
