# Generated from openapi/. Do not edit: run ./codegen.sh.

"""Contains all the data models used in inputs/outputs"""

from .activity import Activity
from .activity_optional_field import ActivityOptionalField
from .best_orders import BestOrders
from .book_optional_field import BookOptionalField
from .candle import Candle
from .candle_optional_field import CandleOptionalField
from .contract import Contract
from .contract_kind import ContractKind
from .contract_type import ContractType
from .instrument import Instrument
from .instrument_details import InstrumentDetails
from .interval_unit import IntervalUnit
from .last_trade import LastTrade
from .last_trade_optional_field import LastTradeOptionalField
from .market import Market
from .market_details import MarketDetails
from .order import Order
from .order_book import OrderBook
from .order_details import OrderDetails
from .order_side import OrderSide
from .order_status import OrderStatus
from .private_trade import PrivateTrade
from .problem import Problem
from .problem_errors import ProblemErrors
from .sequence import Sequence
from .sequence_item import SequenceItem
from .snapshot import Snapshot
from .snapshot_trade import SnapshotTrade
from .snapshots import Snapshots
from .top_of_book import TopOfBook
from .trade import Trade
from .trade_fields import TradeFields
from .trade_optional_field import TradeOptionalField
from .trade_parties import TradeParties
from .trading_specifications import TradingSpecifications

__all__ = (
    "Activity",
    "ActivityOptionalField",
    "BestOrders",
    "BookOptionalField",
    "Candle",
    "CandleOptionalField",
    "Contract",
    "ContractKind",
    "ContractType",
    "Instrument",
    "InstrumentDetails",
    "IntervalUnit",
    "LastTrade",
    "LastTradeOptionalField",
    "Market",
    "MarketDetails",
    "Order",
    "OrderBook",
    "OrderDetails",
    "OrderSide",
    "OrderStatus",
    "PrivateTrade",
    "Problem",
    "ProblemErrors",
    "Sequence",
    "SequenceItem",
    "Snapshot",
    "Snapshots",
    "SnapshotTrade",
    "TopOfBook",
    "Trade",
    "TradeFields",
    "TradeOptionalField",
    "TradeParties",
    "TradingSpecifications",
)
