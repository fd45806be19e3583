"""Warnings point at the line of the caller, of both clients, and come as errors where they are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from trayport_sdk import (
    TrayportAmbiguityWarning,
    TrayportClient,
    TrayportExpiryWarning,
    TrayportHistoryWarning,
    sync,
)

BAR, DAY = "NBP Apr-24", ("2024-03-04", "2024-03-05")
EXPIRING = {"sequence_id": 10000305, "trading_items": 1, "from_": "2024-01-30"}

CALLS: list[tuple[Callable[[Any], Any], type[Warning]]] = [
    (lambda c: c.resolve_contract(BAR), TrayportAmbiguityWarning),
    (lambda c: c.get_trades(BAR, *DAY), TrayportAmbiguityWarning),
    (lambda c: c.get_trades([BAR, "NBP May-24"], *DAY), TrayportAmbiguityWarning),
    (lambda c: c.get_trades_bulk([BAR, "NBP May-24"], *DAY), TrayportAmbiguityWarning),
    (
        lambda c: c.trades.get_trades_by_trading_items(10000001, until="2024-02-05", **EXPIRING),
        TrayportExpiryWarning,
    ),
    (
        lambda c: c.orders.get_order_book_top("NBP* Apr-24", "2020-01-02", "2020-01-03", "1h"),
        TrayportHistoryWarning,
    ),
]


@pytest.mark.anyio
async def test_a_warning_points_at_the_caller() -> None:
    async with TrayportClient.sandbox() as client:
        for call, category in CALLS:
            with pytest.warns(category) as warned:
                await call(client)
            assert {warning.filename for warning in warned} == {__file__}


def test_a_warning_of_a_synchronous_call_does_too() -> None:
    with sync.TrayportClient.sandbox() as client:
        for call, category in CALLS:
            with pytest.warns(category) as warned:
                call(client)
            assert {warning.filename for warning in warned} == {__file__}


def test_a_warning_that_is_an_error_ends_the_call() -> None:
    with sync.TrayportClient.sandbox() as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        for call, category in CALLS:
            with pytest.raises(category):
                call(client)
        assert client.resolve_contract("NBP* Apr-24").name == "NBP* Apr-24"
