"""Calls of a user that cannot work, each of which a type checker refuses.

Nothing here is executed: an ignored error that is none is an error of mypy.
"""

from __future__ import annotations

from collections.abc import Sequence

from trayport_sdk import Interval, TradesField, TradesResponse, TrayportClient, decode_file, sync

DAY = ("2024-03-04", "2024-03-05")


async def asks(client: TrayportClient, contract: str) -> None:
    trades, orders = client.trades, client.orders
    await trades.get_trades(contract, *DAY, optional_fields=["colour"])  # type: ignore[list-item]
    await trades.get_trades(contract, *DAY, optional_fields="vwap")  # type: ignore[arg-type]
    await trades.get_ohlcv(contract, *DAY, "2m")  # type: ignore[arg-type]
    await trades.get_ohlcv(contract, *DAY, "1h", optional_fields=["route"])  # type: ignore[list-item]
    await client.get_ohlcv(contract, *DAY, "1M")  # type: ignore[arg-type]
    await client.get_trades(contract, *DAY, optional_fields=["routeid"])  # type: ignore[list-item]
    await orders.get_order_book(contract, *DAY, "1h", optional_fields=["venue"])  # type: ignore[list-item]
    await client.stream_to_file(contract, *DAY, "a.csv", endpoint="candles")  # type: ignore[arg-type]
    client.planner.plan_multi_contract_query(contract, "trade", *DAY)  # type: ignore[arg-type]
    client.planner.plan_multi_contract_query(contract, "trades", *DAY, route="all")  # type: ignore[call-arg]


def asks_in_turn(client: sync.TrayportClient, contract: str, day: TradesResponse) -> None:
    client.trades.get_ohlcv(contract, *DAY, "1w")  # type: ignore[arg-type]
    client.stream_to_file(contract, *DAY, "a.csv", endpoint="book")  # type: ignore[arg-type]
    decode_file("a.json", "tickers")  # type: ignore[arg-type]
    Interval(1, "week")  # type: ignore[arg-type]
    day.to_ohlcv("1h", optional_fields=["high"])  # type: ignore[list-item]
    day.of_load("offpeak", "DE")  # type: ignore[arg-type]


async def asks_well(client: TrayportClient, contract: str, fields: Sequence[TradesField]) -> None:
    await client.trades.get_trades(contract, *DAY, optional_fields=fields)
    await client.get_ohlcv(contract, *DAY, "7d", optional_fields="vwap")
    await client.orders.get_order_book_top(contract, *DAY, "20m", optional_fields=("route_id",))
    client.planner.plan_multi_contract_query(contract, "ohlcv", *DAY, interval=Interval(1, "hour"))
