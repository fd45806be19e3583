"""An unofficial typed SDK for the Trayport Data Analytics and Reference Data APIs.

The public names load on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trayport_api.models import (
        Activity,
        Candle,
        ContractKind,
        ContractType,
        IntervalUnit,
        LastTrade,
        Order,
        OrderBook,
        OrderSide,
        OrderStatus,
        PrivateTrade,
        Snapshot,
        TopOfBook,
        Trade,
    )
    from trayport_spec import VENUES, Venue

    from .bulk.dataset import decode_file, open_dataset
    from .bulk.market_data import BulkMarketDataResponse, MarketData
    from .bulk.progress import OnProgress, Progress
    from .bulk.reports import FileReport
    from .bulk.resend import RetryReport
    from .bulk.result import FailedQuery
    from .bulk.results import (
        BulkQueryResult,
        BulkSnapshotsResponse,
        BulkTradesResponse,
        OnResult,
        QueryResult,
    )
    from .bulk.runner import Contracts
    from .bulk.stream import TableStream
    from .client import TrayportClient
    from .errors import (
        TrayportAPIError,
        TrayportAuthenticationError,
        TrayportAuthorizationError,
        TrayportCircuitBreakerError,
        TrayportConfigurationError,
        TrayportConnectionError,
        TrayportDecodeError,
        TrayportError,
        TrayportHistoryWarning,
        TrayportLimiterError,
        TrayportLookupError,
        TrayportNotFoundError,
        TrayportPartialFailureError,
        TrayportRateLimitError,
        TrayportServerError,
        TrayportStaleDataWarning,
        TrayportTimeoutError,
        TrayportValidationError,
    )
    from .http.limiter.queue import Priority
    from .http.middleware import Middleware, Request, Response
    from .query.contracts import ContractSpec
    from .query.plan import (
        BulkMarketQuery,
        BulkSequenceItemQuery,
        Options,
        ParallelContractQuery,
        QueryPlan,
    )
    from .query.rules import Routes
    from .query.times import Interval, TimeLike, Window
    from .resources.health import HealthReport
    from .resources.memory import ReferenceList
    from .resources.reachability import HealthCheck
    from .resources.status import Status
    from .settings import Settings
    from .tables import (
        ActivityResponse,
        OHLCVResponse,
        OrderBookResponse,
        OrderBookTopResponse,
        PrivateTradesResponse,
        SnapshotsResponse,
        TradesBatch,
        TradesResponse,
    )
    from .tables.analytics.levels import Level
    from .tables.base import RequestRecord, TableResponse
    from .telemetry.events import BreakerEvent, BreakerState, RetryEvent
    from .telemetry.metrics import EndpointMetrics, Latency, Metrics
    from .telemetry.process import ProcessUse
    from .telemetry.status import BreakerStatus, ConnectionCounts, LimiterStatus, WindowUse

__version__ = "0.2.0"

_MODULES = {
    "trayport_api.models": (
        "Activity", "Candle", "ContractKind", "ContractType", "IntervalUnit", "LastTrade", "Order",
        "OrderBook", "OrderSide", "OrderStatus", "PrivateTrade", "Snapshot", "TopOfBook", "Trade",
    ),
    "trayport_spec": ("VENUES", "Venue"),
    "trayport_sdk.bulk.results": (
        "BulkQueryResult", "BulkSnapshotsResponse", "BulkTradesResponse", "OnResult", "QueryResult",
    ),
    "trayport_sdk.client": ("TrayportClient",),
    "trayport_sdk.query.contracts": ("ContractSpec",),
    "trayport_sdk.bulk.dataset": ("decode_file", "open_dataset"),
    "trayport_sdk.resources.memory": ("ReferenceList",),
    "trayport_sdk.errors": (
        "TrayportAPIError", "TrayportAuthenticationError", "TrayportAuthorizationError",
        "TrayportCircuitBreakerError", "TrayportConfigurationError", "TrayportConnectionError",
        "TrayportDecodeError", "TrayportError", "TrayportHistoryWarning",
        "TrayportLimiterError", "TrayportLookupError",
        "TrayportNotFoundError", "TrayportPartialFailureError", "TrayportRateLimitError",
        "TrayportServerError", "TrayportStaleDataWarning", "TrayportTimeoutError",
        "TrayportValidationError",
    ),
    "trayport_sdk.tables.analytics.levels": ("Level",),
    "trayport_sdk.bulk.result": ("FailedQuery",),
    "trayport_sdk.telemetry.events": ("BreakerEvent", "BreakerState", "RetryEvent"),
    "trayport_sdk.resources.health": ("HealthReport",),
    "trayport_sdk.http.limiter.queue": ("Priority",),
    "trayport_sdk.telemetry.metrics": ("EndpointMetrics", "Latency", "Metrics"),
    "trayport_sdk.telemetry.status": (
        "BreakerStatus", "ConnectionCounts", "LimiterStatus", "WindowUse",
    ),
    "trayport_sdk.http.middleware": ("Middleware", "Request", "Response"),
    "trayport_sdk.telemetry.process": ("ProcessUse",),
    "trayport_sdk.resources.reachability": ("HealthCheck",),
    "trayport_sdk.bulk.resend": ("RetryReport",),
    "trayport_sdk.resources.status": ("Status",),
    "trayport_sdk.bulk.market_data": ("BulkMarketDataResponse", "MarketData"),
    "trayport_sdk.bulk.progress": ("OnProgress", "Progress"),
    "trayport_sdk.query.plan": (
        "BulkMarketQuery", "BulkSequenceItemQuery", "Options", "ParallelContractQuery", "QueryPlan",
    ),
    "trayport_sdk.tables": (
        "ActivityResponse", "OHLCVResponse", "OrderBookResponse", "OrderBookTopResponse",
        "PrivateTradesResponse", "SnapshotsResponse", "TradesBatch", "TradesResponse",
    ),
    "trayport_sdk.bulk.runner": ("Contracts",),
    "trayport_sdk.query.rules": ("Routes",),
    "trayport_sdk.bulk.reports": ("FileReport",),
    "trayport_sdk.bulk.stream": ("TableStream",),
    "trayport_sdk.tables.base": ("RequestRecord", "TableResponse"),
    "trayport_sdk.settings": ("Settings",),
    "trayport_sdk.query.times": ("Interval", "TimeLike", "Window"),
}  # fmt: skip
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "VENUES",
    "Activity",
    "ActivityResponse",
    "BreakerEvent",
    "BreakerState",
    "BreakerStatus",
    "BulkMarketDataResponse",
    "BulkMarketQuery",
    "BulkQueryResult",
    "BulkSequenceItemQuery",
    "BulkSnapshotsResponse",
    "BulkTradesResponse",
    "Candle",
    "ConnectionCounts",
    "ContractKind",
    "ContractSpec",
    "ContractType",
    "Contracts",
    "EndpointMetrics",
    "FailedQuery",
    "FileReport",
    "HealthCheck",
    "HealthReport",
    "Interval",
    "IntervalUnit",
    "LastTrade",
    "Latency",
    "Level",
    "LimiterStatus",
    "MarketData",
    "Metrics",
    "Middleware",
    "OHLCVResponse",
    "OnProgress",
    "OnResult",
    "Options",
    "Order",
    "OrderBook",
    "OrderBookResponse",
    "OrderBookTopResponse",
    "OrderSide",
    "OrderStatus",
    "ParallelContractQuery",
    "Priority",
    "PrivateTrade",
    "PrivateTradesResponse",
    "ProcessUse",
    "Progress",
    "QueryPlan",
    "QueryResult",
    "ReferenceList",
    "Request",
    "RequestRecord",
    "Response",
    "RetryEvent",
    "RetryReport",
    "Routes",
    "Settings",
    "Snapshot",
    "SnapshotsResponse",
    "Status",
    "TableResponse",
    "TableStream",
    "TimeLike",
    "TopOfBook",
    "Trade",
    "TradesBatch",
    "TradesResponse",
    "TrayportAPIError",
    "TrayportAuthenticationError",
    "TrayportAuthorizationError",
    "TrayportCircuitBreakerError",
    "TrayportClient",
    "TrayportConfigurationError",
    "TrayportConnectionError",
    "TrayportDecodeError",
    "TrayportError",
    "TrayportHistoryWarning",
    "TrayportLimiterError",
    "TrayportLookupError",
    "TrayportNotFoundError",
    "TrayportPartialFailureError",
    "TrayportRateLimitError",
    "TrayportServerError",
    "TrayportStaleDataWarning",
    "TrayportTimeoutError",
    "TrayportValidationError",
    "Venue",
    "Window",
    "WindowUse",
    "decode_file",
    "open_dataset",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
