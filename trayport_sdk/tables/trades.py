"""Tables of trades, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import TYPE_CHECKING, Self, SupportsIndex
from zoneinfo import ZoneInfo

import polars as pl
from trayport_api.models import Trade
from trayport_spec.options import OHLCVField

from ..query.by_contract import ByContract
from ..query.calls import checked_calls
from ..query.contracts import ContractSpec, looks_like_symbol
from ..query.times import Interval, TimeLike, TimeRange
from . import convert
from .analytics import flow, ohlcv
from .analytics.buckets import Clock
from .base import Model, RequestRecord
from .candles import OHLCVResponse
from .timed import TimedTable

if TYPE_CHECKING:
    from .plots.chart import Chart
    from .plots.subject import Subject


@checked_calls
class TradesTable(TimedTable[Model]):
    """What trades add up to.

    Times may be as precise as the table has them. Ranges are half-open, `[from_, until)`.
    """

    _time = "deal_date"
    _prices = ("price",)

    def of_contract(self, contract: ContractSpec | str) -> Self:
        """The rows of one contract, of a table that has the column `contract`.

        Args:
            contract: The contract, as `ContractSpec`, as machine symbol, or by the name of one of
                `contracts`.

        Raises:
            TrayportValidationError: The rows do not name their contract, or the text is no symbol.
            TrayportLookupError: None of the contracts has this name; the nearest are listed.

        Example:
            >>> april, may = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         [april, may], "2024-03-04", "2024-03-05"
            ...     )
            >>> len(trades.of_contract(april)) + len(trades.of_contract(may)) == len(trades)
            True
        """
        if self.contracts and isinstance(contract, str) and not looks_like_symbol(contract):
            contract = ByContract({known: known for known in self.contracts})[contract]
        return self._with(flow.of_contract(self._frame, contract))

    def volume(self, from_: TimeLike | None = None, until: TimeLike | None = None) -> float:
        """The quantity that was traded, in the product's unit; 0 for none.

        Args:
            from_: The start, inclusive; that of the table when it is left out.
            until: The end, exclusive; that of the table when it is left out.

        Raises:
            TrayportValidationError: The range cannot work, or the trades are of several contracts.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> morning, rest = trades.volume(until="2024-03-04T12"), trades.volume("2024-03-04T12")
            >>> round(morning + rest, 6) == round(trades.volume(), 6)
            True
        """
        return flow.volume(self._frame, TimeRange.between(from_, until))

    def vwap(self, from_: TimeLike | None = None, until: TimeLike | None = None) -> float | None:
        """The volume-weighted average price; None where nothing traded.

        Args:
            from_: The start, inclusive; that of the table when it is left out.
            until: The end, exclusive; that of the table when it is left out.

        Raises:
            TrayportValidationError: The range cannot work, or the trades are of several contracts.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> 35 < trades.vwap("2024-03-04T09", "2024-03-04T10") < 36
            True
            >>> trades.vwap("2024-03-04T00", "2024-03-04T01") is None
            True
        """
        return flow.vwap(self._frame, TimeRange.between(from_, until))

    def aggressor_imbalance(
        self, from_: TimeLike | None = None, until: TimeLike | None = None
    ) -> float | None:
        """(bought - sold) / (bought + sold), by the volume of the aggressors.

        Args:
            from_: The start, inclusive; that of the table when it is left out.
            until: The end, exclusive; that of the table when it is left out.

        Returns:
            From -1, where all aggressors sold, to 1, where all bought; None where nothing traded.

        Raises:
            TrayportValidationError: The range cannot work, or the trades are of several contracts.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> -1 <= trades.aggressor_imbalance() <= 1
            True
        """
        return flow.aggressor_imbalance(self._frame, TimeRange.between(from_, until))

    def aggressor_flow(
        self,
        interval: Interval | str,
        from_: TimeLike | None = None,
        until: TimeLike | None = None,
        *,
        tz: str | ZoneInfo | None = None,
        day_start: str | time | None = None,
        include_empty_buckets: bool = False,
    ) -> pl.DataFrame:
        """What aggressors bought and sold in each interval, and the imbalance of the two.

        Args:
            interval: The length of a bucket, as `to_ohlcv` takes it.
            from_: The start, inclusive; that of the requested range when it is left out.
            until: The end, exclusive; that of the requested range when it is left out.
            tz: The zone whose days count, as `to_ohlcv` takes it.
            day_start: When they start, as `to_ohlcv` takes it.
            include_empty_buckets: Whether every bucket of the range has a row: volumes 0, no
                imbalance.

        Returns:
            The columns `from_timestamp`, `to_timestamp`, `buy_volume`, `sell_volume`, `imbalance`,
            and those of the contract if the trades have it: contracts are kept apart.

        Raises:
            TrayportValidationError: An argument cannot work.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> flow = trades.aggressor_flow("1h")
            >>> flow.columns
            ['from_timestamp', 'to_timestamp', 'buy_volume', 'sell_volume', 'imbalance']
        """
        table = flow.aggressor_flow(
            self._frame,
            interval,
            TimeRange.over(from_, until, self.windows),
            Clock.of(tz, day_start),
            include_empty_buckets=include_empty_buckets,
        )
        return convert.named(table, self.contracts)

    def to_ohlcv(
        self,
        interval: Interval | str,
        from_: TimeLike | None = None,
        until: TimeLike | None = None,
        *,
        tz: str | ZoneInfo | None = None,
        day_start: str | time | None = None,
        include_empty_buckets: bool = False,
        optional_fields: Sequence[OHLCVField] | OHLCVField = (),
    ) -> OHLCVResponse:
        """Candles of the trades, which agree with the candles of the service.

        The service makes candles of the lowest-numbered route [assumed], so they agree for trades
        that were requested without `routes`. Buckets stand on the grid of the service: seconds,
        minutes and hours count from midnight UTC, months from the first; several days or months
        count from the start of the range, whose end cuts the last one short [assumed]. A bucket
        that the range cuts otherwise is whole, and made of the trades that are there.

        `tz` and `day_start` give days of another clock, such as gas days, which the service does
        not have. Days, weeks and months then start at that time there; a day has 23 or 25 hours
        where the clock changes. Shorter buckets count from the start of each day, whose end cuts
        the last one short. The ends of the range are still UTC where they name no zone.

        Args:
            interval: The length of a candle: any divisor of a day, days or months, such as `"10s"`,
                `"15m"`, `"1h"`, `"7d"` or `"1mo"`.
            from_: The start, inclusive; that of the requested range when it is left out.
            until: The end, exclusive; that of the requested range when it is left out.
            tz: The zone whose days count, such as `"Europe/Amsterdam"`; UTC when it is left out.
                Time stamps stay in UTC: `to_polars(tz=...)` shows them on that clock.
            day_start: When days start on that clock, such as `"06:00"` for gas days; midnight when
                it is left out. A time that the clock shows twice counts the first time.
            include_empty_buckets: Whether a bucket without trades has a row: null prices, volume
                0. A slice of a table has the range of the whole: give its own.
            optional_fields: Columns to add: `open_timestamp`, `close_timestamp`, `vwap`.

        Returns:
            The columns of candles, `trade_count`, and those of the contract if the trades have it:
            contracts are kept apart.

        Raises:
            TrayportValidationError: An argument cannot work.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     contract, day = "TTF Hi Cal 51.6* Apr-24", ("2024-03-04", "2024-03-05")
            ...     trades = await client.trades.get_trades(contract, *day)
            ...     candles = await client.trades.get_ohlcv(contract, *day, "1h")
            >>> own = trades.to_ohlcv("1h").to_polars()
            >>> own["close"].to_list() == candles.to_polars()["close"].to_list()
            True
            >>> own["trade_count"].sum() == len(trades)
            True
            >>> gas_days = trades.to_ohlcv("1d", tz="Europe/Amsterdam", day_start="06:00")
            >>> print(gas_days.to_polars(tz="Europe/Amsterdam")["from_timestamp"][0])
            2024-03-04 06:00:00+01:00
        """
        frame = ohlcv.candles(
            self._frame,
            interval,
            TimeRange.over(from_, until, self.windows),
            Clock.of(tz, day_start),
            include_empty_buckets=include_empty_buckets,
            optional_fields=optional_fields,
        )
        return OHLCVResponse.made(frame, interval, self)

    def _drawn(self, subject: Subject, max_points: SupportsIndex | None) -> Chart:
        from .plots import drawings

        return drawings.trades(self.to_polars(), subject, max_points)


class TradesResponse(TradesTable[Trade]):
    """Trades of one contract or of several. The models are `Trade`."""

    operation_id = "get_trades"
    model = Trade


class TradesBatch(TradesResponse):
    """The trades of one contract in one window of a stream.

    Attributes:
        contract: The contract.
    """

    contract: ContractSpec

    @classmethod
    def about(cls, contract: ContractSpec, frame: pl.DataFrame, request: RequestRecord) -> Self:
        """The rows of a contract that a request fetched."""
        batch = cls(frame, [request], [contract])
        batch.contract = contract
        return batch
