"""Rows of candles."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from trayport_sdk.sandbox.engine import Engine
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.questions import Question
from trayport_sdk.sandbox.render import frame_of
from trayport_sdk.sandbox.spans import edges, next_edge


def candle_frame(engine: Engine, question: Question) -> pl.DataFrame:
    """The candles between the edges; empty ones only when they are asked for."""
    (contract,) = question.contracts
    borders = _borders(question)
    # What comes after the end of the data has not happened yet.
    candles = engine.candles(contract, np.minimum(borders, question.data_end))
    keep = np.arange(len(candles.count))
    if not question.flag("includeEmptyBuckets"):
        keep = keep[candles.count > 0]

    def column(values: I64) -> pl.Series:
        return pl.Series(values[keep])

    def when_traded(values: I64) -> pl.Series:
        traded = pl.Series(candles.count[keep] > 0)
        return pl.select(pl.when(traded).then(pl.Series(values[keep]))).to_series()

    makers: Mapping[str, Callable[[], pl.Series]] = {
        "fromTimestamp": lambda: column(borders[:-1]),
        "toTimestamp": lambda: column(borders[1:]),
        "open": lambda: pl.Series(candles.open[keep]),
        "high": lambda: pl.Series(candles.high[keep]),
        "low": lambda: pl.Series(candles.low[keep]),
        "close": lambda: pl.Series(candles.close[keep]),
        "volume": lambda: pl.Series(candles.volume[keep]),
        "openTimestamp": lambda: when_traded(candles.open_time),
        "closeTimestamp": lambda: when_traded(candles.close_time),
        "vwap": lambda: pl.Series(candles.vwap[keep]),
    }
    return frame_of(question.endpoint.row, question.shape, makers, len(keep))


def _borders(question: Question) -> I64:
    """The edges of the buckets; one bucket more when rows stamped at the end belong to it."""
    if question.steps is None:
        return np.zeros(0, np.int64)
    borders = edges(question.start, question.until, question.steps)
    if question.end > question.until:
        after = next_edge(question.until, question.steps)
        if after <= question.data_end:
            return np.append(borders, np.int64(after))
    return borders
