"""The last trade and the best orders of many contracts at one instant.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from ...bulk.progress import OnProgress
from ...bulk.runner import Contracts
from ...query.calls import checked_calls
from ...query.times import TimeLike
from ...tables import SnapshotsResponse
from ..operations import RowOperations


@checked_calls
class SnapshotsMethods(RowOperations):
    """The last trade and the best orders of many contracts at one instant."""

    async def get_snapshots(
        self,
        contracts: Contracts,
        *,
        at: TimeLike | None = None,
        on_progress: OnProgress | None = None,
    ) -> SnapshotsResponse:
        """The last trade and the best orders of several items at one instant.

        The state of one contract, or of several items of a sequence, just before `at`. The instant
        is named `at`; any other name is ignored and the response is today's. [documented]

        Contracts that may share a request do; the rows of several contracts always say which one
        they belong to.

        Args:
            contracts: One contract or several, as `ContractSpec`, as machine symbols, or by name
                such as `"TTF Hi Cal 51.6* Apr-24"`.
            at: The instant to look back from, exclusive; the end of the data when absent. Naive
                times mean UTC. [documented]
            on_progress: Called after each response with a `Progress`.

        Returns:
            A table with a row for each `Snapshot`, with the fields:
            - `contract`: A product together with a delivery period. [documented]
            - `last_trade`: The latest trade, null when there is none. [documented]
            - `best_orders`: The best bid and ask of a contract in a snapshot. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.snapshots.get_snapshots(
            ...         "TTF Hi Cal 51.6* Apr-24", at="2024-03-05T12:00"
            ...     )
            >>> rows.to_polars(nested=True).columns
            ['contract', 'last_trade', 'best_orders']
        """
        return await self._runner.fetch(
            SnapshotsResponse, contracts, at=at, on_progress=on_progress
        )
