"""Everything about the contracts of a market that traded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..query.contracts import ContractSpec
from ..query.plan import counted
from ..tables import OHLCVResponse, OrderBookTopResponse
from ..tables.base import RequestRecord
from .progress import OnProgress
from .result import FailedQuery
from .results import BulkQueryResult, BulkSnapshotsResponse, BulkTradesResponse


class MarketData:
    """Trades, daily candles, hourly best orders and a snapshot at the end, by contract.

    Attributes:
        market: The name of the market.
        contracts: Its contracts that traded, in order.
        trades: Their trades.
        candles: Their daily candles, of all days that the range touches.
        order_book_top: Their best bid and ask, every hour from the start of the range.
        snapshots: Their state at the end of the range.
        requests_to_find: The requests that it took to find the contracts, of all markets that were
            asked for together; `max_requests` counts them too.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     found = await client.get_market_data(
        ...         "Germany Baseload", "2024-03-04T10:00", "2024-03-04T10:02"
        ...     )
        >>> found.trades.results.keys() == found.candles.results.keys()
        True
    """

    def __init__(
        self,
        market: str,
        trades: BulkTradesResponse,
        candles: BulkQueryResult[OHLCVResponse],
        order_book_top: BulkQueryResult[OrderBookTopResponse],
        snapshots: BulkSnapshotsResponse,
        requests_to_find: int,
    ) -> None:
        self.market = market
        self.trades = trades
        self.candles = candles
        self.order_book_top = order_book_top
        self.snapshots = snapshots
        self.requests_to_find = requests_to_find

    @property
    def _parts(self) -> tuple[BulkQueryResult[Any], ...]:
        return self.trades, self.candles, self.order_book_top, self.snapshots

    @cached_property
    def contracts(self) -> tuple[ContractSpec, ...]:
        """The contracts, in order."""
        return tuple(sorted({one for part in self._parts for one in part.contracts}))

    @property
    def failures(self) -> tuple[FailedQuery, ...]:
        """The requests that failed for good."""
        return tuple(failure for part in self._parts for failure in part.failures)

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that brought the data."""
        return tuple(request for part in self._parts for request in part.requests)

    def raise_for_failures(self) -> None:
        """Raises unless everything is there.

        Raises:
            TrayportPartialFailureError: Something is missing; it lists the errors.
        """
        for part in self._parts:
            part.raise_for_failures()

    async def retry_failures(self, *, on_progress: OnProgress | None = None) -> MarketData:
        """Asks again for what is missing.

        Returns:
            Both: what was there, and what has come now.
        """
        parts: list[Any] = []
        for part in self._parts:
            parts.append(await part.retry_failures(on_progress=on_progress))  # noqa: PERF401
        trades, candles, top, snapshots = parts
        return MarketData(self.market, trades, candles, top, snapshots, self.requests_to_find)

    def explain(self) -> str:
        """What came and what did not, in words."""
        parts = (
            counted(len(self.contracts), "contract"),
            counted(len(self.trades), "trade"),
            counted(len(self.candles), "daily candle"),
            counted(len(self.order_book_top), "hourly top"),
            counted(len(self.snapshots), "snapshot"),
        )
        told = f"{self.market}: {', '.join(parts)} from {counted(len(self.requests), 'request')}"
        told += f", after {self.requests_to_find} to find the contracts"
        if self.failures:
            told += f"; {counted(len(self.failures), 'request')} failed"
        return told

    def __repr__(self) -> str:
        return f"MarketData({self.explain()})"


class BulkMarketDataResponse:
    """The data of several markets.

    Attributes:
        results: The data of every market, by the name it was asked for.
        failures: The requests that failed for good, in all of them.
    """

    def __init__(self, results: Mapping[str, MarketData]) -> None:
        self.results = results

    @property
    def failures(self) -> tuple[FailedQuery, ...]:
        """The requests that failed for good."""
        return tuple(failure for one in self.results.values() for failure in one.failures)

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests that brought the data."""
        return tuple(request for one in self.results.values() for request in one.requests)

    def raise_for_failures(self) -> None:
        """Raises unless everything is there.

        Raises:
            TrayportPartialFailureError: Something is missing; it lists the errors.
        """
        for one in self.results.values():
            one.raise_for_failures()

    async def retry_failures(
        self, *, on_progress: OnProgress | None = None
    ) -> BulkMarketDataResponse:
        """Asks again for what is missing, in all markets.

        Returns:
            Both: what was there, and what has come now.
        """
        return BulkMarketDataResponse(
            {
                name: await one.retry_failures(on_progress=on_progress)
                for name, one in self.results.items()
            }
        )

    def explain(self) -> str:
        """What came and what did not, a line per market."""
        return "\n".join(one.explain() for one in self.results.values())

    def __repr__(self) -> str:
        return f"BulkMarketDataResponse({'; '.join(self.explain().splitlines())})"
