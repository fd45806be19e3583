"""The synchronous client: the names of the asynchronous one, without `await`.

    from trayport_sdk.sync import TrayportClient

It works in scripts, in threads, and in notebooks whose loop is running already. A thread of the
client's own has the loop, on which also the functions are called that you hand over, such as
`on_progress`.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from . import client as async_
from .client import MAX_REQUESTS
from .query.calls import checked_calls
from .resources.portal import Portal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    import httpx
    import polars as pl
    from pydantic import SecretStr
    from trayport_api import models
    from trayport_spec.options import (
        ActivityField,
        AnyOptions,
        EndpointName,
        LastTradeField,
        OHLCVField,
        OHLCVInterval,
        OHLCVOptions,
        OrderBookField,
        OrderBookOptions,
        OrderBookTopField,
        OrderBookTopOptions,
        PrivateTradesField,
        TradesField,
        TradesOptions,
    )

    from .bulk.backfill_report import BackfillReport
    from .bulk.cluster import DaskCluster
    from .bulk.dead_letters import RetryReport
    from .bulk.parts import Part, PartReport
    from .bulk.progress import OnProgress
    from .bulk.results import (
        BulkMarketDataResponse,
        BulkQueryResult,
        BulkSnapshotsResponse,
        BulkTradesResponse,
        MarketData,
        OnResult,
    )
    from .bulk.runner import Contracts, Retried
    from .bulk.stream import Result
    from .bulk.stream import TableStream as AsyncTableStream
    from .bulk.writer import FileReport
    from .http.hooks import EventHooks, OnBreakerChange, OnRetry
    from .http.limiter import Priority
    from .query.build import ResponseFormat, Routes
    from .query.by_contract import ByContract
    from .query.contracts import ContractSpec, ContractType
    from .query.plan import QueryPlan
    from .query.times import Interval, TimeLike
    from .resources.catalog import ContractDescription
    from .resources.contact.report import FirstContact
    from .resources.health import HealthReport, Status
    from .resources.methods import ReferenceList
    from .resources.orders import OrdersGroup as AsyncOrdersGroup
    from .resources.planner import Planner as AsyncPlanner
    from .resources.planner import PlanOptions
    from .resources.reference import ReferenceGroup as AsyncReferenceGroup
    from .resources.search import ContractMatch, Match
    from .resources.series import Adjust, Roll
    from .resources.snapshots import SnapshotsGroup as AsyncSnapshotsGroup
    from .resources.trades import TradesGroup as AsyncTradesGroup
    from .sandbox import Sandbox
    from .settings import Settings
    from .tables import (
        ActivityResponse,
        OHLCVResponse,
        OrderBookResponse,
        OrderBookTopResponse,
        PrivateTradesResponse,
        SnapshotsResponse,
        TableResponse,
        TradesBatch,
        TradesResponse,
    )
    from .tables.formats import (
        ColumnarOptions,
        Compression,
        CsvOptions,
        FileOptions,
        Separator,
        TimeOptions,
    )
    from .tables.order_book_snapshot import OrderBookSnapshot
    from .tables.series import ContinuousResponse, CurveResponse, SpreadResponse
    from .tables.time_units import OnLoss, TimeUnit
    from .telemetry.metrics import Metrics

__all__ = ["TrayportClient"]


@checked_calls
class TradesGroup:
    """Trades of contracts, and what is made of trades, over ranges of any length.

    Long ranges are cut into windows that the API accepts, and contracts that may share requests
    do. Every row of a range is returned exactly once, whichever way the service reads `until`.
    """

    def __init__(self, async_: AsyncTradesGroup, portal: Portal) -> None:
        self._async, self._portal = async_, portal

    def get_trades(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        include_private: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[TradesField] | TradesField = (),
        on_progress: OnProgress | None = None,
    ) -> TradesResponse:
        """Trades of one contract or of several items of one sequence.

        Executed trades in a time range, oldest first. Several items of a sequence may be requested
        at once, either by their ids or as the next tradable ones. Rows say which contract they
        belong to only when the optional field `contract` is requested. [documented]

        A range of any length is cut into the fewest requests that the API accepts. Contracts that
        may share a request do; the rows of several contracts always say which one they belong to.

        Args:
            contracts: One contract or several, as `ContractSpec`, as machine symbols, or by name
                such as `"TTF Hi Cal 51.6* Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC. [documented; assumes from-inclusive]
            until: The end, exclusive; the end of the data when it is left out. [documented; assumes
                current-day-is-asked-whole]
            include_private: Whether your own rows carry their private details. [documented; assumes
                include-private-default]
            routes: Routes to market by name or id, or `all`. When absent, the lowest-numbered
                route. [documented; assumes list-separators]
            deduplicate_routes: Whether a record that came over several routes is returned once. It
                is when several routes are requested and this is absent. [documented]
            optional_fields: Columns to add to every trade: `contract`, `route`, `route_id`,
                `from_broken_spread`, `initiator_owned_spread`, `aggressor_owned_spread`,
                `aggressor_sleeve`, `initiator_sleeve`. [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `Trade`, with the fields:
            - `trade_id`: The venue's own id. Unique only together with the venue code. [documented]
            - `venue_code`: The code of the venue. New codes appear over time. [documented]
            - `deal_date`: When the trade was made, in nanoseconds since 1970-01-01 UTC.
              [documented]
            - `price`: The price in the product's currency per unit. It may be negative.
              [documented]
            - `quantity`: The quantity in the product's unit, not always whole. [documented]
            - `aggressor_buy`: Whether the aggressor bought. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> rows.to_polars().columns
            ['trade_id', 'venue_code', 'deal_date', 'price', 'quantity', 'aggressor_buy']
        """
        return self._portal.run(
            self._async.get_trades(
                contracts,
                from_,
                until,
                include_private=include_private,
                routes=routes,
                deduplicate_routes=deduplicate_routes,
                optional_fields=optional_fields,
                on_progress=on_progress,
            )
        )

    def get_private_trades(
        self,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        market_id: int | None = None,
        instrument_id: int | None = None,
        sequence_id: int | None = None,
        contract: ContractSpec | str | None = None,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[PrivateTradesField] | PrivateTradesField = (),
        on_progress: OnProgress | None = None,
    ) -> PrivateTradesResponse:
        """Your own trades, with both sides as far as you may see them.

        Trades in which the owner of the key took part, oldest first, the current day included. Any
        part of a contract narrows the response; without any, all private trades are returned.
        [documented]

        A range of any length is cut into the fewest requests that the API accepts.

        Args:
            from_: The start, inclusive. Naive times mean UTC. [documented; assumes from-inclusive]
            until: The end, exclusive; now when it is left out. [documented; assumes
                current-day-is-asked-whole]
            market_id: Only what is of this market. [documented]
            instrument_id: Only what is of this instrument. [documented]
            sequence_id: Only what is of this sequence. [documented]
            contract: Only what is of this contract, in place of the ids. [documented]
            routes: Routes to market by name or id, or `all`. When absent, the lowest-numbered
                route. [documented; assumes list-separators]
            deduplicate_routes: Whether a record that came over several routes is returned once. It
                is when several routes are requested and this is absent. [documented]
            optional_fields: Columns to add to every trade: `contract`, `route`, `route_id`,
                `from_broken_spread`, `initiator_owned_spread`, `aggressor_owned_spread`,
                `aggressor_sleeve`, `initiator_sleeve`. [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `PrivateTrade`, with the fields:
            - `trade_id`: The venue's own id. Unique only together with the venue code. [documented]
            - `venue_code`: The code of the venue. New codes appear over time. [documented]
            - `deal_date`: When the trade was made, in nanoseconds since 1970-01-01 UTC.
              [documented]
            - `price`: The price in the product's currency per unit. It may be negative.
              [documented]
            - `quantity`: The quantity in the product's unit, not always whole. [documented]
            - `aggressor_buy`: Whether the aggressor bought. [documented]
            - `route`: The name of the route to market. [documented]
            - `aggressor_company_id`: The aggressor's company, 0 when unknown. [assumed:
              ids-are-integers]
            - `aggressor_trader_company_name`: The name of the aggressor's company, empty when
              unknown. [documented]
            - `aggressor_trader_id`: The aggressor's trader, 0 when unknown. [assumed:
              ids-are-integers]
            - `aggressor_trader_name`: The name of the aggressor's trader, empty when unknown.
              [documented]
            - `aggressor_derivative_indicator`: Whether the aggressor flagged the trade as a
              derivative. [documented]
            - `initiator_company_id`: The initiator's company, 0 when unknown. [assumed:
              ids-are-integers]
            - `initiator_trader_company_name`: The name of the initiator's company, empty when
              unknown. [documented]
            - `initiator_trader_id`: The initiator's trader, 0 when unknown. [assumed:
              ids-are-integers]
            - `initiator_trader_name`: The name of the initiator's trader, empty when unknown.
              [documented]
            - `initiator_derivative_indicator`: Whether the initiator flagged the trade as a
              derivative. [documented]
            - `product_classification`: How the product is classified. [documented]
            - `last_updated`: When the trade last changed, in nanoseconds since 1970-01-01 UTC.
              [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.trades.get_private_trades("2024-03-04", "2024-03-05")
            >>> rows.to_polars(nested=True).columns[:3]
            ['trade_id', 'venue_code', 'deal_date']
        """
        return self._portal.run(
            self._async.get_private_trades(
                from_,
                until,
                market_id=market_id,
                instrument_id=instrument_id,
                sequence_id=sequence_id,
                contract=contract,
                routes=routes,
                deduplicate_routes=deduplicate_routes,
                optional_fields=optional_fields,
                on_progress=on_progress,
            )
        )

    def get_ohlcv(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | OHLCVInterval | None = None,
        *,
        include_empty_buckets: bool = False,
        optional_fields: Sequence[OHLCVField] | OHLCVField = (),
        on_progress: OnProgress | None = None,
    ) -> OHLCVResponse:
        """Candles of one contract.

        Open, high, low, close and volume per bucket of time, oldest first. The range must be
        aligned to the interval, and only some combinations of interval and unit exist. [documented]

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
            optional_fields: Columns to add to every candle: `open_timestamp`, `close_timestamp`,
                `vwap`. [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `Candle`, with the fields:
            - `from_timestamp`: The start of the bucket, in nanoseconds since 1970-01-01 UTC.
              [documented]
            - `to_timestamp`: The end of the bucket, in nanoseconds since 1970-01-01 UTC.
              [documented]
            - `open`: The first price. [documented; assumes empty-candle-is-null]
            - `high`: The highest price. [documented; assumes empty-candle-is-null]
            - `low`: The lowest price. [documented; assumes empty-candle-is-null]
            - `close`: The last price. [documented; assumes empty-candle-is-null]
            - `volume`: The sum of the quantities, not always whole. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.trades.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"
            ...     )
            >>> rows.to_polars().columns
            ['from_timestamp', 'to_timestamp', 'open', 'high', 'low', 'close', 'volume']
        """
        return self._portal.run(
            self._async.get_ohlcv(
                contract,
                from_,
                until,
                interval,
                include_empty_buckets=include_empty_buckets,
                optional_fields=optional_fields,
                on_progress=on_progress,
            )
        )

    def get_last_trade(
        self,
        contract: ContractSpec | str,
        *,
        at: TimeLike | None = None,
        optional_fields: Sequence[LastTradeField] | LastTradeField = (),
        on_progress: OnProgress | None = None,
    ) -> models.LastTrade | None:
        """The last trade of one contract before an instant.

        The latest trade before `at`; there is none when the contract did not trade within the time
        that is looked back over. [documented]

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name such as
                `"TTF Hi Cal 51.6* Apr-24"`.
            at: The instant to look back from, exclusive; the end of the data when absent. Naive
                times mean UTC. [documented]
            optional_fields: Columns to add to the response: `contract`. [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            The `LastTrade`, or None when there is none. Its fields:
            - `price`: The price. It may be negative. [documented]
            - `deal_date`: When the trade was made, in nanoseconds since 1970-01-01 UTC.
              [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     item = client.trades.get_last_trade(
            ...         "TTF Hi Cal 51.6* Apr-24", at="2024-03-05T12:00"
            ...     )
            >>> item is not None
            True
        """
        return self._portal.run(
            self._async.get_last_trade(
                contract, at=at, optional_fields=optional_fields, on_progress=on_progress
            )
        )

    def get_activity(
        self,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        routes: Routes | None = None,
        optional_fields: Sequence[ActivityField] | ActivityField = (),
        on_progress: OnProgress | None = None,
    ) -> ActivityResponse:
        """Which contracts traded in a time range, and how often.

        One row per contract that traded between two whole minutes. Rows carry no time of their own.
        [documented]

        A range of any length is cut into the fewest requests that the API accepts.

        Args:
            from_: The start, inclusive. Naive times mean UTC. [documented; assumes from-inclusive]
            until: The end, exclusive; the end of the data when it is left out. [documented; assumes
                current-day-is-asked-whole]
            routes: Routes to market by name or id, or `all`. When absent, the lowest-numbered
                route. [documented; assumes list-separators]
            optional_fields: Columns to add to every row: `route`, `route_id`, `market_id`,
                `update_count`, `delete_count`. [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `Activity`, with the fields:
            - `instrument_id`: A number that names something for good. [documented]
            - `sequence_id`: A number that names something for good. [documented]
            - `sequence_item_id`: A number that names something for good. [documented]
            - `second_sequence_item_id`: The second delivery period, null for single periods.
              [documented]
            - `contract_type`: The kind of a contract, as responses name it. Requests name the same
              kinds as `ContractType`. [documented]
            - `count`: How many trades were made. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.trades.get_activity("2024-03-04", "2024-03-05")
            >>> rows.to_polars().columns[:3]
            ['instrument_id', 'sequence_id', 'sequence_item_id']
        """
        return self._portal.run(
            self._async.get_activity(
                from_,
                until,
                routes=routes,
                optional_fields=optional_fields,
                on_progress=on_progress,
            )
        )

    def get_trades_by_trading_items(
        self,
        market_id: int | None = None,
        instrument_id: int | None = None,
        *,
        sequence_id: int,
        trading_items: int,
        from_: TimeLike,
        until: TimeLike | None = None,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> TradesResponse:
        """The trades of the next tradable items of a sequence in `[from_, until)`, in time order.

        Which items those are is counted from the start of the range [assumed:
        trading-items-reference]; for a range of several requests, a snapshot at its start says it
        first. The column `contract` is always there.

        Args:
            market_id: The market. Exactly one of this and `instrument_id` is given.
            instrument_id: The instrument.
            sequence_id: The sequence, whose items must have an end of trading [documented].
            trading_items: How many items.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `get_trades`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_trades`.

        Warns:
            TrayportExpiryWarning: One of the items expires within the range, after which nothing
                takes its place; `client.continuous` gives a series that goes on.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     trades = client.trades.get_trades_by_trading_items(
            ...         10000065,
            ...         sequence_id=10000305,
            ...         trading_items=3,
            ...         from_="2024-03-04",
            ...         until="2024-03-05",
            ...     )
            >>> len({trade.contract.sequence_item_id for trade in trades})
            3
        """
        return self._portal.run(
            self._async.get_trades_by_trading_items(
                market_id,
                instrument_id,
                sequence_id=sequence_id,
                trading_items=trading_items,
                from_=from_,
                until=until,
                on_progress=on_progress,
                **options,
            )
        )


@checked_calls
class OrdersGroup:
    """The state of order books at regular points in time, over ranges of any length."""

    def __init__(self, async_: AsyncOrdersGroup, portal: Portal) -> None:
        self._async, self._portal = async_, portal

    def get_order_book_top(
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
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.orders.get_order_book_top(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"
            ...     )
            >>> rows.to_polars().columns
            ['timestamp', 'bid_price', 'bid_quantity', 'ask_price', 'ask_quantity']
        """
        return self._portal.run(
            self._async.get_order_book_top(
                contract,
                from_,
                until,
                interval,
                include_empty_buckets=include_empty_buckets,
                routes=routes,
                deduplicate_routes=deduplicate_routes,
                optional_fields=optional_fields,
                on_progress=on_progress,
            )
        )

    def get_order_book(
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
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.orders.get_order_book(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"
            ...     )
            >>> rows.to_polars().columns
            ['timestamp', 'bids', 'asks']
        """
        return self._portal.run(
            self._async.get_order_book(
                contract,
                from_,
                until,
                interval,
                include_empty_buckets=include_empty_buckets,
                routes=routes,
                deduplicate_routes=deduplicate_routes,
                depth=depth,
                max_spread=max_spread,
                include_private=include_private,
                optional_fields=optional_fields,
                on_progress=on_progress,
            )
        )

    def get_order_book_snapshot(
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
            >>> with TrayportClient.sandbox() as client:
            ...     book = client.orders.get_order_book_snapshot(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04T12:00"
            ...     )
            >>> book.bids[0].price < book.asks[0].price
            True
        """
        return self._portal.run(self._async.get_order_book_snapshot(contract, at, **options))


@checked_calls
class SnapshotsGroup:
    """Last trades and best orders of contracts at an instant."""

    def __init__(self, async_: AsyncSnapshotsGroup, portal: Portal) -> None:
        self._async, self._portal = async_, portal

    def get_snapshots(
        self,
        contracts: Contracts,
        *,
        at: TimeLike | None = None,
        on_progress: OnProgress | None = None,
    ) -> SnapshotsResponse:
        """The last trade and the best orders of several items at one instant.

        The state of one contract, or of several items of a sequence, just before `at`. The instant
        is named `at`; any other name is ignored and the response is today's. [documented]

        Contracts that may share a request do; the rows of several contracts always say which one
        they belong to.

        Args:
            contracts: One contract or several, as `ContractSpec`, as machine symbols, or by name
                such as `"TTF Hi Cal 51.6* Apr-24"`.
            at: The instant to look back from, exclusive; the end of the data when absent. Naive
                times mean UTC. [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `Snapshot`, with the fields:
            - `contract`: A product together with a delivery period. [documented]
            - `last_trade`: The latest trade, null when there is none. [documented]
            - `best_orders`: The best bid and ask of a contract in a snapshot. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.snapshots.get_snapshots(
            ...         "TTF Hi Cal 51.6* Apr-24", at="2024-03-05T12:00"
            ...     )
            >>> rows.to_polars(nested=True).columns
            ['contract', 'last_trade', 'best_orders']
        """
        return self._portal.run(
            self._async.get_snapshots(contracts, at=at, on_progress=on_progress)
        )

    def get_snapshots_by_trading_items(
        self,
        market_id: int | None = None,
        instrument_id: int | None = None,
        *,
        sequence_id: int,
        trading_items: int,
        at: TimeLike | None = None,
    ) -> SnapshotsResponse:
        """The last trade and the best orders of the next tradable items of a sequence.

        Args:
            market_id: The market. Exactly one of this and `instrument_id` is given.
            instrument_id: The instrument.
            sequence_id: The sequence, whose items must have an end of trading [documented].
            trading_items: How many items, counted from the instant [assumed:
                trading-items-reference].
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out. Naive times mean UTC.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_snapshots`.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.snapshots.get_snapshots_by_trading_items(
            ...         10000065, sequence_id=10000305, trading_items=3, at="2024-03-05T12:00"
            ...     )
            >>> len(rows)
            3
        """
        return self._portal.run(
            self._async.get_snapshots_by_trading_items(
                market_id,
                instrument_id,
                sequence_id=sequence_id,
                trading_items=trading_items,
                at=at,
            )
        )


@checked_calls
class ReferenceGroup:
    """Instruments, markets, sequences and delivery periods.

    Dates in these responses are ISO-8601 text in UTC, or None for rolling items [observed].

    Responses are kept in memory and on disk for a while that the settings name. When they are too
    old and the service fails, they are served nevertheless, with a `TrayportStaleDataWarning`; the
    lists say so in `stale` and `read_at`.
    """

    def __init__(self, async_: AsyncReferenceGroup, portal: Portal) -> None:
        self._async, self._portal = async_, portal

    def get_instruments(self, name: str | None = None) -> ReferenceList[models.Instrument]:
        """All instruments, or those whose name contains a text, in any case.

        Args:
            name: The text.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     instruments = client.reference.get_instruments("ttf hi cal 51.6 eex")
            >>> instruments[0].id
            10002806
        """
        return self._portal.run(self._async.get_instruments(name))

    def get_instrument_by_id(self, id: int) -> models.InstrumentDetails:
        """One instrument with its currencies and units.

        The name of an instrument and the currency and quantity unit it trades in. [documented]

        Args:
            id: The id of the instrument. [documented]

        Returns:
            The `InstrumentDetails`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name traders use. [documented]
            - `trading_specifications`: The currencies and units a product trades in. [documented]
            - `sequences`: The path of its sequences. [assumed: product-sequences-path]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     item = client.reference.get_instrument_by_id(10002806)
            >>> item.id
            10002806
        """
        return self._portal.run(self._async.get_instrument_by_id(id))

    def get_instrument_sequences(self, instrument_id: int) -> ReferenceList[models.Sequence]:
        """The sequences an instrument trades in.

        The sequences of delivery periods that together with the instrument make contracts.
        [documented]

        Args:
            instrument_id: The id of the instrument. [documented]

        Returns:
            A list of `Sequence`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the sequence. [documented; assumes names-are-never-null]
            - `sequence_items`: The path of its items. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.reference.get_instrument_sequences(10002806)
            >>> len(rows) > 0
            True
        """
        return self._portal.run(self._async.get_instrument_sequences(instrument_id))

    def get_markets(self, name: str | None = None) -> ReferenceList[models.Market]:
        """All markets, or those whose name contains a text, in any case.

        Args:
            name: The text; a `*` at its end is left out.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     markets = client.reference.get_markets("ttf hi cal 51.6*")
            >>> markets[0].id
            10000065
        """
        return self._portal.run(self._async.get_markets(name))

    def get_market_by_id(self, id: int) -> models.MarketDetails:
        """One market with its currencies and units.

        The name of a market and the currency and quantity unit it trades in. [documented]

        Args:
            id: The id of the market. [documented]

        Returns:
            The `MarketDetails`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name traders use. [documented]
            - `trading_specifications`: The currencies and units a product trades in. [documented]
            - `sequences`: The path of its sequences. [assumed: product-sequences-path]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     item = client.reference.get_market_by_id(10000065)
            >>> item.id
            10000065
        """
        return self._portal.run(self._async.get_market_by_id(id))

    def get_market_sequences(self, market_id: int) -> ReferenceList[models.Sequence]:
        """The sequences a market trades in.

        The sequences of delivery periods that together with the market make contracts. [documented]

        Args:
            market_id: The id of the market. [documented]

        Returns:
            A list of `Sequence`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the sequence. [documented; assumes names-are-never-null]
            - `sequence_items`: The path of its items. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     rows = client.reference.get_market_sequences(10000065)
            >>> len(rows) > 0
            True
        """
        return self._portal.run(self._async.get_market_sequences(market_id))

    def get_sequences(
        self, instrument_id: int | None = None, market_id: int | None = None
    ) -> ReferenceList[models.Sequence]:
        """The sequences of an instrument or of a market, or all of them.

        Args:
            instrument_id: The instrument.
            market_id: The market; not with `instrument_id`.

        Raises:
            TrayportValidationError: Both an instrument and a market are given.
            TrayportNotFoundError: No product has this id.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     sequences = client.reference.get_sequences(market_id=10000065)
            >>> "Gas - NG Months" in [sequence.name for sequence in sequences]
            True
        """
        return self._portal.run(self._async.get_sequences(instrument_id, market_id))

    def get_sequence_items(
        self, sequence_id: int, start_date: TimeLike | None = None, count: int | None = None
    ) -> ReferenceList[models.SequenceItem]:
        """The items of a sequence that end on or after a date, in order.

        Rolling items never expire and have no dates [documented].

        Args:
            sequence_id: The id of the sequence.
            start_date: The earliest end of a delivery period, in UTC; today when it is left out
                [documented].
            count: How many items to return at most; all of them when it is left out.

        Raises:
            TrayportNotFoundError: No sequence has this id.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     items = client.reference.get_sequence_items(10000305, "2023-04-15", 3)
            >>> [item.name for item in items]
            ['Apr-23', 'May-23', 'Jun-23']
        """
        return self._portal.run(self._async.get_sequence_items(sequence_id, start_date, count))

    def get_sequence_item(self, sequence_id: int, item_id: int) -> models.SequenceItem:
        """One item of a sequence.

        A delivery period by its id, whether it has expired or not. [documented]

        Args:
            sequence_id: The id of the sequence. [documented]
            item_id: The id of the item in its sequence. [documented]

        Returns:
            The `SequenceItem`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the period, such as Apr-24. [documented; assumes
              names-are-never-null]
            - `period_start`: When delivery starts, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `period_end`: When delivery ends, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `trading_start`: When trading starts, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `trading_end`: When trading ends, in ISO-8601; null for rolling items, which never
              expire. [observed; assumes item-dates-optional-zone]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     item = client.reference.get_sequence_item(10000305, 244)
            >>> item.id
            244
        """
        return self._portal.run(self._async.get_sequence_item(sequence_id, item_id))

    def get_sequence_by_id(self, id: int) -> models.Sequence:
        """One sequence, read from the list of all: the API has no operation of its own for it.

        Args:
            id: The id of the sequence.

        Raises:
            TrayportLookupError: No sequence has this id.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     (client.reference.get_sequence_by_id(10000305)).name
            'Gas - NG Months'
        """
        return self._portal.run(self._async.get_sequence_by_id(id))

    def refresh(self) -> None:
        """Has all reference data of this key read again when it is wanted next.

        What was read before is served meanwhile only while the service fails. It sends nothing.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     before = client.reference.get_markets()
            ...     client.reference.refresh()
            ...     after = client.reference.get_markets()
            >>> before.read_at < after.read_at
            True
        """
        return self._portal.run(self._async.refresh())


@checked_calls
class TableStream:
    """Rows of one or many contracts, request by request. Made by `client.stream_trades`.

    It is used in one way and once: iterated, written to a file, or worked on by a function.
    Nothing is sent before.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> months = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]
        >>> with TemporaryDirectory() as directory:
        ...     with TrayportClient.sandbox() as client:
        ...         stream = client.stream_trades(months, "2024-03-04", "2024-03-05")
        ...         report = stream.to_parquet(f"{directory}/trades.parquet")
        >>> len(report.requests)
        1
    """

    def __init__(self, async_: AsyncTableStream, portal: Portal) -> None:
        self._async, self._portal = async_, portal

    @property
    def rows_by_contract(self) -> ByContract[int]:
        """How many rows of each contract have come so far; none before the first request.

        They are found by the contract, its name, its machine symbol, or what was asked for.
        """
        return self._async.rows_by_contract

    def to_parquet(self, path: str | Path, **options: Unpack[ColumnarOptions]) -> FileReport:
        """Writes all rows as Parquet, in groups of 50,000; otherwise like `to_file`."""
        return self._portal.run(self._async.to_parquet(path, **options))

    def to_arrow(self, path: str | Path, **options: Unpack[ColumnarOptions]) -> FileReport:
        """Writes all rows as an Arrow IPC file, in batches of 100,000; otherwise like `to_file`."""
        return self._portal.run(self._async.to_arrow(path, **options))

    def to_csv(self, path: str | Path, **options: Unpack[CsvOptions]) -> FileReport:
        """Writes all rows as CSV, times in ISO-8601 with nanoseconds.

        Arguments, errors and result are those of `to_file`.
        """
        return self._portal.run(self._async.to_csv(path, **options))

    def to_json(self, path: str | Path, **options: Unpack[TimeOptions]) -> FileReport:
        """Writes all rows as JSON Lines, times in ISO-8601 with nanoseconds.

        Arguments, errors and result are those of `to_file`.
        """
        return self._portal.run(self._async.to_json(path, **options))

    def to_file(self, path: str | Path, **options: Unpack[FileOptions]) -> FileReport:
        """Writes all rows to a file, in the format that its name ends with.

        The rows and columns are those of the call that returns a table, in the order of the
        requests. A few responses are in memory or in temporary files at a time. The file appears
        when it is whole: after an error or a cancellation there is none, or still the old one.

        Args:
            path: The file: `.parquet`, `.arrow`, `.csv` or `.jsonl`.
            options: How it is written, as in `FileOptions`.

        Raises:
            TrayportValidationError: The file cannot be written like that, and nothing was sent; or
                a time has a part below `time_unit`.
            TrayportConfigurationError: The stream was used already.
            TrayportError: A request failed.
            OSError: The file cannot be written, because the disk is full for example.
        """
        return self._portal.run(self._async.to_file(path, **options))

    def download_raw(self, directory: str | Path) -> list[Path]:
        """Keeps the bodies of the responses as they came over the wire, a file each.

        Checks, names and contents are those of `client.download_raw`.

        Args:
            directory: Where they go; made when it is missing.

        Returns:
            The files, in the order of the requests.

        Raises:
            TrayportValidationError: There can be no such directory; nothing was sent.
            TrayportConfigurationError: The stream was used already.
            TrayportError: A request failed; the files of those before it stay.
            OSError: A file cannot be written.
        """
        return self._portal.run(self._async.download_raw(directory))

    def map_batches(
        self, fn: Callable[[pl.DataFrame], Result], workers: int | None = None
    ) -> Iterator[Result]:
        """What a function makes of pieces of about 100,000 rows, in their order.

        It is for work that keeps a processor busy: the pieces are worked on in processes of their
        own, while the next ones are fetched. The columns are those of the table, so that rows of
        several contracts say whose they are.

        Args:
            fn: Takes a polars frame; defined at the top level of a module that can be imported.
                What it returns is pickled.
            workers: How many processes; with 0 or 1 it runs in this one. As many as there are
                processors when it is left out.

        Raises:
            TrayportValidationError: The function cannot be sent to another process; nothing was
                sent.
            TrayportConfigurationError: The stream was used already, or a process has ended.
            TrayportError: A request failed.
            Exception: What the function raised, with a note about the rows.

        Example:
            >>> import polars as pl
            >>> with TrayportClient.sandbox() as client:
            ...     stream = client.stream_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            ...     for columns in stream.map_batches(pl.DataFrame.get_columns, workers=1):
            ...         print(columns[0].name)
            trade_id
        """
        return self._portal.iterate(self._async.map_batches(fn, workers))

    def __iter__(self) -> Iterator[TradesBatch]:
        """The rows of one contract in one window at a time; leaving the loop ends the requests."""
        return self._portal.iterate(self._async)

    def close(self) -> None:
        """Ends the requests of a stream that is not iterated to its end."""
        self._portal.run(self._async.aclose())


@checked_calls
class Planner:
    """Finds the fewest requests for many contracts, and runs them.

    Planning sends nothing, not even to look up a name: contracts are `ContractSpec` values or
    machine symbols, which `client.resolve_contract` makes of names.
    """

    def __init__(self, async_: AsyncPlanner, portal: Portal) -> None:
        self._async, self._portal = async_, portal

    def plan_multi_contract_query(
        self,
        contracts: Contracts,
        endpoint: EndpointName,
        from_: TimeLike | None = None,
        until: TimeLike | None = None,
        *,
        at: TimeLike | None = None,
        interval: Interval | str | None = None,
        **options: Unpack[PlanOptions],
    ) -> list[QueryPlan]:
        """The fewest requests that fetch the data of contracts.

        Single periods of one product and sequence share requests of trades and snapshots, up to the
        maximum the API documents; private trades of many contracts are requested as a whole. Ranges
        are cut into the fewest windows, candles where a candle ends.

        Args:
            contracts: One contract or several, as `ContractSpec` or machine symbols. A contract
                that is given twice is requested once.
            endpoint: What to request: `"trades"`, `"private_trades"`, `"ohlcv"`, `"last_trade"`,
                `"order_book_top"`, `"order_book"` or `"snapshots"`.
            from_: The start of the range, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            at: The instant, for last trades and snapshots.
            interval: The interval, for candles and order books.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Returns:
            A plan per request, batches first. Plans can be pickled, and `to_dict` writes them down.

        Raises:
            TrayportValidationError: An argument cannot work.

        Example:
            >>> months = [f"10000065*#Single#10000305#{item}#0" for item in range(230, 280)]
            >>> with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         months, "trades", "2024-01-01", "2024-03-31"
            ...     )
            >>> client.planner.estimate_request_count(plans)
            3
        """
        return self._async.plan_multi_contract_query(
            contracts, endpoint, from_, until, at=at, interval=interval, **options
        )

    def estimate_request_count(self, plans: Sequence[QueryPlan]) -> int:
        """How many requests the plans take, if none has to be split or sent again.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-04-04"
            ...     )
            ...     client.planner.estimate_request_count(plans)
            2
        """
        return self._async.estimate_request_count(plans)

    def estimate_duration(self, plans: Sequence[QueryPlan]) -> timedelta:
        """How long the rate limit makes the plans take at most, given what the key has used of it.

        Responses that are slower than the pace of the requests add time on top. Where the allowance
        is shared, its store is read.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-04-01"
            ...     )
            ...     client.planner.estimate_duration(plans).total_seconds()
            0.0
        """
        return self._async.estimate_duration(plans)

    def explain(self, plans: Sequence[QueryPlan]) -> str:
        """The plans in words, and as a table.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-04-01"
            ...     )
            >>> print(client.planner.explain(plans).splitlines()[0])
            1 request for 1 contract: 1 ParallelContractQuery; no wait for the rate limit
        """
        return self._async.explain(plans)

    def parts(
        self, plans: Sequence[QueryPlan] | BackfillReport, n: int, *, out: str | Path | None = None
    ) -> list[Part]:
        """Plans in parts, for workers that run them by `client.run_part`.

        Args:
            plans: What `plan_multi_contract_query` returned; or the report of a backfill with
                `dry_run=True`, whose parts leave their rows with the data set: the next backfill
                of it takes them in.
            n: How many parts at most.
            out: Where the rows go: a directory or a URL that all workers reach. Where it is None,
                those of a backfill lie beside the data set, and others come with the reports.

        Returns:
            The parts; each has as many requests as the others, or one more.

        Raises:
            TrayportValidationError: An argument cannot work.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0",
            ...         "ohlcv",
            ...         "2023-01-01",
            ...         "2024-01-01",
            ...         interval="1h",
            ...     )
            ...     reports = [client.run_part(p) for p in client.planner.parts(plans, 3)]
            >>> [len(report.responses) for report in reports]
            [2, 1, 1]
        """
        return self._async.parts(plans, n, out=out)

    def execute_plan(
        self,
        plans: Sequence[QueryPlan],
        *,
        on_result: OnResult | None = None,
        on_progress: OnProgress | None = None,
    ) -> BulkQueryResult[TableResponse[Any]]:
        """Runs plans of one endpoint and its options; a failure does not stop the rest.

        A request that the service cannot finish is split, and so is a batch it refuses, until what
        still fails is as small as it gets. A cancelled call raises `CancelledError` at once; use
        `on_result` to keep what came before.

        Args:
            plans: What `plan_multi_contract_query` returned, a part of it, or the queries of
                failures; a plan that is given twice runs once.
            on_result: Called with a `QueryResult` for each contract and window as soon as its rows
                are complete, never for one that failed. It runs in the event loop; what it raises
                ends the call.
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table per contract, and what failed.

        Raises:
            TrayportValidationError: The plans do not belong together.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-01", "2024-03-05"
            ...     )
            ...     result = client.planner.execute_plan(
            ...         plans, on_result=lambda result: print(result.contract, result.window)
            ...     )
            10000065*#Single#10000305#244#0 2024-03-01T00:00:00Z to 2024-03-05T00:00:00Z
            >>> len(result.failures)
            0
        """
        return self._portal.run(
            self._async.execute_plan(plans, on_result=on_result, on_progress=on_progress)
        )


@checked_calls
class TrayportClient:
    """Both APIs behind one key.

    Use it as an context manager, or call `close` when done.

    Args:
        api_key: The personal key, as text or as pydantic's `SecretStr`. Left out, it is read from
            `TRAYPORT_API_KEY` or `.env`.
        settings: All settings at once; the other arguments win over them.
        analytics_url: The address of the Data Analytics API.
        reference_url: The address of the Reference Data API.
        timeout: Seconds to wait for the next part of a response.
        max_retries: How often a failed request is sent again.
        event_hooks: httpx's event hooks: lists of asynchronous functions under `"request"` and
            `"response"`, called for every physical request, once the limiter has granted it. A
            request hook may add headers; the key is added after it.
        transport: What to send requests with instead of httpx's own connections.
        on_retry: Called with a `RetryEvent` before a failed request is sent again. What it raises
            ends the call.
        on_breaker_change: Called with a `BreakerEvent` when a circuit breaker changes its state.

    Attributes:
        trades: Trades, candles, last trades and trading activity.
        orders: Order books.
        snapshots: The state of many contracts at an instant.
        planner: Finds the fewest requests for many contracts, and runs them.
        reference: Instruments, markets, sequences and delivery periods.
        settings: The settings in force.

    Raises:
        TrayportConfigurationError: There is no key, or a setting cannot work.

    Example:
        >>> with TrayportClient.sandbox() as client:
        ...     april = client.resolve_contract("TTF Hi Cal 51.6* Apr-24")
        ...     trades = client.trades.get_trades(april, "2024-03-04", "2024-03-05")
        >>> trades[0].price > 0
        True
    """

    @property
    def settings(self) -> Settings:
        return self._async.settings

    @property
    def trades(self) -> TradesGroup:
        """Public and private trades, candles, the last trade and trading activity."""
        return TradesGroup(self._async.trades, self._portal)

    @property
    def orders(self) -> OrdersGroup:
        """The order book over time, as its best prices or in depth."""
        return OrdersGroup(self._async.orders, self._portal)

    @property
    def snapshots(self) -> SnapshotsGroup:
        """The last trade and the best orders of many contracts at one instant."""
        return SnapshotsGroup(self._async.snapshots, self._portal)

    @property
    def reference(self) -> ReferenceGroup:
        """Instruments, markets, sequences and the delivery periods they are made of."""
        return ReferenceGroup(self._async.reference, self._portal)

    def __init__(
        self,
        api_key: str | SecretStr | None = None,
        *,
        settings: Settings | None = None,
        analytics_url: str | None = None,
        reference_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        event_hooks: EventHooks | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        on_retry: OnRetry | None = None,
        on_breaker_change: OnBreakerChange | None = None,
    ) -> None:
        from .settings import masked_key

        api_key = masked_key(api_key)
        self._async = async_.TrayportClient(
            api_key,
            settings=settings,
            analytics_url=analytics_url,
            reference_url=reference_url,
            timeout=timeout,
            max_retries=max_retries,
            event_hooks=event_hooks,
            transport=transport,
            on_retry=on_retry,
            on_breaker_change=on_breaker_change,
        )
        self._portal = Portal()

    @classmethod
    def sandbox(
        cls,
        sandbox: Sandbox | None = None,
        *,
        settings: Settings | None = None,
        event_hooks: EventHooks | None = None,
        on_retry: OnRetry | None = None,
        on_breaker_change: OnBreakerChange | None = None,
    ) -> Self:
        """A client of an offline Trayport in this process: no key, no network, no waiting.

        Args:
            sandbox: The sandbox to talk to; left out, a new one without request limits. Where it
                enforces them, the client paces its requests as it would for the live service.
            settings: All settings but the key and the addresses.
            event_hooks: httpx's event hooks, as for the client.
            on_retry: Called before a failed request is sent again.
            on_breaker_change: Called when a circuit breaker changes its state.

        Raises:
            TrayportConfigurationError: The extra `sandbox` is not installed.
        """
        return cls._around(
            async_.TrayportClient.sandbox(
                sandbox,
                settings=settings,
                event_hooks=event_hooks,
                on_retry=on_retry,
                on_breaker_change=on_breaker_change,
            ),
            Portal(),
        )

    @property
    def planner(self) -> Planner:
        """Finds the fewest requests for many contracts, and runs them."""
        return Planner(self._async.planner, self._portal)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        priority: Priority | None = None,
    ) -> Self:
        """The same client with other options; connections, limits and caches are shared.

        Closing one of the two closes both. Settings that one of them reloads are its own, except
        for limits and breakers.

        Args:
            timeout: Seconds to wait for the next part of a response.
            max_retries: How often a failed request is sent again.
            priority: `"high"`, `"normal"` or `"low"`: whose turn it is when requests wait for the
                limiter. Left out, reference data goes before other calls.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     patient = client.with_options(timeout=300, priority="low")
            ...     markets = patient.reference.get_markets("ttf hi cal 51.6")
            >>> len(markets)
            1
        """
        return self._around(
            self._async.with_options(timeout=timeout, max_retries=max_retries, priority=priority),
            self._portal,
        )

    def reload_settings(self) -> Settings:
        """Reads the settings again, and puts changed limits, timeouts and log levels in force.

        Arguments given in code stay. What a connection is made of stays too until a new client is
        made: the key, the addresses, HTTP/2, the pool, and where the allowance is counted.

        Returns:
            The settings that are now in force.

        Raises:
            TrayportConfigurationError: What is there now cannot work; the old settings stay.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     client.reload_settings() == client.settings
            True
        """
        return self._async.reload_settings()

    def warm_up(self, connections: int = 6) -> int:
        """Opens connections to the Data Analytics API, so that the first requests find them open.

        It sends the smallest request there is over each of them, at the pace of the limiter: every
        connection costs one request of the allowance.

        Args:
            connections: How many to open.

        Returns:
            How many were opened: fewer where requests could share one, and none in a sandbox in
            this process or over a transport of your own.

        Raises:
            TrayportError: A request failed.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     client.warm_up()
            0
        """
        return self._portal.run(self._async.warm_up(connections))

    def get_metrics(self) -> Metrics:
        """What this client has sent and received so far, and what it cost.

        Raises:
            TrayportConfigurationError: The setting `metrics` is off.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     _ = client.reference.get_market_by_id(10000065)
            ...     client.get_metrics().total.requests
            1
        """
        return self._async.get_metrics()

    def get_status(self) -> Status:
        """How busy the allowance of the key is, and which endpoints are failing. Sends nothing.

        Where the allowance is shared, its store is read, and the event loop waits for its response:
        a moment, or seconds if the store is away.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     client.get_status().connections.opened
            0
        """
        return self._async.get_status()

    def health_check(self) -> HealthReport:
        """Checks the settings, the key, both APIs, the limiter and the circuit breakers.

        One small request goes to each API. What is wrong is reported, not raised.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     report = client.health_check()
            >>> report.ok
            True
        """
        return self._portal.run(self._async.health_check())

    def first_contact(self) -> FirstContact:
        """Compares what the service sends with the OpenAPI document that this package is made of.

        At most 40 requests go to all operations, within the limits of the key, and no more after a
        minute. Each assumption of the document is settled: it is confirmed, refuted, or not
        reachable with this key, and why. What is wrong is reported, not raised.

        Returns:
            The report. `write` makes files of it: the report, an OpenAPI Overlay with what differs,
            and a cassette of the responses that the sandbox replays.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     report = client.first_contact()
            >>> report.ok, report.refuted
            (True, ())
        """
        return self._portal.run(self._async.first_contact())

    def retry_failures(self, result: Retried, *, on_progress: OnProgress | None = None) -> Retried:
        """Fetches again what a result lacks.

        Args:
            result: What a call about many contracts or about markets returned; it stays as it is.
            on_progress: Called after each response with a `Progress`.

        Returns:
            A result of both: what was there, and what was fetched now.

        Raises:
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> with TrayportClient.sandbox() as client:
            ...     trades = client.get_trades_bulk(months, "2024-03-04", "2024-03-05")
            ...     trades = client.retry_failures(trades)
            >>> trades.raise_for_failures()
        """
        return self._portal.run(self._async.retry_failures(result, on_progress=on_progress))

    def retry_failed(self, path: str | Path, out: str | Path) -> RetryReport:
        """Runs the queries in a file of dead letters again.

        The rows of each are written to a Parquet file, whose name has the endpoint and the
        window, and is the same whenever the query is run. What fails again stays in the file.

        Args:
            path: The file that the setting `dead_letter_file` named.
            out: The directory for the rows; made when it is missing.

        Raises:
            TrayportValidationError: There is no such file, or a line of it is damaged.
            TrayportConfigurationError: A file cannot be written to.
        """
        return self._portal.run(self._async.retry_failed(path, out))

    @overload
    def resolve_contract(
        self, symbol_or_name: str | ContractSpec, *, at: TimeLike | None = None
    ) -> ContractSpec: ...

    @overload
    def resolve_contract(
        self,
        *,
        market: str | None = None,
        instrument: str | None = None,
        sequence: str | None = None,
        item: str,
        second_item: str | None = None,
        contract_type: ContractType | str | None = None,
        at: TimeLike | None = None,
    ) -> ContractSpec: ...

    def resolve_contract(
        self, symbol_or_name: Any = None, *, at: TimeLike | None = None, **parts: Any
    ) -> ContractSpec:
        """The contract of a name, of the names of its parts, or of a machine symbol.

        A name is a product and a delivery period. Case and white space do not count as long as only
        one thing can be meant, and a period may be written as people do: `Apr-24`, `April 2024`,
        `2024-04`, `Q2 24`, `Sum-24`, `Cal-25`; `M+1` is the month after the current one where the
        product is traded, and `front month` the first one that is still traded. Expired periods
        are found as well.

        Args:
            symbol_or_name: Such as `"TTF Hi Cal 51.6* Apr-24"` for a market (with a `*`),
                `"TTF Hi Cal 51.6 EEX Apr-24"` for an instrument, `"TTF Hi Cal 51.6* Apr/May-24"`
                for a spread, or `"10000065*#Single#10000305#244#0"`.
            market: Instead of it: the market; the `*` may be left out.
            instrument: Or the instrument.
            sequence: The sequence; needed only where several have an item of that name.
            item: The delivery period.
            second_item: The second one of a spread or range.
            contract_type: The type, `Spread` unless told where there are two periods.
            at: The time that relative periods count from; now when it is left out.

        Returns:
            The contract; its `name` and `period` are set.

        Raises:
            TrayportLookupError: The name does not exist, or several things have it; names to use
                instead are listed, markets first.

        Warns:
            TrayportAmbiguityWarning: The name is an instrument's, and a market has the same one.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     april = client.resolve_contract("ttf hi cal 51.6* april 2024")
            ...     same = client.resolve_contract(market="TTF Hi Cal 51.6", item="Apr-24")
            >>> april.name, april == same
            ('TTF Hi Cal 51.6* Apr-24', True)
        """
        return self._portal.run(self._async.resolve_contract(symbol_or_name, at=at, **parts))

    def describe(self, contract: ContractSpec | str) -> ContractDescription:
        """The names and dates of a contract, and the ids of its parts.

        Args:
            contract: The contract, its symbol or its name.

        Raises:
            TrayportLookupError: The reference data does not have it.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     april = client.describe("10000065*#Single#10000305#244#0")
            >>> april.name, april.sequence_name, april.trading_end.date()
            ('TTF Hi Cal 51.6* Apr-24', 'Gas - NG Months', datetime.date(2024, 3, 28))
        """
        return self._portal.run(self._async.describe(contract))

    def search_instruments(self, pattern: str, limit: int = 10) -> list[Match]:
        """The instruments whose names are most like a pattern, best first.

        Case, accents, the order of words and the comma of decimals do not count; words may be only
        begun, or have a typing error.

        Args:
            pattern: What is known of the name.
            limit: How many to return at most.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     found = client.search_instruments("eex ttf hi cal 51,6")
            >>> found[0].name, found[0].id
            ('TTF Hi Cal 51.6 EEX', 10002806)
        """
        return self._portal.run(self._async.search_instruments(pattern, limit))

    def search_markets(self, pattern: str, limit: int = 10) -> list[Match]:
        """The markets whose names are most like a pattern, best first, as `search_instruments`.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     found = client.search_markets("ttf cal hi")
            >>> found[0].name, found[0].id
            ('TTF Hi Cal 51.6*', 10000065)
        """
        return self._portal.run(self._async.search_markets(pattern, limit))

    def search_contracts(
        self, pattern: str, limit: int = 10, *, at: TimeLike | None = None
    ) -> list[ContractMatch]:
        """The contracts that a pattern may mean, best first and markets before instruments.

        Args:
            pattern: A product and a delivery period, in any order. Without a period, the first ones
                that are still traded are found.
            limit: How many to return at most.
            at: The time that relative periods count from; now when it is left out.

        Returns:
            Matches whose `contract` and `name` every call takes.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     found = client.search_contracts("apr 24 ttf hi cal")
            >>> found[0].name
            'TTF Hi Cal 51.6* Apr-24'
        """
        return self._portal.run(self._async.search_contracts(pattern, limit, at=at))

    def curve(
        self, product: str, sequence: str | None = None, *, n: int = 12, at: TimeLike | None = None
    ) -> CurveResponse:
        """The forward curve: the next contracts of a product, with their last trades and orders.

        Args:
            product: The market, such as `"TTF Hi Cal 51.6*"`, or an instrument, such as
                `"TTF Hi Cal 51.6 EEX"`.
            sequence: The sequence, by its name, such as `"Gas - NG Months"`, or by what its periods
                are, such as `"months"`. A product with a single one needs no name.
            n: How many contracts, in the order of their delivery periods.
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out, which is midnight, when there may be no orders. Naive times mean
                UTC.

        Returns:
            A table of one row per contract, also where there is neither a trade nor an order.

        Raises:
            TrayportLookupError: A name names nothing, or no period can be traded at the instant.
            TrayportValidationError: An argument cannot work; nothing was sent.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     curve = client.curve(
            ...         "TTF Hi Cal 51.6*", "months", n=3, at="2024-03-04T16:30"
            ...     )
            >>> curve.to_polars()["period"].to_list()
            ['Apr-24', 'May-24', 'Jun-24']
        """
        return self._portal.run(self._async.curve(product, sequence, n=n, at=at))

    def continuous(
        self,
        series: str,
        rank: int,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        roll: Roll = "expiry",
        days_before: int | None = None,
        what: Literal["trades", "ohlcv"] = "trades",
        interval: Interval | str | None = None,
        adjust: Adjust | None = None,
        on_progress: OnProgress | None = None,
    ) -> ContinuousResponse:
        """The rolling series of a product: rows of the front contract, or of one after it.

        Every contract gives its rows from the roll before it to its own. A roll "by expiry" is the
        end of trading that the reference data have; with `days_before`, the start of the day so
        many days before that day, in UTC. A roll "by volume" comes at the end of the first day on
        which the next contract traded more than the front one, and at the latest with the end
        of trading. Candles stay whole: a roll within one waits for its end.

        Args:
            series: The product and its sequence, such as `"TTF Hi Cal 51.6* months"`.
            rank: 1 for the front contract, 2 for the one after it, and so on. They roll together.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            roll: `"expiry"` or `"volume"`.
            days_before: How many days to roll before the day on which trading ends.
            what: `"trades"` or `"ohlcv"`.
            interval: The length of a candle, with `what="ohlcv"`.
            adjust: `"difference"` adds to earlier prices what the contracts differed by at each
                roll, `"ratio"` multiplies them; the last contract keeps its prices. What was added,
                or multiplied by, is in the column `factor`. They are compared by their last trades
                before the roll.
            on_progress: Called after each response with a `Progress`.

        Raises:
            TrayportLookupError: A name names nothing, or a contract had no trade before a roll.
            TrayportValidationError: An argument cannot work.
            TrayportError: A request failed.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     front = client.continuous(
            ...         "TTF Hi Cal 51.6* months",
            ...         1,
            ...         "2024-03-01",
            ...         "2024-05-01",
            ...         what="ohlcv",
            ...         interval="1d",
            ...         adjust="difference",
            ...     )
            >>> front.rolls["to_name"].to_list()
            ['TTF Hi Cal 51.6* May-24', 'TTF Hi Cal 51.6* Jun-24']
        """
        return self._portal.run(
            self._async.continuous(
                series,
                rank,
                from_,
                until,
                roll=roll,
                days_before=days_before,
                what=what,
                interval=interval,
                adjust=adjust,
                on_progress=on_progress,
            )
        )

    def spread(
        self,
        a: ContractSpec | str,
        b: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        what: Literal["quotes", "ohlcv"] = "quotes",
        interval: Interval | str | None = None,
    ) -> SpreadResponse:
        """The price of one contract less that of another, as traded and as made of the two.

        Two periods of one sequence may have a traded spread, and one period at two places, where a
        market is named after both [assumed]. Its rows are marked `"exchange"`.
        Those marked `"synthetic"` are made of the legs: best prices at which both could be traded
        at that instant, buying one and selling the other; or opens and closes of the candles in
        which both traded.

        Args:
            a: The first contract, as `ContractSpec`, as machine symbol, or by name.
            b: The second contract, whose price is taken off.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            what: `"quotes"` for best prices, or `"ohlcv"` for candles.
            interval: The time between two instants, or the length of a candle.

        Raises:
            TrayportLookupError: A name names nothing.
            TrayportValidationError: An argument cannot work, or the contracts have prices in
                different currencies or units; nothing was sent.
            TrayportError: A request failed.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     spread = client.spread(
            ...         "TTF Hi Cal 51.6* Apr-24",
            ...         "TTF Hi Cal 51.6* May-24",
            ...         "2024-03-04",
            ...         "2024-03-05",
            ...         interval="1h",
            ...     )
            >>> spread.is_traded
            True
        """
        return self._portal.run(
            self._async.spread(a, b, from_, until, what=what, interval=interval)
        )

    @overload
    def get_trades(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> TradesResponse: ...

    @overload
    def get_trades(
        self,
        market_name: str,
        sequence_name: str,
        item_name: str,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> TradesResponse: ...

    def get_trades(self, *args: Any, **options: Any) -> TradesResponse:
        """The trades of contracts, or of a contract that is given by the names of its parts.

        It is called as `get_trades(contracts, from_, until)` or as
        `get_trades(market_name, sequence_name, item_name, from_, until)`.

        Args:
            contracts: As in `client.trades.get_trades`.
            market_name: The market, such as `"TTF Hi Cal 51.6*"`; the `*` may be left out.
            sequence_name: The sequence, such as `"Gas - NG Months"`.
            item_name: The delivery period, such as `"Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            options: The other options of `client.trades.get_trades`.

        Raises:
            TrayportLookupError: A name does not exist; the nearest names are listed.
            TrayportError: As `client.trades.get_trades`.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     april = client.get_trades(
            ...         "TTF Hi Cal 51.6*", "Gas - NG Months", "Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            ...     same = client.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> len(april) == len(same) > 0
            True
        """
        return self._portal.run(self._async.get_trades(*args, **options))

    def get_ohlcv(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | OHLCVInterval | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[OHLCVOptions],
    ) -> OHLCVResponse:
        """The candles of a contract: the same as `client.trades.get_ohlcv`.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     candles = client.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-09", "1d"
            ...     )
            >>> len(candles)
            5
        """
        return self._portal.run(
            self._async.get_ohlcv(
                contract, from_, until, interval, on_progress=on_progress, **options
            )
        )

    def get_trades_bulk(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> BulkTradesResponse:
        """The trades of many contracts, a table each; what fails does not stop the rest.

        Contracts that may share requests do, and long ranges are cut. A request that the service
        cannot finish is split, and so is a batch that it refuses for one contract.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.trades.get_trades`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> with TrayportClient.sandbox() as client:
            ...     trades = client.get_trades_bulk(months, "2024-03-04", "2024-03-05")
            >>> len(trades.results), len(trades.requests), len(trades.failures)
            (3, 1, 0)
        """
        return self._portal.run(
            self._async.get_trades_bulk(contracts, from_, until, on_progress=on_progress, **options)
        )

    def get_ohlcv_bulk(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | OHLCVInterval | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[OHLCVOptions],
    ) -> BulkQueryResult[OHLCVResponse]:
        """The candles of many contracts, a table each; what fails does not stop the rest.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the last whole candle when it is left out.
            interval: The length of a candle.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.trades.get_ohlcv`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> with TrayportClient.sandbox() as client:
            ...     candles = client.get_ohlcv_bulk(months, "2024-03-04", "2024-03-09", "1d")
            >>> [len(table) for table in candles.results.values()]
            [5, 5, 5]
        """
        return self._portal.run(
            self._async.get_ohlcv_bulk(
                contracts, from_, until, interval, on_progress=on_progress, **options
            )
        )

    def get_order_book_top_bulk(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | str | None = None,
        *,
        on_progress: OnProgress | None = None,
        **options: Unpack[OrderBookTopOptions],
    ) -> BulkQueryResult[OrderBookTopResponse]:
        """The best bid and ask of many contracts at regular points in time, a table each.

        What fails does not stop the rest, as in `get_trades_bulk`.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            interval: The time between two points.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.orders.get_order_book_top`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> with TrayportClient.sandbox() as client:
            ...     top = client.get_order_book_top_bulk(
            ...         months, "2024-03-04T09", "2024-03-04T12", "1h"
            ...     )
            >>> top.to_polars()["contract"].n_unique()
            3
        """
        return self._portal.run(
            self._async.get_order_book_top_bulk(
                contracts, from_, until, interval, on_progress=on_progress, **options
            )
        )

    def get_snapshots_bulk(
        self,
        contracts: Contracts,
        at: TimeLike | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> BulkSnapshotsResponse:
        """The state of many contracts at an instant, a table of one row each.

        What fails does not stop the rest, as in `get_trades_bulk`.

        Args:
            contracts: As in `client.trades.get_trades`.
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out. Naive times mean UTC.
            on_progress: Called after each response with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> with TrayportClient.sandbox() as client:
            ...     snapshots = client.get_snapshots_bulk(months, "2024-03-05T12:00")
            >>> [len(table) for table in snapshots.results.values()]
            [1, 1, 1]
        """
        return self._portal.run(
            self._async.get_snapshots_bulk(contracts, at, on_progress=on_progress)
        )

    def get_market_data(
        self,
        market_name: str,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        max_requests: int = MAX_REQUESTS,
        on_progress: OnProgress | None = None,
    ) -> MarketData:
        """Everything about the contracts of a market that traded in `[from_, until)`.

        Their trades, daily candles, hourly best orders, and a snapshot at the end. Which contracts
        traded is read from trading activity, and for the time before its first day [documented]
        from the items of the market's sequences and their trades, single periods only. Their names
        are read from reference data.

        Args:
            market_name: The market, such as `"TTF Hi Cal 51.6*"`; the `*` may be left out.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            max_requests: The most requests it may take, those that find the contracts included.
            on_progress: Called after each response with a `Progress`; those that find the contracts
                are not counted.

        Raises:
            TrayportValidationError: It takes more than `max_requests`, as the message says, or
                another argument cannot work.
            TrayportLookupError: No market has this name.
            TrayportError: The contracts could not be found.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     data = client.get_market_data(
            ...         "EUA*", "2024-03-04T10:00", "2024-03-04T10:30"
            ...     )
            >>> len(data.candles.results) == len(data.contracts)
            True
        """
        return self._portal.run(
            self._async.get_market_data(
                market_name, from_, until, max_requests=max_requests, on_progress=on_progress
            )
        )

    def get_market_data_bulk(
        self,
        markets: str | Sequence[str],
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        max_requests: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> BulkMarketDataResponse:
        """Everything about the contracts of several markets, as in `get_market_data`.

        Args:
            markets: The names of the markets, or one name.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            max_requests: The most requests it may take together; as many as `get_market_data`
                takes for each of them when it is left out.
            on_progress: Called after each response with a `Progress`; those that find the contracts
                are not counted.

        Raises:
            TrayportValidationError: It takes more than `max_requests`, or another argument cannot
                work.
            TrayportLookupError: No market has one of the names.
            TrayportError: The contracts could not be found.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     data = client.get_market_data_bulk(
            ...         ["EUA*"], "2024-03-04T10:00", "2024-03-04T10:30"
            ...     )
            >>> list(data.results)
            ['EUA*']
        """
        return self._portal.run(
            self._async.get_market_data_bulk(
                markets, from_, until, max_requests=max_requests, on_progress=on_progress
            )
        )

    def stream_trades(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        in_order: bool = True,
        max_responses: int | None = None,
        on_progress: OnProgress | None = None,
        **options: Unpack[TradesOptions],
    ) -> TableStream:
        """The trades of many contracts, piece by piece, to be worked on or written to a file.

        While you work on a batch the next responses are fetched, up to `max_responses` of them;
        then nothing is sent until you take the next batch, so memory stays bounded.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            in_order: Whether the batches of each contract come in time order. Otherwise they come
                as they arrive, so that a slow response holds nothing up.
            max_responses: How many responses are held at most besides the one you work on. Left
                out, it is 1 while responses are large, and the setting `max_concurrency` otherwise.
            on_progress: Called after each response with a `Progress`.
            options: The other options of `client.trades.get_trades`.

        Returns:
            A stream that is iterated, of batches of the rows of one contract in one window, where
            contracts without any are passed over; or written to a file by its methods.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent. This and all other
                errors are raised where the stream is used.
            TrayportError: As `client.trades.get_trades`; what was yielded before is whole.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     for batch in client.stream_trades(
            ...         ["TTF Hi Cal 51.6* Apr-24"], "2024-03-04", "2024-03-05"
            ...     ):
            ...         print(batch.contract, len(batch) > 0)
            10000065*#Single#10000305#244#0 True
        """
        return TableStream(
            self._async.stream_trades(
                contracts,
                from_,
                until,
                in_order=in_order,
                max_responses=max_responses,
                on_progress=on_progress,
                **options,
            ),
            self._portal,
        )

    def stream_to_file(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None,
        path: str | Path,
        *,
        endpoint: EndpointName = "trades",
        interval: Interval | str | None = None,
        compression: Compression | None = None,
        time_unit: TimeUnit = "ns",
        on_loss: OnLoss = "raise",
        separator: Separator = ",",
        decimal_comma: bool = False,
        bom: bool = False,
        guard_formulas: bool | None = None,
        max_responses: int | None = None,
        on_progress: OnProgress | None = None,
        **options: Unpack[AnyOptions],
    ) -> FileReport:
        """Downloads rows of one or many contracts into a file, of any length, in bounded memory.

        The columns are those of the call for one contract. Rows of several contracts begin with
        `contract`, their machine symbol, `contract_name` and `period`. They come in the order of
        the requests, so those of each contract in time order. The file appears when it is whole:
        after an error or a cancellation there is none, or still the old one.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            path: The file: `.parquet`, `.arrow`, `.csv` or `.jsonl`.
            endpoint: `"trades"`, `"private_trades"`, `"ohlcv"`, `"order_book_top"` or
                `"order_book"`.
            interval: The length of a candle, or the time between two states of a book.
            compression: For Parquet and Arrow `"zstd"`, the default, `"lz4"` or `"none"`.
            time_unit: The unit of all times, nested ones too: `"ns"`, `"us"` or `"ms"`.
            on_loss: What is done about times with a part below the unit: `"raise"`, an error that
                names the first, or `"extra_column"`, which keeps it in `<column>_ns`, as
                `with_time_unit` does.
            separator: For CSV, what stands between cells: `","`, `";"`, a tab or `"|"`.
            decimal_comma: For CSV, whether numbers have a comma for their point.
            bom: For CSV, whether it begins with the byte order mark by which Excel knows UTF-8.
            guard_formulas: For CSV, whether text that a spreadsheet would run gets an apostrophe in
                front; when it is None, it does with `bom` or `decimal_comma`.
            max_responses: How many responses are held at most besides the one that is written, as
                in `stream_trades`.
            on_progress: Called after each response with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Raises:
            TrayportValidationError: An argument cannot work, and nothing was sent; or a time has a
                part below `time_unit`.
            TrayportError: A request failed.
            OSError: The file cannot be written, because the disk is full for example.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> with TemporaryDirectory() as directory:
            ...     with TrayportClient.sandbox() as client:
            ...         report = client.stream_to_file(
            ...             "TTF Hi Cal 51.6* Apr-24",
            ...             "2024-03-04",
            ...             "2024-03-09",
            ...             f"{directory}/candles.parquet",
            ...             endpoint="ohlcv",
            ...             interval="1d",
            ...         )
            ...     candles = open_dataset(report.path).collect()
            >>> report.rows, len(candles)
            (5, 5)
        """
        return self._portal.run(
            self._async.stream_to_file(
                contracts,
                from_,
                until,
                path,
                endpoint=endpoint,
                interval=interval,
                compression=compression,
                time_unit=time_unit,
                on_loss=on_loss,
                separator=separator,
                decimal_comma=decimal_comma,
                bom=bom,
                guard_formulas=guard_formulas,
                max_responses=max_responses,
                on_progress=on_progress,
                **options,
            )
        )

    def backfill(
        self,
        contracts: Contracts | None,
        from_: TimeLike,
        until: TimeLike | None,
        path: str | Path,
        *,
        endpoint: EndpointName = "trades",
        interval: Interval | str | None = None,
        time_unit: TimeUnit = "ns",
        on_loss: OnLoss = "raise",
        resume: bool = True,
        processes: int | None = None,
        cluster: DaskCluster | None = None,
        dry_run: bool = False,
        on_progress: OnProgress | None = None,
        **options: Unpack[AnyOptions],
    ) -> BackfillReport:
        """Fetches what a data set lacks: a partitioned Parquet data set that survives anything.

        Each response is recorded when its files are on the disk, and never sent for again. When the
        program is killed, the network is lost or the disk is full, the same call goes on where it
        ended. A later `until` or more contracts fetch the difference, and a call that lacks nothing
        sends nothing. Files are whole or not there, one for each contract and month under `data`,
        with a checksum each; `contracts.parquet` has the names. Polars, DuckDB
        (`catalog.duckdb.sql`), pandas and Arrow read it as it is, and `open_dataset` with names.

        Args:
            contracts: As in `client.trades.get_trades`. None for activity, and for private trades
                of all contracts.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            path: The directory of the data set.
            endpoint: `"trades"`, `"private_trades"`, `"ohlcv"`, `"order_book_top"`,
                `"order_book"` or `"activity"`, which is counted by the day.
            interval: The length of a candle, or the time between two states of a book. Windows
                begin and end with whole bars.
            time_unit: The unit of all times: `"ns"`, or `"us"` or `"ms"` for readers without
                nanoseconds, such as Spark and Delta.
            on_loss: What is done about times with a part below it: `"raise"`, or
                `"extra_column"`, which keeps it in `<column>_ns`.
            resume: Whether to go on with a data set that is there; False refuses one.
            processes: How many processes of this machine send the requests and decode the
                responses, instead of this one; in a script, under `if __name__ == "__main__"`.
                They share the allowance of the key. Needs the extra `cluster`.
            cluster: A cluster of Dask whose workers do so: the address of its scheduler, such as
                `tcp://host:8786`, or a client of it. The setting `limiter_store` must name a place
                that all workers reach.
            dry_run: Whether to send and write nothing, and report what is missing.
            on_progress: Called after each response with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Returns:
            What was done. Requests that failed for good are in `failures`, and are sent again by
            the next call.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportDatasetError: The data set is of another question, is damaged, or another
                program writes to it.
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written, because the disk is full for example.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> months = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]
            >>> with TemporaryDirectory() as directory:
            ...     with TrayportClient.sandbox() as client:
            ...         report = client.backfill(
            ...             months, "2024-03-04", "2024-03-09", directory
            ...         )
            ...         again = client.backfill(months, "2024-03-04", "2024-03-09", directory)
            ...     trades = open_dataset(directory).collect()
            >>> report.requests_done, again.requests_planned, len(trades) == report.rows
            (1, 0, True)
        """
        return self._portal.run(
            self._async.backfill(
                contracts,
                from_,
                until,
                path,
                endpoint=endpoint,
                interval=interval,
                time_unit=time_unit,
                on_loss=on_loss,
                resume=resume,
                processes=processes,
                cluster=cluster,
                dry_run=dry_run,
                on_progress=on_progress,
                **options,
            )
        )

    def run_part(self, part: Part) -> PartReport:
        """Runs one part of a plan or of a backfill, in any process of any machine.

        Run it as often as need be: what an earlier run has left in `part.out` is not requested
        again. Workers share the allowance of the key where the setting `limiter_store` names a
        file or Redis.

        Args:
            part: What `client.planner.parts` gave.

        Returns:
            The rows, or where they are, and what failed.

        Raises:
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written.

        Example:
            >>> with TrayportClient.sandbox() as client:
            ...     plans = client.planner.plan_multi_contract_query(
            ...         "10000065*#Single#10000305#244#0", "trades", "2024-03-04", "2024-03-05"
            ...     )
            ...     (part,) = client.planner.parts(plans, 1)
            ...     report = client.run_part(part)
            >>> len(report.to_polars()) == report.rows
            True
        """
        return self._portal.run(self._async.run_part(part))

    def refresh(
        self,
        path: str | Path,
        last: str | timedelta = "7d",
        *,
        on_progress: OnProgress | None = None,
    ) -> BackfillReport:
        """Fetches the last part of a data set again: venues publish trades late, and correct them.

        What changed is recorded, and given by `changes`; `open_dataset` with `as_of` gives the rows
        as they were known before.

        Args:
            path: The data set.
            last: How much of it, counted from its end, such as `"36h"`, `"7d"`, `"2w"` or a
                `timedelta`.
            on_progress: Called after each response with a `Progress`.

        Returns:
            What was done, with how many rows were added, altered and deleted.

        Raises:
            TrayportValidationError: `last` is no length of time.
            TrayportDatasetError: There is no data set, it is damaged, or another program writes to
                it.
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written.
        """
        return self._portal.run(self._async.refresh(path, last, on_progress=on_progress))

    def verify(
        self, path: str | Path, *, repair: bool = True, on_progress: OnProgress | None = None
    ) -> BackfillReport:
        """Reads every file of a data set, and fetches again what is missing or damaged.

        Args:
            path: The data set.
            repair: Whether to mend it; False raises instead.
            on_progress: Called after each response with a `Progress`.

        Returns:
            What was done; `damaged` names the files that were made anew.

        Raises:
            TrayportDatasetError: A file is missing or damaged and `repair` is False; there is no
                data set, or another program writes to it.
            TrayportError: The client cannot send anything.
            OSError: A file cannot be written.
        """
        return self._portal.run(self._async.verify(path, repair=repair, on_progress=on_progress))

    def download_raw(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None,
        directory: str | Path,
        *,
        endpoint: EndpointName = "trades",
        interval: Interval | str | None = None,
        max_responses: int | None = None,
        response_format: ResponseFormat = "json",
        on_progress: OnProgress | None = None,
        **options: Unpack[AnyOptions],
    ) -> list[Path]:
        """Keeps the responses about one or many contracts as they came over the wire, a file each.

        Each is checked while it arrives, as if it were decoded, and appears when it is whole. The
        names have the place in the order of requests, the endpoint, the contract where its name is
        known, the window, the format and the compression, as in
        `00001-trades-TTF-Hi-Cal-51.6-Apr-24-20240304T000000Z-20240305T000000Z.json.br`; a file of
        the same name is replaced. `decode_file` reads them, given the same endpoint and options.
        Rows at the end of a window are in them even if the next window has them too.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is None.
            directory: Where the files go; made when it is missing.
            endpoint: As in `stream_to_file`.
            interval: The length of a candle, or the time between two states of a book.
            max_responses: How many responses are held at most, as in `stream_trades`.
            response_format: What the service responds with, `"json"` or `"csv"`; CSV is kept
                without checking what is in it.
            on_progress: Called after each response with a `Progress`.
            options: What the method of the endpoint takes besides, such as `optional_fields`.

        Returns:
            The files, in the order of the requests.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: A request failed; the files of those before it stay.
            OSError: A file cannot be written.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> with TemporaryDirectory() as directory:
            ...     with TrayportClient.sandbox() as client:
            ...         (path,) = client.download_raw(
            ...             "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", directory
            ...         )
            ...     rows = sum(len(frame) for frame in decode_file(path))
            >>> rows > 0
            True
        """
        return self._portal.run(
            self._async.download_raw(
                contracts,
                from_,
                until,
                directory,
                endpoint=endpoint,
                interval=interval,
                max_responses=max_responses,
                response_format=response_format,
                on_progress=on_progress,
                **options,
            )
        )

    @classmethod
    def _around(cls, client: async_.TrayportClient, portal: Portal) -> Self:
        self = cls.__new__(cls)
        self._async, self._portal = client, portal
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection. Clients made by `with_options` are closed as well."""
        self._portal.close(self._async.aclose())
