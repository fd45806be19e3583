"""The base classes of the generated methods: rows by a runner, reference data by a reader."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from trayport_spec import ENDPOINTS

from ..errors import (
    TrayportCircuitBreakerError,
    TrayportDecodeError,
    TrayportError,
    TrayportStaleDataWarning,
)
from ..http.messages import ApiRequest, ApiResponse
from ..query.rules import checked_value, parameters_by_argument
from ..query.times import instant
from ..tables.decode.decoder import decode_documents
from ..telemetry.events import StaleEvent

if TYPE_CHECKING:
    from ..bulk.runner import Runner
    from ..http.session import Session

Model = TypeVar("Model")

RESPONSES_KEPT = 64


class RowOperations:
    """Methods whose rows come as tables."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner


class ReferenceOperations:
    """Methods that read reference data."""

    def __init__(self, reader: ReferenceReader) -> None:
        self._reader = reader


class ReferenceList(list[Model]):
    """A list of reference data that knows when it was read.

    Attributes:
        read_at: When the service sent it, in UTC.
        stale: Whether it was served from memory because the service keeps failing.
    """

    def __init__(self, rows: Iterable[Model], read_at: datetime, *, stale: bool = False) -> None:
        super().__init__(rows)
        self.read_at = read_at
        self.stale = stale

    def where(self, wanted: Callable[[Model], bool]) -> ReferenceList[Model]:
        """The part of the list that is wanted."""
        return ReferenceList(filter(wanted, self), self.read_at, stale=self.stale)


class LastResponses:
    """The responses that were read last, a bounded number of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, ReferenceList[Any]] = OrderedDict()

    def keep(self, request: Hashable, rows: ReferenceList[Any]) -> None:
        """Remembers a response, and forgets the one that was used longest ago."""
        # A copy: changes of a user to their list must not appear in later responses.
        self._kept[request] = _stale(rows)
        self._kept.move_to_end(request)
        if len(self._kept) > RESPONSES_KEPT:
            self._kept.popitem(last=False)

    def find(self, request: Hashable) -> ReferenceList[Any] | None:
        """The last response to a request, marked as stale, if it is remembered."""
        if request not in self._kept:
            return None
        self._kept.move_to_end(request)
        return _stale(self._kept[request])


def _stale(rows: ReferenceList[Any]) -> ReferenceList[Any]:
    return ReferenceList(rows, rows.read_at, stale=True)


class ReferenceReader:
    """Reads reference data, and serves the last response while the service keeps failing.

    Args:
        session: Sends requests.
        last: Where the last responses are remembered, or None.
    """

    def __init__(self, session: Session, last: LastResponses | None) -> None:
        self._session = session
        self._last = last

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
        parameters = parameters_by_argument(ENDPOINTS[operation_id])
        given: dict[str, Any] = {}
        for name, value in arguments.items():
            if value is not None:
                parameter = parameters[name]
                value = instant(value, name) if parameter.type == "instant" else value
                given[name] = checked_value(parameter, name, value)
        request = ApiRequest.of(operation_id, **given)

        def read(response: ApiResponse) -> ReferenceList[Model]:
            documents = response.read(decode_documents)
            with response.explained():
                _check_id(request, documents)
            make: Any = model
            return ReferenceList(map(make.from_dict, documents), datetime.now(UTC))

        rows = await self._session.fetch(
            request, read, priority="high", instead=lambda error: self._stale(request, error)
        )
        if self._last is not None and not rows.stale:
            self._last.keep(request.identity, rows)
        return rows

    def _stale(self, request: ApiRequest, error: TrayportError) -> ReferenceList[Any] | None:
        """The last response to a request that the circuit breaker refuses."""
        if not isinstance(error, TrayportCircuitBreakerError):
            return None
        rows = None if self._last is None else self._last.find(request.identity)
        if rows is not None:
            age = (datetime.now(UTC) - rows.read_at).total_seconds()
            self._session.notify(StaleEvent(request.endpoint.path, age))
            warnings.warn(
                f"{request.endpoint.path}: the service keeps failing; this response is {age:.0f} "
                f"seconds old ({error.suggestion})",
                TrayportStaleDataWarning,
                stacklevel=2,
            )
        return rows


def _check_id(request: ApiRequest, documents: Sequence[Mapping[str, Any]]) -> None:
    """Checks that an item is the one that its path names at the end."""
    if request.endpoint.path.endswith("}"):
        (item,) = documents
        if request.url.rpartition("/")[2] != str(item["id"]):
            message = f"{request.url} was asked for, and the response is about {item['id']}"
            raise TrayportDecodeError(message, field="id")
