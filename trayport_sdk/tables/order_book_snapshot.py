"""The book of a contract at one instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from trayport_api.models import OrderBook

from ..query.plan import counted
from . import convert
from .analytics import books
from .analytics.units import Product
from .order_book import BooksTable

if TYPE_CHECKING:
    import pandas as pd

    from .plots.chart import Chart


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

    def plot(self, product: Product | None = None, *, tz: str | None = None) -> Chart:
        """A chart of the quantity that stands at each price or a better one.

        It needs the extra `plot`. The arguments are those of a table of books.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     book = await client.orders.get_order_book_snapshot(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T12:00"
            ...     )
            >>> book.plot("EUR/MWh").save("book.svg")
        """
        return self._table.plot(product, tz=tz)

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
