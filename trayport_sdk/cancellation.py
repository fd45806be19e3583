"""Cancelled calls that return what was complete by then.

A bulk call that is cancelled, by Ctrl-C too, returns what has come, and says so. The task it runs
in is still meant to end: the next market data it asks for is cancelled, so that no loop goes on.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

# How often a task had been told to end when a call of it last answered that by a result.
_returned: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()


def returns_what_is_complete() -> None:
    """Notes that the cancellation of the current task was answered by a result."""
    task = asyncio.current_task()
    if task is not None:
        _returned[task] = task.cancelling()


def not_cancelled() -> None:
    """Goes on unless the current task was told to end during an earlier call.

    Raises:
        CancelledError: It was. A timeout that has run out, and was left, cancels no more.
    """
    task = asyncio.current_task()
    returned = 0 if task is None else _returned.get(task, 0)
    if task is not None and 0 < returned <= task.cancelling():
        raise asyncio.CancelledError("the task was cancelled during an earlier call")
