# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any
from urllib.parse import quote

from ...client import async_call, sync_call
from ...models.sequence import Sequence


def get_kwargs(
    id: int,
) -> dict[str, Any]:
    """The sequences a market trades in."""
    return {
        "method": "get",
        "url": "/markets/{id}/sequences".format(
            id=quote(str(id), safe=""),
        ),
    }


sync = sync_call(get_kwargs, list[Sequence])
asyncio = async_call(get_kwargs, list[Sequence])
