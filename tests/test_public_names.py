"""What users may import from the package. A name that goes missing here breaks somebody."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trayport_sdk

NAMES = [
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


def test_the_public_names_are_these() -> None:
    assert sorted(trayport_sdk.__all__) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_can_be_had(name: str) -> None:
    assert getattr(trayport_sdk, name) is not None


def test_all_public_names_come_with_a_star() -> None:
    code = "from trayport_sdk import *; print(*sorted(n for n in dir() if not n.startswith('_')))"
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.split() == sorted(NAMES)


def test_a_name_that_does_not_exist_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="'TrayportClinet'"):
        trayport_sdk.TrayportClinet  # noqa: B018


def test_the_public_names_are_listed_by_dir() -> None:
    assert set(NAMES) <= set(dir(trayport_sdk))
