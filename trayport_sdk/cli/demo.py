"""The main job in small: plan, download over a real socket, write Parquet, say what happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ..client import TrayportClient
from ..settings import SANDBOX_KEY

if TYPE_CHECKING:
    from ..bulk.progress import OnProgress
    from ..bulk.writer import FileReport

MARKET = "TTF Hi Cal 51.6*"
MONTHS = (
    "Apr-24", "May-24", "Jun-24", "Jul-24", "Aug-24", "Sep-24",
    "Oct-24", "Nov-24", "Dec-24", "Jan-25", "Feb-25", "Mar-25",
)  # fmt: skip
FROM, UNTIL = "2024-01-01", "2024-03-31"


async def run(out: Path, on_progress: OnProgress) -> str:
    """Downloads twelve months of TTF over ninety days; the result is the story in a few lines."""
    from ..errors import require_extra

    require_extra("sandbox", "numpy", "uvicorn")
    from ..sandbox import Sandbox

    with Sandbox().serve() as server:
        async with TrayportClient(
            SANDBOX_KEY, analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            contracts = [await client.resolve_contract(f"{MARKET} {month}") for month in MONTHS]
            plans = client.planner.plan_multi_contract_query(contracts, "trades", FROM, UNTIL)
            report = await client.stream_to_file(
                contracts, FROM, UNTIL, out, on_progress=on_progress
            )
    return _story(report, len(plans), server.analytics_url)


def _story(report: FileReport, planned: int, address: str) -> str:
    from ..bulk.dataset import open_dataset

    received = sum(request.bytes_received for request in report.requests)
    decoded = sum(request.bytes_decoded for request in report.requests)
    trades = open_dataset(report.path)
    by_month = (
        trades.group_by("period", "contract_sequence_item_id", maintain_order=True)
        .agg(
            pl.len().alias("trades"),
            pl.col("price").last().alias("last"),
            pl.col("quantity").sum().alias("volume"),
            (pl.col("price").dot("quantity") / pl.col("quantity").sum()).alias("vwap"),
        )
        .sort("contract_sequence_item_id")
        .collect()
    )
    lines = [
        f"{len(MONTHS)} months of {MARKET}, {FROM} to {UNTIL}, from {address} (sandbox data)",
        f"{planned} requests instead of {planned * len(MONTHS)}: the months share each window",
        f"{report.rows:,} trades in {report.seconds:.1f} s: {received / 1e6:.1f} MB received, "
        f"{decoded / 1e6:.1f} MB decoded ({decoded / received:.1f} to 1)",
        "",
        f"{'month':8}{'trades':>10}{'volume':>14}{'vwap':>10}{'last':>10}",
        *(
            f"{row['period']:8}{row['trades']:>10,}{row['volume']:>14,.0f}{row['vwap']:>10.3f}"
            f"{row['last']:>10.3f}"
            for row in by_month.iter_rows(named=True)
        ),
        "",
        f"written to {report.path} ({report.bytes_written / 1e6:.1f} MB)",
    ]
    return "\n".join(lines)
