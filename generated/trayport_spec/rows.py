"""The types that a strict decoder gives to responses and to the rows in them.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec

LEAST, MOST = -(2**63), 2**63 - 1


class Contract(msgspec.Struct, kw_only=True, gc=False):
    """The object `Contract` of the document."""

    contract_type: Literal["SinglePeriod", "PeriodSpread", "PeriodRange"] = msgspec.field(
        name="contractType"
    )
    market_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None = msgspec.field(name="marketId")
    instrument_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None = msgspec.field(
        name="instrumentId"
    )
    sequence_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="sequenceId")
    sequence_item_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="sequenceItemId"
    )
    second_sequence_item_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None = msgspec.field(
        name="secondSequenceItemId"
    )


class TradeParties(msgspec.Struct, kw_only=True, gc=False):
    """The object `TradeParties` of the document."""

    aggressor_company_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="aggressorCompanyId"
    )
    aggressor_trader_company_name: str = msgspec.field(name="aggressorTraderCompanyName")
    aggressor_trader_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="aggressorTraderId"
    )
    aggressor_trader_name: str = msgspec.field(name="aggressorTraderName")
    aggressor_derivative_indicator: bool = msgspec.field(name="aggressorDerivativeIndicator")
    initiator_company_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="initiatorCompanyId"
    )
    initiator_trader_company_name: str = msgspec.field(name="initiatorTraderCompanyName")
    initiator_trader_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="initiatorTraderId"
    )
    initiator_trader_name: str = msgspec.field(name="initiatorTraderName")
    initiator_derivative_indicator: bool = msgspec.field(name="initiatorDerivativeIndicator")
    product_classification: str = msgspec.field(name="productClassification")


class Trade(msgspec.Struct, kw_only=True, gc=False):
    """The object `Trade` of the document."""

    trade_id: str = msgspec.field(name="tradeId")
    venue_code: str = msgspec.field(name="venueCode")
    deal_date: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="dealDate")
    price: float
    quantity: float
    aggressor_buy: bool = msgspec.field(name="aggressorBuy")
    contract: Contract | msgspec.UnsetType = msgspec.UNSET
    route: str | msgspec.UnsetType = msgspec.UNSET
    route_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="routeId"
    )
    from_broken_spread: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="fromBrokenSpread"
    )
    initiator_owned_spread: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="initiatorOwnedSpread"
    )
    aggressor_owned_spread: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="aggressorOwnedSpread"
    )
    aggressor_sleeve: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="aggressorSleeve"
    )
    initiator_sleeve: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="initiatorSleeve"
    )
    private_fields: TradeParties | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="privateFields"
    )


class PrivateTrade(msgspec.Struct, kw_only=True, gc=False):
    """The object `PrivateTrade` of the document."""

    trade_id: str = msgspec.field(name="tradeId")
    venue_code: str = msgspec.field(name="venueCode")
    deal_date: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="dealDate")
    price: float
    quantity: float
    aggressor_buy: bool = msgspec.field(name="aggressorBuy")
    contract: Contract | msgspec.UnsetType = msgspec.UNSET
    route: str
    route_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="routeId"
    )
    from_broken_spread: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="fromBrokenSpread"
    )
    initiator_owned_spread: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="initiatorOwnedSpread"
    )
    aggressor_owned_spread: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="aggressorOwnedSpread"
    )
    aggressor_sleeve: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="aggressorSleeve"
    )
    initiator_sleeve: bool | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="initiatorSleeve"
    )
    aggressor_company_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="aggressorCompanyId"
    )
    aggressor_trader_company_name: str = msgspec.field(name="aggressorTraderCompanyName")
    aggressor_trader_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="aggressorTraderId"
    )
    aggressor_trader_name: str = msgspec.field(name="aggressorTraderName")
    aggressor_derivative_indicator: bool = msgspec.field(name="aggressorDerivativeIndicator")
    initiator_company_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="initiatorCompanyId"
    )
    initiator_trader_company_name: str = msgspec.field(name="initiatorTraderCompanyName")
    initiator_trader_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="initiatorTraderId"
    )
    initiator_trader_name: str = msgspec.field(name="initiatorTraderName")
    initiator_derivative_indicator: bool = msgspec.field(name="initiatorDerivativeIndicator")
    product_classification: str = msgspec.field(name="productClassification")
    last_updated: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="lastUpdated")


class Candle(msgspec.Struct, kw_only=True, gc=False):
    """The object `Candle` of the document."""

    from_timestamp: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="fromTimestamp"
    )
    to_timestamp: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="toTimestamp")
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float
    open_timestamp: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None | msgspec.UnsetType = (
        msgspec.field(default=msgspec.UNSET, name="openTimestamp")
    )
    close_timestamp: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None | msgspec.UnsetType = (
        msgspec.field(default=msgspec.UNSET, name="closeTimestamp")
    )
    vwap: float | None | msgspec.UnsetType = msgspec.UNSET


class LastTrade(msgspec.Struct, kw_only=True, gc=False):
    """The object `LastTrade` of the document."""

    price: float
    deal_date: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="dealDate")
    contract: Contract | msgspec.UnsetType = msgspec.UNSET


class Activity(msgspec.Struct, kw_only=True, gc=False):
    """The object `Activity` of the document."""

    instrument_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="instrumentId")
    sequence_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="sequenceId")
    sequence_item_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="sequenceItemId"
    )
    second_sequence_item_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None = msgspec.field(
        name="secondSequenceItemId"
    )
    contract_type: Literal["SinglePeriod", "PeriodSpread", "PeriodRange"] = msgspec.field(
        name="contractType"
    )
    count: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    market_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None | msgspec.UnsetType = (
        msgspec.field(default=msgspec.UNSET, name="marketId")
    )
    route: str | msgspec.UnsetType = msgspec.UNSET
    route_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="routeId"
    )
    update_count: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="updateCount"
    )
    delete_count: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="deleteCount"
    )


class TopOfBook(msgspec.Struct, kw_only=True, gc=False):
    """The object `TopOfBook` of the document."""

    timestamp: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    bid_price: float | None = msgspec.field(name="bidPrice")
    bid_quantity: float | None = msgspec.field(name="bidQuantity")
    ask_price: float | None = msgspec.field(name="askPrice")
    ask_quantity: float | None = msgspec.field(name="askQuantity")
    route: str | msgspec.UnsetType = msgspec.UNSET
    route_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="routeId"
    )
    bid_venue_code: str | None | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="bidVenueCode"
    )
    ask_venue_code: str | None | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="askVenueCode"
    )


class OrderDetails(msgspec.Struct, kw_only=True, gc=False):
    """The object `OrderDetails` of the document."""

    client_order_id: str | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="clientOrderId"
    )
    order_status: Literal["Firm", "Withheld"] = msgspec.field(name="orderStatus")
    last_modifier_user_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="lastModifierUserId"
    )
    hidden_quantity: float = msgspec.field(name="hiddenQuantity")
    owner_user_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="ownerUserId")
    owner_company_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(
        name="ownerCompanyId"
    )
    original_hidden_quantity: float = msgspec.field(name="originalHiddenQuantity")
    hidden_qty_price_delta: float = msgspec.field(name="hiddenQtyPriceDelta")


class Order(msgspec.Struct, kw_only=True, gc=False):
    """The object `Order` of the document."""

    price: float
    quantity: float
    venue_code: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="venueCode")
    route: str | msgspec.UnsetType = msgspec.UNSET
    route_id: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="routeId"
    )
    private_fields: OrderDetails | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="privateFields"
    )


class OrderBook(msgspec.Struct, kw_only=True, gc=False):
    """The object `OrderBook` of the document."""

    timestamp: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    bids: list[Order]
    asks: list[Order]


class SnapshotTrade(msgspec.Struct, kw_only=True, gc=False):
    """The object `SnapshotTrade` of the document."""

    price: float
    deal_date: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = msgspec.field(name="dealDate")


class BestOrders(msgspec.Struct, kw_only=True, gc=False):
    """The object `BestOrders` of the document."""

    bid_price: float | None = msgspec.field(name="bidPrice")
    bid_quantity: float | None = msgspec.field(name="bidQuantity")
    ask_price: float | None = msgspec.field(name="askPrice")
    ask_quantity: float | None = msgspec.field(name="askQuantity")


class Snapshot(msgspec.Struct, kw_only=True, gc=False):
    """The object `Snapshot` of the document."""

    contract: Contract
    last_trade: SnapshotTrade | None = msgspec.field(name="lastTrade")
    best_orders: BestOrders = msgspec.field(name="bestOrders")


class Instrument(msgspec.Struct, kw_only=True, gc=False):
    """The object `Instrument` of the document."""

    id: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    name: str
    sequences: str


class TradingSpecifications(msgspec.Struct, kw_only=True, gc=False):
    """The object `TradingSpecifications` of the document."""

    price_currency: str = msgspec.field(name="priceCurrency")
    quantity_unit: str = msgspec.field(name="quantityUnit")
    notional_currency: str = msgspec.field(name="notionalCurrency")
    notional_quantity_unit: str = msgspec.field(name="notionalQuantityUnit")


class InstrumentDetails(msgspec.Struct, kw_only=True, gc=False):
    """The object `InstrumentDetails` of the document."""

    id: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    name: str
    trading_specifications: TradingSpecifications = msgspec.field(name="tradingSpecifications")
    sequences: str


class Sequence(msgspec.Struct, kw_only=True, gc=False):
    """The object `Sequence` of the document."""

    id: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    name: str
    sequence_items: str = msgspec.field(name="sequenceItems")
    display_name: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="displayName")


class SequenceItem(msgspec.Struct, kw_only=True, gc=False):
    """The object `SequenceItem` of the document."""

    id: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    name: str
    period_start: str | None = msgspec.field(name="periodStart")
    period_end: str | None = msgspec.field(name="periodEnd")
    trading_start: str | None = msgspec.field(name="tradingStart")
    trading_end: str | None = msgspec.field(name="tradingEnd")


class SnapshotsResponse(msgspec.Struct, kw_only=True, gc=False):
    """The response of `/snapshots`."""

    rows: list[Snapshot] = msgspec.field(name="snapshots")
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=MOST)]


ROWS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "get_trades": Trade,
        "get_private_trades": PrivateTrade,
        "get_ohlcv": Candle,
        "get_last_trade": LastTrade,
        "get_activity": Activity,
        "get_order_book_top": TopOfBook,
        "get_order_book": OrderBook,
        "get_snapshots": Snapshot,
        "get_instruments": Instrument,
        "get_instrument": InstrumentDetails,
        "get_instrument_sequences": Sequence,
        "get_markets": Instrument,
        "get_market": InstrumentDetails,
        "get_market_sequences": Sequence,
        "get_sequences": Sequence,
        "get_sequence_items": SequenceItem,
        "get_sequence_item": SequenceItem,
    }
)

RESPONSE_TYPES: Mapping[str, Any] = MappingProxyType(
    {
        "get_trades": list[Trade],
        "get_private_trades": list[PrivateTrade],
        "get_ohlcv": list[Candle],
        "get_last_trade": list[LastTrade],
        "get_activity": list[Activity],
        "get_order_book_top": list[TopOfBook],
        "get_order_book": list[OrderBook],
        "get_snapshots": SnapshotsResponse,
        "get_instruments": list[Instrument],
        "get_instrument": InstrumentDetails,
        "get_instrument_sequences": list[Sequence],
        "get_markets": list[Instrument],
        "get_market": InstrumentDetails,
        "get_market_sequences": list[Sequence],
        "get_sequences": list[Sequence],
        "get_sequence_items": list[SequenceItem],
        "get_sequence_item": SequenceItem,
    }
)
