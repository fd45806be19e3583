"""The parameters that operations share.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from .types import Parameter, Provenance

INSTRUMENT_ID = Parameter(
    "instrumentId",
    "instrument_id",
    "integer",
    "The instrument, one venue's listing of a product. Excludes `marketId`.",
    minimum=0,
    maximum=9223372036854775807,
)
MARKET_ID = Parameter(
    "marketId",
    "market_id",
    "integer",
    "The market, a product over all its venues. Excludes `instrumentId`.",
    minimum=0,
    maximum=9223372036854775807,
    example=10000065,
)
SEQUENCE_ID = Parameter(
    "sequenceId",
    "sequence_id",
    "integer",
    "The sequence the delivery period belongs to.",
    required=True,
    minimum=0,
    maximum=9223372036854775807,
    example=10000305,
)
OPTIONAL_SEQUENCE_ID = Parameter(
    "sequenceId",
    "sequence_id",
    "integer",
    "Narrows the response to one sequence.",
    minimum=0,
    maximum=9223372036854775807,
    example=10000305,
)
SEQUENCE_ITEM_ID = Parameter(
    "sequenceItemId",
    "sequence_item_id",
    "integer",
    "The delivery period; the first one of a spread or range.",
    required=True,
    minimum=0,
    maximum=9223372036854775807,
    example=244,
)
OPTIONAL_SEQUENCE_ITEM_ID = Parameter(
    "sequenceItemId",
    "sequence_item_id",
    "integer",
    "Narrows the response to one delivery period, or to the first one of a spread or range.",
    minimum=0,
    maximum=9223372036854775807,
)
SEQUENCE_ITEM_IDS = Parameter(
    "sequenceItemId",
    "sequence_item_id",
    "integer",
    "The delivery periods. Several may be given for single periods; spreads and ranges take one first item. Excludes `tradingItems`.",
    repeated=True,
    separator="comma",
    minimum=0,
    maximum=9223372036854775807,
    max_items=50,
    example=(244,),
    provenance=Provenance("documented", assumptions=("list-separators", "explicit-items-maximum")),
)
SECOND_SEQUENCE_ITEM_ID = Parameter(
    "secondSequenceItemId",
    "second_sequence_item_id",
    "integer",
    "The other delivery period of a spread, or the last one of a range. Must be absent for single periods.",
    minimum=0,
    maximum=9223372036854775807,
)
CONTRACT_TYPE = Parameter(
    "contractType",
    "contract_type",
    "string",
    "Whether the contract is one delivery period, a spread between two, or a range of them.",
    required=True,
    enum=("SinglePeriod", "Spread", "Range"),
    example="SinglePeriod",
)
OPTIONAL_CONTRACT_TYPE = Parameter(
    "contractType",
    "contract_type",
    "string",
    "Narrows the response to single periods, spreads or ranges.",
    enum=("SinglePeriod", "Spread", "Range"),
)
TRADING_ITEMS = Parameter(
    "tradingItems",
    "trading_items",
    "integer",
    "The next so many tradable items, in place of explicit ones. Only for sequences whose items have a trading end.",
    minimum=1,
    maximum=50,
    provenance=Provenance("documented", assumptions=("trading-items-reference",)),
)
FROM = Parameter(
    "from",
    "from",
    "instant",
    "The start of the range, inclusive.",
    required=True,
    pattern="^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9])?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?)?)?$",
    example="2024-03-04T11:00",
    provenance=Provenance("documented", assumptions=("from-inclusive",)),
)
UNTIL = Parameter(
    "until",
    "until",
    "instant",
    "The end of the range. Whether a row stamped exactly at the end belongs to the response is not documented.",
    required=True,
    pattern="^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9])?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?)?)?$",
    example="2024-03-04T12:00",
    provenance=Provenance("documented", assumptions=("current-day-is-asked-whole",)),
)
AT = Parameter(
    "at",
    "at",
    "instant",
    "The instant to look back from, exclusive; the end of the data when absent.",
    pattern="^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9])?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?)?)?$",
    example="2024-03-05T12:00",
)
INTERVAL = Parameter(
    "interval",
    "interval",
    "integer",
    "The length of a bucket in units of `intervalUnit`.",
    required=True,
    minimum=1,
    maximum=2147483647,
    example=1,
    provenance=Provenance("documented", assumptions=("counts-fit-32-bits",)),
)
INTERVAL_UNIT = Parameter(
    "intervalUnit",
    "interval_unit",
    "string",
    "The unit of `interval`.",
    required=True,
    enum=("second", "minute", "hour", "day", "month"),
    example="hour",
)
INCLUDE_EMPTY_BUCKETS = Parameter(
    "includeEmptyBuckets",
    "include_empty_buckets",
    "boolean",
    "Whether buckets without data are returned as well.",
    default=False,
    provenance=Provenance("documented", assumptions=("include-empty-default",)),
)
INCLUDE_PRIVATE = Parameter(
    "includePrivate",
    "include_private",
    "boolean",
    "Whether your own rows carry their private details.",
    default=False,
    provenance=Provenance("documented", assumptions=("include-private-default",)),
)
ROUTES = Parameter(
    "routes",
    "routes",
    "string",
    "Routes to market by name or id, or `all`. When absent, the lowest-numbered route.",
    repeated=True,
    separator="repeat",
    provenance=Provenance("documented", assumptions=("list-separators",)),
)
DEDUPLICATE_ROUTES = Parameter(
    "deduplicateRoutes",
    "deduplicate_routes",
    "boolean",
    "Whether a record that came over several routes is returned once. It is when several routes are requested and this is absent.",
)
TRADE_OPTIONAL_FIELDS = Parameter(
    "optionalFields",
    "optional_fields",
    "string",
    "Columns to add to every trade.",
    repeated=True,
    separator="repeat",
    enum=(
        "contract",
        "route",
        "routeId",
        "fromBrokenSpread",
        "initiatorOwnedSpread",
        "aggressorOwnedSpread",
        "aggressorSleeve",
        "initiatorSleeve",
    ),
)
BOOK_OPTIONAL_FIELDS = Parameter(
    "optionalFields",
    "optional_fields",
    "string",
    "Columns to add to every order.",
    repeated=True,
    separator="repeat",
    enum=("route", "routeId", "venueCode"),
)
INSTRUMENT_PATH_ID = Parameter(
    "id",
    "id",
    "integer",
    "The id of the instrument.",
    location="path",
    required=True,
    minimum=0,
    maximum=9223372036854775807,
    example=10002806,
)
MARKET_PATH_ID = Parameter(
    "id",
    "id",
    "integer",
    "The id of the market.",
    location="path",
    required=True,
    minimum=0,
    maximum=9223372036854775807,
    example=10000065,
)
SEQUENCE_PATH_ID = Parameter(
    "id",
    "id",
    "integer",
    "The id of the sequence.",
    location="path",
    required=True,
    minimum=0,
    maximum=9223372036854775807,
    example=10000305,
)
