"""Calls that do not fit: which argument is wrong, and how to call it, in both clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trayport_sdk import TradesResponse, TrayportClient, TrayportValidationError, sync

APRIL, DAY = "TTF Hi Cal 51.6* Apr-24", ("2024-03-04", "2024-03-05")
NAMES = ("TTF Hi Cal 51.6*", "Gas - NG Months", "Apr-24")
BOTH = "get_trades(contracts, from_, until) or as get_trades(market_name, sequence_name, item_name,"

CALLS: list[tuple[Callable[[Any], Any], str, str]] = [
    (lambda c: c.get_trades(), "contracts", "call it as get_trades(contracts, from_, until="),
    (lambda c: c.get_trades(APRIL), "from_", "call it as get_trades(contracts, from_, until="),
    (lambda c: c.get_trades(*DAY, APRIL), "until", BOTH),
    (lambda c: c.get_trades("TTF Hi Cal 51.6*", "Apr-24", *DAY), "item_name", BOTH),
    (lambda c: c.get_trades(*NAMES), "from_", BOTH),
    (lambda c: c.get_trades(*NAMES[:2], *DAY, NAMES[2]), "item_name", BOTH),
    (lambda c: c.get_trades(*NAMES, *reversed(DAY), 5), "get_trades", "at most 5 by position"),
    (lambda c: c.get_trades(market_name="EUA*", from_=DAY[0]), "sequence_name", "call it as"),
    (lambda c: c.get_trades(APRIL, *DAY, until=DAY[1]), "until", "is given twice"),
    (lambda c: c.get_trades(APRIL, DAY[0], untill=DAY[1]), "untill", "did you mean until?"),
    (lambda c: c.get_trades(APRIL, *DAY, optional_field="x"), "optional_field", "optional_fields?"),
    (lambda c: c.get_trades_bulk([APRIL], *DAY, optional_field="x"), "optional_field", "options"),
    (lambda c: c.get_ohlcv(APRIL), "from_", "get_ohlcv(contract, from_, until="),
    (lambda c: c.get_market_data("EUA*"), "from_", "get_market_data(market_name, from_"),
    (lambda c: c.trades.get_trades(APRIL), "from_", "get_trades(contracts, from_, until="),
    (lambda c: c.trades.get_trades(APRIL, *DAY, ["route"]), "get_trades", "as name=value"),
    (lambda c: c.trades.get_ohlcv(APRIL, *DAY, "1h", x=1), "x", "takes no x: call it as"),
    (lambda c: c.trades.get_trades_by_trading_items(1), "sequence_id", "sequence_id=..."),
    (lambda c: c.orders.get_order_book(APRIL, *DAY, "1h", dept=3), "dept", "did you mean depth?"),
    (lambda c: c.snapshots.get_snapshots(APRIL, DAY[0]), "get_snapshots", "at=..."),
    (lambda c: c.reference.get_market_by_id(), "id", "get_market_by_id(id)"),
    (lambda c: c.planner.execute_plan(), "plans", "execute_plan(plans, "),
    (lambda c: c.with_options(timeou=1), "timeou", "did you mean timeout?"),
]


TABLE_CALLS: list[tuple[Callable[[Any], Any], str, str]] = [
    (lambda t: t.between_local("16:15", "16:30"), "tz", "between_local(start, end, tz=...)"),
    (lambda t: t.of_load("peak"), "calendar", "of_load(load, calendar)"),
    (lambda t: t.to_unit("GBP/MWh"), "product", "to_unit(unit, product, rate=..."),
    (lambda t: t.to_ohlcv(), "interval", "to_ohlcv(interval"),
    (lambda t: t.to_parquet(), "path", "to_parquet(path"),
    (lambda t: t.to_polars(tzz="UTC"), "tzz", "did you mean tz?"),
]


@pytest.mark.parametrize(("call", "parameter", "says"), TABLE_CALLS)
def test_a_call_of_a_table_says_it_too(
    call: Callable[[Any], Any], parameter: str, says: str
) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        call(TradesResponse.nothing(lambda _: True))
    check(refused.value, parameter, says)


def check(error: TrayportValidationError, parameter: str, says: str) -> None:
    assert error.parameter == parameter
    assert says in str(error)


@pytest.mark.anyio
async def test_a_call_that_does_not_fit_says_how_to_call_it() -> None:
    async with TrayportClient.sandbox() as client:
        for call, parameter, says in CALLS:
            with pytest.raises(TrayportValidationError) as refused:
                await call(client)
            check(refused.value, parameter, says)
        assert client.get_metrics().total.requests == 0


def test_a_synchronous_call_says_it_too() -> None:
    with sync.TrayportClient.sandbox() as client:
        for call, parameter, says in CALLS:
            with pytest.raises(TrayportValidationError) as refused:
                call(client)
            check(refused.value, parameter, says)


@pytest.mark.anyio
async def test_what_a_method_itself_gets_wrong_stays_what_it_is() -> None:
    def fails(_: object) -> None:
        raise TypeError("my own")

    async with TrayportClient.sandbox() as client:
        with pytest.raises(TypeError, match="my own"):
            await client.get_trades_bulk([APRIL], *DAY, on_progress=fails)


async def type_checkers_find_them_first(client: TrayportClient) -> None:
    """Each comment is an error of its own where nothing is wrong."""
    await client.get_trades(APRIL)  # type: ignore[call-overload]  # pyright: ignore
    await client.get_trades(APRIL, *DAY, optional_field="x")  # type: ignore[call-overload]  # pyright: ignore
    await client.trades.get_trades(APRIL)  # type: ignore[call-arg]  # pyright: ignore
    await client.trades.get_trades(APRIL, DAY[0], untill=DAY[1])  # type: ignore[call-arg]  # pyright: ignore
