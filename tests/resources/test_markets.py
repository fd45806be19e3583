"""Whole markets: which contracts traded, and everything about them."""

from datetime import date, timedelta

import pytest
from trayport_spec import ENDPOINTS

from trayport_sdk import (
    ContractSpec,
    ContractType,
    Progress,
    TrayportClient,
    TrayportLookupError,
    TrayportPartialFailureError,
    TrayportValidationError,
)
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportHistoryWarning"),
]

EUA = 10000016
FROM, UNTIL = "2024-03-04T10:00", "2024-03-04T11:30"
EARLIEST = ENDPOINTS["get_activity"].limits.earliest_from or date.max


async def test_the_contracts_are_those_that_traded() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.get_market_data("EUA*", FROM, UNTIL)
        activity = await client.trades.get_activity(FROM, UNTIL, optional_fields=["market_id"])
    traded = {
        (row.sequence_id, row.sequence_item_id, row.second_sequence_item_id)
        for row in activity
        if row.market_id == EUA
    }
    known = {
        (c.sequence_id, c.sequence_item_id, c.second_sequence_item_id) for c in found.contracts
    }
    assert known == traded
    assert any(c.contract_type is ContractType.SPREAD for c in found.contracts)
    assert not found.failures
    found.raise_for_failures()


async def test_every_part_is_about_every_contract() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.get_market_data("EUA", FROM, UNTIL)
        one = found.contracts[0]
        trades = await client.trades.get_trades(one, FROM, UNTIL)
        candles = await client.trades.get_ohlcv(one, "2024-03-04", "2024-03-05", "1d")
        tops = await client.orders.get_order_book_top(one, FROM, UNTIL, "1h")
        (snapshot,) = await client.snapshots.get_snapshots(one, at=UNTIL)
    for part in (found.trades, found.candles, found.order_book_top, found.snapshots):
        assert set(part.results) == set(found.contracts)
    assert found.trades.results[one].to_polars().equals(trades.to_polars())
    assert found.candles.results[one].to_polars().equals(candles.to_polars())
    assert found.order_book_top.results[one].to_polars().equals(tops.to_polars())
    assert list(found.snapshots.results[one]) == [snapshot]


async def test_before_there_is_activity_the_items_and_their_trades_tell() -> None:
    day = EARLIEST - timedelta(weeks=52)
    async with TrayportClient.sandbox() as client:
        found = await client.get_market_data("EUA*", day, day + timedelta(days=1))
        for contract in found.contracts:
            assert len(await client.trades.get_trades(contract, day, day + timedelta(days=1)))
    assert found.contracts
    assert all(c.contract_type is ContractType.SINGLE_PERIOD for c in found.contracts)


async def test_a_range_over_the_beginning_of_activity_uses_both() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        found = await client.get_market_data(
            "EUA*", EARLIEST - timedelta(days=1), EARLIEST + timedelta(days=1)
        )
    paths = [request.path for request in sandbox.requests]
    assert sum(path.endswith("/trades/activity") for path in paths) == 1
    assert sum(path.endswith("/sequenceItems") for path in paths) >= 1
    assert all(len(trades) for trades in found.trades.results.values())


async def test_too_many_requests_are_refused_with_their_number_before_the_work() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportValidationError, match=r"it takes \d+ requests") as refused:
            await client.get_market_data("EUA*", FROM, UNTIL, max_requests=10)
        assert refused.value.parameter == "max_requests"
        needed = int(str(refused.value).split("it takes ")[1].split()[0])
        before = len(sandbox.requests)
        await client.get_market_data("EUA*", FROM, UNTIL, max_requests=needed)
        # The activity is asked for again, reference data is known.
        paths = [request.path for request in list(sandbox.requests)[:before]]
        known = sum(path.startswith(Sandbox.REFERENCE_PATH) for path in paths)
        assert known == before - 1 >= 2
        assert len(sandbox.requests) - before == needed - known
    assert not any(r.path.endswith("/trades") for r in list(sandbox.requests)[:before])


async def test_a_range_whose_activity_alone_is_too_much_sends_no_request_for_it() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportValidationError, match="at least"):
            await client.get_market_data("EUA*", "2023-05", "2024-03", max_requests=20)
    assert not any("activity" in request.path for request in sandbox.requests)


async def test_several_markets_share_what_finds_their_contracts() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        both = await client.get_market_data_bulk(
            ["EUA*", "Germany Baseload*"], FROM, "2024-03-04T10:05"
        )
        alone = await client.get_market_data("EUA*", FROM, "2024-03-04T10:05")
    assert sum("activity" in request.path for request in sandbox.requests) == 2
    assert list(both.results) == ["EUA*", "Germany Baseload*"]
    assert both.results["EUA*"].contracts == alone.contracts
    markets = {c.market_id for c in both.results["Germany Baseload*"].contracts}
    assert len(markets) == 1
    assert EUA not in markets


@pytest.mark.parametrize("is_down", [False, True])
async def test_contracts_have_names_where_reference_data_can_be_had(is_down: bool) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox).with_options(max_retries=0) as client:
        if is_down:
            sandbox.faults.add(Fault("status", operation_id="get_sequence_items", times=None))
        found = await client.get_market_data("EUA*", FROM, UNTIL)
        described = [None if is_down else await client.describe(c) for c in found.contracts]
    assert [c.name for c in found.contracts] == [d and d.name for d in described]
    names = found.candles.to_polars()["contract_name"]
    assert names.null_count() == (len(names) if is_down else 0)
    if not is_down:
        assert len(found.trades.results[names[0]]) > 0


async def test_what_fails_is_named_and_the_rest_is_there() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        client = client.with_options(max_retries=0)
        sandbox.faults.add(Fault("status", operation_id="get_ohlcv", status=403, times=None))
        found = await client.get_market_data("EUA*", FROM, UNTIL)
        with pytest.raises(TrayportPartialFailureError, match="403"):
            found.raise_for_failures()
        assert not found.candles.results
        assert {c for failure in found.failures for c in failure.contracts} == set(found.contracts)
        assert set(found.trades.results) == set(found.contracts)
        sandbox.faults.clear()
        candles = await client.retry_failures(found.candles)
    assert set(candles.results) == set(found.contracts)


async def test_a_market_without_trades_is_empty() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.get_market_data("EUA*", "2024-03-03T10:00", "2024-03-03T11:00")
    assert found.contracts == ()
    assert len(found.trades) == len(found.snapshots) == 0
    assert not found.failures


async def test_a_market_that_does_not_exist_lists_the_nearest() -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportLookupError) as refused:
            await client.get_market_data("EUAA*", FROM, UNTIL)
    assert "EUA*" in refused.value.candidates


async def test_a_contract_is_found_by_the_names_of_its_parts() -> None:
    async with TrayportClient.sandbox() as client:
        trades = await client.get_trades(
            "TTF Hi Cal 51.6", "Gas - NG Months", "Apr-24", "2024-03-04", "2024-03-05"
        )
        symbol = ContractSpec.parse("10000065*#Single#10000305#244#0")
        same = await client.trades.get_trades(symbol, "2024-03-04", "2024-03-05")
    assert trades.to_polars().equals(same.to_polars())


@pytest.mark.parametrize(
    ("names", "near"),
    [
        (("TTF Hi Cal 51.7*", "Gas - NG Months", "Apr-24"), "TTF Hi Cal 51.6*"),
        (("TTF Hi Cal 51.6*", "Gas - NG Month", "Apr-24"), "Gas - NG Months"),
        (("TTF Hi Cal 51.6*", "Gas - NG Months", "Arp-24"), "Apr-24"),
    ],
)
async def test_a_part_that_does_not_exist_lists_the_nearest(
    names: tuple[str, str, str], near: str
) -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportLookupError) as refused:
            await client.get_trades(*names, "2024-03-04", "2024-03-05")
    assert near in refused.value.candidates


async def test_progress_only_grows_and_knows_the_end_from_the_start() -> None:
    told: list[Progress] = []
    async with TrayportClient.sandbox() as client:
        found = await client.get_market_data("EUA*", FROM, UNTIL, on_progress=told.append)
    done = [progress.requests_done for progress in told]
    assert done == list(range(1, len(found.requests) + 1))
    assert {progress.requests_planned for progress in told} == {len(found.requests)}
    assert told[-1].rows == sum(request.rows for request in found.requests)


async def test_everything_that_failed_can_be_asked_for_again_at_once() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        client = client.with_options(max_retries=0)
        sandbox.faults.add(Fault("status", operation_id="get_ohlcv", status=403, times=None))
        sandbox.faults.add(Fault("status", operation_id="get_snapshots", status=403, times=None))
        both = await client.get_market_data_bulk("EUA*", FROM, UNTIL)
        assert "failed" in both.explain()
        sandbox.faults.clear()
        again = await client.retry_failures(both)
    again.raise_for_failures()
    data = again.results["EUA*"]
    assert set(data.candles.results) == set(data.snapshots.results) == set(data.contracts)
    assert len(again.requests) == len(data.requests)
