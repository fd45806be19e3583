"""What is drawn of each kind of table. Needs the extra `plot`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import SupportsIndex, TypeAlias

import altair as alt
import polars as pl
from attrs import frozen

from ...query.plan import counted
from ...query.times import DAY, SECOND, Interval, TimeRange
from ..analytics import ohlcv
from ..analytics.buckets import Clock
from .chart import Chart
from .subject import Subject, labelled
from .thinning import merged, thinned
from .time_axis import MILLISECOND, TimeAxis, clock_text

WIDTH, HEIGHT, LOWER = 760, 320, 90
# Colours of Okabe and Ito, which people tell apart whatever colours they see.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#777777"
COLOURS = {
    "up": GREEN, "down": ORANGE, "vwap": PURPLE, "bid": BLUE, "ask": ORANGE, "mid": GREY,
    "last trade": GREEN,
}  # fmt: skip
_MOST_BARS = 120
_STEPS = ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d", "7d", "1mo", "3mo", "12mo")
_QUOTES = ("bid", "ask", "mid")
_CURVE = (*_QUOTES, "last trade")
_LONG = 30 * DAY  # of a month, or several
_CANDLE = 0.7  # the share of its time that the body of a candle takes

Layers: TypeAlias = Sequence[alt.Chart]


def trades(
    frame: pl.DataFrame,
    subject: Subject,
    most: SupportsIndex | None,
    rolls: pl.DataFrame | None = None,
) -> Chart:
    """Prices of trades, by contract unless they roll, and below them the volume over time."""
    known = labelled(frame.drop_nulls("deal_date"))
    named = "contract" in known.columns
    by = "contract" if named and rolls is None and known["contract"].n_unique() > 1 else None
    shown = thinned(known, "deal_date", ["price"], most, by)
    axis = TimeAxis.over(subject.zone, known["deal_date"])
    drawing = _Drawing(subject, axis, len(known), "trade", _left_out(len(shown), len(known)))
    contract = ["contract"] if named else []
    values = _values(shown.select("deal_date", "price", "quantity", *contract), subject)
    points = alt.Chart(values).encode(x=drawing.x("deal_date", is_above=True), y=_price(subject))
    if by:
        points = points.encode(color=alt.Color("contract:N").title("Contract"))
    tooltip = ["time:N", "price:Q", "quantity:Q", *(f"{name}:N" for name in contract)]
    upper = [
        points.mark_line(strokeWidth=0.7, opacity=0.5),
        points.mark_circle(size=12, opacity=0.8).encode(tooltip=tooltip),
    ]
    return drawing.finished(upper, [_volumes(known, drawing)], rolls)


def candles(
    frame: pl.DataFrame,
    subject: Subject,
    most: SupportsIndex | None,
    rolls: pl.DataFrame | None = None,
) -> Chart:
    """Candles, their average price where there is one, and below them their volume."""
    known = frame.drop_nulls([ohlcv.START, ohlcv.END])
    shown, length = merged(known, most, None if rolls is None else "contract")
    axis = TimeAxis.over(subject.zone, known[ohlcv.START], known[ohlcv.END])
    note = f"merged into {len(shown):,} of {length}" if length else ""
    drawing = _Drawing(subject, axis, len(known), "candle", note)
    start, end = (pl.col(name).cast(pl.Int64) for name in (ohlcv.START, ohlcv.END))
    middle, half = (start + end) // 2, (end - start) * (_CANDLE / 2)
    rows = shown.with_columns(
        (middle / MILLISECOND).alias("middle"),
        ((middle - half) / MILLISECOND).alias("left"),
        ((middle + half) / MILLISECOND).alias("right"),
        pl.when(pl.col("close") >= pl.col("open"))
        .then(pl.lit("up"))
        .otherwise(pl.lit("down"))
        .alias("direction"),
    )
    prices = ["open", "high", "low", "close", *(["vwap"] if "vwap" in shown.columns else [])]
    columns = [ohlcv.START, *prices, "volume", "middle", "left", "right", "direction"]
    values = _values(rows.select(columns), subject)
    tooltip = ["time:N", *(f"{name}:Q" for name in [*prices, "volume"])]
    traded = alt.Chart(values).transform_filter("datum.open !== null")
    traded = traded.encode(x=drawing.x("middle", is_above=True), tooltip=tooltip)
    names = ["up", "down", *(["vwap"] if "vwap" in prices else [])]
    colour = _said("direction", names)
    body = traded.mark_rect(strokeWidth=1).encode(
        x=drawing.x("left", is_above=True), x2="right", y=_price(subject, "open"), y2="close"
    )
    upper = [
        traded.mark_rule().encode(y=_price(subject, "low"), y2="high", color=colour),
        # The outline shows candles that close where they open.
        body.encode(
            color=colour, stroke=alt.Stroke("direction:N", scale=_scale(names), title=None)
        ),
    ]
    if "vwap" in prices:
        line = traded.mark_line(strokeWidth=1.2).encode(y=_price(subject, "vwap"))
        upper.append(_named(line, "vwap", names))
    chart = alt.Chart(values).encode(x=drawing.x("left"), x2="right")
    return drawing.finished(upper, [_bars(chart, subject.quantity_title("Volume"))], rolls)


def quotes(frame: pl.DataFrame, subject: Subject, most: SupportsIndex | None) -> Chart:
    """The band between the best bid and the best ask, with the middle.

    Args:
        frame: The columns `timestamp`, `bid_price`, `ask_price`, and, to be drawn below,
            `bid_depth` and `ask_depth` if there are.
        subject: What it is of.
        most: How many rows are drawn.
    """
    known = frame.drop_nulls("timestamp")
    depths = [name for name in ("bid_depth", "ask_depth") if name in known.columns]
    names = ["bid_price", "ask_price", *depths]
    shown = thinned(_held(known.select("timestamp", *names)), "timestamp", names, most)
    shown = shown.with_columns(mid=(pl.col("bid_price") + pl.col("ask_price")) / 2)
    axis = TimeAxis.over(subject.zone, known["timestamp"])
    drawing = _Drawing(subject, axis, len(known), "row", _left_out(len(shown), len(known)))
    chart = alt.Chart(_values(shown, subject)).encode(
        x=drawing.x("timestamp", is_above=bool(depths)),
        tooltip=["time:N", *(f"{name}:Q" for name in [*names, "mid"])],
    )
    line = chart.mark_line(interpolate="step-after", strokeWidth=1.2)
    prices = {"bid": "bid_price", "ask": "ask_price", "mid": "mid"}
    upper = [
        chart.mark_area(interpolate="step-after", opacity=0.2, color=GREY).encode(
            y=_price(subject, "bid_price"), y2="ask_price"
        ),
        *(
            _named(line.encode(y=_price(subject, column)), name, _QUOTES)
            for name, column in prices.items()
        ),
    ]
    depth_axis = alt.Axis(title=subject.quantity_title("Depth"))
    lower = [
        _named(
            line.encode(x=drawing.x("timestamp"), y=alt.Y(f"{side}_depth:Q", axis=depth_axis)),
            side,
            _QUOTES,
        )
        for side in ("bid", "ask")
        if depths
    ]
    return drawing.finished(upper, lower)


def _held(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, and before each that has a side no longer the row before it, at the same time.

    A state is in force until the next one; Vega would end its line where it begins.
    """
    prices = pl.col("bid_price", "ask_price")
    ends = pl.any_horizontal(prices.is_null() & prices.shift(1).is_not_null())
    held = rows.select("timestamp", pl.exclude("timestamp").shift(1)).filter(
        rows.select(ends).to_series()
    )
    return pl.concat([held, rows]).sort("timestamp", maintain_order=True)


def depth(levels: pl.DataFrame, subject: Subject, instant: int | None) -> Chart:
    """The quantity that stands at each price or a better one, at one instant.

    Args:
        levels: The columns `side`, `price` and `quantity`, a row per price, the best first.
        subject: What it is of.
        instant: The time of the book, in nanoseconds.
    """
    rows = levels.with_columns(pl.col("quantity").cum_sum().over("side").alias("depth"))
    values = _data(rows.select("side", "price", "quantity", "depth"))
    note = "" if instant is None else f" at {clock_text(instant, subject.zone)} ({subject.zone})"
    subtitle = f"Book{note}, {_counted(len(rows), 'price')}"
    chart = alt.Chart(values).encode(
        x=alt.X("price:Q").scale(zero=False).title(subject.price_title),
        y=alt.Y("depth:Q").title(subject.quantity_title("Quantity at this price or better")),
        color=_said("side", ("bid", "ask")),
        tooltip=["side:N", "price:Q", "quantity:Q", "depth:Q"],
    )
    bids, asks = (chart.transform_filter(alt.datum.side == side) for side in ("bid", "ask"))
    layers = [
        bids.mark_area(interpolate="step-before", opacity=0.4, line=True),
        asks.mark_area(interpolate="step-after", opacity=0.4, line=True),
    ]
    drawn = alt.LayerChart(layer=layers).properties(width=WIDTH, height=HEIGHT)
    return _chart(drawn, subject, subtitle)


def curve(frame: pl.DataFrame, subject: Subject, instant: int | None) -> Chart:
    """The prices of delivery periods: last trades, and bid to ask."""
    columns = ["bid_price", "ask_price", "mid", "last_price"]
    texts = [pl.col(name).dt.convert_time_zone(subject.zone).dt.strftime("%Y-%m-%d %H:%M")
             for name in ("period_start", "period_end", "last_deal_date")]  # fmt: skip
    rows = frame.select(
        pl.coalesce("period", "contract").alias("delivery"), "contract_name", *texts, *columns
    )
    note = "" if instant is None else f" at {clock_text(instant, subject.zone)}"
    subtitle = f"{_counted(len(rows), 'contract')}{note} ({subject.zone})"
    chart = alt.Chart(_data(rows)).encode(
        x=alt.X("delivery:O").sort(None).title("Delivery period"),
        tooltip=["contract_name:N", "period_start:N", "period_end:N", "last_deal_date:N",
                 *(f"{name}:Q" for name in columns)],
    )  # fmt: skip
    marks = (
        ("mid", "mid", chart.mark_line(strokeWidth=1.2)),
        ("bid", "bid_price", chart.mark_point(shape="triangle-up", filled=True, size=45)),
        ("ask", "ask_price", chart.mark_point(shape="triangle-down", filled=True, size=45)),
        ("last trade", "last_price", chart.mark_point(shape="diamond", filled=True, size=45)),
    )
    layers = [
        chart.mark_rule(color=GREY).encode(y=_price(subject, "bid_price"), y2="ask_price"),
        *(
            _named(mark.encode(y=_price(subject, column)), name, _CURVE)
            for name, column, mark in marks
        ),
    ]
    drawn = alt.LayerChart(layer=layers).properties(width=WIDTH, height=HEIGHT)
    return _chart(drawn, subject, subtitle)


def spread(frame: pl.DataFrame, subject: Subject, most: SupportsIndex | None) -> Chart:
    """The traded spread, and the one that is made of two legs."""
    time, price = ("timestamp", "mid") if "mid" in frame.columns else (ohlcv.START, "close")
    known = frame.drop_nulls(time)
    shown = thinned(known, time, [price], most, by="source")
    axis = TimeAxis.over(subject.zone, known[time])
    drawing = _Drawing(subject, axis, len(known), "row", _left_out(len(shown), len(known)))
    chart = alt.Chart(_values(shown.select(time, price, "source"), subject))
    line = chart.mark_line(interpolate="step-after", strokeWidth=1.2).encode(
        x=drawing.x(time),
        y=_price(subject, price),
        color=alt.Color("source:N").title(None),
        tooltip=["time:N", f"{price}:Q", "source:N"],
    )
    return drawing.finished([line], [])


@frozen
class _Drawing:
    """A chart over time, with a narrow one below if there is something for it."""

    subject: Subject
    axis: TimeAxis | None
    count: int
    noun: str
    note: str

    def x(self, column: str, *, is_above: bool = False) -> alt.X:
        """The axis of time for a column; above another axis of time it says nothing."""
        x = alt.X(f"{column}:T").title(None if is_above else f"Time ({self.subject.zone})")
        if self.axis is None:
            return x.scale(type="utc")
        ticks = self.axis.ticks()
        texts = json.dumps({str(tick): label for tick, label in ticks.items()})
        end = max(self.axis.end, self.axis.start + SECOND)
        return x.scale(
            type="utc", domain=[self.axis.start / MILLISECOND, end / MILLISECOND], nice=False
        ).axis(
            values=[*ticks], labelExpr=f"({texts})[toNumber(datum.value)]", labels=not is_above,
            grid=True,
        )  # fmt: skip

    def finished(self, upper: Layers, lower: Layers, rolls: pl.DataFrame | None = None) -> Chart:
        """The chart of its layers, and of the rolls between contracts."""
        line = _counted(self.count, self.noun)
        if self.axis is not None:
            line += f", {self.axis.text()} ({self.subject.zone})"
        if self.note:
            line += f"; {self.note}"
        marks = self._rolls(rolls) if rolls is not None else []
        top = alt.LayerChart(layer=[*upper, *marks]).properties(width=WIDTH, height=HEIGHT)
        if not lower:
            return _chart(top, self.subject, line)
        below = alt.LayerChart(layer=[*lower]).properties(width=WIDTH, height=LOWER)
        return _chart(alt.VConcatChart(vconcat=[top, below], spacing=8), self.subject, line)

    def _rolls(self, rolls: pl.DataFrame) -> list[alt.Chart]:
        """A line where one contract gives way to the next, with the name of the new one."""
        names = pl.coalesce(
            pl.col("to_name").str.strip_prefix(f"{self.subject.title} "), "to_contract"
        ).alias("to")
        values = _values(rolls.select("time", names), self.subject, at="time")
        chart = alt.Chart(values).encode(
            x=self.x("roll", is_above=True), tooltip=["time:N", "to:N"]
        )
        return [
            chart.mark_rule(strokeDash=[4, 3], color=GREY),
            chart.mark_text(align="left", dx=3, dy=8, fontSize=9, color=GREY).encode(
                y=alt.value(0), text="to:N"
            ),
        ]


def _data(rows: pl.DataFrame) -> alt.InlineData:
    """The rows as text: Altair would look at every one of a list."""
    return alt.InlineData(values=rows.write_json(), format=alt.JsonDataFormat(type="json"))


def _values(frame: pl.DataFrame, subject: Subject, at: str | None = None) -> alt.InlineData:
    """The rows as Altair takes them: times in milliseconds, and the first of them as text."""
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    text = pl.col(times[0]).dt.convert_time_zone(subject.zone)
    rows = frame.select(
        text.dt.strftime("%Y-%m-%d %H:%M:%S%.3f %:z").alias("time"),
        *(
            (pl.col(name).cast(pl.Int64) / MILLISECOND).alias("roll" if name == at else name)
            for name in times
        ),
        pl.exclude(times),
    )
    return _data(rows)


def _volumes(frame: pl.DataFrame, drawing: _Drawing) -> alt.Chart:
    """What traded in each bucket; buckets are as short as they can be without being too many."""
    axis, zone = drawing.axis, drawing.subject.zone
    span = 0 if axis is None else axis.end - axis.start
    lengths = ((step, Interval.parse(step).length or _LONG) for step in _STEPS)
    step = next((step for step, length in lengths if span <= length * _MOST_BARS), _STEPS[-1])
    volume = pl.col("quantity").sum()
    buckets = ohlcv.by_bucket(
        frame.select("deal_date", "quantity"), step, TimeRange(), Clock.of(zone, None),
        {"volume": volume}, include_empty_buckets=False,
    )  # fmt: skip
    values = _values(buckets.select(ohlcv.START, ohlcv.END, "volume"), drawing.subject)
    chart = alt.Chart(values).encode(x=drawing.x(ohlcv.START), x2=ohlcv.END)
    return _bars(chart, drawing.subject.quantity_title(f"Volume per {step}"))


def _bars(chart: alt.Chart, title: list[str]) -> alt.Chart:
    bars: alt.Chart = chart.mark_rect(color=GREY, clip=True)
    return bars.encode(
        y=alt.Y("volume:Q").title(title), y2=alt.datum(0), tooltip=["time:N", "volume:Q"]
    )


def _price(subject: Subject, column: str = "price") -> alt.Y:
    return alt.Y(f"{column}:Q").scale(zero=False).title(subject.price_title)


def _scale(names: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(names), range=[COLOURS[name] for name in names])


def _said(column: str, names: Sequence[str]) -> alt.Color:
    """The colours of what a column says, which are the same in all charts."""
    return alt.Color(f"{column}:N").scale(_scale(names)).title(None)


def _named(chart: alt.Chart, name: str, names: Sequence[str]) -> alt.Chart:
    """A layer in the colour of its name, which the legend tells."""
    layer: alt.Chart = chart.transform_calculate(name=f"'{name}'")
    return layer.encode(color=_said("name", names))


def _chart(drawn: alt.LayerChart | alt.VConcatChart, subject: Subject, subtitle: str) -> Chart:
    title = alt.Title(subject.title, subtitle=subtitle, anchor="start")
    return Chart(drawn.properties(title=title), subject.title)


def _left_out(shown: int, rows: int) -> str:
    return f"{shown:,} drawn, extremes kept" if shown < rows else ""


def _counted(count: int, noun: str) -> str:
    return counted(count, noun) if count else f"no {noun}s"
