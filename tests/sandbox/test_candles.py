import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.market import EUA_DECEMBER, TRADED, TTF_OCTOBER, at, engine, every
from trayport_sdk.sandbox.calendar import DAY, HOUR, MINUTE
from trayport_sdk.sandbox.contract import Contract

STEPS = st.sampled_from([MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, DAY])


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(TRADED), STEPS, st.integers(0, 3), st.integers(1, 60))
def test_a_candle_is_the_sum_of_the_trades_in_its_bucket(
    traded: Contract, step: int, days: int, buckets: int
) -> None:
    start = at("2024-09-02T06:00") // step * step + days * DAY
    edges = start + np.arange(buckets + 1) * step
    candles = engine().candles(traded, edges)
    for n, (first, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        trades = engine().trades(traded, first, end)
        assert candles.count[n] == len(trades)
        assert candles.volume[n] == trades.quantity.sum() / 1000
        if len(trades) == 0:
            assert np.isnan([candles.open[n], candles.high[n], candles.vwap[n]]).all()
            continue
        prices = trades.prices()
        assert candles.open[n] == prices[0]
        assert candles.close[n] == prices[-1]
        assert candles.high[n] == prices.max()
        assert candles.low[n] == prices.min()
        assert candles.open_time[n] == trades.time[0]
        assert candles.close_time[n] == trades.time[-1]
        vwap = (prices * trades.quantities()).sum() / trades.quantities().sum()
        assert np.isclose(candles.vwap[n], vwap, rtol=1e-12)


def test_hours_add_up_to_days_and_days_to_a_month() -> None:
    hourly = engine().candles(EUA_DECEMBER, every(HOUR, "2024-09-01", "2024-10-01T01:00"))
    daily = engine().candles(EUA_DECEMBER, every(DAY, "2024-09-01", "2024-10-01T01:00"))
    month = engine().candles(EUA_DECEMBER, np.array([at("2024-09-01"), at("2024-10-01")]))
    assert (hourly.count.reshape(30, 24).sum(axis=1) == daily.count).all()
    assert daily.count.sum() == month.count[0]
    assert np.isclose(daily.volume.sum(), month.volume[0], rtol=1e-12)
    assert np.nanmax(daily.high) == month.high[0]
    assert np.nanmin(hourly.low) == month.low[0]


def test_a_trade_on_an_edge_opens_the_bucket_that_begins_there() -> None:
    trades = engine().trades(TTF_OCTOBER, at("2024-09-02"), at("2024-09-07"))
    on_edge = int(trades.time[trades.time % MINUTE == 0][0])
    candles = engine().candles(TTF_OCTOBER, np.array([on_edge - MINUTE, on_edge, on_edge + 1]))
    assert candles.open_time[1] == on_edge
    assert candles.count[1] >= 1


def test_without_buckets_there_are_no_candles() -> None:
    assert len(engine().candles(TTF_OCTOBER, np.array([], np.int64)).count) == 0
