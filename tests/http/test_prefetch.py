"""One window ahead of whoever walks, and never more than that."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import evolve

from trayport_sdk import ContractSpec, Settings, TrayportClient
from trayport_sdk.http.messages import ApiRequest
from trayport_sdk.http.prefetch import AHEAD, WALKS, Prefetch
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.faults import Fault

pytestmark = pytest.mark.anyio

APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)
MAY = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=254)
DAYS = [f"2024-03-{day:02}" for day in range(4, 16)]


def walking(sandbox: Sandbox, **values: object) -> TrayportClient:
    settings = Settings(_env_file=None, prefetch=True, retry_base=0.001, **values)
    return TrayportClient.sandbox(sandbox, settings=settings)


async def settled(client: TrayportClient) -> None:
    """Until everything that is fetched ahead has arrived."""
    (prefetch,) = client._ahead
    await asyncio.gather(*prefetch._ahead.values(), return_exceptions=True)


async def test_whoever_walks_finds_the_next_window_there_with_the_same_rows() -> None:
    sandbox = Sandbox(limits=False)
    async with walking(sandbox) as client, TrayportClient.sandbox() as plain:
        for step, (from_, until) in enumerate(pairwise(DAYS)):
            found = await client.trades.get_trades(APRIL, from_, until)
            expected = await plain.trades.get_trades(APRIL, from_, until)
            assert found.to_polars().equals(expected.to_polars())
            await settled(client)
            assert len(sandbox.requests) == (1 if step == 0 else step + 2)


async def test_jumping_about_fetches_nothing_ahead() -> None:
    sandbox = Sandbox(limits=False)
    async with walking(sandbox) as client:
        for from_, until in ((0, 1), (2, 3), (1, 2), (0, 1)):
            await client.trades.get_trades(APRIL, DAYS[from_], DAYS[until])
            await settled(client)
    assert len(sandbox.requests) == 4


async def test_nobody_is_ahead_unless_the_setting_says_so() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        for from_, until in pairwise(DAYS[:5]):
            await client.trades.get_trades(APRIL, from_, until)
    assert len(sandbox.requests) == 4


async def test_a_failure_ahead_concerns_nobody_and_the_call_itself_is_sent() -> None:
    sandbox = Sandbox(limits=False)
    async with walking(sandbox, max_retries=0) as client:
        for from_, until in ((0, 1), (1, 2)):
            sandbox.faults.clear()
            found = await client.trades.get_trades(APRIL, DAYS[from_], DAYS[until])
            sandbox.faults.add(Fault("status", times=None))
        await settled(client)
        sandbox.faults.clear()
        found = await client.trades.get_trades(APRIL, DAYS[2], DAYS[3])
    assert len(found) > 0


async def test_nothing_after_the_end_of_the_data_is_asked_for() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        wire = client._wire
        ahead = Prefetch(wire, wire.fetch_ahead, now=lambda: datetime(2024, 3, 6, 12, tzinfo=UTC))
        await client.trades.get_trades(APRIL, DAYS[0], DAYS[1])
        query = dict(pair.split("=") for pair in sandbox.requests[0].query.split("&"))
        first = ApiRequest.of("get_trades", {"url": "/trades", "params": query})
        for from_, until in pairwise(DAYS[:3]):
            window = {"from": from_, "until": until}
            call = evolve(first, parameters={**query, **window})
            await ahead.fetch(call, lambda answer: answer.body)
        assert not ahead._ahead


async def test_what_is_given_up_is_passed_on(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    sandbox = Sandbox(limits=False)
    async with walking(sandbox, max_retries=0, dead_letter_file=file) as client:
        sandbox.faults.add(Fault("status", times=None, status=404))
        found = await client.get_trades_bulk(APRIL, DAYS[0], DAYS[1])
    assert len(found.failures) == 1
    assert len(file.read_text().splitlines()) == 1


async def test_a_plan_knows_its_next_requests_and_sends_no_others() -> None:
    sandbox = Sandbox(limits=False)
    async with walking(sandbox) as client, TrayportClient.sandbox() as plain:
        found = await client.trades.get_trades(MAY, "2023-01-01", "2024-01-01")
        expected = await plain.trades.get_trades(MAY, "2023-01-01", "2024-01-01")
        assert found.to_polars().equals(expected.to_polars())
        await settled(client)
    assert len(sandbox.requests) == len(found.requests) > 1


async def test_walks_and_answers_are_bounded() -> None:
    sandbox = Sandbox(limits=False)
    async with walking(sandbox) as client:
        (prefetch,) = client._ahead
        for item in range(244, 244 + 2 * WALKS):
            contract = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
            for from_, until in pairwise(DAYS[:3]):
                await client.trades.get_trades(contract, from_, until)
            assert len(prefetch._ahead) <= AHEAD
        assert len(prefetch._ends) <= WALKS


async def test_closing_gives_up_what_is_on_its_way() -> None:
    sandbox = Sandbox(limits=False)
    async with walking(sandbox) as client:
        await client.trades.get_trades(APRIL, DAYS[0], DAYS[1])
        sandbox.faults.add(Fault("delay", seconds=600, after=1))
        await client.trades.get_trades(APRIL, DAYS[1], DAYS[2])
        (prefetch,) = client._ahead
        (task,) = prefetch._ahead.values()
    assert task.cancelled()
