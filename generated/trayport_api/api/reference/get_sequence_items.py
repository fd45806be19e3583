# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any
from urllib.parse import quote

from ...client import async_call, sync_call
from ...models.sequence_item import SequenceItem
from ...types import present


def get_kwargs(
    id: int,
    *,
    start_date: str | None = None,
    count: int | None = None,
) -> dict[str, Any]:
    """The items of a sequence that end on or after a date."""
    return {
        "method": "get",
        "url": "/sequences/{id}/sequenceItems".format(
            id=quote(str(id), safe=""),
        ),
        "params": present(
            {
                "startDate": start_date,
                "count": count,
            }
        ),
    }


sync = sync_call(get_kwargs, list[SequenceItem])
asyncio = async_call(get_kwargs, list[SequenceItem])
