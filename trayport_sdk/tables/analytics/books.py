"""Order books and their best prices: flattened, cut, filtered, summed up, and as values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import Any, SupportsFloat, SupportsIndex

import polars as pl
from attrs import field, frozen
from trayport_api.models import OrderSide
from trayport_spec import VENUES

from ...errors import (
    TrayportLookupError,
    TrayportValidationError,
    empty,
    invalid,
    not_whole,
    unknown_value,
)
from ...query.times import SECOND, TimeLike, exact_instant, to_text
from ..convert import SIDES, PolarsDataType, lines
from .flow import imbalance as imbalance_of
from .flow import without_sign_of_zero

BOOKS = {side: name for name, side in SIDES.items()}
_DECIMALS = 9


def _side(value: str) -> OrderSide:
    try:
        return OrderSide(str(value).lower())
    except ValueError:
        raise unknown_value("side", value, OrderSide, "is no side of a book") from None


@frozen(order=False)
class Level:
    """An order, or all orders at a price, on one side of a book; better prices sort first.

    A higher price is better among bids, a lower one among asks. Levels of one price rank the same,
    so that sorting leaves the oldest first, as the API sends them. Those of two sides do not
    compare: that is a `TypeError`.

    Attributes:
        side: Which side it stands on, `bid` or `ask`.
        price: The price, in the product's currency per unit.
        quantity: The quantity, in the product's unit.
        venue_code: The venue, where the book says it and the level is of one venue.
        order_count: How many orders it is made of.

    Example:
        >>> Level("bid", 35.60, 10.0) < Level("bid", 35.55, 500.0)
        True
        >>> min(Level("ask", 35.65, 5.0), Level("ask", 35.70, 5.0)).price
        35.65
    """

    side: OrderSide = field(converter=_side)
    price: float
    quantity: float
    venue_code: str | None = None
    order_count: int = 1

    @property
    def _rank(self) -> float:
        return -self.price if self.side is OrderSide.BID else self.price

    def _compared(self, other: object, compare: Callable[[float, float], bool]) -> Any:
        if not isinstance(other, Level):
            return NotImplemented
        if self.side is not other.side:
            raise TypeError(
                f"a level of side {self.side} does not compare with one of side {other.side}"
            )
        return compare(self._rank, other._rank)

    def __lt__(self, other: object) -> bool:
        is_less: bool = self._compared(other, operator.lt)
        return is_less

    def __le__(self, other: object) -> bool:
        is_less_or_equal: bool = self._compared(other, operator.le)
        return is_less_or_equal

    def __gt__(self, other: object) -> bool:
        is_greater: bool = self._compared(other, operator.gt)
        return is_greater

    def __ge__(self, other: object) -> bool:
        is_greater_or_equal: bool = self._compared(other, operator.ge)
        return is_greater_or_equal


def mid(table: pl.DataFrame) -> pl.Series:
    """The middle of the best prices."""
    bid, ask = _best(table, "price")
    return table.select(((bid + ask) / 2).alias("mid")).to_series()


def spread(table: pl.DataFrame) -> pl.Series:
    """The best ask less the best bid."""
    bid, ask = _best(table, "price")
    return table.select((ask - bid).alias("spread")).to_series()


def microprice(table: pl.DataFrame) -> pl.Series:
    """The middle of the best prices, nearer to the side with less behind it."""
    (bid, ask), (bids, asks) = _best(table, "price"), _best(table, "quantity")
    price = pl.when(bids + asks > 0).then((bid * asks + ask * bids) / (bids + asks))
    return table.select(price.alias("microprice")).to_series()


def imbalance_of_best(table: pl.DataFrame) -> pl.Series:
    """The share of the best bid's quantity less that of the best ask, null without orders."""
    bid, ask = (best.fill_null(0.0) for best in _best(table, "quantity"))
    return table.select(imbalance_of(bid, ask).alias("imbalance")).to_series()


def over_time(table: pl.DataFrame) -> pl.DataFrame:
    """The best prices, and the quantity of all orders of each side where books have orders."""
    depths = [
        pl.col(name)
        .list.eval(pl.element().struct.field("quantity"))
        .list.sum()
        .fill_null(0.0)
        .alias(f"{side}_depth")
        for name, side in SIDES.items()
        if name in table.columns
    ]
    return table.select("timestamp", *_best(table, "price"), *depths)


def _best(table: pl.DataFrame, field: str) -> tuple[pl.Expr, ...]:
    """A field of the best bid and of the best ask, null where the side is empty."""
    return tuple(
        pl.col(f"{side}_{field}")
        if f"{side}_{field}" in table.columns
        else pl.col(name).list.get(0, null_on_oob=True).struct.field(field).alias(f"{side}_{field}")
        for side, name in BOOKS.items()
    )


def in_force(table: pl.DataFrame, at: TimeLike) -> pl.DataFrame:
    """The last row at or before an instant."""
    now = exact_instant(at, "at")
    time = pl.col("timestamp").cast(pl.Int64)
    before = table.filter(time <= now)
    if not before.height:
        first: int | None = table.select(time.min()).item()
        why = "the table is empty" if first is None else f"the first one is of {time_text(first)}"
        raise TrayportLookupError(
            f"there is no state at or before {time_text(now)}: {why}",
            suggestion="give a later instant, or ask for a range that starts earlier",
        )
    return before.sort("timestamp", maintain_order=True).tail(1)


def time_text(instant: int) -> str:
    """An instant in ISO-8601, with its nanoseconds if it has some."""
    fraction = instant % SECOND
    return to_text(instant).replace("Z", f".{fraction:09}Z") if fraction else to_text(instant)


def levels(books: pl.DataFrame, depth: SupportsIndex | None = None) -> pl.DataFrame:
    """A row per order, with its side and its level, 0 for the best."""
    return lines(_cut(books, depth)).filter(pl.col("side").is_not_null())


def wide(books: pl.DataFrame, depth: SupportsIndex | None = None) -> pl.DataFrame:
    """A row per book, with a column per field, side and level."""
    deepest = books.select(pl.max_horizontal(pl.col(name).list.len().max() for name in SIDES))
    count = deepest.item() or 0 if depth is None else _whole("depth", depth, 1)
    plain = [name for name, kind in _fields(books).items() if not kind.is_nested()]
    cells = [
        pl.col(name)
        .list.get(level, null_on_oob=True)
        .struct.field(field)
        .alias(f"{side}_{field}_{level}")
        for level in range(count)
        for name, side in SIDES.items()
        for field in plain
    ]
    return books.select(*_others(books), *cells)


def side_of_one(
    books: pl.DataFrame, side: OrderSide, depth: SupportsIndex | None = None
) -> list[Level]:
    """One side of a table of one book, as values."""
    if books.height != 1:
        raise TrayportValidationError(
            f"the table has {books.height} books, and levels are those of one",
            parameter="at",
            limit="1",
            suggestion="pick one with at(...), or use levels() for all of them",
        )
    known = ("price", "quantity", "venue_code", "order_count")
    fields = [name for name in known if name in _fields(books)]
    orders: list[dict[str, Any]] = _cut(books, depth)[BOOKS[side]].to_list()[0] or []
    return [Level(side, **{field: order[field] for field in fields}) for order in orders]


def of_venues(books: pl.DataFrame, *venue_codes: str) -> pl.DataFrame:
    """The books without the orders of other venues."""
    _check_venue_codes(books, venue_codes)
    is_theirs = pl.element().struct.field("venue_code").is_in(list(venue_codes))
    return books.with_columns(pl.col(name).list.filter(is_theirs) for name in SIDES)


def _check_venue_codes(books: pl.DataFrame, venue_codes: tuple[str, ...]) -> None:
    _check_venues(books)
    if not venue_codes:
        raise empty("venue_codes", 'give at least one code, such as of_venues("EEX7")')
    # New codes appear over time, so a code of the table is accepted as well as one of the list.
    points = books.with_row_index("point")
    seen = pl.concat([_orders(points, name)["venue_code"] for name in SIDES]).drop_nulls()
    known = {*VENUES, *seen.unique().to_list()}
    for code in venue_codes:
        if not isinstance(code, str) or code not in known:  # pyright: ignore[reportUnnecessaryIsInstance]
            near = get_close_matches(str(code), sorted(known), cutoff=0.4) or sorted(known)
            raise invalid(
                "venue_codes",
                code,
                "is neither a known venue nor in the table",
                f"use one such as {', '.join(near[:3])}",
                "codes of VENUES",
            )


def by_price(books: pl.DataFrame) -> pl.DataFrame:
    """The books with one entry per price and side: the sum of its orders, and how many they are."""
    points = books.with_row_index("point")
    for name, side in SIDES.items():
        entries = (
            _orders(points, name)
            .group_by("point", "price", maintain_order=True)
            .agg(pl.col("quantity").sum(), _count(books))
            .sort("price", descending=side is OrderSide.BID, maintain_order=True)
            .select("point", pl.struct("price", "quantity", "order_count").alias(name))
            .group_by("point", maintain_order=True)
            .agg(name)
        )
        nothing = pl.lit([], dtype=entries.schema[name])
        # An unknown side, as opposed to an empty one, stays null.
        side_of_book = pl.when(pl.col(f"{name}_before").is_not_null()).then(
            pl.coalesce(name, nothing)
        )
        points = (
            points.rename({name: f"{name}_before"})
            .join(entries, on="point", how="left", maintain_order="left")
            .with_columns(side_of_book.alias(name))
        )
    return points.select(books.columns)


def by_venue(books: pl.DataFrame) -> pl.DataFrame:
    """A row per book, side and venue: its best price, its quantity, its number of orders."""
    _check_venues(books)
    points = books.with_row_index("point")
    kept = _others(books)
    sums = [
        _orders(points, name)
        .group_by("point", "venue_code", maintain_order=True)
        .agg(
            pl.lit(str(side)).first().alias("side"),
            (pl.col("price").max() if side is OrderSide.BID else pl.col("price").min()),
            pl.col("quantity").sum(),
            _count(books),
        )
        .sort("price", descending=side is OrderSide.BID, maintain_order=True)
        for name, side in SIDES.items()
    ]
    return (
        points.select("point", *kept)
        .join(pl.concat(sums), on="point", maintain_order="left_right")
        .select(*kept, "side", "venue_code", "price", "quantity", "order_count")
    )


def depth(books: pl.DataFrame, level: SupportsIndex) -> pl.DataFrame:
    """What stands at a level, and from the best order down to it."""
    place = _whole("level", level, 0)
    cells: list[pl.Expr] = []
    for name, side in SIDES.items():
        order = pl.col(name).list.get(place, null_on_oob=True).struct
        cells += [
            order.field("price").alias(f"{side}_price"),
            order.field("quantity").alias(f"{side}_quantity"),
            _quantity(pl.col(name).list.head(place + 1)).alias(f"{side}_depth"),
        ]
    return books.select(*_others(books), *cells)


def depth_within(books: pl.DataFrame, distance: SupportsFloat) -> pl.DataFrame:
    """What stands no farther from the best price of its side than a distance."""
    # The difference of two decimal numbers is no decimal number: 0.3 - 0.2 is less than 0.1.
    most = round(_distance(distance), _DECIMALS)
    price = pl.element().struct.field("price")
    is_near = (price - price.first()).abs().round(_DECIMALS) <= most
    near = {
        side: pl.col(name).list.eval(pl.element().filter(is_near)) for name, side in SIDES.items()
    }
    return books.select(
        *_others(books),
        *(_quantity(orders).alias(f"{side}_depth") for side, orders in near.items()),
    )


def imbalance(books: pl.DataFrame, depth: SupportsIndex | None = None) -> pl.Series:
    """The share of quantity on the bid side less the share on the ask side, null without orders."""
    bids, asks = (_quantity(pl.col(name)) for name in SIDES)
    return _cut(books, depth).select(imbalance_of(bids, asks).alias("imbalance")).to_series()


def _cut(books: pl.DataFrame, depth: SupportsIndex | None) -> pl.DataFrame:
    """The books with at most so many orders a side."""
    if depth is None:
        return books
    return books.with_columns(pl.col(*SIDES).list.head(_whole("depth", depth, 1)))


def _others(books: pl.DataFrame) -> list[str]:
    """The columns that are no orders."""
    return [name for name in books.columns if name not in SIDES]


def _orders(points: pl.DataFrame, name: str) -> pl.DataFrame:
    """A row per order of a side, with the number of its book."""
    return (
        points.select("point", name).filter(pl.col(name).list.len() > 0).explode(name).unnest(name)
    )


def _fields(books: pl.DataFrame) -> Mapping[str, PolarsDataType]:
    """The fields of an order, and their types."""
    kind = books.schema["bids"]
    inner = kind.inner if isinstance(kind, pl.List) else None
    return (
        {field.name: field.dtype for field in inner.fields} if isinstance(inner, pl.Struct) else {}
    )


def _check_venues(books: pl.DataFrame) -> None:
    """Refuses books whose orders do not say their venue."""
    if "venue_code" not in _fields(books):
        raise TrayportValidationError(
            "the orders do not say their venue",
            parameter="optional_fields",
            limit="venue_code",
            suggestion='ask for the books with optional_fields=["venue_code"]; '
            "sums by price have no venue",
        )


def _count(books: pl.DataFrame) -> pl.Expr:
    """How many orders there are, also in entries that are sums of some."""
    count = pl.col("order_count").sum() if "order_count" in _fields(books) else pl.len()
    return count.cast(pl.Int64).alias("order_count")


def _quantity(orders: pl.Expr) -> pl.Expr:
    """The sum of the quantities of orders."""
    quantities = orders.list.eval(pl.element().struct.field("quantity"))
    return without_sign_of_zero(quantities.list.sum())


def _whole(name: str, value: SupportsIndex, least: int) -> int:
    """The whole number of an argument, if it is not too small."""
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise not_whole(name, value, least)
    return number


def _distance(value: SupportsFloat) -> float:
    try:
        number = float("nan") if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number) or number < 0:
        suggestion = "give a distance of prices, such as 0.05"
        raise invalid("distance", value, "is not a number from 0", suggestion, "from 0")
    return number
