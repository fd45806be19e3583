"""Candles that are made here: as the service makes them, and against plain Python."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from math import isclose
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from trayport_spec import ENDPOINTS
from trayport_spec.options import OHLCVField

from tests.drawn import examples
from trayport_sdk import (
    Interval,
    IntervalUnit,
    OHLCVResponse,
    PrivateTradesResponse,
    TradesResponse,
    TrayportClient,
    TrayportValidationError,
    Window,
)
from trayport_sdk.tables.base import RequestRecord

SECOND, MINUTE, HOUR, DAY = 10**9, 60 * 10**9, 3600 * 10**9, 86_400 * 10**9
TIME = pl.Datetime("ns", "UTC")
EVERYTHING: tuple[OHLCVField, ...] = ("open_timestamp", "close_timestamp", "vwap")
ALLOWED = [
    Interval(count, IntervalUnit(limit.unit))
    for limit in ENDPOINTS["get_ohlcv"].limits.intervals
    for count in limit.counts
]
TTF, SPREAD, YEAR = (
    "10000065*#Single#10000305#244#0",
    "10000065*#Spread#10000305#244#245",
    "10002806#Single#10000309#22#0",
)
ASKED = [
    (TTF, "2024-03-04", "2024-03-06", ALLOWED[:-1]),
    (SPREAD, "2024-03-01", "2024-03-18", ALLOWED[:-1]),
    (TTF, "2024-03-09", "2024-03-11", ALLOWED[:-1]),  # a weekend: nothing
    (YEAR, "2024-02-01", "2024-04-01", ALLOWED),
]

Row = tuple[int, float, float]
proven = settings(max_examples=examples(40))


def same(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """All the same, and volumes as near as sums of floats in another order are."""
    about = [name for name in ("volume", "vwap") if name in expected.columns]
    assert_frame_equal(found.drop(about), expected.drop(about), check_exact=True)
    assert_frame_equal(
        found.select(about), expected.select(about), check_exact=False, rel_tol=1e-9, abs_tol=0.0
    )


@pytest.mark.anyio
@pytest.mark.parametrize(("contract", "from_", "until", "intervals"), ASKED)
@pytest.mark.parametrize("empty", [False, True])
async def test_candles_of_trades_are_those_of_the_service(
    contract: str, from_: str, until: str, intervals: Sequence[Interval], empty: bool
) -> None:
    async with TrayportClient.sandbox() as client:
        trades = await client.trades.get_trades(contract, from_, until)
        for interval in intervals:
            fields = EVERYTHING if empty else ()
            theirs = await client.trades.get_ohlcv(
                contract, from_, until, interval,
                include_empty_buckets=empty, optional_fields=fields,
            )  # fmt: skip
            ours = trades.to_ohlcv(interval, include_empty_buckets=empty, optional_fields=fields)
            same(ours.to_polars().drop("trade_count"), theirs.to_polars())
            assert ours.to_polars()["trade_count"].sum() == len(trades)
            assert (len(ours) == 0) == (len(trades) == 0 and not empty)
            assert [c.from_timestamp for c in ours] == [c.from_timestamp for c in theirs]


@pytest.mark.anyio
@pytest.mark.parametrize("empty", [False, True])
async def test_resampled_candles_are_those_of_the_service(empty: bool) -> None:
    query = (SPREAD, "2024-02-01", "2024-04-01")
    async with TrayportClient.sandbox() as client:
        theirs = {
            str(interval): await client.trades.get_ohlcv(
                *query, interval, include_empty_buckets=empty, optional_fields=EVERYTHING
            )
            for interval in ALLOWED
        }
    for short, long in (
        ("1m", "5m"), ("5m", "30m"), ("15m", "1h"), ("1m", "4h"), ("4h", "1d"), ("1h", "7d"),
        ("1d", "7d"), ("1d", "1mo"), ("30m", "1mo"), ("1d", "1d"), ("7d", "7d"),
    ):  # fmt: skip
        same(theirs[short].resample(long).to_polars(), theirs[long].to_polars())
    assert theirs["1h"].resample("1d").interval == Interval(1, "day")
    filled = theirs["1m"].resample("1h", include_empty_buckets=True).to_polars()
    assert filled.height == (31 + 29) * 24
    traded = theirs["1m"].resample("1h", include_empty_buckets=False).to_polars()
    assert traded["volume"].min() != 0
    same(filled.filter(pl.col("open").is_not_null()), traded)


@pytest.mark.anyio
async def test_contracts_are_kept_apart() -> None:
    may = TTF.replace("244", "245")
    day = ("2024-03-04", "2024-03-05")
    async with TrayportClient.sandbox() as client:
        both = await client.trades.get_trades([TTF, may], *day)
        alone = {one: await client.trades.get_trades(one, *day) for one in (TTF, may)}
        own = await client.trades.get_private_trades(*day, market_id=10000065)
    for empty in (False, True):
        candles = both.to_ohlcv("1h", include_empty_buckets=empty, optional_fields=["vwap"])
        columns = candles.to_polars().columns
        assert (columns[0], candles.to_polars(nested=True).columns[-1]) == ("contract", "contract")
        whose = [name for name in columns if name.startswith("contract") or name == "period"]
        assert candles.to_polars()["from_timestamp"].is_sorted()
        longer = candles.resample("1d").to_polars()
        for contract, trades in alone.items():
            item = pl.col("contract") == contract
            expected = trades.to_ohlcv("1h", include_empty_buckets=empty, optional_fields=["vwap"])
            same(candles.to_polars().filter(item).drop(whose), expected.to_polars())
            same(longer.filter(item).drop(whose), expected.resample("1d").to_polars())
            assert len(both.of_contract(contract)) == len(trades)
            assert both.of_contract(contract).vwap() == trades.vwap()
    with pytest.raises(TrayportValidationError, match=r"2 contracts.*of_contract"):
        both.to_ohlcv("1h", optional_fields=["vwap"]).vwap()
    assert own.to_ohlcv("1d").to_polars()["trade_count"].sum() == len(own) > 0


def trades_of(rows: Sequence[Row], window: Window | None = None) -> TradesResponse:
    times, prices, quantities = zip(*rows, strict=True) if rows else ((), (), ())
    frame = pl.DataFrame(
        {
            "deal_date": pl.Series(times, dtype=pl.Int64).cast(TIME),
            "price": pl.Series(prices, dtype=pl.Float64),
            "quantity": pl.Series(quantities, dtype=pl.Float64),
            "aggressor_buy": pl.Series([n % 3 == 0 for n in range(len(rows))], dtype=pl.Boolean),
        }
    )
    record = [] if window is None else [RequestRecord("/trades", {}, window, 0, 0, 0, 0, 0.0)]
    return TradesResponse(frame, record)


def month_of(instant: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant // SECOND)
    return moment.year * 12 + moment.month - 1


def first_of(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * SECOND


def start_of(interval: Interval, instant: int, origin: int) -> int:
    """The start of the bucket that holds an instant, in plain Python."""
    if interval.length is None:
        month = month_of(instant)
        return first_of(month - (month - month_of(origin)) % interval.count)
    grid = origin if interval.length > DAY else 0
    return grid + (instant - grid) // interval.length * interval.length


def starts_of(interval: Interval, start: int, end: int) -> list[int]:
    """The starts of all buckets of a range."""
    starts = [start_of(interval, start, start)]
    while starts[-1] < end:
        months = month_of(starts[-1]) + interval.count
        length = interval.length
        starts.append(first_of(months) if length is None else starts[-1] + length)
    return starts[:-1]


def expected_candles(rows: Sequence[Row], interval: Interval, window: Window) -> list[Any]:
    found = []
    for start, group in groupby(rows, lambda row: start_of(interval, row[0], window.start)):
        inside = list(group)
        prices = [price for _, price, _ in inside]
        volume = sum(Fraction(quantity) for _, _, quantity in inside)
        turnover = sum(Fraction(price) * Fraction(quantity) for _, price, quantity in inside)
        vwap = turnover / volume if volume else None
        times = (inside[0][0], inside[-1][0])
        edges = (prices[0], max(prices), min(prices), prices[-1])
        found.append((start, *edges, volume, *times, vwap, len(inside)))
    return found


grids = st.sampled_from(["1s", "90s", "1m", "15m", "4h", "12h", "1d", "2d", "7d", "1mo", "2mo"])
# Seldom away from the edges of buckets, to the nanosecond.
instants = st.builds(
    lambda day, hour, near: 19723 * DAY + day * DAY + hour * HOUR + near,
    st.integers(0, 75),
    st.integers(0, 23),
    st.sampled_from([0, 0, 1, HOUR - 1, MINUTE, MINUTE - 1, 777]),
)
prices = st.integers(-9_999, 9_999).map(lambda ticks: ticks * 5 / 1000)
sizes = st.integers(0, 90_000).map(lambda size: size / 1000)
some_trades = st.lists(st.tuples(instants, prices, sizes), max_size=12)


@proven
@given(some_trades, grids)
def test_candles_are_exact(rows: list[Row], text: str) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    window = Window(19723 * DAY, 19723 * DAY + 76 * DAY)
    found = trades_of(rows, window).to_ohlcv(text, optional_fields=EVERYTHING)
    expected = expected_candles(rows, Interval.parse(text), window)
    whole = found.to_polars().with_columns(pl.selectors.datetime().cast(pl.Int64))
    names = ["from_timestamp", "open", "high", "low", "close", "open_timestamp", "close_timestamp"]
    assert whole.select(*names, "trade_count").rows() == [
        (*row[:5], *row[6:8], row[9]) for row in expected
    ]
    turnover = max((abs(price) for _, price, _ in rows), default=0.0)
    for volume, vwap, row in zip(whole["volume"], whole["vwap"], expected, strict=True):
        assert isclose(volume, row[5], rel_tol=1e-9)
        assert (vwap is None) == (row[8] is None)
        assert vwap is None or isclose(vwap, row[8], rel_tol=1e-9, abs_tol=1e-12 * turnover)


@proven
@given(some_trades, grids.filter(lambda text: text != "1s"))
def test_empty_buckets_fill_what_is_between(rows: list[Row], text: str) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    days = 1 if text in ("1s", "90s", "1m") else 76
    window = Window(19723 * DAY, 19723 * DAY + days * DAY)
    trades = trades_of([row for row in rows if row[0] < window.end], window)
    filled = trades.to_ohlcv(text, include_empty_buckets=True, optional_fields=EVERYTHING)
    traded = trades.to_ohlcv(text, optional_fields=EVERYTHING)
    frame = filled.to_polars()
    assert frame.filter(pl.col("trade_count") > 0).equals(traded.to_polars())
    starts = starts_of(Interval.parse(text), window.start, window.end)
    assert frame["from_timestamp"].cast(pl.Int64).to_list() == starts
    assert frame["to_timestamp"].cast(pl.Int64)[-1] >= window.end
    assert frame["to_timestamp"][:-1].equals(frame["from_timestamp"][1:])
    empty = frame.filter(pl.col("trade_count") == 0)
    assert empty["volume"].eq(0).all()
    for name in ("open", "high", "low", "close", *EVERYTHING):
        assert empty[name].null_count() == empty.height


CHAINS = [("15m", "1h"), ("1h", "4h"), ("1h", "1d"), ("12h", "7d"), ("1d", "1mo"), ("1mo", "2mo")]


@proven
@given(some_trades, st.sampled_from(CHAINS), st.booleans())
def test_longer_candles_of_candles_are_those_of_trades(
    rows: list[Row], chain: tuple[str, str], empty: bool
) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    trades = trades_of(rows, Window(19723 * DAY, 19723 * DAY + 91 * DAY))
    options: Mapping[str, Any] = {
        "include_empty_buckets": empty,
        "optional_fields": ("open_timestamp", "close_timestamp"),
    }
    direct = trades.to_ohlcv(chain[1], **options)
    stepped = trades.to_ohlcv(chain[0], **options).resample(chain[1])
    same(stepped.to_polars(), direct.to_polars())
    average = trades.to_ohlcv(chain[0], optional_fields=["vwap"])
    wanted = trades.vwap()
    for found in (average.vwap(), average.resample(chain[1]).vwap()):
        assert (found is None) == (wanted is None)
        assert found is None or isclose(found, wanted or 0.0, rel_tol=1e-9, abs_tol=1e-9)


def candles_of(rows: Sequence[tuple[int, float | None, float, float | None]]) -> OHLCVResponse:
    """Hourly candles of (hour, price, volume, vwap)."""
    frame = pl.DataFrame(
        [(row[0] * HOUR, (row[0] + 1) * HOUR, *[row[1]] * 4, row[2], row[3]) for row in rows],
        schema={
            "from_timestamp": pl.Int64,
            "to_timestamp": pl.Int64,
            **dict.fromkeys(("open", "high", "low", "close", "volume", "vwap"), pl.Float64),
        },
        orient="row",
    )
    return OHLCVResponse(
        frame.with_columns(pl.col("from_timestamp", "to_timestamp").cast(TIME)), []
    )


def at(nanoseconds: int) -> np.datetime64:
    return np.datetime64(nanoseconds, "ns")


@proven
@given(
    st.lists(st.tuples(prices, sizes), min_size=1, max_size=12),
    st.integers(0, 11),
    st.integers(1, 12),
)
def test_an_average_over_any_span_weighs_by_volume(
    parts: list[tuple[float, float]], first: int, count: int
) -> None:
    rows = [(n, price, size, price if size else None) for n, (price, size) in enumerate(parts)]
    found = candles_of(rows).vwap(at(first * HOUR), at((first + count) * HOUR))
    inside = parts[first : first + count]
    volume = sum(Fraction(size) for _, size in inside)
    if volume == 0:
        assert found is None
    else:
        exact = sum(Fraction(price) * Fraction(size) for price, size in inside) / volume
        assert found is not None
        assert isclose(found, exact, rel_tol=1e-9, abs_tol=1e-10)


def test_a_span_may_not_cut_a_candle() -> None:
    candles = candles_of([(0, 5.0, 1.0, 5.0), (1, None, 0.0, None), (2, 7.0, 1.0, 7.0)])
    with pytest.raises(
        TrayportValidationError, match=r"from_ lies within the candle 1970-01-01T00"
    ):
        candles.vwap(at(HOUR // 2))
    with pytest.raises(
        TrayportValidationError, match=r"until lies within the candle 1970-01-01T02"
    ):
        candles.vwap(until=at(3 * HOUR - 1))
    assert candles.vwap(at(HOUR + 1)) == 7.0  # nothing is known to be cut
    assert candles.vwap(until="1970-01-01T01:30") == 5.0


@pytest.mark.parametrize("interval", ["15m", "90m", "1s"])
def test_an_interval_that_is_no_multiple_is_refused(interval: str) -> None:
    with pytest.raises(TrayportValidationError, match="is no multiple of 1h") as caught:
        candles_of([(0, 5.0, 1.0, 5.0)]).resample(interval)
    assert (caught.value.parameter, caught.value.limit) == ("interval", "multiples of 1h")
    weeks = trades_of([(3 * DAY, 1.0, 1.0), (40 * DAY, 1.0, 1.0)]).to_ohlcv("7d")
    with pytest.raises(TrayportValidationError, match="1mo is no multiple of 7d"):
        weeks.resample("1mo")


@pytest.mark.parametrize("interval", ["7m", "59m", "5h", "36h", "7s1", "1w", "0m", ""])
def test_an_interval_that_fits_no_day_is_refused(interval: str) -> None:
    with pytest.raises(TrayportValidationError) as caught:
        trades_of([(0, 1.0, 1.0)]).to_ohlcv(interval)
    assert caught.value.parameter == "interval"


def test_an_average_needs_the_averages_of_all_parts() -> None:
    candles = candles_of([(0, 5.0, 1.0, 5.0), (1, 6.0, 1.0, None)])
    assert candles.vwap() is None
    without = OHLCVResponse(candles.to_polars().drop("vwap"), [])
    with pytest.raises(TrayportValidationError, match=r'optional_fields=\["vwap"\]') as caught:
        without.vwap()
    assert caught.value.parameter == "optional_fields"


def test_candles_that_lie_across_two_buckets_are_refused() -> None:
    weeks = trades_of([(n * DAY, 1.0, 1.0) for n in range(28)]).to_ohlcv("7d")
    assert len(weeks.resample("14d")) == 2
    with pytest.raises(TrayportValidationError, match="from_ lies within the candle") as caught:
        weeks.resample("14d", from_=at(17 * DAY))
    assert caught.value.parameter == "from_"
    half = pl.col("from_timestamp", "to_timestamp") + pl.duration(minutes=30, time_unit="ns")
    hours = candles_of([(0, 5.0, 1.0, 5.0), (1, 5.0, 1.0, 5.0)]).to_polars().with_columns(half)
    with pytest.raises(TrayportValidationError, match="2h cuts the candle 1970-01-01T01:30"):
        OHLCVResponse(hours, []).resample("2h")


def test_the_rows_of_candles_show_their_length() -> None:
    assert candles_of([]).interval is None
    assert candles_of([(0, 5.0, 1.0, 5.0)]).interval == Interval(1, "hour")
    months = trades_of([(n * DAY, 1.0, 1.0) for n in range(90)]).to_ohlcv("1mo").to_polars()
    assert OHLCVResponse(months, []).interval == Interval(1, "month")


def test_candles_of_no_trades_have_the_columns_of_others() -> None:
    for kind in (TradesResponse, PrivateTradesResponse):
        nothing = kind.nothing(lambda _: True)
        some = nothing.to_ohlcv("1h", include_empty_buckets=True, optional_fields=EVERYTHING)
        assert len(some) == 0
        assert nothing.vwap() is None
        assert some.vwap() is None
        assert len(some.resample("1d")) == 0
        full = trades_of([(0, 1.0, 1.0)]).to_ohlcv("1h", optional_fields=EVERYTHING)
        assert some.to_polars(nested=True).drop("contract").schema == full.to_polars().schema


def test_trades_out_of_order_are_put_in_order_first() -> None:
    rows = [(5, 1.0, 1.0), (3, 2.0, 1.0), (5, 3.0, 1.0), (4, 4.0, 1.0)]
    (candle,) = trades_of(rows).to_ohlcv("1s")
    assert (candle.open_, candle.close) == (2.0, 3.0)


def test_only_the_range_counts() -> None:
    trades = trades_of([(n * HOUR, float(n), 1.0) for n in range(48)])
    candles = trades.to_ohlcv("1d", "1970-01-01T06", "1970-01-02T03").to_polars()
    assert candles["open"].to_list() == [6.0, 24.0]
    assert candles["trade_count"].to_list() == [18, 3]
    assert candles["to_timestamp"].cast(pl.Int64).to_list() == [DAY, 2 * DAY]
    longer = trades.to_ohlcv("1h").resample("1d", "1970-01-01T06", "1970-01-02T03").to_polars()
    same(longer, candles)
