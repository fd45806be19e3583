"""A program of a user, strictly typed: what the months of a market traded for, and how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime

import httpx
from attrs import define, field, frozen
from trayport_api.models import Market

from trayport_sdk import (
    BreakerEvent,
    BreakerState,
    ContractSpec,
    ContractType,
    HealthReport,
    Metrics,
    Priority,
    Progress,
    ReferenceList,
    RetryEvent,
    Status,
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


@define
class Runner:
    """Names the desk to a gateway, and watches over what its requests meet."""

    name: str
    statuses: list[int] = field(factory=list[int])
    waits: list[float] = field(factory=list[float])
    open_since: datetime | None = None

    async def before(self, request: httpx.Request) -> None:
        request.headers["X-Desk"] = self.name

    async def after(self, response: httpx.Response) -> None:
        self.statuses.append(response.status_code)

    def retrying(self, event: RetryEvent) -> None:
        self.waits.append(event.wait)

    def breaker_changed(self, event: BreakerEvent) -> None:
        self.open_since = datetime.now(UTC) if event.state is BreakerState.OPEN else None


@frozen
class Bill:
    """What a program cost: requests, bytes, and seconds in the line."""

    requests: int
    bytes_received: int
    seconds_waited: float
    slowest: float


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
    client: TrayportClient,
    market: str,
    months: Sequence[str],
    from_: date,
    until: date,
    priority: Priority = "normal",
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
    patient = client.with_options(timeout=120, max_retries=6, priority=priority)
    try:
        trades = await patient.trades.get_trades(
            contracts, from_, until, optional_fields=["contract"], on_progress=seen.append
        )
    except TrayportAPIError as error:
        raise SystemExit(f"{error.status_code}: {error}") from error
    venues = frozenset(str(code) for code in trades.to_polars()["venue_code"].unique())
    return Curve(points(trades), venues, seen[-1].requests_done)


def bill(client: TrayportClient) -> Bill:
    metrics: Metrics = client.get_metrics()
    slowest = max((each.latency.max for each in metrics.endpoints.values()), default=0.0)
    total = metrics.total
    return Bill(total.requests, total.bytes_received, total.limiter_wait, slowest)


async def ready(client: TrayportClient) -> str:
    """Whether work may begin: in words when it may not, and empty when it may."""
    report: HealthReport = await client.health_check()
    status: Status = client.get_status()
    opened = [path for path, one in status.breakers.items() if one.state is BreakerState.OPEN]
    return "; ".join([*(f"{check.name}: {check.detail}" for check in report.wrong), *opened])


async def names(client: TrayportClient, part: str) -> tuple[str, ...]:
    """The markets whose name has a part in it, unless the list is an old one."""
    markets: ReferenceList[Market] = await client.reference.get_markets(part)
    return () if markets.stale else tuple(market.name for market in markets)
