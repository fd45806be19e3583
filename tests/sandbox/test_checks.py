"""What the sandbox refuses, with which words, and what it takes."""

import datetime as dt
from collections.abc import Mapping

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Parameter

from tests.sandbox.asking import (
    APRIL_2024,
    HOURLY,
    INSTRUMENT,
    MARKET,
    MAY_2024,
    MINIMAL,
    SEQUENCE,
    Asker,
    Query,
    Value,
    at,
)
from trayport_sdk.sandbox import Sandbox

TRADES = MINIMAL["/trades"]
CANDLES = MINIMAL["/trades/ohlcv"]
BOOKS = MINIMAL["/orders/book"]
ROLLING = 10_000_302
WITH_ITEMS = ("/trades", "/snapshots")
ONE_CONTRACT = ("/trades/ohlcv", "/trades/last", "/orders/book", "/orders/book/top")


@pytest.fixture(scope="module")
def ask() -> Asker:
    return Asker()


def without(query: Mapping[str, Value], *names: str) -> dict[str, Value]:
    return {name: value for name, value in query.items() if name not in names}


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS.values() if e.api == "analytics"])
def test_every_required_parameter_is_missed_by_name(ask: Asker, endpoint: object) -> None:
    assert isinstance(endpoint, type(ENDPOINTS["get_trades"]))
    required = {p.name for p in endpoint.parameters if p.required}
    if required:
        assert required <= ask.complaints(endpoint.path, {}).keys()


def numeric(parameter: Parameter) -> bool:
    return parameter.type in ("integer", "number")


@pytest.mark.parametrize("endpoint_id", [e.operation_id for e in ENDPOINTS.values()])
def test_values_outside_the_bounds_of_the_table_are_refused(ask: Asker, endpoint_id: str) -> None:
    endpoint = ENDPOINTS[endpoint_id]
    for parameter in endpoint.parameters:
        if parameter.location != "query" or not numeric(parameter):
            continue
        bad = ["x", "1.5.2", "9" * 5000, "nan", "inf", "%00", "%ff", ""]
        if parameter.minimum is not None:
            bad.append(str(int(parameter.minimum) - 1))
        if parameter.exclusive_minimum is not None:
            bad.append(str(int(parameter.exclusive_minimum)))
        if parameter.maximum is not None:
            bad.append(str(int(parameter.maximum) + 1))
        path = endpoint.path.replace("{id}", str(SEQUENCE))
        for text in bad:
            query = f"{parameter.name}={text}"
            base = "/reference" if endpoint.api == "reference" else "/analytics/api"
            answer = ask.send(base + path, query)
            assert answer.status_code == 400, query[:60]
            assert parameter.name in answer.json()["errors"]


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "1.0", "%00", "%FF", "0x10", "\uff11"])
def test_ids_in_paths_must_be_ids(ask: Asker, number: str) -> None:
    answer = ask.reference(f"/markets/{number}")
    assert answer.status_code == 400
    assert "id" in answer.json()["errors"]


@pytest.mark.parametrize("path", [p for p in MINIMAL if p not in ("/trades/private",)])
def test_exactly_one_product_is_needed(ask: Asker, path: str) -> None:
    if path == "/trades/activity":
        return
    both = ask.complaints(path, MINIMAL[path], instrumentId=INSTRUMENT)
    assert {"instrumentId", "marketId"} <= both.keys()
    neither = ask.complaints(path, without(MINIMAL[path], "marketId"))
    assert {"instrumentId", "marketId"} <= neither.keys()


@pytest.mark.parametrize("path", [*WITH_ITEMS, *ONE_CONTRACT])
def test_second_items_belong_to_spreads_and_ranges(ask: Asker, path: str) -> None:
    single = ask.complaints(path, MINIMAL[path], secondSequenceItemId=MAY_2024)
    assert "secondSequenceItemId" in single
    for kind in ("Spread", "Range"):
        missing = ask.complaints(path, MINIMAL[path], contractType=kind)
        assert "secondSequenceItemId" in missing
        whole: Query = {"contractType": kind, "secondSequenceItemId": MAY_2024}
        assert ask.analytics(path, {**MINIMAL[path], **whole}).status_code == 200


@pytest.mark.parametrize("path", WITH_ITEMS)
def test_items_are_explicit_or_counted_but_not_both_or_neither(ask: Asker, path: str) -> None:
    bare = without(MINIMAL[path], "sequenceItemId")
    assert "sequenceItemId" in ask.complaints(path, bare)
    assert "tradingItems" in ask.complaints(path, MINIMAL[path], tradingItems=2)
    spread: Query = {"contractType": "Spread", "secondSequenceItemId": MAY_2024}
    assert "tradingItems" in ask.complaints(path, {**bare, **spread}, tradingItems=2)
    assert "tradingItems" in ask.complaints(path, bare, tradingItems=2, sequenceId=ROLLING)
    several = {**spread, "sequenceItemId": [APRIL_2024, MAY_2024]}
    assert "sequenceItemId" in ask.complaints(path, {**bare, **several})
    assert ask.analytics(path, {**bare, "tradingItems": 2}).status_code == 200


def test_trading_items_are_counted_from_the_start_of_the_range(ask: Asker) -> None:
    query = {**without(TRADES, "sequenceItemId"), "tradingItems": 2, "optionalFields": "contract"}
    items = {row["contract"]["sequenceItemId"] for row in ask.rows("/trades", query)}
    assert items == {APRIL_2024, MAY_2024}


@pytest.mark.parametrize("path", WITH_ITEMS)
def test_a_batch_holds_as_many_items_as_the_table_says(ask: Asker, path: str) -> None:
    endpoint = next(e for e in ENDPOINTS.values() if e.path == path)
    most = endpoint.batch.maximum
    assert most is not None
    items = [APRIL_2024 + n for n in range(-most // 2, most // 2 + 1)]
    query = {**MINIMAL[path], "sequenceItemId": ",".join(map(str, items[:most]))}
    assert ask.analytics(path, query).status_code == 200
    assert "sequenceItemId" in ask.complaints(path, query, sequenceItemId=items)
    bare = without(MINIMAL[path], "sequenceItemId")
    assert "tradingItems" in ask.complaints(path, bare, tradingItems=most + 1)


def test_a_smaller_batch_maximum_in_the_table_is_followed(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ENDPOINTS["get_trades"]
    new = attrs.evolve(
        old,
        batch=attrs.evolve(old.batch, maximum=2),
        limits=attrs.evolve(old.limits, ranges=(attrs.evolve(old.limits.ranges[0], max_days=3),)),
        parameters=(*old.parameters, Parameter("flavour", "flavour", "integer", "", maximum=5)),
    )
    monkeypatch.setattr("trayport_sdk.sandbox.http.ENDPOINTS", {**ENDPOINTS, "get_trades": new})
    assert "sequenceItemId" in ask.complaints("/trades", TRADES, sequenceItemId="244,245,246")
    assert ask.complaints("/trades", TRADES, until="2024-03-08")["until"] == [
        "Maximum query range is 3 days."
    ]
    assert "flavour" in ask.complaints("/trades", TRADES, flavour=6)
    assert ask.rows("/trades", TRADES, flavour=5) == ask.rows("/trades", TRADES)


@pytest.mark.parametrize("path", ONE_CONTRACT)
def test_one_contract_endpoints_take_one_item(ask: Asker, path: str) -> None:
    for items in ("244,245", ["244", "245"]):
        assert "sequenceItemId" in ask.complaints(path, MINIMAL[path], sequenceItemId=items)
    assert ask.analytics(path, {**MINIMAL[path], "tradingItems": 5}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["SinglePeriod", "singleperiod", "Spread", "RANGE", "PeriodSpread", "periodrange"]
)
def test_contract_types_are_taken_in_all_forms(ask: Asker, kind: str) -> None:
    query: dict[str, Value] = {**TRADES, "contractType": kind}
    if "single" not in kind.lower():
        query["secondSequenceItemId"] = MAY_2024
    assert ask.analytics("/trades", query).status_code == 200


def test_names_are_taken_in_any_case_and_unknown_ones_ignored(ask: Asker) -> None:
    plain = ask.rows("/trades", TRADES, optionalFields="routeId")
    shouted = {name.upper(): value for name, value in TRADES.items()}
    assert (
        ask.rows("/trades", {**shouted, "OPTIONALFIELDS": "ROUTEID", "snapshotDate": "x"}) == plain
    )


def test_a_parameter_given_twice_is_refused_unless_it_is_a_list(ask: Asker) -> None:
    assert "from" in ask.complaints("/trades", TRADES, From="2024-03-04", FROM="2024-03-04")


def test_lists_are_repeated_or_separated_by_commas(ask: Asker) -> None:
    repeated = ask.rows(
        "/trades", TRADES, sequenceItemId=[244, 245], optionalFields=["route", "contract"]
    )
    joined = ask.rows("/trades", TRADES, sequenceItemId="244,245", optionalFields="contract,route")
    assert repeated == joined
    assert {"route", "contract"} <= repeated[0].keys()


def test_a_route_may_hold_a_comma(ask: Asker) -> None:
    by_name = ask.rows("/trades", TRADES, routes="london, main desk")
    assert by_name == ask.rows("/trades", TRADES, routes="3")
    assert {row["route"] for row in by_name} == {"London, Main Desk"}
    both = ask.rows("/trades", TRADES, routes=["London, Main Desk", "Continent"])
    assert both == ask.rows("/trades", TRADES, routes="3,4")
    for unknown in ("nowhere", "99", "", "1,99"):
        assert "routes" in ask.complaints("/trades", TRADES, routes=unknown)


def test_unknown_optional_fields_are_refused(ask: Asker) -> None:
    for path, endpoint in ((e.path, e) for e in ENDPOINTS.values() if e.optional_fields):
        for field in endpoint.optional_fields:
            assert ask.analytics(path, {**MINIMAL[path], "optionalFields": field}).is_success
        assert "optionalFields" in ask.complaints(path, MINIMAL[path], optionalFields="tradeId")


@pytest.mark.parametrize("path", [p for p in MINIMAL if "until" in MINIMAL[p]])
def test_ranges_are_as_long_as_the_table_says(ask: Asker, path: str) -> None:
    endpoint = next(e for e in ENDPOINTS.values() if e.path == path)
    days = endpoint.limits.ranges[0].max_days
    start = at("2024-01-01")
    day = at("1970-01-02")
    base = {**MINIMAL[path], "from": "2024-01-01"}
    if "intervalUnit" in base:
        base["interval"] = 4
    end, late = (_text(start + n * day) for n in (days, days + 1))
    assert ask.analytics(path, {**base, "until": end}).status_code == 200
    assert ask.complaints(path, base, until=late)["until"] == [
        f"Maximum query range is {days} days."
    ]


def _text(nanoseconds: int) -> str:
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=nanoseconds // 10**9)).isoformat()


def test_daily_candles_may_span_years_and_hourly_ones_may_not(ask: Asker) -> None:
    years = {**CANDLES, "from": "2021-01-01", "until": "2024-01-01"}
    assert ask.analytics("/trades/ohlcv", {**years, "intervalUnit": "day"}).status_code == 200
    assert "until" in ask.complaints("/trades/ohlcv", years)


@pytest.mark.parametrize(
    ("start", "until"),
    [("2024-03-06", "2024-03-06"), ("2024-03-07", "2024-03-06"), ("2024-03-06T01", "2024-03-06")],
)
def test_a_range_must_end_after_it_starts(ask: Asker, start: str, until: str) -> None:
    assert "until" in ask.complaints("/trades", {**TRADES, "from": start, "until": until})


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-04T00:00:00.5",
        "2024-02-30",
        "2024-13",
        "yesterday",
        "1709510400",
        "2024-03-04T25",
        "2024-03-04 10:00",
        "0000",
        "1969-12-31",
        "",
        "2024-03-04T10:00:00Z%00",
    ],
)
def test_garbled_and_fractional_times_are_refused(ask: Asker, text: str) -> None:
    assert "from" in ask.complaints("/trades", TRADES, **{"from": text})


def test_times_of_lower_precision_mean_the_start_of_their_unit(ask: Asker) -> None:
    for text, same in (
        ("2024-03", "2024-03-01T00:00:00"),
        ("2024-03-04", "2024-03-04T00:00:00+00:00"),
        ("2024-03-04T09", "2024-03-04T11:00:00+02:00"),
        ("2024-03-04T09:30", "2024-03-04T04:00:00-05:30"),
        ("2024-03-04T09Z", "2024-03-04T09:00:00"),
    ):
        assert ask.rows("/trades", TRADES, **{"from": text}) == ask.rows(
            "/trades", TRADES, **{"from": same}
        )


def test_only_the_intervals_of_the_table_are_taken(ask: Asker) -> None:
    for path in ("/trades/ohlcv", "/orders/book"):
        endpoint = next(e for e in ENDPOINTS.values() if e.path == path)
        limits = {limit.unit: limit.counts for limit in endpoint.limits.intervals}
        for unit in ("second", "minute", "hour", "day", "month"):
            for count in (1, 2, 4, 5, 7, 30):
                query = {**MINIMAL[path], "interval": count, "intervalUnit": unit}
                query |= {"from": "2024-03-01", "until": "2024-04-01"}
                if unit == "second":
                    query["until"] = "2024-03-01T00:10"
                good = unit in limits and (not limits[unit] or count in limits[unit])
                assert ask.analytics(path, query).status_code == (200 if good else 400)
    assert "intervalUnit" in ask.complaints("/trades/ohlcv", CANDLES, intervalUnit="second")
    assert "interval" in ask.complaints("/trades/ohlcv", CANDLES, interval=2)


@pytest.mark.parametrize(
    ("count", "unit", "start", "until", "broken"),
    [
        (5, "minute", "2024-03-04T00:05", "2024-03-04T01", None),
        (5, "minute", "2024-03-04T00:03", "2024-03-04T01:01", {"from", "until"}),
        (30, "minute", "2024-03-04T00:30", "2024-03-04T01:30:01", {"until"}),
        (4, "hour", "2024-03-04T04", "2024-03-04T12", None),
        (4, "hour", "2024-03-04T02", "2024-03-04T12", {"from"}),
        (1, "hour", "2024-03-04T02", "2024-03-04T12:30", {"until"}),
        (1, "day", "2024-03-04", "2024-03-05T12", {"until"}),
        (7, "day", "2024-03-05", "2024-03-16", None),
        (1, "month", "2024-01", "2024-03", None),
        (1, "month", "2024-01-02", "2024-03-02", {"from", "until"}),
    ],
)
def test_candles_are_aligned(
    ask: Asker, count: int, unit: str, start: str, until: str, broken: set[str] | None
) -> None:
    query = {**CANDLES, "interval": count, "intervalUnit": unit, "from": start, "until": until}
    if broken is None:
        assert ask.analytics("/trades/ohlcv", query).status_code == 200
    else:
        assert ask.complaints("/trades/ohlcv", query).keys() == broken


def test_weeks_are_counted_from_the_start_and_the_last_may_be_short(ask: Asker) -> None:
    query = {**CANDLES, "from": "2024-03-01", "until": "2024-03-12"}
    bars = ask.rows(
        "/trades/ohlcv", query, interval=7, intervalUnit="day", includeEmptyBuckets="true"
    )
    edges = [at(text) for text in ("2024-03-01", "2024-03-08", "2024-03-12")]
    assert [bar["fromTimestamp"] for bar in bars] == edges[:-1]
    assert [bar["toTimestamp"] for bar in bars] == edges[1:]


def test_books_have_no_more_points_than_the_table_says(ask: Asker) -> None:
    most = ENDPOINTS["get_order_book"].limits.max_points
    assert most is not None
    start = at("2024-03-01")
    query = {**BOOKS, "from": "2024-03-01", "interval": 1, "intervalUnit": "second", "depth": 1}
    too_far = _text(start + (most + 1) * 10**9)
    assert "until" in ask.complaints("/orders/book", query, until=too_far)
    exactly = {**query, "until": _text(start + most * 10**9)}
    assert ask.analytics("/orders/book/top", exactly).status_code == 200


def test_depth_and_spread_have_bounds(ask: Asker) -> None:
    assert ask.complaints("/orders/book", BOOKS, depth=0, maxSpread=0).keys() == {
        "depth",
        "maxSpread",
    }
    assert "maxSpread" in ask.complaints("/orders/book", BOOKS, maxSpread="-0.5")


def test_activity_starts_where_the_table_says_and_goes_by_minutes(ask: Asker) -> None:
    activity = MINIMAL["/trades/activity"]
    early = {**activity, "from": "2023-04-09T23:59", "until": "2023-04-11"}
    assert "from" in ask.complaints("/trades/activity", early)
    assert ask.analytics("/trades/activity", {**early, "from": "2023-04-10"}).status_code == 200
    seconds = {"from": "2024-03-04T00:00:01", "until": "2024-03-04T10:00:30"}
    assert ask.complaints("/trades/activity", seconds).keys() == {"from", "until"}
    whole = {"from": "2024-03-04T10:00:00", "until": "2024-03-04T10:01:00"}
    assert ask.analytics("/trades/activity", whole).status_code == 200


def test_snapshots_go_by_minutes_and_ignore_other_names_for_at(ask: Asker) -> None:
    snapshots = MINIMAL["/snapshots"]
    assert "at" in ask.complaints("/snapshots", snapshots, at="2024-03-05T12:00:01")
    today = ask.analytics("/snapshots", {**without(snapshots, "at"), "snapshotDate": "2024-03-05"})
    assert today.json()["timestamp"] == at("2026-06-15")


def test_everything_that_is_wrong_is_told_at_once(ask: Asker) -> None:
    query: Query = {"from": "x", "until": "2024-02-30", "marketId": -1, "includePrivate": "maybe"}
    assert ask.complaints("/trades", query).keys() == {
        "from",
        "until",
        "marketId",
        "includePrivate",
        "sequenceId",
        "sequenceItemId",
        "contractType",
    }


@pytest.mark.parametrize(
    "query",
    [
        "&".join(["sequenceItemId=244"] * 3000),
        "&".join(["optionalFields=route"] * 3000),
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
    assert ask.analytics("/trades/ohlcv", {**CANDLES, **HOURLY, **long}).status_code == 200
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
            start = at("2023-05")
    if limits.ranges:
        days = 3 if limits.intervals else min(r.max_days for r in limits.ranges)
        until = start + draw(st.integers(1, days)) * DAY
        until = at("2023-08") if query.get("intervalUnit") == "month" else until
        query |= {"from": _text(start), "until": _text(until)}
    elif draw(st.booleans()):
        query["at"] = _text(start)
    if operation.optional_fields:
        fields = st.lists(st.sampled_from(operation.optional_fields), max_size=3)
        query["optionalFields"] = draw(fields)
    return operation.path, query


@settings(max_examples=60, deadline=None)
@given(call=good_calls())
def test_calls_that_keep_the_rules_are_answered(call: tuple[str, Query]) -> None:
    path, query = call
    answer = Asker().analytics(path, query)
    assert answer.status_code == 200, answer.text
    answer.json()
