# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.book_optional_field import BookOptionalField
from ...models.contract_type import ContractType
from ...models.interval_unit import IntervalUnit
from ...models.order_book import OrderBook
from ...types import UNSET, Unset, present


def get_kwargs(
    *,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    from_: str,
    until: str,
    interval: int,
    interval_unit: IntervalUnit,
    include_empty_buckets: bool | Unset = UNSET,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    depth: int | Unset = UNSET,
    max_spread: float | Unset = UNSET,
    include_private: bool | Unset = UNSET,
    optional_fields: list[BookOptionalField] | Unset = UNSET,
) -> dict[str, Any]:
    """The order book of one contract in depth, sampled at an interval."""
    return {
        "method": "get",
        "url": "/orders/book",
        "params": present(
            {
                "instrumentId": instrument_id,
                "marketId": market_id,
                "sequenceId": sequence_id,
                "sequenceItemId": sequence_item_id,
                "secondSequenceItemId": second_sequence_item_id,
                "contractType": contract_type,
                "from": from_,
                "until": until,
                "interval": interval,
                "intervalUnit": interval_unit,
                "includeEmptyBuckets": include_empty_buckets,
                "routes": routes,
                "deduplicateRoutes": deduplicate_routes,
                "depth": depth,
                "maxSpread": max_spread,
                "includePrivate": include_private,
                "optionalFields": optional_fields,
            }
        ),
    }


sync = sync_call(get_kwargs, list[OrderBook])
asyncio = async_call(get_kwargs, list[OrderBook])
