"""Has an answer read in a thread while its body arrives, no faster than it is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

import httpx

from .body import Pipe
from .messages import ApiResponse

Read = TypeVar("Read")


async def streamed(
    response: httpx.Response,
    answer: ApiResponse,
    read: Callable[[ApiResponse], Read],
    threads: Executor,
    started: float,
) -> Read:
    """What comes of reading an answer.

    Args:
        response: The response, of which the head has come.
        answer: What is read, completed on the way.
        read: Reads it, in a thread.
        threads: The threads for that.
        started: When the request was sent, by `time.perf_counter`.

    Raises:
        httpx.HTTPError: The body broke off.
        TrayportDecodeError: It is not what it should be; the rest of it is not waited for.
    """
    pipe = Pipe()
    answer.raw = pipe

    def reading() -> Read:
        try:
            return read(answer)
        finally:
            pipe.abandon()

    async def filling() -> None:
        async for chunk in response.aiter_raw():
            answer.bytes_received += len(chunk)
            await pipe.put(chunk)
        answer.seconds = time.perf_counter() - started
        pipe.end()

    result = asyncio.get_running_loop().run_in_executor(threads, reading)
    # Read here: nobody waits for it when the connection breaks.
    result.add_done_callback(lambda done: done.cancelled() or done.exception())
    fill = asyncio.create_task(filling())
    either: set[asyncio.Future[Any]] = {fill, result}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if fill.done():
            fill.result()
        return await result
    finally:
        pipe.break_off()
        fill.cancel()
        await asyncio.wait({fill})
