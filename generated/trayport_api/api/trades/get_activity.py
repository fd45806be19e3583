# Generated from openapi/. Do not edit: run ./codegen.sh.

from typing import Any

from ...client import async_call, sync_call
from ...models.activity import Activity
from ...models.activity_optional_field import ActivityOptionalField
from ...types import present


def get_kwargs(
    *,
    from_: str,
    until: str,
    routes: list[str] | None = None,
    optional_fields: list[ActivityOptionalField] | None = None,
) -> dict[str, Any]:
    """Which contracts traded in a time range, and how often."""
    return {
        "method": "get",
        "url": "/trades/activity",
        "params": present(
            {
                "from": from_,
                "until": until,
                "routes": routes,
                "optionalFields": optional_fields,
            }
        ),
    }


sync = sync_call(get_kwargs, list[Activity])
asyncio = async_call(get_kwargs, list[Activity])
