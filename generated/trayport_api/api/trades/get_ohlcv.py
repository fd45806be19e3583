# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.candle import Candle
from ...models.candle_optional_field import CandleOptionalField
from ...models.contract_type import ContractType
from ...models.interval_unit import IntervalUnit
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
    optional_fields: list[CandleOptionalField] | None = None,
) -> dict[str, Any]:
    """Candles of one contract."""
    return {
        "method": "get",
        "url": "/trades/ohlcv",
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
                "optionalFields": optional_fields,
            }
        ),
    }


sync = sync_call(get_kwargs, list[Candle])
asyncio = async_call(get_kwargs, list[Candle])
