"""The sandbox behind a real socket."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, cast

import uvicorn
from attrs import frozen
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trayport_sdk.sandbox.routing import ANALYTICS_PATH, REFERENCE_PATH
from trayport_sdk.sandbox.wire import TRANSPORT

if TYPE_CHECKING:
    from trayport_sdk.sandbox import Sandbox

_BACKLOG = 2048
_SEND_BUFFER = 4 * 2**20
_GRACE_SECONDS = 1
_START_SECONDS = 30.0


@frozen
class Server:
    """Where a sandbox listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def analytics_url(self) -> str:
        return self.url + ANALYTICS_PATH

    @property
    def reference_url(self) -> str:
        return self.url + REFERENCE_PATH


class _Protocol(HttpToolsProtocol):
    """Hands the transport to the application, which may want to break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope = cast("dict[str, object]", self.scope)
        scope["extensions"] = {TRANSPORT: self.transport}


class _Uvicorn(uvicorn.Server):
    """Ends quietly on a signal, and tells when it listens."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, or asyncio does not know it for TCP and lets small answers wait.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _config(sandbox: "Sandbox") -> uvicorn.Config:
    sandbox.prepare()
    return uvicorn.Config(
        sandbox,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def run(
    sandbox: "Sandbox", host: str, port: int, ready: Callable[[Server], None] | None = None
) -> None:
    """Serves until interrupted or terminated; `ready` is called once it listens."""
    listener = _listen(host, port)
    server = Server(host, listener.getsockname()[1])
    tell = (lambda: None) if ready is None else (lambda: ready(server))
    with listener:
        _Uvicorn(_config(sandbox), tell).run(sockets=[listener])


@contextlib.contextmanager
def serving(sandbox: "Sandbox", host: str, port: int) -> Generator[Server]:
    """Serves from a thread for as long as the block lasts."""
    listener = _listen(host, port)
    started = threading.Event()
    uvicorn_server = _Uvicorn(_config(sandbox), started.set)
    thread = threading.Thread(
        target=uvicorn_server.run, args=([listener],), name="trayport-sandbox", daemon=True
    )
    with listener:
        thread.start()
        if not started.wait(_START_SECONDS):
            raise TimeoutError("The sandbox did not start.")
        try:
            yield Server(host, listener.getsockname()[1])
        finally:
            uvicorn_server.should_exit = True
            thread.join()
