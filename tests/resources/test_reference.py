import pytest

from trayport_sdk import TrayportClient, TrayportLookupError, TrayportNotFoundError
from trayport_sdk.errors import TrayportValidationError

pytestmark = pytest.mark.anyio


async def test_every_instrument_is_listed_and_found_by_part_of_its_name() -> None:
    async with TrayportClient.sandbox() as client:
        every = await client.reference.get_instruments()
        eex = await client.reference.get_instruments("ttf hi cal 51.6 eex")
    assert len(every) == 14_200
    assert 10002806 in {instrument.id for instrument in eex}
    assert len(eex) < 20


async def test_a_market_is_found_with_or_without_its_star() -> None:
    async with TrayportClient.sandbox() as client:
        plain = await client.reference.get_markets("TTF Hi Cal 51.6")
        starred = await client.reference.get_markets("TTF Hi Cal 51.6*")
    assert plain == starred
    assert 10000065 in {market.id for market in plain}


async def test_details_carry_currencies_and_units() -> None:
    async with TrayportClient.sandbox() as client:
        market = await client.reference.get_market_by_id(10000065)
        instrument = await client.reference.get_instrument_by_id(10002806)
    assert market.name == "TTF Hi Cal 51.6"
    assert instrument.trading_specifications.price_currency == "EUR"


async def test_sequences_belong_to_products() -> None:
    async with TrayportClient.sandbox() as client:
        gas = await client.reference.get_sequences(market_id=10000065)
        same = await client.reference.get_sequences(instrument_id=10002806)
        every = await client.reference.get_sequences()
        months = await client.reference.get_sequence_by_id(10000305)
        with pytest.raises(TrayportLookupError, match="12345"):
            await client.reference.get_sequence_by_id(12345)
        with pytest.raises(TrayportValidationError):
            await client.reference.get_sequences(1, 2)
    assert months in gas
    assert months in same
    assert {s.id for s in gas} < {s.id for s in every}
    assert months.name == "Gas - NG Months"


async def test_items_start_where_asked_and_keep_their_nulls() -> None:
    async with TrayportClient.sandbox() as client:
        months = await client.reference.get_sequence_items(10000305, "2023-04-15", 3)
        prompt = await client.reference.get_sequence_items(10000302)
        april = await client.reference.get_sequence_item(10000305, 232)
    assert [item.name for item in months] == ["Apr-23", "May-23", "Jun-23"]
    assert months[0] == april
    assert all(item.period_start is None and item.trading_end is None for item in prompt)


async def test_an_unknown_id_is_not_found() -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportNotFoundError, match=r"/instruments/\{id\}"):
            await client.reference.get_instrument_by_id(1)
