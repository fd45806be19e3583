"""What trades add up to, against plain Python."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import isclose
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.drawn import examples
from trayport_sdk import (
    ContractSpec,
    ContractType,
    OHLCVResponse,
    TradesResponse,
    TrayportValidationError,
)

HOUR = 3600 * 10**9
Row = tuple[int, float, float, bool]
CONTRACT = {
    "contract_type": "SinglePeriod",
    "market_id": 1,
    "instrument_id": None,
    "sequence_id": 2,
    "sequence_item_id": 3,
    "second_sequence_item_id": None,
}

some_trades = st.lists(
    st.tuples(
        st.integers(0, 6 * HOUR),
        st.integers(-9_999, 9_999).map(lambda ticks: ticks * 5 / 1000),
        st.integers(0, 90_000).map(lambda size: size / 1000),
        st.booleans(),
    ),
    max_size=12,
)
ends = st.none() | st.integers(0, 6 * HOUR)
proven = settings(max_examples=examples(40))


def trades_of(rows: Sequence[Row]) -> TradesResponse:
    frame = pl.DataFrame(
        rows,
        schema={
            "deal_date": pl.Int64,
            "price": pl.Float64,
            "quantity": pl.Float64,
            "aggressor_buy": pl.Boolean,
        },
        orient="row",
    )
    return TradesResponse(
        frame.with_columns(pl.col("deal_date").cast(pl.Datetime("ns", "UTC"))), []
    )


def near(found: float | None, exact: Fraction | None) -> bool:
    if found is None or exact is None:
        return found is None and exact is None
    return isclose(found, exact, rel_tol=1e-9, abs_tol=1e-9)


def volume_of(rows: Sequence[Row]) -> Fraction:
    return sum((Fraction(row[2]) for row in rows), Fraction())


def imbalance_of(rows: Sequence[Row]) -> Fraction | None:
    total = volume_of(rows)
    signed = volume_of([row for row in rows if row[3]]) * 2 - total
    return signed / total if total else None


@proven
@given(some_trades, ends, ends)
def test_sums_are_of_the_range(rows: list[Row], start: int | None, end: int | None) -> None:
    if start is not None and end is not None and end <= start:
        return
    trades = trades_of(rows)
    inside = [
        row for row in rows if (start is None or row[0] >= start) and (end is None or row[0] < end)
    ]
    range_ = [None if end is None else np.datetime64(end, "ns") for end in (start, end)]
    volume = volume_of(inside)
    turnover = sum((Fraction(row[1]) * Fraction(row[2]) for row in inside), Fraction())
    assert near(trades.volume(*range_), volume)
    assert near(trades.vwap(*range_), turnover / volume if volume else None)
    assert near(trades.aggressor_imbalance(*range_), imbalance_of(inside))


@proven
@given(st.sets(st.integers(1, 99), max_size=9), st.randoms(use_true_random=False))
def test_sums_are_the_same_however_the_response_came_in(cuts: set[int], random: Random) -> None:
    whole = trades_of(
        [
            (n * HOUR // 60, random.uniform(0, 99), random.uniform(0, 99), random.random() < 0.5)
            for n in range(100)
        ]
    )

    def in_parts(table: pl.DataFrame) -> pl.DataFrame:
        ends = pairwise([0, *sorted(cuts), 100])
        return pl.concat([table[start:end] for start, end in ends], rechunk=False)

    cut = TradesResponse(in_parts(whole.to_polars()), [])
    assert (cut.volume(), cut.vwap(), cut.aggressor_imbalance()) == (
        whole.volume(),
        whole.vwap(),
        whole.aggressor_imbalance(),
    )
    flow, candles = whole.aggressor_flow("1h"), whole.to_ohlcv("1h", optional_fields=["vwap"])
    assert_frame_equal(cut.aggressor_flow("1h"), flow, check_exact=True)
    same = cut.to_ohlcv("1h", optional_fields=["vwap"]).to_polars()
    assert_frame_equal(same, candles.to_polars(), check_exact=True)
    minutes = whole.to_ohlcv("1m", optional_fields=["vwap"])
    assert len(minutes) == 100
    assert OHLCVResponse(in_parts(minutes.to_polars()), []).vwap() == minutes.vwap()


@proven
@given(some_trades, st.booleans())
def test_the_flow_has_a_row_per_interval(rows: list[Row], empty: bool) -> None:
    flow = trades_of(rows).aggressor_flow(
        "1h", "1970", "1970-01-01T06", include_empty_buckets=empty
    )
    found = flow.with_columns(pl.selectors.datetime().cast(pl.Int64)).rows(named=True)
    by_start = {row["from_timestamp"]: row for row in found}
    for start in range(0, 6 * HOUR, HOUR):
        inside = [row for row in rows if start <= row[0] < start + HOUR]
        assert (start in by_start) == (bool(inside) or empty)
        if start in by_start:
            row = by_start[start]
            assert row["to_timestamp"] == start + HOUR
            assert near(row["buy_volume"], volume_of([r for r in inside if r[3]]))
            assert near(row["sell_volume"], volume_of([r for r in inside if not r[3]]))
            assert near(row["imbalance"], imbalance_of(inside))


def test_nothing_is_0_and_has_no_average() -> None:
    nothing = trades_of([])
    assert str(nothing.volume()) == "0.0"
    assert nothing.vwap() is None
    assert nothing.aggressor_imbalance() is None
    assert trades_of([(0, 5.0, 0.0, True)]).vwap() is None


MIXED: list[Callable[[TradesResponse], object]] = [
    lambda trades: trades.vwap(),
    lambda trades: trades.volume(),
    lambda trades: trades.aggressor_imbalance(),
]


@pytest.mark.parametrize("call", MIXED)
def test_trades_of_several_contracts_are_not_mixed(
    call: Callable[[TradesResponse], object],
) -> None:
    contracts = [CONTRACT, CONTRACT | {"sequence_item_id": 4}]
    frame = trades_of([(0, 1.0, 1.0, True)] * 2).to_polars()
    both = TradesResponse(frame.with_columns(contract=pl.Series(contracts)), [])
    with pytest.raises(TrayportValidationError, match="2 contracts") as caught:
        call(both)
    assert caught.value.parameter == "contract"
    call(both[:1])


def test_one_contract_is_picked_whatever_form_its_type_has() -> None:
    spread = CONTRACT | {"contract_type": "PeriodSpread", "second_sequence_item_id": 4}
    frame = trades_of([(0, 1.0, 1.0, True), (1, 2.0, 1.0, True)]).to_polars()
    both = TradesResponse(frame.with_columns(contract=pl.Series([CONTRACT, spread])), [])
    single = ContractSpec(market_id=1, sequence_id=2, sequence_item_id=3)
    other = ContractSpec(
        market_id=1,
        sequence_id=2,
        sequence_item_id=3,
        second_sequence_item_id=4,
        contract_type=ContractType.SPREAD,
    )
    assert both.of_contract(single).vwap() == 1.0
    assert both.of_contract(str(other)).vwap() == 2.0
    assert len(both.of_contract("9#Single#2#3#0")) == 0


def test_rows_that_do_not_say_whose_they_are_cannot_be_picked() -> None:
    with pytest.raises(TrayportValidationError, match=r'optional_fields=\["contract"\]'):
        trades_of([]).of_contract("1*#Single#2#3#0")


def test_an_average_of_which_a_price_is_not_known_is_not_known() -> None:
    rows: Any = [(0, 10.0, 1.0, True), (1, None, 1.0, True), (HOUR, 12.0, 1.0, True)]
    trades = trades_of(rows)
    assert trades.vwap() is None
    assert trades.vwap(from_="1970-01-01T01") == 12.0
    candles = trades.to_ohlcv("1h", optional_fields=["vwap"]).to_polars()
    assert candles["vwap"].to_list() == [None, 12.0]
    nothing: Any = [(0, 10.0, 1.0, True), (1, None, 0.0, True)]
    assert trades_of(nothing).vwap() == 10.0


def test_a_trade_of_which_no_time_is_known_lies_in_no_candle() -> None:
    rows: Any = [(0, 10.0, 1.0, True), (None, 11.0, 1.0, True)]
    candles = trades_of(rows).to_ohlcv("1h").to_polars()
    assert candles["volume"].to_list() == [1.0]
