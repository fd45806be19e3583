"""The sandbox behind a real socket."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import Sandbox, SandboxServer
from .docs import WithDocs
from .http import TRANSPORT

_BACKLOG = 2048
_SEND_BUFFER = 4 * 2**20
_GRACE_SECONDS = 1
_IDLE_SECONDS = 75
"""Seconds after which an idle connection is closed: as gateways do it, and later than clients."""

_START_SECONDS = 30.0


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
    """Ends quietly on a signal, and calls back when it listens."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started()

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
    # With its protocol named, or asyncio does not know it for TCP and lets small responses wait.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _config(sandbox: Sandbox, docs: Path | None = None) -> uvicorn.Config:
    sandbox.prepare()
    return uvicorn.Config(
        WithDocs(sandbox, docs) if docs else sandbox,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_IDLE_SECONDS,
    )


def run(
    sandbox: Sandbox,
    host: str,
    port: int,
    ready: Callable[[SandboxServer], None] | None = None,
    docs: Path | None = None,
) -> None:
    """Serves until interrupted or terminated; `ready` is called once it listens.

    With `docs`, the folder of the built documentation, everything else on the port is that.
    """
    listener = _listen(host, port)
    server = SandboxServer(host, listener.getsockname()[1])
    with listener:
        started = (lambda: ready(server)) if ready else (lambda: None)
        _Uvicorn(_config(sandbox, docs), started).run(sockets=[listener])


@contextlib.contextmanager
def serving(
    sandbox: Sandbox, host: str, port: int, docs: Path | None = None
) -> Generator[SandboxServer]:
    """Serves from a thread for as long as the block lasts."""
    listener = _listen(host, port)
    started = threading.Event()
    uvicorn_server = _Uvicorn(_config(sandbox, docs), started.set)
    thread = threading.Thread(
        target=uvicorn_server.run, args=([listener],), name="trayport-sandbox", daemon=True
    )
    with listener:
        thread.start()
        if not started.wait(_START_SECONDS):
            raise TimeoutError("The sandbox did not start.")
        try:
            yield SandboxServer(host, listener.getsockname()[1])
        finally:
            uvicorn_server.should_exit = True
            thread.join()
