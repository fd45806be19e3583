"""The best prices of books and of tops of books: what lies between them, and what was in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trayport_api.models import OrderSide

from ...errors import TrayportLookupError
from ...query.times import SECOND, TimeLike, exact_instant, to_text
from ..flattening import SIDES
from .flow import imbalance as imbalance_of

if TYPE_CHECKING:
    import polars as pl

BOOKS = {side: name for name, side in SIDES.items()}


def best(table: pl.DataFrame, side: OrderSide, field: str) -> pl.Expr:
    """A field of the best order of a side, null where the side is empty."""
    import polars as pl

    name = f"{side}_{field}"
    if name in table.columns:
        return pl.col(name)
    return pl.col(BOOKS[side]).list.get(0, null_on_oob=True).struct.field(field).alias(name)


def mid(table: pl.DataFrame) -> pl.Series:
    """The middle of the best prices."""
    bid, ask = best(table, OrderSide.BID, "price"), best(table, OrderSide.ASK, "price")
    return table.select(((bid + ask) / 2).alias("mid")).to_series()


def spread(table: pl.DataFrame) -> pl.Series:
    """The best ask less the best bid."""
    bid, ask = best(table, OrderSide.BID, "price"), best(table, OrderSide.ASK, "price")
    return table.select((ask - bid).alias("spread")).to_series()


def microprice(table: pl.DataFrame) -> pl.Series:
    """The middle of the best prices, nearer to the side with less behind it."""
    import polars as pl

    bid, ask = best(table, OrderSide.BID, "price"), best(table, OrderSide.ASK, "price")
    bids, asks = best(table, OrderSide.BID, "quantity"), best(table, OrderSide.ASK, "quantity")
    price = pl.when(bids + asks > 0).then((bid * asks + ask * bids) / (bids + asks))
    return table.select(price.alias("microprice")).to_series()


def imbalance(table: pl.DataFrame) -> pl.Series:
    """The share of the best bid's quantity less that of the best ask, null without orders."""
    bid, ask = (best(table, side, "quantity").fill_null(0.0) for side in BOOKS)
    return table.select(imbalance_of(bid, ask).alias("imbalance")).to_series()


def in_force(table: pl.DataFrame, at: TimeLike | int) -> pl.DataFrame:
    """The last row at or before an instant.

    Raises:
        TrayportValidationError: The instant is no time.
        TrayportLookupError: There is none.
    """
    import polars as pl

    now = exact_instant(at, "at")
    time = pl.col("timestamp").cast(pl.Int64)
    before = table.filter(time <= now)
    if not before.height:
        first: int | None = table.select(time.min()).item()
        told = "the table is empty" if first is None else f"the first one is of {_told(first)}"
        raise TrayportLookupError(
            f"there is no state at or before {_told(now)}: {told}",
            suggestion="give a later instant, or ask for a range that starts earlier",
        )
    return before.sort("timestamp", maintain_order=True).tail(1)


def _told(instant: int) -> str:
    fraction = instant % SECOND
    return to_text(instant).replace("Z", f".{fraction:09}Z") if fraction else to_text(instant)
