"""Tables of candles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import TYPE_CHECKING, Any, Self, SupportsIndex
from zoneinfo import ZoneInfo

import polars as pl
from trayport_api.models import Candle, IntervalUnit

from ..query.calls import checked_calls
from ..query.times import Interval, TimeLike, TimeRange, interval_of
from .analytics import ohlcv
from .analytics.buckets import Clock
from .base import Model
from .timed import TimedTable

if TYPE_CHECKING:
    from .plots.chart import Chart
    from .plots.subject import Subject


@checked_calls
class CandlesTable(TimedTable[Model]):
    """Candles in time order."""

    _time = ohlcv.START
    _prices = ("open", "high", "low", "close", "vwap")
    _interval: Interval | None = None

    @classmethod
    def made(cls, frame: pl.DataFrame, interval: Interval | str, source: TimedTable[Any]) -> Self:
        """Candles that were made here, of the rows of another table."""
        table = cls(frame, source.requests, source.contracts)
        table._interval = interval_of(interval)
        table._unit = source._unit
        return table

    @property
    def interval(self) -> Interval | None:
        """The length of a candle, as it was requested, or as the rows show it; None for none.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     candles = await client.trades.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"
            ...     )
            >>> str(candles.interval)
            '1h'
        """
        if self._interval is not None:
            return self._interval
        for request in self.requests:
            if {"interval", "intervalUnit"} <= request.parameters.keys():
                count, unit = request.parameters["interval"], request.parameters["intervalUnit"]
                return Interval(int(count), IntervalUnit(unit))
        return ohlcv.interval_of_bars(self._frame)

    def resample(
        self,
        interval: Interval | str,
        from_: TimeLike | None = None,
        until: TimeLike | None = None,
        *,
        tz: str | ZoneInfo | None = None,
        day_start: str | time | None = None,
        include_empty_buckets: bool | None = None,
    ) -> Self:
        """Longer candles, on the grid of the service, with the same columns.

        Opens and closes are those of the first and last part that traded, `vwap` is weighted by
        volume, `volume` and `trade_count` are added up. Several days or months count from the start
        of the range, whose end cuts the last one short [assumed].

        Args:
            interval: The new length, a multiple of the present one.
            from_: The start of the range; that of the requested range when it is left out.
            until: The end of the range; that of the requested range when it is left out.
            tz: The zone whose days count; UTC when it is left out. Hours of UTC make up the days
                of most zones.
            day_start: When days start there, such as `"06:00"`; midnight when it is left out.
            include_empty_buckets: Whether a candle without trades has a row: null prices, volume
                0. Left out, a longer candle has a row if any of its parts has.

        Raises:
            TrayportValidationError: The interval is no multiple of that of the candles, or cuts
                one of them; or another argument cannot work.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     candles = await client.trades.get_ohlcv(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-09", "1h"
            ...     )
            >>> len(candles.resample("1d"))
            5
            >>> gas_days = candles.resample("1d", tz="Europe/Amsterdam", day_start="06:00")
            >>> print(gas_days.to_polars()["from_timestamp"][0])
            2024-03-04 05:00:00+00:00
        """
        frame = ohlcv.resampled(
            self._frame,
            interval,
            TimeRange.between(from_, until),
            TimeRange.over(from_, until, self.windows),
            Clock.of(tz, day_start),
            source=self.interval,
            include_empty_buckets=include_empty_buckets,
        )
        return self.made(frame, interval, self)

    def vwap(self, from_: TimeLike | None = None, until: TimeLike | None = None) -> float | None:
        """The volume-weighted average price over a range, from the parts; None without volume.

        Args:
            from_: The start; that of the table when it is left out.
            until: The end; that of the table when it is left out. Both lie where candles start or
                end, or where nothing traded: no part of a candle is known.

        Raises:
            TrayportValidationError: The candles have no `vwap`, which is requested with
                `optional_fields=["vwap"]`; they belong to several contracts; or the range cuts one
                of them.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     contract, day = "TTF Hi Cal 51.6* Apr-24", ("2024-03-04", "2024-03-05")
            ...     trades = await client.trades.get_trades(contract, *day)
            ...     candles = await client.trades.get_ohlcv(
            ...         contract, *day, "1h", optional_fields=["vwap"]
            ...     )
            >>> round(candles.vwap(), 9) == round(trades.vwap(), 9)
            True
        """
        return ohlcv.vwap_of_bars(self._frame, TimeRange.between(from_, until))

    def _drawn(self, subject: Subject, max_points: SupportsIndex | None) -> Chart:
        ohlcv.one_contract(self._frame)
        from .plots import drawings

        return drawings.candles(self.to_polars(), subject, max_points)

    def _during(self, mask: pl.Expr, edges: Sequence[Clock]) -> Self:
        ohlcv.check_not_cut_by(self._frame, edges)
        return super()._during(mask, edges)


class OHLCVResponse(CandlesTable[Candle]):
    """Candles of one contract, from the service or made of trades. The models are `Candle`."""

    operation_id = "get_ohlcv"
    model = Candle
