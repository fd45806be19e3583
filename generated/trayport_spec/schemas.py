"""The columns of tables in polars, optional ones too, by operation id.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

CONTRACT = pl.Schema(
    {
        "contract_type": pl.String(),
        "market_id": pl.Int64(),
        "instrument_id": pl.Int64(),
        "sequence_id": pl.Int64(),
        "sequence_item_id": pl.Int64(),
        "second_sequence_item_id": pl.Int64(),
    }
)
TRADE_PARTIES = pl.Schema(
    {
        "aggressor_company_id": pl.Int64(),
        "aggressor_trader_company_name": pl.String(),
        "aggressor_trader_id": pl.Int64(),
        "aggressor_trader_name": pl.String(),
        "aggressor_derivative_indicator": pl.Boolean(),
        "initiator_company_id": pl.Int64(),
        "initiator_trader_company_name": pl.String(),
        "initiator_trader_id": pl.Int64(),
        "initiator_trader_name": pl.String(),
        "initiator_derivative_indicator": pl.Boolean(),
        "product_classification": pl.String(),
    }
)
TRADE = pl.Schema(
    {
        "trade_id": pl.String(),
        "venue_code": pl.String(),
        "deal_date": pl.Datetime("ns", "UTC"),
        "price": pl.Float64(),
        "quantity": pl.Float64(),
        "aggressor_buy": pl.Boolean(),
        "contract": pl.Struct(CONTRACT),
        "route": pl.String(),
        "route_id": pl.Int64(),
        "from_broken_spread": pl.Boolean(),
        "initiator_owned_spread": pl.Boolean(),
        "aggressor_owned_spread": pl.Boolean(),
        "aggressor_sleeve": pl.Boolean(),
        "initiator_sleeve": pl.Boolean(),
        "private_fields": pl.Struct(TRADE_PARTIES),
    }
)
PRIVATE_TRADE = pl.Schema(
    {
        "trade_id": pl.String(),
        "venue_code": pl.String(),
        "deal_date": pl.Datetime("ns", "UTC"),
        "price": pl.Float64(),
        "quantity": pl.Float64(),
        "aggressor_buy": pl.Boolean(),
        "contract": pl.Struct(CONTRACT),
        "route": pl.String(),
        "route_id": pl.Int64(),
        "from_broken_spread": pl.Boolean(),
        "initiator_owned_spread": pl.Boolean(),
        "aggressor_owned_spread": pl.Boolean(),
        "aggressor_sleeve": pl.Boolean(),
        "initiator_sleeve": pl.Boolean(),
        "aggressor_company_id": pl.Int64(),
        "aggressor_trader_company_name": pl.String(),
        "aggressor_trader_id": pl.Int64(),
        "aggressor_trader_name": pl.String(),
        "aggressor_derivative_indicator": pl.Boolean(),
        "initiator_company_id": pl.Int64(),
        "initiator_trader_company_name": pl.String(),
        "initiator_trader_id": pl.Int64(),
        "initiator_trader_name": pl.String(),
        "initiator_derivative_indicator": pl.Boolean(),
        "product_classification": pl.String(),
        "last_updated": pl.Datetime("ns", "UTC"),
    }
)
CANDLE = pl.Schema(
    {
        "from_timestamp": pl.Datetime("ns", "UTC"),
        "to_timestamp": pl.Datetime("ns", "UTC"),
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Float64(),
        "open_timestamp": pl.Datetime("ns", "UTC"),
        "close_timestamp": pl.Datetime("ns", "UTC"),
        "vwap": pl.Float64(),
    }
)
LAST_TRADE = pl.Schema(
    {
        "price": pl.Float64(),
        "deal_date": pl.Datetime("ns", "UTC"),
        "contract": pl.Struct(CONTRACT),
    }
)
ACTIVITY = pl.Schema(
    {
        "instrument_id": pl.Int64(),
        "sequence_id": pl.Int64(),
        "sequence_item_id": pl.Int64(),
        "second_sequence_item_id": pl.Int64(),
        "contract_type": pl.String(),
        "count": pl.Int64(),
        "market_id": pl.Int64(),
        "route": pl.String(),
        "route_id": pl.Int64(),
        "update_count": pl.Int64(),
        "delete_count": pl.Int64(),
    }
)
TOP_OF_BOOK = pl.Schema(
    {
        "timestamp": pl.Datetime("ns", "UTC"),
        "bid_price": pl.Float64(),
        "bid_quantity": pl.Float64(),
        "ask_price": pl.Float64(),
        "ask_quantity": pl.Float64(),
        "route": pl.String(),
        "route_id": pl.Int64(),
        "bid_venue_code": pl.String(),
        "ask_venue_code": pl.String(),
    }
)
ORDER_DETAILS = pl.Schema(
    {
        "client_order_id": pl.String(),
        "order_status": pl.String(),
        "last_modifier_user_id": pl.Int64(),
        "hidden_quantity": pl.Float64(),
        "owner_user_id": pl.Int64(),
        "owner_company_id": pl.Int64(),
        "original_hidden_quantity": pl.Float64(),
        "hidden_qty_price_delta": pl.Float64(),
    }
)
ORDER = pl.Schema(
    {
        "price": pl.Float64(),
        "quantity": pl.Float64(),
        "venue_code": pl.String(),
        "route": pl.String(),
        "route_id": pl.Int64(),
        "private_fields": pl.Struct(ORDER_DETAILS),
    }
)
ORDER_BOOK = pl.Schema(
    {
        "timestamp": pl.Datetime("ns", "UTC"),
        "bids": pl.List(pl.Struct(ORDER)),
        "asks": pl.List(pl.Struct(ORDER)),
    }
)
SNAPSHOT_TRADE = pl.Schema(
    {
        "price": pl.Float64(),
        "deal_date": pl.Datetime("ns", "UTC"),
    }
)
BEST_ORDERS = pl.Schema(
    {
        "bid_price": pl.Float64(),
        "bid_quantity": pl.Float64(),
        "ask_price": pl.Float64(),
        "ask_quantity": pl.Float64(),
    }
)
SNAPSHOT = pl.Schema(
    {
        "contract": pl.Struct(CONTRACT),
        "last_trade": pl.Struct(SNAPSHOT_TRADE),
        "best_orders": pl.Struct(BEST_ORDERS),
    }
)
INSTRUMENT = pl.Schema(
    {
        "id": pl.Int64(),
        "name": pl.String(),
        "sequences": pl.String(),
    }
)
TRADING_SPECIFICATIONS = pl.Schema(
    {
        "price_currency": pl.String(),
        "quantity_unit": pl.String(),
        "notional_currency": pl.String(),
        "notional_quantity_unit": pl.String(),
    }
)
INSTRUMENT_DETAILS = pl.Schema(
    {
        "id": pl.Int64(),
        "name": pl.String(),
        "trading_specifications": pl.Struct(TRADING_SPECIFICATIONS),
        "sequences": pl.String(),
    }
)
SEQUENCE = pl.Schema(
    {
        "id": pl.Int64(),
        "name": pl.String(),
        "sequence_items": pl.String(),
        "display_name": pl.String(),
    }
)
SEQUENCE_ITEM = pl.Schema(
    {
        "id": pl.Int64(),
        "name": pl.String(),
        "period_start": pl.String(),
        "period_end": pl.String(),
        "trading_start": pl.String(),
        "trading_end": pl.String(),
    }
)

SCHEMAS: Mapping[str, pl.Schema] = MappingProxyType(
    {
        "get_trades": TRADE,
        "get_private_trades": PRIVATE_TRADE,
        "get_ohlcv": CANDLE,
        "get_last_trade": LAST_TRADE,
        "get_activity": ACTIVITY,
        "get_order_book_top": TOP_OF_BOOK,
        "get_order_book": ORDER_BOOK,
        "get_snapshots": SNAPSHOT,
        "get_instruments": INSTRUMENT,
        "get_instrument": INSTRUMENT_DETAILS,
        "get_instrument_sequences": SEQUENCE,
        "get_markets": INSTRUMENT,
        "get_market": INSTRUMENT_DETAILS,
        "get_market_sequences": SEQUENCE,
        "get_sequences": SEQUENCE,
        "get_sequence_items": SEQUENCE_ITEM,
        "get_sequence_item": SEQUENCE_ITEM,
    }
)
