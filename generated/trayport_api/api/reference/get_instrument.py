# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any
from urllib.parse import quote

from ...client import async_call, sync_call
from ...models.instrument_details import InstrumentDetails


def get_kwargs(
    id: int,
) -> dict[str, Any]:
    """One instrument with its currencies and units."""
    return {
        "method": "get",
        "url": "/instruments/{id}".format(
            id=quote(str(id), safe=""),
        ),
    }


sync = sync_call(get_kwargs, InstrumentDetails)
asyncio = async_call(get_kwargs, InstrumentDetails)
