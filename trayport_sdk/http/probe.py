"""The smallest request there is to each API: whether it answers, and takes the key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import evolve

from .. import decode
from ..errors import TrayportAPIError
from .calls import Answer, Call

if TYPE_CHECKING:
    from .wire import Wire

REFUSALS_OF_IDS = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)

# The contract need not exist: whoever says so in a problem document has let the key in.
CALLS = {
    "analytics": Call.of(
        "get_last_trade",
        {
            "url": "/trades/last",
            "params": {
                "marketId": 1,
                "sequenceId": 1,
                "sequenceItemId": 1,
                "contractType": "SinglePeriod",
                "at": "2024-01-02T12:00:00Z",
            },
        },
    ),
    "reference": Call.of("get_sequences", {"url": "/sequences"}),
}


def probe_of(wire: Wire) -> Callable[[str], Awaitable[None]]:
    """Sends one request to an API, once, without a record of its failure.

    The result raises a `TrayportError` when the API does not answer or refuses the key.
    """
    retry = evolve(wire.policy.retry, retries=0)
    single = wire.without_records().with_policy(evolve(wire.policy, retry=retry))

    async def probe(api: str) -> None:
        try:
            await single.fetch(CALLS[api], _proven, priority="high")
        except TrayportAPIError as error:
            if error.status_code not in REFUSALS_OF_IDS or not error.body.startswith("{"):
                raise

    return probe


def _proven(answer: Answer) -> None:
    answer.read(decode.decode)
