"""Tables of the best prices of books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from trayport_api.models import TopOfBook

from .analytics import quotes
from .base import Model, TableResponse

if TYPE_CHECKING:
    import polars as pl

    from ..query.times import TimeLike


class QuotesTable(TableResponse[Model]):
    """What the best prices of books say.

    The columns that are made here have a value per row of the table, and null where a side that
    they need is empty. Crossed books are what they are: their spread is negative.
    """

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
        return quotes.mid(self._frame)

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
        return quotes.spread(self._frame)

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
        return quotes.microprice(self._frame)

    def at(self, instant: TimeLike | int) -> Self:
        """The state in force at an instant: the last row at or before it, as a table of that row.

        States between two points are not known, and points with nothing on either side have no
        row unless they were asked for with `include_empty_buckets=True`: without it, a book that
        has become empty looks as it did before.

        Args:
            instant: The instant, as precise as the table has them, or in nanoseconds since
                1970-01-01 UTC. Naive times mean UTC.

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
        return self._with(quotes.in_force(self._frame, instant))


class OrderBookTopResponse(QuotesTable[TopOfBook]):
    """The best bid and ask at points in time; the models are `trayport_api.models.TopOfBook`."""

    operation_id = "get_order_book_top"
    model = TopOfBook

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
        return quotes.imbalance(self._frame)
