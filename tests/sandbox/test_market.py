"""The made-up market: plausible prices, trading and reference data, seen through the API."""

import datetime as dt
from functools import cache
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from trayport_spec import VENUES

from tests.sandbox.asking import INSTRUMENT, MARKET, MONTH, SEQUENCE, Asker, at
from trayport_sdk.sandbox import Sandbox

Query = dict[str, Any]

EUA, GERMANY = 10_000_016, 10_001_126
EMISSIONS, PROMPT, YEARS = 10_000_400, 10_000_302, 10_000_309
SECOND, MINUTE, HOUR, DAY = 10**9, 60 * 10**9, 3600 * 10**9, 86_400 * 10**9

ask = Asker(Sandbox(limits=False, range_limits=False))


@cache
def items(sequence_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask.reference(
        f"/sequences/{sequence_id}/sequenceItems", {"startDate": "2005", "count": 100_000}
    ).json()
    return found


def item(sequence_id: int, name: str) -> int:
    return next(int(row["id"]) for row in items(sequence_id) if row["name"] == name)


def trades(start: str, until: str, market: int = MARKET, **more: Any) -> list[dict[str, Any]]:
    contract: Query = {**MONTH, "marketId": market, "from": start, "until": until}
    return ask.rows("/trades", contract, **more)


def of_month(name: str, start: str, until: str) -> list[dict[str, Any]]:
    return trades(start, until, sequenceItemId=item(SEQUENCE, name))


def test_there_are_14200_instruments_and_no_two_have_the_same_name() -> None:
    instruments = {row["id"]: row["name"] for row in ask.reference("/instruments").json()}
    assert len(instruments) == len(set(instruments.values())) == 14_200
    known = {
        INSTRUMENT: "TTF Hi Cal 51.6 EEX",
        10_002_096: "TTF Hi Cal 51.6",
        10_003_008: "EUA EEX",
        10_003_007: "EUA ICE ENDEX",
        GERMANY: "Germany Baseload",
    }
    assert {number: instruments[number] for number in known} == known
    markets = {row["id"]: row["name"] for row in ask.reference("/markets").json()}
    assert (markets[MARKET], markets[EUA]) == ("TTF Hi Cal 51.6", "EUA")


def test_the_known_sequences_and_items_have_their_numbers() -> None:
    sequences = {row["id"] - 10_000_000: row["name"] for row in ask.reference("/sequences").json()}
    known = {
        100: "Power - Days",
        104: "Power - Months",
        106: "Power - Years",
        302: "Gas - NG Prompt",
        305: "Gas - NG Months",
        306: "Gas - NG Quarters",
        307: "Gas - NG Seasons",
        309: "Gas - NG Years",
        400: "Emissions",
    }
    assert {number: sequences[number] for number in known} == known
    assert [item(SEQUENCE, name) for name in ("Apr-23", "Aug-26")] == [232, 272]
    assert [item(EMISSIONS, name) for name in ("Dec-23", "Dec-26")] == [710, 830]


@pytest.mark.parametrize("sequence", ask.reference("/sequences").json(), ids=lambda s: s["name"])
def test_items_of_every_sequence_reach_from_2005_to_2050(sequence: dict[str, Any]) -> None:
    found = items(sequence["id"])
    assert [row["id"] for row in found] == sorted({row["id"] for row in found})
    dated = [row for row in found if row["periodStart"] is not None]
    assert not dated or dated == found
    for row in dated:
        assert row["tradingStart"] < row["tradingEnd"] <= row["periodEnd"]
        assert row["periodStart"] < row["periodEnd"]
    starts = [row["periodStart"] for row in dated]
    assert starts == sorted(starts)
    if dated:
        assert starts[0] < "2007-01-01"
        assert dated[-1]["periodEnd"] > "2050-12-01"


@pytest.mark.parametrize(
    ("month", "low", "high"),
    [
        ("2020-06", 7.6, 8.0),
        ("2021-06", 25.0, 28.0),
        ("2022-06", 90.5, 92.5),
        ("2023-03", 33.0, 45.0),
        ("2024-06", 34.0, 40.0),
        ("2026-02", 53.0, 60.0),
    ],
)
def test_ttf_october_trades_where_it_did(month: str, low: float, high: float) -> None:
    prices = [t["price"] for t in of_month(f"Oct-{month[2:4]}", f"{month}-06", f"{month}-14")]
    assert len(prices) > 50
    assert low <= min(prices) <= max(prices) <= high


def test_gas_peaked_over_300_in_august_2022_and_emissions_stood_at_82_in_2026() -> None:
    peak = max(t["price"] for t in of_month("Sep-22", "2022-08-20", "2022-09-01"))
    assert 300 < peak < 360
    december: Query = {"sequenceId": EMISSIONS, "sequenceItemId": 830}
    prices = [t["price"] for t in trades("2026-08-03", "2026-08-08", EUA, **december)]
    assert 80.5 < min(prices) <= max(prices) < 83.5


def test_a_spread_is_the_difference_of_its_legs_and_moves_little_within_a_minute() -> None:
    legs = [of_month(name, "2024-09-09", "2024-09-11") for name in ("Oct-24", "Nov-24")]
    near, far = ([trade["price"] for trade in leg] for leg in legs)
    october = item(SEQUENCE, "Oct-24")
    second: Query = {"contractType": "Spread", "secondSequenceItemId": october + 1}
    spread = trades("2024-09-09", "2024-09-11", sequenceItemId=october, **second)
    prices = [trade["price"] for trade in spread]
    assert max(prices) < 0
    assert abs(sum(prices) / len(prices) - sum(near) / len(near) + sum(far) / len(far)) < 0.1
    for before, after in zip(legs[0], legs[0][1:], strict=False):
        if after["dealDate"] - before["dealDate"] < MINUTE:
            assert abs(after["price"] - before["price"]) < 0.15


@pytest.mark.parametrize("date", ["2020-06-03", "2022-08-24", "2024-06-05"])
def test_the_front_month_trades_two_to_four_thousand_times_a_day(date: str) -> None:
    until = (dt.date.fromisoformat(date) + dt.timedelta(1)).isoformat()
    bare = {name: value for name, value in MONTH.items() if name != "sequenceItemId"}
    query = {**bare, "from": date, "until": until, "tradingItems": 1}
    assert 2000 <= len(ask.rows("/trades", query)) <= 4000


@pytest.mark.parametrize(
    "closed", ["2024-01-01", "2024-03-29", "2024-04-01", "2023-12-25", "2024-06-01", "2005-03-25"]
)
def test_nobody_trades_on_holidays_and_weekends(closed: str) -> None:
    until = (dt.date.fromisoformat(closed) + dt.timedelta(1)).isoformat()
    bare = {name: value for name, value in MONTH.items() if name != "sequenceItemId"}
    query = {**bare, "from": closed, "until": until, "tradingItems": 3}
    assert ask.rows("/trades", query) == []
    hourly: Query = {"interval": 1, "intervalUnit": "hour", "sequenceItemId": 244}
    assert ask.rows("/orders/book/top", {**query, **hourly}) == []


@pytest.mark.parametrize("date", ["2024-01-15", "2024-07-15"])
def test_trading_hours_are_those_of_the_local_clock(date: str) -> None:
    until = (dt.date.fromisoformat(date) + dt.timedelta(1)).isoformat()
    bare = {name: value for name, value in MONTH.items() if name != "sequenceItemId"}
    rows = ask.rows("/trades", {**bare, "from": date, "until": until, "tradingItems": 1})
    times = [trade["dealDate"] for trade in rows]
    clock = [dt.datetime.fromtimestamp(t // SECOND, ZoneInfo("Europe/Amsterdam")) for t in times]
    assert times == sorted(times)
    assert {when.hour for when in clock} == set(range(8, 18))


def test_times_are_nanoseconds_some_of_them_whole_and_some_shared() -> None:
    times = [trade["dealDate"] for trade in of_month("Oct-24", "2024-09-02", "2024-09-07")]
    assert sum(time % 1000 != 0 for time in times) > 0.9 * len(times)
    for unit, least in ((SECOND, 0.02), (MINUTE, 0.01), (HOUR, 0.0005)):
        assert sum(time % unit == 0 for time in times) > least * len(times)
    assert sum(a == b for a, b in pairwise(times)) > 20


def test_quantities_are_positive_and_prices_on_the_tick() -> None:
    rows = of_month("Oct-24", "2024-09-02", "2024-09-07")
    assert min(row["quantity"] for row in rows) > 0
    assert 0.05 < sum(row["quantity"] % 1 != 0 for row in rows) / len(rows) < 0.3
    assert all(round(row["price"] * 1000) % 5 == 0 for row in rows)


def test_nothing_trades_after_the_last_trading_day_and_far_items_hardly() -> None:
    end = next(row for row in items(SEQUENCE) if row["name"] == "Oct-24")["tradingEnd"]
    last = dt.datetime.fromisoformat(end)
    before = (last - dt.timedelta(1)).strftime("%Y-%m-%d")
    assert len(of_month("Oct-24", before, f"{last:%Y-%m-%d}")) > 1000
    assert of_month("Oct-24", f"{last:%Y-%m-%d}", "2025-03-01") == []
    assert of_month("Oct-40", "2024-09-02", "2024-09-07") == []
    year: Query = {"sequenceId": YEARS, "sequenceItemId": item(YEARS, "Cal-29")}
    assert 0 < len(trades("2024-01-02", "2024-06-01", **year)) < 3000


def test_trade_ids_are_unique_together_with_the_venue() -> None:
    seen: set[tuple[str, str]] = set()
    total = 0
    contracts: list[Query] = [
        {},
        {"contractType": "Spread", "secondSequenceItemId": 245},
        {"contractType": "Range", "secondSequenceItemId": 246},
        {"sequenceItemId": 245},
        {"sequenceId": PROMPT, "sequenceItemId": 2},
    ]
    for contract in contracts:
        rows = trades("2024-03-04", "2024-03-20", **contract)
        seen |= {(row["tradeId"], row["venueCode"]) for row in rows}
        total += len(rows)
    assert len(seen) == total > 10_000


def test_eex_names_its_trades_like_eurex_does() -> None:
    eex = {"instrumentId": INSTRUMENT, "sequenceItemId": item(SEQUENCE, "Oct-24")}
    query: Query = {**MONTH, **eex, "from": "2024-06-03", "until": "2024-06-05"}
    del query["marketId"]
    assert ask.rows("/trades", query)[0]["tradeId"] == "Eurex T7/G3BM102024-20240603/1/1 Public"


@pytest.mark.slow  # half a market for three weeks
def test_every_venue_trades_something_at_some_time() -> None:
    unseen = set(VENUES)
    for market, year in product(ask.reference("/markets").json(), (2012, 2019, 2024)):
        if unseen:
            query: Query = {"from": f"{year}-05-06", "until": f"{year}-05-11", "tradingItems": 2}
            sequences = ask.reference(f"/markets/{market['id']}/sequences").json()
            contract = {
                "marketId": market["id"],
                "sequenceId": sequences[-1]["id"],
                "contractType": "SinglePeriod",
            }
            unseen -= {row["venueCode"] for row in ask.rows("/trades", {**contract, **query})}
    assert unseen == set()


def test_orders_reach_back_as_far_as_the_table_of_venues_says() -> None:
    hourly: Query = {"interval": 1, "intervalUnit": "hour", "optionalFields": "venueCode"}
    march: Query = {**MONTH, "sequenceItemId": item(SEQUENCE, "Mar-20"), **hourly}
    assert ask.rows("/orders/book", {**march, "from": "2020-01-28", "until": "2020-01-31"}) == []
    for start in ("2020-01-31", "2020-02-04"):
        until = start[:-1] + str(int(start[-1]) + 1) if start != "2020-01-31" else "2020-02-01"
        books = ask.rows("/orders/book", {**march, "from": start, "until": until})
        orders = [order for book in books for order in (*book["bids"], *book["asks"])]
        assert orders
        day = dt.date.fromisoformat(start)
        assert all(VENUES[order["venueCode"]].orders_from <= day for order in orders)


def test_a_liquid_book_is_deep_and_a_thin_one_often_has_one_side() -> None:
    day: Query = {"from": "2024-03-04T08:00", "until": "2024-03-04T15:00"}
    day |= {"interval": 1, "intervalUnit": "minute"}
    liquid = ask.rows("/orders/book", {**MONTH, **day})
    assert sum(len(book["bids"]) + len(book["asks"]) for book in liquid) > 15 * len(liquid)
    far: Query = {"sequenceId": YEARS, "sequenceItemId": item(YEARS, "Cal-29")}
    thin = ask.rows("/orders/book", {**MONTH, **far, **day})
    both = sum(bool(book["bids"] and book["asks"]) for book in thin)
    assert 0 < both < 0.8 * 7 * 60


def test_bids_are_below_asks_and_aggregated_books_have_one_order_per_price() -> None:
    query: Query = {**MONTH, "from": "2024-03-04T08:00", "until": "2024-03-04T12:00"}
    query |= {"interval": 13, "intervalUnit": "second", "optionalFields": "venueCode"}
    shared = 0
    for book in ask.rows("/orders/book", query):
        if book["bids"] and book["asks"]:
            assert book["bids"][0]["price"] < book["asks"][0]["price"]
        for side in ("bids", "asks"):
            prices = [order["price"] for order in book[side]]
            shared += len(prices) - len(set(prices))
            merged = [o for o in book[side] if VENUES[o["venueCode"]].aggregated_book]
            assert len({(o["venueCode"], o["price"]) for o in merged}) == len(merged)
    assert shared > 100


@pytest.mark.parametrize("start", ["2024-03-04T10:00", "2024-03-04T15:59"])
def test_a_book_does_not_depend_on_how_it_is_sampled(start: str) -> None:
    first = at(start)
    moments = [dt.datetime.fromtimestamp((first + n * MINUTE) // SECOND, dt.UTC) for n in range(8)]
    texts = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments]
    interval: Query = {"interval": 1, "intervalUnit": "minute", "includeEmptyBuckets": "true"}
    shown = {**MONTH, **interval}
    whole = ask.rows("/orders/book", {**shown, "from": texts[0], "until": texts[-1]})
    parts = [
        ask.rows("/orders/book", {**shown, "from": one, "until": until})
        for one, until in pairwise(texts)
    ]
    assert [row for part in parts for row in part] == whole
