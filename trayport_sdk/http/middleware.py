"""What users put around every request: their own headers, their own records.

Middleware sees a request after the limiter has let it through and before the key is added, and an
answer after the key has been taken out of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from inspect import isawaitable
from typing import Protocol

from attrs import field, frozen
from trayport_spec import API_KEY_HEADER

from ..errors import TrayportConfigurationError

OURS = frozenset({API_KEY_HEADER.lower(), "host"})


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
    parameters: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    correlation_id: str
    attempt: int

    def with_headers(self, **headers: str) -> Request:
        """The request with more headers; an underscore in a name stands for a hyphen."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(
            self.endpoint,
            self.url,
            self.parameters,
            {**self.headers, **more},
            self.correlation_id,
            self.attempt,
        )


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
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float


class Middleware(Protocol):
    """Derive from it and override one of the methods or both; either may be `async`.

    What a method raises ends the call.

    Example:
        >>> class Tagged(Middleware):
        ...     def before(self, request: Request) -> Request:
        ...         return request.with_headers(X_Desk="gas")
    """

    def before(self, request: Request) -> Request | Awaitable[Request | None] | None:
        """Called before a request is sent; a request that is returned is sent in its place."""
        return None

    def after(self, response: Response) -> Awaitable[None] | None:
        """Called with every answer that came whole."""
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
        same = (request.url, request.correlation_id, request.attempt)
        if (changed.url, changed.correlation_id, changed.attempt) != same or OURS & {
            name.lower() for name in changed.headers
        }:
            raise TrayportConfigurationError(
                f"{type(one).__name__}.before may change headers, other than the key and the "
                "host, and nothing else",
                suggestion="return request.with_headers(...)",
            )
        request = changed
    return request


async def informed(middleware: Sequence[Middleware], response: Response) -> None:
    """Hands an answer to all middleware, the last one first."""
    for one in reversed(middleware):
        result = one.after(response)
        if isawaitable(result):
            await result
