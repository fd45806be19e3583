"""From a question to its answer: pieces of rendered rows, made one after another."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import polars as pl
from attrs import frozen

from trayport_sdk.sandbox.bodies import find_kept
from trayport_sdk.sandbox.cache import BoundedCache
from trayport_sdk.sandbox.calendar import DAY
from trayport_sdk.sandbox.candle_rows import candle_frame
from trayport_sdk.sandbox.count_rows import activity_frame, last_trade_frame
from trayport_sdk.sandbox.engine import Engine
from trayport_sdk.sandbox.order_rows import book_frames
from trayport_sdk.sandbox.questions import Question
from trayport_sdk.sandbox.reference_rows import (
    item_frame,
    items_frame,
    product_frame,
    products_frame,
    sequences_frame,
)
from trayport_sdk.sandbox.render import Media, csv_header, rows
from trayport_sdk.sandbox.top_rows import snapshot_frame, top_frames
from trayport_sdk.sandbox.trade_rows import (
    Tape,
    private_frame,
    render_trades,
)

_KEPT_ROW_BYTES = 256 * 2**20
# Many small renderings cost more than few large ones.
_DAYS_AT_ONCE = 8
# What an empty day costs.
_DAY_OVERHEAD = 1024

Frame = Callable[[Engine, Question], pl.DataFrame]
Frames = Callable[[Engine, Question], Iterator[pl.DataFrame]]

_ONE_FRAME: Mapping[str, Frame] = {
    "get_private_trades": private_frame,
    "get_ohlcv": candle_frame,
    "get_last_trade": last_trade_frame,
    "get_activity": activity_frame,
    "get_snapshots": snapshot_frame,
    "get_instruments": products_frame,
    "get_markets": products_frame,
    "get_instrument": product_frame,
    "get_market": product_frame,
    "get_instrument_sequences": sequences_frame,
    "get_market_sequences": sequences_frame,
    "get_sequences": sequences_frame,
    "get_sequence_items": items_frame,
    "get_sequence_item": item_frame,
}
_MANY_FRAMES: Mapping[str, Frames] = {
    "get_order_book_top": top_frames,
    "get_order_book": book_frames,
}


@frozen(eq=False)
class Answer:
    """The body of an answer: `head`, then pieces of rows with separators, then `tail`."""

    head: bytes
    pieces: Iterable[bytes]
    media: Media
    tail: bytes = b""

    def parts(self) -> Iterator[bytes]:
        if self.head:
            yield self.head
        first = True
        for piece in filter(None, self.pieces):
            if self.media == "csv":
                yield piece + b"\n"
            else:
                yield piece if first else b"," + piece
            first = False
        if self.tail:
            yield self.tail


class Answers:
    """Answers of one market, with the rendered days kept that were asked for last."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._days: BoundedCache[object, Tape] = BoundedCache(
            _KEPT_ROW_BYTES, lambda day: day.nbytes + _DAY_OVERHEAD
        )

    def answer(self, question: Question, media: Media) -> Answer:
        """The answer; what is missing raises here, rows are made when they are taken."""
        endpoint = question.endpoint
        known: Iterable[str] = ()
        if endpoint.operation_id == "get_trades":
            pieces: Iterable[bytes] = self._trade_pieces(question, media)
        elif endpoint.operation_id in _MANY_FRAMES:
            frames = _MANY_FRAMES[endpoint.operation_id](self.engine, question)
            pieces = (_rendered(question, frame, media) for frame in frames)
        else:
            make = _ONE_FRAME.get(endpoint.operation_id, _nothing)
            frame = make(self.engine, question)
            known = frame.columns
            pieces = [_rendered(question, frame, media)]
        if media == "csv":
            header = csv_header(endpoint.row, question.shape, tuple(known))
            return Answer(header.encode() + b"\n", pieces, media)
        return _json_answer(question, pieces)

    def _trade_pieces(self, question: Question, media: Media) -> Iterator[bytes]:
        days = range(question.start // DAY, -(-question.end // DAY))
        for first in range(days.start, days.stop, _DAYS_AT_ONCE):
            some = range(first, min(first + _DAYS_AT_ONCE, days.stop))
            for tape in self._tapes(question, media, some):
                yield tape.between(question.start, question.end)

    def _tapes(self, question: Question, media: Media, days: range) -> list[Tape]:
        """The tape of each day; what is missing is rendered in one go."""
        key = (question.endpoint.operation_id, question.contracts, question.shape, media)
        kept = [find_kept(self._days, (*key, day)) for day in days]
        missing = [day for day, tape in zip(days, kept, strict=True) if tape is None]
        if not missing:
            return [tape for tape in kept if tape is not None]
        span = range(missing[0], missing[-1] + 1)
        fresh = render_trades(self.engine, question, media, span)
        found: list[Tape] = []
        for day, tape in zip(days, kept, strict=True):
            if tape is None:
                part = fresh.part(day * DAY, (day + 1) * DAY)
                tape = self._days.get((*key, day), partial(_same, part))
            found.append(tape)
        return found


def _same(tape: Tape) -> Tape:
    return tape


def _nothing(_engine: Engine, _question: Question) -> pl.DataFrame:
    """The answer of an operation that is in the table only."""
    return pl.DataFrame()


def _rendered(question: Question, frame: pl.DataFrame, media: Media) -> bytes:
    return rows(question.endpoint.row, question.shape, frame, media).data


def _json_answer(question: Question, pieces: Iterable[bytes]) -> Answer:
    endpoint = question.endpoint
    if endpoint.rows_at is not None:
        head = f'{{"timestamp":{question.at},"{endpoint.rows_at}":['
        return Answer(head.encode(), pieces, "json", b"]}")
    if endpoint.root == "object":
        return Answer(b"", pieces, "json")
    return Answer(b"[", pieces, "json", b"]")
