"""One connection, as httpcore drives it: what is left of it when something comes too late."""

from __future__ import annotations

import httpcore
import pytest

from trayport_sdk.http.network import Stream

pytestmark = pytest.mark.anyio

GET = b"GET /trades HTTP/1.1\r\n\r\n"


async def test_what_was_closed_here_neither_reads_nor_writes() -> None:
    stream = Stream("api.test")
    stream.data_received(b"something")
    stream.abort()
    with pytest.raises(httpcore.ReadError, match="closed here"):
        await stream.read(10)
    with pytest.raises(httpcore.WriteError, match="the connection is closed"):
        await stream.write(b"more of a request")


async def test_a_connection_with_a_response_under_way_takes_no_other_request() -> None:
    stream = Stream("api.test")
    stream.distrust()  # nothing was requested yet: there is nothing to distrust
    await stream.write(GET)
    with pytest.raises(httpcore.ConnectionNotAvailable):
        await stream.write(GET)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Length": "2"}, b"[]and more"),
        ({"Transfer-Encoding": "chunked"}, b"no size of a chunk\r\n"),
    ],
    ids=["more than was announced", "no chunk"],
)
async def test_a_body_of_another_length_is_read_to_its_end_and_ends_the_connection(
    headers: dict[str, str], body: bytes
) -> None:
    stream = Stream("api.test")
    await stream.write(GET)
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    stream.data_received(head + body)
    assert await stream.read(1000) == head
    stream.expect_body(200, headers)
    read = b""
    while len(read) < len(body):
        read += await stream.read(1000)
    assert read == body
    with pytest.raises(httpcore.ConnectionNotAvailable):
        await stream.write(GET)


async def test_who_takes_no_more_of_a_request_is_not_waited_for_for_ever() -> None:
    stream = Stream("api.test")
    stream.pause_writing()
    with pytest.raises(httpcore.WriteTimeout, match=r"api\.test took no more .* within 0 seconds"):
        await stream.write(GET, timeout=0)
    stream.resume_writing()
    await stream.write(b"the rest", timeout=0)
