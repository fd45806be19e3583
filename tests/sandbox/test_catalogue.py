import pytest

from tests.sandbox.market import (
    EMISSIONS,
    EUA,
    GAS_MONTHS,
    GAS_PROMPT,
    GERMANY,
    TTF,
    TTF_EEX,
    TTF_OTC,
    at,
    item_id,
)
from trayport_sdk.sandbox.calendar import DAY
from trayport_sdk.sandbox.catalogue import catalogue


def test_there_are_14200_instruments_and_no_two_have_the_same_name() -> None:
    instruments = catalogue().instruments
    assert len(instruments) == 14_200
    assert len({instrument.name for instrument in instruments.values()}) == 14_200
    assert all(key == instrument.id for key, instrument in instruments.items())


@pytest.mark.parametrize(
    ("instrument_id", "name"),
    [
        (TTF_EEX, "TTF Hi Cal 51.6 EEX"),
        (TTF_OTC, "TTF Hi Cal 51.6"),
        (10_003_008, "EUA EEX"),
        (10_003_007, "EUA ICE ENDEX"),
        (GERMANY, "Germany Baseload"),
    ],
)
def test_the_known_instruments_have_their_names(instrument_id: int, name: str) -> None:
    assert catalogue().instruments[instrument_id].name == name


def test_the_known_markets_hold_their_known_instruments() -> None:
    markets = catalogue().markets
    assert markets[TTF].name == "TTF Hi Cal 51.6"
    assert {TTF_EEX, TTF_OTC} < set(markets[TTF].instrument_ids)
    assert markets[EUA].name == "EUA"
    assert {10_003_007, 10_003_008} <= set(markets[EUA].instrument_ids)
    assert catalogue().instruments[GERMANY].market_id in markets


def test_markets_and_instruments_name_each_other() -> None:
    known = catalogue()
    for market in known.markets.values():
        for number in market.instrument_ids:
            assert known.instruments[number].market_id == market.id
    for instrument in known.instruments.values():
        if instrument.market_id is not None:
            assert instrument.id in known.markets[instrument.market_id].instrument_ids


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (302, "Gas - NG Prompt"),
        (305, "Gas - NG Months"),
        (306, "Gas - NG Quarters"),
        (307, "Gas - NG Seasons"),
        (309, "Gas - NG Years"),
        (100, "Power - Days"),
        (102, "Power - Weeks"),
        (104, "Power - Months"),
        (105, "Power - Quarters"),
        (106, "Power - Years"),
        (400, "Emissions"),
    ],
)
def test_the_known_sequences_are_there(number: int, name: str) -> None:
    assert catalogue().sequences[10_000_000 + number].name == name


def test_gas_months_count_by_one_and_emission_decembers_by_forty() -> None:
    assert item_id(GAS_MONTHS, "Apr-23") == 232
    assert item_id(GAS_MONTHS, "Aug-26") == 272
    assert item_id(EMISSIONS, "Dec-23") == 710
    assert item_id(EMISSIONS, "Dec-26") == 830


def test_items_of_every_sequence_reach_from_2005_to_2050_in_order_of_delivery() -> None:
    known = catalogue()
    for sequence in known.sequences.values():
        items = known.items(sequence.id)
        assert all(item.id > 0 for item in items)
        assert [item.id for item in items] == sorted({item.id for item in items})
        if sequence.rolling:
            continue
        periods = [(item.period_start or 0, item.period_end or 0) for item in items]
        assert periods == sorted(periods)
        assert periods[0][0] < at("2007-01-01")
        assert periods[-1][1] > at("2050-12-01")


def test_every_item_trades_before_it_has_delivered() -> None:
    known = catalogue()
    for sequence_id in known.sequences:
        for item in known.items(sequence_id):
            if item.period_end is None:
                continue
            assert item.period_start is not None
            assert item.trading_start is not None
            assert item.trading_end is not None
            assert item.trading_start < item.trading_end <= item.period_end
            assert item.period_start < item.period_end


def test_rolling_items_have_no_dates() -> None:
    for item in catalogue().items(GAS_PROMPT):
        dates = {item.period_start, item.period_end, item.trading_start, item.trading_end}
        assert dates == {None}


def test_an_item_is_found_by_its_id_and_an_unknown_one_is_none() -> None:
    item = catalogue().item(GAS_MONTHS, 232)
    assert item is not None
    assert item.name == "Apr-23"
    assert catalogue().item(GAS_MONTHS, 12) is None
    assert catalogue().item(GAS_MONTHS, 100_000) is None
    assert catalogue().item(EMISSIONS, 711) is None
    assert catalogue().item(999, 1) is None


def test_the_next_tradable_items_start_with_the_nearest_that_has_not_expired() -> None:
    names = [item.name for item in catalogue().tradable_items(GAS_MONTHS, at("2024-06-03"), 3)]
    assert names == ["Jul-24", "Aug-24", "Sep-24"]


def test_an_item_is_tradable_up_to_its_trading_end_and_no_longer() -> None:
    july = catalogue().tradable_items(GAS_MONTHS, at("2024-06-03"), 1)[0]
    assert july.trading_end is not None
    last = catalogue().tradable_items(GAS_MONTHS, july.trading_end - 1, 1)[0]
    after = catalogue().tradable_items(GAS_MONTHS, july.trading_end, 1)[0]
    assert (last.name, after.name) == ("Jul-24", "Aug-24")


def test_fifty_months_are_tradable_at_any_time_and_no_rolling_item_is() -> None:
    for year in range(2005, 2040):
        assert len(catalogue().tradable_items(GAS_MONTHS, at(f"{year}-03-01"), 50)) == 50
    assert catalogue().tradable_items(GAS_PROMPT, at("2024-06-03"), 5) == ()


def test_items_trade_in_whole_utc_days() -> None:
    for item in catalogue().items(GAS_MONTHS):
        assert item.trading_end is not None
        assert item.trading_end % DAY == 0
