# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.contract_type import ContractType
from ...models.trade import Trade
from ...models.trade_optional_field import TradeOptionalField
from ...types import present


def get_kwargs(
    *,
    instrument_id: int | None = None,
    market_id: int | None = None,
    sequence_id: int,
    sequence_item_id: list[int] | None = None,
    second_sequence_item_id: int | None = None,
    contract_type: ContractType,
    trading_items: int | None = None,
    from_: str,
    until: str,
    include_private: bool | None = None,
    routes: list[str] | None = None,
    deduplicate_routes: bool | None = None,
    optional_fields: list[TradeOptionalField] | None = None,
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
