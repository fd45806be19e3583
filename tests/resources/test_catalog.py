"""Names: where a service gives the same one twice, and where many ask for them at once."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from trayport_sdk import TrayportClient, TrayportLookupError
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

ANSWERS: Mapping[str, Any] = {
    "/markets": [{"id": n, "name": "Twin", "sequences": ""} for n in (1, 2)]
    + [
        {"id": n, "name": name, "sequences": ""}
        for n, name in ((3, "Only"), (6, "Here/There"), (7, "Two Words"), (8, "TwoWords"))
    ],
    "/instruments": [
        {"id": 4, "name": "Gas", "sequences": ""},
        {"id": 5, "name": "Gas EEX", "sequences": ""},
    ],
    **{
        f"/{kind}/{n}/sequences": [{"id": 9, "name": "Months", "sequenceItems": ""}]
        for kind, n in (
            *(("markets", n) for n in (1, 2, 3, 6, 7, 8)), ("instruments", 4), ("instruments", 5),
        )
    },
    "/sequences/9/sequenceItems": [
        {"id": n, "name": name, "periodStart": None, "periodEnd": None, "tradingStart": None,
         "tradingEnd": None}
        for n, name in ((1, "Jan"), (2, "Feb"), (3, "Feb"), (4, "Mar"))
    ],
}  # fmt: skip


class Service(Sandbox):
    """A service whose names are not unique: nothing documents that they are."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = json.dumps(ANSWERS[scope["path"].removeprefix(self.REFERENCE_PATH)]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("Only* Jan", "3*#Single#9#1#0"),
        ("Gas Jan", "4#Single#9#1#0"),
        ("Gas EEX Mar", "5#Single#9#4#0"),
        ("Here/There* Jan", "6*#Single#9#1#0"),
        ("here* / there* jan", "6*#Single#9#1#0"),
        ("Here/There* Jan/Mar", "6*#Spread#9#1#4"),
        ("Two Words* Jan", "7*#Single#9#1#0"),
        ("TwoWords* jan", "8*#Single#9#1#0"),
    ],
)
async def test_a_name_that_is_unique_is_found(name: str, symbol: str) -> None:
    async with TrayportClient.sandbox(Service(limits=False)) as client:
        assert str(await client.resolve_contract(name)) == symbol


@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("Twin* Jan", ("1*#Single#9#1#0", "2*#Single#9#1#0")),
        ("Only* Feb", ("3*#Single#9#2#0", "3*#Single#9#3#0")),
        ("Gas Feb", ("4#Single#9#2#0", "4#Single#9#3#0")),
        ("two words* Jan", ("7*#Single#9#1#0", "8*#Single#9#1#0")),
    ],
)
async def test_a_name_given_twice_is_an_error_that_lists_both(
    name: str, symbols: tuple[str, ...]
) -> None:
    async with TrayportClient.sandbox(Service(limits=False)) as client:
        with pytest.raises(TrayportLookupError, match="several contracts") as refused:
            await client.resolve_contract(name)
    assert refused.value.candidates == symbols


# --- at the same time

MARKET = "TTF Hi Cal 51.6*"
NAME = f"{MARKET} Apr-24"


async def requests_for(*names: str) -> int:
    """How many requests it takes to resolve these names at the same time."""
    async with TrayportClient.sandbox() as client:
        await asyncio.gather(*map(client.resolve_contract, names))
        return client.get_metrics().total.requests


@pytest.mark.parametrize("name", [NAME, "TTF Hi Cal 51.6 EEX Apr-24"])
async def test_many_who_ask_for_the_same_name_send_as_many_requests_as_one(name: str) -> None:
    assert await requests_for(*[name] * 10) == await requests_for(name)


async def test_contracts_of_one_market_share_its_look_ups() -> None:
    months = ("Apr-24", "May-24", "Jun-24", "Jul-24", "Aug-24", "Sep-24", "Oct-24", "Nov-24")
    names = [f"{MARKET} {month}" for month in months]
    assert await requests_for(*names, *names) == await requests_for(NAME)


async def test_a_name_that_was_found_sends_nothing_again() -> None:
    async with TrayportClient.sandbox() as client:
        first = await client.resolve_contract(NAME)
        sent = client.get_metrics().total.requests
        assert await client.resolve_contract(NAME) == first
        assert client.get_metrics().total.requests == sent
