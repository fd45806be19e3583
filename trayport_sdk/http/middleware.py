"""What users put around every request: their own headers, their own records.

Middleware sees a request after the limiter has let it through and before the key is added, and an
answer after the key has been taken out of it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping, Sequence
from inspect import isawaitable
from types import MappingProxyType
from typing import Protocol

from attrs import evolve, field, frozen
from trayport_spec import API_KEY_HEADER

from ..errors import TrayportConfigurationError

OURS = frozenset({API_KEY_HEADER.lower(), "host"})
HEADER_NAME = r"[0-9A-Za-z!#$%&'*+.^_`|~-]+"


def _read_only(mapping: Mapping[str, str]) -> Mapping[str, str]:
    """A copy that nobody can change: what was checked is what is sent."""
    return MappingProxyType(dict(mapping))


@frozen
class Request:
    """A request that is about to be sent.

    Attributes:
        endpoint: The path of the operation, such as `/trades`.
        url: The whole address, with the query.
        parameters: The query.
        headers: The headers to send besides the key; the one thing middleware may change.
        correlation_id: The id that all attempts of one call share.
        attempt: Which attempt of the call it is, from 1.
    """

    endpoint: str
    url: str
    parameters: Mapping[str, str] = field(converter=_read_only)
    headers: Mapping[str, str] = field(repr=False, converter=_read_only)
    correlation_id: str
    attempt: int

    def with_headers(self, **headers: str) -> Request:
        """The request with more headers; an underscore in a name stands for a hyphen."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return evolve(self, headers={**self.headers, **more})

    def __reduce__(self) -> tuple[object, ...]:
        parameters, headers = dict(self.parameters), dict(self.headers)
        values = (self.endpoint, self.url, parameters, headers, self.correlation_id, self.attempt)
        return type(self), values


@frozen
class Response:
    """An answer, whatever its status.

    Attributes:
        request: What was sent.
        status: The HTTP status.
        headers: The headers of the answer.
        body: The body, decompressed; of an error, its beginning.
        seconds: From sending to the last byte.
    """

    request: Request
    status: int
    headers: Mapping[str, str] = field(repr=False, converter=_read_only)
    body: bytes = field(repr=False)
    seconds: float

    def __reduce__(self) -> tuple[object, ...]:
        values = (self.request, self.status, dict(self.headers), self.body, self.seconds)
        return type(self), values


class Middleware(Protocol):
    """Derive from it and override one of the methods or both; either may be `async`.

    What a method raises ends the call as it is; only an error of this package is treated as if the
    request had met it.

    Example:
        >>> class Tagged(Middleware):
        ...     def before(self, request: Request) -> Request:
        ...         return request.with_headers(X_Desk="gas")
    """

    def before(self, request: Request) -> Request | Awaitable[Request | None] | None:
        """Called before a request is sent; a request that is returned is sent in its place."""
        return None

    def after(self, response: Response) -> Awaitable[None] | None:
        """Called with every answer, whatever its status."""
        return None


async def prepared(middleware: Sequence[Middleware], request: Request) -> Request:
    """The request as all middleware leaves it.

    Raises:
        TrayportConfigurationError: Something was changed that is not middleware's to change.
    """
    for one in middleware:
        result = one.before(request)
        changed = await result if isawaitable(result) else result
        if changed is None:
            continue
        if evolve(changed, headers=request.headers) != request or OURS & {
            name.lower() for name in changed.headers
        }:
            raise TrayportConfigurationError(
                f"{type(one).__name__}.before may change headers, other than the key and the "
                "host, and nothing else",
                suggestion="return request.with_headers(...)",
            )
        if unfit := [name for name, value in changed.headers.items() if not _fits(name, value)]:
            raise TrayportConfigurationError(
                f"{type(one).__name__}.before sets headers that cannot be sent: {unfit}",
                suggestion="use printable ASCII, and no space around it",
            )
        request = changed
    return request


def _fits(name: str, value: str) -> bool:
    """Whether a header can be sent; otherwise the connection would be blamed for it."""
    text = value.isascii() and value == value.strip() and value.replace("\t", "").isprintable()
    return re.fullmatch(HEADER_NAME, name) is not None and text


async def informed(middleware: Sequence[Middleware], response: Response) -> None:
    """Hands an answer to all middleware, the last one first."""
    for one in reversed(middleware):
        result = one.after(response)
        if isawaitable(result):
            await result
