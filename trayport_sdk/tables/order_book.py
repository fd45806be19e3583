"""Tables of order books and of their best prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex

import polars as pl
from trayport_api.models import OrderSide

from ..query.calls import checked_calls
from ..query.times import TimeLike
from .analytics import books
from .analytics.books import Level
from .analytics.units import Product
from .base import Model
from .convert import SIDES
from .timed import TimedTable

if TYPE_CHECKING:
    from .plots.chart import Chart
    from .plots.subject import Subject


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

    def _drawn(self, subject: Subject, max_points: SupportsIndex | None) -> Chart:
        from .plots import drawings

        return drawings.quotes(books.over_time(self._frame), subject, max_points)


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

    def plot(
        self,
        product: Product | None = None,
        *,
        at: TimeLike | None = None,
        tz: str | None = None,
        max_points: SupportsIndex | None = None,
    ) -> Chart:
        """A chart of the books over time, or of the depth of the book at an instant.

        It needs the extra `plot`. Over time it is that of the best prices, with the quantity of
        all orders of each side below. At an instant, and for a table of one book, it is the
        quantity that stands at each price or a better one.

        Args:
            product: The product, as `get_market_by_id` or `get_instrument_by_id` returns it, whose
                trading specifications say the units; or the unit of prices as text.
            at: The instant, whose state is the one in force, as in `at(...)`.
            tz: The time zone of the chart; UTC when it is left out.
            max_points: How many books are drawn at most; 5,000 when it is left out.

        Returns:
            The chart; without books one that says so.

        Raises:
            TrayportValidationError: An argument cannot work, or the product is not the one of the
                rows.
            TrayportLookupError: The instant lies before the first book.
            TrayportConfigurationError: The extra is not installed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1m"
            ...     )
            >>> books.plot("EUR/MWh").save("books.svg")
            >>> books.plot("EUR/MWh", at="2024-03-04T10:30").save("depth.svg")
        """
        table = self if at is None else self.at(at)
        if len(table) != 1:
            return super().plot(product, tz=tz, max_points=max_points)
        subject = self._subject(product, tz)
        from .plots import drawings

        instant = table._frame.select(pl.col("timestamp").cast(pl.Int64)).item()
        return drawings.depth(table.by_price().levels(), subject, instant)
