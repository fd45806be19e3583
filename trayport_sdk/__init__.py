"""An unofficial typed SDK for the Trayport Data Analytics and Reference Data APIs.

The public names load on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.2.0"

# The public names by their modules. __init__.pyi, which type checkers read, is made of this table
# by `python -m tests.test_public_names`.
_PUBLIC = {
    "trayport_api.models": (
        "Activity Candle ContractKind ContractType IntervalUnit LastTrade Order OrderBook "
        "OrderSide OrderStatus PrivateTrade Snapshot TopOfBook Trade"
    ),
    "trayport_spec": "Venue VENUES",
    "trayport_spec.options": (
        "ActivityField EndpointName LastTradeField OHLCVField OHLCVInterval OptionalField Options "
        "OrderBookField OrderBookTopField PrivateTradesField TradesField"
    ),
    ".bulk.backfill_report": "BackfillReport",
    ".bulk.dead_letters": "RetryReport",
    ".bulk.dataset": "decode_file open_dataset",
    ".bulk.dataset_reader": "changes prune",
    ".bulk.parts": "Part PartReport PartResponse",
    ".bulk.progress": "OnProgress Progress",
    ".bulk.progress_bar": "progress_bar",
    ".bulk.result": "FailedQuery",
    ".bulk.results": (
        "BulkMarketDataResponse BulkQueryResult BulkSnapshotsResponse BulkTradesResponse "
        "MarketData OnResult QueryResult"
    ),
    ".bulk.runner": "Contracts",
    ".bulk.stream": "TableStream",
    ".bulk.writer": "FileReport",
    ".client": "TrayportClient",
    ".errors": (
        "TrayportAPIError TrayportAmbiguityWarning TrayportAuthenticationError "
        "TrayportAuthorizationError "
        "TrayportCircuitBreakerError TrayportConfigurationError TrayportConnectionError "
        "TrayportDatasetError "
        "TrayportDecodeError TrayportError TrayportExpiryWarning TrayportForkError "
        "TrayportHistoryWarning TrayportLimiterError TrayportLookupError TrayportNotFoundError "
        "TrayportPartialFailureError TrayportRateLimitError TrayportServerError "
        "TrayportStaleDataWarning TrayportTimeoutError TrayportValidationError"
    ),
    ".http.limiter": "Priority",
    ".query.by_contract": "ByContract",
    ".query.contracts": "ContractSpec",
    ".query.plan": "BulkMarketQuery BulkSequenceItemQuery ParallelContractQuery QueryPlan",
    ".query.build": "Routes",
    ".query.times": "Interval TimeLike Window",
    ".resources.catalog": "ContractDescription",
    ".resources.contact.compare": "SpecDifference",
    ".resources.contact.findings": "Finding",
    ".resources.contact.report": "FirstContact",
    ".resources.health": "HealthCheck HealthReport Status",
    ".resources.cache": "ReferenceList",
    ".resources.search": "ContractMatch Match",
    ".settings": "Settings",
    ".tables": (
        "ActivityResponse OHLCVResponse OrderBookResponse OrderBookTopResponse "
        "PrivateTradesResponse SnapshotsResponse TradesResponse"
    ),
    ".tables.analytics.books": "Level",
    ".tables.analytics.calendar": "POWER_CALENDARS PowerCalendar between_local gas_day",
    ".tables.base": "RequestRecord TableResponse",
    ".tables.order_book_snapshot": "OrderBookSnapshot",
    ".tables.plots.chart": "Chart",
    ".tables.series": "ContinuousResponse CurveResponse SpreadResponse",
    ".tables.time_units": "with_time_unit",
    ".tables.trades": "TradesBatch",
    ".telemetry.events": "BreakerEvent BreakerState RetryEvent",
    ".telemetry.metrics": "EndpointMetrics Latency Metrics ProcessUse",
    ".telemetry.status": "BreakerStatus ConnectionCounts LimiterStatus WindowUse",
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names.split()}
__all__ = [*_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
