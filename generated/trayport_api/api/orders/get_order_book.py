# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.book_optional_field import BookOptionalField
from ...models.contract_type import ContractType
from ...models.interval_unit import IntervalUnit
from ...models.order_book import OrderBook
from ...types import present


def get_kwargs(
    *,
    instrument_id: int | None = None,
    market_id: int | None = None,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | None = None,
    contract_type: ContractType,
    from_: str,
    until: str,
    interval: int,
    interval_unit: IntervalUnit,
    include_empty_buckets: bool | None = None,
    routes: list[str] | None = None,
    deduplicate_routes: bool | None = None,
    depth: int | None = None,
    max_spread: float | None = None,
    include_private: bool | None = None,
    optional_fields: list[BookOptionalField] | None = None,
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
