"""The example values of the document are values that work: pages offer them to be tried."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.document import DOCUMENT
from trayport_sdk.sandbox import Sandbox

SHARED = DOCUMENT["components"]["parameters"]


def shown(path: str) -> list[dict[str, Any]]:
    """The parameters that a page fills in by itself, each with its value."""
    found: list[dict[str, Any]] = []
    for node in DOCUMENT["paths"][path]["get"].get("parameters", []):
        parameter = SHARED[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
        value = parameter.get("example", parameter["schema"].get("default"))
        if value is not None:
            found.append({"name": parameter["name"], "in": parameter["in"], "value": value})
    return found


def text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


async def ask(path: str) -> httpx.Response:
    server = DOCUMENT["paths"][path]["servers"][0]
    analytics = server == DOCUMENT["servers"][0]
    base = Sandbox.ANALYTICS_PATH if analytics else Sandbox.REFERENCE_PATH
    parameters = shown(path)
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", text(parameter["value"]))
    query = {p["name"]: text(p["value"]) for p in parameters if p["in"] == "query"}
    transport = httpx.ASGITransport(Sandbox(limits=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.invalid") as client:
        return await client.get(base + path, params=query, headers={"X-API-KEY": "sandbox"})


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_the_example_values_of_an_operation_are_answered(path: str) -> None:
    answer = asyncio.run(ask(path))
    assert answer.status_code == 200, answer.text
    assert answer.json() is not None
