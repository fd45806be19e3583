"""Closing a client on another event loop than the one that its connections belong to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from trayport_sdk import Settings, TrayportClient, TrayportConfigurationError

CONTRACT, DAY = "10000065*#Single#10000305#244#0", ("2024-03-04", "2024-03-05")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
PART = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n["


class Service:
    """Responds once, and notes when the connection is closed."""

    def __init__(self, response: bytes) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._response = response
        self.has_responded, self.is_left = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self._listening, self._listening.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(self._response)
            self.has_responded.set()
            with suppress(OSError):
                connection.recv(1)
            self.is_left.set()


def readers() -> Iterator[threading.Thread]:
    return (one for one in threading.enumerate() if one.name == "trayport-read")


async def begun(client: TrayportClient, service: Service) -> asyncio.Task[object]:
    """A call that has come as far as it comes."""
    call: asyncio.Task[object] = asyncio.create_task(client.trades.get_trades(CONTRACT, *DAY))
    await asyncio.to_thread(service.has_responded.wait)
    while not (call.done() or any(readers())):  # noqa: ASYNC110  (a thread begins)
        await asyncio.sleep(0)
    return call


def stop(loop: asyncio.AbstractEventLoop) -> None:
    """Leaves it as it is."""


def close(loop: asyncio.AbstractEventLoop) -> None:
    for task in (tasks := asyncio.all_tasks(loop)):
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.mark.parametrize("leave", [stop, close])
@pytest.mark.parametrize("response", [WHOLE, PART], ids=["idle", "reading"])
def test_a_loop_that_does_not_go_on_keeps_neither_connections_nor_threads(
    leave: Callable[[asyncio.AbstractEventLoop], None], response: bytes
) -> None:
    service, loop = Service(response), asyncio.new_event_loop()
    client = TrayportClient(settings=settings(service))
    call = loop.run_until_complete(begun(client, service))
    if response is WHOLE:
        loop.run_until_complete(call)
    waiting = list(readers())
    leave(loop)
    asyncio.run(client.aclose())
    asyncio.run(client.aclose())
    assert service.is_left.wait(10)
    for thread in waiting:
        thread.join(10)
        assert not thread.is_alive()
    with pytest.raises(TrayportConfigurationError, match="closed"):
        asyncio.run(client.reference.get_markets())
    if not loop.is_closed():
        close(loop)


def test_a_loop_that_runs_closes_what_belongs_to_it() -> None:
    service, loop = Service(PART), asyncio.new_event_loop()
    client = TrayportClient(settings=settings(service))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    call = asyncio.run_coroutine_threadsafe(client.trades.get_trades(CONTRACT, *DAY), loop)
    assert service.has_responded.wait(10)
    asyncio.run(client.aclose())
    with pytest.raises(TrayportConfigurationError, match="closed while the call was under way"):
        call.result(10)
    assert service.is_left.wait(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def settings(service: Service) -> Settings:
    url = service.url
    return Settings(api_key="k", analytics_url=url, reference_url=url, _env_file=None)
