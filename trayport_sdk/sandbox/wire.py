"""Sending answers, whole or broken on purpose."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from attrs import frozen

from trayport_sdk.sandbox.faults import Fault
from trayport_sdk.sandbox.received import Received

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TRANSPORT = "trayport_sandbox.transport"
"""The ASGI extension under which the server passes on the connection's transport."""

# A pause of zero with lingering on makes the kernel reset instead of closing.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_FLUSH_PAUSE = 0.001


@frozen
class Head:
    """The status and headers of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def with_headers(self, *more: tuple[str, str]) -> "Head":
        return Head(self.status, (*self.headers, *more))

    def message(self, *more: tuple[str, str]) -> Message:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers + more]
        return {"type": "http.response.start", "status": self.status, "headers": headers}


@frozen
class Connection:
    """One request's way back; without a transport, broken means an exception."""

    receive: Receive
    send: Send
    transport: asyncio.Transport | None

    def recording(self, record: Received) -> "Connection":
        """The same connection, noting the status that goes over it."""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await self.send(message)

        return Connection(self.receive, send, self.transport)

    async def send_chunks(self, head: Head, chunks: Sequence[bytes]) -> None:
        """A body that is known as a whole."""
        await self.send(head.message(("content-length", str(sum(map(len, chunks))))))
        for chunk in chunks:
            await self._send_body(chunk, more=True)
        await self._send_body(b"", more=False)

    async def send_whole(self, head: Head, body: bytes) -> None:
        await self.send(head.message(("content-length", str(len(body)))))
        await self._send_body(body, more=False)

    async def send_stream(self, head: Head, chunks: AsyncIterator[bytes]) -> None:
        await self.send(head.message())
        async for chunk in chunks:
            if self.transport is not None and self.transport.is_closing():
                # The server drops what it is given once the client has gone.
                return
            await self._send_body(chunk, more=True)
        await self._send_body(b"", more=False)

    async def send_faulty(self, head: Head, body: bytes, faults: Sequence[Fault]) -> None:
        """The body as the faults of the wire let it through."""
        by_kind = {fault.kind: fault for fault in faults}
        drip = by_kind.get("drip")
        if (reset := by_kind.get("reset")) is not None:
            if reset.after_bytes is not None:
                await self._begin(head, body, reset.framing)
                await self._drip(body[: reset.after_bytes], drip)
            await self._reset()
        elif (cut := by_kind.get("cut")) is not None:
            part = len(body) // 2 if cut.after_bytes is None else cut.after_bytes
            await self._begin(head, body, cut.framing)
            await self._drip(body[:part], drip)
            await self._close()
        elif (wrong := by_kind.get("wrong-length")) is not None:
            await self._send_wrong_length(head, body, len(body) + wrong.length_error)
        else:
            await self.send(head.message(("content-length", str(len(body)))))
            await self._drip(body, drip)
            await self._send_body(b"", more=False)

    async def _send_wrong_length(self, head: Head, body: bytes, announced: int) -> None:
        await self.send(head.message(("content-length", str(max(announced, 0)))))
        if self.transport is None:
            await self._send_body(body, more=False)
            return
        # The server would refuse to send what does not fit the announcement.
        self.transport.write(body)
        await self._close()

    async def _begin(self, head: Head, body: bytes, framing: str) -> None:
        announced = (("content-length", str(len(body))),) if framing == "content-length" else ()
        await self.send(head.message(*announced))

    async def _drip(self, body: bytes, drip: Fault | None) -> None:
        if drip is None:
            if body:
                await self._send_body(body, more=True)
            return
        for first in range(0, len(body), drip.chunk):
            chunk = body[first : first + drip.chunk]
            await self._send_body(chunk, more=True)
            await asyncio.sleep(len(chunk) / drip.bytes_per_second)

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def _reset(self) -> None:
        if self.transport is None:
            raise ConnectionResetError("The connection was reset.")
        await self._flush(self.transport)
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()
        await self._wait_for_the_end()

    async def _close(self) -> None:
        if self.transport is None:
            raise ConnectionResetError("The connection was closed early.")
        await self._flush(self.transport)
        self.transport.close()
        await self._wait_for_the_end()

    async def _flush(self, transport: asyncio.Transport) -> None:
        # asyncio tells nobody when a transport has written everything.
        while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_FLUSH_PAUSE)

    async def _wait_for_the_end(self) -> None:
        """Returning before the server knows of the end would make it answer by itself."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
