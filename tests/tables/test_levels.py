from operator import ge, gt, le, lt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk import Level, OrderSide, TrayportValidationError

prices = st.decimals(-500, 500, places=3).map(float)
sides = st.sampled_from(list(OrderSide))


@given(sides, st.lists(st.tuples(prices, prices.map(abs))))
def test_levels_sort_with_the_best_price_first_and_the_oldest_first_within_it(
    side: OrderSide, rows: list[tuple[float, float]]
) -> None:
    levels = [Level(side, *row) for row in rows]
    sign = -1 if side is OrderSide.BID else 1
    order = sorted(range(len(rows)), key=lambda n: (sign * rows[n][0], n))
    assert [id(level) for level in sorted(levels)] == [id(levels[n]) for n in order]


@given(sides, prices, prices)
def test_of_two_levels_one_is_better_or_both_rank_the_same(
    side: OrderSide, one: float, other: float
) -> None:
    first, second = Level(side, one, 1.0), Level(side, other, 2.0)
    assert (first < second) + (first > second) + (one == other) == 1
    assert (first <= second) == (not second < first)
    assert (first >= second) == (not second > first)


def test_levels_of_two_sides_and_prices_do_not_compare() -> None:
    bid, ask = Level("bid", 35.5, 1.0), Level("ask", 35.6, 1.0)
    for compare in (lt, le, gt, ge):
        with pytest.raises(TypeError, match="does not compare"):
            compare(bid, ask)
        with pytest.raises(TypeError, match="not supported"):
            compare(bid, 36.0)
    assert bid != ask
    assert len({Level("BID", 35.5, 1.0), bid, ask}) == 2


def test_what_is_no_side_is_refused() -> None:
    with pytest.raises(TrayportValidationError, match="'offer' is no side") as refused:
        Level("offer", 35.5, 1.0)
    assert refused.value.parameter == "side"
