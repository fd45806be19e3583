"""Prints, as JSON, the tables on the path and what the clients and a sandbox made from them do.

The questions come as JSON on standard input: paths for the sandbox, calls of
methods, and commands. Run as a
process of its own, so that it sees the packages that PYTHONPATH leads to.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from operator import attrgetter
from pathlib import Path
from typing import Any

import attrs
import httpx
import trayport_api
import trayport_spec

import trayport_sdk
import trayport_sdk.resources.generated.trades
import trayport_sdk.sync
from trayport_sdk.cli import run
from trayport_sdk.sandbox import Sandbox

Call = tuple[str, list[Any], dict[str, Any]]


async def responses(paths: list[str]) -> list[tuple[int, Any]]:
    """What a sandbox responds with."""
    transport = httpx.ASGITransport(Sandbox(limits=False))  # type: ignore[arg-type,unused-ignore]
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.invalid") as client:
        found = [
            await client.get(Sandbox.ANALYTICS_PATH + path, headers={"X-API-KEY": "sandbox"})
            for path in paths
        ]
    return [(response.status_code, response.json()) for response in found]


def shown(result: Any) -> Any:
    if hasattr(result, "to_polars"):
        return {"columns": result.to_polars().columns, "rows": len(result)}
    return len(result) if isinstance(result, list) else repr(result)


async def called(calls: list[Call]) -> list[Any]:
    """What the methods of the client return or raise."""
    found: list[Any] = []
    async with trayport_sdk.TrayportClient.sandbox() as client:
        for name, arguments, options in calls:
            try:
                result = attrgetter(name)(client)(*arguments, **options)
                found.append(shown(await result if inspect.isawaitable(result) else result))
            except trayport_sdk.TrayportError as error:
                found.append(f"{type(error).__name__}: {error}")
    return found


def called_in_sync(calls: list[Call]) -> list[Any]:
    """What the same methods of the synchronous client return or raise."""
    found: list[Any] = []
    with trayport_sdk.sync.TrayportClient.sandbox() as client:
        for name, arguments, options in calls:
            try:
                found.append(shown(attrgetter(name)(client)(*arguments, **options)))
            except trayport_sdk.TrayportError as error:
                found.append(f"{type(error).__name__}: {error}")
    return found


def commanded(commands: list[list[str]]) -> list[tuple[int, str]]:
    """The exit code of each command, and what it prints."""
    found: list[tuple[int, str]] = []
    for command in commands:
        with redirect_stdout(StringIO()) as text, redirect_stderr(text):
            code = run([*command, "--sandbox", "--quiet"])
        found.append((code, text.getvalue()))
    return found


def page(name: str) -> str:
    return (Path(trayport_sdk.__file__).parents[1] / "docs" / name).read_text()


if __name__ == "__main__":
    questions = json.load(sys.stdin)
    paths, calls, commands = (questions[kind] for kind in ("paths", "calls", "commands"))
    json.dump(
        {
            "made_from": [m.__file__ for m in (trayport_sdk, trayport_api, trayport_spec)],
            "tables": {
                "endpoints": {k: attrs.asdict(v) for k, v in trayport_spec.ENDPOINTS.items()},
                "venues": list(trayport_sdk.VENUES),
            },
            "responses": {edit: asyncio.run(responses(some)) for edit, some in paths.items()},
            "called": {edit: asyncio.run(called(some)) for edit, some in calls.items()},
            "called_in_sync": {edit: called_in_sync(some) for edit, some in calls.items()},
            "pages": {
                "endpoints": page("api/limits.md") + page("api/endpoints.md"),
                "reference": [
                    page(f"reference/{name}.md") for name in ("client", "responses", "models")
                ],
                "method": inspect.getdoc(
                    trayport_sdk.resources.generated.trades.TradesMethods.get_trades
                ),
            },
            "commanded": {edit: commanded(some) for edit, some in commands.items()},
        },
        sys.stdout,
        default=str,
    )
