"""A query into the call that the generated request builder makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve
from trayport_api.api.orders import get_order_book, get_order_book_top
from trayport_api.api.snapshots import get_snapshots
from trayport_api.api.trades import (
    get_activity,
    get_last_trade,
    get_ohlcv,
    get_private_trades,
    get_trades,
)
from trayport_api.models import (
    ActivityOptionalField,
    BookOptionalField,
    CandleOptionalField,
    ContractType,
    IntervalUnit,
    LastTradeOptionalField,
    TradeOptionalField,
)
from trayport_api.types import UNSET

from ..query import rules
from ..query.params import parameters_by_argument
from ..query.plan import QueryPlan
from ..query.times import to_text
from .messages import ApiRequest

Builder = Callable[..., dict[str, Any]]

# What the generated builder of each operation is, and the enumeration of its optional fields.
_OPERATIONS: Mapping[str, tuple[Builder, type[Any]]] = {
    "trades": (get_trades.get_kwargs, TradeOptionalField),
    "private_trades": (get_private_trades.get_kwargs, TradeOptionalField),
    "ohlcv": (get_ohlcv.get_kwargs, CandleOptionalField),
    "last_trade": (get_last_trade.get_kwargs, LastTradeOptionalField),
    "activity": (get_activity.get_kwargs, ActivityOptionalField),
    "order_book_top": (get_order_book_top.get_kwargs, BookOptionalField),
    "order_book": (get_order_book.get_kwargs, BookOptionalField),
    "snapshots": (get_snapshots.get_kwargs, str),
}


def call_of(query: QueryPlan) -> ApiRequest:
    """The call of a query that is one request, which keeps every rule of the operation.

    Raises:
        TrayportValidationError: It breaks one.
    """
    endpoint = query.operation
    given = query.arguments()
    rules.check(endpoint, given)
    builder, optional_field = _OPERATIONS[query.endpoint]
    enums: Mapping[str, type[Any]] = {
        "contract_type": ContractType,
        "interval_unit": IntervalUnit,
        "optional_fields": optional_field,
    }

    def built(name: str, value: Any) -> Any:
        return enums[name](value) if name in enums else value

    # The builder's own defaults are those of the service, which needs not be told them.
    values: dict[str, Any] = {}
    for name, parameter in parameters_by_argument(endpoint).items():
        value: Any = given.get(name)
        if value is None:
            values[name] = UNSET
        elif parameter.repeated:
            values[name] = [built(name, one) for one in value]
        else:
            values[name] = to_text(value) if parameter.type == "instant" else built(name, value)
    media_type = next(
        one for one in endpoint.media_types if one.endswith(f"/{query.options.response_format}")
    )
    return evolve(ApiRequest.of(endpoint.operation_id, builder(**values)), media_type=media_type)
