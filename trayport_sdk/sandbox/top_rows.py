"""Rows of the best prices of a book, and of snapshots."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl
from attrs import frozen
from trayport_spec import ENDPOINTS

from trayport_sdk.sandbox.engine import ROUTES, Book, Engine, Trades
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.order_rows import prices_at, quantities_at, sampled, venues_at
from trayport_sdk.sandbox.questions import Question
from trayport_sdk.sandbox.render import frame_of
from trayport_sdk.sandbox.trade_rows import contract_makers, route_makers

_SIDES = (("bid", 0), ("ask", 1))


@frozen(eq=False)
class Tops:
    """The best order of each side at each point: positions in a book, -1 for none."""

    book: Book
    bid: I64
    ask: I64

    def position(self, side: int) -> I64:
        return self.bid if side == 0 else self.ask


def _tops(book: Book, height: int, mask: int) -> Tops:
    """The best orders of those that come over any of the routes of a mask."""
    seen = np.flatnonzero(book.routes & np.uint8(mask))
    best: list[I64] = []
    for _, side in _SIDES:
        rows = seen[book.side[seen] == side]
        filled, first = np.unique(book.point[rows], return_index=True)
        position = np.full(height, -1, np.int64)
        position[filled] = rows[first]
        best.append(position)
    return Tops(book, *best)


def top_frames(engine: Engine, question: Question) -> Iterator[pl.DataFrame]:
    """The best prices, some points at a time; one row per route where they are kept apart."""
    (contract,) = question.contracts
    routes = question.shape.routes
    groups = [(n,) for n in routes.ids] if routes.are_apart else [routes.ids]
    for times in sampled(question):
        book = engine.book(contract, times)
        frames = [
            _top_frame(question, times, _tops(book, len(times), _mask(ids)), ids) for ids in groups
        ]
        if len(frames) == 1:
            yield frames[0]
        else:
            yield pl.concat(frames).sort("timestamp", maintain_order=True)


def _mask(ids: Sequence[int]) -> int:
    return sum(1 << (number - 1) for number in ids)


def _top_frame(question: Question, times: I64, tops: Tops, ids: tuple[int, ...]) -> pl.DataFrame:
    keep = np.arange(len(times))
    if not question.flag("includeEmptyBuckets"):
        keep = np.flatnonzero((tops.bid >= 0) | (tops.ask >= 0))
    tops = Tops(tops.book, tops.bid[keep], tops.ask[keep])
    makers: dict[str, Callable[[], pl.Series]] = {
        "timestamp": lambda: pl.Series(times[keep]),
        **route_makers(_route_of(tops, ids)),
        **best_makers(tops, ""),
    }
    for name, side in _SIDES:
        makers[f"{name}VenueCode"] = partial(_when_there, tops, side, partial(venues_at, tops.book))
    return frame_of(question.endpoint.row, question.shape, makers, len(keep))


def best_makers(tops: Tops, prefix: str) -> dict[str, Callable[[], pl.Series]]:
    book = tops.book
    makers: dict[str, Callable[[], pl.Series]] = {}
    for name, side in _SIDES:
        makers[f"{prefix}{name}Price"] = partial(_when_there, tops, side, partial(prices_at, book))
        makers[f"{prefix}{name}Quantity"] = partial(
            _when_there, tops, side, partial(quantities_at, book)
        )
    return makers


def _when_there(tops: Tops, side: int, take: Callable[[I64], pl.Series]) -> pl.Series:
    """Values of the best orders of a side, null where it has none."""
    position = tops.position(side)
    there = position >= 0
    values = take(position[there])
    rank = pl.Series(np.where(there, np.cumsum(there) - 1, -1)).replace({-1: None})
    return values.gather(rank.cast(pl.UInt32))


def _route_of(tops: Tops, ids: tuple[int, ...]) -> I64:
    """The lowest route that both sides came over, or else one of them."""
    allowed = np.uint8(_mask(ids))
    bits = np.append(tops.book.routes & allowed, np.uint8(0))
    bid, ask = bits[tops.bid], bits[tops.ask]
    common = np.where(bid & ask, bid & ask, np.where(bid, bid, ask))
    common = np.where(common, common, allowed)
    route = np.zeros(len(common), np.int64)
    for number in sorted(ROUTES, reverse=True):
        route[(common >> np.uint8(number - 1)) & 1 > 0] = number
    return route


def snapshot_frame(engine: Engine, question: Question) -> pl.DataFrame:
    """The last trade and the best orders of each contract at one instant."""
    days = ENDPOINTS["get_last_trade"].limits.lookback_days or 1
    mask = question.shape.routes.mask
    parts: list[pl.DataFrame] = []
    for contract in question.contracts:
        trades = engine.last_trade(contract, question.at, lookback_days=days)
        book = engine.book(contract, np.array([question.at], np.int64))
        makers: Mapping[str, Callable[[], pl.Series]] = {
            **contract_makers(contract, 1),
            **_last_makers(trades),
            **best_makers(_tops(book, 1, mask), "bestOrders."),
        }
        parts.append(frame_of(question.endpoint.row, question.shape, makers, 1))
    return pl.concat(parts) if parts else pl.DataFrame()


def _last_makers(trades: Trades) -> Mapping[str, Callable[[], pl.Series]]:
    traded = len(trades) > 0
    return {
        "lastTrade": lambda: pl.Series([traded]),
        "lastTrade.price": lambda: pl.Series(trades.prices().tolist() or [None], dtype=pl.Float64),
        "lastTrade.dealDate": lambda: pl.Series(trades.time.tolist() or [None], dtype=pl.Int64),
    }
