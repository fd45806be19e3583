"""What callers get wrong is told in words, before anything is sent."""

from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from trayport_sdk import ContractSpec, Settings, TrayportClient
from trayport_sdk import TrayportValidationError as Refused
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

A, B = (
    ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
    for item in (244, 245)
)
DAY = ("2024-03-04", "2024-03-05")
ApiRequest = Callable[[TrayportClient], Coroutine[Any, Any, Any]]

CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "candles of two contracts": ("contract", lambda c: c.trades.get_ohlcv([A, B], *DAY, "1d")),
    "the last trade of two": ("contract", lambda c: c.trades.get_last_trade([A, B])),
    "tops of two": ("contract", lambda c: c.orders.get_order_book_top([A, B], *DAY, "1h")),
    "books of two": ("contract", lambda c: c.orders.get_order_book([A, B], *DAY, "1h")),
    "a book of two": ("contract", lambda c: c.orders.get_order_book_snapshot([A, B], DAY[0])),
    "own trades of two": ("contract", lambda c: c.trades.get_private_trades(*DAY, contract=[A])),
    "no time at all": ("from_", lambda c: c.trades.get_trades(A, None)),
    "a start after the data": ("from_", lambda c: c.trades.get_trades(A, "2999")),
    "no interval": ("interval", lambda c: c.trades.get_ohlcv(A, *DAY)),
    "a month as pandas writes it": ("interval", lambda c: c.trades.get_ohlcv(A, *DAY, "1M")),
    "a book after the data": ("at", lambda c: c.orders.get_order_book_snapshot(A, "9999-12-31")),
    "answers that are no number": (
        "max_responses",
        lambda c: anext(c.stream_trades(A, *DAY, max_responses=float("nan"))),
    ),
    "half an answer": (
        "max_responses",
        lambda c: anext(c.stream_trades(A, *DAY, max_responses=1.5)),
    ),
    "true answers": (
        "max_responses",
        lambda c: anext(c.stream_trades(A, *DAY, max_responses=True)),
    ),
    "progress to nobody": ("on_progress", lambda c: c.get_trades_bulk(A, *DAY, on_progress=5)),
    "a market that is a number": ("markets", lambda c: c.get_market_data(10000065, *DAY)),
    "no markets": ("markets", lambda c: c.get_market_data_bulk([], *DAY)),
    "nothing for markets": ("markets", lambda c: c.get_market_data_bulk(None, *DAY)),
    "requests in words": (
        "max_requests",
        lambda c: c.get_market_data("EUA*", *DAY, max_requests="5"),
    ),
    "names that are numbers": ("sequence_name", lambda c: c.get_trades("EUA*", 5, 6, *DAY)),
    "an item that is a number": (
        "item_name",
        lambda c: c.get_trades("TTF Hi Cal 51.6*", "Gas - NG Months", 6, *DAY),
    ),
    "a contract that is nothing": ("contract", lambda c: c.resolve_contract(None)),
    "plans that are numbers": ("plans", lambda c: c.planner.execute_plan([1])),
    "plans that are not read yet": ("plans", lambda c: c.planner.execute_plan([{"kind": "x"}])),
    "plans that are nothing": ("plans", lambda c: c.planner.execute_plan(None)),
}


@pytest.mark.parametrize("what", CALLS)
async def test_it_names_the_argument(what: str) -> None:
    parameter, call = CALLS[what]
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(Refused) as refused:
            await call(client)
    assert refused.value.parameter == parameter
    assert refused.value.suggestion
    assert not any("trades" in request.path for request in sandbox.requests)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda c: c.trades.get_ohlcv([A, B], *DAY, "1d"), "client.get_ohlcv_bulk takes several"),
        (
            lambda c: c.orders.get_order_book_top([A, B], *DAY, "1h"),
            "client.get_order_book_top_bulk takes several",
        ),
        (lambda c: c.trades.get_last_trade([A, B]), "client.planner takes several"),
        (lambda c: c.stream_to_file(A, *DAY, "a.csv", endpoint="candles"), "is unknown: candles a"),
        (lambda c: c.stream_to_file(A, *DAY, "a.csv", endpoint="books"), "is unknown: use one of"),
        (lambda c: c.stream_to_file(A, *DAY, "a.csv", endpoint="snapshots"), "has no rows with a"),
    ],
)
async def test_it_shows_the_way_out(call: Callable[[Any], Any], says: str) -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(Refused, match=says):
            await call(client)


async def test_any_collection_of_contracts_and_fields_will_do() -> None:
    async with TrayportClient.sandbox() as client:
        plain = await client.trades.get_trades([A, B], *DAY, optional_fields=["route_id"])
        for contracts in ((A, B), {A: 1, B: 2}.keys(), iter([A, B])):
            for fields in (("routeId",), np.array(["route_id"]), "route_id", iter(["ROUTEID"])):
                same = await client.trades.get_trades(contracts, *DAY, optional_fields=fields)  # type: ignore[arg-type]
                assert same.to_polars().equals(plain.to_polars())
                contracts = (A, B)


async def test_who_has_the_current_day_is_not_told_to_get_it() -> None:
    entitled = Settings(_env_file=None, intraday=True)
    async with TrayportClient.sandbox(settings=entitled) as client:
        for call in (
            client.trades.get_trades(A, "2024", "2999"),
            client.trades.get_trades(A, "2999"),
            client.orders.get_order_book_snapshot(A, "2999"),
        ):
            with pytest.raises(Refused) as refused:
                await call
            assert "INTRADAY" not in str(refused.value)


async def test_weeks_without_an_end_are_whole_weeks() -> None:
    async with TrayportClient.sandbox() as client:
        weeks = await client.trades.get_ohlcv(
            A, "2023-01-04", interval="7d", include_empty_buckets=True
        )
    lengths = {candle.to_timestamp - candle.from_timestamp for candle in weeks}
    assert len(lengths) == 1


async def test_no_tradable_items_are_an_empty_table() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.trades.get_trades_by_trading_items(
            10000065, sequence_id=10000305, trading_items=2, from_="1975", until="1976"
        )
    assert len(found) == 0
    assert "contract" in found.to_polars().columns
