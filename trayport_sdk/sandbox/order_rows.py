"""Rows of order books."""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
from attrs import frozen
from trayport_spec import PRIVATE_ORDERS_FROM, Column

from trayport_sdk.sandbox.calendar import DAY
from trayport_sdk.sandbox.engine import (
    VENUE_CODES,
    YOUR_COMPANY_ID,
    YOUR_TRADERS,
    Book,
    Engine,
)
from trayport_sdk.sandbox.feeds import over_routes, with_private
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.questions import Question, Routes, Shape
from trayport_sdk.sandbox.render import Makers, frame_of, json_lines
from trayport_sdk.sandbox.spans import points
from trayport_sdk.sandbox.trade_rows import route_makers
from trayport_sdk.sandbox.trades import THOUSAND

Bools = npt.NDArray[np.bool_]

_POINTS_AT_ONCE = 2048
_BID, _ASK = 0, 1
_PRIVATE_FROM = (PRIVATE_ORDERS_FROM - dt.date(1970, 1, 1)).days * DAY
_VENUES = pl.Series(VENUE_CODES, dtype=pl.String)
# Of so many own orders, one is held back, one has no id of its owner's making.
_WITHHELD_ONE_OF, _UNNAMED_ONE_OF = 16, 4


@frozen(eq=False)
class Entries:
    """Orders as they are listed: positions in a book, best first, grouped by point and side."""

    book: Book
    index: I64
    route: I64
    private: Bools

    def where(self, rows: Bools | I64) -> "Entries":
        return Entries(self.book, self.index[rows], self.route[rows], self.private[rows])

    @property
    def group(self) -> I64:
        """One number per point and side, ascending."""
        return self.book.point[self.index].astype(np.int64) * 2 + self.book.side[self.index]

    def ranks(self) -> I64:
        """The position of each entry within its point and side."""
        _, first, counts = np.unique(self.group, return_index=True, return_counts=True)
        return np.arange(len(self.index)) - np.repeat(first, counts)


def sampled(question: Question) -> Iterator[I64]:
    """The instants of a question, some at a time."""
    if question.steps is None or question.end <= question.start:
        return
    times = points(question.start, question.end, question.steps)
    for first in range(0, len(times), _POINTS_AT_ONCE):
        yield times[first : first + _POINTS_AT_ONCE]


def _listed(book: Book, routes: Routes) -> Entries:
    index, route = over_routes(book.routes, routes)
    return Entries(book, index, route, np.zeros(len(index), np.bool_))


def book_frames(engine: Engine, question: Question) -> Iterator[pl.DataFrame]:
    """Books, some points at a time."""
    (contract,) = question.contracts
    for times in sampled(question):
        book = engine.book(contract, times)
        entries = _listed(book, question.shape.routes)
        if "includePrivate" in question.shape.bringing:
            entries = _with_private(entries)
        entries = _near_the_best(entries, question.number("maxSpread"))
        depth = question.number("depth")
        if depth is not None:
            entries = entries.where(entries.ranks() < depth)
        yield _book_frame(question, times, entries)


def _with_private(entries: Entries) -> Entries:
    """Own orders marked, and shown twice by venues that have a feed for each."""
    book, index = entries.book, entries.index
    own = book.own[index] & (book.times[book.point[index]] >= _PRIVATE_FROM)
    copies, private = with_private(own, book.venue[index])
    return Entries(book, index[copies], entries.route[copies], private)


def _near_the_best(entries: Entries, percent: float | None) -> Entries:
    if percent is None or len(entries.index) == 0:
        return entries
    price = entries.book.price[entries.index]
    _, first, counts = np.unique(entries.group, return_index=True, return_counts=True)
    best = np.repeat(price[first], counts)
    with np.errstate(over="ignore"):  # a spread beyond any number leaves nothing out
        widest = percent * np.abs(best)
    return entries.where(np.abs(price - best) * 100 <= widest)


def _book_frame(question: Question, times: I64, entries: Entries) -> pl.DataFrame:
    """One row per point, the orders of each side as JSON text."""
    columns, shape = question.endpoint.row, question.shape
    side_of, point_of = entries.book.side[entries.index], entries.book.point[entries.index]
    makers: dict[str, Callable[[], pl.Series]] = {"timestamp": lambda: pl.Series(times)}
    for column in columns:
        side = {"bids": _BID, "asks": _ASK}.get(column.name)
        if side is None:
            continue
        rows = side_of == side
        lists = _lists(column, shape, entries.where(rows), point_of[rows], len(times))
        makers[column.name] = partial(pl.Series, values=lists)
    frame = frame_of(columns, shape, makers, len(times))
    if question.flag("includeEmptyBuckets"):
        return frame
    return frame.filter(pl.Series(np.isin(np.arange(len(times)), point_of)))


def _lists(
    column: Column,
    shape: Shape,
    entries: Entries,
    point: npt.NDArray[np.int32],
    height: int,
) -> pl.Series:
    orders = frame_of(column.fields, shape, _order_makers(entries), len(point))
    lines = json_lines(column.fields, shape, orders)
    grouped = (
        pl.DataFrame({"point": point, "line": lines})
        .group_by("point", maintain_order=True)
        .agg(pl.col("line").str.join(","))
    )
    texts = pl.DataFrame({"point": np.arange(height, dtype=np.int32)}).join(
        grouped, on="point", how="left", maintain_order="left"
    )
    return texts.select(
        pl.concat_str(pl.lit("["), pl.col("line").fill_null(""), pl.lit("]"))
    ).to_series()


def _order_makers(entries: Entries) -> Makers:
    book, index = entries.book, entries.index
    order = book.order_id[index]
    hidden = book.hidden_quantity[index] / THOUSAND
    user = np.array(tuple(YOUR_TRADERS))[order % len(YOUR_TRADERS)]
    prefix = "privateFields."

    def client_ids() -> pl.Series:
        ids = pl.concat_str(pl.lit("ORD-"), pl.Series(order).cast(pl.String))
        named = pl.Series(order % _UNNAMED_ONE_OF != 0)
        return pl.select(pl.when(named).then(ids)).to_series()

    def statuses() -> pl.Series:
        withheld = (order % _WITHHELD_ONE_OF == 0).astype(np.int64)
        return pl.Series(("Firm", "Withheld"), dtype=pl.String).gather(withheld)

    return {
        "price": lambda: prices_at(book, index),
        "quantity": lambda: quantities_at(book, index),
        "venueCode": lambda: venues_at(book, index),
        **route_makers(entries.route),
        "privateFields": lambda: pl.Series(entries.private),
        f"{prefix}clientOrderId": client_ids,
        f"{prefix}orderStatus": statuses,
        f"{prefix}lastModifierUserId": lambda: pl.Series(user),
        f"{prefix}hiddenQuantity": lambda: pl.Series(hidden),
        f"{prefix}ownerUserId": lambda: pl.Series(user),
        f"{prefix}ownerCompanyId": lambda: pl.Series(np.full(len(index), YOUR_COMPANY_ID)),
        f"{prefix}originalHiddenQuantity": lambda: pl.Series(hidden),
        f"{prefix}hiddenQtyPriceDelta": lambda: pl.Series(np.zeros(len(index))),
    }


def venues_at(book: Book, index: I64) -> pl.Series:
    return _VENUES.gather(book.venue[index].astype(np.int64))


def prices_at(book: Book, index: I64) -> pl.Series:
    return pl.Series(book.price[index] / book.price_scale)


def quantities_at(book: Book, index: I64) -> pl.Series:
    return pl.Series(book.quantity[index] / THOUSAND)
