import asyncio
from collections.abc import Iterator

import pytest

from trayport_sdk.http.body import HELD, BrokenOff, Pipe

pytestmark = pytest.mark.anyio


async def test_the_thread_reads_what_the_loop_puts() -> None:
    pipe = Pipe()
    reading = asyncio.create_task(asyncio.to_thread(lambda: b"".join(pipe)))
    for number in range(200):
        await pipe.put(bytes([number]) * 10_000)
    pipe.end()
    assert await reading == b"".join(bytes([number]) * 10_000 for number in range(200))


async def test_no_more_is_taken_than_there_is_room_for() -> None:
    pipe = Pipe()
    chunk = b"x" * (HELD // 4)
    for _ in range(5):
        await pipe.put(chunk)
    full = asyncio.create_task(pipe.put(chunk))
    await asyncio.sleep(0)
    assert not full.done()
    reading: Iterator[bytes] = iter(pipe)
    for _ in range(3):
        await asyncio.to_thread(next, reading)
    await full


async def test_who_reads_is_told_that_the_rest_will_not_come() -> None:
    pipe = Pipe()
    reading = asyncio.create_task(asyncio.to_thread(lambda: list(pipe)))
    await pipe.put(b"[")
    pipe.break_off()
    with pytest.raises(BrokenOff):
        await reading


async def test_nobody_waits_for_a_reader_who_is_gone() -> None:
    pipe = Pipe()
    while True:
        putting = asyncio.create_task(pipe.put(b"x" * HELD))
        await asyncio.sleep(0)
        if not putting.done():
            break
    await asyncio.to_thread(pipe.abandon)
    await putting
    for _ in range(5):
        await pipe.put(b"x" * HELD)


async def test_a_thread_is_starved_while_it_waits_for_bytes_and_not_once_they_are_there() -> None:
    pipe = Pipe()
    assert not pipe.is_starved
    reading = asyncio.create_task(asyncio.to_thread(lambda: list(pipe)))
    while not pipe.is_starved:  # noqa: ASYNC110  (the thread cannot tell)
        await asyncio.sleep(0)
    await pipe.put(b"[")
    pipe.end()
    assert not pipe.is_starved
    assert await reading == [b"["]


async def test_a_thread_does_not_wait_for_an_event_loop_that_was_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trayport_sdk.http.body.LOOKED_AFTER", 0.01)

    def left() -> Pipe:
        loop = asyncio.new_event_loop()

        async def begun() -> Pipe:
            return Pipe()

        pipe = loop.run_until_complete(begun())
        loop.close()
        return pipe

    pipe = await asyncio.to_thread(left)
    with pytest.raises(BrokenOff):
        await asyncio.to_thread(list, pipe)
