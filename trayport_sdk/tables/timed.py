"""What tables of trades, candles and books have in common: local hours, and units of prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from typing import TYPE_CHECKING, ClassVar, Self, SupportsIndex
from zoneinfo import ZoneInfo

import polars as pl
from trayport_api.models import InstrumentDetails, MarketDetails

from ..errors import TrayportValidationError, require_extra
from ..query.calls import checked_calls
from ..query.plan import CONTRACT
from .analytics import units
from .analytics.buckets import Clock
from .analytics.calendar import Load, PowerCalendar, between_local, calendar_of, gas_day
from .base import Model, TableResponse
from .plots.subject import Subject, title_of

if TYPE_CHECKING:
    from .plots.chart import Chart


@checked_calls
class TimedTable(TableResponse[Model]):
    """Rows that have a time, and prices."""

    _time: ClassVar[str]
    _prices: ClassVar[tuple[str, ...]]
    _unit: str | None = None

    def gas_day(
        self, *, tz: str | ZoneInfo = "Europe/Amsterdam", day_start: str | time = "06:00"
    ) -> pl.Series:
        """The gas day of each row, as a column `gas_day` of dates.

        Gas days of Europe start at 06:00 in Amsterdam, which is 05:00 in London. Candles are of the
        day that they start in.

        Args:
            tz: The zone on whose clock days start.
            day_start: When they start there.

        Raises:
            TrayportValidationError: There is no such zone or time of day.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-06"
            ...     )
            >>> frame = trades.to_polars().with_columns(trades.gas_day())
            >>> frame["gas_day"].min().isoformat()
            '2024-03-04'
        """
        day = gas_day(self._time, tz=tz, day_start=day_start)
        return self._frame.select(day.alias("gas_day")).to_series()

    def between_local(self, start: str | time, end: str | time, *, tz: str | ZoneInfo) -> Self:
        """The rows between two times of day, `[start, end)`, on the clock of a zone.

        The settlement window of each day, for example: its average is `vwap()`, or for each of
        several days a column of `to_ohlcv("1d", tz=..., optional_fields=["vwap"])`.

        Args:
            start: The first time of day, such as `"16:15"`.
            end: The time of day after the last; one before `start` is that of the next day.
            tz: The zone, such as `"Europe/Amsterdam"`.

        Raises:
            TrayportValidationError: There is no such zone or time of day, or both are the same; or
                they cut a candle.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-06"
            ...     )
            >>> window = trades.between_local("16:15", "16:30", tz="Europe/Amsterdam")
            >>> days = window.to_ohlcv("1d", tz="Europe/Amsterdam", optional_fields=["vwap"])
            >>> days.to_polars().select("vwap", "volume", "trade_count").shape
            (2, 3)
        """
        mask = between_local(self._time, start, end, tz=tz)
        return self._during(mask, [Clock.of(tz, edge) for edge in (start, end)])

    def of_load(self, load: Load, calendar: PowerCalendar | str) -> Self:
        """The rows in the hours of a load: peak, off-peak, or base, which is all hours.

        Args:
            load: `"base"`, `"peak"` or `"off_peak"`.
            calendar: Which hours those are: a country of `POWER_CALENDARS`, or your own.

        Raises:
            TrayportValidationError: There is no such load or calendar; or it cuts a candle.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "Germany Baseload* Cal-25", "2024-03-04", "2024-03-06"
            ...     )
            >>> peak, off_peak = trades.of_load("peak", "DE"), trades.of_load("off_peak", "DE")
            >>> len(peak) + len(off_peak) == len(trades)
            True
        """
        hours = calendar_of(calendar)
        mask = hours.mask(self._time, load)
        edges = [] if load == "base" else [hours.peak_start, hours.peak_end]
        return self._during(mask, [Clock.of(hours.tz, edge) for edge in edges])

    def to_unit(
        self,
        unit: str,
        product: units.Product,
        *,
        rate: float | pl.DataFrame | None = None,
        max_rate_age: timedelta = units.MAX_RATE_AGE,
    ) -> Self:
        """The same rows with prices in another unit; needs the extra `energy`.

        Quantities stay as they are. A therm is 29.3071 kWh, and an MMBtu ten therms. Prices are in
        the product's price currency for one notional unit of quantity [assumed].

        Args:
            unit: The unit, such as `"EUR/MWh"`, `"GBX/therm"`, `"USD/MMBtu"` or `"EUR/GJ"`.
            product: The product, as `get_market_by_id` or `get_instrument_by_id` returns it, whose
                trading specifications say the present unit; or that unit as text.
            rate: What one unit of the present currency costs in the other one, if they differ (of
                pounds, not of pence): a number, or a frame with a column of times, or of dates,
                which are their midnights in UTC, and a column of rates. A rate holds from its time
                until the next one.
            max_rate_age: How long a rate holds if no later one is known.

        Raises:
            TrayportValidationError: A unit is not known or of another kind, a rate is missing, or
                the product is not the one of the rows.
            TrayportConfigurationError: The extra is not installed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            ...     product = await client.reference.get_market_by_id(10000065)
            >>> pence = trades.to_unit("GBX/therm", product, rate=0.85)
            >>> 85 < pence.vwap() < 92
            True
        """
        require_extra("energy", "pint", what="to_unit")
        self._check_product(product)
        source, target = units.unit_of(product), units.PriceUnit.parse(unit, "unit")
        if self._unit not in (None, source.text):
            raise TrayportValidationError(
                f"product has prices in {source.text}, but these are in {self._unit} already",
                parameter="product",
                limit=self._unit,
                suggestion=f'give "{self._unit}" as the product',
            )
        frame = units.converted(
            self._frame, self._time, self._prices, source, target, rate, max_rate_age
        )
        same = self._with(frame)
        same._unit = target.text
        return same

    def plot(
        self,
        product: units.Product | None = None,
        *,
        tz: str | None = None,
        max_points: SupportsIndex | None = None,
    ) -> Chart:
        """A chart of the rows; needs the extra `plot`.

        Of trades the prices, each contract in its colour, and the volume of all below. Of candles
        of one contract the candles, with `vwap` if they have it, and the volume below. Of best
        prices the band between bid and ask, with the middle; a state is drawn until the next row,
        so ask for `include_empty_buckets=True` to see when both sides are empty.

        More rows than are drawn are thinned: time is divided into equal parts, and of each stay the
        first and the last row, those with the extremes, and one where a side is empty. Candles are
        merged into longer ones instead. No extreme is lost, and no volume.

        Args:
            product: The product, as `get_market_by_id` or `get_instrument_by_id` returns it, whose
                trading specifications say the units; or the unit of prices as text.
            tz: The time zone of the chart; UTC when it is left out.
            max_points: How many rows are drawn at most; 5,000, or 300 candles, when it is left out.

        Returns:
            The chart; without rows one that says so.

        Raises:
            TrayportValidationError: An argument cannot work, the product is not the one of the
                rows, or candles are of several contracts.
            TrayportConfigurationError: The extra is not installed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            ...     product = await client.reference.get_market_by_id(10000065)
            >>> trades.plot(product, tz="Europe/Amsterdam").save("trades.html")
        """
        return self._drawn(self._subject(product, tz), max_points)

    def _drawn(self, subject: Subject, max_points: SupportsIndex | None) -> Chart:
        """A chart of the rows, with the extra at hand."""
        raise NotImplementedError

    def _subject(self, product: units.Product | None, tz: str | None) -> Subject:
        """What a chart of the rows is of."""
        if product is not None:
            self._check_product(product)
        # Of a whole product no contract was asked for.
        otherwise = getattr(product, "name", type(self).__name__.removesuffix("Response"))
        title = title_of([one.label for one in self.contracts], otherwise)
        return Subject.of(title, product, tz, self._unit)

    def _check_product(self, product: units.Product) -> None:
        """Refuses a product when the rows are of another one of its kind."""
        if not isinstance(product, InstrumentDetails | MarketDetails):
            return
        kind = "market" if isinstance(product, MarketDetails) else "instrument"
        key = f"{kind}Id"
        ids = {r.parameters[key] for r in self.requests if key in r.parameters}
        if CONTRACT in self._frame.columns:
            named = self._frame.get_column(CONTRACT).struct.field(f"{kind}_id")
            ids |= {str(number) for number in named.drop_nulls().unique()}
        others = sorted(ids - {str(product.id)})
        if others:
            raise TrayportValidationError(
                f"product is {kind} {product.id}, but the rows are of {kind} {', '.join(others)}",
                parameter="product",
                limit=", ".join(others),
                suggestion="give the product of the rows; convert those of several one by one",
            )

    def _during(self, mask: pl.Expr, edges: Sequence[Clock]) -> Self:
        """The rows of a mask that changes at some times of day."""
        del edges  # rows are of an instant, unless a table says otherwise
        return self._with(self._frame.filter(mask))
