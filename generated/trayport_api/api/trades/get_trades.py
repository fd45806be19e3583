# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.contract_type import ContractType
from ...models.trade import Trade
from ...models.trade_optional_field import TradeOptionalField
from ...types import UNSET, Unset, present


def get_kwargs(
    *,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: list[int] | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    trading_items: int | Unset = UNSET,
    from_: str,
    until: str,
    include_private: bool | Unset = UNSET,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> dict[str, Any]:
    """Trades of one contract or of several items of one sequence."""
    return {
        "method": "get",
        "url": "/trades",
        "params": present(
            {
                "instrumentId": instrument_id,
                "marketId": market_id,
                "sequenceId": sequence_id,
                "sequenceItemId": sequence_item_id,
                "secondSequenceItemId": second_sequence_item_id,
                "contractType": contract_type,
                "tradingItems": trading_items,
                "from": from_,
                "until": until,
                "includePrivate": include_private,
                "routes": routes,
                "deduplicateRoutes": deduplicate_routes,
                "optionalFields": optional_fields,
            }
        ),
    }


sync = sync_call(get_kwargs, list[Trade])
asyncio = async_call(get_kwargs, list[Trade])
