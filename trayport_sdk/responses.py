"""What calls return: a class of tables per endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from trayport_api.models import (
    Activity,
    Candle,
    LastTrade,
    OrderBook,
    PrivateTrade,
    Snapshot,
    TopOfBook,
    Trade,
)

from .errors import TrayportLookupError
from .queries import PREFIX
from .tables import TableResponse as TableResponse

if TYPE_CHECKING:
    import polars as pl

    from .contracts import ContractSpec
    from .progress import RequestRecord


class TradesResponse(TableResponse[Trade]):
    """Trades in time order; the models are `trayport_api.models.Trade`."""

    operation_id = "get_trades"
    _make = Trade.from_dict


class TradesBatch(TradesResponse):
    """The trades of one contract in one window of a stream.

    Attributes:
        contract: The contract.
    """

    contract: ContractSpec

    @classmethod
    def about(cls, contract: ContractSpec, frame: pl.DataFrame, request: RequestRecord) -> Self:
        """The rows that a request brought of a contract."""
        batch = cls(frame, [request])
        batch.contract = contract
        return batch


class PrivateTradesResponse(TableResponse[PrivateTrade]):
    """The account's own trades in time order, with both sides as columns.

    The models are `trayport_api.models.PrivateTrade`.
    """

    operation_id = "get_private_trades"
    _make = PrivateTrade.from_dict


class OHLCVResponse(TableResponse[Candle]):
    """Candles in time order; the models are `trayport_api.models.Candle`."""

    operation_id = "get_ohlcv"
    _make = Candle.from_dict


class LastTradeResponse(TableResponse[LastTrade]):
    """The latest trade of a contract, if it has one; the model is `LastTrade`."""

    operation_id = "get_last_trade"
    _make = LastTrade.from_dict


class OrderBookTopResponse(TableResponse[TopOfBook]):
    """The best bid and ask at points in time; the models are `trayport_api.models.TopOfBook`."""

    operation_id = "get_order_book_top"
    _make = TopOfBook.from_dict


class OrderBookResponse(TableResponse[OrderBook]):
    """Books at points in time, their `bids` and `asks` as lists of orders, the best first.

    The models are `trayport_api.models.OrderBook`. CSV, which knows no lists, gets a row per order.
    """

    operation_id = "get_order_book"
    _make = OrderBook.from_dict


COUNTS = ("count", "update_count", "delete_count")


class ActivityResponse(TableResponse[Activity]):
    """How often contracts traded; the models are `trayport_api.models.Activity`.

    Rows carry no time: those of several requests are summed per contract and route.
    """

    operation_id = "get_activity"
    _make = Activity.from_dict

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
    _make = Snapshot.from_dict

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
TABLES = {table.operation_id.removeprefix(PREFIX): table for table in _CLASSES}
"""The table of each endpoint."""
