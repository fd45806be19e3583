"""Trades, candles, last trades and trading activity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve
from trayport_api.models import LastTrade

from ..bulk.runner import Contracts, Runner, only_one
from ..query.contracts import ContractSpec
from ..query.plan import QueryPlan, telling_contracts
from ..query.planner import plan
from ..query.rules import Routes
from ..query.times import Interval, TimeLike, floored, to_text
from ..tables import (
    ActivityResponse,
    LastTradeResponse,
    OHLCVResponse,
    PrivateTradesResponse,
    SnapshotsResponse,
    TradesResponse,
)

if TYPE_CHECKING:
    from ..bulk.progress import OnProgress


class TradesGroup:
    """Trades of contracts, and what is made of trades, over ranges of any length."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def get_trades(
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
    ) -> TradesResponse:
        """The trades of one or many contracts in `[from_, until)`, in time order.

        Long ranges are cut into windows the API accepts, and contracts that may share requests do.
        Every row of the range is returned exactly once, whichever way the service reads `until`.

        Args:
            contracts: One contract or several, as `ContractSpec`, as machine symbols, or by name
                such as `"TTF Hi Cal 51.6* Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out, which is the start
                of the current day in UTC [documented].
            include_private: Whether your own trades carry their private details.
            routes: Routes to market by name or id, or `"all"`; the lowest-numbered one when left
                out [documented].
            deduplicate_routes: Whether a trade that came over several routes is returned once; the
                service does so when several routes are asked for [documented].
            optional_fields: Columns to add, in any case, such as `"route_id"`. With several
                contracts, `contract` is always added.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: An answer did not come, or broke off.
            TrayportDecodeError: An answer is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> trades.to_polars().columns
            ['trade_id', 'venue_code', 'deal_date', 'price', 'quantity', 'aggressor_buy']
        """
        query = self._runner.query(
            "trades",
            from_=from_,
            until=until,
            include_private=include_private,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
        query = await self._runner.about(contracts, query)
        if len(query.contracts) > 1:
            query = telling_contracts(query)
        return await self._runner.table(TradesResponse, query, on_progress)

    async def get_trades_by_trading_items(
        self,
        market_id: int | None = None,
        instrument_id: int | None = None,
        *,
        sequence_id: int,
        trading_items: int,
        from_: TimeLike,
        until: TimeLike | None = None,
        include_private: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[str] = (),
        on_progress: OnProgress | None = None,
    ) -> TradesResponse:
        """The trades of the next tradable items of a sequence in `[from_, until)`, in time order.

        Which items those are is counted from the start of the range [assumed]; for a range of
        several requests, a snapshot at its start tells it first.

        Args:
            market_id: The market. Exactly one of this and `instrument_id` is given.
            instrument_id: The instrument.
            sequence_id: The sequence, whose items must have an end of trading [documented].
            trading_items: How many items.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            include_private: Whether your own trades carry their private details.
            routes: Routes to market by name or id, or `"all"`.
            deduplicate_routes: Whether a trade that came over several routes is returned once.
            optional_fields: Columns to add, besides `contract`.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_trades`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades_by_trading_items(
            ...         10000065,
            ...         sequence_id=10000305,
            ...         trading_items=3,
            ...         from_="2024-03-04",
            ...         until="2024-03-05",
            ...     )
            >>> len({trade.contract.sequence_item_id for trade in trades})
            3
        """
        scope = {
            "market_id": market_id,
            "instrument_id": instrument_id,
            "sequence_id": sequence_id,
        }
        query = self._runner.query(
            "trades",
            scope=scope,
            from_=from_,
            until=until,
            trading_items=trading_items,
            include_private=include_private,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
        if len(plan(query)) > 1 and query.window is not None:
            start = to_text(floored(query.window.start, Interval(1, "minute")))
            question = self._runner.query(
                "snapshots", scope=scope, at=start, trading_items=trading_items
            )
            found = await self._runner.table(SnapshotsResponse, question)
            query = QueryPlan(
                endpoint=query.endpoint,
                contracts=tuple(ContractSpec.from_model(one.contract) for one in found),
                window=query.window,
                options=evolve(query.options, trading_items=None),
            )
            query = telling_contracts(query)
        return await self._runner.table(TradesResponse, query, on_progress)

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
        optional_fields: Sequence[str] = (),
        on_progress: OnProgress | None = None,
    ) -> PrivateTradesResponse:
        """Your own trades in `[from_, until)`, in time order, the current day included.

        Everything of the account, or what the ids leave of it [documented].

        Args:
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; now when it is left out.
            market_id: Only those of a market; not with `instrument_id`.
            instrument_id: Only those of an instrument.
            sequence_id: Only those of a sequence.
            contract: Only those of one contract; instead of the ids.
            routes: Routes to market by name or id, or `"all"`.
            deduplicate_routes: Whether a trade that came over several routes is returned once.
            optional_fields: Columns to add; `contract` is added unless one contract is asked for.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_trades`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     own = await client.trades.get_private_trades(
            ...         "2024-03-04", "2024-03-05", market_id=10000065
            ...     )
            >>> own.to_polars().columns[-1]
            'last_updated'
        """
        scope = {
            "market_id": market_id,
            "instrument_id": instrument_id,
            "sequence_id": sequence_id,
        }
        if contract is not None:
            only_one({"contract": contract, **scope})
        query = self._runner.query(
            "private_trades",
            scope=scope if contract is None else None,
            from_=from_,
            until=until,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
        if contract is not None:
            query = await self._runner.about_one(contract, query)
        return await self._runner.table(PrivateTradesResponse, query, on_progress)

    async def get_ohlcv(
        self,
        contract: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None = None,
        interval: Interval | str | None = None,
        *,
        include_empty_buckets: bool = False,
        optional_fields: Sequence[str] = (),
        on_progress: OnProgress | None = None,
    ) -> OHLCVResponse:
        """The candles of a contract in `[from_, until)`, in time order.

        Both ends lie on the grid of the candles: hours count from midnight, months from the first,
        all in UTC; candles of seven days count from `from_` [assumed]. Long ranges are cut there.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the last whole candle of the data when it is left out.
            interval: The length of a candle, such as `"15m"`, `"1h"`, `"1d"`, `"7d"` or `"1mo"`.
            include_empty_buckets: Whether a candle without trades has a row: null prices, volume 0
                [assumed].
            optional_fields: Columns to add: `open_timestamp`, `close_timestamp`, `vwap`.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_trades`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     candles = await client.trades.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-09", "1d"
            ...     )
            >>> len(candles)
            5
        """
        query = self._runner.query(
            "ohlcv",
            from_=from_,
            until=until,
            interval=interval,
            include_empty_buckets=include_empty_buckets,
            optional_fields=optional_fields,
        )
        query = await self._runner.about_one(contract, query)
        return await self._runner.table(OHLCVResponse, query, on_progress)

    async def get_last_trade(
        self,
        contract: ContractSpec | str,
        *,
        at: TimeLike | None = None,
        optional_fields: Sequence[str] = (),
    ) -> LastTrade | None:
        """The last trade of a contract before an instant, or None if a year before it has none.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by name.
            at: The instant, exclusive [documented]; the end of the data when it is left out.
            optional_fields: `contract`, or nothing.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_trades`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     last = await client.trades.get_last_trade(
            ...         "TTF Hi Cal 51.6* Apr-24", at="2024-03-05"
            ...     )
            >>> last.price > 0
            True
        """
        query = self._runner.query("last_trade", at=at, optional_fields=optional_fields)
        query = await self._runner.about_one(contract, query)
        found = await self._runner.table(LastTradeResponse, query)
        return found[0] if len(found) else None

    async def get_activity(
        self,
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        routes: Routes | None = None,
        optional_fields: Sequence[str] = (),
        on_progress: OnProgress | None = None,
    ) -> ActivityResponse:
        """How many trades every contract had in `[from_, until)`.

        The rows carry no time, so the counts of the windows of a long range are added up. That
        `until` is exclusive is assumed here.

        Args:
            from_: The start, inclusive, in whole minutes [documented]. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out.
            routes: Routes to market by name or id, or `"all"`.
            optional_fields: Columns to add, such as `market_id` or `update_count`.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_trades`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     activity = await client.trades.get_activity("2024-03-04", "2024-03-05")
            >>> activity.to_polars()["count"].min() > 0
            True
        """
        query = self._runner.query(
            "activity",
            from_=from_,
            until=until,
            routes=routes,
            optional_fields=optional_fields,
        )
        return await self._runner.table(ActivityResponse, query, on_progress)
