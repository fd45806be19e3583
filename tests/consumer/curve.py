"""A program of a user, strictly typed: what the months of a market traded for, and how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime

from attrs import frozen

from trayport_sdk import (
    ContractSpec,
    ContractType,
    Progress,
    Trade,
    TradesResponse,
    TrayportAPIError,
    TrayportClient,
    TrayportLookupError,
)


@frozen
class Point:
    """One delivery period on the curve."""

    item: int
    trades: int
    volume: float
    average: float
    last_at: datetime


@frozen
class Curve:
    points: tuple[Point, ...]
    venues: frozenset[str]
    requests: int


def traded(trade: Trade) -> datetime:
    return datetime.fromtimestamp(trade.deal_date // 1_000_000_000, UTC)


def points(trades: TradesResponse) -> tuple[Point, ...]:
    by_item: defaultdict[int, list[Trade]] = defaultdict(list)
    for trade in trades:
        if trade.contract:
            by_item[trade.contract.sequence_item_id].append(trade)
    found: list[Point] = []
    for item, rows in sorted(by_item.items()):
        volume = sum(row.quantity for row in rows)
        value = sum(row.price * row.quantity for row in rows)
        found.append(Point(item, len(rows), volume, value / volume, traded(rows[-1])))
    return tuple(found)


async def curve(
    client: TrayportClient, market: str, months: Sequence[str], from_: date, until: date
) -> Curve:
    """The curve over a range; months that do not exist are left out."""
    contracts: list[ContractSpec] = []
    for month in months:
        try:
            contracts.append(await client.resolve_contract(f"{market} {month}"))
        except TrayportLookupError as error:
            print(f"left out: {month}, nearest: {', '.join(error.candidates)}")
    assert all(contract.contract_type is ContractType.SINGLE_PERIOD for contract in contracts)

    seen: list[Progress] = []
    try:
        trades = await client.trades.get_trades(
            contracts, from_, until, optional_fields=["contract"], on_progress=seen.append
        )
    except TrayportAPIError as error:
        raise SystemExit(f"{error.status_code}: {error}") from error
    venues = frozenset(str(code) for code in trades.to_polars()["venue_code"].unique())
    return Curve(points(trades), venues, seen[-1].requests_done)
