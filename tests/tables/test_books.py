"""What books are made into, against plain Python."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import isclose
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from trayport_sdk import (
    Level,
    OrderBookResponse,
    OrderBookTopResponse,
    TrayportClient,
    TrayportLookupError,
    TrayportValidationError,
)

ORDER = pl.Struct({"price": pl.Float64, "quantity": pl.Float64, "venue_code": pl.String})
SCHEMA = {"timestamp": pl.Datetime("ns", "UTC"), "bids": pl.List(ORDER), "asks": pl.List(ORDER)}
APRIL = "TTF Hi Cal 51.6* Apr-24"

Order = tuple[float, float, str]
Book = tuple[list[Order], list[Order]]

orders = st.tuples(
    st.integers(-20, 20).map(lambda ticks: ticks * 5 / 1000),
    st.integers(0, 5000).map(lambda size: size / 1000),
    st.sampled_from(["EEX7", "ICE", "NEW1"]),
)
asks = st.lists(orders, max_size=7).map(lambda side: sorted(side, key=lambda order: order[0]))
bids = asks.map(lambda side: sorted(side, key=lambda order: -order[0]))
some_books = st.lists(st.tuples(bids, asks), max_size=5)
proven = settings(max_examples=examples(40))


def response(books: Sequence[Book]) -> OrderBookResponse:
    names = ("price", "quantity", "venue_code")
    rows = [
        {
            "timestamp": None,
            "bids": [dict(zip(names, order, strict=True)) for order in book[0]],
            "asks": [dict(zip(names, order, strict=True)) for order in book[1]],
        }
        for book in books
    ]
    frame = pl.DataFrame(rows, schema=SCHEMA)
    times = pl.int_range(pl.len()).cast(pl.Datetime("ns", "UTC"))
    return OrderBookResponse(frame.with_columns(times.alias("timestamp")), [])


def stamps(table: OrderBookResponse | OrderBookTopResponse) -> list[int]:
    return table.to_polars()["timestamp"].cast(pl.Int64).to_list()


def top_of(books: Sequence[Book]) -> OrderBookTopResponse:
    names = ("bid_price", "bid_quantity", "ask_price", "ask_quantity")
    rows: list[dict[str, Any]] = [
        dict(
            zip(names, [*(b[0][:2] if b else (None, None)), *(a[0][:2] if a else (None, None))])  # noqa: B905
        )
        for b, a in books
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64))
    times = pl.int_range(pl.len()).cast(pl.Datetime("ns", "UTC"))
    return OrderBookTopResponse(frame.with_columns(times.alias("timestamp")), [])


@proven
@given(some_books, st.none() | st.integers(1, 9))
def test_levels_are_a_row_per_order(books: list[Book], depth: int | None) -> None:
    expected = [
        (point, side, level, *order)
        for point, book in enumerate(books)
        for side, own in zip(("bid", "ask"), book, strict=True)
        for level, order in enumerate(own[:depth])
    ]
    found = response(books).levels(depth)
    assert found.with_columns(pl.col("timestamp").cast(pl.Int64)).rows() == expected
    assert found.columns == ["timestamp", "side", "level", "price", "quantity", "venue_code"]


@proven
@given(some_books, st.integers(1, 9))
def test_wide_books_have_a_column_per_level(books: list[Book], depth: int) -> None:
    found = response(books).wide(depth)
    assert found.height == len(books)
    for point, book in enumerate(books):
        for side, name in enumerate(("bid", "ask")):
            for level in range(depth):
                cells = [
                    found[f"{name}_{field}_{level}"][point]
                    for field in ("price", "quantity", "venue_code")
                ]
                there = level < len(book[side])
                assert cells == (list(book[side][level]) if there else [None] * 3)
    deepest = max((len(side) for book in books for side in book), default=0)
    assert response(books).wide().width == 1 + deepest * 6


@proven
@given(some_books, st.sampled_from([("EEX7",), ("EEX7", "ICE"), ("GMEG",)]))
def test_the_orders_of_venues_keep_their_order(books: list[Book], venues: tuple[str, ...]) -> None:
    kept = [tuple([o for o in side if o[2] in venues] for side in book) for book in books]
    found = response(books).of_venues(*venues)
    assert found.to_polars().equals(response(kept).to_polars())  # type: ignore[arg-type]


@proven
@given(some_books)
def test_the_orders_at_a_price_are_added_up(books: list[Book]) -> None:
    found = response(books).by_price()
    assert found.by_price().to_polars().equals(found.to_polars())
    for book, row in zip(books, found.to_polars().rows(named=True), strict=True):
        for side, name, better in ((0, "bids", -1), (1, "asks", 1)):
            prices = sorted({order[0] for order in book[side]}, key=lambda price: better * price)
            assert [level["price"] for level in row[name]] == prices
            for level in row[name]:
                same = [order for order in book[side] if order[0] == level["price"]]
                assert level["order_count"] == len(same)
                exact = float(sum(Fraction(order[1]) for order in same))
                assert isclose(level["quantity"], exact, rel_tol=1e-12)


@proven
@given(some_books)
def test_the_orders_of_a_venue_are_added_up(books: list[Book]) -> None:
    found = response(books).by_venue().with_columns(pl.col("timestamp").cast(pl.Int64)).rows()
    expected = {}
    for point, book in enumerate(books):
        for side, name, best in ((0, "bid", max), (1, "ask", min)):
            for venue in {order[2] for order in book[side]}:
                own = [order for order in book[side] if order[2] == venue]
                price = best(order[0] for order in own)
                quantity = float(sum(Fraction(order[1]) for order in own))
                expected[point, name, venue] = (price, quantity, len(own))
    assert len(found) == len(expected)
    for point, name, venue, price, quantity, count in found:
        of_venue = expected[point, name, venue]
        assert (price, count) == (of_venue[0], of_venue[2])
        assert isclose(quantity, of_venue[1], rel_tol=1e-12)
    # By book, bids first, the best first.
    ranks = [(p, n == "ask", price if n == "ask" else -price) for p, n, _, price, _, _ in found]
    assert ranks == sorted(ranks)


@proven
@given(some_books, st.integers(0, 8))
def test_depth_is_what_stands_down_to_a_level(books: list[Book], level: int) -> None:
    found = response(books).depth(level).rows(named=True)
    for book, row in zip(books, found, strict=True):
        for side, name in enumerate(("bid", "ask")):
            at = book[side][level][:2] if level < len(book[side]) else (None, None)
            assert (row[f"{name}_price"], row[f"{name}_quantity"]) == at
            total = float(sum(Fraction(order[1]) for order in book[side][: level + 1]))
            assert isclose(row[f"{name}_depth"], total, rel_tol=1e-12)
            assert str(row[f"{name}_depth"])[0] != "-"


@proven
@given(some_books, st.integers(0, 20))
def test_depth_within_a_distance_knows_decimal_prices(books: list[Book], ticks: int) -> None:
    found = response(books).depth_within(ticks * 5 / 1000).rows(named=True)
    for book, row in zip(books, found, strict=True):
        for side, name in enumerate(("bid", "ask")):
            near = [
                order
                for order in book[side]
                if abs(round(order[0] * 1000) - round(book[side][0][0] * 1000)) <= ticks * 5
            ]
            total = float(sum(Fraction(order[1]) for order in near))
            assert isclose(row[f"{name}_depth"], total, rel_tol=1e-12)


@proven
@given(some_books, st.none() | st.integers(1, 9))
def test_imbalance_is_of_all_orders_up_to_a_depth(books: list[Book], depth: int | None) -> None:
    for book, found in zip(books, response(books).imbalance(depth), strict=True):
        bid, ask = (sum(Fraction(order[1]) for order in side[:depth]) for side in book)
        if bid + ask == 0:
            assert found is None
        else:
            assert isclose(found, (bid - ask) / (bid + ask), rel_tol=1e-9, abs_tol=1e-12)


@proven
@given(some_books)
def test_what_lies_between_the_best_prices_needs_both_sides(books: list[Book]) -> None:
    table, top = response(books), top_of(books)
    for other in (table, top):
        mids, spreads, micros = other.mid(), other.spread(), other.microprice()
        assert (mids.name, spreads.name, micros.name) == ("mid", "spread", "microprice")
        for book, mid, spread, micro in zip(books, mids, spreads, micros, strict=True):
            if not all(book):
                assert (mid, spread, micro) == (None, None, None)
                continue
            (bid, much, _), (ask, more, _) = book[0][0], book[1][0]
            assert (mid, spread) == ((bid + ask) / 2, ask - bid)
            if much + more == 0:
                assert micro is None
            else:
                sizes = Fraction(much), Fraction(more)
                exact = (Fraction(bid) * sizes[1] + Fraction(ask) * sizes[0]) / sum(sizes)
                assert isclose(micro, exact, rel_tol=1e-9, abs_tol=1e-12)
    assert top.imbalance().equals(table.imbalance(1))


@proven
@given(st.lists(st.integers(10, 20), min_size=1), st.integers(0, 30))
def test_the_state_in_force_is_the_last_one_at_or_before(times: list[int], now: int) -> None:
    rows: list[Book] = [([(float(n), 1.0, "ICE")], []) for n in range(len(times))]
    stamped = pl.Series("timestamp", times).cast(pl.Datetime("ns", "UTC"))
    for table in (response(rows), top_of(rows)):
        frame = table.to_polars().with_columns(stamped).sort("timestamp", maintain_order=True)
        known = type(table)(frame, [])
        if now < min(times):
            with pytest.raises(TrayportLookupError, match=f"1970-01-01T00:00:00.0*{min(times)}Z"):
                known.at(np.datetime64(now, "ns"))
            continue
        found = known.at(np.datetime64(now, "ns"))
        assert len(found) == 1
        assert stamps(found) == [max(t for t in times if t <= now)]
        last = max(n for n, t in enumerate(frame["timestamp"].cast(pl.Int64)) if t <= now)
        assert found.to_polars().equals(frame[last])


def test_the_sides_of_one_book_are_levels() -> None:
    with pytest.raises(TrayportLookupError, match="the table is empty"):
        response([]).at("2024-03-04")
    assert response([([(36.0, 1.0, "ICE")], [(35.5, 1.0, "EEX7")])]).spread()[0] == -0.5
    book = response([([(35.5, 1.0, "ICE"), (35.4, 2.0, "EEX7")], [(35.6, 3.0, "ICE")])])
    assert book.bids() == [Level("bid", 35.5, 1.0, "ICE"), Level("bid", 35.4, 2.0, "EEX7")]
    assert book.bids(1) == book.bids()[:1]
    assert book.asks() == [Level("ask", 35.6, 3.0, "ICE")]
    assert book.by_price().asks() == [Level("ask", 35.6, 3.0, None, 1)]
    with pytest.raises(TrayportValidationError, match="2 books"):
        response([([], []), ([], [])]).bids()


REFUSED: list[tuple[Callable[[OrderBookResponse], object], str]] = [
    (lambda books: books.levels(0), "depth"),
    (lambda books: books.wide(True), "depth"),
    (lambda books: books.imbalance(-1), "depth"),
    (lambda books: books.levels("2"), "depth"),  # type: ignore[arg-type]
    (lambda books: books.depth(-1), "level"),
    (lambda books: books.depth(1.0), "level"),  # type: ignore[arg-type]
    (lambda books: books.depth_within(-0.1), "distance"),
    (lambda books: books.depth_within(float("nan")), "distance"),
    (lambda books: books.of_venues(), "venue_codes"),
    (lambda books: books.of_venues("EEXX"), "venue_codes"),
    (lambda books: books.of_venues(["EEX7"]), "venue_codes"),  # type: ignore[arg-type]
    (lambda books: books.at("soon"), "at"),
]


@pytest.mark.parametrize(("call", "parameter"), REFUSED)
def test_an_argument_that_cannot_work_is_named(
    call: Callable[[OrderBookResponse], object], parameter: str
) -> None:
    with pytest.raises(TrayportValidationError) as caught:
        call(response([([(35.5, 1.0, "ICE")], [])]))
    assert caught.value.parameter == parameter
    assert caught.value.suggestion


def test_venues_have_to_be_asked_for() -> None:
    order = pl.List(pl.Struct({"price": pl.Float64, "quantity": pl.Float64}))
    frame = pl.DataFrame(schema={**SCHEMA, "bids": order, "asks": order})
    books = OrderBookResponse(frame, [])
    for call in (lambda: books.of_venues("EEX7"), books.by_venue):
        with pytest.raises(TrayportValidationError, match=r'optional_fields=\["venue_code"\]'):
            call()


@pytest.mark.anyio
async def test_books_of_the_sandbox_agree_with_their_tops() -> None:
    span = ("2024-03-04T05", "2024-03-04T19", "10m")
    async with TrayportClient.sandbox() as client:
        top = await client.orders.get_order_book_top(APRIL, *span, include_empty_buckets=True)
        books = await client.orders.get_order_book(
            APRIL,
            *span,
            include_empty_buckets=True,
            include_private=True,
            optional_fields=["venue_code"],
        )
    assert books.mid().equals(top.mid(), null_equal=True)
    assert 0 < top.mid().null_count() < len(top)
    assert books.imbalance(1).equals(top.imbalance())
    assert (
        books.wide(1).select("bid_price_0", "ask_price_0").rows()
        == top.to_polars().select("bid_price", "ask_price").rows()
    )
    assert len(list(books.by_price())) == len(books)
    assert books.levels().height == sum(len(book.bids) + len(book.asks) for book in books)
    now = books.at("2024-03-04T12:05:00.5")
    assert now.bids()[0].price == top.at("2024-03-04T12:05")[0].bid_price
