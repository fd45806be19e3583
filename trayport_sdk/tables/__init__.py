"""What calls return: a class of tables per operation.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from trayport_api.models import (
    Activity,
    LastTrade,
    OrderBook,
    PrivateTrade,
    Snapshot,
    TopOfBook,
)

from .base import ActivityTable, SnapshotsTable, TableResponse
from .candles import OHLCVResponse
from .order_book import BooksTable, QuotesTable
from .trades import TradesBatch, TradesResponse, TradesTable

__all__ = [
    "RESPONSES",
    "ActivityResponse",
    "LastTradeResponse",
    "OHLCVResponse",
    "OrderBookResponse",
    "OrderBookTopResponse",
    "PrivateTradesResponse",
    "SnapshotsResponse",
    "TableResponse",
    "TradesBatch",
    "TradesResponse",
]


class PrivateTradesResponse(TradesTable[PrivateTrade]):
    """Your own trades, with both sides as far as you may see them.

    The models are `PrivateTrade`.
    """

    operation_id = "get_private_trades"
    model = PrivateTrade


class LastTradeResponse(TableResponse[LastTrade]):
    """The last trade of one contract before an instant.

    The models are `LastTrade`.
    """

    operation_id = "get_last_trade"
    model = LastTrade


class ActivityResponse(ActivityTable[Activity]):
    """Which contracts traded in a time range, and how often.

    The models are `Activity`.
    """

    operation_id = "get_activity"
    model = Activity


class OrderBookTopResponse(QuotesTable[TopOfBook]):
    """The best bid and ask of one contract, sampled at an interval.

    The models are `TopOfBook`.
    """

    operation_id = "get_order_book_top"
    model = TopOfBook


class OrderBookResponse(BooksTable[OrderBook]):
    """The order book of one contract in depth, sampled at an interval.

    The models are `OrderBook`.
    """

    operation_id = "get_order_book"
    model = OrderBook


class SnapshotsResponse(SnapshotsTable[Snapshot]):
    """The last trade and the best orders of several items at one instant.

    The models are `Snapshot`.
    """

    operation_id = "get_snapshots"
    model = Snapshot


RESPONSES: Mapping[str, type[TableResponse[Any]]] = MappingProxyType(
    {
        "trades": TradesResponse,
        "private_trades": PrivateTradesResponse,
        "ohlcv": OHLCVResponse,
        "last_trade": LastTradeResponse,
        "activity": ActivityResponse,
        "order_book_top": OrderBookTopResponse,
        "order_book": OrderBookResponse,
        "snapshots": SnapshotsResponse,
    }
)
"""The class of each operation, by its short name."""
