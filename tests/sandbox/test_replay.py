"""A cassette gives the responses that it has, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from trayport_sdk.cli import run
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

ENTRY = {
    "api": "reference", "path": "/markets/7", "query": [], "status": 200,
    "headers": {"content-type": "application/json", "content-encoding": "br"},
    "json": {"id": 7, "name": "A market"},
}  # fmt: skip
ROUTES = {
    "api": "analytics", "path": "/trades",
    "query": [["from", "2024-03-04"], ["routes", "route 1"], ["routes", "route 2"]],
    "status": 403, "headers": {"content-type": "text/html"}, "text": "[not kept]",
}  # fmt: skip


def cassette(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "cassette.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    document = {"version": 1, "responses": [ENTRY, ROUTES]}
    return Sandbox(limits=False, replay=cassette(tmp_path, document))


async def ask(sandbox: Sandbox, path: str, **headers: str) -> httpx.Response:
    given = {"X-API-KEY": "sandbox", "Accept-Encoding": "br", **headers}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox), base_url="http://sandbox"
    ) as client:
        return await client.get(path, headers=given)


async def test_a_request_of_the_cassette_has_its_response(sandbox: Sandbox) -> None:
    response = await ask(sandbox, "/reference/markets/7")
    assert response.headers["content-encoding"] == "br"
    assert response.json() == ENTRY["json"]
    plain = await ask(sandbox, "/reference/markets/7", **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == ENTRY["json"]


async def test_the_order_of_parameters_does_not_matter_and_their_values_do(
    sandbox: Sandbox,
) -> None:
    path = "/analytics/api/trades?ROUTES=route+2&from=2024-03-04&routes=route+1"
    response = await ask(sandbox, path)
    assert (response.status_code, response.text) == (403, "[not kept]")
    other = await ask(sandbox, path.replace("2024-03-04", "2024-03-05"))
    assert other.status_code == 404
    assert other.json()["detail"] == "The cassette has no such request."


async def test_a_key_is_needed_all_the_same(sandbox: Sandbox) -> None:
    response = await ask(sandbox, "/reference/markets/7", **{"X-API-KEY": "wrong"})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "document", [{}, [], {"version": 2, "responses": []}, {"version": 1, "responses": [{}]}]
)
def test_what_is_no_cassette_is_refused(
    tmp_path: Path, document: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cassette(tmp_path, document)
    with pytest.raises(ValueError, match=r"is no cassette of `trayport doctor --live`"):
        Sandbox(replay=path).prepare()
    assert run(["sandbox", "--replay", str(path), "--port", "0"]) == 2
    assert "is no cassette" in capsys.readouterr().err
