"""What is killed: a program that fills, verifies or refreshes a data set over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from attrs import evolve, frozen

# Loaded here, for the process that the others are forked from.
import trayport_sdk.bulk.backfill
import trayport_sdk.bulk.runner
import trayport_sdk.resources.catalog  # noqa: F401
from trayport_sdk import Settings, TrayportClient
from trayport_sdk.query.times import Window, to_text

CONCURRENCY = 4
Kind = Literal["backfill", "verify", "refresh"]


@frozen
class Job:
    """What to do with a data set, and where the service is.

    Attributes:
        kind: What to do.
        path: The data set.
        windows: What to fetch, one after the other, where it is a backfill.
        contracts: The symbols of the contracts.
        analytics_url: The service.
        reference_url: The service for names.
        cache_dir: Where the names are kept.
    """

    kind: Kind
    path: Path
    windows: Sequence[Window]
    contracts: Sequence[str]
    analytics_url: str
    reference_url: str
    cache_dir: Path

    def of_kind(self, kind: Kind) -> Job:
        """The same about the same data set."""
        return evolve(self, kind=kind)

    def client(self) -> TrayportClient:
        """A client that sends what failed again without a long wait."""
        return TrayportClient(
            settings=Settings(
                _env_file=None,
                api_key="sandbox",
                analytics_url=self.analytics_url,
                reference_url=self.reference_url,
                cache_dir=self.cache_dir,
                max_concurrency=CONCURRENCY,
                max_retries=20,
                retry_base=0.01,
                retry_cap=0.05,
                circuit_breakers=False,
                adaptive_throttling=False,
                emergency_throttling=False,
                evenly_spaced=False,
                requests_per_second=10_000,
                requests_per_minute=600_000,
            )
        )


def texts(window: Window) -> tuple[str, str]:
    """The ends of a range, as callers write them."""
    return to_text(window.start), to_text(window.end)


def work(job: Job) -> None:
    """Does it, until it is done or this process is killed."""
    asyncio.run(_work(job))


async def _work(job: Job) -> None:
    async with job.client() as client:
        if job.kind == "verify":
            reports = [await client.verify(job.path)]
        elif job.kind == "refresh":
            reports = [await client.refresh(job.path, "400d")]
        else:
            reports = [
                await client.backfill(job.contracts, *texts(window), job.path)
                for window in job.windows
            ]
    for report in reports:
        report.raise_for_failures()
