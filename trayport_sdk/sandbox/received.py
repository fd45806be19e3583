"""The log of what a sandbox was asked."""

import hashlib
from collections import deque
from urllib.parse import urlencode

from attrs import asdict, define
from trayport_spec import Endpoint

from trayport_sdk.sandbox.queries import Query

_KEPT = 100_000
_DIGITS_OF_HASH = 12


@define
class Received:
    """A request as it came in, and the status it was answered with.

    The query has its names in the API's own spelling, in order of the alphabet; `key_hash` tells
    keys apart without showing them and is empty when there was none; `connection` is the other end,
    as `host:port`, which requests on one connection share.
    """

    method: str
    path: str
    query: str
    key_hash: str
    arrived_ns: int
    connection: str
    status: int | None = None

    def document(self) -> dict[str, object]:
        return asdict(self)


def new_log() -> deque[Received]:
    return deque(maxlen=_KEPT)


def key_hash(key: str | None) -> str:
    return "" if key is None else hashlib.sha256(key.encode()).hexdigest()[:_DIGITS_OF_HASH]


def canonical_query(endpoint: Endpoint | None, query: Query) -> str:
    known = {p.name.lower(): p.name for p in endpoint.parameters} if endpoint is not None else {}
    pairs = [
        (known.get(name, name), value or "") for name, values in query.items() for value in values
    ]
    return urlencode(sorted(pairs))
