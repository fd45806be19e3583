"""What a result is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trayport_spec import SPEC_HASH

if TYPE_CHECKING:
    from ..bulk.progress import RequestRecord
    from ..query.times import Window


class FromRequests:
    """Something made of the answers to requests.

    Attributes:
        requests: What was asked, request by request.
        spec_hash: Which version of the OpenAPI document gave the types.
    """

    def __init__(self, requests: Sequence[RequestRecord]) -> None:
        self.requests = tuple(requests)
        self.spec_hash = SPEC_HASH

    @property
    def request_count(self) -> int:
        """How many requests the table is made of."""
        return len(self.requests)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The ranges that the requests cover, each once; none where they ask for an instant."""
        windows = dict.fromkeys(request.window for request in self.requests)
        return tuple(window for window in windows if window is not None)

    @property
    def seconds(self) -> float:
        """How long the requests took, added up; those under way at the same time count each."""
        return sum(request.seconds for request in self.requests)

    @property
    def bytes_received(self) -> int:
        """Bytes of the answers as they came over the wire."""
        return sum(request.bytes_received for request in self.requests)

    @property
    def bytes_decoded(self) -> int:
        """Bytes of the answers, decompressed."""
        return sum(request.bytes_decoded for request in self.requests)

    @property
    def dropped(self) -> int:
        """Rows left out because they lie at or after the end of the window of their request."""
        return sum(request.dropped for request in self.requests)

    @property
    def odd(self) -> Mapping[str, int]:
        """How often each field was not of its type, and was taken nevertheless."""
        return sum((Counter(request.odd) for request in self.requests), Counter[str]())
