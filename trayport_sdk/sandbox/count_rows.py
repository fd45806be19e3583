"""Rows of the last trade and of trading activity."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from trayport_sdk.sandbox.engine import Engine
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.questions import Question
from trayport_sdk.sandbox.render import frame_of
from trayport_sdk.sandbox.trade_rows import ANSWERED_KINDS, records, route_makers, trade_makers


def last_trade_frame(engine: Engine, question: Question) -> pl.DataFrame:
    (contract,) = question.contracts
    days = question.endpoint.limits.lookback_days or 1
    trades = engine.last_trade(contract, question.at, lookback_days=days)
    part = records(trades, contract, question.shape.routes, private=False)
    return frame_of(question.endpoint.row, question.shape, trade_makers(part), len(trades))


def activity_frame(engine: Engine, question: Question) -> pl.DataFrame:
    """Counts per contract and route that was asked for."""
    end = min(question.until, question.data_end)
    found = engine.activity(question.start, max(question.start, end))
    rows = np.flatnonzero(np.isin(found.route, question.shape.routes.ids))

    def taken(column: I64, absent: int | None = None) -> pl.Series:
        series = pl.Series(column[rows])
        return series if absent is None else series.replace({absent: None})

    kinds = np.array([ANSWERED_KINDS[kind] for kind in found.kind], np.object_)
    makers: Mapping[str, Callable[[], pl.Series]] = {
        "instrumentId": lambda: taken(found.instrument_id),
        "sequenceId": lambda: taken(found.sequence_id),
        "sequenceItemId": lambda: taken(found.item_id),
        "secondSequenceItemId": lambda: taken(found.second_item_id, 0),
        "contractType": lambda: pl.Series(kinds[rows].tolist(), dtype=pl.String),
        "count": lambda: taken(found.count),
        "marketId": lambda: taken(found.market_id, 0),
        "updateCount": lambda: taken(found.update_count),
        "deleteCount": lambda: taken(found.delete_count),
        **route_makers(found.route[rows]),
    }
    return frame_of(question.endpoint.row, question.shape, makers, len(rows))
