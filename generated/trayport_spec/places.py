"""Where the document declares the fields of rows.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DECLARED: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Trade": {
            "$.components.schemas.TradeFields": (
                "tradeId",
                "venueCode",
                "dealDate",
                "price",
                "quantity",
                "aggressorBuy",
                "contract",
                "route",
                "routeId",
                "fromBrokenSpread",
                "initiatorOwnedSpread",
                "aggressorOwnedSpread",
                "aggressorSleeve",
                "initiatorSleeve",
            ),
            "$.components.schemas.Contract": (
                "contract.",
                "contract.contractType",
                "contract.marketId",
                "contract.instrumentId",
                "contract.sequenceId",
                "contract.sequenceItemId",
                "contract.secondSequenceItemId",
            ),
            "$.components.schemas.Trade.allOf[1]": ("", "privateFields"),
            "$.components.schemas.TradeParties": (
                "privateFields.",
                "privateFields.aggressorCompanyId",
                "privateFields.aggressorTraderCompanyName",
                "privateFields.aggressorTraderId",
                "privateFields.aggressorTraderName",
                "privateFields.aggressorDerivativeIndicator",
                "privateFields.initiatorCompanyId",
                "privateFields.initiatorTraderCompanyName",
                "privateFields.initiatorTraderId",
                "privateFields.initiatorTraderName",
                "privateFields.initiatorDerivativeIndicator",
                "privateFields.productClassification",
            ),
        },
        "PrivateTrade": {
            "$.components.schemas.TradeFields": (
                "tradeId",
                "venueCode",
                "dealDate",
                "price",
                "quantity",
                "aggressorBuy",
                "contract",
                "route",
                "routeId",
                "fromBrokenSpread",
                "initiatorOwnedSpread",
                "aggressorOwnedSpread",
                "aggressorSleeve",
                "initiatorSleeve",
            ),
            "$.components.schemas.Contract": (
                "contract.",
                "contract.contractType",
                "contract.marketId",
                "contract.instrumentId",
                "contract.sequenceId",
                "contract.sequenceItemId",
                "contract.secondSequenceItemId",
            ),
            "$.components.schemas.TradeParties": (
                "aggressorCompanyId",
                "aggressorTraderCompanyName",
                "aggressorTraderId",
                "aggressorTraderName",
                "aggressorDerivativeIndicator",
                "initiatorCompanyId",
                "initiatorTraderCompanyName",
                "initiatorTraderId",
                "initiatorTraderName",
                "initiatorDerivativeIndicator",
                "productClassification",
            ),
            "$.components.schemas.PrivateTrade.allOf[2]": ("", "lastUpdated"),
        },
        "Candle": {
            "$.components.schemas.Candle": (
                "",
                "fromTimestamp",
                "toTimestamp",
                "open",
                "high",
                "low",
                "close",
                "volume",
                "openTimestamp",
                "closeTimestamp",
                "vwap",
            )
        },
        "LastTrade": {
            "$.components.schemas.LastTrade": ("", "price", "dealDate", "contract"),
            "$.components.schemas.Contract": (
                "contract.",
                "contract.contractType",
                "contract.marketId",
                "contract.instrumentId",
                "contract.sequenceId",
                "contract.sequenceItemId",
                "contract.secondSequenceItemId",
            ),
        },
        "Activity": {
            "$.components.schemas.Activity": (
                "",
                "instrumentId",
                "sequenceId",
                "sequenceItemId",
                "secondSequenceItemId",
                "contractType",
                "count",
                "marketId",
                "route",
                "routeId",
                "updateCount",
                "deleteCount",
            )
        },
        "TopOfBook": {
            "$.components.schemas.TopOfBook": (
                "",
                "timestamp",
                "bidPrice",
                "bidQuantity",
                "askPrice",
                "askQuantity",
                "route",
                "routeId",
                "bidVenueCode",
                "askVenueCode",
            )
        },
        "OrderBook": {
            "$.components.schemas.OrderBook": ("", "timestamp", "bids", "asks"),
            "$.components.schemas.Order": (
                "bids.",
                "bids.price",
                "bids.quantity",
                "bids.venueCode",
                "bids.route",
                "bids.routeId",
                "bids.privateFields",
                "asks.",
                "asks.price",
                "asks.quantity",
                "asks.venueCode",
                "asks.route",
                "asks.routeId",
                "asks.privateFields",
            ),
            "$.components.schemas.OrderDetails": (
                "bids.privateFields.",
                "bids.privateFields.clientOrderId",
                "bids.privateFields.orderStatus",
                "bids.privateFields.lastModifierUserId",
                "bids.privateFields.hiddenQuantity",
                "bids.privateFields.ownerUserId",
                "bids.privateFields.ownerCompanyId",
                "bids.privateFields.originalHiddenQuantity",
                "bids.privateFields.hiddenQtyPriceDelta",
                "asks.privateFields.",
                "asks.privateFields.clientOrderId",
                "asks.privateFields.orderStatus",
                "asks.privateFields.lastModifierUserId",
                "asks.privateFields.hiddenQuantity",
                "asks.privateFields.ownerUserId",
                "asks.privateFields.ownerCompanyId",
                "asks.privateFields.originalHiddenQuantity",
                "asks.privateFields.hiddenQtyPriceDelta",
            ),
        },
        "Snapshot": {
            "$.components.schemas.Snapshot": ("", "contract", "lastTrade", "bestOrders"),
            "$.components.schemas.Contract": (
                "contract.",
                "contract.contractType",
                "contract.marketId",
                "contract.instrumentId",
                "contract.sequenceId",
                "contract.sequenceItemId",
                "contract.secondSequenceItemId",
            ),
            "$.components.schemas.SnapshotTrade": (
                "lastTrade.",
                "lastTrade.price",
                "lastTrade.dealDate",
            ),
            "$.components.schemas.BestOrders": (
                "bestOrders.",
                "bestOrders.bidPrice",
                "bestOrders.bidQuantity",
                "bestOrders.askPrice",
                "bestOrders.askQuantity",
            ),
        },
        "get_snapshots": {
            "$.components.schemas.Snapshots": ("", "timestamp", "snapshots"),
            "$.components.schemas.Snapshot": (
                "snapshots.",
                "snapshots.contract",
                "snapshots.lastTrade",
                "snapshots.bestOrders",
            ),
            "$.components.schemas.Contract": (
                "snapshots.contract.",
                "snapshots.contract.contractType",
                "snapshots.contract.marketId",
                "snapshots.contract.instrumentId",
                "snapshots.contract.sequenceId",
                "snapshots.contract.sequenceItemId",
                "snapshots.contract.secondSequenceItemId",
            ),
            "$.components.schemas.SnapshotTrade": (
                "snapshots.lastTrade.",
                "snapshots.lastTrade.price",
                "snapshots.lastTrade.dealDate",
            ),
            "$.components.schemas.BestOrders": (
                "snapshots.bestOrders.",
                "snapshots.bestOrders.bidPrice",
                "snapshots.bestOrders.bidQuantity",
                "snapshots.bestOrders.askPrice",
                "snapshots.bestOrders.askQuantity",
            ),
        },
        "Instrument": {"$.components.schemas.Instrument": ("", "id", "name", "sequences")},
        "InstrumentDetails": {
            "$.components.schemas.InstrumentDetails": (
                "",
                "id",
                "name",
                "tradingSpecifications",
                "sequences",
            ),
            "$.components.schemas.TradingSpecifications": (
                "tradingSpecifications.",
                "tradingSpecifications.priceCurrency",
                "tradingSpecifications.quantityUnit",
                "tradingSpecifications.notionalCurrency",
                "tradingSpecifications.notionalQuantityUnit",
            ),
        },
        "Sequence": {
            "$.components.schemas.Sequence": ("", "id", "name", "sequenceItems", "displayName")
        },
        "Market": {"$.components.schemas.Market": ("", "id", "name", "sequences")},
        "MarketDetails": {
            "$.components.schemas.MarketDetails": (
                "",
                "id",
                "name",
                "tradingSpecifications",
                "sequences",
            ),
            "$.components.schemas.TradingSpecifications": (
                "tradingSpecifications.",
                "tradingSpecifications.priceCurrency",
                "tradingSpecifications.quantityUnit",
                "tradingSpecifications.notionalCurrency",
                "tradingSpecifications.notionalQuantityUnit",
            ),
        },
        "SequenceItem": {
            "$.components.schemas.SequenceItem": (
                "",
                "id",
                "name",
                "periodStart",
                "periodEnd",
                "tradingStart",
                "tradingEnd",
            )
        },
    }
)
"""By the schema of a row, or the operation whose response holds rows: the JSONPath of
each schema that declares fields, with their paths. A path that ends in a dot, or is empty, is that
of an object whose further fields would be declared there."""
