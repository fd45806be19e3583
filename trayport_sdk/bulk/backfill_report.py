"""What a backfill did, or is about to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from attrs import field, frozen

from ..query.plan import QueryPlan, counted
from ..query.times import Window
from .result import FailedQuery, raise_for


@frozen
class BackfillReport:
    """What a backfill, a refresh or a verification did, or is about to do.

    Attributes:
        path: The data set.
        endpoint: The operation whose rows it holds.
        contracts: How many contracts this was about; 0 where it was about all of them.
        window: The range, in nanoseconds since 1970-01-01 UTC, as far as it lies on the grid of
            bars.
        requests_planned: Requests that are needed.
        requests_done: Requests that came.
        duration: How long the requests take at the allowance, at least.
        rows: Rows that came.
        files_written: Files that were written or replaced.
        bytes_written: Their size.
        bytes_expected: About how large what is missing will be, as far as what is there tells;
            None where nothing is.
        added: Rows that are new in windows that were known.
        altered: Rows that changed in them.
        deleted: Rows that are gone from them.
        damaged: Files that were missing or damaged.
        lost: Files of which nobody has the rows any more that they had until now, or at some time
            before; `open_dataset` refuses an `as_of` that would need them.
        failures: The requests that failed for good.
        plans: The requests that a dry run found to be missing; `client.planner.parts` takes them.
        seconds: How long it took.
        is_dry_run: Whether nothing was sent or written.
    """

    path: str
    endpoint: str
    contracts: int
    window: Window | None
    requests_planned: int
    duration: timedelta
    requests_done: int = 0
    rows: int = 0
    files_written: int = 0
    bytes_written: int = 0
    bytes_expected: int | None = None
    added: int = 0
    altered: int = 0
    deleted: int = 0
    damaged: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    failures: tuple[FailedQuery, ...] = field(default=(), repr=False)
    plans: tuple[QueryPlan, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    is_dry_run: bool = False

    def raise_for_failures(self) -> Self:
        """Raises if a request failed for good; the next backfill sends it again.

        Raises:
            TrayportPartialFailureError: A request failed.
        """
        raise_for(self.failures, completed=self.requests_done)
        return self

    def explain(self) -> str:
        """What was done or is to be done, in words."""
        whose = counted(self.contracts, "contract") if self.contracts else "all contracts"
        words = f"{self.endpoint.replace('_', ' ')} of {whose}"
        if self.window is not None:
            words += f" from {self.window}"
        if not self.requests_planned:
            return f"{words}: nothing is missing{self._losses()}"
        if self.is_dry_run:
            words += f": {counted(self.requests_planned, 'request')} to send"
            words += f", at least {_minutes(self.duration)} at the allowance"
            size = "of unknown size" if self.bytes_expected is None else _size(self.bytes_expected)
            return f"{words}, {size}"
        words += f": {counted(self.requests_done, 'request')} of {self.requests_planned:,}, "
        words += f"{counted(self.rows, 'row')}, {counted(self.files_written, 'file')} "
        words += f"({_size(self.bytes_written)}) written in {self.seconds:.1f} s"
        if self.added or self.altered or self.deleted:
            words += f"; {self.added:,} rows added, {self.altered:,} altered, "
            words += f"{self.deleted:,} deleted since they were fetched"
        if self.damaged:
            words += f"; {counted(len(self.damaged), 'damaged file')} made anew"
        words += self._losses()
        if self.failures:
            words += f"; {counted(len(self.failures), 'request')} failed, which the next one sends "
            words += "again"
        return words

    def _losses(self) -> str:
        return f"; old rows of {counted(len(self.lost), 'file')} are lost" if self.lost else ""


def _minutes(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:,.0f} minutes"


def _size(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
