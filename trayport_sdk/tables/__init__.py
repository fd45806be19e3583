"""What calls return: a class of tables per endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trayport_api.models import Activity, LastTrade, Snapshot
from trayport_spec import ENDPOINTS

from ..errors import TrayportLookupError
from .base import TableResponse
from .candles import OHLCVResponse
from .order_book import OrderBookResponse
from .quote_tables import OrderBookTopResponse
from .trades import PrivateTradesResponse, TradesBatch, TradesResponse

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "TABLES",
    "ActivityResponse",
    "LastTradeResponse",
    "OHLCVResponse",
    "OrderBookResponse",
    "OrderBookTopResponse",
    "PrivateTradesResponse",
    "SnapshotsResponse",
    "TableResponse",
    "TradesBatch",
    "TradesResponse",
]


class LastTradeResponse(TableResponse[LastTrade]):
    """The latest trade of a contract, if it has one; the model is `LastTrade`."""

    operation_id = "get_last_trade"
    model = LastTrade


COUNTS = ("count", "update_count", "delete_count")


class ActivityResponse(TableResponse[Activity]):
    """How often contracts traded; the models are `trayport_api.models.Activity`.

    Rows carry no time: those of several requests are summed per contract and route.
    """

    operation_id = "get_activity"
    model = Activity

    @classmethod
    def _arranged(cls, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        contract = [name for name in frame.columns if name not in COUNTS]
        counts = [pl.col(name) for name in frame.columns if name in COUNTS]
        # Polars adds up nulls to 0, but a sum of which a part is not known is not known.
        sums = [pl.when(count.null_count() == 0).then(count.sum()) for count in counts]
        return frame.group_by(contract, maintain_order=True).agg(sums).select(frame.columns)


class SnapshotsResponse(TableResponse[Snapshot]):
    """The state of contracts at one instant; the models are `trayport_api.models.Snapshot`."""

    operation_id = "get_snapshots"
    model = Snapshot

    @property
    def timestamp(self) -> int:
        """The instant, in nanoseconds since 1970-01-01 UTC, as the first answer gives it.

        Raises:
            TrayportLookupError: No request was answered.
        """
        for request in self.requests:
            if request.timestamp is not None:
                return request.timestamp
        raise TrayportLookupError("no request was answered, so there is no instant")


_CLASSES: tuple[type[TableResponse[Any]], ...] = (
    TradesResponse,
    PrivateTradesResponse,
    OHLCVResponse,
    LastTradeResponse,
    ActivityResponse,
    OrderBookTopResponse,
    OrderBookResponse,
    SnapshotsResponse,
)
TABLES = {ENDPOINTS[table.operation_id].key: table for table in _CLASSES}
"""The table of each endpoint."""
