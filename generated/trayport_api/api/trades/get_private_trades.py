# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.contract_type import ContractType
from ...models.private_trade import PrivateTrade
from ...models.trade_optional_field import TradeOptionalField
from ...types import UNSET, Unset, present


def get_kwargs(
    *,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int | Unset = UNSET,
    sequence_item_id: int | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType | Unset = UNSET,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
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
