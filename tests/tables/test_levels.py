import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk import Level, OrderSide, TrayportValidationError

prices = st.decimals(-500, 500, places=3).map(float)
quantities = st.decimals(0, 1000, places=3).map(float)


@given(st.lists(st.builds(Level, st.just("bid"), prices, quantities)))
def test_bids_sort_with_the_highest_price_first_and_the_oldest_first_within_it(
    levels: list[Level],
) -> None:
    order = sorted(range(len(levels)), key=lambda n: (-levels[n].price, n))
    assert [id(level) for level in sorted(levels)] == [id(levels[n]) for n in order]


@given(st.lists(st.builds(Level, st.just("ask"), prices, quantities)))
def test_asks_sort_with_the_lowest_price_first_and_the_oldest_first_within_it(
    levels: list[Level],
) -> None:
    order = sorted(range(len(levels)), key=lambda n: (levels[n].price, n))
    assert [id(level) for level in sorted(levels)] == [id(levels[n]) for n in order]


@given(st.sampled_from(["bid", "ask"]), prices, prices, quantities, quantities)
def test_of_two_levels_one_is_better_or_both_rank_the_same(
    side: str, one: float, other: float, much: float, more: float
) -> None:
    first, second = Level(side, one, much), Level(side, other, more)
    assert (first < second) + (first > second) + (one == other) == 1
    assert (first <= second) == (not second < first)
    assert (first >= second) == (not second > first)


def test_levels_of_two_sides_do_not_compare() -> None:
    bid, ask = Level("bid", 35.5, 1.0), Level("ask", 35.6, 1.0)
    for compare in (bid.__lt__, bid.__le__, bid.__gt__, bid.__ge__):
        with pytest.raises(TypeError, match="does not compare"):
            compare(ask)
    assert bid != ask


def test_a_level_does_not_compare_with_its_price() -> None:
    with pytest.raises(TypeError, match="not supported"):
        assert Level("bid", 35.5, 1.0) < 36.0


def test_equal_levels_are_one_in_a_set() -> None:
    levels = [Level("BID", 35.5, 1.0), Level(OrderSide.BID, 35.5, 1.0), Level("ask", 35.5, 1.0)]
    assert len(set(levels)) == 2


def test_the_best_level_is_the_least() -> None:
    prices = [35.5, 35.6, 35.4]
    random.Random(1).shuffle(prices)
    assert min(Level("bid", price, 1.0) for price in prices).price == 35.6
    assert min(Level("ask", price, 1.0) for price in prices).price == 35.4


def test_a_side_that_is_none_is_refused() -> None:
    with pytest.raises(TrayportValidationError, match="'offer' is no side") as caught:
        Level("offer", 35.5, 1.0)
    assert caught.value.parameter == "side"
