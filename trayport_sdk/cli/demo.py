"""The main job in small: plan, download over a real socket, write Parquet, draw a chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ..client import TrayportClient
from ..settings import SANDBOX_KEY

if TYPE_CHECKING:
    from trayport_api.models import MarketDetails

    from ..bulk.progress import OnProgress
    from ..bulk.writer import FileReport
    from ..query.contracts import ContractSpec

MARKET = "TTF Hi Cal 51.6*"
MONTHS = (
    "Apr-24", "May-24", "Jun-24", "Jul-24", "Aug-24", "Sep-24",
    "Oct-24", "Nov-24", "Dec-24", "Jan-25", "Feb-25", "Mar-25",
)  # fmt: skip
ZONE = "Europe/Amsterdam"
FROM, UNTIL = "2024-01-01", "2024-03-31"


async def run(out: Path, on_progress: OnProgress) -> str:
    """Downloads twelve months of TTF over ninety days; the result is the story in a few lines."""
    from ..errors import require_extra

    require_extra("sandbox", "numpy", "uvicorn")
    require_extra("plot", "altair", "vl_convert", what="demo")
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
            market = await client.reference.get_market_by_id(contracts[0].market_id or 0)
    charts = _draw(report, contracts[0], market)
    drawn = f"a chart of {contracts[0].label} is in {' and '.join(map(str, charts))}"
    return f"{_story(report, len(plans), server.analytics_url)}\n{drawn}"


def _draw(report: FileReport, contract: ContractSpec, market: MarketDetails) -> list[Path]:
    """Draws the days of the first month, into files beside that of the trades."""
    from ..bulk.dataset import open_dataset
    from ..tables import TradesResponse

    rows = open_dataset(report.path).filter(pl.col("contract") == str(contract))
    frame = rows.select("deal_date", "price", "quantity").collect()
    trades = TradesResponse(frame, report.requests, [contract])
    days = trades.to_ohlcv("1d", tz=ZONE, optional_fields=["vwap"])
    chart = days.plot(market, tz=ZONE)
    files = [Path(report.path).with_suffix(suffix) for suffix in (".html", ".png")]
    for file in files:
        chart.save(file)
    return files


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
