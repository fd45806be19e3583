"""The smallest request there is to each API: whether it answers, and takes the key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import evolve
from trayport_api.api.reference import get_sequences
from trayport_api.api.trades import get_activity

from ..http.messages import ApiRequest, ApiResponse
from ..tables.decode import decoder as decode

if TYPE_CHECKING:
    from ..http.session import Session

# A minute of a night on a weekend: of all that can be asked without naming a contract, the least.
CALLS = {
    "analytics": ApiRequest.of(
        "get_activity",
        get_activity.get_kwargs(from_="2024-01-06T03:00:00Z", until="2024-01-06T03:01:00Z"),
    ),
    "reference": ApiRequest.of("get_sequences", get_sequences.get_kwargs()),
}


def probe_of(session: Session) -> Callable[[str], Awaitable[None]]:
    """Sends one request to an API, once, without a record of its failure.

    The result raises a `TrayportError` when the API does not answer or refuses the key.
    """
    retry = evolve(session.policy.retry, retries=0)
    single = session.without_records().with_policy(evolve(session.policy, retry=retry))

    async def probe(api: str) -> None:
        await single.fetch(CALLS[api], _proven, priority="high")

    return probe


def _proven(answer: ApiResponse) -> None:
    answer.read(decode.decode_response)
