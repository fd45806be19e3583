import numpy as np
import pytest

from tests.sandbox.market import (
    EMISSIONS,
    EUA,
    GAS_MONTHS,
    TTF,
    TTF_OCTOBER,
    TTF_SPREAD,
    at,
    contract,
    engine,
)
from trayport_sdk.sandbox.calendar import MINUTE


@pytest.mark.parametrize(
    ("month", "low", "high"),
    [
        ("2020-06", 7.6, 8.0),
        ("2021-06", 25.0, 28.0),
        ("2022-06", 90.5, 92.5),
        ("2023-03", 33.0, 45.0),
        ("2023-09", 33.0, 45.0),
        ("2024-02", 34.0, 40.0),
        ("2024-06", 34.0, 40.0),
        ("2024-09", 34.0, 40.0),
        ("2026-02", 53.0, 60.0),
        ("2026-08", 53.0, 60.0),
    ],
)
def test_ttf_october_trades_where_it_did(month: str, low: float, high: float) -> None:
    october = contract("market", TTF, GAS_MONTHS, f"Oct-{month[2:4]}")
    prices = engine().trades(october, at(f"{month}-06"), at(f"{month}-14")).prices()
    assert len(prices) > 50
    assert low <= prices.min()
    assert prices.max() <= high


def test_gas_peaked_over_300_in_august_2022() -> None:
    september = contract("market", TTF, GAS_MONTHS, "Sep-22")
    prices = engine().trades(september, at("2022-08-01"), at("2022-09-01")).prices()
    assert 300 < prices.max() < 360


def test_eua_december_is_about_82_in_august_2026() -> None:
    december = contract("market", EUA, EMISSIONS, "Dec-26")
    prices = engine().trades(december, at("2026-08-03"), at("2026-08-08")).prices()
    assert prices.min() > 80.5
    assert prices.max() < 83.5


def test_prices_move_little_within_a_minute_and_overnight() -> None:
    trades = engine().trades(TTF_OCTOBER, at("2024-09-02"), at("2024-09-14"))
    steps = np.abs(np.diff(trades.prices()))
    together = np.diff(trades.time) < MINUTE
    assert steps[together].max() < 0.15
    assert steps[~together].max() < 1.5


def test_a_spread_is_the_difference_of_its_legs_and_negative_before_winter() -> None:
    start, end = at("2024-09-09"), at("2024-09-14")
    november = contract("market", TTF, GAS_MONTHS, "Nov-24")
    near = engine().trades(TTF_OCTOBER, start, end).prices().mean()
    far = engine().trades(november, start, end).prices().mean()
    spread = engine().trades(TTF_SPREAD, start, end).prices()
    assert spread.max() < 0
    assert abs(spread.mean() - (near - far)) < 0.1


def test_the_instruments_of_a_market_share_its_path() -> None:
    trades = engine().trades(TTF_OCTOBER, at("2024-09-10T09:00"), at("2024-09-10T09:10"))
    assert len(set(trades.instrument_id.tolist())) == 3
    assert np.ptp(trades.prices()) < 0.3


def test_prices_are_on_the_tick() -> None:
    trades = engine().trades(TTF_OCTOBER, at("2024-09-10"), at("2024-09-11"))
    assert trades.price_scale == 1000
    assert not (trades.price % 5).any()
