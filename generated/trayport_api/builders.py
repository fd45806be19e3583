"""The request builders, by operation id.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .api.orders import get_order_book, get_order_book_top
from .api.reference import (
    get_instrument,
    get_instrument_sequences,
    get_instruments,
    get_market,
    get_market_sequences,
    get_markets,
    get_sequence_item,
    get_sequence_items,
    get_sequences,
)
from .api.snapshots import get_snapshots
from .api.trades import (
    get_activity,
    get_last_trade,
    get_ohlcv,
    get_private_trades,
    get_trades,
)

BUILDERS: Mapping[str, Callable[..., dict[str, Any]]] = MappingProxyType(
    {
        "get_trades": get_trades.get_kwargs,
        "get_private_trades": get_private_trades.get_kwargs,
        "get_ohlcv": get_ohlcv.get_kwargs,
        "get_last_trade": get_last_trade.get_kwargs,
        "get_activity": get_activity.get_kwargs,
        "get_order_book_top": get_order_book_top.get_kwargs,
        "get_order_book": get_order_book.get_kwargs,
        "get_snapshots": get_snapshots.get_kwargs,
        "get_instruments": get_instruments.get_kwargs,
        "get_instrument": get_instrument.get_kwargs,
        "get_instrument_sequences": get_instrument_sequences.get_kwargs,
        "get_markets": get_markets.get_kwargs,
        "get_market": get_market.get_kwargs,
        "get_market_sequences": get_market_sequences.get_kwargs,
        "get_sequences": get_sequences.get_kwargs,
        "get_sequence_items": get_sequence_items.get_kwargs,
        "get_sequence_item": get_sequence_item.get_kwargs,
    }
)
