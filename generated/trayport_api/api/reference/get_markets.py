# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.market import Market


def get_kwargs() -> dict[str, Any]:
    """All markets."""
    return {
        "method": "get",
        "url": "/markets",
    }


sync = sync_call(get_kwargs, list[Market])
asyncio = async_call(get_kwargs, list[Market])
