# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.sequence import Sequence


def get_kwargs() -> dict[str, Any]:
    """All sequences."""
    return {
        "method": "get",
        "url": "/sequences",
    }


sync = sync_call(get_kwargs, list[Sequence])
asyncio = async_call(get_kwargs, list[Sequence])
