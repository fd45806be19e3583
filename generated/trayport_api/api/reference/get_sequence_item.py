# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any
from urllib.parse import quote

from ...client import async_call, sync_call
from ...models.sequence_item import SequenceItem


def get_kwargs(
    id: int,
    item_id: int,
) -> dict[str, Any]:
    """One item of a sequence."""
    return {
        "method": "get",
        "url": "/sequences/{id}/sequenceItems/{item_id}".format(
            id=quote(str(id), safe=""),
            item_id=quote(str(item_id), safe=""),
        ),
    }


sync = sync_call(get_kwargs, SequenceItem)
asyncio = async_call(get_kwargs, SequenceItem)
