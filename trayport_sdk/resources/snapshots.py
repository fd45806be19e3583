"""The state of many contracts at one instant."""

from __future__ import annotations

from ..query.calls import checked_calls
from ..query.times import TimeLike
from ..tables import SnapshotsResponse
from .generated.snapshots import SnapshotsMethods


@checked_calls
class SnapshotsGroup(SnapshotsMethods):
    """Last trades and best orders of contracts at an instant."""

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
            trading_items: How many items, counted from the instant [assumed:
                trading-items-reference].
            at: The instant, in whole minutes and exclusive [documented]; the end of the data when
                it is left out. Naive times mean UTC.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportError: As `get_snapshots`.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.snapshots.get_snapshots_by_trading_items(
            ...         10000065, sequence_id=10000305, trading_items=3, at="2024-03-05T12:00"
            ...     )
            >>> len(rows)
            3
        """
        scope = {
            "market_id": market_id,
            "instrument_id": instrument_id,
            "sequence_id": sequence_id,
        }
        return await self._runner.fetch(
            SnapshotsResponse, scope=scope, at=at, trading_items=trading_items
        )
