"""What is asked of the sandbox under load, and what shall go wrong meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from attrs import frozen

from tests.service import CONTRACTS
from trayport_sdk import ContractSpec, Settings, TrayportClient
from trayport_sdk.query.times import DAY, instant, to_text
from trayport_sdk.sandbox import KINDS, Fault, Kind

FIRST_DAY = instant("2024-02-05", "from_")
DAYS = 20
WHAT = ("trades", "candles", "quotes", "snapshot")
RENAMED = "^.*venue_code$"
"""Columns that a fault may change without making a response wrong."""


@frozen
class Question:
    """Something small about one contract and one day."""

    what: str
    contract: ContractSpec
    start: int

    async def ask(self, client: TrayportClient) -> pl.DataFrame:
        """The rows of the response."""
        begin, end = to_text(self.start), to_text(self.start + DAY)
        match self.what:
            case "trades":
                table: Any = await client.trades.get_trades(self.contract, begin, end)
            case "candles":
                table = await client.trades.get_ohlcv(self.contract, begin, end, "1h")
            case "quotes":
                table = await client.orders.get_order_book_top(self.contract, begin, end, "1h")
            case _:
                table = await client.snapshots.get_snapshots(self.contract, at=end)
        frame: pl.DataFrame = table.to_polars()
        return frame.select(pl.exclude(RENAMED))


def questions(count: int) -> list[Question]:
    """So many different questions, of every kind in turn."""
    if count > len(CONTRACTS) * DAYS:
        raise ValueError(f"there are {len(CONTRACTS) * DAYS} questions, not {count}")
    return [
        Question(
            WHAT[number % len(WHAT)],
            CONTRACTS[number % len(CONTRACTS)],
            FIRST_DAY + number // len(CONTRACTS) * DAY,
        )
        for number in range(count)
    ]


def faults(probability: float) -> Sequence[Fault]:
    """Every fault that the sandbox knows, each with its own dice."""
    statuses = [{"status": status} for status in (429, 500, 503)]
    kinds: list[tuple[Kind, Mapping[str, Any]]] = [(kind, {}) for kind in KINDS if kind != "status"]
    kinds += [("status", options) for options in statuses]
    return [
        Fault(
            kind,
            times=None,
            probability=probability,
            seed=seed,
            seconds=0.02,
            bytes_per_second=1e6,
            chunk=4096,
            **options,
        )
        for seed, (kind, options) in enumerate(kinds)
    ]


def at_full_speed(analytics_url: str, reference_url: str, **values: Any) -> Settings:
    """Settings by which a server that limits nothing gets requests as fast as they come.

    Retries are as many as by default; the waits before them are short.
    """
    return Settings(
        _env_file=None,
        **{
            "api_key": "sandbox",
            "cache": "memory",
            "analytics_url": analytics_url,
            "reference_url": reference_url,
            "requests_per_second": 10_000,
            "requests_per_minute": 600_000,
            "evenly_spaced": False,
            "adaptive_throttling": False,
            "retry_base": 0.01,
            "retry_cap": 0.1,
            "forbidden_wait": 0.05,
            **values,
        },
    )
