"""Reads reference data, by way of the cache; the base class of the generated methods for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from trayport_spec import ENDPOINTS

from ..errors import TrayportDecodeError, TrayportStaleDataWarning
from ..http.messages import ApiRequest, ApiResponse
from ..query.rules import checked_value, parameters_by_argument
from ..query.times import instant
from ..query.warn import warn
from ..tables.decode.decoder import decode_documents
from ..telemetry.events import StaleEvent
from .cache import Entry, Instead, ReferenceCache, ReferenceList

if TYPE_CHECKING:
    from ..http.session import Session

__all__ = ["ReferenceList", "ReferenceOperations", "ReferenceReader"]

Model = TypeVar("Model")


class ReferenceOperations:
    """Methods that read reference data."""

    def __init__(self, reader: ReferenceReader) -> None:
        self._reader = reader


class ReferenceReader:
    """Reads reference data, from the cache where it has it.

    Args:
        session: Sends requests.
        cache: What was read before, shared with other readers of the same client.

    Attributes:
        requests: How many requests it has sent.
    """

    def __init__(self, session: Session, cache: ReferenceCache) -> None:
        self._session = session
        self.cache = cache
        self.requests = 0

    def with_cache(self, cache: ReferenceCache) -> ReferenceReader:
        """A reader with another cache."""
        return ReferenceReader(self._session, cache)

    async def item(self, operation_id: str, model: type[Model], **arguments: Any) -> Model:
        """The one item that an operation responds with."""
        (item,) = await self.rows(operation_id, model, **arguments)
        return item

    async def rows(
        self, operation_id: str, model: type[Model], **arguments: Any
    ) -> ReferenceList[Model]:
        """The items that an operation responds with.

        Args:
            operation_id: The operation.
            model: What the items become.
            arguments: Under the names of the request builder; those that are None are left out.
        """
        entry = await self.entry(operation_id, model, **arguments)
        # A copy: changes of a user to their list must not appear in later responses.
        return entry.rows.where(lambda _: True)

    async def entry(self, operation_id: str, model: type[Model], **arguments: Any) -> Entry[Model]:
        """The same as it is in the cache, to be read only."""
        request = request_of(operation_id, **arguments)
        make: Any = model

        async def fetch(instead: Instead) -> ReferenceList[Model]:
            self.requests += 1
            return await self._session.fetch(request, read, priority="high", instead=instead)

        def read(response: ApiResponse) -> ReferenceList[Model]:
            documents = response.read(decode_documents)
            with response.explained():
                _check_id(request, documents)
            rows = ReferenceList[Model](map(make.from_dict, documents), datetime.now(UTC))
            self.cache.save(request, documents, rows.read_at)
            return rows

        entry = await self.cache.get(request, make.from_dict, fetch)
        if entry.rows.stale:
            age = max(0.0, (datetime.now(UTC) - entry.rows.read_at).total_seconds())
            self._session.notify(StaleEvent(request.endpoint.path, age))
            warn(
                f"{request.endpoint.path}: the service fails; this response is {age:.0f} seconds "
                "old",
                TrayportStaleDataWarning,
            )
        return entry


def request_of(operation_id: str, **arguments: Any) -> ApiRequest:
    """The request of an operation, whose arguments are checked."""
    parameters = parameters_by_argument(ENDPOINTS[operation_id])
    given: dict[str, Any] = {}
    for name, value in arguments.items():
        if value is not None:
            parameter = parameters[name]
            value = instant(value, name) if parameter.type == "instant" else value
            given[name] = checked_value(parameter, name, value)
    return ApiRequest.of(operation_id, **given)


def _check_id(request: ApiRequest, documents: Sequence[Mapping[str, Any]]) -> None:
    """Checks that an item is the one that its path names at the end."""
    if request.endpoint.path.endswith("}"):
        (item,) = documents
        if request.url.rpartition("/")[2] != str(item["id"]):
            message = f"{request.url} was asked for, and the response is about {item['id']}"
            raise TrayportDecodeError(message, field="id")
