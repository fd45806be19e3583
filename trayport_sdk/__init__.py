"""An unofficial typed SDK for the Trayport Data Analytics and Reference Data APIs.

The public names load on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trayport_api.models import (
        ContractKind,
        ContractType,
        IntervalUnit,
        OrderSide,
        OrderStatus,
        Trade,
    )
    from trayport_spec import VENUES, Venue

    from .client import TrayportClient
    from .contracts import ContractSpec
    from .errors import (
        TrayportAPIError,
        TrayportAuthenticationError,
        TrayportAuthorizationError,
        TrayportCircuitBreakerError,
        TrayportConfigurationError,
        TrayportConnectionError,
        TrayportDecodeError,
        TrayportError,
        TrayportLookupError,
        TrayportNotFoundError,
        TrayportPartialFailureError,
        TrayportRateLimitError,
        TrayportServerError,
        TrayportTimeoutError,
        TrayportValidationError,
    )
    from .executor import Progress, RequestRecord
    from .responses import TradesResponse
    from .settings import Settings
    from .times import Interval

__version__ = "0.1.0"

_MODULES = {
    "trayport_api.models": (
        "ContractKind", "ContractType", "IntervalUnit", "OrderSide", "OrderStatus", "Trade",
    ),
    "trayport_spec": ("VENUES", "Venue"),
    "trayport_sdk.client": ("TrayportClient",),
    "trayport_sdk.contracts": ("ContractSpec",),
    "trayport_sdk.errors": (
        "TrayportAPIError", "TrayportAuthenticationError", "TrayportAuthorizationError",
        "TrayportCircuitBreakerError", "TrayportConfigurationError", "TrayportConnectionError",
        "TrayportDecodeError", "TrayportError", "TrayportLookupError", "TrayportNotFoundError",
        "TrayportPartialFailureError", "TrayportRateLimitError", "TrayportServerError",
        "TrayportTimeoutError", "TrayportValidationError",
    ),
    "trayport_sdk.executor": ("Progress", "RequestRecord"),
    "trayport_sdk.responses": ("TradesResponse",),
    "trayport_sdk.settings": ("Settings",),
    "trayport_sdk.times": ("Interval",),
}  # fmt: skip
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "VENUES",
    "ContractKind",
    "ContractSpec",
    "ContractType",
    "Interval",
    "IntervalUnit",
    "OrderSide",
    "OrderStatus",
    "Progress",
    "RequestRecord",
    "Settings",
    "Trade",
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
    "TrayportLookupError",
    "TrayportNotFoundError",
    "TrayportPartialFailureError",
    "TrayportRateLimitError",
    "TrayportServerError",
    "TrayportTimeoutError",
    "TrayportValidationError",
    "Venue",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
