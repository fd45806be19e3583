"""Charts: what they show against the rows of the table, and the files they are written to."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from trayport_sdk import (
    Chart,
    ContractSpec,
    TradesResponse,
    TrayportConfigurationError,
    TrayportLookupError,
    TrayportValidationError,
    errors,
    sync,
)
from trayport_sdk.tables.plots.thinning import merged, thinned
from trayport_sdk.tables.plots.time_axis import TimeAxis

APRIL, MAY = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"
DAY = ("2024-03-04T08", "2024-03-04T11")
TTF = 10000065
UTC_TIME = pl.Datetime("ns", "UTC")
SECOND = 1_000_000_000
PRICES = ("open", "high", "low", "close")
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND


def instant(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


# Thinning


@st.composite
def series(draw: st.DrawFn) -> pl.DataFrame:
    number = st.none() | st.integers(-50, 50).map(float)
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 10**6), number, number, st.sampled_from("ab")), max_size=300
        )
    )
    kinds = {"time": pl.Int64, "x": pl.Float64, "y": pl.Float64, "by": pl.String}
    frame = pl.DataFrame(rows, schema=kinds, orient="row").sort("time", maintain_order=True)
    return frame.with_columns(pl.col("time").cast(UTC_TIME)).with_row_index("row")


@settings(max_examples=examples(200))
@given(series(), st.integers(16, 60), st.booleans())
def test_thinning_keeps_the_extremes_of_each_part(
    frame: pl.DataFrame, most: int, split: bool
) -> None:
    kept = thinned(frame, "time", ["x", "y"], most, "by" if split else None)
    assert len(kept) <= most
    if len(frame) <= most:
        assert kept.equals(frame)
        return
    rows = set(kept["row"])
    assert kept.equals(frame.filter(pl.col("row").is_in(rows)))
    picks = 6 + sum(frame[name].null_count() > 0 for name in "xy")
    buckets = most // (picks * (frame["by"].n_unique() if split else 1))
    times = frame["time"].cast(pl.Int64)
    first, last = times[0], times[-1]
    width = (last - first) // buckets + 1
    places: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in frame.with_columns(times.alias("time")).iter_rows(named=True):
        key = ((row["time"] - first) // width, row["by"] if split else None)
        places.setdefault(key, []).append(row)
    for members in places.values():
        here = [row for row in members if row["row"] in rows]
        assert {members[0]["row"], members[-1]["row"]} <= {row["row"] for row in here}
        for name in "xy":
            known, left = (
                [r[name] for r in part if r[name] is not None] for part in (members, here)
            )
            assert (min(known, default=0), max(known, default=0)) == (
                min(left, default=0), max(left, default=0),
            )  # fmt: skip
            missing = [any(r[name] is None for r in part) for part in (members, here)]
            assert missing[0] == missing[1]


@st.composite
def bars(draw: st.DrawFn) -> pl.DataFrame:
    length = draw(st.sampled_from([MINUTE, 5 * MINUTE, HOUR, 24 * HOUR, 7 * MINUTE]))
    first = draw(st.integers(0, 10**5)) * length
    steps = sorted(draw(st.sets(st.integers(0, 2000), min_size=1, max_size=120)))
    rows = []
    for step in steps:
        a, b, c, d = sorted(draw(st.tuples(*[st.integers(1, 99).map(float)] * 4)))
        volume = float(draw(st.integers(0, 9)))
        start = first + step * length
        traded = [b, d, a, c, volume, b] if volume else [None, None, None, None, 0.0, None]
        rows.append([start, start + length, *traded])
    times, numbers = ["from_timestamp", "to_timestamp"], [*PRICES, "volume", "vwap"]
    kinds = [*((name, pl.Int64) for name in times), *((name, pl.Float64) for name in numbers)]
    frame = pl.DataFrame(rows, schema=kinds, orient="row")
    return frame.with_columns(pl.col(times).cast(UTC_TIME))


@settings(max_examples=examples(200))
@given(bars(), st.integers(1, 40))
def test_candles_are_merged_and_none_is_dropped(frame: pl.DataFrame, most: int) -> None:
    longer, length = merged(frame, most)
    assert len(longer) <= most
    assert bool(length) == (len(frame) > most)
    rows = list(frame.iter_rows(named=True))
    for candle in longer.iter_rows(named=True):
        parts = [row for row in rows if row["to_timestamp"] <= candle["to_timestamp"]]
        rows = rows[len(parts) :]
        traded = [r for r in parts if r["open"] is not None]
        assert parts[0]["from_timestamp"] == candle["from_timestamp"]
        assert candle["volume"] == sum(r["volume"] for r in parts)
        if not traded:
            assert candle["open"] is None
            continue
        assert candle["open"] == traded[0]["open"]
        assert candle["close"] == traded[-1]["close"]
        assert candle["high"] == max(r["high"] for r in traded)
        assert candle["low"] == min(r["low"] for r in traded)
        value = sum(r["vwap"] * r["volume"] for r in traded)
        assert candle["vwap"] == pytest.approx(value / candle["volume"])
    assert rows == []


def test_candles_become_those_of_a_round_time() -> None:
    start = pl.datetime_range(
        datetime(2024, 3, 4, 8, tzinfo=UTC), datetime(2024, 3, 4, 17, 59, tzinfo=UTC), "1m",
        time_unit="ns", eager=True,
    ).alias("from_timestamp")  # fmt: skip
    frame = start.to_frame().with_columns(
        pl.col("from_timestamp").dt.offset_by("1m").alias("to_timestamp"), volume=pl.lit(1.0)
    )
    longer, length = merged(frame, 41)
    assert (len(longer), length) == (40, "15m")
    assert longer["from_timestamp"].dt.minute().unique().sort().to_list() == [0, 15, 30, 45]


@pytest.mark.parametrize("first", [datetime(2024, 3, 18), datetime(2024, 10, 14)])
def test_weeks_have_seven_local_days_where_the_clock_changes(first: datetime) -> None:
    edges = pl.datetime_range(first, first + timedelta(28), "1d", time_unit="ns", eager=True)
    times = edges.dt.replace_time_zone("Europe/Amsterdam").dt.convert_time_zone("UTC")
    frame = pl.DataFrame(
        {"from_timestamp": times[:-1], "to_timestamp": times[1:], "volume": [1.0] * 28}
    )
    longer, _ = merged(frame, 4)
    assert longer["volume"].to_list() == [7.0] * 4


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "many"])
def test_a_number_of_points_is_whole_and_positive(most: Any) -> None:
    frame = pl.DataFrame({"time": [1], "x": [1.0]})
    with pytest.raises(
        TrayportValidationError, match=r"max_points .* is not a whole number from 1"
    ):
        thinned(frame, "time", ["x"], most)


def test_too_few_points_to_show_the_extremes_are_refused() -> None:
    frame = pl.DataFrame({"time": range(10), "x": [1.0] * 10, "by": list("abcdeabcde")})
    with pytest.raises(
        TrayportValidationError, match=r"max_points 9 is too small.*give 20 or more"
    ):
        thinned(frame, "time", ["x"], 9, "by")


# The time axis

AXES: list[tuple[str, str, str, list[str]]] = [
    ("UTC", "2024-03-04T08:00:01", "2024-03-04T11:59:59",
     ["08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]),
    # The clock shows 02:00 twice, and then skips it.
    ("Europe/Amsterdam", "2024-10-27T00:00:00", "2024-10-27T05:00:00",
     ["27 Oct", "01:00", "02:00", "02:00", "03:00", "04:00", "05:00"]),
    ("Europe/Amsterdam", "2024-03-31T00:00:00", "2024-03-31T08:00:00",
     ["31 Mar", "01:00", "03:00", "04:00", "05:00", "06:00", "07:00", "08:00"]),
    ("Asia/Kolkata", "2024-03-04T21:00:00", "2024-03-05T05:00:00",
     ["21:00", "22:00", "23:00", "5 Mar", "01:00", "02:00", "03:00", "04:00", "05:00"]),
    ("Europe/London", "2024-03-28T12:00:00", "2024-04-03T12:00:00",
     ["29 Mar", "30 Mar", "31 Mar", "1 Apr", "2 Apr", "3 Apr"]),
    ("UTC", "2024-03-01T00:00:00", "2024-04-20T00:00:00", ["4 Mar", "11 Mar", "18 Mar", "25 Mar",
     "1 Apr", "8 Apr", "15 Apr"]),
    ("Europe/Berlin", "2023-10-15T00:00:00", "2024-03-15T00:00:00",
     ["Nov 2023", "Dec 2023", "2024", "Feb 2024", "Mar 2024"]),
    ("UTC", "2004-01-01T00:00:00", "2024-01-01T00:00:00",
     ["2004", "2007", "2010", "2013", "2016", "2019", "2022"]),
    ("UTC", "2024-03-04T08:00:01", "2024-03-04T08:00:03", ["08:00:01", "08:00:02", "08:00:03"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "start", "end", "labels"), AXES)
def test_ticks_are_round_times_on_the_clock_of_the_zone(
    zone: str, start: str, end: str, labels: list[str]
) -> None:
    axis = TimeAxis(instant(start, zone), instant(end, zone), zone)
    ticks = axis.ticks()
    assert list(ticks.values()) == labels
    assert [*ticks] == sorted(ticks)
    for tick, label in ticks.items():
        assert axis.start <= tick * 10**6 <= axis.end
        local = datetime.fromtimestamp(tick / 1000, ZoneInfo(zone))
        assert label in {f"{local:%H:%M}", f"{local:%H:%M:%S}"} or (local.hour, local.minute) == (
            0,
            0,
        )
    assert axis.text() == f"{start.replace('T', ' ')} to {end.replace('T', ' ')}"


def test_less_than_a_second_has_a_tick_too() -> None:
    start = instant("2024-03-04T08:00:00") + 1
    assert TimeAxis(start, start, "UTC").ticks() == {(start - 1) // 10**6 + 1000: "08:00:01"}


# Charts


@pytest.fixture(scope="module")
def client() -> Iterator[sync.TrayportClient]:
    with sync.TrayportClient.sandbox() as opened:
        yield opened


@pytest.fixture(scope="module")
def trades(client: sync.TrayportClient) -> TradesResponse:
    return client.trades.get_trades(APRIL, *DAY)


@cache  # Altair checks the whole of a chart whenever it is asked
def spec_of(chart: Chart) -> dict[str, Any]:
    return chart.to_dict()


def layers(chart: Chart) -> list[dict[str, Any]]:
    spec = spec_of(chart)
    return [layer for part in spec.get("vconcat", [spec]) for layer in part["layer"]]


def rows_of(chart: Chart, place: int = 0) -> list[dict[str, Any]]:
    """The data of a layer, wherever Altair put them."""
    spec = spec_of(chart)
    for part in spec.get("vconcat", [spec]):
        for layer in part["layer"]:
            if not place:
                name = (layer.get("data") or part.get("data") or spec["data"])["name"]
                rows: list[dict[str, Any]] = json.loads(spec["datasets"][name])
                return rows
            place -= 1
    raise AssertionError("there is no such layer")


def axis_titles(chart: Chart, axis: str) -> set[str]:
    """What stands at the axes; a title of several lines as one."""
    found = [layer["encoding"][axis] for layer in layers(chart) if axis in layer["encoding"]]
    titles = [channel.get("title") or channel.get("axis", {}).get("title") for channel in found]
    return {title if isinstance(title, str) else " ".join(title) for title in titles if title}


def subtitle(chart: Chart) -> str:
    return str(spec_of(chart)["title"]["subtitle"])


def marks(chart: Chart) -> list[str]:
    return [layer["mark"]["type"] for layer in layers(chart)]


def milliseconds(column: pl.Series) -> list[float]:
    return (column.cast(pl.Int64) / 10**6).to_list()


def test_trades_are_points_with_their_volume(
    client: sync.TrayportClient, trades: TradesResponse
) -> None:
    chart = trades.plot(client.reference.get_market_by_id(TTF), tz="Europe/Amsterdam")
    frame, shown, bars = trades.to_polars(), rows_of(chart), rows_of(chart, 2)
    assert marks(chart) == ["line", "circle", "rect"]
    assert [row["price"] for row in shown] == frame["price"].to_list()
    assert [row["deal_date"] for row in shown] == milliseconds(frame["deal_date"])
    assert re.fullmatch(r"2024-03-04 09:00:\d\d\.\d{3} \+01:00", shown[0]["time"])
    assert sum(row["volume"] for row in bars) == pytest.approx(trades.volume())
    assert axis_titles(chart, "x") == {"Time (Europe/Amsterdam)"}
    assert axis_titles(chart, "y") == {"Price (EUR/MWh)", "Volume per 5m (MW)"}
    assert chart.title == spec_of(chart)["title"]["text"] == APRIL
    span = r"2024-03-04 09:00:\d\d to 2024-03-04 11:59:\d\d \(Europe/Amsterdam\)"
    assert re.fullmatch(f"{len(trades):,} trades, {span}", subtitle(chart))
    x = layers(chart)[0]["encoding"]["x"]
    assert x["scale"]["type"] == "utc"
    assert x["scale"]["domain"] == [shown[0]["deal_date"], shown[-1]["deal_date"]]
    labels = json.loads(re.findall(r"{.*}", x["axis"]["labelExpr"])[0])
    assert list(map(int, labels)) == x["axis"]["values"]
    assert labels[str(instant("2024-03-04T11:00", "Europe/Amsterdam") // 10**6)] == "11:00"


def test_thinned_trades_say_so_and_keep_all_of_the_volume(trades: TradesResponse) -> None:
    chart = trades.plot(max_points=100)
    shown, prices = rows_of(chart), trades.to_polars()["price"]
    assert len(shown) <= 100
    assert subtitle(chart).endswith(f"; {len(shown)} drawn, extremes kept")
    ends = [min(row["price"] for row in shown), max(row["price"] for row in shown)]
    assert ends == [prices.min(), prices.max()]
    assert sum(row["volume"] for row in rows_of(chart, 2)) == pytest.approx(trades.volume())


def test_units_are_those_of_the_product_or_words(trades: TradesResponse) -> None:
    assert axis_titles(trades.plot(), "y") == {
        "Price (the product's currency and unit)", "Volume per 5m (the product's unit)",
    }  # fmt: skip
    assert "Price (EUR/MWh)" in axis_titles(trades.plot("EUR/MWh"), "y")
    pence = trades.to_unit("GBX/therm", "EUR/MWh", rate=0.85)
    assert "Price (GBX/therm)" in axis_titles(pence.plot(), "y")


def test_contracts_have_a_colour_each(client: sync.TrayportClient) -> None:
    two = client.trades.get_trades([APRIL, MAY], "2024-03-04T08", "2024-03-04T10")
    chart = two.plot()
    assert {row["contract"] for row in rows_of(chart)} == {APRIL, MAY}
    assert layers(chart)[1]["encoding"]["color"]["field"] == "contract"
    assert chart.title == f"{APRIL}, {MAY}"


@pytest.mark.parametrize("fields", [(), ("vwap",)])
def test_candles_are_wicks_and_bodies_with_their_volume(
    client: sync.TrayportClient, fields: tuple[Any, ...]
) -> None:
    candles = client.trades.get_ohlcv(APRIL, *DAY, "1h", optional_fields=fields)
    chart = candles.plot("EUR/MWh", tz="Europe/London")
    shown = rows_of(chart)
    frame = candles.to_polars()
    assert marks(chart) == ["rule", "rect", *(["line"] if fields else []), "rect"]
    for column in ("open", "high", "low", "close", "volume", *fields):
        assert [row[column] for row in shown] == frame[column].to_list()
    for row, start in zip(shown, milliseconds(frame["from_timestamp"]), strict=True):
        assert start < row["left"] < row["middle"] < row["right"] < start + 3_600_000
        assert row["direction"] == ("up" if row["close"] >= row["open"] else "down")
    wick, body = layers(chart)[:2]
    assert (wick["encoding"]["y"]["field"], wick["encoding"]["y2"]["field"]) == ("low", "high")
    assert (body["encoding"]["y"]["field"], body["encoding"]["y2"]["field"]) == ("open", "close")
    assert axis_titles(chart, "x") == {"Time (Europe/London)"}


def test_many_candles_are_merged_and_the_chart_says_so(client: sync.TrayportClient) -> None:
    candles = client.trades.get_ohlcv(APRIL, *DAY, "1m")
    chart = candles.plot(max_points=50)
    assert subtitle(chart).endswith(f"; merged into {len(rows_of(chart))} of 5m")
    total = candles.to_polars()["volume"].sum()
    assert sum(row["volume"] for row in rows_of(chart)) == pytest.approx(total)


def test_candles_of_several_contracts_are_no_chart(client: sync.TrayportClient) -> None:
    two = client.trades.get_trades([APRIL, MAY], *DAY).to_ohlcv("1h")
    with pytest.raises(TrayportValidationError, match="the table has 2 contracts"):
        two.plot()


def test_best_prices_are_a_band_and_a_gap_begins_where_the_state_ends(
    client: sync.TrayportClient,
) -> None:
    top = client.orders.get_order_book_top(
        APRIL, "2024-03-04T07", "2024-03-04T18", "15m", include_empty_buckets=True
    )
    chart = top.plot("EUR/MWh")
    frame, shown = top.to_polars(), rows_of(chart)
    assert marks(chart) == ["area", "line", "line", "line"]
    assert {layer["mark"]["interpolate"] for layer in layers(chart)} == {"step-after"}
    states = {(row["timestamp"], row["bid_price"], row["ask_price"]) for row in shown}
    times = milliseconds(frame["timestamp"])
    assert states >= set(zip(times, frame["bid_price"], frame["ask_price"], strict=True))
    mids = [row["mid"] for row in shown if row["mid"] is not None]
    assert set(mids) == set(top.mid().drop_nulls())
    empty = [place for place, row in enumerate(shown) if row["bid_price"] is None]
    later = [place for place in empty if place and shown[place - 1]["bid_price"] is not None]
    assert later
    for place in later:
        assert shown[place - 1]["timestamp"] == shown[place]["timestamp"]
        assert shown[place - 1]["bid_price"] == shown[place - 2]["bid_price"]


def test_books_are_drawn_over_time_and_at_an_instant(client: sync.TrayportClient) -> None:
    books = client.orders.get_order_book(APRIL, "2024-03-04T09", "2024-03-04T12", "15m")
    chart = books.plot("EUR/MWh")
    first = rows_of(chart)[0]
    assert marks(chart) == ["area", "line", "line", "line", "line", "line"]
    assert first["bid_depth"] == pytest.approx(sum(order.quantity for order in books[0].bids))
    assert first["ask_price"] == books[0].asks[0].price
    at = "2024-03-04T10:20"
    depth = books.plot("EUR/MWh", at=at, tz="Europe/Amsterdam")
    assert subtitle(depth).startswith("Book at 2024-03-04 11:15:00 (Europe/Amsterdam), ")
    book = books.at(at)
    for side, orders in (("bid", book.bids()), ("ask", book.asks())):
        levels = [row for row in rows_of(depth) if row["side"] == side]
        for row in levels:
            better = [
                o
                for o in orders
                if (o.price >= row["price"]) == (side == "bid") or o.price == row["price"]
            ]
            assert row["depth"] == pytest.approx(sum(order.quantity for order in better))
        assert levels[0]["price"] == orders[0].price
    assert [layer["mark"]["interpolate"] for layer in layers(depth)] == [
        "step-before",
        "step-after",
    ]
    with pytest.raises(TrayportLookupError, match="there is no state at or before"):
        books.plot(at="2024-03-04T08")
    snapshot = client.orders.get_order_book_snapshot(APRIL, "2024-03-04T10:15:00")
    assert rows_of(snapshot.plot()) == rows_of(depth)


def test_a_curve_is_in_the_order_of_delivery(client: sync.TrayportClient) -> None:
    curve = client.curve("TTF Hi Cal 51.6*", "months", n=6, at="2024-03-04T12:00")
    chart = curve.plot("EUR/MWh", tz="Europe/Amsterdam")
    frame, shown = curve.to_polars(), rows_of(chart)
    assert [row["delivery"] for row in shown] == frame["period"].to_list()
    for column in ("bid_price", "ask_price", "mid", "last_price"):
        assert [row[column] for row in shown] == frame[column].to_list()
    x = layers(chart)[0]["encoding"]["x"]
    assert (x["type"], x["sort"]) == ("ordinal", None)
    assert chart.title == "TTF Hi Cal 51.6*"
    assert subtitle(chart) == "6 contracts at 2024-03-04 13:00:00 (Europe/Amsterdam)"
    assert axis_titles(chart, "y") == {"Price (EUR/MWh)"}


@pytest.mark.parametrize(
    ("what", "interval", "kinds"),
    [("trades", None, ["line", "circle"]), ("ohlcv", "1d", ["rule", "rect"])],
)
def test_rolls_are_marked(
    what: Any, interval: str | None, kinds: list[str], client: sync.TrayportClient
) -> None:
    front = client.continuous(
        "TTF Hi Cal 51.6* months", 1, "2024-03-27", "2024-03-30", what=what, interval=interval
    )
    chart = front.plot("EUR/MWh")
    assert marks(chart) == [*kinds, "rule", "text", "rect"]
    rolls = rows_of(chart, len(kinds))
    assert [row["roll"] for row in rolls] == milliseconds(front.rolls["time"])
    assert [row["to"] for row in rolls] == ["May-24"]
    assert chart.title == "TTF Hi Cal 51.6*"


@pytest.mark.parametrize(("what", "price"), [("quotes", "mid"), ("ohlcv", "close")])
def test_a_spread_is_two_lines(what: Any, price: str, client: sync.TrayportClient) -> None:
    spread = client.spread(APRIL, MAY, "2024-03-04T09", "2024-03-04T12", what=what, interval="1h")
    chart = spread.plot("EUR/MWh")
    frame = spread.to_polars()
    assert [row[price] for row in rows_of(chart)] == frame[price].to_list()
    assert {row["source"] for row in rows_of(chart)} == {"exchange", "synthetic"}


def test_a_table_without_rows_is_a_chart_that_says_so(
    client: sync.TrayportClient, trades: TradesResponse
) -> None:
    at = ("2024-03-04T09", "2024-03-04T10", "15m")
    charts = {
        "no trades": trades[:0].plot("EUR/MWh"),
        "no candles": trades.to_ohlcv("1h")[:0].plot("EUR/MWh"),
        "no rows": client.orders.get_order_book_top(APRIL, *at)[:0].plot("EUR/MWh"),
        "no rows ": client.orders.get_order_book(APRIL, *at)[:0].plot("EUR/MWh"),
    }
    for said, chart in charts.items():
        assert subtitle(chart) == said.strip()
        assert chart.title == APRIL
        assert "Price (EUR/MWh)" in axis_titles(chart, "y")
    assert APRIL in charts["no trades"]._repr_mimebundle_()["image/svg+xml"]


def test_what_cannot_be_drawn_is_an_error(
    client: sync.TrayportClient, trades: TradesResponse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrayportValidationError, match=r"tz 'Europe/Amsterdm'.*Europe/Amsterdam"):
        trades.plot(tz="Europe/Amsterdm")
    (nbp, *_) = client.reference.get_markets("NBP*")
    with pytest.raises(TrayportValidationError, match=r"product is market .* but the rows"):
        trades.plot(client.reference.get_market_by_id(nbp.id))
    for product in (5, nbp):  # a list of markets has no trading specifications
        with pytest.raises(TrayportValidationError, match=r"product .* is no product: .*_by_id"):
            trades.plot(product)  # type: ignore[arg-type]
    monkeypatch.setattr(errors, "find_spec", lambda name: None if name == "altair" else name)
    with pytest.raises(
        TrayportConfigurationError, match=r"plot needs altair.*trayport-sdk\[plot\]"
    ):
        trades.plot()


# Files


@pytest.fixture(scope="module")
def chart() -> Chart:
    """A chart whose title would end a script, were it written as it is."""
    spec = ContractSpec(
        market_id=1, sequence_id=2, sequence_item_id=3, name="</script><b>Power & gas"
    )
    times = pl.Series([instant("2024-03-04T08:00"), instant("2024-03-04T09:00")]).cast(UTC_TIME)
    frame = pl.DataFrame({"deal_date": times, "price": [1.0, 2.0], "quantity": [3.0, 4.0]})
    return TradesResponse(frame, [], [spec]).plot()


def test_a_picture_is_one(chart: Chart, tmp_path: Path) -> None:
    for name in ("chart.png", "chart.SVG", "chart.json"):
        chart.save(tmp_path / name)
    png = (tmp_path / "chart.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 2 * 760
    assert height > 2 * 400
    svg = ET.fromstring((tmp_path / "chart.SVG").read_text())  # noqa: S314  (our own file)
    texts = {text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"</script><b>Power & gas", "08:30", "Time (UTC)"} <= texts
    assert json.loads((tmp_path / "chart.json").read_text()) == chart.to_dict()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "chart.SVG",
        "chart.json",
        "chart.png",
    ]


def test_a_page_loads_nothing_from_elsewhere(chart: Chart, tmp_path: Path) -> None:
    chart.save(tmp_path / "chart.html")
    page = (tmp_path / "chart.html").read_text()
    assert "<title>&lt;/script&gt;&lt;b&gt;Power &amp; gas</title>" in page
    assert "</script><b>" not in page
    assert len(page) > 500_000
    assert re.findall(r"<(\w+)[ >]", re.sub(r"(?s)<script>.*?</script>", "<script>", page)) == [
        "html", "head", "meta", "title", "body", "div", "script", "script",
    ]  # fmt: skip
    # What remains are names of schemas and namespaces, links in comments, and the editor, which
    # the menu of the chart does not have.
    known = re.compile(
        r"https?://(vega\.github\.io/(schema|editor)|www\.w3\.org|github\.com/vega/vega-lite/issues)/"
    )
    assert [url for url in re.findall(r"https?://\S{,60}", page) if not known.match(url)] == []
    assert '"editor": false' in page


def test_a_notebook_gets_a_picture(chart: Chart) -> None:
    bundle = chart._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == repr(chart) == "Chart('</script><b>Power & gas')"
    ET.fromstring(bundle["image/svg+xml"])  # noqa: S314  (our own picture)


def test_other_files_are_refused(chart: Chart, tmp_path: Path) -> None:
    with pytest.raises(
        TrayportValidationError, match=r"path .*chart.bmp' ends in no kind of chart"
    ):
        chart.save(tmp_path / "chart.bmp")
    with pytest.raises(TrayportValidationError, match="path"):
        chart.save(tmp_path / "missing" / "chart.svg")
    assert list(tmp_path.iterdir()) == []
