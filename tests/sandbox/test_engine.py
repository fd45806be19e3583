from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.market import (
    GAS_MONTHS,
    ILLIQUID,
    TRADED,
    TTF,
    TTF_EEX,
    TTF_OCTOBER,
    at,
    contract,
    engine,
    item_id,
)
from trayport_sdk.sandbox.cache import BoundedCache
from trayport_sdk.sandbox.calendar import DAY, HOUR
from trayport_sdk.sandbox.catalogue import catalogue
from trayport_sdk.sandbox.contract import KINDS, Contract
from trayport_sdk.sandbox.engine import Activity, Engine
from trayport_sdk.sandbox.liquidity import Liquidity
from trayport_sdk.sandbox.noise import draws, keys

WEEK = st.integers(at("2024-06-03"), at("2024-06-10"))
Row = tuple[int, int, int, int, int, str, int]


def counted(activity: Activity) -> Counter[tuple[str, Row]]:
    rows = list(
        zip(
            activity.instrument_id.tolist(),
            activity.market_id.tolist(),
            activity.sequence_id.tolist(),
            activity.item_id.tolist(),
            activity.second_item_id.tolist(),
            activity.kind,
            activity.route.tolist(),
            strict=True,
        )
    )
    assert len(rows) == len(set(rows))
    counts: Counter[tuple[str, Row]] = Counter()
    for name in ("count", "update_count", "delete_count"):
        for row, count in zip(rows, getattr(activity, name).tolist(), strict=True):
            if count:
                counts[name, row] = count
    return counts


@settings(max_examples=10, deadline=None)
@given(st.lists(WEEK, min_size=2, max_size=5))
def test_the_activity_of_parts_adds_up_to_that_of_the_whole(instants: list[int]) -> None:
    cuts = sorted(instants)
    whole = counted(engine().activity(cuts[0], cuts[-1]))
    parts: Counter[tuple[str, Row]] = Counter()
    for start, end in pairwise(cuts):
        parts += counted(engine().activity(start, end))
    assert parts == whole


@settings(max_examples=10, deadline=None)
@given(WEEK, WEEK, st.randoms(use_true_random=False))
def test_activity_counts_the_trades(one: int, other: int, random: Random) -> None:
    start, end = min(one, other), max(one, other)
    activity = engine().activity(start, end)
    for n in random.sample(range(len(activity)), min(len(activity), 8)):
        kind = next(kind for kind in KINDS if kind == activity.kind[n])
        traded = Contract(
            "instrument",
            int(activity.instrument_id[n]),
            int(activity.sequence_id[n]),
            int(activity.item_id[n]),
            int(activity.second_item_id[n]) or None,
            kind,
        )
        trades = engine().trades(traded, start, end)
        on_route = (trades.routes >> (int(activity.route[n]) - 1)) & 1 == 1
        assert activity.count[n] == on_route.sum()
        assert activity.update_count[n] == (on_route & trades.updated).sum()
        assert activity.delete_count[n] == trades.deleted[on_route].sum()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(TRADED), WEEK, WEEK)
def test_activity_knows_every_contract_that_trades(traded: Contract, one: int, other: int) -> None:
    start, end = min(one, other), max(one, other)
    activity = engine().activity(start, end)
    product = activity.market_id if traded.product == "market" else activity.instrument_id
    mine = (
        (product == traded.product_id)
        & (activity.sequence_id == traded.sequence_id)
        & (activity.item_id == traded.item_id)
        & (activity.second_item_id == (traded.second_item_id or 0))
        & (np.array(activity.kind) == traded.kind)
        & (activity.route == 1)
    )
    assert activity.count[mine].sum() == len(engine().trades(traded, start, end))


def test_a_range_of_no_length_has_no_activity() -> None:
    noon = at("2024-06-03T12:00")
    assert len(engine().activity(noon, noon)) == 0
    assert len(engine().activity(at("2024-06-08"), at("2024-06-10"))) == 0


def test_most_instruments_never_trade() -> None:
    activity = engine().activity(at("2024-06-03"), at("2024-06-10"))
    assert 50 < len(set(activity.instrument_id.tolist())) < 500


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(TRADED), st.integers(at("2024-07-01"), at("2024-11-10")))
def test_the_last_trade_is_the_last_of_all_trades_before(traded: Contract, moment: int) -> None:
    last = engine().last_trade(traded, moment, lookback_days=30)
    before = engine().trades(traded, moment - 30 * DAY, moment)
    assert len(last) == min(len(before), 1)
    if len(before):
        assert last.trade_ids() == before.trade_ids()[-1:]


def test_a_trade_at_the_instant_itself_is_not_the_last_before_it() -> None:
    times = engine().trades(TTF_OCTOBER, at("2024-09-03"), at("2024-09-04")).time
    for n in (5, 50, 500):
        last = engine().last_trade(TTF_OCTOBER, int(times[n]), lookback_days=10)
        assert last.time[0] < times[n]
        just_after = engine().last_trade(TTF_OCTOBER, int(times[n]) + 1, lookback_days=10)
        assert just_after.time[0] == times[n]


def test_the_last_trade_of_an_expired_contract_is_found_within_the_lookback() -> None:
    april = contract("market", TTF, GAS_MONTHS, "Apr-24")
    assert len(engine().last_trade(april, at("2024-12-01"), lookback_days=365)) == 1
    assert len(engine().last_trade(april, at("2024-12-01"), lookback_days=30)) == 0


def test_private_trades_are_the_own_ones_among_the_trades() -> None:
    start, end = at("2024-09-03T08:00"), at("2024-09-05T12:00")
    mine = engine().private_trades(start, end)
    assert sum(len(trades) for _, trades in mine) > 100
    assert len({traded for traded, _ in mine}) == len(mine)
    for traded, trades in mine[:40]:
        assert traded.product == "instrument"
        assert (trades.own > 0).all()
        everything = engine().trades(traded, start, end)
        assert trades.trade_ids() == everything.where(everything.own > 0).trade_ids()


def test_no_own_trade_is_missing_from_the_private_ones() -> None:
    start, end = at("2024-09-02"), at("2024-09-21")
    found = 0
    for traded in TRADED:
        everything = engine().trades(traded, start, end)
        mine = engine().private_trades(start, end, contract=traded)
        assert sum(len(trades) for _, trades in mine) == (everything.own > 0).sum()
        found += len(mine)
    assert found > 3


def test_private_trades_can_be_narrowed_to_a_product_and_a_sequence() -> None:
    start, end = at("2024-09-02"), at("2024-09-07")
    everything = engine().private_trades(start, end)
    market = engine().private_trades(start, end, product="market", product_id=TTF)
    instrument = engine().private_trades(start, end, product="instrument", product_id=TTF_EEX)
    months = engine().private_trades(start, end, sequence_id=GAS_MONTHS)

    def contracts(found: list[tuple[Contract, object]]) -> set[Contract]:
        return {traded for traded, _ in found}

    of_ttf = set(catalogue().markets[TTF].instrument_ids)
    keys_of_all = {traded for traded, _ in everything}
    assert {t for t, _ in market} == {t for t in keys_of_all if t.product_id in of_ttf}
    assert {t for t, _ in instrument} == {t for t in keys_of_all if t.product_id == TTF_EEX}
    assert {t for t, _ in months} == {t for t in keys_of_all if t.sequence_id == GAS_MONTHS}


def test_threads_that_ask_for_the_same_day_get_the_same_object() -> None:
    fresh = Engine(seed=9)
    start = at("2024-09-03")
    with ThreadPoolExecutor(8) as pool:
        days = list(
            pool.map(lambda _: next(fresh.days(TTF_OCTOBER, start, start + DAY)), range(32))
        )
    assert all(day is days[0] for day in days)


def test_a_cache_stays_within_its_bounds() -> None:
    cache: BoundedCache[int, list[int]] = BoundedCache(10, len)
    for n in range(20):
        cache.get(n, lambda: [0, 0, 0])
    assert cache.total <= 10
    assert cache.get(19, list) == [0, 0, 0]
    assert cache.get(0, list) == []


def test_every_profile_lies_within_the_trading_windows() -> None:
    known = catalogue()
    liquidity = Liquidity(0, known)
    for date in ("2006-01-02", "2024-06-03", "2036-11-03"):
        contracts, counts = liquidity.on_day(at(date) // DAY)
        assert counts.min() > 0
        pairs = set(zip(contracts.sequence_ids.tolist(), contracts.items.tolist(), strict=True))
        pairs |= set(zip(contracts.sequence_ids.tolist(), contracts.seconds.tolist(), strict=True))
        for sequence_id, number in pairs:
            item = known.item(sequence_id, number)
            if item is None or item.trading_end is None:
                assert number == 0 or item is not None
                continue
            assert item.trading_start is not None
            assert item.trading_start <= at(date) < item.trading_end


def test_contracts_that_do_not_exist_are_empty() -> None:
    unknown_item = Contract("market", TTF, GAS_MONTHS, 999_999)
    no_second = Contract("market", TTF, GAS_MONTHS, item_id(GAS_MONTHS, "Oct-24"), None, "Spread")
    unknown_market = Contract("market", 1, GAS_MONTHS, 232)
    wrong_sequence = Contract("market", TTF, 10_000_400, 830)
    for traded in (unknown_item, no_second, unknown_market, wrong_sequence):
        assert engine().count(traded, at("2024-09-03") // DAY) == 0
        assert len(engine().trades(traded, at("2024-09-03"), at("2024-09-04"))) == 0
        assert len(engine().book(traded, np.array([at("2024-09-03T10:00")]))) == 0


def test_future_days_have_trades_up_to_the_expiry_of_items() -> None:
    far = contract("market", TTF, GAS_MONTHS, "Oct-36")
    assert engine().count(far, at("2036-09-03") // DAY) > 1000


def test_an_illiquid_contract_trades_on_some_days_only() -> None:
    days = np.arange(at("2024-01-01") // DAY, at("2024-06-01") // DAY)
    counts = engine().counts(ILLIQUID, days)
    assert 0 < counts.sum() < 3_000


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=8), st.integers(0, 100))
def test_noise_of_a_column_is_the_noise_of_its_rows(numbers: list[int], field: int) -> None:
    column = np.array(numbers, np.int64)
    together = keys(7, column)
    alone = [int(keys(7, number)[0]) for number in numbers]
    assert together.tolist() == alone
    drawn = draws(together, column, field)
    assert drawn.tolist() == [
        int(draws(together[n : n + 1], column[n : n + 1], field)[0]) for n in range(len(numbers))
    ]


@pytest.mark.parametrize("hour", range(24))
def test_an_hour_of_a_liquid_market_is_cut_like_any_range(hour: int) -> None:
    start = at("2024-09-03") + hour * HOUR
    trades = engine().trades(TTF_OCTOBER, start, start + HOUR)
    assert ((trades.time >= start) & (trades.time < start + HOUR)).all()
