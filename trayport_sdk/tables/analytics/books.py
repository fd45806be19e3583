"""Order books as tables: flattened, cut and filtered."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, SupportsIndex

from trayport_api.models import OrderSide
from trayport_spec import VENUES

from ...errors import TrayportValidationError
from ..flattening import SIDES, flat
from .levels import Level

if TYPE_CHECKING:
    import polars as pl

    from ..flattening import PolarsDataType


def levels(books: pl.DataFrame, depth: SupportsIndex | None = None) -> pl.DataFrame:
    """A row per order, with its side and its level, 0 for the best.

    Raises:
        TrayportValidationError: The depth is no whole number from 1.
    """
    import polars as pl

    return flat(cut(books, depth)).filter(pl.col("side").is_not_null())


def wide(books: pl.DataFrame, depth: SupportsIndex | None = None) -> pl.DataFrame:
    """A row per book, with a column per field, side and level.

    Raises:
        TrayportValidationError: The depth is no whole number from 1.
    """
    import polars as pl

    deepest = books.select(pl.max_horizontal(pl.col(name).list.len().max() for name in SIDES))
    count = deepest.item() or 0 if depth is None else _depth(depth)
    cells = [
        pl.col(name)
        .list.get(level, null_on_oob=True)
        .struct.field(field)
        .alias(f"{side}_{field}_{level}")
        for level in range(count)
        for name, side in SIDES.items()
        for field in _plain_fields(books)
    ]
    return books.select(*(name for name in books.columns if name not in SIDES), *cells)


def of_venues(books: pl.DataFrame, *venue_codes: str) -> pl.DataFrame:
    """The books without the orders of other venues.

    Raises:
        TrayportValidationError: The orders do not say their venue, or a code is neither known nor
            in the table.
    """
    import polars as pl

    _check_venue_codes(books, venue_codes)
    is_theirs = pl.element().struct.field("venue_code").is_in(list(venue_codes))
    return books.with_columns(pl.col(name).list.filter(is_theirs) for name in SIDES)


def side_of_one(
    books: pl.DataFrame, side: OrderSide, depth: SupportsIndex | None = None
) -> list[Level]:
    """One side of a table of one book, as values.

    Raises:
        TrayportValidationError: The table has none or several books, or the depth is no whole
            number from 1.
    """
    if books.height != 1:
        raise TrayportValidationError(
            f"the table has {books.height} books, and the levels of one are asked for",
            parameter="at",
            limit="1",
            suggestion="pick one with at(...), or use levels() for all of them",
        )
    name = next(name for name, own in SIDES.items() if own is side)
    fields = [
        f for f in ("price", "quantity", "venue_code", "order_count") if f in fields_of(books)
    ]
    orders: list[dict[str, Any]] = cut(books, depth)[name].to_list()[0] or []
    return [Level(side, **{field: order[field] for field in fields}) for order in orders]


def cut(books: pl.DataFrame, depth: SupportsIndex | None) -> pl.DataFrame:
    """The books with at most so many orders a side.

    Raises:
        TrayportValidationError: The depth is no whole number from 1.
    """
    import polars as pl

    if depth is None:
        return books
    return books.with_columns(pl.col(*SIDES).list.head(_depth(depth)))


def orders_of(points: pl.DataFrame, name: str) -> pl.DataFrame:
    """A row per order of a side, with the number of its book."""
    import polars as pl

    return (
        points.select("point", name).filter(pl.col(name).list.len() > 0).explode(name).unnest(name)
    )


def fields_of(books: pl.DataFrame) -> Mapping[str, PolarsDataType]:
    """The fields of an order, and their types."""
    import polars as pl

    kind = books.schema["bids"]
    inner = kind.inner if isinstance(kind, pl.List) else None
    return (
        {field.name: field.dtype for field in inner.fields} if isinstance(inner, pl.Struct) else {}
    )


def _plain_fields(books: pl.DataFrame) -> list[str]:
    return [name for name, kind in fields_of(books).items() if not kind.is_nested()]


def check_venues(books: pl.DataFrame) -> None:
    """Refuses books whose orders do not say their venue.

    Raises:
        TrayportValidationError: They do not.
    """
    if "venue_code" not in fields_of(books):
        raise TrayportValidationError(
            "the orders do not say their venue",
            parameter="optional_fields",
            limit="venueCode",
            suggestion='ask for the books with optional_fields=["venueCode"]; '
            "sums by price have no venue",
        )


def _check_venue_codes(books: pl.DataFrame, venue_codes: tuple[str, ...]) -> None:
    import polars as pl

    check_venues(books)
    if not venue_codes:
        raise TrayportValidationError(
            "venue_codes is empty",
            parameter="venue_codes",
            suggestion='give at least one code, such as of_venues("EEX7")',
        )
    # New codes appear over time: what the table has is as good as what the list has.
    points = books.with_row_index("point")
    seen = pl.concat([orders_of(points, name)["venue_code"] for name in SIDES]).drop_nulls()
    known = {*VENUES, *seen.unique().to_list()}
    for code in venue_codes:
        if not isinstance(code, str) or code not in known:  # pyright: ignore[reportUnnecessaryIsInstance]
            near = get_close_matches(str(code), sorted(known), cutoff=0.4) or sorted(known)
            raise TrayportValidationError(
                f"venue_codes {code!r} is neither a known venue nor in the table",
                parameter="venue_codes",
                limit="codes of VENUES",
                suggestion=f"use one such as {', '.join(near[:3])}",
            )


def _depth(value: SupportsIndex) -> int:
    return whole_number("depth", value, 1)


def whole_number(name: str, value: SupportsIndex, least: int) -> int:
    """The whole number of an argument.

    Raises:
        TrayportValidationError: It is none, or too small.
    """
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise TrayportValidationError(
            f"{name} {value!r} is not a whole number from {least}",
            parameter=name,
            limit=f"from {least}",
            suggestion=f"give {least} or more",
        )
    return number
