"""What a call takes besides contracts and times.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeAlias, TypedDict

from attrs import fields, frozen

Routes: TypeAlias = str | int | Sequence[str | int]
TimeLike: TypeAlias = datetime | date | str | int


@frozen(kw_only=True)
class Options:
    """What a caller may choose besides contracts and times.

    Attributes:
        trading_items: The next so many tradable items, in place of explicit ones. Only for
            sequences whose items have a trading end.
        include_private: Whether your own rows carry their private details.
        routes: Routes to market by name or id, or `all`. When absent, the lowest-numbered route.
        deduplicate_routes: Whether a record that came over several routes is returned once. It is
            when several routes are requested and this is absent.
        optional_fields: Columns to add to every trade.
        include_empty_buckets: Whether buckets without data are returned as well.
        depth: How many orders to return on each side, best first.
        max_spread: Leaves out orders further than this many percent from the best price of their
            side; by default none are left out.
        response_format: What the service responds with, `"json"` or `"csv"`.
    """

    trading_items: int | None = None
    include_private: bool = False
    routes: tuple[str, ...] = ()
    deduplicate_routes: bool | None = None
    optional_fields: tuple[str, ...] = ()
    include_empty_buckets: bool = False
    depth: int | None = None
    max_spread: float | None = None
    response_format: str = "json"

    @property
    def chosen(self) -> dict[str, Any]:
        """What is chosen, without what is left at its default."""
        values = {one.name: (getattr(self, one.name), one.default) for one in fields(Options)}
        return {name: value for name, (value, default) in values.items() if value != default}


class TradesOptions(TypedDict, total=False):
    """What `get_trades` takes besides."""

    include_private: bool
    routes: Routes | None
    deduplicate_routes: bool | None
    optional_fields: Sequence[str]


class PrivateTradesOptions(TypedDict, total=False):
    """What `get_private_trades` takes besides."""

    routes: Routes | None
    deduplicate_routes: bool | None
    optional_fields: Sequence[str]


class OHLCVOptions(TypedDict, total=False):
    """What `get_ohlcv` takes besides."""

    include_empty_buckets: bool
    optional_fields: Sequence[str]


class LastTradeOptions(TypedDict, total=False):
    """What `get_last_trade` takes besides."""

    optional_fields: Sequence[str]


class ActivityOptions(TypedDict, total=False):
    """What `get_activity` takes besides."""

    routes: Routes | None
    optional_fields: Sequence[str]


class OrderBookTopOptions(TypedDict, total=False):
    """What `get_order_book_top` takes besides."""

    include_empty_buckets: bool
    routes: Routes | None
    deduplicate_routes: bool | None
    optional_fields: Sequence[str]


class OrderBookOptions(TypedDict, total=False):
    """What `get_order_book` takes besides."""

    include_empty_buckets: bool
    routes: Routes | None
    deduplicate_routes: bool | None
    depth: int | None
    max_spread: float | None
    include_private: bool
    optional_fields: Sequence[str]


class AnyOptions(TypedDict, total=False):
    """What any operation takes besides."""

    include_private: bool
    routes: Routes | None
    deduplicate_routes: bool | None
    optional_fields: Sequence[str]
    include_empty_buckets: bool
    depth: int | None
    max_spread: float | None
