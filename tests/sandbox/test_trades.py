from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.market import (
    EUA_DECEMBER,
    GAS_MONTHS,
    TRADED,
    TTF,
    TTF_EEX,
    TTF_OCTOBER,
    TTF_OTC,
    TTF_SPREAD,
    at,
    contract,
    day,
    engine,
)
from trayport_sdk.sandbox.calendar import DAY, HOUR, MINUTE, SECOND, is_business_day
from trayport_sdk.sandbox.catalogue import catalogue
from trayport_sdk.sandbox.contract import Contract
from trayport_sdk.sandbox.engine import ROUTES, VENUE_CODES, Engine
from trayport_sdk.sandbox.trades import Trades
from trayport_sdk.sandbox.venues import trades_on

MONDAY, FRIDAY = at("2024-09-02"), at("2024-09-07")
WEEK = st.integers(MONDAY, FRIDAY)
contracts = st.sampled_from(TRADED)


def rows_of(trades: Trades) -> list[tuple[object, ...]]:
    columns = (
        trades.time,
        trades.instrument_id,
        trades.venue,
        trades.number,
        trades.price,
        trades.quantity,
        trades.own,
        trades.routes,
        trades.last_updated,
        trades.aggressor_buy,
    )
    return list(zip(trades.trade_ids(), *(column.tolist() for column in columns), strict=True))


@settings(max_examples=40, deadline=None)
@given(contracts, st.lists(WEEK, min_size=2, max_size=6))
def test_any_slicing_of_a_range_adds_up_to_the_whole(traded: Contract, instants: list[int]) -> None:
    cuts = sorted(instants)
    whole = rows_of(engine().trades(traded, cuts[0], cuts[-1]))
    parts = [
        row for start, end in pairwise(cuts) for row in rows_of(engine().trades(traded, start, end))
    ]
    assert parts == whole


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([c for c in TRADED if c.product == "market"]), WEEK, WEEK)
def test_a_market_holds_exactly_the_trades_of_its_instruments(
    traded: Contract, start: int, end: int
) -> None:
    market = rows_of(engine().trades(traded, start, end))
    of_instruments = [
        row
        for number in catalogue().markets[traded.product_id].instrument_ids
        for row in rows_of(engine().trades(traded.with_instrument(number), start, end))
    ]
    assert sorted(of_instruments) == sorted(market)


@pytest.mark.parametrize("traded", TRADED)
def test_another_engine_of_the_same_seed_makes_the_same_trades(traded: Contract) -> None:
    fresh = Engine(seed=1)
    for start in (MONDAY + DAY, MONDAY):
        expected = engine().trades(traded, start, start + DAY)
        assert rows_of(fresh.trades(traded, start, start + DAY)) == rows_of(expected)


def test_another_seed_makes_other_trades() -> None:
    mine = engine().trades(TTF_OCTOBER, MONDAY, MONDAY + DAY)
    other = Engine(seed=2).trades(TTF_OCTOBER, MONDAY, MONDAY + DAY)
    assert len(mine) != len(other) or (mine.time != other.time).any()


@settings(max_examples=30, deadline=None)
@given(contracts, st.integers(day("2023-01-01"), day("2024-10-10")))
def test_the_count_is_the_number_of_trades_made(traded: Contract, number: int) -> None:
    trades = engine().trades(traded, number * DAY, (number + 1) * DAY)
    assert engine().count(traded, number) == len(trades)
    assert len(trades) == 0 or is_business_day(number)


@pytest.mark.parametrize("traded", TRADED)
def test_trades_happen_within_trading_hours_in_order_of_time(traded: Contract) -> None:
    trades = engine().trades(traded, MONDAY, FRIDAY)
    clock = trades.time % DAY
    assert (np.diff(trades.time) >= 0).all()
    # 08:00 to 18:00 in Amsterdam, in summer
    assert clock.min() >= 6 * HOUR
    assert clock.max() < 16 * HOUR


def test_times_are_nanoseconds_and_some_fall_on_whole_seconds_minutes_and_hours() -> None:
    times = engine().trades(EUA_DECEMBER, MONDAY, FRIDAY).time
    assert (times % 1000 != 0).mean() > 0.9
    for unit, least in ((SECOND, 0.02), (MINUTE, 0.01), (HOUR, 0.0005)):
        assert (times % unit == 0).mean() > least


def test_some_trades_of_an_instrument_share_their_time() -> None:
    times = engine().trades(TTF_OCTOBER.with_instrument(TTF_OTC), MONDAY, FRIDAY).time
    assert (np.diff(times) == 0).sum() > 20


def test_more_is_traded_at_the_ends_of_the_session_than_in_its_middle() -> None:
    hours = engine().trades(TTF_OCTOBER, MONDAY, FRIDAY).time % DAY // HOUR
    by_hour = np.bincount(hours, minlength=24)[6:16]
    assert by_hour[0] > 1.5 * by_hour[4]
    assert by_hour[-1] > 1.5 * by_hour[5]


def test_nothing_trades_after_the_last_trading_day() -> None:
    october = catalogue().item(GAS_MONTHS, TTF_OCTOBER.item_id)
    assert october is not None
    assert october.trading_end is not None
    last_day = engine().trades(TTF_OCTOBER, october.trading_end - DAY, october.trading_end)
    assert len(last_day) > 1000
    assert len(engine().trades(TTF_OCTOBER, october.trading_end, at("2025-06-01"))) == 0


@pytest.mark.parametrize("date", ["2020-06-03", "2022-08-24", "2024-06-05", "2026-08-05"])
def test_the_front_month_trades_two_to_four_thousand_times_a_day(date: str) -> None:
    front = catalogue().tradable_items(GAS_MONTHS, at(date), 1)[0]
    traded = Contract("market", TTF, GAS_MONTHS, front.id)
    assert 2000 <= engine().count(traded, day(date)) <= 4000


def test_quantities_are_positive_and_not_always_whole() -> None:
    quantity = engine().trades(TTF_OCTOBER, MONDAY, FRIDAY).quantity
    assert quantity.min() > 0
    assert 0.05 < (quantity % 1000 != 0).mean() < 0.3


def test_trade_ids_are_unique_together_with_the_venue() -> None:
    seen: set[tuple[str, int]] = set()
    total = 0
    for traded in TRADED:
        if traded.product == "instrument" and traded.product_id in {TTF_EEX, TTF_OTC}:
            continue
        trades = engine().trades(traded, at("2024-09-02"), at("2024-09-21"))
        seen.update(zip(trades.trade_ids(), trades.venue.tolist(), strict=True))
        total += len(trades)
    assert len(seen) == total


def test_eex_names_its_trades_like_eurex_does() -> None:
    trades = engine().trades(TTF_OCTOBER.with_instrument(TTF_EEX), at("2024-06-03"), FRIDAY)
    assert trades.trade_ids()[0] == "Eurex T7/G3BM102024-20240603/1/1 Public"


def test_a_trade_keeps_its_id_whoever_asks() -> None:
    market = engine().trades(TTF_SPREAD, MONDAY, FRIDAY)
    eex = engine().trades(TTF_SPREAD.with_instrument(TTF_EEX), MONDAY, FRIDAY)
    assert len(eex) > 0
    assert eex.trade_ids() == market.where(market.instrument_id == TTF_EEX).trade_ids()


def test_every_trade_is_on_the_first_route_and_some_are_on_others() -> None:
    routes = engine().trades(TTF_OCTOBER, MONDAY, FRIDAY).routes
    shares = [((routes >> (route - 1)) & 1).mean() for route in ROUTES]
    assert shares[0] == 1.0
    assert all(0.02 < share < 0.7 for share in shares[1:])
    assert int(routes.max()) < 2 ** len(ROUTES)


def test_trades_are_done_on_venues_of_their_instrument_that_are_open() -> None:
    for date in ("2019-05-07", "2021-05-06", "2024-05-07"):
        front = catalogue().tradable_items(GAS_MONTHS, at(date), 1)[0]
        trades = engine().trades(
            Contract("market", TTF, GAS_MONTHS, front.id), at(date), at(date) + DAY
        )
        for number, venue in zip(trades.instrument_id.tolist(), trades.venue.tolist(), strict=True):
            assert VENUE_CODES[venue] in catalogue().instruments[number].venues
            assert trades_on(VENUE_CODES[venue], day(date))


def test_every_venue_trades_something_at_some_time() -> None:
    unseen = set(VENUE_CODES)
    known = catalogue()
    dates = [day(f"{year}-{month:02d}-08") for year in (2012, 2019, 2024) for month in (5, 6, 10)]
    for market_id, family in known.families.items():
        venues = {code for listing in family.listings for code in listing.venues}
        for number in dates:
            if not venues & unseen:
                break
            sequence_id = known.markets[market_id].sequence_ids[-1]
            for item in known.tradable_items(sequence_id, number * DAY, 3):
                traded = Contract("market", market_id, sequence_id, item.id)
                trades = engine().trades(traded, number * DAY, (number + 5) * DAY)
                unseen -= {VENUE_CODES[venue] for venue in set(trades.venue.tolist())}
    assert unseen == set()


def test_a_corrected_trade_was_updated_after_it_was_done() -> None:
    trades = engine().trades(TTF_OCTOBER, MONDAY, FRIDAY)
    assert (trades.last_updated >= trades.time).all()
    assert (trades.last_updated[trades.updated] > trades.time[trades.updated]).all()
    assert trades.updated.any()
    assert trades.deleted.any()


def test_whole_days_are_made_once_and_shared() -> None:
    first = next(engine().days(TTF_OCTOBER, MONDAY, MONDAY + DAY))
    again = next(engine().days(TTF_OCTOBER, MONDAY, FRIDAY))
    assert first is again


def test_a_listed_instrument_that_nobody_quotes_has_no_trades() -> None:
    quiet = max(catalogue().instruments)
    sequence_id = catalogue().instruments[quiet].sequence_ids[-1]
    item = catalogue().tradable_items(sequence_id, MONDAY, 1)[0]
    traded = Contract("instrument", quiet, sequence_id, item.id)
    assert len(engine().trades(traded, MONDAY, FRIDAY)) == 0
    assert len(engine().trades(contract("market", TTF, GAS_MONTHS, "Oct-40"), MONDAY, FRIDAY)) == 0
