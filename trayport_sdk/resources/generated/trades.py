"""Public and private trades, candles, the last trade and trading activity.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Sequence

from trayport_api.models import LastTrade
from trayport_spec.options import (
    ActivityField,
    LastTradeField,
    OHLCVField,
    OHLCVInterval,
    PrivateTradesField,
    TradesField,
)

from ...bulk.progress import OnProgress
from ...bulk.runner import Contracts
from ...query.build import Routes
from ...query.calls import checked_calls
from ...query.contracts import ContractSpec
from ...query.times import Interval, TimeLike
from ...tables import (
    ActivityResponse,
    LastTradeResponse,
    OHLCVResponse,
    PrivateTradesResponse,
    TradesResponse,
)
from ..operations import RowOperations


@checked_calls
class TradesMethods(RowOperations):
    """Public and private trades, candles, the last trade and trading activity."""

    async def get_trades(
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
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> rows.to_polars().columns
            ['trade_id', 'venue_code', 'deal_date', 'price', 'quantity', 'aggressor_buy']
        """
        return await self._runner.fetch(
            TradesResponse,
            contracts,
            from_=from_,
            until=until,
            include_private=include_private,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
            on_progress=on_progress,
        )

    async def get_private_trades(
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
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.trades.get_private_trades("2024-03-04", "2024-03-05")
            >>> rows.to_polars(nested=True).columns[:3]
            ['trade_id', 'venue_code', 'deal_date']
        """
        return await self._runner.fetch(
            PrivateTradesResponse,
            contract,
            scope={
                "market_id": market_id,
                "instrument_id": instrument_id,
                "sequence_id": sequence_id,
            },
            from_=from_,
            until=until,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
            on_progress=on_progress,
        )

    async def get_ohlcv(
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
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.trades.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"
            ...     )
            >>> rows.to_polars().columns
            ['from_timestamp', 'to_timestamp', 'open', 'high', 'low', 'close', 'volume']
        """
        return await self._runner.fetch(
            OHLCVResponse,
            contract,
            from_=from_,
            until=until,
            interval=interval,
            include_empty_buckets=include_empty_buckets,
            optional_fields=optional_fields,
            on_progress=on_progress,
        )

    async def get_last_trade(
        self,
        contract: ContractSpec | str,
        *,
        at: TimeLike | None = None,
        optional_fields: Sequence[LastTradeField] | LastTradeField = (),
        on_progress: OnProgress | None = None,
    ) -> LastTrade | None:
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
            >>> async with TrayportClient.sandbox() as client:
            ...     item = await client.trades.get_last_trade(
            ...         "TTF Hi Cal 51.6* Apr-24", at="2024-03-05T12:00"
            ...     )
            >>> item is not None
            True
        """
        rows = await self._runner.fetch(
            LastTradeResponse,
            contract,
            at=at,
            optional_fields=optional_fields,
            on_progress=on_progress,
        )
        return rows[0] if len(rows) else None

    async def get_activity(
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
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.trades.get_activity("2024-03-04", "2024-03-05")
            >>> rows.to_polars().columns[:3]
            ['instrument_id', 'sequence_id', 'sequence_item_id']
        """
        return await self._runner.fetch(
            ActivityResponse,
            from_=from_,
            until=until,
            routes=routes,
            optional_fields=optional_fields,
            on_progress=on_progress,
        )
