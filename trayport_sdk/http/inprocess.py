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
            response = await self._inner.handle_async_request(request)
        except OSError as error:
            raise httpx.ReadError(str(error), request=request) from error
        body = b"".join([part async for part in response.aiter_raw()])
        announced = response.headers.get("Content-Length")
        if announced is not None and int(announced) != len(body):
            raise httpx.RemoteProtocolError(
                f"the body has {len(body)} bytes, {announced} were announced", request=request
            )
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx.ByteStream(body),
            extensions=response.extensions,
        )
