"""What is sent and what comes back, as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Self, TypeAlias, TypeVar, cast, get_args, get_type_hints

from attrs import define, evolve, field, frozen
from trayport_api.builders import BUILDERS
from trayport_spec import ENDPOINTS, Endpoint

from ..errors import (
    MAX_DEPTH,
    QUOTED_CHARACTERS,
    RequestContext,
    TrayportConnectionError,
    TrayportDecodeError,
)
from ..query.build import end_of_data
from ..query.plan import QueryPlan
from ..query.rules import check, parameters_by_argument
from ..query.times import instant, to_text
from .body import ERROR_BYTES, BodyLimitError, DecompressionError, decompressed
from .redaction import Redaction

JSON = "application/json"
ENDS = ("until", "at")
BLANK = rb"(?:\xef\xbb\xbf)?\s*"
PAGE = "an HTML page came"
NOT_THE_API = (
    "a proxy, a firewall or the login page of a network has responded, or the address of the API "
    "is wrong: open it in a browser, and check analytics_url, reference_url and the proxy"
)
LESS = "ask for less at once, or use a stream or download_raw, whose responses may have any size"

Parameters: TypeAlias = Mapping[str, str | tuple[str, ...]]
Decoded = TypeVar("Decoded")


@frozen
class ApiRequest:
    """One request to send: an operation and the parameters that its generated builder made."""

    endpoint: Endpoint
    url: str
    parameters: Parameters = field(factory=dict[str, str | tuple[str, ...]])
    media_type: str = JSON

    @classmethod
    def of(cls, operation_id: str, **arguments: Any) -> Self:
        """The request of an operation.

        Args:
            operation_id: The operation, as the OpenAPI document names it.
            arguments: The arguments of its generated request builder; enumerations may be given
                by value, instants in nanoseconds. None leaves one out.
        """
        endpoint = ENDPOINTS[operation_id]
        enums = _enums_of(operation_id)
        known = parameters_by_argument(endpoint)
        values: dict[str, Any] = {}
        for name, value in arguments.items():
            if value is not None:
                parameter = known[name]
                convert: Callable[[Any], Any] = enums.get(name, _unchanged)
                if parameter.type == "instant":
                    convert = to_text
                values[name] = [*map(convert, value)] if parameter.repeated else convert(value)
        built = BUILDERS[operation_id](**values)
        sent: Mapping[str, Any] = built.get("params", {})
        return cls(endpoint, built["url"], {n: _text(endpoint, n, v) for n, v in sent.items()})

    @classmethod
    def from_query(cls, query: QueryPlan) -> Self:
        """The request of a query that is one request.

        Raises:
            TrayportValidationError: It breaks a rule of the operation.
        """
        arguments = query.arguments()
        check(query.operation, arguments)
        ending = f"/{query.options.response_format}"
        media_type = next(m for m in query.operation.media_types if m.endswith(ending))
        return evolve(cls.of(query.operation.operation_id, **arguments), media_type=media_type)

    @property
    def identity(self) -> tuple[object, ...]:
        """What two requests for the same thing share."""
        parameters = tuple(sorted(self.parameters.items()))
        return self.endpoint.operation_id, self.url, parameters, self.media_type

    @property
    def shown(self) -> dict[str, str]:
        """The query for messages, with the values of a list in one text."""
        return {n: v if isinstance(v, str) else ",".join(v) for n, v in self.parameters.items()}

    def touches_current_day(self, now: datetime) -> bool:
        """Whether it is about data after the start of the current day in UTC."""
        if self.endpoint.limits.cutoff != "utc-day-start":
            return False
        return self._end is None or self.end_after_data(now) is not None

    @property
    def _end(self) -> tuple[str, str] | None:
        """The parameter that says where its data ends, and its value."""
        return next(((n, str(self.parameters[n])) for n in ENDS if n in self.parameters), None)

    def end_after_data(self, now: datetime) -> tuple[str, str, str] | None:
        """The parameter that ends after the data do, its value, and where they end at a time."""
        if self.endpoint.limits.cutoff is None or self._end is None:
            return None
        last = end_of_data(self.endpoint, now, intraday=False)
        name, end = self._end
        return (name, end, to_text(last)) if instant(end, name) > last else None


def is_page(body: bytes) -> bool:
    """Whether a body begins as HTML does, which the API never sends as data."""
    return re.match(BLANK + rb"<(?!\?xml)", body) is not None


@cache
def free_texts(operation_id: str) -> frozenset[str]:
    """The parameters of an operation whose values are any text."""
    parameters = ENDPOINTS[operation_id].parameters
    return frozenset(p.name for p in parameters if p.type == "string" and not p.enum)


@cache
def _enums_of(operation_id: str) -> Mapping[str, Callable[[Any], Any]]:
    """The enumerations among the arguments of a builder."""
    hints = get_type_hints(BUILDERS[operation_id]).items()
    return {name: enum for name, hint in hints if (enum := _enum_in(hint)) is not None}


def _enum_in(hint: Any) -> type[Enum] | None:
    """The enumeration in a type such as `list[IntervalUnit] | None`."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return next(filter(None, map(_enum_in, get_args(hint))), None)


def _unchanged(value: Any) -> Any:
    return value


def _text(endpoint: Endpoint, name: str, value: object) -> str | tuple[str, ...]:
    if isinstance(value, list):
        texts = tuple(map(_scalar, cast("list[object]", value)))
        return ",".join(texts) if endpoint.parameter(name).separator == "comma" else texts
    return _scalar(value)


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@define
class ApiResponse:
    """A response with status 200, to be read in a thread while its body arrives.

    Attributes:
        request: What was sent.
        context: The request, as messages and logs show it.
        redaction: Takes the key out of texts.
        raw: The body as it comes over the network.
        encoding: How it was compressed, as `Content-Encoding` says.
        bytes_received: Its size over the network, so far.
        bytes_decoded: Its size without compression, as far as it was read.
        seconds: From sending to the last byte; 0 before that has come.
        unexpected: How often a field was not of its type, and was taken nevertheless.
        max_decoded_bytes: How large it may be without compression; None sets no limit.
        max_depth: How deeply its JSON may be nested.
        check: Called between the steps of reading; ends it by an exception when the call is over.
    """

    request: ApiRequest
    context: RequestContext
    redaction: Redaction = field(repr=False)
    raw: Iterable[bytes] = field(repr=False)
    encoding: str = ""
    bytes_received: int = 0
    bytes_decoded: int = 0
    seconds: float = 0.0
    unexpected: Mapping[str, int] = field(factory=dict[str, int])
    max_decoded_bytes: int | None = None
    max_depth: int = MAX_DEPTH
    check: Callable[[], None] = field(default=lambda: None, repr=False)
    _beginning: bytes = field(default=b"", repr=False)

    def chunks(
        self, keep: Callable[[bytes], object] | None = None, *, is_limited: bool = True
    ) -> Iterator[bytes]:
        """The body without compression, as it arrives.

        Args:
            keep: Called with each part of the body as it came, before it is decompressed.
            is_limited: Whether `max_decoded_bytes` is kept.

        Raises:
            TrayportConnectionError: It was not compressed as it says, or is not whole.
            TrayportDecodeError: It is too large.
        """
        self._beginning, self.bytes_decoded = b"", 0
        limit = self.max_decoded_bytes if is_limited else None
        raw = _copied(self.raw, keep)
        try:
            for chunk in decompressed(raw, self.encoding, limit=limit, check=self.check):
                if len(self._beginning) < ERROR_BYTES:
                    is_new = re.fullmatch(BLANK, self._beginning)
                    self._beginning += chunk[:ERROR_BYTES]
                    if is_new and is_page(self._beginning):
                        raise TrayportDecodeError(f"{PAGE} instead of data", suggestion=NOT_THE_API)
                self.bytes_decoded += len(chunk)
                yield chunk
        except DecompressionError as error:
            raise TrayportConnectionError(
                f"the connection failed: {error}", context=self.context, suggestion="try again"
            ) from error
        except BodyLimitError as error:
            raise _refused(error) from error

    @property
    def body(self) -> bytes:
        """The whole body without compression."""
        return b"".join(self.chunks())

    def read(self, decoder: Callable[[str, Iterable[bytes], int], Decoded]) -> Decoded:
        """The decoded body; an error of the decoder is completed with the request.

        Args:
            decoder: Called with the operation, the body as it arrives, and `max_depth`.
        """
        operation_id = self.request.endpoint.operation_id
        with self.explained():
            return decoder(operation_id, self.chunks(), self.max_depth)

    @contextmanager
    def explained(self) -> Generator[None]:
        """Completes the errors of decoding with the request."""
        try:
            try:
                yield
            except MemoryError as error:
                raise TrayportDecodeError(
                    "the response needs more memory than there is, "
                    f"{self.bytes_decoded:,} bytes into it",
                    suggestion=LESS,
                    retryable=False,
                ) from error
        except TrayportDecodeError as error:
            error.context = self.context
            self.redaction.chain(error)
            # Redacted before it is cut: half a key is still a secret.
            beginning = self.redaction.body(self._beginning[:ERROR_BYTES])
            error.body = beginning.decode(errors="replace")[:QUOTED_CHARACTERS]
            raise


def _refused(error: BodyLimitError) -> TrayportDecodeError:
    message = f"the response was not read: {error}"
    if error.limit is None:
        return TrayportDecodeError(message, retryable=False)
    message += " without compression, the setting max_decoded_bytes"
    suggestion = f"{LESS}, or raise max_decoded_bytes"
    return TrayportDecodeError(message, suggestion=suggestion, retryable=False)


def _copied(chunks: Iterable[bytes], keep: Callable[[bytes], object] | None) -> Iterator[bytes]:
    for chunk in chunks:
        if keep is not None:
            keep(chunk)
        yield chunk
