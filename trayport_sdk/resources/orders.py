"""Order books."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trayport_api.models import OrderBook
from trayport_spec import ENDPOINTS

from ..bulk.runner import Runner
from ..errors import TrayportLookupError, TrayportValidationError
from ..query import rules
from ..query.contracts import ContractSpec
from ..query.ranges import INTRADAY
from ..query.rules import Routes
from ..query.times import SECOND, Interval, TimeLike, instant, to_text
from ..tables import OrderBookResponse, OrderBookTopResponse

if TYPE_CHECKING:
    from ..bulk.progress import OnProgress


class OrdersGroup:
    """The state of order books at regular points in time, over ranges of any length."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def get_order_book_top(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | str | None = None,
        *,
        include_empty_buckets: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[str] = (),
        on_progress: OnProgress | None = None,
    ) -> OrderBookTopResponse:
        """The best bid and ask of a contract at regular points in `[from_, until)`.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name.
            from_: The first point in time. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            interval: The time between two points, such as `"1s"`, `"15m"` or `"1h"`.
            include_empty_buckets: Whether a point with nothing on either side has a row.
            routes: Routes to market by name or id, or `"all"`; the lowest-numbered one when left
                out [documented].
            deduplicate_routes: Whether an order that came over several routes counts once.
            optional_fields: Columns to add: `route`, `route_id`, and `venue_code`, which comes as
                `bid_venue_code` and `ask_venue_code` [documented].
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: The name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: An answer did not come, or broke off.
            TrayportDecodeError: An answer is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     top = await client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> len(top)
            3
        """
        query = self._runner.query(
            "order_book_top",
            from_=from_,
            until=until,
            interval=interval,
            include_empty_buckets=include_empty_buckets,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
        query = await self._runner.about_one(contract, query)
        return await self._runner.table(OrderBookTopResponse, query, on_progress)

    async def get_order_book(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | str | None = None,
        *,
        depth: int | None = None,
        max_spread: float | None = None,
        include_private: bool = False,
        include_empty_buckets: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[str] = (),
        on_progress: OnProgress | None = None,
    ) -> OrderBookResponse:
        """The orders of a contract at regular points in `[from_, until)`.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name.
            from_: The first point in time. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            interval: The time between two points, such as `"1s"`, `"15m"` or `"1h"`.
            depth: Orders a side, at most; the service has a default [documented].
            max_spread: The widest distance of an order from the best price of its side, in percent
                [assumed]; no bound when left out.
            include_private: Whether your own orders carry their private details. Venues with
                separate private and public feeds then show such an order twice [documented].
            include_empty_buckets: Whether a point with nothing on either side has a row.
            routes: Routes to market by name or id, or `"all"`; the lowest-numbered one when left
                out [documented].
            deduplicate_routes: Whether an order that came over several routes is returned once.
            optional_fields: Fields to add to every order: `venue_code`, `route`, `route_id`.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_order_book_top`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     books = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T09", "2024-03-04T12", "1h", depth=2
            ...     )
            >>> len(books[0].bids)
            2
        """
        query = self._runner.query(
            "order_book",
            from_=from_,
            until=until,
            interval=interval,
            depth=depth,
            max_spread=max_spread,
            include_private=include_private,
            include_empty_buckets=include_empty_buckets,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
        query = await self._runner.about_one(contract, query)
        return await self._runner.table(OrderBookResponse, query, on_progress)

    async def get_order_book_snapshot(
        self,
        contract: ContractSpec | str,
        at: TimeLike | None = None,
        *,
        depth: int | None = None,
        max_spread: float | None = None,
        include_private: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[str] = (),
    ) -> OrderBook:
        """The orders of a contract at one instant.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name.
            at: The instant, in whole seconds and before the end of the data. Left out, it is now,
                which needs the setting `intraday`. Naive times mean UTC.
            depth: Orders a side, at most; the service has a default [documented].
            max_spread: The widest distance of an order from the best price of its side, in percent.
            include_private: Whether your own orders carry their private details.
            routes: Routes to market by name or id, or `"all"`.
            deduplicate_routes: Whether an order that came over several routes is returned once.
            optional_fields: Fields to add to every order: `venue_code`, `route`, `route_id`.

        Raises:
            TrayportValidationError: There is no data at that instant for this key, or another
                argument cannot work; nothing was sent.
            TrayportLookupError: The service has no book at that instant yet.
            TrayportError: As `get_order_book_top`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     book = await client.orders.get_order_book_snapshot(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T12:00"
            ...     )
            >>> book.bids[0].price < book.asks[0].price
            True
        """
        start = self._instant(at)
        books = await self.get_order_book(
            contract,
            to_text(start),
            to_text(start + SECOND),
            Interval(1, "second"),
            depth=depth,
            max_spread=max_spread,
            include_private=include_private,
            include_empty_buckets=True,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
        if not len(books):
            raise TrayportLookupError(
                f"there is no book of {contract} at {to_text(start)} yet",
                suggestion="ask for an earlier instant",
            )
        return books[0]

    def _instant(self, at: TimeLike | None) -> int:
        now = self._runner.now()
        # The last second that is over: the one that runs has no book yet.
        start = instant(now.replace(microsecond=0) if at is None else at, "at")
        start -= SECOND if at is None else 0
        endpoint = ENDPOINTS["get_order_book"]
        # A book is asked for with the second after it.
        end = rules.latest(endpoint, now, intraday=self._runner.intraday)
        if end is not None and start >= end:
            asked = "now" if at is None else to_text(start)
            raise TrayportValidationError(
                f"at {asked} is not before {to_text(end)}, where the data of {endpoint.path} ends",
                parameter="at",
                limit=to_text(end),
                suggestion="give an earlier instant" + ("" if self._runner.intraday else INTRADAY),
            )
        return start
