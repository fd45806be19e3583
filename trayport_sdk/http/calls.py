"""What is sent and what comes back, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self, TypeVar, cast

from attrs import field, frozen
from trayport_spec import ENDPOINTS, Endpoint

from ..errors import QUOTED_CHARACTERS, RequestContext, TrayportDecodeError
from ..times import data_cutoff, instant
from .redaction import Redaction

READ_OF_ERRORS = 1 << 16

Decoded = TypeVar("Decoded")


@frozen
class Call:
    """One request to send: the operation and the arguments the generated builder made of it."""

    endpoint: Endpoint
    url: str
    parameters: Mapping[str, str | tuple[str, ...]]

    @classmethod
    def of(cls, operation_id: str, kwargs: Mapping[str, Any]) -> Self:
        """The call that the keyword arguments of a generated builder describe."""
        endpoint = ENDPOINTS[operation_id]
        values: Mapping[str, Any] = kwargs.get("params", {})
        return cls(
            endpoint, kwargs["url"], {name: _text(endpoint, name, v) for name, v in values.items()}
        )

    @property
    def identity(self) -> tuple[object, ...]:
        """What two calls share that ask the same."""
        return self.endpoint.operation_id, self.url, tuple(sorted(self.parameters.items()))

    @property
    def shown(self) -> dict[str, str]:
        """The query for messages, with the values of a list in one text."""
        return {n: v if isinstance(v, str) else ",".join(v) for n, v in self.parameters.items()}


def _text(endpoint: Endpoint, name: str, value: object) -> str | tuple[str, ...]:
    if isinstance(value, list):
        texts = tuple(_scalar(item) for item in cast("list[object]", value))
        return ",".join(texts) if endpoint.parameter(name).separator == "comma" else texts
    return _scalar(value)


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@frozen
class Answer:
    """A whole answer with status 200."""

    call: Call
    context: RequestContext
    body: bytes = field(repr=False)
    bytes_received: int
    seconds: float
    redaction: Redaction = field(repr=False)

    def read(self, decoder: Callable[[str, bytes], Decoded]) -> Decoded:
        """What a decoder makes of the body, its error completed with the request."""
        try:
            return decoder(self.call.endpoint.operation_id, self.body)
        except TrayportDecodeError as error:
            error.context = self.context
            self.redaction.chain(error)
            # Redacted before it is cut: half a key is still a secret.
            beginning = self.redaction.body(self.body[:READ_OF_ERRORS])
            error.body = beginning.decode(errors="replace")[:QUOTED_CHARACTERS]
            raise


@frozen
class Attempt:
    """One sending of a call.

    Attributes:
        context: The call, as messages and logs show it.
        number: Which attempt of the call it is, from 1.
        timeout: Seconds to wait for the next part of the answer.
        seconds: Seconds that the whole answer may take, middleware included; None sets no end.
    """

    context: RequestContext
    number: int = 1
    timeout: float = 60.0
    seconds: float | None = None


def touches_current_day(call: Call, now: datetime | None = None) -> bool:
    """Whether a request asks for data after the start of the current day in UTC."""
    if call.endpoint.limits.cutoff != "utc-day-start":
        return False
    name = next(p.name for p in call.endpoint.parameters if p.name in ("until", "at"))
    asked = call.parameters.get(name)
    if asked is None:
        return True
    return instant(str(asked), name) > data_cutoff(now or datetime.now(UTC))
