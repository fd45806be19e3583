# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.instrument import Instrument


def get_kwargs() -> dict[str, Any]:
    """All instruments."""
    return {
        "method": "get",
        "url": "/instruments",
    }


sync = sync_call(get_kwargs, list[Instrument])
asyncio = async_call(get_kwargs, list[Instrument])
