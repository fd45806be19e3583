"""What the document must say about the API, typed out a second time on purpose."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.document import DOCUMENT, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENAPI = ROOT / "openapi"
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
with (OPENAPI / "venues.csv").open() as table:
    VENUES = {row["code"]: row for row in csv.DictReader(table)}

ONE = frozenset({"sequenceId", "sequenceItemId", "contractType"})
PRODUCT = frozenset({"instrumentId", "marketId", "secondSequenceItemId"})
MANY = frozenset({"sequenceId", "contractType"})
RANGE = frozenset({"from", "until"})
BUCKETS = frozenset({"interval", "intervalUnit"})
ROUTES = frozenset({"routes", "deduplicateRoutes"})
TRADE_FIELDS = (
    "contract",
    "route",
    "routeId",
    "fromBrokenSpread",
    "initiatorOwnedSpread",
    "aggressorOwnedSpread",
    "aggressorSleeve",
    "initiatorSleeve",
)
BOOK_FIELDS = ("route", "routeId", "venueCode")
BOOK_LIMITS = {
    "contract": "one",
    "ranges": [{"maxDays": 60}],
    "maxPoints": 100_000,
    "intervals": {"second": [], "minute": [], "hour": []},
    "resolution": "second",
    "cutoff": "utc-day-start",
}


@frozen
class Expected:
    operation: str
    required: frozenset[str]
    optional: frozenset[str]
    fields: tuple[str, ...]
    limits: dict[str, Any]
    batch: dict[str, Any] = field(factory=lambda: {"by": "none"})


ANALYTICS = {
    "/trades": Expected(
        "get_trades",
        MANY | RANGE,
        PRODUCT | ROUTES | {"sequenceItemId", "tradingItems", "includePrivate", "optionalFields"},
        TRADE_FIELDS,
        {
            "contract": "many",
            "ranges": [{"maxDays": 32}],
            "resolution": "second",
            "cutoff": "utc-day-start",
        },
        {"by": "items", "maximum": 50},
    ),
    "/trades/private": Expected(
        "get_private_trades",
        RANGE,
        ONE | PRODUCT | ROUTES | {"optionalFields"},
        TRADE_FIELDS,
        {
            "contract": "subset",
            "ranges": [{"maxDays": 32}],
            "resolution": "second",
            "cutoff": "now",
        },
        {"by": "query"},
    ),
    "/trades/ohlcv": Expected(
        "get_ohlcv",
        ONE | RANGE | BUCKETS,
        PRODUCT | {"includeEmptyBuckets", "optionalFields"},
        ("openTimestamp", "closeTimestamp", "vwap"),
        {
            "contract": "one",
            "ranges": [
                {"maxDays": 92, "units": ["minute", "hour"]},
                {"maxDays": 1827, "units": ["day", "month"]},
            ],
            "intervals": {"minute": [1, 5, 15, 30], "hour": [1, 4], "day": [1, 7], "month": [1]},
            "aligned": {
                "minute": {"x-provenance": "documented"},
                "hour": {
                    "x-provenance": "documented",
                    "x-assumes": ["hours-align-to-midnight"],
                },
                "day": {"x-provenance": "documented", "x-assumes": ["weeks-count-from-start"]},
                "month": {"x-provenance": "documented", "x-assumes": ["months-align-to-first"]},
            },
            "resolution": "second",
            "cutoff": "utc-day-start",
        },
    ),
    "/trades/last": Expected(
        "get_last_trade",
        ONE,
        PRODUCT | {"at", "optionalFields"},
        ("contract",),
        {
            "contract": "one",
            "lookbackDays": 365,
            "resolution": "second",
            "cutoff": "utc-day-start",
        },
    ),
    "/trades/activity": Expected(
        "get_activity",
        RANGE,
        frozenset({"routes", "optionalFields"}),
        ("route", "routeId", "marketId", "updateCount", "deleteCount"),
        {
            "ranges": [{"maxDays": 7}],
            "earliestFrom": "2023-04-10",
            "resolution": "minute",
            "cutoff": "utc-day-start",
        },
        {},
    ),
    "/orders/book/top": Expected(
        "get_order_book_top",
        ONE | RANGE | BUCKETS,
        PRODUCT | ROUTES | {"includeEmptyBuckets", "optionalFields"},
        BOOK_FIELDS,
        BOOK_LIMITS,
    ),
    "/orders/book": Expected(
        "get_order_book",
        ONE | RANGE | BUCKETS,
        PRODUCT
        | ROUTES
        | {"includeEmptyBuckets", "depth", "maxSpread", "includePrivate", "optionalFields"},
        BOOK_FIELDS,
        BOOK_LIMITS,
    ),
    "/snapshots": Expected(
        "get_snapshots",
        MANY,
        PRODUCT | {"sequenceItemId", "tradingItems", "at"},
        (),
        {"contract": "many", "resolution": "minute", "cutoff": "utc-day-start"},
        {"by": "items", "maximum": 50},
    ),
}
REFERENCE: dict[str, tuple[str, set[str]]] = {
    "/instruments": ("get_instruments", set()),
    "/instruments/{id}": ("get_instrument", {"id"}),
    "/instruments/{id}/sequences": ("get_instrument_sequences", {"id"}),
    "/markets": ("get_markets", set()),
    "/markets/{id}": ("get_market", {"id"}),
    "/markets/{id}/sequences": ("get_market_sequences", {"id"}),
    "/sequences": ("get_sequences", set()),
    "/sequences/{id}/sequenceItems": ("get_sequence_items", {"id", "count", "startDate"}),
    "/sequences/{id}/sequenceItems/{itemId}": ("get_sequence_item", {"id", "itemId"}),
}
ROWS = {
    "Trade": {"tradeId", "venueCode", "dealDate", "price", "quantity", "aggressorBuy"},
    "Candle": {"fromTimestamp", "toTimestamp", "open", "high", "low", "close", "volume"},
    "LastTrade": {"price", "dealDate"},
    "Activity": {
        "instrumentId",
        "sequenceId",
        "sequenceItemId",
        "secondSequenceItemId",
        "contractType",
        "count",
    },
    "TopOfBook": {"timestamp", "bidPrice", "bidQuantity", "askPrice", "askQuantity"},
    "OrderBook": {"timestamp", "bids", "asks"},
    "Snapshot": {"contract", "lastTrade", "bestOrders"},
    "Snapshots": {"timestamp", "snapshots"},
    "Contract": {
        "contractType",
        "marketId",
        "instrumentId",
        "sequenceId",
        "sequenceItemId",
        "secondSequenceItemId",
    },
    "Instrument": {"id", "name", "sequences"},
    "InstrumentDetails": {"id", "name", "sequences", "tradingSpecifications"},
    "Sequence": {"id", "name", "sequenceItems"},
    "SequenceItem": {"id", "name", "periodStart", "periodEnd", "tradingStart", "tradingEnd"},
}
ENUMS = {
    "ContractType": ["SinglePeriod", "Spread", "Range"],
    "ContractKind": ["SinglePeriod", "PeriodSpread", "PeriodRange"],
    "IntervalUnit": ["second", "minute", "hour", "day", "month"],
    "OrderSide": ["bid", "ask"],
    "OrderStatus": ["Firm", "Withheld"],
}
AGGREGATED = {"EEX7", "EEX", "NDAQ", "ICE", "GMEP", "GMEG", "IDEX", "IENX", "MIBG", "NODX"}


def operation(path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path]["get"]
    return found


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = DOCUMENT
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def parameters(path: str) -> dict[str, dict[str, Any]]:
    found = [resolved(node) for node in operation(path).get("parameters", [])]
    return {parameter["name"]: parameter for parameter in found}


def members(schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The properties of a row and the names of the required ones, through every `allOf`."""
    schema = resolved(schema)
    properties = dict(schema.get("properties", {}))
    required = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        inner, names = members(part)
        properties |= inner
        required |= names
    return properties, required


def provenances(node: object) -> Iterator[object]:
    match node:
        case dict():
            for key, value in node.items():
                if key == "x-provenance":
                    yield value
                else:
                    yield from provenances(value)
        case list():
            for value in node:
                yield from provenances(value)
        case _:
            pass


def test_the_document_is_valid_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_paths_are_the_known_endpoints_and_no_others() -> None:
    assert DOCUMENT["paths"].keys() == ANALYTICS.keys() | REFERENCE.keys()


def test_every_operation_only_reads() -> None:
    assert all(item.keys() - {"servers"} == {"get"} for item in DOCUMENT["paths"].values())


def test_each_api_has_its_own_host() -> None:
    analytics, reference = (server["url"] for server in DOCUMENT["servers"])
    assert analytics == "https://analytics.trayport.com/api"
    assert reference == "https://referencedata.trayport.com"
    for path, item in DOCUMENT["paths"].items():
        expected = analytics if path in ANALYTICS else reference
        assert [server["url"] for server in item["servers"]] == [expected], path


def test_the_key_goes_into_its_header() -> None:
    assert DOCUMENT["security"] == [{"ApiKey": []}]
    scheme = DOCUMENT["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-KEY")


def test_a_key_may_send_eight_requests_a_second_and_480_a_minute() -> None:
    requests = DOCUMENT["x-trayport-limits"]["requests"]
    assert (requests["perSecond"], requests["perMinute"]) == (8, 480)


@pytest.mark.parametrize("path", ANALYTICS)
def test_an_analytics_endpoint_takes_exactly_its_parameters(path: str) -> None:
    found = parameters(path)
    expected = ANALYTICS[path]
    assert operation(path)["operationId"] == expected.operation
    assert {name for name, node in found.items() if node.get("required")} == expected.required
    assert found.keys() == expected.required | expected.optional


@pytest.mark.parametrize("path", ANALYTICS)
def test_an_analytics_endpoint_allows_exactly_its_optional_fields(path: str) -> None:
    node = parameters(path).get("optionalFields")
    allowed = () if node is None else tuple(resolved(resolved(node["schema"])["items"])["enum"])
    assert allowed == ANALYTICS[path].fields


@pytest.mark.parametrize("path", ANALYTICS)
def test_an_analytics_endpoint_has_its_limits(path: str) -> None:
    limits = operation(path)["x-trayport-limits"]
    stated = {k: v for k, v in limits.items() if k not in ("x-provenance", "x-assumes")}
    assert stated == ANALYTICS[path].limits


@pytest.mark.parametrize("path", ANALYTICS)
def test_an_analytics_endpoint_batches_as_stated(path: str) -> None:
    batch = operation(path).get("x-trayport-batch", {})
    stated = {k: v for k, v in batch.items() if k not in ("x-provenance", "x-assumes")}
    assert stated == ANALYTICS[path].batch


def test_a_request_names_at_most_fifty_items_either_way() -> None:
    shared = DOCUMENT["components"]["parameters"]
    assert shared["SequenceItemIds"]["schema"]["maxItems"] == 50
    assert shared["TradingItems"]["schema"]["maximum"] == 50


def test_item_ids_go_comma_separated_and_names_repeated() -> None:
    shared = DOCUMENT["components"]["parameters"]
    assert shared["SequenceItemIds"]["explode"] is False
    assert shared["Routes"]["explode"] is True


@pytest.mark.parametrize("path", REFERENCE)
def test_a_reference_endpoint_takes_exactly_its_parameters(path: str) -> None:
    name, expected = REFERENCE[path]
    found = parameters(path)
    assert operation(path)["operationId"] == name
    assert found.keys() == expected
    in_path = {parameter for parameter in expected if f"{{{parameter}}}" in path}
    assert {n for n, node in found.items() if node.get("required")} == in_path


def test_sequence_items_come_by_the_hundred_unless_asked_otherwise() -> None:
    assert parameters("/sequences/{id}/sequenceItems")["count"]["schema"]["default"] == 100


def test_a_book_has_ten_orders_a_side_and_no_widest_spread_unless_asked_otherwise() -> None:
    found = parameters("/orders/book")
    assert found["depth"]["schema"]["default"] == 10
    assert "default" not in found["maxSpread"]["schema"]


@pytest.mark.parametrize("path", [*ANALYTICS, *REFERENCE])
def test_every_operation_documents_every_status(path: str) -> None:
    responses = operation(path)["responses"]
    assert responses.keys() == {"200", "400", "401", "403", "404", "429", "500", "503"}
    assert "Retry-After" in resolved(responses["429"])["headers"]


@pytest.mark.parametrize("path", [*ANALYTICS, *REFERENCE])
def test_every_operation_shows_an_example_answer(path: str) -> None:
    assert operation(path)["responses"]["200"]["content"]["application/json"]["example"]


@pytest.mark.parametrize("path", [*ANALYTICS, *REFERENCE])
def test_only_analytics_endpoints_answer_in_csv(path: str) -> None:
    media = list(operation(path)["responses"]["200"]["content"])
    assert media == ["application/json", *(["text/csv"] if path in ANALYTICS else [])]


@pytest.mark.parametrize("path", [*ANALYTICS, *REFERENCE])
def test_every_parameter_says_where_it_is_known_from(path: str) -> None:
    for name, parameter in parameters(path).items():
        assert "x-provenance" in parameter, name


@pytest.mark.parametrize("name", ROWS)
def test_a_row_always_carries_its_required_fields(name: str) -> None:
    _, required = members(SCHEMAS[name])
    assert required == ROWS[name]


def test_a_private_trade_carries_both_sides_flat() -> None:
    _, parties = members(SCHEMAS["TradeParties"])
    _, required = members(SCHEMAS["PrivateTrade"])
    assert len(parties) == 11
    assert required == ROWS["Trade"] | parties | {"lastUpdated", "route"}


def test_the_details_of_an_order_are_those_of_the_guide() -> None:
    properties, required = members(SCHEMAS["OrderDetails"])
    assert required == {
        "orderStatus",
        "lastModifierUserId",
        "hiddenQuantity",
        "ownerUserId",
        "ownerCompanyId",
        "originalHiddenQuantity",
        "hiddenQtyPriceDelta",
    }
    assert properties.keys() == required | {"clientOrderId"}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_property_says_where_it_is_known_from(name: str) -> None:
    properties, _ = members(SCHEMAS[name])
    assert [key for key, node in properties.items() if "x-provenance" not in node] == []


def test_a_mark_is_documented_observed_or_a_named_assumption() -> None:
    for mark in provenances(DOCUMENT):
        match mark:
            case "documented" | "observed" | {"assumed": str()}:
                pass
            case _:
                pytest.fail(f"{mark!r} is no provenance")


@pytest.mark.parametrize("name", ENUMS)
def test_an_enumeration_has_its_values(name: str) -> None:
    assert SCHEMAS[name]["enum"] == ENUMS[name]


def test_the_two_words_for_spreads_and_ranges_are_the_same_kinds() -> None:
    aliases = SCHEMAS["ContractType"]["x-trayport-aliases"]
    assert aliases == {"PeriodSpread": "Spread", "PeriodRange": "Range"}


def test_the_contract_knows_no_trade_type_and_no_order_type() -> None:
    names = {name.lower() for name in SCHEMAS}
    assert not names & {"tradetype", "ordertype"}


def test_nanoseconds_and_ids_fit_exactly_into_64_bits() -> None:
    for name in ("Nanoseconds", "Identifier", "Count"):
        schema = SCHEMAS[name]
        bounds = schema["minimum"], schema["maximum"]
        assert (schema["type"], *bounds) == ("integer", 0, 2**63 - 1)


def test_there_are_66_venues_each_with_an_id_of_its_own() -> None:
    assert len(VENUES) == 66
    assert len({row["id"] for row in VENUES.values()}) == 66
    assert sum(row["active"] == "true" for row in VENUES.values()) == 45


def test_the_exchanges_that_aggregate_their_book_are_marked() -> None:
    assert {code for code, row in VENUES.items() if row["aggregated_book"] == "true"} == AGGREGATED


def test_the_venues_with_two_feeds_are_marked() -> None:
    separate = {code for code, row in VENUES.items() if row["separate_feeds"] == "true"}
    assert separate == AGGREGATED | {"EPEX"}


@pytest.mark.parametrize(
    ("codes", "start"),
    [
        ({"EEX", "EEX7", "ICE", "IENX"}, "2020-02-01"),
        ({"EPEX", "GMEG", "GMEP", "IDEX", "MIBG", "NDAQ", "NODX"}, "2021-02-01"),
    ],
)
def test_orders_of_exchanges_reach_back_as_documented(codes: set[str], start: str) -> None:
    assert {c for c, row in VENUES.items() if row["orders_from"] == start} == codes
    assert all(VENUES[code]["kind"] == "exchange" for code in codes)
