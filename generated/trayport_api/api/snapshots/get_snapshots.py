# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.contract_type import ContractType
from ...models.snapshots import Snapshots
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
    at: str | None = None,
) -> dict[str, Any]:
    """The last trade and the best orders of several items at one instant."""
    return {
        "method": "get",
        "url": "/snapshots",
        "params": present(
            {
                "instrumentId": instrument_id,
                "marketId": market_id,
                "sequenceId": sequence_id,
                "sequenceItemId": sequence_item_id,
                "secondSequenceItemId": second_sequence_item_id,
                "contractType": contract_type,
                "tradingItems": trading_items,
                "at": at,
            }
        ),
    }


sync = sync_call(get_kwargs, Snapshots)
asyncio = async_call(get_kwargs, Snapshots)
