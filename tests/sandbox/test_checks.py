"""What the sandbox refuses, for which parameters and with which messages, and what it takes."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS

from tests.drawn import examples
from tests.sandbox.asking import (
    APRIL_2024,
    INSTRUMENT,
    MARKET,
    MAY_2024,
    MINIMAL,
    SEQUENCE,
    Asker,
    Query,
    at,
)
from trayport_sdk.sandbox import Sandbox

TRADES = MINIMAL["/trades"]
CANDLES = MINIMAL["/trades/ohlcv"]
ROLLING = 10_000_302
WITH_ITEMS = ("/trades", "/snapshots")
ONE_CONTRACT = ("/trades/ohlcv", "/trades/last", "/orders/book", "/orders/book/top")
ANALYTICS = [e for e in ENDPOINTS.values() if e.api == "analytics"]
BY_PATH = {endpoint.path: endpoint for endpoint in ANALYTICS}
PRODUCTS = {"instrumentId", "marketId"}
SPREAD: Query = {"contractType": "Spread", "secondSequenceItemId": MAY_2024}


@pytest.fixture(scope="module")
def ask() -> Asker:
    return Asker()


def changed(path: str, changes: dict[str, Any]) -> Query:
    """A small good request with some parameters changed, or left out where they are None."""
    query = {**MINIMAL[path], **changes}
    return {name: value for name, value in query.items() if value is not None}


Case = tuple[str, dict[str, Any], set[str]]


def of_contracts(path: str) -> list[Case]:
    return [
        (path, {"instrumentId": INSTRUMENT}, PRODUCTS),
        (path, {"marketId": None}, PRODUCTS),
        (path, {"secondSequenceItemId": MAY_2024}, {"secondSequenceItemId"}),
        (path, {"contractType": "Spread"}, {"secondSequenceItemId"}),
        (path, {"contractType": "Range"}, {"secondSequenceItemId"}),
        (path, {**SPREAD}, set()),
        (path, {**SPREAD, "contractType": "Range"}, set()),
        (path, {"contractType": "Single"}, {"contractType"}),
    ]


OF_ITEMS: list[Case] = [
    case
    for path in WITH_ITEMS
    for most in (BY_PATH[path].batch.maximum or 0,)
    for case in (
        (path, {"sequenceItemId": None}, {"sequenceItemId"}),
        (path, {"tradingItems": 2}, {"tradingItems"}),
        (path, {"sequenceItemId": None, "tradingItems": 2}, set()),
        (path, {"sequenceItemId": None, "tradingItems": most + 1}, {"tradingItems"}),
        (path, {**SPREAD, "sequenceItemId": None, "tradingItems": 2}, {"tradingItems"}),
        (path, {"sequenceItemId": None, "tradingItems": 2, "sequenceId": ROLLING},
         {"tradingItems"}),
        (path, {**SPREAD, "sequenceItemId": [APRIL_2024, MAY_2024]}, {"sequenceItemId"}),
        (path, {"sequenceItemId": list(range(220, 220 + most))}, set()),
        (path, {"sequenceItemId": list(range(220, 221 + most))}, {"sequenceItemId"}),
        (path, {"sequenceItemId": ",".join(map(str, range(220, 221 + most)))}, {"sequenceItemId"}),
    )
]  # fmt: skip
OF_ONE_ITEM: list[Case] = [
    (path, {"sequenceItemId": items}, {"sequenceItemId"})
    for path in ONE_CONTRACT
    for items in ("244,245", ["244", "245"])
]
OF_TIMES: list[Case] = [
    *(
        ("/trades", {"from": text}, {"from"})
        for text in ("2024-03-04T00:00:00.5", "2024-02-30", "2024-13", "yesterday", "1709510400",
                     "2024-03-04T25", "2024-03-04 10:00", "0000", "",
                     "2024-03-04T10:00:00Z%00")
    ),
    ("/trades", {"from": "2024-03-06", "until": "2024-03-06"}, {"until"}),
    ("/trades", {"from": "2024-03-07", "until": "2024-03-06"}, {"until"}),
    ("/trades", {"from": "1969-12-31"}, {"from", "until"}),
    ("/trades", {"From": "2024-03-04", "FROM": "2024-03-04"}, {"from"}),
    ("/trades/activity", {"from": "2023-04-09T23:59", "until": "2023-04-11"}, {"from"}),
    ("/trades/activity", {"from": "2023-04-10", "until": "2023-04-11"}, set()),
    ("/trades/activity", {"from": "2024-03-04T00:00:01", "until": "2024-03-04T10:00:30"},
     {"from", "until"}),
    ("/trades/activity", {"deduplicateRoutes": "nonsense"}, set()),
    ("/snapshots", {"at": "2024-03-05T12:00:01"}, {"at"}),
]  # fmt: skip
OF_INTERVALS: list[Case] = [
    (path, {"interval": count, "intervalUnit": unit, "from": start, "until": until}, broken)
    for path, count, unit, start, until, broken in (
        ("/trades/ohlcv", 5, "minute", "2024-03-04T00:05", "2024-03-04T01", set[str]()),
        ("/trades/ohlcv", 5, "minute", "2024-03-04T00:03", "2024-03-04T01:01", {"from", "until"}),
        ("/trades/ohlcv", 30, "minute", "2024-03-04T00:30", "2024-03-04T01:30:01", {"until"}),
        ("/trades/ohlcv", 4, "hour", "2024-03-04T04", "2024-03-04T12", set[str]()),
        ("/trades/ohlcv", 4, "hour", "2024-03-04T02", "2024-03-04T12", {"from"}),
        ("/trades/ohlcv", 1, "day", "2024-03-04", "2024-03-05T12", {"until"}),
        ("/trades/ohlcv", 7, "day", "2024-03-05", "2024-03-16", set[str]()),
        ("/trades/ohlcv", 1, "month", "2024-01", "2024-03", set[str]()),
        ("/trades/ohlcv", 1, "month", "2024-01-02", "2024-03-02", {"from", "until"}),
        ("/trades/ohlcv", 2, "hour", "2024-03-04", "2024-03-05", {"interval"}),
        ("/trades/ohlcv", 1, "second", "2024-03-04", "2024-03-05", {"intervalUnit"}),
        ("/trades/ohlcv", 1, "hour", "2021-01-01", "2024-01-01", {"until"}),
        ("/trades/ohlcv", 1, "day", "2021-01-01", "2024-01-01", set[str]()),
        ("/orders/book", 7, "second", "2024-03-04", "2024-03-04T00:05", set[str]()),
    )
]
OF_OTHERS: list[Case] = [
    *(("/trades", {"routes": name}, {"routes"}) for name in ("nowhere", "99", "", "1,99")),
    ("/trades", {"optionalFields": "tradeid2"}, {"optionalFields"}),
    ("/orders/book", {"depth": 0, "maxSpread": 0}, {"depth", "maxSpread"}),
    ("/orders/book", {"maxSpread": "-0.5"}, {"maxSpread"}),
    (
        "/trades",
        {**dict.fromkeys(TRADES), "from": "x", "until": "2024-02-30", "marketId": -1,
         "includePrivate": "maybe"},
        {"from", "until", "marketId", "includePrivate", "sequenceId", "sequenceItemId",
         "contractType"},
    ),
]  # fmt: skip
OF_CONTRACTS = [case for path in (*WITH_ITEMS, *ONE_CONTRACT) for case in of_contracts(path)]
CASES = [*OF_CONTRACTS, *OF_ITEMS, *OF_ONE_ITEM, *OF_TIMES, *OF_INTERVALS, *OF_OTHERS]


@pytest.mark.parametrize(("path", "changes", "refused"), CASES)
def test_what_breaks_a_rule_is_refused_by_name_and_nothing_else_is(
    ask: Asker, path: str, changes: dict[str, Any], refused: set[str]
) -> None:
    query = changed(path, changes)
    if refused:
        assert ask.complaints(path, query).keys() == refused
    else:
        assert ask.analytics(path, query).status_code == 200


@pytest.mark.parametrize("operation", [e.operation_id for e in ENDPOINTS.values()])
def test_parameters_are_required_and_bounded_as_the_table_says(ask: Asker, operation: str) -> None:
    endpoint = ENDPOINTS[operation]
    base = Sandbox.REFERENCE_PATH if endpoint.api == "reference" else Sandbox.ANALYTICS_PATH
    path = base + endpoint.path.replace("{id}", str(SEQUENCE)).replace("{itemId}", "244")
    required = {p.name for p in endpoint.parameters if p.required and p.location == "query"}
    if required:
        assert required <= ask.send(path).json()["errors"].keys()
    for parameter in endpoint.parameters:
        if parameter.location != "query" or parameter.type not in ("integer", "number"):
            continue
        bad = ["x", "1.5.2", "9" * 5000, "nan", "inf", "%00", "%ff", ""]
        bounds = (parameter.minimum, -1), (parameter.exclusive_minimum, 0), (parameter.maximum, 1)
        bad += [str(int(bound) + beyond) for bound, beyond in bounds if bound is not None]
        for text in bad:
            response = ask.send(path, f"{parameter.name}={text}")
            assert response.status_code == 400, text[:60]
            assert parameter.name in response.json()["errors"]


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "1.0", "%00", "%FF", "0x10", "\uff11"])
def test_ids_in_paths_must_be_ids(ask: Asker, number: str) -> None:
    response = ask.reference(f"/markets/{number}")
    assert response.status_code == 400
    assert "id" in response.json()["errors"]


@pytest.mark.parametrize("path", [p for p in MINIMAL if "until" in MINIMAL[p]])
def test_ranges_and_points_are_as_many_as_the_table_says(ask: Asker, path: str) -> None:
    limits = BY_PATH[path].limits
    # Where there is nothing to make: before anything was traded.
    first = "2024-01-01" if limits.earliest_from else "2003-01-01"
    days, start = limits.ranges[0].max_days, at(first)
    base = {**MINIMAL[path], "from": first}
    if "intervalUnit" in base:
        base["interval"] = 4
    end, late = (text_of(start + n * DAY) for n in (days, days + 1))
    assert ask.analytics(path, {**base, "until": end}).status_code == 200
    message = f"Maximum query range is {days} days."
    assert ask.complaints(path, base, until=late)["until"] == [message]
    if limits.max_points is not None:
        by_second = {**base, "interval": 1, "intervalUnit": "second"}
        end, late = (text_of(start + (limits.max_points + n) * 10**9) for n in (0, 1))
        assert ask.analytics(path, {**by_second, "until": end}).status_code == 200
        assert "until" in ask.complaints(path, by_second, until=late)


def text_of(nanoseconds: int) -> str:
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=nanoseconds // 10**9)).isoformat()


def test_the_same_request_can_be_spelled_in_many_ways(ask: Asker) -> None:
    plain = ask.rows("/trades", TRADES, optionalFields="routeId")
    shouted = {name.upper(): value for name, value in TRADES.items()}
    more = {"OPTIONALFIELDS": "ROUTEID", "snapshotDate": "x"}
    assert ask.rows("/trades", {**shouted, **more}) == plain
    for text, same in (
        ("2024-03", "2024-03-01T00:00:00"),
        ("2024-03-04", "2024-03-04T00:00:00+00:00"),
        ("2024-03-04T09", "2024-03-04T11:00:00+02:00"),
        ("2024-03-04T09:30", "2024-03-04T04:00:00-05:30"),
        ("2024-03-04T09Z", "2024-03-04T09:00:00"),
    ):
        of_text, of_same = ({**TRADES, "from": start} for start in (text, same))
        assert ask.rows("/trades", of_text) == ask.rows("/trades", of_same)
    for kind in ("SinglePeriod", "singleperiod", "Spread", "RANGE", "PeriodSpread", "periodrange"):
        second = {} if "single" in kind.lower() else {"secondSequenceItemId": MAY_2024}
        assert ask.analytics("/trades", {**TRADES, "contractType": kind, **second}).is_success


def test_lists_are_repeated_or_separated_by_commas_and_a_route_may_hold_one(ask: Asker) -> None:
    fields = {"optionalFields": ["route", "contract"]}
    repeated = ask.rows("/trades", {**TRADES, **fields}, sequenceItemId=[244, 245])
    joined = {"sequenceItemId": "244,245", "optionalFields": "contract,route"}
    assert ask.rows("/trades", {**TRADES, **joined}) == repeated
    assert {"route", "contract"} <= repeated[0].keys()
    by_name = ask.rows("/trades", TRADES, routes="london, main desk")
    assert by_name == ask.rows("/trades", TRADES, routes="3")
    assert {row["route"] for row in by_name} == {"London, Main Desk"}
    both = ask.rows("/trades", TRADES, routes=["London, Main Desk", "Continent"])
    assert both == ask.rows("/trades", TRADES, routes="3,4")


def test_trading_items_are_counted_from_the_start_of_the_range(ask: Asker) -> None:
    query = changed("/trades", {"sequenceItemId": None, "tradingItems": 2})
    rows = ask.rows("/trades", query, optionalFields="contract")
    assert {row["contract"]["sequenceItemId"] for row in rows} == {APRIL_2024, MAY_2024}
    long_ago = {**query, "from": "1970-01-01", "until": "1970-01-02"}
    assert ask.rows("/trades", long_ago) == []


def test_weeks_are_counted_from_the_start_and_the_last_may_be_short(ask: Asker) -> None:
    query = {**CANDLES, "from": "2024-03-01", "until": "2024-03-12"}
    bars = ask.rows(
        "/trades/ohlcv", query, interval=7, intervalUnit="day", includeEmptyBuckets="true"
    )
    edges = [at(text) for text in ("2024-03-01", "2024-03-08", "2024-03-12")]
    assert [bar["fromTimestamp"] for bar in bars] == edges[:-1]
    assert [bar["toTimestamp"] for bar in bars] == edges[1:]


def test_without_an_instant_a_snapshot_is_of_the_end_of_the_data(ask: Asker) -> None:
    query = changed("/snapshots", {"at": None, "snapshotDate": "2024-03-05"})
    assert ask.analytics("/snapshots", query).json()["timestamp"] == at("2026-06-15")


@pytest.mark.parametrize(
    "query",
    [
        "&".join(["sequenceItemId=244"] * 3000),
        "&".join(["from=2024"] * 3000),
        "&".join(f"x{n}=1" for n in range(3000)),
        "from=%ff%fe",
        "%ff=1",
        "from=%00",
        "=&=&&&=;",
        "marketId=" + "9" * 10_000,
        "routes=%F0%9F%92%A9",
        "from=2024-03-04&until=9999-12-31T23:59:59-23:59",
    ],
)
def test_strange_queries_are_bad_requests_and_nothing_worse(ask: Asker, query: str) -> None:
    assert ask.complaints("/trades", query)


def test_limits_of_ranges_can_be_lifted_for_tests() -> None:
    ask = Asker(Sandbox(limits=False, range_limits=False))
    long = {**TRADES, "from": "2023-10-01", "until": "2024-03-05"}
    many = ",".join(str(APRIL_2024 + n) for n in range(60))
    assert len(ask.rows("/trades", long)) > 1000
    assert ask.analytics("/trades", {**TRADES, "sequenceItemId": many}).status_code == 200
    assert ask.analytics("/trades/ohlcv", {**CANDLES, **long}).status_code == 200
    assert "until" in ask.complaints("/trades", {**long, "until": "2023-01"})


DAY = at("1970-01-02")
counts = st.integers(10, 4000)
days_ahead = st.integers(0, 900)
two_item_kinds = st.sampled_from(["Spread", "range", "PeriodSpread"])


@st.composite
def contracts(draw: st.DrawFn, *, several: bool) -> Query:
    """The parameters of contracts that exist, in any of the ways there are."""
    products: list[Query] = [{"marketId": MARKET}, {"instrumentId": INSTRUMENT}]
    query: Query = {**draw(st.sampled_from(products)), "sequenceId": SEQUENCE}
    item = st.integers(200, 300)
    if draw(st.booleans()):
        query |= {"contractType": draw(two_item_kinds), "sequenceItemId": draw(item)}
        query["secondSequenceItemId"] = draw(item)
        return query
    query["contractType"] = draw(st.sampled_from(["SinglePeriod", "SINGLEPERIOD"]))
    most = ENDPOINTS["get_trades"].batch.maximum if several else 1
    if several and draw(st.booleans()):
        query["tradingItems"] = draw(st.integers(1, most or 1))
    else:
        query["sequenceItemId"] = draw(st.lists(item, min_size=1, max_size=most, unique=True))
    return query


@st.composite
def good_calls(draw: st.DrawFn) -> tuple[str, Query]:
    """A call that keeps every rule of one analytics operation."""
    operation = draw(st.sampled_from([e for e in ENDPOINTS.values() if e.api == "analytics"]))
    limits = operation.limits
    query: Query = {}
    if limits.contract is not None:
        query = draw(contracts(several=limits.contract == "many"))
        if limits.contract == "subset":
            kept = draw(st.sets(st.sampled_from(["marketId", "instrumentId", "sequenceId"])))
            query = {name: value for name, value in query.items() if name in kept}
    start = at("2023-04-10") + draw(days_ahead) * DAY
    if limits.intervals:
        limit = draw(st.sampled_from(limits.intervals))
        query["intervalUnit"] = limit.unit
        query["interval"] = draw(st.sampled_from(limit.counts) if limit.counts else counts)
        if limit.unit == "month":
            start = at("2023-05-01")
    if limits.ranges:
        days = 3 if limits.intervals else min(r.max_days for r in limits.ranges)
        until = start + draw(st.integers(1, days)) * DAY
        until = at("2023-08-01") if query.get("intervalUnit") == "month" else until
        query |= {"from": text_of(start), "until": text_of(until)}
    elif draw(st.booleans()):
        query["at"] = text_of(start)
    if operation.optional_fields:
        fields = st.lists(st.sampled_from(operation.optional_fields), max_size=3)
        query["optionalFields"] = draw(fields)
    return operation.path, query


@settings(max_examples=examples(60))
@given(call=good_calls())
def test_calls_that_keep_the_rules_succeed(call: tuple[str, Query]) -> None:
    path, query = call
    response = Asker().analytics(path, query)
    assert response.status_code == 200, response.text
    response.json()
