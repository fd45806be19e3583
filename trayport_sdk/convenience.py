"""What clients do on top of their groups: calls by name, and calls about many contracts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .errors import TrayportValidationError
from .streaming import Streaming

if TYPE_CHECKING:
    from .bulk.market_data import BulkMarketDataResponse, MarketData
    from .bulk.progress import OnProgress
    from .bulk.results import BulkSnapshotsResponse, BulkTradesResponse
    from .bulk.runner import Contracts
    from .query.contracts import ContractSpec
    from .query.plan import QueryPlan
    from .query.rules import Routes
    from .query.times import Interval, TimeLike
    from .resources.trades import TradesGroup
    from .tables import OHLCVResponse, TradesResponse

MAX_REQUESTS = 200


class Convenience(Streaming):
    """Calls by name, and calls about many contracts."""

    trades: TradesGroup

    async def get_trades(
        self,
        market_name: str,
        sequence_name: str,
        item_name: str,
        from_: TimeLike,
        until: TimeLike | None = None,
        **options: Any,
    ) -> TradesResponse:
        """The trades of a contract that is given by the names of its parts.

        Args:
            market_name: The market, such as `"TTF Hi Cal 51.6*"`; the `*` may be left out.
            sequence_name: The sequence, such as `"Gas - NG Months"`.
            item_name: The delivery period, such as `"Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            options: What `client.trades.get_trades` takes besides.

        Raises:
            TrayportLookupError: One of the names names nothing; the nearest are listed.
            TrayportError: As `client.trades.get_trades`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.get_trades(
            ...         "TTF Hi Cal 51.6*", "Gas - NG Months", "Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> trades[0].price > 0
            True
        """
        contract = await self._runner.catalog.contract_in(market_name, sequence_name, item_name)
        return await self.trades.get_trades(contract, from_, until, **options)

    async def get_ohlcv(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | str | None = None,
        **options: Any,
    ) -> OHLCVResponse:
        """The candles of a contract: the same as `client.trades.get_ohlcv`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     candles = await client.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-09", "1d"
            ...     )
            >>> len(candles)
            5
        """
        return await self.trades.get_ohlcv(contract, from_, until, interval, **options)

    async def get_trades_bulk(
        self,
        contracts: Contracts,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        include_private: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[str] = (),
        on_progress: OnProgress | None = None,
    ) -> BulkTradesResponse:
        """The trades of many contracts, a table each; what fails does not stop the rest.

        Contracts that may share requests do, and long ranges are cut. A request that the service
        cannot finish is split, and so is a batch that it refuses for one contract.

        Args:
            contracts: As in `client.trades.get_trades`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            include_private: Whether your own trades carry their private details.
            routes: Routes to market by name or id, or `"all"`.
            deduplicate_routes: Whether a trade that came over several routes is returned once.
            optional_fields: Columns to add.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.get_trades_bulk(months, "2024-03-04", "2024-03-05")
            >>> len(found.results), len(found.requests), len(found.failures)
            (3, 1, 0)
        """
        from .bulk.results import BulkTradesResponse
        from .tables import TradesResponse

        plans = await self._plans_of_trades(
            contracts,
            from_=from_,
            until=until,
            include_private=include_private,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
        return await self._runner.result(BulkTradesResponse, TradesResponse, plans, on_progress)

    async def get_snapshots_bulk(
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
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAuthenticationError: The key is refused, so nothing can come.

        Example:
            >>> months = [f"TTF Hi Cal 51.6* {month}-24" for month in ("Apr", "May", "Jun")]
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.get_snapshots_bulk(months, "2024-03-05T12:00")
            >>> [len(table) for table in found.results.values()]
            [1, 1, 1]
        """
        from .bulk.results import BulkSnapshotsResponse
        from .query.planner import plan
        from .tables import SnapshotsResponse

        query = self._runner.query("snapshots", at=at)
        plans = plan(await self._runner.about(contracts, query))
        return await self._runner.result(
            BulkSnapshotsResponse, SnapshotsResponse, plans, on_progress
        )

    async def _plans_of_trades(self, contracts: Contracts, **question: Any) -> list[QueryPlan]:
        from .query.planner import plan

        query = self._runner.query("trades", **question)
        return plan(await self._runner.about(contracts, query))

    async def get_market_data(
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
        traded is told by trading activity, and for the time before that reaches back
        [documented] by the items of the market's sequences and their trades, single periods only.

        Args:
            market_name: The market, such as `"TTF Hi Cal 51.6*"`; the `*` may be left out.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            max_requests: The most requests it may take, those that find the contracts included.
            on_progress: Called after every answer with a `Progress`; those that find the contracts
                are not counted.

        Raises:
            TrayportValidationError: It takes more than `max_requests`, as the message says, or
                another argument cannot work.
            TrayportLookupError: No market has this name.
            TrayportError: The contracts could not be found.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.get_market_data(
            ...         "EUA*", "2024-03-04T10:00", "2024-03-04T10:30"
            ...     )
            >>> len(found.candles.results) == len(found.contracts)
            True
        """
        data = await self.get_market_data_bulk(
            [market_name], from_, until, max_requests=max_requests, on_progress=on_progress
        )
        return data.results[market_name]

    async def get_market_data_bulk(
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
            on_progress: Called after every answer with a `Progress`; those that find the contracts
                are not counted.

        Raises:
            TrayportValidationError: It takes more than `max_requests`, or another argument cannot
                work.
            TrayportLookupError: No market has one of the names.
            TrayportError: The contracts could not be found.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.get_market_data_bulk(
            ...         ["EUA*"], "2024-03-04T10:00", "2024-03-04T10:30"
            ...     )
            >>> list(found.results)
            ['EUA*']
        """
        from .bulk.market_data import BulkMarketDataResponse
        from .query.params import listed_values
        from .resources.markets import Markets

        names = [markets] if isinstance(markets, str) else listed_values(markets)
        for name in names:
            if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TrayportValidationError(
                    f"markets has {name!r}, which is no name",
                    parameter="markets",
                    suggestion='give names such as "TTF Hi Cal 51.6*"',
                )
        if not names:
            raise TrayportValidationError(
                "markets is empty", parameter="markets", suggestion="give at least one name"
            )
        most = MAX_REQUESTS * len(names) if max_requests is None else max_requests
        return BulkMarketDataResponse(
            await Markets(self._runner).data(
                names, from_, until, max_requests=most, on_progress=on_progress
            )
        )
