"""Order books from the sandbox."""

from copy import deepcopy
from datetime import UTC, datetime

import polars as pl
import pytest
from trayport_spec import ENDPOINTS, VENUES

from trayport_sdk import (
    ContractSpec,
    Interval,
    Settings,
    TrayportAuthenticationError,
    TrayportClient,
    TrayportHistoryWarning,
    TrayportLookupError,
    TrayportValidationError,
)
from trayport_sdk.query.times import instant, to_text
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.settings import SANDBOX_KEY

pytestmark = pytest.mark.anyio

APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)
NOON = datetime(2024, 3, 6, 12, 30, 15, 123456, tzinfo=UTC)
FIRST_ORDERS = min(venue.orders_from for venue in VENUES.values())


def at_noon() -> Sandbox:
    """A sandbox in which it is a Wednesday at noon, and the key may see the current day."""
    return Sandbox(
        limits=False, clock=lambda: int(NOON.timestamp()) * 10**9, intraday_keys=[SANDBOX_KEY]
    )


async def test_points_are_regular_from_the_start_of_the_range() -> None:
    async with TrayportClient.sandbox() as client:
        top = await client.orders.get_order_book_top(
            APRIL, "2024-03-04T08:00:30", "2024-03-04T10:00", "7m", include_empty_buckets=True
        )
    times = top.to_polars()["timestamp"].cast(pl.Int64)
    start = instant("2024-03-04T08:00:30", "from_")
    assert times.to_list() == list(range(start, start + 120 * 60 * 10**9 - 1, 7 * 60 * 10**9))[:18]


async def test_more_points_than_a_request_may_have_are_cut_into_several() -> None:
    most = ENDPOINTS["get_order_book_top"].limits.max_points
    assert most is not None
    async with TrayportClient.sandbox() as client:
        top = await client.orders.get_order_book_top(APRIL, "2024-03-04", "2024-03-05T06", "1s")
    assert len(top.requests) == -(-30 * 3600 // most) == 2
    assert top.to_polars()["timestamp"].is_sorted()
    assert top.to_polars()["timestamp"].is_unique().all()


async def test_a_book_has_the_depth_and_the_fields_asked_for() -> None:
    async with TrayportClient.sandbox() as client:
        books = await client.orders.get_order_book(
            APRIL,
            "2024-03-04T09",
            "2024-03-04T12",
            Interval(1, "hour"),
            depth=3,
            optional_fields=["venue_code"],
            routes="ALL",
        )
    assert len(books) == 3
    for book in books:
        assert len(book.bids) == len(book.asks) == 3
        assert book.bids[0].price < book.asks[0].price
        assert all(order.venue_code and order.route for order in [*book.bids, *book.asks])


async def test_a_book_at_an_instant_is_that_of_the_series() -> None:
    async with TrayportClient.sandbox() as client:
        books = await client.orders.get_order_book(
            APRIL, "2024-03-04T09", "2024-03-04T12", "1h", depth=5
        )
        for book in books:
            alone = await client.orders.get_order_book_snapshot(
                APRIL, to_text(book.timestamp), depth=5
            )
            assert alone == book
            assert alone.to_dict() == book.to_dict()
            assert deepcopy(alone) == alone
            assert (alone == books[0]) == (book == books[0])


async def test_a_book_at_an_instant_is_a_frame_of_its_orders() -> None:
    async with TrayportClient.sandbox() as client:
        book = await client.orders.get_order_book_snapshot(
            APRIL, "2024-03-04T12:00", depth=2, optional_fields=["venue_code"]
        )
    assert repr(book) == (
        f"OrderBookSnapshot(2024-03-04T12:00:00Z, 2 bids from {book.bids[0].price}, "
        f"2 asks from {book.asks[0].price})"
    )
    frame = book.to_polars(tz="Europe/London", decimal=True)
    assert frame.columns == ["timestamp", "side", "level", "price", "quantity", "venue_code"]
    assert frame.schema["timestamp"] == pl.Datetime("ns", "Europe/London")
    assert frame["side"].to_list() == ["bid", "bid", "ask", "ask"]
    assert list(map(float, frame["price"])) == [o.price for o in [*book.bids, *book.asks]]
    assert book.to_pandas()["venue_code"].tolist() == frame["venue_code"].to_list()
    assert "35." in book._repr_html_()


async def test_a_book_at_night_is_empty_and_not_missing() -> None:
    async with TrayportClient.sandbox() as client:
        book = await client.orders.get_order_book_snapshot(APRIL, "2024-03-03T12:00:01")
    assert (book.bids, book.asks) == ([], [])
    assert repr(book) == "OrderBookSnapshot(2024-03-03T12:00:01Z, 0 bids, 0 asks)"
    assert book.to_polars().is_empty()
    assert book.timestamp == instant("2024-03-03T12:00:01", "at")


@pytest.mark.parametrize("at", [None, NOON.replace(microsecond=0), "2024-03-06"])
async def test_the_book_of_today_needs_the_setting(at: datetime | str | None) -> None:
    sandbox = at_noon()
    async with TrayportClient.sandbox(sandbox) as client:
        client._runner.now = lambda: NOON
        with pytest.raises(TrayportValidationError, match="TRAYPORT_INTRADAY") as refused:
            await client.orders.get_order_book_snapshot(APRIL, at)
    assert refused.value.parameter == "at"
    assert len(sandbox.requests) == 0


async def test_the_book_of_now_where_the_current_day_is_served() -> None:
    entitled = Settings(_env_file=None, intraday=True)
    async with TrayportClient.sandbox(at_noon(), settings=entitled) as client:
        client._runner.now = lambda: NOON
        book = await client.orders.get_order_book_snapshot(APRIL)
        with pytest.raises(TrayportLookupError, match="earlier"):
            await client.orders.get_order_book_snapshot(APRIL, NOON.replace(microsecond=0))
    assert book.timestamp == instant("2024-03-06T12:30:14", "at")
    assert book.bids


async def test_the_setting_alone_gives_no_right_to_the_current_day() -> None:
    hopeful = Settings(_env_file=None, intraday=True)
    async with TrayportClient.sandbox(settings=hopeful) as client:
        with pytest.raises(TrayportAuthenticationError, match="intraday"):
            await client.orders.get_order_book_snapshot(APRIL)


async def test_books_from_before_there_were_any_come_with_a_warning() -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.warns(TrayportHistoryWarning, match=str(FIRST_ORDERS)) as warned:
            top = await client.orders.get_order_book_top(
                APRIL, f"{FIRST_ORDERS.year - 1}-01-02", f"{FIRST_ORDERS.year - 1}-01-03", "1h"
            )
    assert len(top) == 0
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"interval": None}, "interval"),
        ({"interval": "1d"}, "interval"),
        ({"interval": 7}, "interval"),
        ({"depth": 0}, "depth"),
        ({"depth": True}, "depth"),
        ({"max_spread": 0.0}, "max_spread"),
        ({"max_spread": float("nan")}, "max_spread"),
        ({"include_private": "yes"}, "include_private"),
        ({"optional_fields": ["vwap"]}, "optional_fields"),
        ({"until": "2024-03-04"}, "until"),
        ({"until": "2999"}, "until"),
        ({"routes": [""]}, "routes"),
    ],
)
async def test_what_the_service_would_refuse_is_not_sent(
    changed: dict[str, object], parameter: str
) -> None:
    sandbox = Sandbox(limits=False)
    given: dict[str, object] = {"from_": "2024-03-04", "until": "2024-03-05", "interval": "1h"}
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportValidationError) as refused:
            await client.orders.get_order_book(APRIL, **{**given, **changed})  # type: ignore[arg-type]
    assert refused.value.parameter == parameter
    assert len(sandbox.requests) == 0
