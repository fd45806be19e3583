"""What changed between two answers about the same time."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT
from .partitions import moment

KNOWN_AT, CHANGE, BEFORE = "known_at", "change", "before"
ADDED, ALTERED, DELETED = "added", "altered", "deleted"
TRADE = "trade_id"
_PLACE = "place among its equals"


def identity(columns: Sequence[str], time: str) -> list[str]:
    """The columns that say which record a row is.

    Args:
        columns: The columns of the table.
        time: The one of the time, which may be corrected where trades have an id.
    """
    known = [name for name in (CONTRACT, TRADE, "route", "route_id") if name in columns]
    return known if TRADE in columns else [time, *known]


def difference(old: pl.DataFrame, new: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The rows that were added, altered and deleted.

    Equal rows are two records. Of several with the same identity those that are unchanged are left
    aside, and the others are compared in their order.

    Args:
        old: The rows as they were.
        new: The rows as they are.
        key: The columns that say which record a row is.

    Returns:
        The rows as they are now, or were last where they were deleted; `change` says what happened,
        and `before` is a struct of what the row was, null where it was added.
    """
    columns = new.columns
    if not any(kind.is_nested() for kind in new.schema.values()):
        old, new = _without(old, new, columns), _without(new, old, columns)
    place = pl.int_range(pl.len()).over(key).alias(_PLACE)
    records = [*key, _PLACE]
    before = old.select(*key, place, pl.struct(columns).alias(BEFORE))
    after = new.select(*key, place, pl.struct(columns).alias(CHANGE))
    both = before.join(after, on=records, how="full", nulls_equal=True)
    now, then = pl.col(CHANGE), pl.col(BEFORE)
    kind = (
        pl.when(then.is_null())
        .then(pl.lit(ADDED))
        .when(now.is_null())
        .then(pl.lit(DELETED))
        .otherwise(pl.lit(ALTERED))
    )
    is_other = pl.any_horizontal(
        then.struct.field(name).ne_missing(now.struct.field(name)) for name in columns
    )
    return both.filter(then.is_null() | now.is_null() | is_other).select(
        kind.alias(CHANGE), *_fields(pl.coalesce(now, then), columns), BEFORE
    )


def known_change(change: pl.DataFrame, contract: ContractSpec | None, at: int) -> pl.DataFrame:
    """Changed rows with the contract that they are of, and when they became known."""
    known_at = moment(at).alias(KNOWN_AT)
    if contract is None:
        return change.select(known_at, pl.all())
    symbol = pl.lit(str(contract)).alias(CONTRACT)
    return change.select(known_at, symbol, pl.exclude(CONTRACT))


def _without(rows: pl.DataFrame, others: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The rows that others do not have, each counted as often as it is there."""
    place = pl.int_range(pl.len()).over(columns).alias(_PLACE)
    left = rows.with_columns(place)
    right = others.with_columns(place)
    return left.join(
        right, on=[*columns, _PLACE], how="anti", nulls_equal=True, maintain_order="left"
    ).drop(_PLACE)


def _fields(row: pl.Expr, columns: Sequence[str]) -> list[pl.Expr]:
    return [row.struct.field(name) for name in columns]
