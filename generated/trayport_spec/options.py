"""What a call takes besides contracts and times.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, TypedDict

from attrs import fields, frozen

Routes: TypeAlias = str | int | Sequence[str | int]
TimeLike: TypeAlias = datetime | date | str | int

EndpointName: TypeAlias = Literal[
    "trades",
    "private_trades",
    "ohlcv",
    "last_trade",
    "activity",
    "order_book_top",
    "order_book",
    "snapshots",
]
"""The name of an operation."""
TradesField: TypeAlias = Literal[
    "contract",
    "route",
    "route_id",
    "from_broken_spread",
    "initiator_owned_spread",
    "aggressor_owned_spread",
    "aggressor_sleeve",
    "initiator_sleeve",
]
"""An optional field of `get_trades`."""
PrivateTradesField: TypeAlias = Literal[
    "contract",
    "route",
    "route_id",
    "from_broken_spread",
    "initiator_owned_spread",
    "aggressor_owned_spread",
    "aggressor_sleeve",
    "initiator_sleeve",
]
"""An optional field of `get_private_trades`."""
OHLCVField: TypeAlias = Literal["open_timestamp", "close_timestamp", "vwap"]
"""An optional field of `get_ohlcv`."""
LastTradeField: TypeAlias = Literal["contract"]
"""An optional field of `get_last_trade`."""
ActivityField: TypeAlias = Literal["route", "route_id", "market_id", "update_count", "delete_count"]
"""An optional field of `get_activity`."""
OrderBookTopField: TypeAlias = Literal["route", "route_id", "venue_code"]
"""An optional field of `get_order_book_top`."""
OrderBookField: TypeAlias = Literal["route", "route_id", "venue_code"]
"""An optional field of `get_order_book`."""
OptionalField: TypeAlias = (
    TradesField
    | PrivateTradesField
    | OHLCVField
    | LastTradeField
    | ActivityField
    | OrderBookTopField
    | OrderBookField
)
"""An optional field of any operation."""
OHLCVInterval: TypeAlias = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "7d", "1mo"]
"""An interval of `get_ohlcv`."""


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
    optional_fields: Sequence[TradesField] | TradesField


class PrivateTradesOptions(TypedDict, total=False):
    """What `get_private_trades` takes besides."""

    routes: Routes | None
    deduplicate_routes: bool | None
    optional_fields: Sequence[PrivateTradesField] | PrivateTradesField


class OHLCVOptions(TypedDict, total=False):
    """What `get_ohlcv` takes besides."""

    include_empty_buckets: bool
    optional_fields: Sequence[OHLCVField] | OHLCVField


class LastTradeOptions(TypedDict, total=False):
    """What `get_last_trade` takes besides."""

    optional_fields: Sequence[LastTradeField] | LastTradeField


class ActivityOptions(TypedDict, total=False):
    """What `get_activity` takes besides."""

    routes: Routes | None
    optional_fields: Sequence[ActivityField] | ActivityField


class OrderBookTopOptions(TypedDict, total=False):
    """What `get_order_book_top` takes besides."""

    include_empty_buckets: bool
    routes: Routes | None
    deduplicate_routes: bool | None
    optional_fields: Sequence[OrderBookTopField] | OrderBookTopField


class OrderBookOptions(TypedDict, total=False):
    """What `get_order_book` takes besides."""

    include_empty_buckets: bool
    routes: Routes | None
    deduplicate_routes: bool | None
    depth: int | None
    max_spread: float | None
    include_private: bool
    optional_fields: Sequence[OrderBookField] | OrderBookField


class AnyOptions(TypedDict, total=False):
    """What any operation takes besides."""

    include_private: bool
    routes: Routes | None
    deduplicate_routes: bool | None
    optional_fields: Sequence[OptionalField] | OptionalField
    include_empty_buckets: bool
    depth: int | None
    max_spread: float | None
