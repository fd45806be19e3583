"""Tables of order books and of their best prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex

import polars as pl
from trayport_api.models import OrderBook, OrderSide

from ..query.calls import checked_calls
from ..query.plan import counted
from ..query.times import TimeLike
from . import convert
from .analytics import books
from .analytics.books import Level
from .base import Model
from .convert import SIDES
from .timed import TimedTable

if TYPE_CHECKING:
    import pandas as pd


@checked_calls
class QuotesTable(TimedTable[Model]):
    """Values of the best prices of books.

    The columns that are made here have a value per row of the table, and null where a side that
    they need is empty. Crossed books are what they are: their spread is negative.
    """

    _time = "timestamp"
    _prices = ("bid_price", "ask_price", *SIDES)

    def mid(self) -> pl.Series:
        """The middle of the best bid and the best ask, as a column `mid`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     top = await client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> top.mid()[0] == (top[0].bid_price + top[0].ask_price) / 2
            True
        """
        return books.mid(self._frame)

    def spread(self) -> pl.Series:
        """The best ask less the best bid, as a column `spread`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     top = await client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> top.to_polars().with_columns(top.mid(), top.spread()).columns[-2:]
            ['mid', 'spread']
        """
        return books.spread(self._frame)

    def microprice(self) -> pl.Series:
        """The middle of the best prices, each weighted by the quantity on the other side.

        The column is called `microprice`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     top = await client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> top[0].bid_price <= top.microprice()[0] <= top[0].ask_price
            True
        """
        return books.microprice(self._frame)

    def at(self, instant: TimeLike) -> Self:
        """The state in force at an instant: the last row at or before it, as a table of that row.

        States between two points are not known, and points with nothing on either side have no
        row unless they were requested with `include_empty_buckets=True`: without it, a book that
        has become empty looks as it did before.

        Args:
            instant: The instant, as precise as the table has them. Naive times mean UTC.

        Raises:
            TrayportValidationError: The instant is no time.
            TrayportLookupError: It lies before the first row; the message says when that is.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     top = await client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> top.at("2024-03-04T10:59:59.5")[0] == top[1]
            True
        """
        return self._with(books.in_force(self._frame, instant))

    def imbalance(self) -> pl.Series:
        """(bid - ask) / (bid + ask), by the quantity of the best orders, as column `imbalance`.

        From -1, where only asks are, to 1, where only bids are; null where nothing is.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     top = await client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> top.imbalance().is_between(-1, 1).all()
            True
        """
        return books.imbalance_of_best(self._frame)


@checked_calls
class BooksTable(QuotesTable[Model]):
    """Books at points in time, their `bids` and `asks` as lists of orders, the best first.

    CSV, which knows no lists, gets a row per order.
    Levels are orders, as the API sends them; `by_price()` makes a level of each price.
    """

    def levels(self, depth: SupportsIndex | None = None) -> pl.DataFrame:
        """A row per order: its `timestamp`, its `side` (`bid` or `ask`), its `level`, its fields.

        Args:
            depth: Orders a side, at most; all of them when it is left out.

        Returns:
            The orders, level 0 being the best. Books without orders have no row.

        Raises:
            TrayportValidationError: The depth is no whole number from 1.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> books.levels(depth=2)["level"].to_list()[:4]
            [0, 1, 0, 1]
        """
        return books.levels(self._frame, depth)

    def wide(self, depth: SupportsIndex | None = None) -> pl.DataFrame:
        """A row per book, with a column per field, side and level.

        Args:
            depth: Levels of each side; as many as the deepest book has when it is left out.

        Returns:
            The columns `timestamp`, `bid_price_0`, `bid_quantity_0`, `ask_price_0`,
            `ask_quantity_0`, `bid_price_1` and so on, with `bid_venue_code_0` and the like where
            the orders have more fields; null where a book is thinner.

        Raises:
            TrayportValidationError: The depth is no whole number from 1.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> books.wide(1).columns
            ['timestamp', 'bid_price_0', 'bid_quantity_0', 'ask_price_0', 'ask_quantity_0']
        """
        return books.wide(self._frame, depth)

    def bids(self, depth: SupportsIndex | None = None) -> list[Level]:
        """The bids of a table of one book as values, the best first.

        Args:
            depth: Orders, at most; all of them when it is left out.

        Raises:
            TrayportValidationError: The table has none or several books.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> bids = books.at("2024-03-04T10:30").bids()
            >>> bids == sorted(bids) and bids[0].price >= bids[-1].price
            True
        """
        return books.side_of_one(self._frame, OrderSide.BID, depth)

    def asks(self, depth: SupportsIndex | None = None) -> list[Level]:
        """The asks of a table of one book as values, the best first.

        Args:
            depth: Orders, at most; all of them when it is left out.

        Raises:
            TrayportValidationError: The table has none or several books.
        """
        return books.side_of_one(self._frame, OrderSide.ASK, depth)

    def of_venues(self, *venue_codes: str) -> Self:
        """The books without the orders of other venues.

        Args:
            venue_codes: Codes of venues, as in `VENUES` or in the table.

        Raises:
            TrayportValidationError: The orders do not say their venue, which is requested with
                `optional_fields=["venue_code"]`; or a code is neither known nor in the table.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24",
            ...         "2024-03-04T09",
            ...         "2024-03-04T12",
            ...         "1h",
            ...         optional_fields=["venue_code"],
            ...     )
            >>> set(books.of_venues("EEX7").levels()["venue_code"]) <= {"EEX7"}
            True
        """
        return self._with(books.of_venues(self._frame, *venue_codes))

    def by_price(self) -> Self:
        """The books with one entry per price and side, the best first.

        The entries have `price`, `quantity`, which is the sum of their orders, and `order_count`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> books.by_price().levels()["order_count"].sum() == len(books.levels())
            True
        """
        return self._with(books.by_price(self._frame))

    def by_venue(self) -> pl.DataFrame:
        """A row per book, side and venue: its best price, its quantity, its number of orders.

        Returns:
            The columns `timestamp`, `side`, `venue_code`, `price`, `quantity`, `order_count`, the
            best prices first.

        Raises:
            TrayportValidationError: The orders do not say their venue, which is requested with
                `optional_fields=["venue_code"]`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24",
            ...         "2024-03-04T09",
            ...         "2024-03-04T12",
            ...         "1h",
            ...         optional_fields=["venue_code"],
            ...     )
            >>> books.by_venue()["order_count"].sum() == len(books.levels())
            True
        """
        return books.by_venue(self._frame)

    def depth(self, level: SupportsIndex) -> pl.DataFrame:
        """What stands at a level, and from the best order down to it.

        Args:
            level: The level, 0 for the best.

        Returns:
            The columns `timestamp`, `bid_price`, `bid_quantity`, `bid_depth`, and the same of asks.
            Price and quantity are those at the level, null where a book is thinner; depth is the
            quantity of all orders down to it, 0 where there is none.

        Raises:
            TrayportValidationError: The level is no whole number from 0.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> books.depth(0)["bid_depth"].equals(books.depth(0)["bid_quantity"])
            True
        """
        return books.depth(self._frame, level)

    def depth_within(self, distance: SupportsFloat) -> pl.DataFrame:
        """The quantity that stands no farther from the best price of its side than a distance.

        Args:
            distance: A distance of prices; prices are compared to nine decimal places.

        Returns:
            The columns `timestamp`, `bid_depth`, `ask_depth`; 0 where a side is empty.

        Raises:
            TrayportValidationError: The distance is no number from 0.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> books.depth_within(0.05).columns
            ['timestamp', 'bid_depth', 'ask_depth']
        """
        return books.depth_within(self._frame, distance)

    def imbalance(self, depth: SupportsIndex | None = None) -> pl.Series:
        """(bid - ask) / (bid + ask), by the quantity of orders, as a column `imbalance`.

        Args:
            depth: Orders a side, at most; all of them when it is left out.

        Returns:
            From -1, where only asks are, to 1, where only bids are; null where nothing is.

        Raises:
            TrayportValidationError: The depth is no whole number from 1.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> books.imbalance(depth=5).is_between(-1, 1).all()
            True
        """
        return books.imbalance(self._frame, depth)


class OrderBookSnapshot(OrderBook):
    """The book of a contract at one instant: the model, which is also a frame of its orders.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     book = await client.orders.get_order_book_snapshot(
        ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T12:00", depth=3
        ...     )
        >>> book.to_polars().columns
        ['timestamp', 'side', 'level', 'price', 'quantity']
        >>> len(book.to_polars()) == len(book.bids) + len(book.asks) == 6
        True
    """

    __slots__ = ("_table",)
    __hash__ = None

    def __init__(self, table: BooksTable[OrderBook]) -> None:
        (book,) = table
        super().__init__(book.timestamp, book.bids, book.asks)
        self._table = table

    def to_polars(self, *, tz: str | None = None, decimal: bool = False) -> pl.DataFrame:
        """A row per order: the `timestamp`, its `side` (`bid` or `ask`), its `level`, its fields.

        Args:
            tz: The time zone of the time; UTC when it is left out.
            decimal: Whether prices and quantities are decimals.
        """
        return convert.converted(self._table.levels(), tz, decimal=decimal)

    def to_pandas(
        self, *, tz: str | None = None, decimal: bool = False, arrow: bool = False
    ) -> pd.DataFrame:
        """The same frame in pandas; needs the extra `pandas`. The options are those of a table."""
        frame = self.to_polars(tz=tz, decimal=decimal)
        return convert.pandas_frame(frame, (), arrow=arrow, stamps=tz is not None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OrderBook):
            return NotImplemented
        mine, theirs = ((b.timestamp, b.bids, b.asks) for b in (self, other))
        return mine == theirs

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._table,)

    def __repr__(self) -> str:
        sides = [
            counted(len(orders), name) + (f" from {orders[0].price}" if orders else "")
            for name, orders in (("bid", self.bids), ("ask", self.asks))
        ]
        return f"{type(self).__name__}({books.time_text(self.timestamp)}, {', '.join(sides)})"

    def _repr_html_(self) -> str:
        table = self.to_polars()._repr_html_()  # pyright: ignore[reportPrivateUsage]
        return f"<p><strong>{self!r}</strong></p>{table}"
