"""The state of many contracts at one instant."""

from __future__ import annotations

from ..bulk.runner import Contracts, Runner
from ..query.times import TimeLike
from ..tables import SnapshotsResponse


class SnapshotsGroup:
    """Last trades and best orders of contracts at an instant."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def get_snapshots(
        self, contracts: Contracts, *, at: TimeLike | None = None
    ) -> SnapshotsResponse:
        """The last trade and the best orders of contracts at an instant.

        Args:
            contracts: One contract or several, as `ContractSpec`, as machine symbols, or by name.
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out. Naive times mean UTC.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: An answer did not come, or broke off.
            TrayportDecodeError: An answer is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.snapshots.get_snapshots(
            ...         ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"],
            ...         at="2024-03-05T12:00",
            ...     )
            >>> [snapshot.contract.sequence_item_id for snapshot in found]
            [244, 245]
        """
        query = self._runner.query("snapshots", at=at)
        query = await self._runner.about(contracts, query)
        return await self._runner.table(SnapshotsResponse, query)

    async def get_snapshots_by_trading_items(
        self,
        market_id: int | None = None,
        instrument_id: int | None = None,
        *,
        sequence_id: int,
        trading_items: int,
        at: TimeLike | None = None,
    ) -> SnapshotsResponse:
        """The last trade and the best orders of the next tradable items of a sequence.

        Args:
            market_id: The market. Exactly one of this and `instrument_id` is given.
            instrument_id: The instrument.
            sequence_id: The sequence, whose items must have an end of trading [documented].
            trading_items: How many items, counted from the instant [assumed].
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out. Naive times mean UTC.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_snapshots`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.snapshots.get_snapshots_by_trading_items(
            ...         10000065, sequence_id=10000305, trading_items=3, at="2024-03-05T12:00"
            ...     )
            >>> [snapshot.contract.sequence_item_id for snapshot in found]
            [244, 245, 246]
        """
        query = self._runner.query(
            "snapshots",
            scope={
                "market_id": market_id,
                "instrument_id": instrument_id,
                "sequence_id": sequence_id,
            },
            at=at,
            trading_items=trading_items,
        )
        return await self._runner.table(SnapshotsResponse, query)
