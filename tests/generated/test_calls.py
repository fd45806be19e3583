"""The low-level client is of use by itself: each operation can be called, blocking or not."""

from __future__ import annotations

import asyncio
import importlib
import pickle
from keyword import iskeyword
from typing import Any

import httpx
import pytest
from trayport_api import AuthenticatedClient, UnexpectedStatus
from trayport_api.api.reference import get_market
from trayport_api.api.trades import get_last_trade
from trayport_api.builders import BUILDERS
from trayport_api.models import ContractType
from trayport_spec import API_KEY_HEADER, ENDPOINTS, Endpoint

from tests.document import DOCUMENT

KEY = "a-key"


def example(endpoint: Endpoint) -> Any:
    content = DOCUMENT["paths"][endpoint.path]["get"]["responses"]["200"]["content"]
    return content["application/json"]["example"]


def arguments(endpoint: Endpoint) -> dict[str, Any]:
    """The examples of the parameters of an operation, by the names its builder knows."""
    return {
        p.python_name + "_" * iskeyword(p.python_name): list(p.example)
        if isinstance(p.example, tuple)
        else p.example
        for p in endpoint.parameters
        if p.example is not None
    }


class Service:
    """Gives one response to every request and keeps the requests."""

    def __init__(self, status: int, document: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._response = status, document
        self.client = AuthenticatedClient(
            "http://service.invalid/api",
            token=KEY,
            httpx_args={"transport": httpx.MockTransport(self._handle)},
        )

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, document = self._response
        return httpx.Response(status, json=document)


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
def test_each_operation_can_be_called_blocking_or_not(endpoint: Endpoint) -> None:
    document = example(endpoint)
    service = Service(200, document)
    package = f"trayport_api.api.{endpoint.tag.lower()}"
    operation = importlib.import_module(f"{package}.{endpoint.operation_id}")
    given = arguments(endpoint)

    found = operation.sync(service.client, **given)
    awaited = asyncio.run(operation.asyncio(service.client, **given))

    as_json = [m.to_dict() for m in found] if isinstance(found, list) else found.to_dict()
    assert as_json == document
    assert awaited == found
    first, second = service.requests
    assert first.url == second.url
    assert first.headers[API_KEY_HEADER] == KEY
    in_path = {p.name: given[p.python_name] for p in endpoint.parameters if p.location == "path"}
    assert first.url.path == "/api" + endpoint.path.format(**in_path)
    names = {p.name for p in endpoint.parameters if p.example is not None}
    assert set(first.url.params) == names - set(in_path)


@pytest.mark.parametrize("status", [204, 302, 404, 429, 520])
def test_any_status_but_200_is_an_error(status: int) -> None:
    service = Service(status, {"title": "No"})
    with pytest.raises(UnexpectedStatus, match=rf"^status {status}: .*No") as caught:
        get_market.sync(service.client, 1)
    assert caught.value.status_code == status
    assert KEY not in str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.status_code, copy.content) == (status, caught.value.content)


def test_what_is_not_given_is_not_sent() -> None:
    request = get_last_trade.get_kwargs(
        sequence_id=1, sequence_item_id=2, contract_type=ContractType.SINGLE_PERIOD
    )
    params = {"sequenceId": 1, "sequenceItemId": 2, "contractType": "SinglePeriod"}
    assert request == {"method": "get", "url": "/trades/last", "params": params}


def test_an_id_of_odd_characters_stays_within_its_part_of_the_path() -> None:
    untyped: Any = get_market.get_kwargs
    assert untyped("../a b")["url"] == "/markets/..%2Fa%20b"


def test_each_operation_has_its_builder() -> None:
    assert list(BUILDERS) == list(ENDPOINTS)
    assert BUILDERS["get_market"] is get_market.get_kwargs
