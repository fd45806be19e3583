"""Prices in other units and currencies, against fractions and plain Python row by row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import isclose
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_api.models import InstrumentDetails, MarketDetails, TradingSpecifications

from tests.drawn import examples
from tests.tables.test_buckets import DAY, HOUR, nanoseconds
from trayport_sdk import (
    OHLCVResponse,
    OrderBookResponse,
    OrderBookTopResponse,
    RequestRecord,
    TradesResponse,
    TrayportClient,
    TrayportConfigurationError,
    TrayportValidationError,
    errors,
)
from trayport_sdk.tables.analytics.units import PriceUnit

UTC_TIME = pl.Datetime("ns", "UTC")
START = nanoseconds(datetime(2024, 3, 4, tzinfo=UTC))
# What one unit is, in kWh, t or bbl.
SIZES = {
    "kWh": Fraction(1),
    "MWh": Fraction(1000),
    "GWh": Fraction(10**6),
    "GJ": Fraction(10**6, 3600),
    "therm": Fraction("29.3071"),
    "MMBtu": Fraction("293.071"),
    "t": Fraction(1),
    "kt": Fraction(1000),
    "bbl": Fraction(1),
    "kbbl": Fraction(1000),
}
KINDS = {"t": "mass", "kt": "mass", "bbl": "volume", "kbbl": "volume"}
WHOLE = {"GBX": ("GBP", Fraction(1, 100)), "USX": ("USD", Fraction(1, 100))}
PRODUCT = MarketDetails(
    id=7,
    name="NBP",
    trading_specifications=TradingSpecifications("GBX", "kTherm", "GBP", "therm"),
    sequences="/markets/7/sequences",
)


def trades_of(times: list[int], prices: list[float], **parameters: str) -> TradesResponse:
    frame = pl.DataFrame(
        {"deal_date": pl.Series(times, dtype=pl.Int64).cast(UTC_TIME), "price": prices},
        schema_overrides={"price": pl.Float64},
    )
    request = RequestRecord("/trades", parameters, None, len(times), 0, 0, 0, 0.0)
    return TradesResponse(frame.with_columns(quantity=2.0), [request])


def prices_of(trades: TradesResponse) -> list[float]:
    return trades.to_polars()["price"].to_list()


@settings(max_examples=examples(100))
@given(
    st.sampled_from(("EUR", "GBP", "GBX", "USD", "USX")),
    st.sampled_from(sorted(SIZES)),
    st.sampled_from(("EUR", "GBP", "GBX", "USD", "USX")),
    st.sampled_from(sorted(SIZES)),
    st.floats(-500, 500),
    st.floats(0.01, 100),
)
def test_a_price_is_that_of_fractions(
    currency: str, size: str, other: str, wanted: str, price: float, rate: float
) -> None:
    (whole, share), (target, part) = (WHOLE.get(c, (c, Fraction(1))) for c in (currency, other))
    trades, given_rate = trades_of([START], [price]), None if whole == target else rate
    if KINDS.get(size) != KINDS.get(wanted):
        with pytest.raises(TrayportValidationError, match="another kind of quantity"):
            trades.to_unit(f"{other}/{wanted}", f"{currency}/{size}", rate=given_rate)
        return
    exact = Fraction(price) * share / part * SIZES[wanted] / SIZES[size]
    exact *= Fraction(1 if given_rate is None else given_rate)
    result = trades.to_unit(f"{other}/{wanted}", f"{currency}/{size}", rate=given_rate)
    assert isclose(prices_of(result)[0], exact, rel_tol=1e-9, abs_tol=1e-300)
    assert result.volume() == 2.0
    assert prices_of(trades) == [price]


@settings(max_examples=examples(80))
@given(
    st.lists(st.integers(0, 20 * DAY).map(lambda after: START + after), max_size=12),
    st.lists(st.tuples(st.integers(-5, 20), st.floats(0.1, 9)), unique_by=lambda one: one[0]),
    st.integers(1, 9),
    st.booleans(),
)
def test_a_rate_holds_until_the_next_one(
    times: list[int], rates: list[tuple[int, float]], age: int, dates: bool
) -> None:
    first = date(2024, 3, 4)
    step = DAY if dates else 8 * HOUR
    since = {START + number * step: value for number, value in rates}
    kind = pl.Date if dates else pl.Datetime("ms", "Europe/London")
    column = (
        [first + timedelta(days=number) for number, _ in rates]
        if dates
        else [moment // 10**6 for moment in since]
    )
    frame = pl.DataFrame(
        {"time": pl.Series(column, dtype=kind), "rate": pl.Series(since.values(), dtype=pl.Float64)}
    )
    known = [[at for at in since if 0 <= moment - at <= age * DAY] for moment in sorted(times)]
    trades = trades_of(sorted(times), [10.0] * len(times))

    def convert() -> TradesResponse:
        return trades.to_unit("USD/t", "EUR/t", rate=frame, max_rate_age=timedelta(days=age))

    if not all(known):
        with pytest.raises(TrayportValidationError, match="rate has none for 2024-03") as error:
            convert()
        assert error.value.parameter == "rate"
    else:
        assert prices_of(convert()) == pytest.approx([10.0 * since[max(ats)] for ats in known])


def test_all_prices_of_each_kind_of_table_are_converted() -> None:
    times = pl.DataFrame({"time": [START, START + HOUR, START + 2 * HOUR]}).cast(UTC_TIME)["time"]
    rates = pl.DataFrame({"time": times, "rate": [2.0, 3.0, 4.0]})

    def converted(table: Any) -> dict[str, list[Any]]:
        frame: pl.DataFrame = table.to_unit("USD/MWh", "EUR/MWh", rate=rates).to_polars()
        return frame.to_dict(as_series=False)

    prices = {"open": [1.0, None, 2.0], "high": 5.0, "low": 1.0, "close": 2.0}
    candles = pl.DataFrame({"from_timestamp": times, **prices, "volume": 7.0})
    found = converted(OHLCVResponse(candles, []))
    assert found["open"] == [2.0, None, 8.0]
    assert (found["close"], found["volume"]) == ([4.0, 6.0, 8.0], [7.0] * 3)
    with_average = candles.with_columns(vwap=pl.lit(1.5))
    assert converted(OHLCVResponse(with_average, []))["vwap"] == [3.0, 4.5, 6.0]
    top = pl.DataFrame({"timestamp": times, "bid_price": [1.0, None, 3.0], "bid_quantity": 5.0})
    found = converted(OrderBookTopResponse(top, []))
    assert (found["bid_price"], found["bid_quantity"]) == ([2.0, None, 12.0], [5.0] * 3)
    order = {"price": 2.0, "quantity": 5.0}
    books = pl.DataFrame(
        {
            "timestamp": times,
            "bids": [[order, {**order, "price": 1.0}], [], [order]],
            "asks": [[], None, [order]],
        },
        schema_overrides={
            side: pl.List(pl.Struct({"price": pl.Float64, "quantity": pl.Float64}))
            for side in ("bids", "asks")
        },
    )
    found = converted(OrderBookResponse(books, []))
    assert [[(o["price"], o["quantity"]) for o in side] for side in found["bids"]] == [
        [(4.0, 5.0), (2.0, 5.0)],
        [],
        [(8.0, 5.0)],
    ]
    assert found["asks"] == [[], None, [{"price": 8.0, "quantity": 5.0}]]
    empty = OrderBookResponse(books.clear(), []).to_unit("USD/MWh", "EUR/MWh", rate=rates)
    assert empty.to_polars(nested=True).schema == books.schema


@pytest.mark.anyio
async def test_the_unit_is_that_of_the_product() -> None:
    async with TrayportClient.sandbox() as client:
        (listed,) = [m for m in await client.reference.get_markets("NBP") if m.name == "NBP"]
        market = await client.reference.get_market_by_id(listed.id)
        day = ("2024-03-04", "2024-03-05")
        trades = await client.trades.get_trades("NBP* Apr-24", *day)
        ttf = await client.trades.get_trades("TTF Hi Cal 51.6* Apr-24", *day)
        both = await client.trades.get_trades("NBP* Apr-24", *day, optional_fields=["contract"])
    euros = trades.to_unit("EUR/MWh", market, rate=1 / 0.855)
    near, far = euros.vwap(), ttf.vwap()
    assert near is not None
    assert far is not None
    assert abs(near - far) < 5
    assert prices_of(both.to_unit("GBP/MWh", market)) == prices_of(
        trades.to_unit("GBP/MWh", market.trading_specifications)
    )
    with pytest.raises(TrayportValidationError, match="rows are of market 10000065") as error:
        ttf.to_unit("EUR/MWh", market, rate=1.0)
    assert error.value.parameter == "product"


def test_prices_are_not_converted_twice() -> None:
    once = trades_of([START], [80.0]).to_unit("GBP/MWh", PRODUCT)
    with pytest.raises(TrayportValidationError, match="in GBP/MWh already"):
        once.to_unit("GBP/GJ", PRODUCT)
    candles = once.to_ohlcv("1h")
    for made in (candles, candles.resample("1d")):
        with pytest.raises(TrayportValidationError, match="in GBP/MWh already") as error:
            made.to_unit("GBP/MWh", PRODUCT)
        assert error.value.parameter == "product"
    again = once[:1].to_unit("GBX/therm", "GBP/MWh")
    assert prices_of(again) == pytest.approx([80.0])


@pytest.mark.parametrize(
    ("unit", "product", "rate", "parameter", "says"),
    [
        ("EUR", PRODUCT, None, "unit", "write it like EUR/MWh"),
        ("euro/MWh", PRODUCT, None, "unit", "write it like EUR/MWh"),
        ("EUR/mt", PRODUCT, None, "unit", "not known, mt"),
        ("EUR/MWh", "NBP*", None, "product", r"client.reference.get_market_by_id\(id\) returns it"),
        ("EUR/MWh", 10000065, None, "product", "or the unit of the prices"),
        ("EUR/MW", PRODUCT, None, "unit", "not known, MW: use one of kWh, MWh"),
        ("EUR/MWh", "GBX/lot", None, "product", "not known, lot"),
        ("GBP/t", PRODUCT, None, "unit", "another kind of quantity than GBX/therm"),
        ("EUR/MWh", PRODUCT, None, "rate", "give the EUR for 1 GBP"),
        ("GBP/MWh", PRODUCT, 1.0, "rate", "one currency: leave it out"),
        ("EUR/MWh", PRODUCT, 0, "rate", "give the EUR for 1 GBP"),
        ("EUR/MWh", PRODUCT, True, "rate", "is no rate"),
        ("EUR/MWh", PRODUCT, float("nan"), "rate", "is no rate"),
        ("EUR/MWh", PRODUCT, "1.17", "rate", "is no rate"),
        ("EUR/MWh", PRODUCT, pl.DataFrame({"rate": [1.0]}), "rate", "a column of times|columns"),
        (
            "EUR/MWh",
            PRODUCT,
            pl.DataFrame({"time": [date(2024, 3, 4)] * 2, "rate": [1.0, 1.1]}),
            "rate",
            "two of one time",
        ),
        (
            "EUR/MWh",
            PRODUCT,
            pl.DataFrame({"time": [date(2024, 3, 4)], "rate": [None]}),
            "rate",
            "columns",
        ),
        (
            "EUR/MWh",
            PRODUCT,
            pl.DataFrame({"time": [date(2024, 3, 3)], "rate": [-1.1]}),
            "rate",
            "without a rate above 0",
        ),
        (
            "GBP/MWh",
            InstrumentDetails(
                id=3, name="x", trading_specifications=PRODUCT.trading_specifications, sequences=""
            ),
            None,
            "product",
            "is instrument 3, but the rows are of instrument 8",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    unit: str, product: Any, rate: Any, parameter: str, says: str
) -> None:
    trades = trades_of([START], [80.0], marketId="7", instrumentId="8")
    with pytest.raises(TrayportValidationError, match=says) as error:
        trades.to_unit(unit, product, rate=rate)
    assert error.value.parameter == parameter


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("p/th", "GBX/therm"),
        ("p/therm", "GBX/therm"),
        ("gbx/THERM", "GBX/therm"),
        ("GBp/thm", "GBp/therm"),
        ("eur/mwh", "EUR/MWh"),
        ("Usd/mmbtu", "USD/MMBtu"),
        ("EUR/T", "EUR/t"),
        ("EUR/Mt", "EUR/Mt"),
        ("GBX/kTherm", "GBX/kTherm"),
    ],
)
def test_units_are_read_as_people_write_them(written: str, text: str) -> None:
    assert PriceUnit.parse(written, "unit") == PriceUnit.parse(text, "unit")
    assert PriceUnit.parse(written, "unit").text == text


def test_an_age_of_rates_is_a_length_of_time() -> None:
    rates = pl.DataFrame({"time": [date(2024, 3, 4)], "rate": [1.17]})
    for age in (timedelta(), "7d"):
        with pytest.raises(TrayportValidationError, match=r"timedelta\(days=7\)") as error:
            trades_of([START], [80.0]).to_unit(
                "EUR/MWh",
                PRODUCT,
                rate=rates,
                max_rate_age=age,  # type: ignore[arg-type]
            )
        assert error.value.parameter == "max_rate_age"


def test_without_the_extra_the_error_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    with pytest.raises(TrayportConfigurationError, match=r"to_unit needs pint.*\[energy\]"):
        trades_of([START], [80.0]).to_unit("GBP/MWh", PRODUCT)
