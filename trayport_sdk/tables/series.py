"""Tables that are made of the tables of several contracts: curves, continuous series, spreads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, Unpack

import polars as pl

from ..query.plan import counted
from ..telemetry.processes import check_process
from . import convert
from .analytics.units import Product
from .base import FromRequests, RequestRecord
from .files import write
from .formats import ColumnarOptions, CsvOptions
from .plots.subject import Subject, product_in

if TYPE_CHECKING:
    import pandas as pd

    from .plots.chart import Chart


class SeriesTable(FromRequests):
    """A flat table of several contracts, and the requests that it is made of.

    Iterating gives the rows as dictionaries. Times are UTC time stamps in nanoseconds; the
    conversions show them on the clock of the zone `tz`, such as `"Europe/London"`.
    """

    def __init__(self, frame: pl.DataFrame, requests: Sequence[RequestRecord]) -> None:
        super().__init__(requests)
        self._rows = frame

    @property
    def _frame(self) -> pl.DataFrame:
        """The rows, to be worked on by polars."""
        check_process()
        return self._rows

    def _subject(self, product: Product | None, tz: str | None, otherwise: str) -> Subject:
        """What a chart of the rows is of."""
        return Subject.of(product_in(self._rows) or otherwise, product, tz)

    def __len__(self) -> int:
        return self._rows.height

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._rows.iter_rows(named=True)

    def __repr__(self) -> str:
        requests = counted(self.request_count, "request")
        return f"{type(self).__name__}({counted(len(self), 'row')}, {requests})"

    def _repr_html_(self) -> str:
        table = self._rows._repr_html_()  # pyright: ignore[reportPrivateUsage]
        return f"<p><strong>{type(self).__name__}</strong>: {escape(self.explain())}</p>{table}"

    def explain(self) -> str:
        """How the table was made, in words."""
        return (
            f"{counted(len(self), 'row')} from {counted(self.request_count, 'request')}, "
            f"{self.bytes_received:,} bytes received; spec {self.spec_hash[:12]}"
        )

    def to_polars(self, *, tz: str | None = None) -> pl.DataFrame:
        """The table as a polars frame."""
        return convert.converted(self._frame, tz, decimal=False)

    def to_arrow(self, *, tz: str | None = None) -> convert.ArrowTable:
        """The table as a table of Arrow; needs the extra `arrow`."""
        return convert.arrow_table(self.to_polars(tz=tz))

    def to_pandas(self, *, tz: str | None = None) -> pd.DataFrame:
        """The table as a pandas frame; needs the extra `pandas`."""
        return convert.pandas_frame(self.to_polars(tz=tz), (), arrow=False, stamps=tz is not None)

    def to_parquet(
        self, path: str | Path, *, tz: str | None = None, **options: Unpack[ColumnarOptions]
    ) -> None:
        """Writes the table as Parquet; the file appears when it is whole."""
        write(self.to_polars(tz=tz), path, ".parquet", **options)

    def to_csv(
        self, path: str | Path, *, tz: str | None = None, **options: Unpack[CsvOptions]
    ) -> None:
        """Writes the table as CSV, times in ISO-8601 with nanoseconds."""
        write(self.to_polars(tz=tz), path, ".csv", **options)


class CurveResponse(SeriesTable):
    """The contracts of a product at one instant, in the order of their delivery periods.

    The columns are `contract`, its machine symbol, `contract_name`, `period`, `period_start` and
    `period_end` of delivery, `last_price` and `last_deal_date` of the last trade, `bid_price`,
    `bid_quantity`, `ask_price` and `ask_quantity` of the best orders, and `mid`, halfway between
    the two prices. What there is not is null.
    """

    def plot(self, product: Product | None = None, *, tz: str | None = None) -> Chart:
        """A chart of the curve: bid to ask, their middle, and the last trades.

        It needs the extra `plot`.

        Args:
            product: The product, as `get_market_by_id` or `get_instrument_by_id` returns it, whose
                trading specifications say the unit; or the unit of prices as text.
            tz: The time zone of times; UTC when it is left out.

        Raises:
            TrayportValidationError: There is no such zone.
            TrayportConfigurationError: The extra is not installed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     curve = await client.curve("TTF Hi Cal 51.6*", "months", n=12)
            >>> curve.plot("EUR/MWh").save("curve.svg")
        """
        subject = self._subject(product, tz, "Curve")
        from .plots import drawings

        instants = (request.timestamp for request in self.requests)
        return drawings.curve(self._frame, subject, next(filter(None, instants), None))


class ContinuousResponse(SeriesTable):
    """Rows of contracts that follow each other: trades, or candles.

    The columns are those of the rows, after `contract`, its machine symbol, `contract_name` and
    `period`. Adjusted prices come with the column `factor`, which was added to the prices of the
    row, or by which they were multiplied.

    Attributes:
        rolls: When each contract gives way to the next: `time`, `from_contract`, `from_name`,
            `to_contract`, `to_name`; with adjusted prices also `from_price` and `to_price`, those
            of the last trades before that time.
    """

    def __init__(
        self, frame: pl.DataFrame, requests: Sequence[RequestRecord], rolls: pl.DataFrame
    ) -> None:
        super().__init__(frame, requests)
        self.rolls = rolls

    def explain(self) -> str:
        """How the table was made, in words."""
        rolls = f"{counted(self.rolls.height, 'roll')} between contracts"
        return f"{rolls}; {super().explain()}"

    def plot(
        self,
        product: Product | None = None,
        *,
        tz: str | None = None,
        max_points: SupportsIndex | None = None,
    ) -> Chart:
        """A chart of the trades or the candles, with the rolls marked; needs the extra `plot`.

        More rows than are drawn are thinned or merged, as in the charts of trades and of candles.

        Args:
            product: The product, as `get_market_by_id` or `get_instrument_by_id` returns it, whose
                trading specifications say the units; or the unit of prices as text.
            tz: The time zone of the chart; UTC when it is left out.
            max_points: How many rows are drawn at most; 5,000 trades or 300 candles when it is left
                out.

        Raises:
            TrayportValidationError: An argument cannot work.
            TrayportConfigurationError: The extra is not installed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     front = await client.continuous(
            ...         "TTF Hi Cal 51.6* months",
            ...         1,
            ...         "2024-02-01",
            ...         "2024-04-01",
            ...         what="ohlcv",
            ...         interval="1d",
            ...     )
            >>> front.plot("EUR/MWh").save("front.svg")
        """
        subject = self._subject(product, tz, "Series")
        from .plots import drawings

        draw = drawings.trades if "deal_date" in self._rows.columns else drawings.candles
        return draw(self._frame, subject, max_points, self.rolls)


class SpreadResponse(SeriesTable):
    """The difference between two contracts: as it is traded itself, and made of the two.

    The column `source` is `"exchange"` for rows of the traded spread, where there is one, and
    `"synthetic"` for those that are made of the two legs.

    Attributes:
        is_traded: Whether there are rows of the traded spread.
    """

    def plot(
        self,
        product: Product | None = None,
        *,
        tz: str | None = None,
        max_points: SupportsIndex | None = None,
    ) -> Chart:
        """A chart of the spread as it is traded and as it is made: the middle, or closes.

        It needs the extra `plot`. More rows than there are points are thinned; the extremes stay.

        Args:
            product: A product of the legs, whose trading specifications say the unit; or the unit
                of prices as text.
            tz: The time zone of the chart; UTC when it is left out.
            max_points: How many rows are drawn at most; 5,000 when it is left out.

        Raises:
            TrayportValidationError: An argument cannot work.
            TrayportConfigurationError: The extra is not installed.
        """
        subject = self._subject(product, tz, "Spread")
        from .plots import drawings

        return drawings.spread(self._frame, subject, max_points)

    @property
    def is_traded(self) -> bool:
        """Whether there are rows of the traded spread."""
        return "exchange" in self._rows["source"]

    @property
    def exchange(self) -> pl.DataFrame:
        """The rows of the traded spread."""
        return self._rows.filter(pl.col("source") == "exchange").drop("source")

    @property
    def synthetic(self) -> pl.DataFrame:
        """The rows that are made of the two legs."""
        return self._rows.filter(pl.col("source") == "synthetic").drop("source")
