"""The contract of the API as tables: operations, limits, columns, venues.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from .endpoints import ENDPOINTS
from .facts import (
    ANALYTICS_URL,
    API_KEY_HEADER,
    ASSUMPTIONS,
    CONTRACT_TYPE_ALIASES,
    PRIVATE_ORDERS_FROM,
    REFERENCE_URL,
    REQUEST_LIMITS,
    SPEC_HASH,
    SPEC_VERSION,
)
from .types import (
    Alignment,
    Batch,
    Column,
    Endpoint,
    IntervalLimit,
    Limits,
    Parameter,
    Provenance,
    RangeLimit,
    RequestLimits,
    Venue,
)
from .venues import VENUES

__all__ = [
    "ANALYTICS_URL",
    "API_KEY_HEADER",
    "ASSUMPTIONS",
    "Alignment",
    "Batch",
    "CONTRACT_TYPE_ALIASES",
    "Column",
    "ENDPOINTS",
    "Endpoint",
    "IntervalLimit",
    "Limits",
    "PRIVATE_ORDERS_FROM",
    "Parameter",
    "Provenance",
    "REFERENCE_URL",
    "REQUEST_LIMITS",
    "RangeLimit",
    "RequestLimits",
    "SPEC_HASH",
    "SPEC_VERSION",
    "VENUES",
    "Venue",
]
