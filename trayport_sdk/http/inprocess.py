"""Requests to an ASGI application in this process, as if they crossed a network."""

from __future__ import annotations

from typing import Any

import httpx


class InProcessTransport(httpx.AsyncBaseTransport):
    """Sends requests straight into an application; no socket is opened.

    An application that breaks the connection raises an `OSError`; the caller sees what it would see
    of a real connection.
    """

    def __init__(self, application: Any) -> None:
        self._inner = httpx.ASGITransport(application)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except OSError as error:
            raise httpx.ReadError(str(error), request=request) from error
