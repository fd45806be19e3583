"""A program of a user, strictly typed: what contracts are worth, and what it takes to know."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime, timedelta
from typing import Any

from attrs import frozen

from trayport_sdk import (
    Activity,
    BulkMarketQuery,
    BulkQueryResult,
    BulkSequenceItemQuery,
    BulkSnapshotsResponse,
    BulkTradesResponse,
    Candle,
    ContractKind,
    ContractSpec,
    FailedQuery,
    Interval,
    LastTrade,
    MarketData,
    OHLCVResponse,
    OrderBook,
    OrderBookTopResponse,
    PrivateTradesResponse,
    QueryPlan,
    Snapshot,
    TopOfBook,
    Trade,
    TradesBatch,
    TradesResponse,
    TrayportClient,
)


@frozen
class Quote:
    """What a contract can be bought and sold for at some time."""

    at: int
    bid: float
    ask: float

    @property
    def spread(self) -> float:
        return self.ask - self.bid


def quote(at: int, state: TopOfBook | Snapshot) -> Quote | None:
    """The quote of a state that has both sides."""
    best = state.best_orders if isinstance(state, Snapshot) else state
    if best.bid_price is None or best.ask_price is None:
        return None
    return Quote(at, best.bid_price, best.ask_price)


async def quotes(
    client: TrayportClient, contract: ContractSpec, from_: datetime, until: datetime
) -> tuple[Quote, ...]:
    """The quotes of a contract, every half hour."""
    top: OrderBookTopResponse = await client.orders.get_order_book_top(
        contract, from_, until, Interval(30, "minute")
    )
    return tuple(found for state in top if (found := quote(state.timestamp, state)))


async def cost(
    client: TrayportClient, contract: ContractSpec, at: datetime, volume: float
) -> float:
    """What it costs to buy a volume out of the book, as far as the book goes."""
    book: OrderBook = await client.orders.get_order_book_snapshot(
        contract, at, depth=20, optional_fields=["venue_code"]
    )
    paid = 0.0
    for order in book.asks:
        taken = min(volume, order.quantity)
        paid += taken * order.price
        volume -= taken
    return paid


async def marks(
    client: TrayportClient, contracts: Sequence[ContractSpec], at: datetime
) -> dict[ContractSpec, Quote]:
    """The quotes of contracts at an instant; those without any are left out."""
    found: BulkSnapshotsResponse = await client.get_snapshots_bulk(contracts, at)
    found.raise_for_failures()
    states = ((contract, table.timestamp, table[0]) for contract, table in found.results.items())
    quoted = ((contract, quote(moment, state)) for contract, moment, state in states)
    return {contract: one for contract, one in quoted if one is not None}


@frozen
class Weighed:
    """What a download would take, and the plan to store for later."""

    requests: int
    time: timedelta
    batches: int
    stored: str


def weighed(
    client: TrayportClient, contracts: Sequence[ContractSpec], from_: date, until: date
) -> Weighed:
    plans: list[QueryPlan] = client.planner.plan_multi_contract_query(
        contracts, "trades", from_, until, optional_fields=["route_id"]
    )
    return Weighed(
        client.planner.estimate_request_count(plans),
        client.planner.estimate_duration(plans),
        sum(isinstance(plan, BulkSequenceItemQuery | BulkMarketQuery) for plan in plans),
        json.dumps([plan.to_dict() for plan in plans]),
    )


async def executed(client: TrayportClient, stored: str) -> tuple[dict[ContractSpec, int], set[str]]:
    """How many rows a stored plan brings of each contract, and why some bring none."""
    documents: list[Mapping[str, Any]] = json.loads(stored)
    found = await client.planner.execute_plan([QueryPlan.from_dict(one) for one in documents])
    rows = {contract: len(table) for contract, table in found.results.items()}
    failures: Sequence[FailedQuery] = found.failures
    return rows, {type(failure.error).__name__ for failure in failures}


async def insisted(
    client: TrayportClient,
    contracts: Sequence[ContractSpec | str],
    from_: date,
    until: date,
    rest: Callable[[], Awaitable[None]],
) -> BulkTradesResponse:
    """The trades of contracts; what may come later is asked for once more, after a rest."""
    found = await client.get_trades_bulk(contracts, from_, until, include_private=True)
    if any(failure.error.retryable for failure in found.failures):
        await rest()
        found = await client.retry_failures(found)
    for failure in found.failures:
        print(f"missing: {failure.contracts} {failure.window}")
    return found


async def first_above(
    client: TrayportClient, contracts: Sequence[ContractSpec], from_: date, price: float
) -> tuple[ContractSpec, Trade] | None:
    """The first trade in a stream above a price, and nothing asked for beyond it."""
    async with aclosing(client.stream_trades(contracts, from_, max_responses=1)) as batches:
        batch: TradesBatch
        async for batch in batches:
            above = (trade for trade in batch if trade.price > price)
            if (trade := next(above, None)) is not None:
                return batch.contract, trade
    return None


def closes(candles: BulkQueryResult[OHLCVResponse]) -> dict[ContractSpec, float | None]:
    last: dict[ContractSpec, Candle] = {
        contract: table[-1] for contract, table in candles.results.items() if table
    }
    return {contract: candle.close for contract, candle in last.items()}


async def summary(
    client: TrayportClient, market: str, from_: datetime, until: datetime
) -> tuple[dict[ContractSpec, float | None], Counter[ContractSpec]]:
    """What the contracts of a market closed at, and how often they traded."""
    data: MarketData = await client.get_market_data(market, from_, until, max_requests=100)
    data.raise_for_failures()
    trades: Mapping[ContractSpec, TradesResponse] = data.trades.results
    return closes(data.candles), Counter({one: len(table) for one, table in trades.items()})


async def traded_kinds(client: TrayportClient, from_: datetime, until: datetime) -> set[str]:
    """Which kinds of contracts traded at all."""
    rows: Iterable[Activity] = await client.trades.get_activity(from_, until)
    return {ContractKind(row.contract_type).value for row in rows}


async def position(
    client: TrayportClient, contract: ContractSpec, from_: date, until: date
) -> tuple[float, float | None]:
    """What the desk traded of a contract, and the price it was last worth."""
    own: PrivateTradesResponse = await client.trades.get_private_trades(
        from_, until, contract=contract
    )
    last: LastTrade | None = await client.trades.get_last_trade(contract, at=until)
    return sum(trade.quantity for trade in own), None if last is None else last.price
