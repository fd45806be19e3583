"""Order books: the generated methods, and the book at one instant."""

from __future__ import annotations

from typing import Unpack

from trayport_spec import ENDPOINTS
from trayport_spec.options import OrderBookOptions

from ..errors import TrayportLookupError, TrayportValidationError
from ..query.build import last_instant
from ..query.calls import checked_calls
from ..query.contracts import ContractSpec
from ..query.rules import INTRADAY
from ..query.times import SECOND, Interval, TimeLike, instant, to_text
from ..tables.order_book_snapshot import OrderBookSnapshot
from .generated.orders import OrdersMethods


@checked_calls
class OrdersGroup(OrdersMethods):
    """The state of order books at regular points in time, over ranges of any length."""

    async def get_order_book_snapshot(
        self,
        contract: ContractSpec | str,
        at: TimeLike | None = None,
        **options: Unpack[OrderBookOptions],
    ) -> OrderBookSnapshot:
        """The orders of a contract at one instant.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name.
            at: The instant, in whole seconds and before the end of the data. Left out, it is now,
                which needs the setting `intraday`. Naive times mean UTC.
            options: The other options of `get_order_book`.

        Returns:
            The book as a model; its `to_polars` and `to_pandas` give a row per order.

        Raises:
            TrayportValidationError: There is no data at that instant for this key, or another
                argument cannot work; nothing was sent.
            TrayportLookupError: The service has no book at that instant yet.
            TrayportError: As `get_order_book`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     book = await client.orders.get_order_book_snapshot(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T12:00"
            ...     )
            >>> book.bids[0].price < book.asks[0].price
            True
        """
        start = self._instant(at)
        end = to_text(start + SECOND)
        options["include_empty_buckets"] = True
        books = await self.get_order_book(
            contract, to_text(start), end, Interval(1, "second"), **options
        )
        if not len(books):
            raise TrayportLookupError(
                f"there is no book of {contract} at {to_text(start)} yet",
                suggestion="ask for an earlier instant",
            )
        return OrderBookSnapshot(books)

    def _instant(self, at: TimeLike | None) -> int:
        now = self._runner.now()
        # The last whole second: the current second has no book yet.
        start = instant(now.replace(microsecond=0) if at is None else at, "at")
        start -= SECOND if at is None else 0
        endpoint = ENDPOINTS["get_order_book"]
        # A request for a book names the second after it.
        end = last_instant(endpoint, now, intraday=self._runner.intraday)
        if end is not None and start >= end:
            wanted = "now" if at is None else to_text(start)
            raise TrayportValidationError(
                f"at {wanted} is not before {to_text(end)}, where the data of {endpoint.path} ends",
                parameter="at",
                limit=to_text(end),
                suggestion="give an earlier instant" + ("" if self._runner.intraday else INTRADAY),
            )
        return start
