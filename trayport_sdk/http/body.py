"""Hands the bytes of a body from the event loop, where they arrive, to a thread that reads them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator

HELD = 1 << 18
"""Bytes that may wait for the thread; then no more are taken from the connection."""

LOOKED_AFTER = 1.0
"""Seconds without bytes after which the thread looks whether the event loop is still there."""


class BrokenOff(Exception):  # noqa: N818  (it tells the thread to stop, and nobody else)
    """What was read is not all there should be, and the rest will not come."""


class Pipe:
    """A bounded line of bytes, filled by the event loop and emptied by one thread.

    Attributes:
        is_starved: Whether the thread waits for bytes, and none are on their way to it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._room.set()
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._is_full = self._is_ended = self._is_broken = self._is_abandoned = False
        self.is_starved = False

    async def put(self, chunk: bytes) -> None:
        """Adds bytes, once there is room for them; when nobody reads any more, they are dropped."""
        await self._room.wait()
        with self._changed:
            if self._is_abandoned:
                return
            self.is_starved = False
            self._waiting.append(chunk)
            self._size += len(chunk)
            if self._size > HELD:
                self._is_full = True
                self._room.clear()
            self._changed.notify()

    def end(self) -> None:
        """Tells that everything has come."""
        with self._changed:
            self._is_ended, self.is_starved = True, False
            self._changed.notify()

    def break_off(self) -> None:
        """Tells that nothing more comes, although not everything has come."""
        with self._changed:
            self._is_broken, self.is_starved = True, False
            self._waiting.clear()
            self._changed.notify()

    def abandon(self) -> None:
        """Tells, in the thread, that nobody reads any more."""
        with self._changed:
            self._is_abandoned = True
            self._waiting.clear()
            self._size = 0
            self._open()

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, as they come.

        Raises:
            BrokenOff: The rest will not come.
        """
        while True:
            with self._changed:
                while not self._changed.wait_for(self._has_news, LOOKED_AFTER):
                    if self._loop.is_closed():  # it ended without a word, and brings nothing more
                        raise BrokenOff
                if self._is_broken:
                    raise BrokenOff
                if not self._waiting:
                    return
                chunk = self._waiting.popleft()
                self._size -= len(chunk)
                if self._size <= HELD // 2:
                    self._open()
            yield chunk

    def _has_news(self) -> bool:
        self.is_starved = not (self._waiting or self._is_ended or self._is_broken)
        return not self.is_starved

    def _open(self) -> None:
        """Lets the event loop put more, if it waits."""
        if self._is_full:
            self._is_full = False
            self._loop.call_soon_threadsafe(self._room.set)
