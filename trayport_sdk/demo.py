"""The main job in small: plan, download over a real socket, write Parquet, say what happened."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from .addresses import SANDBOX_KEY
from .client import TrayportClient

if TYPE_CHECKING:
    from .progress import OnProgress
    from .responses import TradesResponse

MARKET = "TTF Hi Cal 51.6*"
MONTHS = (
    "Apr-24", "May-24", "Jun-24", "Jul-24", "Aug-24", "Sep-24",
    "Oct-24", "Nov-24", "Dec-24", "Jan-25", "Feb-25", "Mar-25",
)  # fmt: skip
FROM, UNTIL = "2024-01-01", "2024-03-31"


async def run(out: Path, suffix: str, on_progress: OnProgress) -> str:
    """Downloads twelve months of TTF over ninety days; the result is the story in a few lines."""
    from .export import write
    from .extras import needs

    needs("sandbox", "numpy", "uvicorn")
    from .sandbox import Sandbox

    with Sandbox().serve() as server:
        async with TrayportClient(
            SANDBOX_KEY, analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            contracts = [await client.resolve_contract(f"{MARKET} {month}") for month in MONTHS]
            plans = client.planner.plan_multi_contract_query(contracts, "trades", FROM, UNTIL)
            started = time.perf_counter()
            trades = await client.trades.get_trades(contracts, FROM, UNTIL, on_progress=on_progress)
            seconds = time.perf_counter() - started
    write(trades.to_polars(), out, suffix)
    return _story(trades, len(plans), seconds, out, server.analytics_url)


def _story(trades: TradesResponse, planned: int, seconds: float, out: Path, address: str) -> str:
    import polars as pl

    received = sum(request.bytes_received for request in trades.requests)
    decoded = sum(request.bytes_decoded for request in trades.requests)
    item = pl.col("contract").struct.field("sequence_item_id")
    by_month = (
        trades.to_polars()
        .group_by(item.alias("item"), maintain_order=True)
        .agg(
            pl.len().alias("trades"),
            pl.col("price").last().alias("last"),
            pl.col("quantity").sum().alias("volume"),
            (pl.col("price").dot("quantity") / pl.col("quantity").sum()).alias("vwap"),
        )
        .sort("item")
    )
    lines = [
        f"{len(MONTHS)} months of {MARKET}, {FROM} to {UNTIL}, from {address} (sandbox data)",
        f"{planned} requests instead of {planned * len(MONTHS)}: the months share each window",
        f"{len(trades):,} trades in {seconds:.1f} s: {received / 1e6:.1f} MB received, "
        f"{decoded / 1e6:.1f} MB decoded ({decoded / received:.1f} to 1)",
        "",
        f"{'month':8}{'trades':>10}{'volume':>14}{'vwap':>10}{'last':>10}",
        *(
            f"{month:8}{row['trades']:>10,}{row['volume']:>14,.0f}{row['vwap']:>10.3f}"
            f"{row['last']:>10.3f}"
            for month, row in zip(MONTHS, by_month.iter_rows(named=True), strict=True)
        ),
        "",
        f"written to {out} ({out.stat().st_size / 1e6:.1f} MB)",
    ]
    return "\n".join(lines)
