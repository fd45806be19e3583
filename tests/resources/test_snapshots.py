"""Snapshots from the sandbox."""

from datetime import UTC, datetime

import pytest
from trayport_spec import ENDPOINTS

from trayport_sdk import ContractSpec, TrayportClient, TrayportValidationError
from trayport_sdk.query.times import instant
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

MONTHS = [
    ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
    for item in range(240, 300)
]
APRIL = MONTHS[4]
MOST = ENDPOINTS["get_snapshots"].batch.maximum


async def test_many_contracts_share_requests_and_come_in_the_order_asked_for() -> None:
    assert MOST is not None
    asked = [*reversed(MONTHS), APRIL]
    async with TrayportClient.sandbox() as client:
        found = await client.snapshots.get_snapshots(asked, at="2024-03-05T12:00")
    assert len(found.requests) == -(-len(MONTHS) // MOST) == 2
    assert {ContractSpec.from_model(one.contract) for one in found} == set(MONTHS)
    assert found.timestamp == instant("2024-03-05T12:00", "at")


async def test_a_snapshot_agrees_with_the_last_trade_and_the_top_of_the_book() -> None:
    async with TrayportClient.sandbox() as client:
        (snapshot,) = await client.snapshots.get_snapshots(APRIL, at="2024-03-05T12:00")
        last = await client.trades.get_last_trade(APRIL, at="2024-03-05T12:00")
        (top,) = await client.orders.get_order_book_top(
            APRIL, "2024-03-05T12:00", "2024-03-05T12:01", "1m"
        )
    assert snapshot.last_trade is not None
    assert last is not None
    assert (snapshot.last_trade.price, snapshot.last_trade.deal_date) == (
        last.price,
        last.deal_date,
    )
    assert (snapshot.best_orders.bid_price, snapshot.best_orders.ask_price) == (
        top.bid_price,
        top.ask_price,
    )


async def test_an_instant_left_out_is_the_end_of_the_data() -> None:
    async with TrayportClient.sandbox() as client:
        client._runner.now = lambda: datetime(2024, 3, 6, 15, 30, tzinfo=UTC)
        found = await client.snapshots.get_snapshots(APRIL)
    assert found.timestamp == instant("2024-03-06", "at")


async def test_the_next_tradable_items_are_counted_from_the_instant() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.snapshots.get_snapshots_by_trading_items(
            10000065, sequence_id=10000305, trading_items=4, at="2024-03-05T12:00"
        )
    items = [one.contract.sequence_item_id for one in found]
    assert items == [244, 245, 246, 247]


async def test_seconds_are_refused_because_the_resolution_is_a_minute() -> None:
    sandbox = Sandbox()
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportValidationError, match="minute") as refused:
            await client.snapshots.get_snapshots(APRIL, at="2024-03-05T12:00:01")
    assert refused.value.parameter == "at"
    assert len(sandbox.requests) == 0


async def test_more_trading_items_than_allowed_are_refused() -> None:
    assert MOST is not None
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportValidationError, match=str(MOST)) as refused:
            await client.snapshots.get_snapshots_by_trading_items(
                10000065, sequence_id=10000305, trading_items=MOST + 1
            )
    assert refused.value.parameter == "trading_items"
