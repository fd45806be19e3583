"""The rows, by the name of their schema.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from .types import Column, Provenance

_TRADE_ID = Column(
    "tradeId", "trade_id", "string", "The venue's own id. Unique only together with the venue code."
)
_VENUE_CODE = Column(
    "venueCode", "venue_code", "string", "The code of the venue. New codes appear over time."
)
_DEAL_DATE = Column(
    "dealDate",
    "deal_date",
    "timestamp",
    "When the trade was made, in nanoseconds since 1970-01-01 UTC.",
    minimum=0,
)
_PRICE = Column(
    "price", "price", "float64", "The price in the product's currency per unit. It may be negative."
)
_QUANTITY = Column(
    "quantity", "quantity", "float64", "The quantity in the product's unit, not always whole."
)
_AGGRESSOR_BUY = Column("aggressorBuy", "aggressor_buy", "bool", "Whether the aggressor bought.")
_CONTRACT_TYPE = Column(
    "contractType",
    "contract_type",
    "string",
    "The kind of a contract, as responses name it. Requests name the same kinds as `ContractType`.",
    enum=("SinglePeriod", "PeriodSpread", "PeriodRange"),
    schema="ContractKind",
)
_SEQUENCE_ID = Column(
    "sequenceId", "sequence_id", "int64", "A number that names something for good.", minimum=0
)
_SEQUENCE_ITEM_ID = Column(
    "sequenceItemId",
    "sequence_item_id",
    "int64",
    "A number that names something for good.",
    minimum=0,
)
_SECOND_SEQUENCE_ITEM_ID = Column(
    "secondSequenceItemId",
    "second_sequence_item_id",
    "int64",
    "The second delivery period, null for single periods.",
    nullable=True,
    minimum=0,
)
CONTRACT = (
    _CONTRACT_TYPE,
    Column(
        "marketId",
        "market_id",
        "int64",
        "The market, null when the contract is of an instrument.",
        nullable=True,
        minimum=0,
    ),
    Column(
        "instrumentId",
        "instrument_id",
        "int64",
        "The instrument, null when the contract is of a market.",
        nullable=True,
        minimum=0,
    ),
    _SEQUENCE_ID,
    _SEQUENCE_ITEM_ID,
    _SECOND_SEQUENCE_ITEM_ID,
)
_CONTRACT = Column(
    "contract",
    "contract",
    "struct",
    "The contract that was traded.",
    required=False,
    optional_field="contract",
    fields=CONTRACT,
    schema="Contract",
)
_ROUTE = Column(
    "route",
    "route",
    "string",
    "The name of the route to market.",
    required=False,
    optional_field="route",
    added_by="routes",
)
_ROUTE_ID = Column(
    "routeId",
    "route_id",
    "int64",
    "The id of the route to market.",
    required=False,
    optional_field="routeId",
    minimum=0,
    provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
)
_FROM_BROKEN_SPREAD = Column(
    "fromBrokenSpread",
    "from_broken_spread",
    "bool",
    "Whether the trade is one leg of a spread that was broken up.",
    required=False,
    optional_field="fromBrokenSpread",
)
_INITIATOR_OWNED_SPREAD = Column(
    "initiatorOwnedSpread",
    "initiator_owned_spread",
    "bool",
    "Whether the initiator traded it as part of an own spread.",
    required=False,
    optional_field="initiatorOwnedSpread",
)
_AGGRESSOR_OWNED_SPREAD = Column(
    "aggressorOwnedSpread",
    "aggressor_owned_spread",
    "bool",
    "Whether the aggressor traded it as part of an own spread.",
    required=False,
    optional_field="aggressorOwnedSpread",
)
_AGGRESSOR_SLEEVE = Column(
    "aggressorSleeve",
    "aggressor_sleeve",
    "bool",
    "Whether a third party stood between on the aggressor's side. A client author has also seen text here.",
    required=False,
    optional_field="aggressorSleeve",
)
_INITIATOR_SLEEVE = Column(
    "initiatorSleeve",
    "initiator_sleeve",
    "bool",
    "Whether a third party stood between on the initiator's side. A client author has also seen text here.",
    required=False,
    optional_field="initiatorSleeve",
)
_AGGRESSOR_COMPANY_ID = Column(
    "aggressorCompanyId",
    "aggressor_company_id",
    "int64",
    "The aggressor's company, 0 when unknown.",
    minimum=0,
    provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
)
_AGGRESSOR_TRADER_COMPANY_NAME = Column(
    "aggressorTraderCompanyName",
    "aggressor_trader_company_name",
    "string",
    "The name of the aggressor's company, empty when unknown.",
)
_AGGRESSOR_TRADER_ID = Column(
    "aggressorTraderId",
    "aggressor_trader_id",
    "int64",
    "The aggressor's trader, 0 when unknown.",
    minimum=0,
    provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
)
_AGGRESSOR_TRADER_NAME = Column(
    "aggressorTraderName",
    "aggressor_trader_name",
    "string",
    "The name of the aggressor's trader, empty when unknown.",
)
_AGGRESSOR_DERIVATIVE_INDICATOR = Column(
    "aggressorDerivativeIndicator",
    "aggressor_derivative_indicator",
    "bool",
    "Whether the aggressor flagged the trade as a derivative.",
)
_INITIATOR_COMPANY_ID = Column(
    "initiatorCompanyId",
    "initiator_company_id",
    "int64",
    "The initiator's company, 0 when unknown.",
    minimum=0,
    provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
)
_INITIATOR_TRADER_COMPANY_NAME = Column(
    "initiatorTraderCompanyName",
    "initiator_trader_company_name",
    "string",
    "The name of the initiator's company, empty when unknown.",
)
_INITIATOR_TRADER_ID = Column(
    "initiatorTraderId",
    "initiator_trader_id",
    "int64",
    "The initiator's trader, 0 when unknown.",
    minimum=0,
    provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
)
_INITIATOR_TRADER_NAME = Column(
    "initiatorTraderName",
    "initiator_trader_name",
    "string",
    "The name of the initiator's trader, empty when unknown.",
)
_INITIATOR_DERIVATIVE_INDICATOR = Column(
    "initiatorDerivativeIndicator",
    "initiator_derivative_indicator",
    "bool",
    "Whether the initiator flagged the trade as a derivative.",
)
_PRODUCT_CLASSIFICATION = Column(
    "productClassification", "product_classification", "string", "How the product is classified."
)
TRADE_PARTIES = (
    _AGGRESSOR_COMPANY_ID,
    _AGGRESSOR_TRADER_COMPANY_NAME,
    _AGGRESSOR_TRADER_ID,
    _AGGRESSOR_TRADER_NAME,
    _AGGRESSOR_DERIVATIVE_INDICATOR,
    _INITIATOR_COMPANY_ID,
    _INITIATOR_TRADER_COMPANY_NAME,
    _INITIATOR_TRADER_ID,
    _INITIATOR_TRADER_NAME,
    _INITIATOR_DERIVATIVE_INDICATOR,
    _PRODUCT_CLASSIFICATION,
)
TRADE = (
    _TRADE_ID,
    _VENUE_CODE,
    _DEAL_DATE,
    _PRICE,
    _QUANTITY,
    _AGGRESSOR_BUY,
    _CONTRACT,
    _ROUTE,
    _ROUTE_ID,
    _FROM_BROKEN_SPREAD,
    _INITIATOR_OWNED_SPREAD,
    _AGGRESSOR_OWNED_SPREAD,
    _AGGRESSOR_SLEEVE,
    _INITIATOR_SLEEVE,
    Column(
        "privateFields",
        "private_fields",
        "struct",
        "Both sides of a trade of your own, when private details are requested.",
        required=False,
        added_by="includePrivate",
        fields=TRADE_PARTIES,
        schema="TradeParties",
    ),
)
PRIVATE_TRADE = (
    _TRADE_ID,
    _VENUE_CODE,
    _DEAL_DATE,
    _PRICE,
    _QUANTITY,
    _AGGRESSOR_BUY,
    _CONTRACT,
    Column("route", "route", "string", "The name of the route to market."),
    _ROUTE_ID,
    _FROM_BROKEN_SPREAD,
    _INITIATOR_OWNED_SPREAD,
    _AGGRESSOR_OWNED_SPREAD,
    _AGGRESSOR_SLEEVE,
    _INITIATOR_SLEEVE,
    _AGGRESSOR_COMPANY_ID,
    _AGGRESSOR_TRADER_COMPANY_NAME,
    _AGGRESSOR_TRADER_ID,
    _AGGRESSOR_TRADER_NAME,
    _AGGRESSOR_DERIVATIVE_INDICATOR,
    _INITIATOR_COMPANY_ID,
    _INITIATOR_TRADER_COMPANY_NAME,
    _INITIATOR_TRADER_ID,
    _INITIATOR_TRADER_NAME,
    _INITIATOR_DERIVATIVE_INDICATOR,
    _PRODUCT_CLASSIFICATION,
    Column(
        "lastUpdated",
        "last_updated",
        "timestamp",
        "When the trade last changed, in nanoseconds since 1970-01-01 UTC.",
        minimum=0,
    ),
)
CANDLE = (
    Column(
        "fromTimestamp",
        "from_timestamp",
        "timestamp",
        "The start of the bucket, in nanoseconds since 1970-01-01 UTC.",
        minimum=0,
    ),
    Column(
        "toTimestamp",
        "to_timestamp",
        "timestamp",
        "The end of the bucket, in nanoseconds since 1970-01-01 UTC.",
        minimum=0,
    ),
    Column(
        "open",
        "open",
        "float64",
        "The first price.",
        nullable=True,
        provenance=Provenance("documented", assumptions=("empty-candle-is-null",)),
    ),
    Column(
        "high",
        "high",
        "float64",
        "The highest price.",
        nullable=True,
        provenance=Provenance("documented", assumptions=("empty-candle-is-null",)),
    ),
    Column(
        "low",
        "low",
        "float64",
        "The lowest price.",
        nullable=True,
        provenance=Provenance("documented", assumptions=("empty-candle-is-null",)),
    ),
    Column(
        "close",
        "close",
        "float64",
        "The last price.",
        nullable=True,
        provenance=Provenance("documented", assumptions=("empty-candle-is-null",)),
    ),
    Column("volume", "volume", "float64", "The sum of the quantities, not always whole."),
    Column(
        "openTimestamp",
        "open_timestamp",
        "timestamp",
        "When the first trade was made, in nanoseconds since 1970-01-01 UTC.",
        nullable=True,
        required=False,
        optional_field="openTimestamp",
        minimum=0,
        provenance=Provenance("documented", assumptions=("optional-candle-times-nullable",)),
    ),
    Column(
        "closeTimestamp",
        "close_timestamp",
        "timestamp",
        "When the last trade was made, in nanoseconds since 1970-01-01 UTC.",
        nullable=True,
        required=False,
        optional_field="closeTimestamp",
        minimum=0,
        provenance=Provenance("documented", assumptions=("optional-candle-times-nullable",)),
    ),
    Column(
        "vwap",
        "vwap",
        "float64",
        "The average price, weighted by quantity.",
        nullable=True,
        required=False,
        optional_field="vwap",
        provenance=Provenance("documented", assumptions=("empty-candle-is-null",)),
    ),
)
_PRICE_2 = Column("price", "price", "float64", "The price. It may be negative.")
LAST_TRADE = (
    _PRICE_2,
    _DEAL_DATE,
    Column(
        "contract",
        "contract",
        "struct",
        "The contract that was requested.",
        required=False,
        optional_field="contract",
        fields=CONTRACT,
        schema="Contract",
    ),
)
ACTIVITY = (
    Column(
        "instrumentId",
        "instrument_id",
        "int64",
        "A number that names something for good.",
        minimum=0,
    ),
    _SEQUENCE_ID,
    _SEQUENCE_ITEM_ID,
    _SECOND_SEQUENCE_ITEM_ID,
    _CONTRACT_TYPE,
    Column("count", "count", "int64", "How many trades were made.", minimum=0),
    Column(
        "marketId",
        "market_id",
        "int64",
        "The market of the instrument, null when it has none.",
        nullable=True,
        required=False,
        optional_field="marketId",
        minimum=0,
    ),
    _ROUTE,
    _ROUTE_ID,
    Column(
        "updateCount",
        "update_count",
        "int64",
        "How many trades were changed.",
        required=False,
        optional_field="updateCount",
        minimum=0,
    ),
    Column(
        "deleteCount",
        "delete_count",
        "int64",
        "How many trades were deleted.",
        required=False,
        optional_field="deleteCount",
        minimum=0,
    ),
)
_TIMESTAMP = Column(
    "timestamp",
    "timestamp",
    "timestamp",
    "The instant, in nanoseconds since 1970-01-01 UTC.",
    minimum=0,
)
_BID_PRICE = Column(
    "bidPrice", "bid_price", "float64", "The best bid, null when there is none.", nullable=True
)
_BID_QUANTITY = Column(
    "bidQuantity",
    "bid_quantity",
    "float64",
    "The quantity bid, null when there is none.",
    nullable=True,
    provenance=Provenance("documented", assumptions=("top-quantity-of-first-order",)),
)
_ASK_PRICE = Column(
    "askPrice", "ask_price", "float64", "The best ask, null when there is none.", nullable=True
)
_ASK_QUANTITY = Column(
    "askQuantity",
    "ask_quantity",
    "float64",
    "The quantity asked, null when there is none.",
    nullable=True,
    provenance=Provenance("documented", assumptions=("top-quantity-of-first-order",)),
)
TOP_OF_BOOK = (
    _TIMESTAMP,
    _BID_PRICE,
    _BID_QUANTITY,
    _ASK_PRICE,
    _ASK_QUANTITY,
    _ROUTE,
    _ROUTE_ID,
    Column(
        "bidVenueCode",
        "bid_venue_code",
        "string",
        "The venue of the best bid, null when there is none.",
        nullable=True,
        required=False,
        optional_field="venueCode",
    ),
    Column(
        "askVenueCode",
        "ask_venue_code",
        "string",
        "The venue of the best ask, null when there is none.",
        nullable=True,
        required=False,
        optional_field="venueCode",
    ),
)
ORDER_DETAILS = (
    Column(
        "clientOrderId",
        "client_order_id",
        "string",
        "The id the owner gave the order.",
        required=False,
    ),
    Column(
        "orderStatus",
        "order_status",
        "string",
        "Whether an own order can be traded against or is held back.",
        enum=("Firm", "Withheld"),
        schema="OrderStatus",
    ),
    Column(
        "lastModifierUserId",
        "last_modifier_user_id",
        "int64",
        "The user who last changed the order.",
        minimum=0,
        provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
    ),
    Column("hiddenQuantity", "hidden_quantity", "float64", "The quantity that is not shown."),
    Column(
        "ownerUserId",
        "owner_user_id",
        "int64",
        "The user who owns the order.",
        minimum=0,
        provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
    ),
    Column(
        "ownerCompanyId",
        "owner_company_id",
        "int64",
        "The company that owns the order.",
        minimum=0,
        provenance=Provenance("assumed", assumptions=("ids-are-integers",)),
    ),
    Column(
        "originalHiddenQuantity",
        "original_hidden_quantity",
        "float64",
        "The hidden quantity the order began with.",
    ),
    Column(
        "hiddenQtyPriceDelta",
        "hidden_qty_price_delta",
        "float64",
        "How far the price moves when hidden quantity is shown.",
    ),
)
ORDER = (
    Column(
        "price",
        "price",
        "float64",
        "The price. It may be negative.",
        provenance=Provenance("documented", assumptions=("book-fields-nullability",)),
    ),
    Column(
        "quantity",
        "quantity",
        "float64",
        "The visible quantity, not always whole.",
        provenance=Provenance("documented", assumptions=("book-fields-nullability",)),
    ),
    Column(
        "venueCode",
        "venue_code",
        "string",
        "The code of the venue. New codes appear over time.",
        required=False,
        optional_field="venueCode",
    ),
    _ROUTE,
    _ROUTE_ID,
    Column(
        "privateFields",
        "private_fields",
        "struct",
        "Details of an order of your own, when private details are requested.",
        required=False,
        added_by="includePrivate",
        fields=ORDER_DETAILS,
        schema="OrderDetails",
    ),
)
ORDER_BOOK = (
    _TIMESTAMP,
    Column("bids", "bids", "list", "The bids, highest first.", fields=ORDER, schema="Order"),
    Column("asks", "asks", "list", "The asks, lowest first.", fields=ORDER, schema="Order"),
)
SNAPSHOT_TRADE = (_PRICE_2, _DEAL_DATE)
BEST_ORDERS = (_BID_PRICE, _BID_QUANTITY, _ASK_PRICE, _ASK_QUANTITY)
SNAPSHOT = (
    Column(
        "contract",
        "contract",
        "struct",
        "A product together with a delivery period.",
        fields=CONTRACT,
        schema="Contract",
    ),
    Column(
        "lastTrade",
        "last_trade",
        "struct",
        "The latest trade, null when there is none.",
        nullable=True,
        fields=SNAPSHOT_TRADE,
        schema="SnapshotTrade",
    ),
    Column(
        "bestOrders",
        "best_orders",
        "struct",
        "The best bid and ask of a contract in a snapshot.",
        fields=BEST_ORDERS,
        schema="BestOrders",
    ),
)
INSTRUMENT = (
    Column(
        "id",
        "id",
        "int64",
        "A number that names something for good.",
        minimum=0,
        provenance=Provenance("observed"),
    ),
    Column("name", "name", "string", "The name traders use.", provenance=Provenance("observed")),
    Column(
        "sequences",
        "sequences",
        "string",
        "The path of its sequences.",
        provenance=Provenance("observed"),
    ),
)
_ID = Column("id", "id", "int64", "A number that names something for good.", minimum=0)
TRADING_SPECIFICATIONS = (
    Column(
        "priceCurrency",
        "price_currency",
        "string",
        "The currency of prices.",
        provenance=Provenance("documented", assumptions=("price-per-notional-unit",)),
    ),
    Column("quantityUnit", "quantity_unit", "string", "The unit of quantities."),
    Column("notionalCurrency", "notional_currency", "string", "The currency of the total value."),
    Column(
        "notionalQuantityUnit",
        "notional_quantity_unit",
        "string",
        "The unit of the total quantity.",
    ),
)
INSTRUMENT_DETAILS = (
    _ID,
    Column("name", "name", "string", "The name traders use."),
    Column(
        "tradingSpecifications",
        "trading_specifications",
        "struct",
        "The currencies and units a product trades in.",
        fields=TRADING_SPECIFICATIONS,
        schema="TradingSpecifications",
    ),
    Column(
        "sequences",
        "sequences",
        "string",
        "The path of its sequences.",
        provenance=Provenance("assumed", assumptions=("product-sequences-path",)),
    ),
)
SEQUENCE = (
    _ID,
    Column(
        "name",
        "name",
        "string",
        "The name of the sequence.",
        provenance=Provenance("documented", assumptions=("names-are-never-null",)),
    ),
    Column("sequenceItems", "sequence_items", "string", "The path of its items."),
    Column(
        "displayName",
        "display_name",
        "string",
        "A shorter name for screens, where there is one.",
        required=False,
    ),
)
SEQUENCE_ITEM = (
    _ID,
    Column(
        "name",
        "name",
        "string",
        "The name of the period, such as Apr-24.",
        provenance=Provenance("documented", assumptions=("names-are-never-null",)),
    ),
    Column(
        "periodStart",
        "period_start",
        "string",
        "When delivery starts, in ISO-8601; null for rolling items.",
        nullable=True,
        provenance=Provenance("observed", assumptions=("item-dates-optional-zone",)),
    ),
    Column(
        "periodEnd",
        "period_end",
        "string",
        "When delivery ends, in ISO-8601; null for rolling items.",
        nullable=True,
        provenance=Provenance("observed", assumptions=("item-dates-optional-zone",)),
    ),
    Column(
        "tradingStart",
        "trading_start",
        "string",
        "When trading starts, in ISO-8601; null for rolling items.",
        nullable=True,
        provenance=Provenance("observed", assumptions=("item-dates-optional-zone",)),
    ),
    Column(
        "tradingEnd",
        "trading_end",
        "string",
        "When trading ends, in ISO-8601; null for rolling items, which never expire.",
        nullable=True,
        provenance=Provenance("observed", assumptions=("item-dates-optional-zone",)),
    ),
)
