"""Trades: the generated methods, and those that take more than one operation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from attrs import evolve
from trayport_spec.options import TradesOptions

from ..bulk.progress import OnProgress
from ..errors import TrayportError, TrayportExpiryWarning
from ..query.calls import checked_calls
from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT, QueryPlan, with_contract_column
from ..query.planner import plan
from ..query.times import Interval, TimeLike, Window, floored, instant, to_text
from ..query.warn import warn
from ..tables import SnapshotsResponse, TradesResponse
from .generated.trades import TradesMethods


@checked_calls
class TradesGroup(TradesMethods):
    """Trades of contracts, and what is made of trades, over ranges of any length.

    Long ranges are cut into windows that the API accepts, and contracts that may share requests
    do. Every row of a range is returned exactly once, whichever way the service reads `until`.
    """

    async def get_trades_by_trading_items(
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
            **options,
        )
        if len(plan(query)) > 1 and query.window is not None:
            start = to_text(floored(query.window.start, Interval(1, "minute")))
            items = await self._runner.fetch(
                SnapshotsResponse, scope=scope, at=start, trading_items=trading_items
            )
            query = QueryPlan(
                endpoint=query.endpoint,
                contracts=tuple(ContractSpec.from_model(item.contract) for item in items),
                window=query.window,
                options=evolve(query.options, trading_items=None),
            )
            query = with_contract_column(query)
        trades = await self._runner.table(TradesResponse, query, on_progress)
        if query.window is not None:
            contracts: Iterable[ContractSpec] = query.contracts
            if not contracts:
                symbols = trades.to_polars()[CONTRACT].drop_nulls().unique().sort()
                contracts = map(ContractSpec.parse, symbols)
            await self._warn_of_expiry(contracts, query.window)
        return trades

    async def _warn_of_expiry(self, contracts: Iterable[ContractSpec], window: Window) -> None:
        """Warns of contracts whose trading ends within a range; their rows are right without it."""
        catalog = self._resolver.catalog.for_one_call()
        try:
            for contract in contracts:
                items = await catalog.items(contract.sequence_id)
                item = items.by_id.get(contract.sequence_item_id)
                if item is None or item.trading_end is None:
                    continue
                if instant(item.trading_end, "trading_end") < window.end:
                    (named,) = await catalog.named([contract])
                    warn(
                        f"{named.name or named} expires at {item.trading_end}, within the range, "
                        "and nothing follows it; client.continuous gives a rolling series",
                        TrayportExpiryWarning,
                    )
        except TrayportError:
            return
