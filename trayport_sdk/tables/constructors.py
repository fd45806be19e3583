"""Models of the rows of tables, by operation id.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl
from trayport_api import models

from .models import Make, blank, lists, members, optional, required, structs, times


def make_contract(rows: pl.DataFrame) -> list[models.Contract]:
    made = blank(models.Contract, rows)
    one: models.Contract
    for (
        one,
        one.contract_type,
        one.market_id,
        one.instrument_id,
        one.sequence_id,
        one.sequence_item_id,
        one.second_sequence_item_id,
    ) in zip(
        made,
        required(rows, "contract_type", members(models.ContractKind)),
        required(rows, "market_id"),
        required(rows, "instrument_id"),
        required(rows, "sequence_id"),
        required(rows, "sequence_item_id"),
        required(rows, "second_sequence_item_id"),
        strict=True,
    ):
        pass
    return made


def make_trade_parties(rows: pl.DataFrame) -> list[models.TradeParties]:
    made = blank(models.TradeParties, rows)
    one: models.TradeParties
    for (
        one,
        one.aggressor_company_id,
        one.aggressor_trader_company_name,
        one.aggressor_trader_id,
        one.aggressor_trader_name,
        one.aggressor_derivative_indicator,
        one.initiator_company_id,
        one.initiator_trader_company_name,
        one.initiator_trader_id,
        one.initiator_trader_name,
        one.initiator_derivative_indicator,
        one.product_classification,
    ) in zip(
        made,
        required(rows, "aggressor_company_id"),
        required(rows, "aggressor_trader_company_name"),
        required(rows, "aggressor_trader_id"),
        required(rows, "aggressor_trader_name"),
        required(rows, "aggressor_derivative_indicator"),
        required(rows, "initiator_company_id"),
        required(rows, "initiator_trader_company_name"),
        required(rows, "initiator_trader_id"),
        required(rows, "initiator_trader_name"),
        required(rows, "initiator_derivative_indicator"),
        required(rows, "product_classification"),
        strict=True,
    ):
        pass
    return made


def make_trade(rows: pl.DataFrame) -> list[models.Trade]:
    made = blank(models.Trade, rows)
    one: models.Trade
    for (
        one,
        one.trade_id,
        one.venue_code,
        one.deal_date,
        one.price,
        one.quantity,
        one.aggressor_buy,
        one.contract,
        one.route,
        one.route_id,
        one.from_broken_spread,
        one.initiator_owned_spread,
        one.aggressor_owned_spread,
        one.aggressor_sleeve,
        one.initiator_sleeve,
        one.private_fields,
    ) in zip(
        made,
        required(rows, "trade_id"),
        required(rows, "venue_code"),
        required(rows, "deal_date", times),
        required(rows, "price"),
        required(rows, "quantity"),
        required(rows, "aggressor_buy"),
        optional(rows, "contract", structs(make_contract)),
        optional(rows, "route"),
        optional(rows, "route_id"),
        optional(rows, "from_broken_spread"),
        optional(rows, "initiator_owned_spread"),
        optional(rows, "aggressor_owned_spread"),
        optional(rows, "aggressor_sleeve"),
        optional(rows, "initiator_sleeve"),
        optional(rows, "private_fields", structs(make_trade_parties)),
        strict=True,
    ):
        pass
    return made


def make_private_trade(rows: pl.DataFrame) -> list[models.PrivateTrade]:
    made = blank(models.PrivateTrade, rows)
    one: models.PrivateTrade
    for (
        one,
        one.trade_id,
        one.venue_code,
        one.deal_date,
        one.price,
        one.quantity,
        one.aggressor_buy,
        one.contract,
        one.route,
        one.route_id,
        one.from_broken_spread,
        one.initiator_owned_spread,
        one.aggressor_owned_spread,
        one.aggressor_sleeve,
        one.initiator_sleeve,
        one.aggressor_company_id,
        one.aggressor_trader_company_name,
        one.aggressor_trader_id,
        one.aggressor_trader_name,
        one.aggressor_derivative_indicator,
        one.initiator_company_id,
        one.initiator_trader_company_name,
        one.initiator_trader_id,
        one.initiator_trader_name,
        one.initiator_derivative_indicator,
        one.product_classification,
        one.last_updated,
    ) in zip(
        made,
        required(rows, "trade_id"),
        required(rows, "venue_code"),
        required(rows, "deal_date", times),
        required(rows, "price"),
        required(rows, "quantity"),
        required(rows, "aggressor_buy"),
        optional(rows, "contract", structs(make_contract)),
        required(rows, "route"),
        optional(rows, "route_id"),
        optional(rows, "from_broken_spread"),
        optional(rows, "initiator_owned_spread"),
        optional(rows, "aggressor_owned_spread"),
        optional(rows, "aggressor_sleeve"),
        optional(rows, "initiator_sleeve"),
        required(rows, "aggressor_company_id"),
        required(rows, "aggressor_trader_company_name"),
        required(rows, "aggressor_trader_id"),
        required(rows, "aggressor_trader_name"),
        required(rows, "aggressor_derivative_indicator"),
        required(rows, "initiator_company_id"),
        required(rows, "initiator_trader_company_name"),
        required(rows, "initiator_trader_id"),
        required(rows, "initiator_trader_name"),
        required(rows, "initiator_derivative_indicator"),
        required(rows, "product_classification"),
        required(rows, "last_updated", times),
        strict=True,
    ):
        pass
    return made


def make_candle(rows: pl.DataFrame) -> list[models.Candle]:
    made = blank(models.Candle, rows)
    one: models.Candle
    for (
        one,
        one.from_timestamp,
        one.to_timestamp,
        one.open_,
        one.high,
        one.low,
        one.close,
        one.volume,
        one.open_timestamp,
        one.close_timestamp,
        one.vwap,
    ) in zip(
        made,
        required(rows, "from_timestamp", times),
        required(rows, "to_timestamp", times),
        required(rows, "open"),
        required(rows, "high"),
        required(rows, "low"),
        required(rows, "close"),
        required(rows, "volume"),
        optional(rows, "open_timestamp", times),
        optional(rows, "close_timestamp", times),
        optional(rows, "vwap"),
        strict=True,
    ):
        pass
    return made


def make_last_trade(rows: pl.DataFrame) -> list[models.LastTrade]:
    made = blank(models.LastTrade, rows)
    one: models.LastTrade
    for one, one.price, one.deal_date, one.contract in zip(
        made,
        required(rows, "price"),
        required(rows, "deal_date", times),
        optional(rows, "contract", structs(make_contract)),
        strict=True,
    ):
        pass
    return made


def make_activity(rows: pl.DataFrame) -> list[models.Activity]:
    made = blank(models.Activity, rows)
    one: models.Activity
    for (
        one,
        one.instrument_id,
        one.sequence_id,
        one.sequence_item_id,
        one.second_sequence_item_id,
        one.contract_type,
        one.count,
        one.market_id,
        one.route,
        one.route_id,
        one.update_count,
        one.delete_count,
    ) in zip(
        made,
        required(rows, "instrument_id"),
        required(rows, "sequence_id"),
        required(rows, "sequence_item_id"),
        required(rows, "second_sequence_item_id"),
        required(rows, "contract_type", members(models.ContractKind)),
        required(rows, "count"),
        optional(rows, "market_id"),
        optional(rows, "route"),
        optional(rows, "route_id"),
        optional(rows, "update_count"),
        optional(rows, "delete_count"),
        strict=True,
    ):
        pass
    return made


def make_top_of_book(rows: pl.DataFrame) -> list[models.TopOfBook]:
    made = blank(models.TopOfBook, rows)
    one: models.TopOfBook
    for (
        one,
        one.timestamp,
        one.bid_price,
        one.bid_quantity,
        one.ask_price,
        one.ask_quantity,
        one.route,
        one.route_id,
        one.bid_venue_code,
        one.ask_venue_code,
    ) in zip(
        made,
        required(rows, "timestamp", times),
        required(rows, "bid_price"),
        required(rows, "bid_quantity"),
        required(rows, "ask_price"),
        required(rows, "ask_quantity"),
        optional(rows, "route"),
        optional(rows, "route_id"),
        optional(rows, "bid_venue_code"),
        optional(rows, "ask_venue_code"),
        strict=True,
    ):
        pass
    return made


def make_order_details(rows: pl.DataFrame) -> list[models.OrderDetails]:
    made = blank(models.OrderDetails, rows)
    one: models.OrderDetails
    for (
        one,
        one.client_order_id,
        one.order_status,
        one.last_modifier_user_id,
        one.hidden_quantity,
        one.owner_user_id,
        one.owner_company_id,
        one.original_hidden_quantity,
        one.hidden_qty_price_delta,
    ) in zip(
        made,
        optional(rows, "client_order_id"),
        required(rows, "order_status", members(models.OrderStatus)),
        required(rows, "last_modifier_user_id"),
        required(rows, "hidden_quantity"),
        required(rows, "owner_user_id"),
        required(rows, "owner_company_id"),
        required(rows, "original_hidden_quantity"),
        required(rows, "hidden_qty_price_delta"),
        strict=True,
    ):
        pass
    return made


def make_order(rows: pl.DataFrame) -> list[models.Order]:
    made = blank(models.Order, rows)
    one: models.Order
    for (
        one,
        one.price,
        one.quantity,
        one.venue_code,
        one.route,
        one.route_id,
        one.private_fields,
    ) in zip(
        made,
        required(rows, "price"),
        required(rows, "quantity"),
        optional(rows, "venue_code"),
        optional(rows, "route"),
        optional(rows, "route_id"),
        optional(rows, "private_fields", structs(make_order_details)),
        strict=True,
    ):
        pass
    return made


def make_order_book(rows: pl.DataFrame) -> list[models.OrderBook]:
    made = blank(models.OrderBook, rows)
    one: models.OrderBook
    for one, one.timestamp, one.bids, one.asks in zip(
        made,
        required(rows, "timestamp", times),
        required(rows, "bids", lists(make_order)),
        required(rows, "asks", lists(make_order)),
        strict=True,
    ):
        pass
    return made


def make_snapshot_trade(rows: pl.DataFrame) -> list[models.SnapshotTrade]:
    made = blank(models.SnapshotTrade, rows)
    one: models.SnapshotTrade
    for one, one.price, one.deal_date in zip(
        made, required(rows, "price"), required(rows, "deal_date", times), strict=True
    ):
        pass
    return made


def make_best_orders(rows: pl.DataFrame) -> list[models.BestOrders]:
    made = blank(models.BestOrders, rows)
    one: models.BestOrders
    for one, one.bid_price, one.bid_quantity, one.ask_price, one.ask_quantity in zip(
        made,
        required(rows, "bid_price"),
        required(rows, "bid_quantity"),
        required(rows, "ask_price"),
        required(rows, "ask_quantity"),
        strict=True,
    ):
        pass
    return made


def make_snapshot(rows: pl.DataFrame) -> list[models.Snapshot]:
    made = blank(models.Snapshot, rows)
    one: models.Snapshot
    for one, one.contract, one.last_trade, one.best_orders in zip(
        made,
        required(rows, "contract", structs(make_contract)),
        required(rows, "last_trade", structs(make_snapshot_trade)),
        required(rows, "best_orders", structs(make_best_orders)),
        strict=True,
    ):
        pass
    return made


CONSTRUCTORS: Mapping[str, Make[Any]] = MappingProxyType(
    {
        "get_trades": make_trade,
        "get_private_trades": make_private_trade,
        "get_ohlcv": make_candle,
        "get_last_trade": make_last_trade,
        "get_activity": make_activity,
        "get_order_book_top": make_top_of_book,
        "get_order_book": make_order_book,
        "get_snapshots": make_snapshot,
    }
)
