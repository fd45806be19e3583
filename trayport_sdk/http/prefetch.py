"""Fetches the next window of somebody who walks through time call by call.

Two calls that ask the same of two windows, one right after the other, are a walk: the window that
follows is fetched with low priority while the caller still works on the last one. An answer that
nobody comes for costs a request, so this is for those who ask for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from ..errors import TrayportError
from ..query.times import data_cutoff, instant, to_text
from ..tables.decode import decoder as decode
from .messages import ApiRequest, ApiResponse

if TYPE_CHECKING:
    from .limiter.queue import Priority
    from .session import Sender

Read = TypeVar("Read")

WALKS = 16
AHEAD = 2


class Prefetch:
    """A `Sender` that is one window ahead of whoever walks.

    Remembers a bounded number of walks, and holds a bounded number of answers ahead.

    Args:
        sender: Sends the calls of the caller.
        ahead: Sends the calls that nobody has made yet; their failures concern nobody.
        now: The time of day in UTC.
    """

    def __init__(
        self,
        sender: Sender,
        ahead: Callable[
            [ApiRequest, Callable[[ApiResponse], ApiResponse]], Coroutine[Any, Any, ApiResponse]
        ],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sender = sender
        self._fetch_ahead = ahead
        self._now = now
        self._ends: OrderedDict[Hashable, str] = OrderedDict()
        self._ahead: OrderedDict[Hashable, asyncio.Task[ApiResponse]] = OrderedDict()

    async def fetch(
        self,
        call: ApiRequest,
        read: Callable[[ApiResponse], Read],
        *,
        priority: Priority = "normal",
        instead: Callable[[TrayportError], Read | None] | None = None,
    ) -> Read:
        """The answer fetched ahead, if there is one; else a new one."""
        task = self._ahead.pop(call.identity, None)
        self._walk(call)
        if task is not None:
            try:
                return await asyncio.to_thread(read, await task)
            except TrayportError:
                # It was only a try: the call itself finds out what is wrong, and tells it.
                pass
        return await self._sender.fetch(call, read, priority=priority, instead=instead)

    def give_up(self, call: ApiRequest, error: TrayportError) -> None:
        """Passes on that a call has failed for good."""
        self._sender.give_up(call, error)

    def _walk(self, call: ApiRequest) -> None:
        """Notes where a call ends, and looks ahead if it began where one like it ended."""
        from_, until = call.parameters.get("from"), call.parameters.get("until")
        if not isinstance(from_, str) or not isinstance(until, str):
            return
        others = {n: v for n, v in call.parameters.items() if n not in ("from", "until")}
        walk = evolve(call, parameters=others).identity
        began_at_last_end = self._ends.get(walk) == from_
        self._ends[walk] = until
        self._ends.move_to_end(walk)
        if len(self._ends) > WALKS:
            self._ends.popitem(last=False)
        if began_at_last_end:
            end = 2 * instant(until, "until") - instant(from_, "from_")
            if end <= data_cutoff(self._now()):
                window = {"from": until, "until": to_text(end)}
                self._look_ahead(evolve(call, parameters={**call.parameters, **window}))

    def _look_ahead(self, call: ApiRequest) -> None:
        if call.identity in self._ahead:
            return
        task = asyncio.create_task(self._fetch_ahead(call, _proven))
        # Read here, because an answer that nobody comes for may have failed as well.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._ahead[call.identity] = task
        while len(self._ahead) > AHEAD:
            _, forgotten = self._ahead.popitem(last=False)
            forgotten.cancel()

    async def aclose(self) -> None:
        """Gives up what is on its way."""
        tasks = list(self._ahead.values())
        self._ahead.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _proven(answer: ApiResponse) -> ApiResponse:
    answer.held().read(decode.answer)
    return answer
