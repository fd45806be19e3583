"""What users hand to a client to take part in its requests: hooks, and a transport.

Event hooks are httpx's, and see every physical request that the limiter has granted. They may add
headers and read bodies. They cannot change the address or the query of a request, do not see the
key, and cannot change how a response is read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any, Self, TypeAlias, cast

import httpx
from attrs import evolve, frozen
from trayport_spec import API_KEY_HEADER

from ..errors import RequestContext, TrayportConfigurationError, TrayportError
from ..telemetry.events import BreakerEvent, Event, RetryEvent

EventHook: TypeAlias = Callable[[Any], Awaitable[None]]
EventHooks: TypeAlias = Mapping[str, Sequence[EventHook]]
"""Lists of asynchronous functions under `"request"` and `"response"`, as httpx takes them."""
OnRetry: TypeAlias = Callable[[RetryEvent], None]
OnBreakerChange: TypeAlias = Callable[[BreakerEvent], None]

KINDS = ("request", "response")
# What httpx sends in place of the address, and whose certificate it takes.
LEADING_ELSEWHERE = {"target", "sni_hostname"}
_HEADER_NAME = re.compile(rb"[0-9A-Za-z!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(rb"[!-~]([ \t!-~]*[!-~])?|")


@frozen
class Hooks:
    """The hooks of one client.

    Raises:
        TrayportConfigurationError: A hook or the transport is of the wrong kind.
    """

    event_hooks: EventHooks | None = None
    transport: httpx.AsyncBaseTransport | None = None
    on_retry: OnRetry | None = None
    on_breaker_change: OnBreakerChange | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("on_retry", "on_breaker_change"):
            if iscoroutinefunction(getattr(self, name)):
                raise TrayportConfigurationError(
                    f"{name} is asynchronous, and would not be awaited",
                    suggestion="hand over a plain function; it may start a task",
                )
        for kind in self.event_hooks or {}:
            if kind not in KINDS:
                raise TrayportConfigurationError(
                    f"event_hooks has the key {kind!r}, which is unknown",
                    suggestion=f"use {' and '.join(map(repr, KINDS))}, as httpx does",
                )
            hooks: Any = (self.event_hooks or {})[kind]
            each = cast("Sequence[object]", hooks)
            if not isinstance(hooks, Sequence) or not all(map(callable, each)):
                raise TrayportConfigurationError(
                    f"event_hooks[{kind!r}] is {hooks!r:.80}, which is no list of functions",
                    suggestion="give a list of asynchronous functions, as httpx takes them",
                )
        transport: Any = self.transport
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise TrayportConfigurationError(
                f"transport is {transport!r:.80}, which is no httpx.AsyncBaseTransport",
                suggestion="give an asynchronous transport, such as httpx.AsyncHTTPTransport()",
            )

    def __call__(self, event: Event) -> None:
        """Calls the hook that an event belongs to."""
        if isinstance(event, RetryEvent) and self.on_retry is not None:
            self.on_retry(event)
        elif isinstance(event, BreakerEvent) and self.on_breaker_change is not None:
            self.on_breaker_change(event)

    def joined_by(self, hook: EventHook) -> Self:
        """The same hooks, with one more for responses."""
        given = self.event_hooks or {}
        return evolve(self, event_hooks={**given, "response": [*self._of("response"), hook]})

    def _of(self, kind: str) -> Sequence[EventHook]:
        return (self.event_hooks or {}).get(kind, ())

    async def before(self, request: httpx.Request, context: RequestContext) -> None:
        """Calls the hooks for requests.

        Raises:
            TrayportConfigurationError: A hook failed, or changed the address or the query.
        """
        allowed = request.method, request.url, request.headers["Host"]
        for hook in self._of("request"):
            try:
                await hook(request)
            except Exception as error:
                raise _explained("request", error, context) from error
        left = request.method, request.url, request.headers.get("Host")
        if (
            left != allowed
            or API_KEY_HEADER in request.headers
            or LEADING_ELSEWHERE & request.extensions.keys()
        ):
            raise TrayportConfigurationError(
                "an event hook for requests may change headers, other than the key and the host, "
                "and nothing else",
                context=context,
                suggestion="ask for other data by the arguments of the call",
            )
        if unfit := [
            name.decode(errors="replace")
            for name, value in request.headers.raw
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value))
        ]:
            raise TrayportConfigurationError(
                f"an event hook for requests sets headers that cannot be sent: {unfit}",
                context=context,
                suggestion="use printable ASCII, and no space around it",
            )

    async def after(
        self, response: httpx.Response, context: RequestContext
    ) -> AsyncIterable[bytes]:
        """Calls the hooks for responses; returns the body as it came, whether they read it or not.

        Raises:
            TrayportConfigurationError: A hook failed, or read a part of the body.
            httpx.HTTPError: The body broke off while a hook read it.
        """
        body = cast("httpx.AsyncByteStream", response.stream)
        copy = _Copy(body)
        response.stream = copy
        # A transport of the user may have made a response that is read and closed.
        untouched = response.is_stream_consumed, response.is_closed
        for hook in self._of("response"):
            try:
                await hook(response)
            except Exception as error:
                if error is copy.failure or isinstance(error, httpx.DecodingError):
                    raise  # of the connection, and not of the hook
                raise _explained("response", error, context) from error
        if copy.is_whole:
            return copy.again()
        if (response.is_stream_consumed, response.is_closed) != untouched:
            raise TrayportConfigurationError(
                "an event hook for responses has not read the whole body",
                context=context,
                suggestion="use `await response.aread()`, or leave the body alone",
            )
        return body


class _Copy(httpx.AsyncByteStream):
    """The body of a response, which keeps what a hook reads of it."""

    def __init__(self, body: httpx.AsyncByteStream) -> None:
        self._body = body
        self.is_whole = False
        self.failure: Exception | None = None
        self._chunks: list[bytes] = []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._body:
                self._chunks.append(chunk)
                yield chunk
        except Exception as error:
            self.failure = error
            raise
        self.is_whole = True

    async def again(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


def _explained(kind: str, error: Exception, context: RequestContext) -> TrayportError:
    """The error of a hook, explained; errors of this package are returned as they are."""
    if isinstance(error, TrayportError):
        return error
    return TrayportConfigurationError(
        f"an event hook for {kind}s failed: {type(error).__name__}: {error}",
        context=context,
        suggestion="correct the hook; what it raises ends the call",
    )
