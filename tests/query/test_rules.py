"""What a call may ask for: each rule, and the sentence it refuses with."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, PRIVATE_ORDERS_FROM, VENUES, Endpoint
from trayport_spec.options import Options

from trayport_sdk import ContractSpec, ContractType, TrayportValidationError
from trayport_sdk.query import build, rules
from trayport_sdk.query.build import endpoint_named, listed
from trayport_sdk.query.times import DAY, SECOND, instant, to_text

TRADES = ENDPOINTS["get_trades"]
APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)
CONTRACT = {
    "market_id": 10000065,
    "sequence_id": 10000305,
    "sequence_item_id": 244,
    "contract_type": "SinglePeriod",
}
HOURLY = {"interval": 1, "interval_unit": "hour"}
# What each operation needs at least, besides its times.
NEEDED: dict[str, dict[str, Any]] = {
    "trades": CONTRACT,
    "private_trades": {},
    "ohlcv": {**CONTRACT, **HOURLY},
    "last_trade": CONTRACT,
    "activity": {},
    "order_book_top": {**CONTRACT, **HOURLY},
    "order_book": {**CONTRACT, **HOURLY},
    "snapshots": CONTRACT,
}
NOW = datetime(2024, 5, 2, 9, 30, 15, 500_000, tzinfo=UTC)


def at(text: str) -> int:
    return instant(text, "at")


def ask(name: str, *, latest: str | None = None, whole: bool = False, **changes: Any) -> None:
    """Checks a call that is right but for the changes; text in place of a time is one."""
    endpoint = endpoint_named(name)
    arguments = dict(NEEDED[name])
    times = [parameter.name for parameter in endpoint.parameters if parameter.type == "instant"]
    if "from" in times:
        arguments |= {"from_": at("2024-03-04"), "until": at("2024-03-06")}
    for given_name, value in changes.items():
        is_time = given_name.rstrip("_") in times and isinstance(value, str)
        arguments[given_name] = at(value) if is_time else value
    rules.check(endpoint, arguments, latest=None if latest is None else at(latest), whole=whole)


def refusal(name: str, parameter: str, **changes: Any) -> str:
    """The sentence that a call is refused with, which names the parameter."""
    with pytest.raises(TrayportValidationError) as refused:
        ask(name, **changes)
    assert refused.value.parameter == parameter
    return str(refused.value)


# --- Names


@pytest.mark.parametrize("name", ["order_book", "Order-Book", "get_order_book", "/orders/book"])
def test_an_endpoint_is_known_by_name_operation_and_path(name: str) -> None:
    assert endpoint_named(name) is ENDPOINTS["get_order_book"]


@pytest.mark.parametrize("name", ["tradez", "", "instruments", None, 7])
def test_an_unknown_endpoint_lists_those_with_market_data(name: Any) -> None:
    with pytest.raises(TrayportValidationError, match="trades, private_trades, ohlcv") as refused:
        endpoint_named(name)
    assert refused.value.parameter == "endpoint"


def test_what_an_endpoint_needs_is_enough_for_it() -> None:
    for name in NEEDED:
        ask(name)


def test_a_parameter_that_the_api_would_ignore_is_refused_with_those_it_takes() -> None:
    sentence = refusal("snapshots", "snapshot_date", snapshot_date="2024-03-04")
    assert "snapshot_date is not a parameter of /snapshots: it takes instrument_id" in sentence
    refusal("ohlcv", "deduplicate_routes", deduplicate_routes=True)
    refusal("activity", "deduplicate_routes", deduplicate_routes=True)


@pytest.mark.parametrize("name", ["sequence_id", "contract_type", "from_", "until"])
def test_a_parameter_that_is_needed_is_missed_by_name(name: str) -> None:
    assert "/trades needs" in refusal("trades", name, **{name: None})


# --- Values


@pytest.mark.parametrize(
    ("parameter", "value", "why"),
    [
        ("sequence_id", "10000305", "not a whole number"),
        ("sequence_id", True, "not a whole number"),
        ("sequence_id", 1.0, "not a whole number"),
        ("sequence_id", -1, "below 0"),
        ("sequence_id", 2**63, "exceeds"),
        ("contract_type", "single", "use one of SinglePeriod, Spread, Range"),
        ("contract_type", 3, "not usable text"),
        ("interval", 0, "below 1"),
        ("interval", 2**31, "exceeds 2147483647"),
        ("depth", 0, "below 1"),
        ("depth", 2.5, "not a whole number"),
        ("max_spread", 0, "not above 0"),
        ("max_spread", float("nan"), "not a finite number"),
        ("max_spread", float("inf"), "not a finite number"),
        ("max_spread", 10**400, "not a finite number"),
        ("max_spread", "1", "not a finite number"),
        ("include_private", 1, "give True or False"),
        ("routes", ("Trayport", " "), "not usable text"),
        ("routes", ("Tray\0port",), "not usable text"),
        ("routes", (), "routes is empty"),
        ("optional_fields", ("vwap",), "use one of route, routeId, venueCode"),
        ("from_", 1.5, "not a whole number"),
        ("from_", -SECOND, "lies before 1970"),
        ("from_", SECOND + 1, "fractional seconds"),
        ("from_", 10**12 * SECOND, "after the year 9999"),
    ],
)
def test_a_value_of_the_wrong_kind_or_out_of_bounds_is_refused(
    parameter: str, value: object, why: str
) -> None:
    assert why in refusal("order_book", parameter, **{parameter: value})


def test_numbers_of_numpy_and_enumerations_are_as_good_as_plain_ones() -> None:
    ask("order_book", sequence_id=np.int64(10000305), max_spread=np.float32(0.5))
    ask("trades", sequence_item_id=[np.int64(244)], contract_type=ContractType.SINGLE_PERIOD)


# --- Contracts


def test_a_contract_has_one_product() -> None:
    assert "neither given: give exactly one" in refusal("trades", "market_id", market_id=None)
    assert "both given" in refusal("trades", "market_id", instrument_id=10002806)
    assert "both given" in refusal("private_trades", "market_id", instrument_id=1, market_id=1)


@pytest.mark.parametrize("kind", ["Spread", "Range"])
def test_spreads_and_ranges_have_a_second_item_and_single_periods_have_none(kind: str) -> None:
    second = "second_sequence_item_id"
    for name in ("trades", "ohlcv", "last_trade", "order_book", "snapshots"):
        ask(name, contract_type=kind, second_sequence_item_id=245)
        assert f"{kind} needs a {second}" in refusal(name, second, contract_type=kind)
        sentence = refusal(name, second, second_sequence_item_id=245)
        assert "245 does not go with SinglePeriod" in sentence


def test_own_trades_are_narrowed_by_any_part_of_a_contract() -> None:
    ask("private_trades", contract_type="Spread")
    ask("private_trades", sequence_item_id=244, sequence_id=10000305)
    parts = {"contract_type": "SinglePeriod", "second_sequence_item_id": 245}
    assert "does not go with" in refusal("private_trades", "second_sequence_item_id", **parts)


def test_only_single_periods_share_a_request() -> None:
    ask("trades", sequence_item_id=(244, 245))
    parts = {"contract_type": "Spread", "second_sequence_item_id": 246}
    sentence = refusal("trades", "sequence_item_id", sequence_item_id=(244, 245), **parts)
    assert "share a request as SinglePeriod only: ask for each contract alone" in sentence


def test_an_item_named_twice_is_one() -> None:
    parts: dict[str, Any] = {"contract_type": "Spread", "second_sequence_item_id": 246}
    ask("trades", sequence_item_id=(244, 244), **parts)


@pytest.mark.parametrize("name", ["trades", "snapshots"])
def test_a_request_holds_so_many_items_and_a_query_any_number(name: str) -> None:
    endpoint = endpoint_named(name)
    most = endpoint.batch.maximum
    assert most is not None
    assert rules.parameters_by_argument(endpoint)["sequence_item_id"].max_items == most
    ask(name, sequence_item_id=tuple(range(1, most + 1)))
    many = tuple(range(1, most + 2))
    sentence = refusal(name, "sequence_item_id", sequence_item_id=many)
    assert f"{most + 1} values of sequence_item_id exceed the maximum of {most}" in sentence
    ask(name, sequence_item_id=many, whole=True)


def test_the_next_tradable_items_stand_in_place_of_explicit_ones() -> None:
    ask("snapshots", trading_items=50, sequence_item_id=None)
    sentence = refusal("trades", "trading_items", trading_items=2)
    assert "exclude each other, both given" in sentence
    assert "neither given" in refusal("trades", "sequence_item_id", sequence_item_id=None)
    parts = {"sequence_item_id": None, "contract_type": "Range", "second_sequence_item_id": 4}
    assert "SinglePeriod only" in refusal("trades", "trading_items", trading_items=2, **parts)
    for count in (0, 51):
        refusal("snapshots", "trading_items", trading_items=count, sequence_item_id=None)
    refusal("snapshots", "trading_items", trading_items=51, sequence_item_id=None, whole=True)


# --- Times and intervals


@pytest.mark.parametrize("until", ["2024-03-04", "2024-03-03"])
def test_an_empty_or_reversed_range_is_refused(until: str) -> None:
    sentence = refusal("trades", "until", until=until)
    assert "is not after from_ 2024-03-04T00:00:00Z: ranges are half-open" in sentence


@pytest.mark.parametrize(
    ("name", "interval", "days"),
    [
        ("trades", None, 32),
        ("private_trades", None, 32),
        ("activity", None, 7),
        ("ohlcv", (30, "minute"), 92),
        ("ohlcv", (4, "hour"), 92),
        ("ohlcv", (1, "day"), 1827),
        ("order_book", (1, "hour"), 60),
        ("order_book_top", (1, "minute"), 60),
    ],
)
def test_a_request_spans_so_many_days_and_a_query_any_number(
    name: str, interval: tuple[int, str] | None, days: int
) -> None:
    changes: dict[str, Any] = {"from_": at("2023-04-10"), "until": at("2023-04-10") + days * DAY}
    if interval is not None:
        changes |= dict(zip(("interval", "interval_unit"), interval, strict=True))
    ask(name, **changes)
    changes["until"] += DAY
    sentence = refusal(name, "until", **changes)
    assert f"range of {days + 1} days exceeds the {days} days of /" in sentence
    ask(name, **changes, whole=True)


def test_a_second_too_long_is_told() -> None:
    sentence = refusal("trades", "until", until="2024-04-05T00:00:01")
    assert "range of 32 days and 0:00:01 exceeds the 32 days of /trades" in sentence


@pytest.mark.parametrize("name", ["order_book", "order_book_top"])
def test_a_book_has_so_many_points(name: str) -> None:
    most = endpoint_named(name).limits.max_points
    assert most is not None
    span: dict[str, Any] = {
        "from_": at("2024-03-04"),
        "until": at("2024-03-04") + 7 * most * SECOND,
    }
    every: dict[str, Any] = {"interval": 7, "interval_unit": "second"}
    ask(name, **every, **span)
    span["until"] += SECOND
    sentence = refusal(name, "until", **every, **span)
    assert f"range of {most + 1} points at an interval of 7s exceeds the {most}" in sentence
    ask(name, **every, **span, whole=True)


@pytest.mark.parametrize(("count", "unit"), [(2, "hour"), (1, "second"), (3, "month"), (2, "day")])
def test_candles_have_few_intervals(count: int, unit: str) -> None:
    sentence = refusal("ohlcv", "interval", interval=count, interval_unit=unit)
    assert "use one of 1m, 5m, 15m, 30m, 1h, 4h, 1d, 7d, 1mo" in sentence


def test_books_have_any_number_of_seconds_minutes_or_hours() -> None:
    ask("order_book", interval=77, interval_unit="second")
    sentence = refusal("order_book", "interval", interval_unit="day")
    assert "any number of seconds, any number of minutes, any number of hours" in sentence
    assert "is unknown" in refusal("order_book", "interval", interval_unit="week")


@pytest.mark.parametrize(
    ("count", "unit", "from_", "until", "wrong"),
    [
        (5, "minute", "2024-03-04T00:05", "2024-03-04T00:10", None),
        (5, "minute", "2024-03-04T00:06", "2024-03-04T00:10", "from_"),
        (4, "hour", "2024-03-04T04", "2024-03-04T08", None),
        (4, "hour", "2024-03-04T04", "2024-03-04T09", "until"),
        (7, "day", "2024-03-05", "2024-03-07", None),
        (7, "day", "2024-03-05", "2024-03-07T12", "until"),
        (1, "month", "2024-03", "2024-06", None),
        (1, "month", "2024-03-02", "2024-06", "from_"),
    ],
)
def test_candles_start_and_end_on_their_grid(
    count: int, unit: str, from_: str, until: str, wrong: str | None
) -> None:
    changes: dict[str, Any] = {"interval": count, "interval_unit": unit}
    changes |= {"from_": from_, "until": until}
    if wrong is None:
        ask("ohlcv", **changes)
    else:
        assert "is not aligned to the interval" in refusal("ohlcv", wrong, **changes)


def test_a_time_off_the_grid_is_told_those_beside_it() -> None:
    sentence = refusal("ohlcv", "from_", from_="2024-03-04T00:30")
    assert sentence.endswith("use 2024-03-04T00:00:00Z or 2024-03-04T01:00:00Z")


def test_books_start_anywhere() -> None:
    ask("order_book", interval=4, interval_unit="hour", from_="2024-03-04T00:00:01")


def test_activity_and_snapshots_resolve_minutes() -> None:
    ask("activity", from_="2024-03-04T00:01")
    sentence = refusal("activity", "until", until="2024-03-06T00:01:30")
    assert "finer than the minute that /trades/activity resolves" in sentence
    assert sentence.endswith("leave out the seconds: 2024-03-06T00:01:00Z")
    refusal("snapshots", "at", at="2024-03-04T00:00:01")


def test_activity_begins_on_a_day() -> None:
    ask("activity", from_="2023-04-10", until="2023-04-11")
    sentence = refusal("activity", "from_", from_="2023-04-09T23:59", until="2023-04-11")
    assert "from_ 2023-04-09T23:59:00Z lies before 2023-04-10" in sentence


# --- Where the data ends


def test_a_time_after_the_end_of_the_data_is_told_the_way_out() -> None:
    ask("trades", latest="2024-03-06")
    sentence = refusal("trades", "until", latest="2024-03-05")
    assert "until 2024-03-06T00:00:00Z lies after 2024-03-05T00:00:00Z, where the data" in sentence
    assert "leave until out" in sentence
    assert "intraday=True (TRAYPORT_INTRADAY)" in sentence
    refusal("trades", "from_", latest="2024-03-03")
    refusal("snapshots", "at", at="2024-03-05T00:01", latest="2024-03-05")
    refusal("trades", "until", latest="2024-03-05", whole=True)


def test_own_trades_need_no_right_to_the_current_day() -> None:
    assert "intraday" not in refusal("private_trades", "until", latest="2024-03-05")


@pytest.mark.parametrize(
    ("name", "intraday", "end", "latest"),
    [
        ("trades", False, "2024-05-02T00:00:00Z", "2024-05-02T00:00:00Z"),
        ("trades", True, "2024-05-02T09:30:15Z", "2024-05-03T00:00:00Z"),
        ("private_trades", False, "2024-05-02T09:30:15Z", "2024-05-03T00:00:00Z"),
        ("activity", True, "2024-05-02T09:30:00Z", "2024-05-03T00:00:00Z"),
        ("snapshots", False, "2024-05-02T00:00:00Z", "2024-05-02T00:00:00Z"),
    ],
)
def test_data_ends_with_the_day_before_or_now(
    name: str, intraday: bool, end: str, latest: str
) -> None:
    endpoint = endpoint_named(name)
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    for now in (NOW, tokyo):
        assert to_text(build.end_of_data(endpoint, now, intraday=intraday)) == end
        found = build.last_instant(endpoint, now, intraday=intraday)
        assert found is not None
        assert to_text(found) == latest


def test_reference_data_has_no_end() -> None:
    assert build.last_instant(ENDPOINTS["get_markets"], NOW, intraday=False) is None


@given(st.sampled_from(sorted(NEEDED)), st.datetimes(datetime(1971, 1, 1)), st.booleans())
def test_the_end_of_the_data_may_always_be_asked_for(
    name: str, moment: datetime, intraday: bool
) -> None:
    endpoint, now = endpoint_named(name), moment.replace(tzinfo=UTC)
    end = build.end_of_data(endpoint, now, intraday=intraday)
    latest = build.last_instant(endpoint, now, intraday=intraday)
    assert latest is not None
    assert end <= latest
    assert instant(to_text(end), "until") == end


# --- History that is not there yet


def test_a_range_before_some_orders_says_which_begin_when() -> None:
    book = endpoint_named("order_book")
    sentence = build.missing_history(book, at("2020-06"), include_private=False)
    assert sentence is not None
    assert sentence.startswith("/orders/book from 2020-06-01T00:00:00Z lacks orders")
    assert sentence.endswith("EPEX, GMEG, GMEP, IDEX, MIBG, NDAQ, NODX from 2021-02-01")
    private = build.missing_history(book, at("2020-06"), include_private=True)
    assert private == f"{sentence}; private orders from {PRIVATE_ORDERS_FROM}"


def test_every_venue_is_missed_before_all_history() -> None:
    book = endpoint_named("order_book_top")
    sentence = build.missing_history(book, at("2019"), include_private=False) or ""
    assert "brokers from 2020-01-31" in sentence
    exchanges = [venue.code for venue in VENUES.values() if venue.kind == "exchange"]
    assert [code for code in exchanges if code not in sentence] == []


def test_nothing_is_missing_once_all_histories_have_begun() -> None:
    begun = instant(max(venue.orders_from for venue in VENUES.values()), "begun")
    book = endpoint_named("order_book")
    assert build.missing_history(book, begun, include_private=True) is None
    assert build.missing_history(book, begun - DAY, include_private=False) is not None


@pytest.mark.parametrize("name", ["trades", "ohlcv", "snapshots", "activity"])
def test_only_order_books_miss_orders(name: str) -> None:
    assert build.missing_history(endpoint_named(name), 0, include_private=True) is None


# --- Options


def test_options_that_are_left_out_stay_out() -> None:
    for name in NEEDED:
        assert build.chosen_options(endpoint_named(name)) == Options()


@pytest.mark.parametrize("field", TRADES.optional_fields)
def test_an_optional_field_is_known_in_every_spelling(field: str) -> None:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    for spelling in (field, field.upper(), field.lower(), snake, snake.upper()):
        for given_as in (spelling, [spelling]):
            assert build.chosen_options(TRADES, optional_fields=given_as).optional_fields == (
                field,
            )


def test_optional_fields_come_once_and_in_the_order_asked_for() -> None:
    found = build.chosen_options(TRADES, optional_fields=["route", "contract", "ROUTE"])
    assert found.optional_fields == ("route", "contract")


def refused_option(endpoint: Endpoint, **chosen: Any) -> str:
    (name,) = chosen
    with pytest.raises(TrayportValidationError) as refused:
        build.chosen_options(endpoint, **chosen)
    assert refused.value.parameter == name
    return str(refused.value)


@pytest.mark.parametrize("field", ["vwap", "", None, 7])
def test_an_unknown_optional_field_lists_the_known_ones(field: Any) -> None:
    assert "it has contract, route, route_id" in refused_option(TRADES, optional_fields=[field])


@pytest.mark.parametrize(
    ("given_as", "routes"),
    [
        ("Trayport", ("Trayport",)),
        (3, ("3",)),
        (np.int64(3), ("3",)),
        ("ALL", ("all",)),
        (["London, Main Desk", 2, 2], ("London, Main Desk", "2")),
        (None, ()),
    ],
)
def test_routes_are_named_by_name_or_id_or_all_at_once(given_as: Any, routes: Any) -> None:
    assert build.chosen_options(TRADES, routes=given_as).routes == routes


@pytest.mark.parametrize("routes", ["", " ", [], [None], [1.5], True, b"all"])
def test_what_is_no_route_is_refused(routes: Any) -> None:
    refused_option(TRADES, routes=routes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("include_private", 1),
        ("include_private", None),
        ("deduplicate_routes", "no"),
        ("depth", 0),
        ("depth", 1.5),
        ("depth", True),
        ("max_spread", 0),
        ("max_spread", float("nan")),
        ("max_spread", "1"),
    ],
)
def test_an_option_of_the_wrong_kind_or_out_of_bounds_is_refused(name: str, value: Any) -> None:
    refused_option(endpoint_named("order_book"), **{name: value})


def test_numbers_become_plain_ones() -> None:
    chosen = build.chosen_options(endpoint_named("order_book"), depth=np.int64(5), max_spread=1)
    assert chosen == Options(depth=5, max_spread=1.0)
    assert (type(chosen.depth), type(chosen.max_spread)) == (int, float)


@pytest.mark.parametrize(
    ("name", "option", "value", "having"),
    [
        ("trades", "depth", 10, "/orders/book"),
        ("trades", "include_empty_buckets", True, "/trades/ohlcv"),
        ("ohlcv", "routes", "all", "/trades"),
        ("activity", "deduplicate_routes", False, "/trades"),
        ("private_trades", "include_private", True, "/trades"),
        ("snapshots", "optional_fields", "route", "/trades"),
        ("order_book", "trading_items", 5, "/snapshots"),
    ],
)
def test_an_option_that_an_endpoint_does_not_have_says_which_do(
    name: str, option: str, value: Any, having: str
) -> None:
    sentence = refused_option(endpoint_named(name), **{option: value})
    assert f"{option} is not an option of {endpoint_named(name).path}: it is one of" in sentence
    assert having in sentence.partition("it is one of")[2]


# --- Lists of contracts


@pytest.mark.parametrize("given_as", [APRIL, [APRIL], (APRIL,), {APRIL}])
def test_one_contract_or_several_are_listed(given_as: Any) -> None:
    assert listed(given_as) == [APRIL]


@pytest.mark.parametrize("given_as", [None, 7, [], [None], [APRIL, 244]])
def test_what_is_no_contract_is_refused(given_as: Any) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        listed(given_as)
    assert refused.value.parameter == "contracts"
