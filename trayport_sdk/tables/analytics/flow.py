"""What trades add up to: volumes, averages, and the volumes by side of the aggressor."""

from __future__ import annotations

import polars as pl

from ...errors import TrayportValidationError
from ...query.contracts import ContractSpec, response_forms
from ...query.plan import CONTRACT
from ...query.times import Interval, TimeRange
from ..convert import flat
from .buckets import Clock
from .ohlcv import BUY, END, SELL, START, by_bucket, one_contract, weighted, within

PRICE, QUANTITY, BUYS = pl.col("price"), pl.col("quantity"), pl.col("aggressor_buy")
IDS = ("market_id", "instrument_id", "sequence_id", "sequence_item_id", "second_sequence_item_id")


def volume(trades: pl.DataFrame, span: TimeRange) -> float:
    """The quantity that was traded in a range."""
    total: float = _within(trades, span, QUANTITY).select(_total(QUANTITY)).item()
    return total


def vwap(trades: pl.DataFrame, span: TimeRange) -> float | None:
    """The volume-weighted average price in a range; None where nothing traded."""
    average: float | None = (
        _within(trades, span, PRICE, QUANTITY).select(weighted(PRICE, QUANTITY)).item()
    )
    return average


def aggressor_imbalance(trades: pl.DataFrame, span: TimeRange) -> float | None:
    """The share of volume that aggressors bought less the share they sold; None without volume."""
    sums = _within(trades, span, QUANTITY, BUYS).select(**_by_aggressor())
    share: float | None = sums.select(imbalance(pl.col(BUY), pl.col(SELL))).item()
    return share


def aggressor_flow(
    trades: pl.DataFrame,
    interval: Interval | str,
    span: TimeRange,
    clock: Clock,
    *,
    include_empty_buckets: bool = False,
) -> pl.DataFrame:
    """What aggressors bought and sold, by bucket of time and contract."""
    flow = by_bucket(
        trades, interval, span, clock, _by_aggressor(), include_empty_buckets=include_empty_buckets
    )
    flow = flow.select(
        START,
        END,
        BUY,
        SELL,
        imbalance(pl.col(BUY), pl.col(SELL)).alias("imbalance"),
        *(name for name in flow.columns if name == CONTRACT),
    )
    return flat(flow)


def without_sign_of_zero(amount: pl.Expr) -> pl.Expr:
    """The amount, with 0 for -0."""
    return pl.when(amount == 0).then(0.0).otherwise(amount)


def imbalance(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """The difference of two amounts as a share of their sum; null without any."""
    return pl.when(first + second > 0).then((first - second) / (first + second))


def of_contract(table: pl.DataFrame, contract: ContractSpec | str) -> pl.DataFrame:
    """The rows of one contract."""
    if CONTRACT not in table.columns:
        raise TrayportValidationError(
            "the rows do not say whose they are",
            parameter="optional_fields",
            limit=CONTRACT,
            suggestion='ask for them with optional_fields=["contract"]',
        )
    spec = contract if isinstance(contract, ContractSpec) else ContractSpec.parse(contract)
    own = pl.col(CONTRACT).struct
    return table.filter(
        own.field("contract_type").is_in(response_forms(spec.contract_type)),
        *(own.field(name).eq_missing(pl.lit(getattr(spec, name), pl.Int64)) for name in IDS),
    )


def _within(trades: pl.DataFrame, span: TimeRange, *columns: pl.Expr) -> pl.DataFrame:
    inside = trades.filter(within(span, pl.col("deal_date").cast(pl.Int64)))
    one_contract(inside)
    # The last digit of a sum depends on where chunks end, and so on how the response came in.
    return inside.select(columns).rechunk()


def _total(amounts: pl.Expr) -> pl.Expr:
    """The sum; 0 where there are no values, for which polars gives -0."""
    return without_sign_of_zero(amounts.sum())


def _by_aggressor() -> dict[str, pl.Expr]:
    return {BUY: _total(QUANTITY.filter(BUYS)), SELL: _total(QUANTITY.filter(~BUYS))}
