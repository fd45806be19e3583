"""What is sent and what comes back, as values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self, TypeVar, cast

from attrs import define, field, frozen
from trayport_spec import ENDPOINTS, Endpoint

from ..errors import QUOTED_CHARACTERS, RequestContext, TrayportConnectionError, TrayportDecodeError
from ..query.times import data_cutoff, instant
from .decompress import DecompressionError, decompressed
from .redaction import Redaction

READ_OF_ERRORS = 1 << 16
JSON = "application/json"

Decoded = TypeVar("Decoded")


@frozen
class ApiRequest:
    """One request to send: the operation and the arguments the generated builder made of it."""

    endpoint: Endpoint
    url: str
    parameters: Mapping[str, str | tuple[str, ...]]
    media_type: str = JSON

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
        parameters = tuple(sorted(self.parameters.items()))
        return self.endpoint.operation_id, self.url, parameters, self.media_type

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


@define
class ApiResponse:
    """An answer with status 200, to be read in a thread while its body arrives.

    Attributes:
        call: What was sent.
        context: The call, as messages and logs show it.
        redaction: Takes the key out of texts.
        raw: The body as it comes over the wire.
        encoding: How it was compressed, as `Content-Encoding` says.
        bytes_received: Its size over the wire, so far.
        bytes_decoded: Its size without compression, as far as it was read.
        seconds: From sending to the last byte; 0 before that has come.
        unexpected: How often a field was not of its type, and was taken nevertheless.
    """

    call: ApiRequest
    context: RequestContext
    redaction: Redaction = field(repr=False)
    raw: Iterable[bytes] = field(repr=False)
    encoding: str = ""
    bytes_received: int = 0
    bytes_decoded: int = 0
    seconds: float = 0.0
    unexpected: Mapping[str, int] = field(factory=dict[str, int])
    _beginning: bytes = field(default=b"", repr=False)

    def chunks(self, keep: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
        """The body without compression, as it arrives.

        Args:
            keep: Gets the body as it came, in parts, before they are decompressed.

        Raises:
            TrayportConnectionError: It was not compressed as it says, or is not whole.
        """
        self._beginning, self.bytes_decoded = b"", 0
        raw = self.raw if keep is None else _shown(self.raw, keep)
        try:
            for chunk in decompressed(raw, self.encoding):
                if len(self._beginning) < READ_OF_ERRORS:
                    self._beginning += chunk[:READ_OF_ERRORS]
                self.bytes_decoded += len(chunk)
                yield chunk
        except DecompressionError as error:
            raise TrayportConnectionError(
                f"the connection failed: {error}", context=self.context, suggestion="try again"
            ) from error

    @property
    def body(self) -> bytes:
        """The whole body without compression."""
        return b"".join(self.chunks())

    def held(self) -> ApiResponse:
        """The answer, once its body has come and is whole; it can then be read many times.

        Raises:
            TrayportConnectionError: It was not compressed as it says, or is not whole.
        """
        self.raw = list(self.raw)
        deque(self.chunks(), maxlen=0)
        return self

    def read(self, decoder: Callable[[str, bytes], Decoded]) -> Decoded:
        """What a decoder makes of the body, its error completed with the request."""
        with self.explained():
            return decoder(self.call.endpoint.operation_id, self.body)

    @contextmanager
    def explained(self) -> Generator[None]:
        """Completes the errors of decoding with the request."""
        try:
            yield
        except TrayportDecodeError as error:
            error.context = self.context
            self.redaction.chain(error)
            # Redacted before it is cut: half a key is still a secret.
            beginning = self.redaction.body(self._beginning[:READ_OF_ERRORS])
            error.body = beginning.decode(errors="replace")[:QUOTED_CHARACTERS]
            raise


def _shown(chunks: Iterable[bytes], keep: Callable[[bytes], object]) -> Iterator[bytes]:
    for chunk in chunks:
        keep(chunk)
        yield chunk


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


def touches_current_day(call: ApiRequest, now: datetime | None = None) -> bool:
    """Whether a request asks for data after the start of the current day in UTC."""
    if call.endpoint.limits.cutoff != "utc-day-start":
        return False
    name = next(p.name for p in call.endpoint.parameters if p.name in ("until", "at"))
    asked = call.parameters.get(name)
    if asked is None:
        return True
    return instant(str(asked), name) > data_cutoff(now or datetime.now(UTC))
