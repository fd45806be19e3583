"""What the orders of books add up to: by price, by venue, down to a level, on either side."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex

from trayport_api.models import OrderSide

from ...errors import TrayportValidationError
from ..flattening import SIDES
from .books import check_venues, cut, fields_of, orders_of, whole_number
from .flow import imbalance as imbalance_of
from .flow import without_sign_of_zero

if TYPE_CHECKING:
    import polars as pl

_DECIMALS = 9


def by_price(books: pl.DataFrame) -> pl.DataFrame:
    """The books with one entry per price and side: the sum of its orders, and how many they are."""
    import polars as pl

    points = books.with_row_index("point")
    for name, side in SIDES.items():
        entries = (
            orders_of(points, name)
            .group_by("point", "price", maintain_order=True)
            .agg(pl.col("quantity").sum(), _count(books))
            .sort("price", descending=side is OrderSide.BID, maintain_order=True)
            .select("point", pl.struct("price", "quantity", "order_count").alias(name))
            .group_by("point", maintain_order=True)
            .agg(name)
        )
        nothing = pl.lit([], dtype=entries.schema[name])
        # A side that is not known, as opposed to empty, stays so.
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
    """A row per book, side and venue: its best price, its quantity, its number of orders.

    Raises:
        TrayportValidationError: The orders do not say their venue.
    """
    import polars as pl

    check_venues(books)
    points = books.with_row_index("point")
    kept = [name for name in books.columns if name not in SIDES]
    sums = [
        orders_of(points, name)
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
    """What stands at a level, and from the best order down to it.

    Raises:
        TrayportValidationError: The level is no whole number from 0.
    """
    import polars as pl

    place = whole_number("level", level, 0)
    cells: list[pl.Expr] = []
    for name, side in SIDES.items():
        order = pl.col(name).list.get(place, null_on_oob=True).struct
        down_to = _quantity(pl.col(name).list.head(place + 1))
        cells += [
            order.field("price").alias(f"{side}_price"),
            order.field("quantity").alias(f"{side}_quantity"),
            down_to.alias(f"{side}_depth"),
        ]
    return books.select(*(name for name in books.columns if name not in SIDES), *cells)


def depth_within(books: pl.DataFrame, distance: SupportsFloat) -> pl.DataFrame:
    """What stands no farther from the best price of its side than a distance.

    Raises:
        TrayportValidationError: The distance is no number from 0.
    """
    import polars as pl

    # The difference of two decimal numbers is no decimal number: 0.3 - 0.2 is less than 0.1.
    most = round(_distance(distance), _DECIMALS)
    price = pl.element().struct.field("price")
    is_near = (price - price.first()).abs().round(_DECIMALS) <= most
    near = {
        side: pl.col(name).list.eval(pl.element().filter(is_near)) for name, side in SIDES.items()
    }
    return books.select(
        *(name for name in books.columns if name not in SIDES),
        *(_quantity(orders).alias(f"{side}_depth") for side, orders in near.items()),
    )


def imbalance(books: pl.DataFrame, depth: SupportsIndex | None = None) -> pl.Series:
    """The share of quantity on the bid side less the share on the ask side, null without orders.

    Raises:
        TrayportValidationError: The depth is no whole number from 1.
    """
    import polars as pl

    bids, asks = (_quantity(pl.col(name)) for name in SIDES)
    return cut(books, depth).select(imbalance_of(bids, asks).alias("imbalance")).to_series()


def _count(books: pl.DataFrame) -> pl.Expr:
    """How many orders there are, also in entries that are sums of some."""
    import polars as pl

    counted = pl.col("order_count").sum() if "order_count" in fields_of(books) else pl.len()
    return counted.cast(pl.Int64).alias("order_count")


def _quantity(orders: pl.Expr) -> pl.Expr:
    """The sum of the quantities of orders."""
    import polars as pl

    quantities = orders.list.eval(pl.element().struct.field("quantity"))
    return without_sign_of_zero(quantities.list.sum())


def _distance(value: SupportsFloat) -> float:
    try:
        number = float("nan") if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number) or number < 0:
        raise TrayportValidationError(
            f"distance {value!r} is not a number from 0",
            parameter="distance",
            limit="from 0",
            suggestion="give a distance of prices, such as 0.05",
        )
    return number
