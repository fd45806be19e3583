# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.contract_type import ContractType
from ...models.private_trade import PrivateTrade
from ...models.trade_optional_field import TradeOptionalField
from ...types import present


def get_kwargs(
    *,
    instrument_id: int | None = None,
    market_id: int | None = None,
    sequence_id: int | None = None,
    sequence_item_id: int | None = None,
    second_sequence_item_id: int | None = None,
    contract_type: ContractType | None = None,
    from_: str,
    until: str,
    routes: list[str] | None = None,
    deduplicate_routes: bool | None = None,
    optional_fields: list[TradeOptionalField] | None = None,
) -> dict[str, Any]:
    """Your own trades, with both sides as far as you may see them."""
    return {
        "method": "get",
        "url": "/trades/private",
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
                "routes": routes,
                "deduplicateRoutes": deduplicate_routes,
                "optionalFields": optional_fields,
            }
        ),
    }


sync = sync_call(get_kwargs, list[PrivateTrade])
asyncio = async_call(get_kwargs, list[PrivateTrade])
