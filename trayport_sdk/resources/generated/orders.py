"""The order book over time, as its best prices or in depth.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Sequence

from trayport_spec.options import OrderBookField, OrderBookTopField

from ...bulk.progress import OnProgress
from ...query.build import Routes
from ...query.calls import checked_calls
from ...query.contracts import ContractSpec
from ...query.times import Interval, TimeLike
from ...tables import OrderBookResponse, OrderBookTopResponse
from ..operations import RowOperations


@checked_calls
class OrdersMethods(RowOperations):
    """The order book over time, as its best prices or in depth."""

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
        optional_fields: Sequence[OrderBookTopField] | OrderBookTopField = (),
        on_progress: OnProgress | None = None,
    ) -> OrderBookTopResponse:
        """The best bid and ask of one contract, sampled at an interval.

        The top of the book at regular instants, oldest first. A side without orders is null; an
        instant with no orders at all is left out unless empty buckets are requested. [documented]

        A range of any length is cut into the fewest requests that the API accepts.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name such as
                `"TTF Hi Cal 51.6* Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC. [documented; assumes from-inclusive]
            until: The end, exclusive; the end of the data when it is left out. [documented; assumes
                current-day-is-asked-whole]
            interval: The time from one row to the next, such as `"15m"`, `"1h"` or `"1d"`.
                [documented; assumes counts-fit-32-bits]
            include_empty_buckets: Whether buckets without data are returned as well. [documented;
                assumes include-empty-default]
            routes: Routes to market by name or id, or `all`. When absent, the lowest-numbered
                route. [documented; assumes list-separators]
            deduplicate_routes: Whether a record that came over several routes is returned once. It
                is when several routes are requested and this is absent. [documented]
            optional_fields: Columns to add to every order: `route`, `route_id`, `venue_code`.
                [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `TopOfBook`, with the fields:
            - `timestamp`: The instant, in nanoseconds since 1970-01-01 UTC. [documented]
            - `bid_price`: The best bid, null when there is none. [documented]
            - `bid_quantity`: The quantity bid, null when there is none. [documented; assumes
              top-quantity-of-first-order]
            - `ask_price`: The best ask, null when there is none. [documented]
            - `ask_quantity`: The quantity asked, null when there is none. [documented; assumes
              top-quantity-of-first-order]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"
            ...     )
            >>> rows.to_polars().columns
            ['timestamp', 'bid_price', 'bid_quantity', 'ask_price', 'ask_quantity']
        """
        return await self._runner.fetch(
            OrderBookTopResponse,
            contract,
            from_=from_,
            until=until,
            interval=interval,
            include_empty_buckets=include_empty_buckets,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
            on_progress=on_progress,
        )

    async def get_order_book(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | str | None = None,
        *,
        include_empty_buckets: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        depth: int | None = None,
        max_spread: float | None = None,
        include_private: bool = False,
        optional_fields: Sequence[OrderBookField] | OrderBookField = (),
        on_progress: OnProgress | None = None,
    ) -> OrderBookResponse:
        """The order book of one contract in depth, sampled at an interval.

        Bids and asks at regular instants, oldest first; within a side best price first, and oldest
        order first within a price. Orders are listed one by one, except those of venues that send
        them aggregated by price. A venue with separate public and private feeds shows an own order
        twice when private details are requested: these are two records. [documented]

        A range of any length is cut into the fewest requests that the API accepts.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name such as
                `"TTF Hi Cal 51.6* Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC. [documented; assumes from-inclusive]
            until: The end, exclusive; the end of the data when it is left out. [documented; assumes
                current-day-is-asked-whole]
            interval: The time from one row to the next, such as `"15m"`, `"1h"` or `"1d"`.
                [documented; assumes counts-fit-32-bits]
            include_empty_buckets: Whether buckets without data are returned as well. [documented;
                assumes include-empty-default]
            routes: Routes to market by name or id, or `all`. When absent, the lowest-numbered
                route. [documented; assumes list-separators]
            deduplicate_routes: Whether a record that came over several routes is returned once. It
                is when several routes are requested and this is absent. [documented]
            depth: How many orders to return on each side, best first. [documented; assumes
                depth-minimum, counts-fit-32-bits]
            max_spread: Leaves out orders further than this many percent from the best price of
                their side; by default none are left out. [documented; assumes max-spread-from-best]
            include_private: Whether your own rows carry their private details. [documented; assumes
                include-private-default]
            optional_fields: Columns to add to every order: `route`, `route_id`, `venue_code`.
                [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `OrderBook`, with the fields:
            - `timestamp`: The instant, in nanoseconds since 1970-01-01 UTC. [documented]
            - `bids`: The bids, highest first. [documented]
            - `asks`: The asks, lowest first. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"
            ...     )
            >>> rows.to_polars().columns
            ['timestamp', 'bids', 'asks']
        """
        return await self._runner.fetch(
            OrderBookResponse,
            contract,
            from_=from_,
            until=until,
            interval=interval,
            include_empty_buckets=include_empty_buckets,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            depth=depth,
            max_spread=max_spread,
            include_private=include_private,
            optional_fields=optional_fields,
            on_progress=on_progress,
        )
