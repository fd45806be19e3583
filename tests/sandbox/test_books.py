import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_spec import VENUES

from tests.sandbox.market import (
    GAS_MONTHS,
    GERMANY_CALENDAR,
    ILLIQUID,
    TRADED,
    TTF,
    TTF_EEX,
    TTF_OCTOBER,
    TTF_OTC,
    at,
    contract,
    day,
    engine,
    every,
)
from trayport_sdk.sandbox.calendar import DAY, HOUR, MINUTE, SECOND
from trayport_sdk.sandbox.catalogue import catalogue
from trayport_sdk.sandbox.contract import Contract
from trayport_sdk.sandbox.engine import ROUTES, VENUE_CODES, Book, Engine
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.venues import sends_orders_on

Order = tuple[object, ...]


def orders_by_point(book: Book) -> list[list[Order]]:
    columns = (
        book.side,
        book.price,
        book.quantity,
        book.hidden_quantity,
        book.venue,
        book.instrument_id,
        book.routes,
        book.own,
        book.order_id,
        book.created,
    )
    grouped: list[list[Order]] = [[] for _ in book.times]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for point, order in zip(book.point.tolist(), rows, strict=True):
        grouped[point].append(order)
    return grouped


def on_route(book: Book, route: int) -> Book:
    mask = (book.routes >> (route - 1)) & 1 == 1
    columns = {
        name: getattr(book, name)[mask]
        for name in ("point", "side", "price", "instrument_id", "routes", "created")
    }
    return evolve(book, **columns)


def best(book: Book, side: int) -> tuple[I64, I64, I64]:
    """Points with orders on the side, the best price there, and how many orders have it."""
    rows = book.side == side
    points, first = np.unique(book.point[rows], return_index=True)
    price = book.price[rows]
    top = np.zeros(len(book.times), np.int64)
    top[points] = price[first]
    counts = np.bincount(book.point[rows][price == top[book.point[rows]]], minlength=len(top))
    return points.astype(np.int64), price[first], counts[points]


instants = st.integers(at("2024-09-02"), at("2024-09-07"))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(TRADED), st.lists(instants, min_size=1, max_size=12))
def test_a_book_does_not_depend_on_how_it_is_sampled(traded: Contract, moments: list[int]) -> None:
    together = orders_by_point(engine().book(traded, np.array(moments)))
    alone = [orders_by_point(Engine(seed=1).book(traded, np.array([moments[0]])))[0]]
    alone += [orders_by_point(engine().book(traded, np.array([m])))[0] for m in moments[1:]]
    assert together == alone


@pytest.mark.parametrize("traded", TRADED)
def test_bids_are_below_asks_best_first_and_the_best_is_one_order(traded: Contract) -> None:
    book = engine().book(traded, every(97 * SECOND, "2024-09-02", "2024-09-05"))
    assert len(book) > 0
    (bid_points, bids, bid_counts), (ask_points, asks, ask_counts) = best(book, 0), best(book, 1)
    _, bid_rows, ask_rows = np.intersect1d(bid_points, ask_points, return_indices=True)
    assert (bids[bid_rows] < asks[ask_rows]).all()
    assert (bid_counts == 1).all()
    assert (ask_counts == 1).all()
    same_side = (np.diff(book.point) == 0) & (np.diff(book.side) == 0)
    worse = np.diff(book.price) * np.where(book.side[1:] == 0, -1, 1)
    assert (worse[same_side] >= 0).all()
    assert (np.diff(book.created)[same_side & (worse == 0)] > 0).all()


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_has_a_single_best_order(route: int) -> None:
    whole = engine().book(TTF_OCTOBER, every(97 * SECOND, "2024-09-02", "2024-09-05"))
    book = on_route(whole, route)
    for side in (0, 1):
        points, _, counts = best(book, side)
        assert len(points) > 100
        assert (counts == 1).all()


def test_deeper_levels_of_brokers_hold_several_orders() -> None:
    book = engine().book(
        TTF_OCTOBER.with_instrument(TTF_OTC), every(HOUR, "2024-09-02", "2024-09-07")
    )
    same_level = (np.diff(book.point) == 0) & (np.diff(book.side) == 0) & (np.diff(book.price) == 0)
    assert same_level.sum() > 10


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([c for c in TRADED if c.product == "market"]), instants)
def test_the_book_of_a_market_is_the_union_of_its_instruments(
    traded: Contract, moment: int
) -> None:
    times = moment + np.arange(0, 5 * MINUTE, 20 * SECOND)
    market = orders_by_point(engine().book(traded, times))
    parts = [
        orders_by_point(engine().book(traded.with_instrument(number), times))
        for number in catalogue().markets[traded.product_id].instrument_ids
    ]
    for n, orders in enumerate(market):
        assert sorted(map(str, orders)) == sorted(str(order) for part in parts for order in part[n])


def test_an_order_stays_as_it_is_while_it_stands() -> None:
    book = engine().book(TTF_OCTOBER, every(SECOND, "2024-09-03T09:00", "2024-09-03T09:10"))
    facts: dict[object, Order] = {}
    for point, orders in enumerate(orders_by_point(book)):
        for order in orders:
            *fact, order_id, created = order
            assert facts.setdefault(order_id, (*fact, created)) == (*fact, created)
            assert isinstance(created, int)
            assert created <= int(book.times[point])
    assert len(facts) > 100


def test_exchanges_that_aggregate_show_one_order_per_price() -> None:
    book = engine().book(
        TTF_OCTOBER.with_instrument(TTF_EEX), every(MINUTE, "2024-09-02", "2024-09-05")
    )
    assert all(VENUES[VENUE_CODES[venue]].aggregated_book for venue in set(book.venue.tolist()))
    keys = list(zip(book.point.tolist(), book.side.tolist(), book.price.tolist(), strict=True))
    assert len(keys) == len(set(keys))


def test_outside_trading_hours_there_are_no_orders() -> None:
    saturday = every(HOUR, "2024-09-07", "2024-09-09")
    night = np.array([at("2024-09-03T05:59:59"), at("2024-09-03T16:00"), at("2024-09-03T23:00")])
    assert len(engine().book(TTF_OCTOBER, saturday)) == 0
    assert len(engine().book(TTF_OCTOBER, night)) == 0


def test_a_liquid_book_is_deep_and_an_illiquid_one_often_has_one_side() -> None:
    times = every(MINUTE, "2024-09-03T07:00", "2024-09-03T15:00")
    liquid = engine().book(TTF_OCTOBER, times)
    assert len(liquid) / len(times) > 20
    thin = engine().book(ILLIQUID, times)
    both = np.intersect1d(thin.point[thin.side == 0], thin.point[thin.side == 1])
    assert 0 < len(both) < 0.8 * len(times)


def test_orders_start_with_the_history_of_their_venue() -> None:
    january = contract("market", TTF, GAS_MONTHS, "Mar-20")
    assert len(engine().book(january, every(HOUR, "2020-01-28", "2020-01-31"))) == 0
    for date in ("2020-01-31", "2020-02-04"):
        book = engine().book(january, at(date) + np.arange(0, DAY, HOUR))
        assert len(book) > 0
        codes = {VENUE_CODES[venue] for venue in set(book.venue.tolist())}
        assert all(sends_orders_on(code, day(date)) for code in codes)


def test_some_orders_are_yours_and_some_of_these_hide_quantity() -> None:
    book = engine().book(TTF_OCTOBER, every(MINUTE, "2024-09-02", "2024-09-07"))
    assert 0.005 < book.own.mean() < 0.1
    hidden = book.hidden_quantity > 0
    assert hidden.any()
    assert book.own[hidden].all()
    before_history = contract("market", TTF, GAS_MONTHS, "Dec-20")
    assert not engine().book(before_history, every(HOUR, "2020-11-02", "2020-11-07")).own.any()


def test_the_last_trade_is_near_the_book() -> None:
    moment = at("2024-09-03T10:00:30")
    book = engine().book(TTF_OCTOBER, np.array([moment]))
    last = engine().last_trade(TTF_OCTOBER, moment, lookback_days=1)
    assert abs(book.price - last.price[0]).min() <= 50


def test_unsorted_and_repeated_instants_keep_their_places() -> None:
    late, early = at("2024-09-04T10:00"), at("2024-09-03T10:00")
    book = orders_by_point(engine().book(GERMANY_CALENDAR, np.array([late, early, late])))
    assert book[0] == book[2]
    assert book[0] != book[1]
    assert len(engine().book(GERMANY_CALENDAR, np.array([], np.int64))) == 0
