# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.contract_type import ContractType
from ...models.last_trade import LastTrade
from ...models.last_trade_optional_field import LastTradeOptionalField
from ...types import present


def get_kwargs(
    *,
    instrument_id: int | None = None,
    market_id: int | None = None,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | None = None,
    contract_type: ContractType,
    at: str | None = None,
    optional_fields: list[LastTradeOptionalField] | None = None,
) -> dict[str, Any]:
    """The last trade of one contract before an instant."""
    return {
        "method": "get",
        "url": "/trades/last",
        "params": present(
            {
                "instrumentId": instrument_id,
                "marketId": market_id,
                "sequenceId": sequence_id,
                "sequenceItemId": sequence_item_id,
                "secondSequenceItemId": second_sequence_item_id,
                "contractType": contract_type,
                "at": at,
                "optionalFields": optional_fields,
            }
        ),
    }


sync = sync_call(get_kwargs, list[LastTrade])
asyncio = async_call(get_kwargs, list[LastTrade])
