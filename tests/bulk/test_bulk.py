"""Results of many requests, some of which failed: what came, what is missing, and trying again."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tests.service import CONTRACTS, Request, Service, Verdict, frames, same, session
from trayport_sdk import (
    BulkSnapshotsResponse,
    BulkTradesResponse,
    Progress,
    TrayportClient,
    TrayportPartialFailureError,
    TrayportServerError,
)
from trayport_sdk.query.times import Window, instant

QUIET = CONTRACTS[10:14]  # two of them trade, two never do
MONTHS = ("2023-11-15", "2024-03-06")  # four windows
BAD = instant("2024-01-01", "from_")


async def undisturbed() -> BulkTradesResponse:
    async with Service().client() as client:
        return await client.get_trades_bulk(QUIET, *MONTHS)


class Broken:
    """A service that breaks over some windows and contracts until it is mended."""

    def __init__(self, *items: int, status: int = 404) -> None:
        self.items = set(items)
        self.status = status
        self.service = Service(self.verdict)
        self.first = instant(MONTHS[0], "from_")

    def verdict(self, request: Request) -> Verdict:
        return self.status if self.items & {*request.items} and request.covers(BAD) else None

    def run(self, test: Any, **values: Any) -> None:
        session(self.service, test, **values)


def test_contracts_without_a_row_are_complete_and_have_their_columns() -> None:
    async def test(client: TrayportClient) -> None:
        found = await client.get_trades_bulk(QUIET, *MONTHS)
        found.raise_for_failures()
        assert found.contracts == tuple(found.complete) == QUIET
        assert not found.incomplete
        assert [len(table) > 0 for table in found.complete.values()] == [True, True, False, False]
        schemas = [table.to_polars().schema for table in found.complete.values()]
        assert all(schema == schemas[0] for schema in schemas)
        assert len(found.requests) == 4
        assert len(found) == sum(len(table) for table in found.complete.values())
        assert set(found.to_polars()["contract"]) == {str(one) for one in QUIET[:2]}

    session(Service(), test)


def test_what_fails_is_named_and_the_rest_is_there() -> None:
    bad = QUIET[0]

    async def test(client: TrayportClient) -> None:
        whole = await undisturbed()
        found = await client.get_trades_bulk(QUIET, *MONTHS)
        assert tuple(found.complete) == QUIET[1:]
        assert same(frames(found), {c: f for c, f in frames(whole).items() if c != bad})
        (failure,) = found.failures
        assert failure.contracts == (bad,)
        window = failure.window
        assert window is not None
        assert window.start <= BAD < window.end
        lacking = found.incomplete[bad].to_polars()
        times = whole.complete[bad].to_polars()["deal_date"].cast(int)
        outside = (
            whole.complete[bad].to_polars().filter((times < window.start) | (times >= window.end))
        )
        assert lacking.equals(outside)
        assert "1 request failed" in repr(found)
        sent = f"sequenceItemId={bad.sequence_item_id}"
        with pytest.raises(TrayportPartialFailureError, match=sent) as error:
            found.raise_for_failures()
        assert error.value.failed == (failure.error,)
        assert error.value.completed == len(found.requests)

    Broken(bad.sequence_item_id).run(test)


def test_what_failed_can_be_asked_for_again_until_everything_is_there() -> None:
    broken = Broken(*(contract.sequence_item_id for contract in QUIET[:3]))

    async def test(client: TrayportClient) -> None:
        whole = await undisturbed()
        found = await client.get_trades_bulk(QUIET, *MONTHS)
        assert [failure.contracts for failure in found.failures] == [(c,) for c in QUIET[:3]]
        sent = len(broken.service.requests)
        again = await client.retry_failures(found)
        assert len(again.failures) == 3
        assert len(broken.service.requests) == sent + 3
        assert len(again.requests) == len(found.requests)

        broken.items.remove(QUIET[1].sequence_item_id)
        fewer = await client.retry_failures(again)
        assert [failure.contracts[0] for failure in fewer.failures] == [QUIET[0], QUIET[2]]
        assert tuple(fewer.complete) == (QUIET[1], QUIET[3])
        assert set(found.incomplete) == set(QUIET[:3])  # a result never changes

        broken.items.clear()
        reported: list[Progress] = []
        complete = await client.retry_failures(fewer, on_progress=reported.append)
        complete.raise_for_failures()
        assert isinstance(complete, BulkTradesResponse)
        assert same(frames(complete), frames(whole))
        assert reported[-1].requests_done == reported[-1].requests_planned == 2
        assert not complete.incomplete

        sent = len(broken.service.requests)
        nothing = await client.retry_failures(complete)
        assert same(frames(nothing), frames(whole))
        assert len(broken.service.requests) == sent

    broken.run(test)


@pytest.mark.parametrize("status", [503, 413])
def test_a_smallest_piece_that_failed_completes_its_contract_later(status: int) -> None:
    broken = Broken(QUIET[0].sequence_item_id, status=status)

    async def test(client: TrayportClient) -> None:
        found = await client.get_trades_bulk(QUIET, *MONTHS)
        (failure,) = found.failures
        assert failure.window == Window(BAD, BAD + 1_000_000_000)
        broken.items.clear()
        complete = await client.retry_failures(found)
        assert same(frames(complete), frames(await undisturbed()))

    broken.run(test, max_retries=0)


def test_nothing_at_all_is_a_result_too() -> None:
    async def test(client: TrayportClient) -> None:
        found = await client.get_trades_bulk(QUIET, *MONTHS)
        assert not found.complete
        assert not found.incomplete
        assert len(found) == 0
        assert found.to_polars().is_empty()
        assert {type(failure.error) for failure in found.failures} == {TrayportServerError}
        broken.items.clear()

    broken = Broken()
    broken.service.verdict = lambda _: 503
    broken.run(test, circuit_breakers=False, max_retries=0)


def test_snapshots_of_refused_contracts_are_missing_and_come_later() -> None:
    items = {QUIET[1].sequence_item_id}
    service = Service(lambda request: 404 if items & {*request.items} else None)

    async def test(client: TrayportClient) -> None:
        found = await client.get_snapshots_bulk(QUIET, "2024-03-05T12:00")
        assert isinstance(found, BulkSnapshotsResponse)
        assert tuple(found.complete) == (QUIET[0], *QUIET[2:])
        assert [len(table) for table in found.complete.values()] == [1, 1, 1]
        items.clear()
        whole = await client.retry_failures(found)
        assert tuple(whole.complete) == QUIET

    session(service, test)


def test_failed_queries_can_be_written_down_and_run_elsewhere() -> None:
    broken = Broken(QUIET[0].sequence_item_id)

    async def test(client: TrayportClient) -> None:
        found = await client.get_trades_bulk(QUIET, *MONTHS)
        kept = pickle.loads(pickle.dumps([failure.query for failure in found.failures]))  # noqa: S301
        broken.items.clear()
        rest = await client.planner.execute_plan(kept)
        assert set(rest.complete) == {QUIET[0]}

    broken.run(test)
