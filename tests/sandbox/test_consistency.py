"""Whatever way the market is looked at, it is the same market."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_spec import VENUES

from tests.sandbox.asking import (
    APRIL_2024,
    INSTRUMENT,
    MARKET,
    MAY_2024,
    MONTH,
    SEQUENCE,
    Asker,
    Query,
    at,
)
from trayport_sdk.sandbox import Sandbox

Row = dict[str, Any]

DAY = {"from": "2024-03-04", "until": "2024-03-05"}
EVERYTHING = {"routes": "all", "optionalFields": "routeId,contract", "includePrivate": "true"}
SOME = settings(max_examples=8)

ask = Asker()
inclusive = Asker(Sandbox(limits=False, until_inclusive=True))


def text(second: int) -> str:
    return f"2024-03-04T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


seconds = st.integers(7 * 3600, 18 * 3600)
minutes = st.integers(7 * 60, 18 * 60).map(lambda minute: minute * 60)


@SOME
@given(cuts=st.lists(seconds, max_size=4))
def test_slices_of_a_range_add_up_to_the_whole(cuts: list[int]) -> None:
    query: Query = {**MONTH, "sequenceItemId": f"{APRIL_2024},{MAY_2024}", **EVERYTHING}
    for path in ("/trades", "/trades/private"):
        shared: Query = query if path == "/trades" else {"routes": "all", "marketId": MARKET}
        whole = ask.rows(path, {**shared, **DAY})
        edges = [DAY["from"], *map(text, sorted(set(cuts))), DAY["until"]]
        parts = [
            ask.rows(path, {**shared, "from": start, "until": end})
            for start, end in pairwise(edges)
        ]
        assert [row for part in parts for row in part] == whole


def test_an_inclusive_end_adds_exactly_the_rows_stamped_at_it() -> None:
    whole = ask.rows("/trades", {**MONTH, **DAY})
    on_second = next(r["dealDate"] for r in whole[10:] if r["dealDate"] % 10**9 == 0)
    second = (on_second - at("2024-03-04")) // 10**9
    query = {**MONTH, "from": "2024-03-04", "until": text(second)}
    assert ask.rows("/trades", query) == [r for r in whole if r["dealDate"] < on_second]
    assert inclusive.rows("/trades", query) == [r for r in whole if r["dealDate"] <= on_second]
    for path in ("/trades/ohlcv", "/orders/book/top"):
        bars: Query = {**MONTH, "from": "2024-03-04", "until": "2024-03-04T12"}
        bars |= {"interval": 1, "intervalUnit": "hour"}
        plain, more = ask.rows(path, bars), inclusive.rows(path, bars)
        assert more[:-1] == plain
        stamp = more[-1].get("fromTimestamp", more[-1].get("timestamp"))
        assert stamp == at("2024-03-04T12")


def key(row: Row) -> tuple[object, ...]:
    return row["dealDate"], row["venueCode"], row["tradeId"], row["price"], row["quantity"]


@pytest.mark.parametrize("item", [APRIL_2024, APRIL_2024 + 3])
def test_a_market_is_the_union_of_its_instruments(item: int) -> None:
    month: Query = {**MONTH, "sequenceItemId": item, **DAY}
    del month["marketId"]
    market = ask.rows("/trades", {**month, "marketId": MARKET})
    name = ask.reference(f"/markets/{MARKET}").json()["name"]
    instruments = [
        row["id"]
        for row in ask.reference("/instruments").json()
        if row["name"] == name or row["name"].startswith(f"{name} ")
    ]
    assert INSTRUMENT in instruments
    union = [
        row
        for number in instruments
        for row in ask.rows("/trades", {**month, "instrumentId": number})
    ]
    assert sorted(map(key, union)) == sorted(map(key, market))


def test_a_batch_is_the_union_of_its_items() -> None:
    items = [APRIL_2024 + n for n in range(6)]
    batch = ask.rows(
        "/trades", {**MONTH, **DAY, "sequenceItemId": items, "optionalFields": "contract"}
    )
    assert [row["dealDate"] for row in batch] == sorted(row["dealDate"] for row in batch)
    for item in items:
        alone = ask.rows("/trades", {**MONTH, **DAY, "sequenceItemId": item})
        mine = [row for row in batch if row["contract"]["sequenceItemId"] == item]
        assert [{k: v for k, v in row.items() if k != "contract"} for row in mine] == alone


@SOME
@given(hours=st.tuples(st.integers(6, 18), st.integers(6, 18)), count=st.sampled_from([5, 15, 30]))
def test_candles_agree_with_trades(hours: tuple[int, int], count: int) -> None:
    first, last = min(hours), max(hours) + 1
    query = {**MONTH, "from": text(first * 3600), "until": text(last * 3600)}
    trades = ask.rows("/trades", query)
    bars = ask.rows(
        "/trades/ohlcv",
        {**query, "interval": count, "intervalUnit": "minute"},
        optionalFields="vwap,openTimestamp,closeTimestamp",
        includeEmptyBuckets="true",
    )
    for bar in bars:
        inside = [t for t in trades if bar["fromTimestamp"] <= t["dealDate"] < bar["toTimestamp"]]
        prices = [trade["price"] for trade in inside]
        assert bar["volume"] == pytest.approx(sum(trade["quantity"] for trade in inside))
        if not inside:
            assert bar["open"] is bar["close"] is bar["vwap"] is bar["openTimestamp"] is None
            continue
        assert (bar["open"], bar["close"]) == (prices[0], prices[-1])
        assert (bar["high"], bar["low"]) == (max(prices), min(prices))
        assert bar["low"] - 1e-9 <= bar["vwap"] <= bar["high"] + 1e-9
        assert (bar["openTimestamp"], bar["closeTimestamp"]) == (
            inside[0]["dealDate"],
            inside[-1]["dealDate"],
        )
    assert sum(bar["volume"] for bar in bars) == pytest.approx(sum(t["quantity"] for t in trades))


@SOME
@given(second=seconds)
def test_the_last_trade_agrees_with_trades(second: int) -> None:
    before = ask.rows("/trades", {**MONTH, "from": "2024-03-01", "until": text(second)})
    (last,) = ask.rows("/trades/last", {**MONTH, "at": text(second)})
    assert (last["price"], last["dealDate"]) == (before[-1]["price"], before[-1]["dealDate"])


def test_nothing_traded_is_an_empty_list() -> None:
    far = {**MONTH, "sequenceItemId": APRIL_2024, "at": "2012-01-01"}
    assert ask.rows("/trades/last", far) == []


@SOME
@given(second=minutes)
def test_snapshots_agree_with_last_trades_and_top_of_book(second: int) -> None:
    items = [APRIL_2024, MAY_2024, APRIL_2024 + 5]
    query = {**MONTH, "sequenceItemId": items, "at": text(second)}
    document = ask.analytics("/snapshots", query).json()
    assert document["timestamp"] == at("2024-03-04") + second * 10**9
    assert [s["contract"]["sequenceItemId"] for s in document["snapshots"]] == items
    for item, snapshot in zip(items, document["snapshots"], strict=True):
        one = {**MONTH, "sequenceItemId": item}
        last = ask.rows("/trades/last", {**one, "at": text(second)})
        assert snapshot["lastTrade"] == (last[0] if last else None)
        point = {"from": text(second), "until": text(second + 1)}
        top = ask.rows(
            "/orders/book/top",
            {**one, **point, "interval": 1, "intervalUnit": "second"},
            includeEmptyBuckets="true",
        )
        del top[0]["timestamp"]
        assert snapshot["bestOrders"] == top[0]


@SOME
@given(cut=minutes)
def test_activity_adds_up_and_agrees_with_trades(cut: int) -> None:
    more = {"routes": "all", "optionalFields": "routeId,updateCount,deleteCount"}

    def counted(start: str, end: str) -> dict[tuple[object, ...], list[int]]:
        rows = ask.rows("/trades/activity", {"from": start, "until": end, **more})
        return {
            (
                row["instrumentId"],
                row["sequenceId"],
                row["sequenceItemId"],
                row["secondSequenceItemId"],
                row["contractType"],
                row["routeId"],
            ): [row["count"], row["updateCount"], row["deleteCount"]]
            for row in rows
        }

    whole = counted("2024-03-04", "2024-03-05")
    parts = [counted("2024-03-04", text(cut)), counted(text(cut), "2024-03-05")]
    for contract in whole:
        sums = [part.get(contract, [0, 0, 0]) for part in parts]
        assert [a + b for a, b in zip(*sums, strict=True)] == whole[contract]
    assert set(whole) == set(parts[0]) | set(parts[1])
    month = {**MONTH, "until": text(cut), "from": "2024-03-04"}
    del month["marketId"]
    month["instrumentId"] = INSTRUMENT
    for route in (1, 2):
        trades = ask.rows("/trades", {**month, "routes": route})
        contract = (INSTRUMENT, SEQUENCE, APRIL_2024, None, "SinglePeriod", route)
        assert parts[0].get(contract, [0])[0] == len(trades)


@SOME
@given(second=seconds, count=st.integers(1, 90), routes=st.sampled_from([None, "2", "all"]))
def test_the_top_agrees_with_the_book(second: int, count: int, routes: str | None) -> None:
    query = {**MONTH, "from": text(second), "until": text(second + 40 * count)}
    query |= {"interval": count, "intervalUnit": "second", "optionalFields": "venueCode"}
    if routes is not None:
        query["routes"] = routes
    books = ask.rows("/orders/book", query)
    tops = ask.rows("/orders/book/top", query)
    assert [top["timestamp"] for top in tops] == [book["timestamp"] for book in books]
    for top, book in zip(tops, books, strict=True):
        for side, orders in (("bid", book["bids"]), ("ask", book["asks"])):
            best = orders[0] if orders else {"price": None, "quantity": None, "venueCode": None}
            assert top[f"{side}Price"] == best["price"]
            assert top[f"{side}Quantity"] == best["quantity"]
            assert top[f"{side}VenueCode"] == best["venueCode"]
            prices = [order["price"] for order in orders]
            assert prices == sorted(prices, reverse=side == "bid")


@SOME
@given(depth=st.integers(1, 12), percent=st.sampled_from([None, 0.05, 0.2, 1.0]))
def test_depth_and_spread_cut_the_book_and_change_nothing_else(
    depth: int, percent: float | None
) -> None:
    query: Query = {**MONTH, **DAY, "interval": 1, "intervalUnit": "hour"}
    whole = ask.rows("/orders/book", query, depth=1000)
    if percent is not None:
        query["maxSpread"] = percent
    cut = ask.rows("/orders/book", query, depth=depth)
    assert len(cut) == len(whole)
    for few, many in zip(cut, whole, strict=True):
        for side in ("bids", "asks"):
            orders = many[side]
            if percent is not None and orders:
                widest = abs(orders[0]["price"]) * percent / 100
                orders = [
                    o for o in orders if abs(o["price"] - many[side][0]["price"]) <= widest + 1e-9
                ]
            assert few[side] == orders[:depth]


def test_own_orders_carry_their_details_and_stand_twice_where_feeds_are_separate() -> None:
    query = {**MONTH, **DAY, "interval": 10, "intervalUnit": "minute", "depth": 50}
    query |= {"optionalFields": "venueCode"}
    plain = ask.rows("/orders/book", query)
    mixed = ask.rows("/orders/book", query, includePrivate="true")
    own = [o for book in mixed for o in (*book["bids"], *book["asks"]) if "privateFields" in o]
    assert own
    assert {"clientOrderId" in order["privateFields"] for order in own} == {True, False}
    for book, other in zip(plain, mixed, strict=True):
        for side in ("bids", "asks"):
            private = [order for order in other[side] if "privateFields" in order]
            twice = [o for o in private if VENUES[o["venueCode"]].separate_feeds]
            assert len(other[side]) == len(book[side]) + len(twice)
            shown = [{k: v for k, v in o.items() if k != "privateFields"} for o in other[side]]
            for order in twice:
                del order["privateFields"]
                shown.remove(order)
            assert shown == book[side]


def test_seeds_are_different_worlds_and_the_same_seed_the_same() -> None:
    query = {**MONTH, **DAY}
    first = Asker(Sandbox(limits=False, seed=1)).rows("/trades", query)
    assert first == Asker(Sandbox(limits=False, seed=1)).rows("/trades", query)
    assert first != ask.rows("/trades", query)
