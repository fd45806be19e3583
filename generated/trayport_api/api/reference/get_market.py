# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any
from urllib.parse import quote

from ...client import async_call, sync_call
from ...models.market_details import MarketDetails


def get_kwargs(
    id: int,
) -> dict[str, Any]:
    """One market with its currencies and units."""
    return {
        "method": "get",
        "url": "/markets/{id}".format(
            id=quote(str(id), safe=""),
        ),
    }


sync = sync_call(get_kwargs, MarketDetails)
asyncio = async_call(get_kwargs, MarketDetails)
