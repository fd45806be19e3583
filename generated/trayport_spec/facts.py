"""What holds for the whole of both APIs.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType

from .types import Provenance, RequestLimits

SPEC_VERSION = "2024.4"
SPEC_HASH = "8827265ef1ddde3356274cbf46337e659a7571592a7b1429946dde8e0a088e21"
API_KEY_HEADER = "X-API-KEY"
ANALYTICS_URL = "https://analytics.trayport.com/api"
REFERENCE_URL = "https://referencedata.trayport.com"
REQUEST_LIMITS = RequestLimits(
    per_second=8,
    per_minute=480,
    provenance=Provenance("documented", assumptions=("reference-shares-rate-limit",)),
)
PRIVATE_ORDERS_FROM = datetime.date(2021, 2, 1)
CONTRACT_TYPE_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "PeriodSpread": "Spread",
        "PeriodRange": "Range",
    }
)
ASSUMPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "reference-shares-rate-limit": "Requests to the Reference Data API count against the same allowance as those to the Data Analytics API.",
        "list-separators": "Item ids may be sent as one comma-separated value; names of routes are repeated, because a name could hold a comma.",
        "from-inclusive": "A row stamped exactly at `from` belongs to the response.",
        "current-day-is-asked-whole": "Where the current day may be requested, so may its end, although it is still to come.",
        "activity-until-exclusive": "A trade stamped exactly at `until` is not counted in trading activity.",
        "explicit-items-maximum": "The maximum that is documented for `tradingItems` also holds for explicitly listed items.",
        "trading-items-reference": "The next tradable items are counted from `from` of a range and from `at` of a snapshot.",
        "include-private-default": "Private details are left out unless they are requested.",
        "include-empty-default": "Empty buckets are left out unless they are requested.",
        "hours-align-to-midnight": "Candles of several hours start at multiples of their length counted from midnight UTC.",
        "months-align-to-first": "Monthly candles start on the first of a month.",
        "weeks-count-from-start": "Candles of seven days start at midnight UTC and are counted from the start of the range, whose end may lie off that grid.",
        "empty-candle-is-null": "In an empty bucket the four prices and the average are null and the volume is zero.",
        "optional-candle-times-nullable": "The optional first and last trade times of an empty bucket are null.",
        "minute-resolution-is-checked": "Where the resolution is one minute, a time with seconds is refused rather than rounded.",
        "price-per-notional-unit": "Prices are in the price currency for one notional unit of quantity, such as EUR for one MWh of a product whose quantities are in MW.",
        "year-precision": "A year alone is an accepted lower precision.",
        "last-trade-year-is-365-days": "The year that a last trade is looked for in has 365 days.",
        "ids-are-integers": "Ids of routes, users and companies are JSON integers.",
        "product-sequences-path": "The details of an instrument or market repeat the path of its sequences.",
        "names-are-never-null": "Names in reference data are present and never null.",
        "item-dates-optional-zone": "Dates in reference data are ISO-8601 text and mean UTC where they carry no zone.",
        "item-count-minimum": "At least one sequence item is requested.",
        "every-item-at-once": "Any larger number of sequence items may be requested, so that all of a sequence are read at once.",
        "counts-fit-32-bits": "Counts in a request, such as a depth or an interval, fit a signed integer of 32 bits.",
        "depth-minimum": "A book has a depth of at least one order a side.",
        "max-spread-from-best": "The widest accepted spread is a positive percentage of the best price of the order's own side.",
        "unlisted-venue-is-broker": "A venue that the history notes do not name as an exchange has the order history of a broker.",
        "eex7-history-as-eex": "Orders of EEX7 reach back as far as those of the venue it replaced.",
        "history-starts-with-month": "History that is documented by month starts on the first day of that month, and the end of January 2020 is its last day.",
        "book-fields-nullability": "Prices and quantities of orders in a book are never null.",
        "top-quantity-of-first-order": "The quantity at the top of the book is that of the first order at the best price.",
        "snapshot-time-is-at": "The time stamp of a snapshot response is the requested instant.",
        "problem-type-and-detail": "A problem document may also carry the type and the detail that such documents usually have.",
        "retry-after-forms": "The time to wait comes as seconds or as an HTTP date, or not at all.",
        "errors-are-problems": "Errors other than 400 carry a problem document as well, when they have a body of their own.",
    }
)
