"""Prints, as JSON, the tables on the path and what a sandbox made from them answers.

The requests come as a JSON list of paths on standard input. Run as a process of its own, so that it
sees the tables that PYTHONPATH leads to.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import attrs
import httpx
import trayport_spec

from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.venues import VENUE_CODES


async def answers(paths: list[str]) -> list[tuple[int, Any]]:
    transport = httpx.ASGITransport(Sandbox(limits=False))  # type: ignore[arg-type,unused-ignore]
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.invalid") as client:
        found = [
            await client.get(Sandbox.ANALYTICS_PATH + path, headers={"X-API-KEY": "sandbox"})
            for path in paths
        ]
    return [(answer.status_code, answer.json()) for answer in found]


json.dump(
    {
        "made_from": trayport_spec.__file__,
        "endpoints": {k: attrs.asdict(v) for k, v in trayport_spec.ENDPOINTS.items()},
        "venues": list(trayport_spec.VENUES),
        "sandbox_venues": list(VENUE_CODES),
        "answers": asyncio.run(answers(json.load(sys.stdin))),
    },
    sys.stdout,
    default=str,
)
