"""Curves, continuous series and spreads against rows that are requested one contract at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from trayport_sdk import (
    ContractSpec,
    ContractType,
    TrayportClient,
    TrayportLookupError,
    TrayportNotFoundError,
    TrayportValidationError,
)
from trayport_sdk.query.times import DAY, instant
from trayport_sdk.resources.catalog import Catalog
from trayport_sdk.resources.search import ProductNames
from trayport_sdk.resources.series import _factors
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio
TTF, MONTHS, DAYS = 10000065, 10000305, 10000303
APRIL, MAY = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[TrayportClient]:
    async with TrayportClient.sandbox(sandbox) as client:
        yield client


PERIODS: dict[int, list[tuple[int, str, int]]] = {}


async def items_of(client: TrayportClient, sequence_id: int) -> list[tuple[int, str, int]]:
    """The id, the name and the end of trading of each period, in order."""
    if sequence_id in PERIODS:
        return PERIODS[sequence_id]
    items = await client.reference.get_sequence_items(sequence_id, "1990", 100_000)
    dated = [
        (one.id, one.name, instant(one.trading_end, "end")) for one in items if one.trading_end
    ]
    return PERIODS.setdefault(sequence_id, sorted(dated, key=lambda one: one[2]))


def contract(item: int, sequence_id: int = MONTHS) -> ContractSpec:
    return ContractSpec(market_id=TTF, sequence_id=sequence_id, sequence_item_id=item)


# --- Curves


@pytest.mark.parametrize(
    ("sequence", "sequence_id", "n", "at"),
    [
        ("months", MONTHS, 4, "2024-03-27T23:59"),
        ("Gas - NG Months", MONTHS, 3, "2024-03-28"),  # April has just ended
        # Two requests, and some without any order.
        pytest.param("NG days", DAYS, 60, "2024-04-01T10:00", marks=pytest.mark.slow),
    ],
)
async def test_a_curve_is_the_next_contracts_as_each_of_them_is(
    client: TrayportClient, sequence: str, sequence_id: int, n: int, at: str
) -> None:
    curve = await client.curve("ttf hi cal 51.6*", sequence, n=n, at=at)
    listed = await client.reference.get_sequence_items(sequence_id, "1990", 100_000)
    moment = instant(at, "at")
    tradable = [
        one
        for one in listed
        if one.trading_start
        and one.trading_end
        and instant(one.trading_start, "start") <= moment < instant(one.trading_end, "end")
    ][:n]
    rows = list(curve)
    assert [row["period"] for row in rows] == [one.name for one in tradable]
    assert curve.request_count == -(-len(tradable) // 50)
    for row, item in zip(rows[:5], tradable, strict=False):
        own = contract(item.id, sequence_id)
        (state,) = await client.snapshots.get_snapshots(own, at=at)
        assert row["contract"] == str(own)
        assert row["contract_name"] == f"TTF Hi Cal 51.6* {item.name}"
        assert row["last_price"] == (state.last_trade.price if state.last_trade else None)
        bid, ask = state.best_orders.bid_price, state.best_orders.ask_price
        assert (row["bid_price"], row["ask_price"]) == (bid, ask)
        assert row["mid"] == (None if bid is None or ask is None else (bid + ask) / 2)
        assert isinstance(row["period_start"], datetime)


async def test_a_curve_may_be_that_of_an_instrument(client: TrayportClient) -> None:
    at = "2024-03-04T12:00"
    of_eex = await client.curve("TTF Hi Cal 51.6 EEX", "month", n=2, at=at)
    assert [row["contract_name"] for row in of_eex] == [
        "TTF Hi Cal 51.6 EEX Apr-24",
        "TTF Hi Cal 51.6 EEX May-24",
    ]
    # Without its star, a name that a market has is the market's.
    of_all = await client.curve("TTF Hi Cal 51.6", "years", n=1, at=at)
    assert [row["contract_name"] for row in of_all] == ["TTF Hi Cal 51.6* Cal-25"]


async def test_a_curve_of_periods_that_never_expire_has_them(client: TrayportClient) -> None:
    curve = await client.curve("TTF Hi Cal 51.6*", "prompt", n=2, at="2024-03-04T12:00")
    assert [row["period"] for row in curve] == ["Within Day", "Day Ahead"]


# --- Continuous series


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize(
    ("sequence_id", "sequence", "from_", "until", "days_before"),
    [
        (MONTHS, "months", "2024-03-27T15:00", "2024-03-28T09:00", None),
        (MONTHS, "months", "2024-03-26T16:00", "2024-03-27T08:00", 1),
        # The clock changes, and Easter.
        pytest.param(DAYS, "days", "2024-03-28T12:00", "2024-04-03", None, marks=pytest.mark.slow),
    ],
)
async def test_every_trade_is_of_the_contract_whose_turn_it_is(
    client: TrayportClient,
    rank: int,
    sequence_id: int,
    sequence: str,
    from_: str,
    until: str,
    days_before: int | None,
) -> None:
    series = await client.continuous(
        f"TTF Hi Cal 51.6* {sequence}", rank, from_, until, days_before=days_before
    )
    items = await items_of(client, sequence_id)

    def turn(moment: int) -> int:
        """The contract of an instant, by counting those that are not over."""
        for place, (_, _, end) in enumerate(items):
            if (end if days_before is None else end - days_before * DAY) > moment:
                return items[place + rank - 1][0]
        raise AssertionError

    start, end = instant(from_, "from_"), instant(until, "until")
    turns = dict.fromkeys(turn(moment) for moment in range(start, end, DAY // 24))
    expected: list[tuple[int, str, float]] = []
    for item in turns:
        trades = await client.trades.get_trades(contract(item, sequence_id), from_, until)
        expected += [
            (trade.deal_date, str(contract(item, sequence_id)), trade.price)
            for trade in trades
            if turn(trade.deal_date) == item
        ]
    frame = series.to_polars()
    found = zip(frame["deal_date"].to_physical(), frame["contract"], frame["price"], strict=True)
    assert list(found) == sorted(expected, key=lambda row: row[0])
    assert len(expected) > 0
    assert series.request_count == 1
    names = {item: name for item, name, _ in items}
    assert list(series.rolls["to_name"]) == [
        f"TTF Hi Cal 51.6* {names[item]}" for item in list(turns)[1:]
    ]


@pytest.mark.parametrize("adjust", ["difference", "ratio"])
async def test_adjusted_prices_have_no_step_where_contracts_change(
    client: TrayportClient, adjust: Any
) -> None:
    span = ("2024-02-26", "2024-05-03")
    name = "TTF Hi Cal 51.6* months"
    plain = await client.continuous(name, 1, *span, what="ohlcv", interval="1d")
    series = await client.continuous(name, 1, *span, what="ohlcv", interval="1d", adjust=adjust)
    raw, adjusted = plain.to_polars(), series.to_polars()
    factors = {"May-24": 0.0 if adjust == "difference" else 1.0}
    factors["Jun-24"] = factors["May-24"]
    for old, new, at in (("May-24", "Jun-24", "2024-04-30"), ("Apr-24", "May-24", "2024-03-28"),
                         ("Mar-24", "Apr-24", "2024-02-29")):  # fmt: skip
        prices = []
        for period in (old, new):
            last = await client.trades.get_last_trade(f"TTF Hi Cal 51.6* {period}", at=at)
            assert last is not None
            prices.append(last.price)
        step = prices[1] - prices[0] if adjust == "difference" else prices[1] / prices[0]
        later = factors[new]
        factors[old] = later + step if adjust == "difference" else later * step
        (roll,) = series.rolls.filter(series.rolls["from_name"].str.ends_with(old)).to_dicts()
        assert (roll["from_price"], roll["to_price"]) == tuple(prices)
        assert roll["time"].isoformat() == f"{at}T00:00:00+00:00"
    for column in ("open", "high", "low", "close"):
        wanted = [
            price + factors[period] if adjust == "difference" else price * factors[period]
            for price, period in zip(raw[column], raw["period"], strict=True)
        ]
        assert list(adjusted[column]) == pytest.approx(wanted)
    assert list(adjusted["factor"]) == pytest.approx([factors[p] for p in raw["period"]])
    assert adjusted["volume"].equals(raw["volume"])
    # Four contracts, one request each, and one for the prices of each roll.
    assert (plain.request_count, series.request_count) == (4, 7)


async def test_a_series_rolls_when_the_next_contract_trades_more(client: TrayportClient) -> None:
    span = ("2024-03-20", "2024-03-26")
    series = await client.continuous(
        "TTF Hi Cal 51.6* days", 1, *span, roll="volume", what="ohlcv", interval="1d"
    )
    items = await items_of(client, DAYS)
    start, end = (instant(text, "at") for text in span)
    rolls: list[tuple[int, str]] = []
    for (_, _, before), (item, _, expiry), (following, name, _) in zip(
        items, items[1:], items[2:], strict=False
    ):
        if before >= end or expiry <= start:
            continue
        volumes: list[Mapping[int, float]] = []
        for one in (item, following):
            candles = await client.trades.get_ohlcv(
                contract(one, DAYS), "2024-03-18", "2024-03-27", "1d"
            )
            volumes.append({candle.from_timestamp: candle.volume for candle in candles})
        rolled = [
            day + DAY
            for day in range(before, expiry, DAY)
            if volumes[1].get(day, 0) > volumes[0].get(day, 0)
        ]
        at = min([*rolled, expiry])
        if start < at < end:
            rolls.append((at, f"TTF Hi Cal 51.6* {name}"))
    found = zip(series.rolls["time"].to_physical(), series.rolls["to_name"], strict=True)
    assert list(found) == rolls
    assert len(rolls) > 3


# --- Spreads


@pytest.mark.parametrize("is_reversed", [False, True])
async def test_a_spread_of_quotes_is_what_both_legs_can_be_traded_at(
    client: TrayportClient, is_reversed: bool
) -> None:
    span, names = ("2024-03-04T08:00", "2024-03-04T10:00"), [APRIL, MAY]
    legs = names[::-1] if is_reversed else names
    spread = await client.spread(legs[0], legs[1], *span, interval="15m")
    books = [await client.orders.get_order_book_top(leg, *span, "15m") for leg in legs]
    first, second = ({row.timestamp: row for row in book} for book in books)
    expected = []
    for moment in sorted(first.keys() & second.keys()):
        a, b = first[moment], second[moment]
        bid = None if None in (a.bid_price, b.ask_price) else a.bid_price - b.ask_price  # type: ignore[operator]
        ask = None if None in (a.ask_price, b.bid_price) else a.ask_price - b.bid_price  # type: ignore[operator]
        if bid is not None or ask is not None:
            expected.append((moment, bid, ask))
    made = spread.synthetic
    found = zip(made["timestamp"].to_physical(), made["bid_price"], made["ask_price"], strict=True)
    assert list(found) == expected != []
    own = await client.orders.get_order_book_top(
        ContractSpec(
            market_id=TTF,
            sequence_id=MONTHS,
            sequence_item_id=244,
            second_sequence_item_id=245,
            contract_type="Spread",
        ),
        *span,
        "15m",
    )
    sides = ("ask_price", "bid_price") if is_reversed else ("bid_price", "ask_price")
    sign = -1 if is_reversed else 1
    traded = own.to_polars()
    for side, source in zip(("bid_price", "ask_price"), sides, strict=True):
        assert spread.exchange[side].equals((sign * traded[source]).alias(side))
    assert spread.is_traded
    assert spread.request_count == 3


async def test_a_spread_of_candles_has_the_opens_and_closes_of_both(
    client: TrayportClient,
) -> None:
    span = ("2024-03-04", "2024-03-06")
    legs = (APRIL, "TTF Hi Cal 51.6* Q2-24")
    spread = await client.spread(*legs, *span, what="ohlcv", interval="4h")
    tables = [await client.trades.get_ohlcv(leg, *span, "4h") for leg in legs]
    first, second = ({row.from_timestamp: row for row in table} for table in tables)
    expected = [
        (moment, first[moment].open_, first[moment].close)
        for moment in sorted(first.keys() & second.keys())
    ]
    made = spread.synthetic
    assert len(made) == len(expected) > 0
    for row, (moment, begin, end) in zip(made.iter_rows(named=True), expected, strict=True):
        other = second[moment]
        assert begin is not None
        assert end is not None
        assert other.open_ is not None
        assert other.close is not None
        assert row["open"] == pytest.approx(begin - other.open_)
        assert row["close"] == pytest.approx(end - other.close)
    assert not spread.is_traded
    assert spread.request_count == 2


async def test_a_spread_that_is_not_listed_is_synthetic_only() -> None:
    sandbox = Sandbox()
    # The legs are requested first.
    sandbox.faults.add(Fault("status", status=404, operation_id="get_order_book_top", after=2))
    async with TrayportClient.sandbox(sandbox) as client:
        spread = await client.spread(
            APRIL, MAY, "2024-03-04T08:00", "2024-03-04T09:00", interval="30m"
        )
        assert not spread.is_traded
        assert len(spread.synthetic) > 0
        sandbox.faults.clear()
        sandbox.faults.add(Fault("status", status=404))
        with pytest.raises(TrayportNotFoundError):
            await client.spread(APRIL, MAY, "2024-03-04T08:00", "2024-03-04T09:00", interval="30m")


# --- What cannot be asked for


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"rank": 0}, "rank"),
        ({"rank": 1.5}, "rank"),
        ({"rank": 5000}, "rank"),
        ({"roll": "open interest"}, "roll"),
        ({"what": "quotes"}, "what"),
        ({"adjust": "both"}, "adjust"),
        ({"days_before": -1}, "days_before"),
        ({"days_before": 1, "roll": "volume"}, "days_before"),
        ({"interval": "1d"}, "interval"),
        ({"what": "ohlcv"}, "interval"),
        ({"series": "months"}, "series"),
        ({"series": "TTF Hi Cal 51.6* prompt"}, "series"),
    ],
)
async def test_what_makes_no_series_says_so(
    client: TrayportClient, arguments: dict[str, Any], parameter: str
) -> None:
    given = {"series": "TTF Hi Cal 51.6* months", "rank": 1, **arguments}
    with pytest.raises(TrayportValidationError) as caught:
        await client.continuous(from_="2024-03-04", until="2024-03-05", **given)
    assert caught.value.parameter == parameter


@pytest.mark.parametrize("is_reversed", [False, True])
async def test_a_spread_of_two_places_is_that_of_the_market_that_trades_it(
    client: TrayportClient, monkeypatch: pytest.MonkeyPatch, is_reversed: bool
) -> None:
    names = Catalog.names

    async def with_a_spread(self: Catalog, *, is_market: bool) -> ProductNames:
        """One market is called as if it were the spread of two others."""
        found = await names(self, is_market=is_market)
        other = {"PSV": "TTF Hi Cal 51.6/PEG"}
        named = ((id_, other.get(name, name)) for id_, name in found.by_id.items())
        return ProductNames(SimpleNamespace(id=id_, name=name) for id_, name in named)

    span = ("2024-03-04T08:00", "2024-03-04T09:00")
    traded = await client.orders.get_order_book_top("PSV* Apr-24", *span, "15m")
    monkeypatch.setattr(Catalog, "names", with_a_spread)
    legs = [APRIL, "PEG* Apr-24"]
    first, second = legs[::-1] if is_reversed else legs
    spread = await client.spread(first, second, *span, interval="15m")
    bids, asks = (traded.to_polars()[side].to_list() for side in ("bid_price", "ask_price"))
    expected = [[-ask for ask in asks], [-bid for bid in bids]] if is_reversed else [bids, asks]
    assert [spread.exchange[side].to_list() for side in ("bid_price", "ask_price")] == expected
    assert len(bids) > 0
    assert len(spread.synthetic) > 0
    # Other periods of the two are not that spread, and a market may lack the period.
    for other in ("PEG* May-24", "PEG* Cal-25"):
        assert not (await client.spread(APRIL, other, *span, interval="15m")).is_traded


async def test_a_spread_of_different_units_is_refused(client: TrayportClient) -> None:
    with pytest.raises(TrayportValidationError, match=r"GBX/therm.*EUR/MWh.*to_unit") as caught:
        await client.spread(APRIL, "NBP* Apr-24", "2024-03-04", "2024-03-05", interval="1h")
    assert caught.value.parameter == "b"


async def test_a_product_with_one_sequence_needs_no_name_of_it(client: TrayportClient) -> None:
    curve = await client.curve("EUA*", n=1, at="2024-03-04T12:00")
    (row,) = curve
    assert row["contract_name"].startswith("EUA* ")
    years = await client.curve("TTF Hi Cal 51.6*", "cal", n=1, at="2024-03-04T12:00")
    assert [row["period"] for row in years] == ["Cal-25"]
    with pytest.raises(TrayportLookupError, match="several sequences"):
        await client.curve("TTF Hi Cal 51.6*")
    with pytest.raises(TrayportLookupError) as caught:
        await client.continuous("TTF Hi Cal 51.6* front month", 1, "2024-03-04", "2024-03-05")
    assert "TTF Hi Cal 51.6* Gas - NG Months" in caught.value.candidates


async def test_an_unknown_sequence_names_those_there_are(client: TrayportClient) -> None:
    with pytest.raises(TrayportLookupError) as caught:
        await client.curve("TTF Hi Cal 51.6*", "fortnights")
    assert "Gas - NG Months" in caught.value.candidates
    for call in (
        client.spread(APRIL, APRIL, "2024-03-04", "2024-03-05", interval="1h"),
        client.spread(APRIL, MAY, "2024-03-04", "2024-03-05"),
        client.curve("TTF Hi Cal 51.6*", "months", n=0),
    ):
        with pytest.raises(TrayportValidationError):
            await call


async def test_a_spread_that_no_market_trades_is_requested_of_its_legs_alone(
    client: TrayportClient,
) -> None:
    april, may = [await client.resolve_contract(name) for name in (APRIL, MAY)]
    of_months = evolve(
        april, second_sequence_item_id=may.sequence_item_id, contract_type=ContractType.SPREAD
    )
    for first, second in (("PSV* Apr-24", "PEG* Apr-24"), (of_months, APRIL)):
        spread = await client.spread(
            first, second, "2024-03-04T08:00", "2024-03-04T09:00", interval="30m"
        )
        assert not spread.is_traded
        assert spread.request_count == 2


async def test_a_curve_of_nothing_and_one_that_fails_are_errors() -> None:
    sandbox = Sandbox()
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportLookupError, match=r"no period of .* can be traded at 1990"):
            await client.curve("TTF Hi Cal 51.6*", "months", at="1990-01-01")
        sandbox.faults.add(Fault("status", status=404, operation_id="get_snapshots", times=None))
        with pytest.raises(TrayportNotFoundError):
            await client.curve("TTF Hi Cal 51.6*", "months", n=1, at="2024-03-04")


async def test_prices_that_cannot_be_adjusted_are_named(client: TrayportClient) -> None:
    with pytest.raises(TrayportLookupError, match=r"Sep-26 had no trade before 2024-03-28T00:00"):
        await client.continuous(
            "PSV* months", 30, "2024-03-27", "2024-03-29",
            what="ohlcv", interval="1d", adjust="difference",
        )  # fmt: skip
    # Power has been sold below nothing.
    assert _factors([(-1.0, 2.0)], "difference", 2) == [3.0, 0.0]
    with pytest.raises(TrayportValidationError, match=r"-1.0 and 2.0 at a roll have no ratio"):
        _factors([(-1.0, 2.0)], "ratio", 2)
