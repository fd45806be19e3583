"""The difference between two contracts, of their best prices or of their candles."""

from __future__ import annotations

import polars as pl


def of_quotes(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """The best prices at which both legs could be traded at once."""
    both = first.join(second, on="timestamp", how="inner", suffix="_of_second")
    other = {name: pl.col(f"{name}_of_second") for name in first.columns}
    rows = both.select(
        "timestamp",
        bid_price=pl.col("bid_price") - other["ask_price"],
        bid_quantity=_less(pl.col("bid_quantity"), other["ask_quantity"]),
        ask_price=pl.col("ask_price") - other["bid_price"],
        ask_quantity=_less(pl.col("ask_quantity"), other["bid_quantity"]),
    )
    return with_mid(rows)


def _less(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """The smaller quantity, or null where one side is missing."""
    return pl.when(one.is_not_null() & other.is_not_null()).then(pl.min_horizontal(one, other))


def of_candles(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Opens and closes of the intervals in which both legs traded; what lies between is unknown."""
    times = ["from_timestamp", "to_timestamp"]
    both = first.join(second, on=times, how="inner", suffix="_of_second")
    unknown = pl.lit(None, dtype=pl.Float64)
    return both.select(
        *times,
        open=pl.col("open") - pl.col("open_of_second"),
        high=unknown,
        low=unknown,
        close=pl.col("close") - pl.col("close_of_second"),
        volume=unknown,
    )


def with_mid(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with a price on at least one side, and what lies halfway between the two."""
    rows = rows.with_columns(mid=(pl.col("bid_price") + pl.col("ask_price")) / 2)
    return rows.filter(pl.any_horizontal(pl.col("bid_price", "ask_price").is_not_null()))


def negated(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of the spread the other way round."""
    swapped = {"bid_price": "ask_price", "high": "low"}
    swapped |= {other: name for name, other in swapped.items()}
    moved = {"bid_quantity": "ask_quantity", "ask_quantity": "bid_quantity"}
    prices = {"open": "open", "close": "close", **swapped}
    changed = {name: -pl.col(prices[name]) for name in rows.columns if name in prices}
    changed |= {name: pl.col(moved[name]) for name in rows.columns if name in moved}
    return rows.with_columns(**changed)
