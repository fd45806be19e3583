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

    from .bulk import BulkQueryResult, BulkSnapshotsResponse, BulkTradesResponse
    from .client import TrayportClient
    from .contracts import ContractSpec
    from .datasets import decode_file, open_dataset
    from .endpoints.desk import Contracts
    from .endpoints.memory import ReferenceList
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
        TrayportInterruptedError,
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
    from .http.breaker import BreakerStatus
    from .http.connections import ConnectionCounts
    from .http.events import BreakerEvent, BreakerState, RetryEvent
    from .http.health import HealthReport
    from .http.limiter import LimiterStatus, WindowUse
    from .http.line import Priority
    from .http.metrics import EndpointMetrics, Latency, Metrics
    from .http.middleware import Middleware, Request, Response
    from .http.process import ProcessUse
    from .http.reachability import HealthCheck
    from .http.resend import RetryReport
    from .http.status import Status
    from .levels import Level
    from .market_data import BulkMarketDataResponse, MarketData
    from .pieces import FailedQuery
    from .progress import OnProgress, Progress, RequestRecord
    from .queries import (
        BulkMarketQuery,
        BulkSequenceItemQuery,
        Options,
        ParallelContractQuery,
        QueryPlan,
    )
    from .reports import FileReport
    from .responses import (
        ActivityResponse,
        OHLCVResponse,
        OrderBookResponse,
        OrderBookTopResponse,
        PrivateTradesResponse,
        SnapshotsResponse,
        TradesBatch,
        TradesResponse,
    )
    from .rules import Routes
    from .settings import Settings
    from .streams import TableStream
    from .tables import TableResponse
    from .times import Interval, TimeLike, Window

__version__ = "0.1.0"

_MODULES = {
    "trayport_api.models": (
        "Activity", "Candle", "ContractKind", "ContractType", "IntervalUnit", "LastTrade", "Order",
        "OrderBook", "OrderSide", "OrderStatus", "PrivateTrade", "Snapshot", "TopOfBook", "Trade",
    ),
    "trayport_spec": ("VENUES", "Venue"),
    "trayport_sdk.bulk": ("BulkQueryResult", "BulkSnapshotsResponse", "BulkTradesResponse"),
    "trayport_sdk.client": ("TrayportClient",),
    "trayport_sdk.contracts": ("ContractSpec",),
    "trayport_sdk.datasets": ("decode_file", "open_dataset"),
    "trayport_sdk.endpoints.memory": ("ReferenceList",),
    "trayport_sdk.errors": (
        "TrayportAPIError", "TrayportAuthenticationError", "TrayportAuthorizationError",
        "TrayportCircuitBreakerError", "TrayportConfigurationError", "TrayportConnectionError",
        "TrayportDecodeError", "TrayportError", "TrayportHistoryWarning",
        "TrayportInterruptedError", "TrayportLimiterError", "TrayportLookupError",
        "TrayportNotFoundError", "TrayportPartialFailureError", "TrayportRateLimitError",
        "TrayportServerError", "TrayportStaleDataWarning", "TrayportTimeoutError",
        "TrayportValidationError",
    ),
    "trayport_sdk.levels": ("Level",),
    "trayport_sdk.pieces": ("FailedQuery",),
    "trayport_sdk.http.breaker": ("BreakerStatus",),
    "trayport_sdk.http.connections": ("ConnectionCounts",),
    "trayport_sdk.http.events": ("BreakerEvent", "BreakerState", "RetryEvent"),
    "trayport_sdk.http.health": ("HealthReport",),
    "trayport_sdk.http.limiter": ("LimiterStatus", "WindowUse"),
    "trayport_sdk.http.line": ("Priority",),
    "trayport_sdk.http.metrics": ("EndpointMetrics", "Latency", "Metrics"),
    "trayport_sdk.http.middleware": ("Middleware", "Request", "Response"),
    "trayport_sdk.http.process": ("ProcessUse",),
    "trayport_sdk.http.reachability": ("HealthCheck",),
    "trayport_sdk.http.resend": ("RetryReport",),
    "trayport_sdk.http.status": ("Status",),
    "trayport_sdk.market_data": ("BulkMarketDataResponse", "MarketData"),
    "trayport_sdk.progress": ("OnProgress", "Progress", "RequestRecord"),
    "trayport_sdk.queries": (
        "BulkMarketQuery", "BulkSequenceItemQuery", "Options", "ParallelContractQuery", "QueryPlan",
    ),
    "trayport_sdk.responses": (
        "ActivityResponse", "OHLCVResponse", "OrderBookResponse", "OrderBookTopResponse",
        "PrivateTradesResponse", "SnapshotsResponse", "TradesBatch", "TradesResponse",
    ),
    "trayport_sdk.endpoints.desk": ("Contracts",),
    "trayport_sdk.rules": ("Routes",),
    "trayport_sdk.reports": ("FileReport",),
    "trayport_sdk.streams": ("TableStream",),
    "trayport_sdk.tables": ("TableResponse",),
    "trayport_sdk.settings": ("Settings",),
    "trayport_sdk.times": ("Interval", "TimeLike", "Window"),
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
    "TrayportInterruptedError",
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
