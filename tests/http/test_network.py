"""A network that swallows, closes and misdirects, as users of either client see it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeAlias

import pytest

from tests.http.peers import PROXY_VARIABLES, Certificates, closed_port, encoded
from trayport_sdk import (
    RetryEvent,
    Settings,
    TrayportClient,
    TrayportConnectionError,
    TrayportTimeoutError,
    sync,
)

NAME = "trayport.test"
ROWS = [{"id": n, "name": f"Sequence {n}", "sequenceItems": f"/{n}"} for n in (1, 2)]
BODY = json.dumps(ROWS).encode()
WHOLE = encoded(BODY)
PART = WHOLE[: -len(BODY) // 2]
UNSIZED = b"HTTP/1.1 200 -\r\nConnection: close\r\n\r\n" + BODY
RETRIES = 2


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, certificates: Certificates) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))  # read faster than all
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Caller:
    """Asks for the same so many times in a row, over one client, which it then closes.

    Attributes:
        retries: What the hook of retries was called with.
    """

    def __init__(self, is_async: bool) -> None:
        self._is_async = is_async
        self.retries: list[RetryEvent] = []

    def ask(
        self,
        url: str,
        calls: int = 1,
        between: Callable[[], object] = lambda: None,
        /,
        **more: object,
    ) -> list[list[Any]]:
        """The results; what is to be done between two calls stalls the event loop."""
        chosen: dict[str, object] = {
            "api_key": "key",
            "analytics_url": url,
            "reference_url": url,
            "allow_insecure_http": True,
            "max_retries": RETRIES,
            "retry_base": 0.001,
            "cache": "off",
        }
        settings = Settings(_env_file=None, **{**chosen, **more})
        if self._is_async:
            return asyncio.run(self._ask(settings, calls, between))
        results: list[list[Any]] = []
        with sync.TrayportClient(settings=settings, on_retry=self.retries.append) as client:
            for _ in range(calls):
                if results:
                    between()
                results.append(client.reference.get_sequences())
        return results

    async def _ask(
        self, settings: Settings, calls: int, between: Callable[[], object]
    ) -> list[list[Any]]:
        results: list[list[Any]] = []
        async with TrayportClient(settings=settings, on_retry=self.retries.append) as client:
            for _ in range(calls):
                if results:
                    between()
                results.append(await client.reference.get_sequences())
        return results

    def fails(self, url: str, attempts: int = 1 + RETRIES, /, **more: object) -> str:
        """What the error says, after so many attempts to get a connection or a response."""
        with pytest.raises(TrayportConnectionError) as raised:
            self.ask(url, **more)
        assert raised.value.attempts == attempts
        assert len(self.retries) == attempts - 1
        assert raised.value.endpoint == "/sequences"
        self.connected = raised.value.connected
        self.timed_out = isinstance(raised.value, TrayportTimeoutError)
        return str(raised.value)


@pytest.fixture(params=[True, False], ids=["async", "sync"])
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)


# --- Black holes


@contextmanager
def swallowing(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port that answers no SYN: the queue of who listens there is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port), backlog=0))
        address = listener.getsockname()
        for _ in range(100):
            filling = stack.enter_context(socket.socket())
            filling.settimeout(0.05)
            try:
                filling.connect(address)
            except TimeoutError:
                break
        else:
            pytest.skip("the queue of a listener takes no end on this system")
        yield address[1]


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


SHORT = {"connect_timeout": 0.05, "timeout": 0.05}
UNSENT = "no connection to 127.0.0.1:{port} within 0.05 seconds"
HOLES = [
    # the hole, the scheme, settings, how many attempts, whether it was connected, what is said
    (swallowing, "http", SHORT, 1 + RETRIES, False, UNSENT),
    (swallowing, "https", SHORT, 1 + RETRIES, False, UNSENT),
    (
        silent,
        "http",
        {"timeout": 0.05},
        1 + RETRIES,
        True,
        "nothing came from 127.0.0.1 within 0.05 seconds",
    ),
    (silent, "https", {"connect_timeout": 0.4}, 3, False, "no TLS with 127.0.0.1 within 0.4 s"),
    (swallowing, "http", {"retry_budget": 0.5}, 1, False, "no connection to 127.0.0.1 within the"),
    (silent, "https", {"retry_budget": 0.5}, 1, False, "no connection to 127.0.0.1 within the"),
    (silent, "http", {"retry_budget": 0.5}, 1, True, "the response of 127.0.0.1 took longer than"),
]


@pytest.mark.parametrize(("hole", "scheme", "settings", "attempts", "connected", "said"), HOLES)
def test_a_black_hole_is_an_error_that_says_what_was_waited_for(
    hole: Callable[[], Any],
    scheme: str,
    settings: dict[str, float],
    attempts: int,
    connected: bool,
    said: str,
    caller: Caller,
) -> None:
    with hole() as port:
        message = caller.fails(f"{scheme}://127.0.0.1:{port}", attempts, **settings)
    assert said.format(port=port) in message
    assert caller.timed_out
    assert caller.connected == connected


def test_retries_in_a_black_hole_end_with_the_budget(caller: Caller) -> None:
    with swallowing() as port, pytest.raises(TrayportTimeoutError) as raised:
        caller.ask(
            f"http://127.0.0.1:{port}", max_retries=1000, retry_budget=1, connect_timeout=0.05
        )
    assert 1 < raised.value.attempts <= 1 / 0.05 + 1


def test_a_proxy_that_swallows_tunnels_is_no_reason_to_ask_for_less(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        message = caller.fails(f"https://{NAME}", **SHORT)
    assert "nothing came from 127.0.0.1 within 0.05 seconds" in message
    assert not caller.connected


def test_a_port_where_nobody_listens_is_named(caller: Caller) -> None:
    port = closed_port()
    assert f"127.0.0.1:{port}: " in caller.fails(f"http://127.0.0.1:{port}")
    assert not caller.connected
    assert not caller.timed_out


# --- Names

Resolve: TypeAlias = Callable[[], Sequence[str]]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Resolve], None]:
    """Has the one name resolved by a function."""
    real = socket.getaddrinfo

    def patch(addresses: Resolve) -> None:
        def found(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
            if host not in (NAME, NAME.encode()):
                return real(host, port, *rest, **more)
            return [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, int(port)))
                for address in addresses()
            ]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return patch


def unknown() -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_name_that_does_not_exist_is_named(
    caller: Caller, resolve: Callable[[Resolve], None]
) -> None:
    resolve(unknown)
    message = caller.fails(f"http://{NAME}:81")
    assert f"{NAME}:81: [Errno {socket.EAI_NONAME}] Name or service not known" in message
    assert not caller.connected


def test_a_name_that_is_known_only_later_costs_retries(
    caller: Caller, resolve: Callable[[Resolve], None]
) -> None:
    asked = 0

    def later() -> Sequence[str]:
        nonlocal asked
        asked += 1
        return unknown() if asked <= RETRIES else ["127.0.0.1"]

    resolve(later)
    with scripted([Script(WHOLE)]) as server:
        (rows,) = caller.ask(f"http://{NAME}:{server.port}")
    assert [row.id for row in rows] == [1, 2]
    assert len(caller.retries) == RETRIES


@pytest.mark.parametrize("dead", ["refusing", "swallowing"])
def test_of_two_addresses_one_may_be_dead(
    dead: str, caller: Caller, resolve: Callable[[Resolve], None]
) -> None:
    resolve(lambda: ["127.0.0.2", "127.0.0.1"])
    with scripted([Script(WHOLE)]) as server, ExitStack() as stack:
        if dead == "swallowing":
            stack.enter_context(swallowing("127.0.0.2", server.port))
        (rows,) = caller.ask(f"http://{NAME}:{server.port}")
    assert [row.id for row in rows] == [1, 2]
    assert caller.retries == []


def test_a_host_that_has_moved_is_found_by_the_next_connection(
    caller: Caller, resolve: Callable[[Resolve], None]
) -> None:
    addresses = iter(["127.0.0.1", "127.0.0.2"])
    resolve(lambda: [next(addresses)])
    first = Script(WHOLE, "closes")
    with (
        scripted([first]) as before,
        scripted([Script(WHOLE)], "127.0.0.2", before.port) as after,
    ):
        results = caller.ask(f"http://{NAME}:{before.port}", 2, first.done)
        assert [len(rows) for rows in results] == [2, 2]
        assert (before.connections, after.connections) == (1, 1)
    assert caller.retries == []


# --- Connections that end


class Script:
    """What a server does with one connection: it responds to one request, and then this.

    Args:
        reply: What it sends.
        then: "stays" and responds again; "closes"; "shuts" its sending side, and reads on;
            "resets"; "is gone" when the next request has come.
        reads: Whether it reads the request first.
    """

    def __init__(self, reply: bytes, then: str = "stays", *, reads: bool = True) -> None:
        self.reply, self.then, self.reads = reply, then, reads
        self._is_done = threading.Event()

    def done(self) -> None:
        """Waits until it has ended its connection, or will only when the next request comes."""
        if self.then in ("closes", "shuts", "resets"):
            assert self._is_done.wait(10)

    def handle(self, connection: socket.socket) -> None:
        """Handles a connection."""
        connection.settimeout(10)
        with suppress(OSError), connection:
            self._act(connection)
        self._is_done.set()

    def _act(self, connection: socket.socket) -> None:
        while True:
            if self.reads and not connection.recv(1 << 16):
                return
            connection.sendall(self.reply)
            if self.then == "is gone" and connection.recv(1 << 16):
                return
            if self.then == "resets":
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if self.then == "shuts":
                connection.shutdown(socket.SHUT_WR)
                self._is_done.set()
                while connection.recv(1 << 16):
                    pass
            if self.then != "stays":
                return


class Server:
    """Does with its n-th connection what the n-th script says, and with others what the last says.

    Attributes:
        port: Its port.
        connections: How many it has had.
    """

    def __init__(self, scripts: Sequence[Script], host: str, port: int) -> None:
        self._scripts = scripts
        self._listener = socket.create_server((host, port))
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]

    @property
    def connections(self) -> int:
        return len(self._threads) - 1

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                script = self._scripts[min(self.connections, len(self._scripts) - 1)]
                self._start(script.handle, connection)

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


@contextmanager
def scripted(
    scripts: Sequence[Script], host: str = "127.0.0.1", port: int = 0
) -> Generator[Server]:
    """A server that does as it is told, and whose threads end with it."""
    with Server(scripts, host, port) as server:
        yield server


ENDINGS = [
    # what the first connection does, how many calls there are, how many requests are sent again
    ("closed idle", {"reply": WHOLE, "then": "closes"}, 2, 0),
    ("shut idle", {"reply": WHOLE, "then": "shuts"}, 2, 0),
    ("reset idle", {"reply": WHOLE, "then": "resets"}, 2, 0),
    ("closed by the next request", {"reply": WHOLE, "then": "is gone"}, 2, 1),
    ("closed before the response", {"reply": b"", "then": "closes"}, 1, 1),
    ("shut before the response", {"reply": b"", "then": "shuts"}, 1, 1),
    ("reset before the response", {"reply": b"", "then": "resets"}, 1, 1),
    ("closed within the body", {"reply": PART, "then": "closes"}, 1, 1),
    ("shut within the body", {"reply": PART, "then": "shuts"}, 1, 1),
    ("reset within the body", {"reply": PART, "then": "resets"}, 1, 1),
    ("closed unread", {"reply": b"", "then": "closes", "reads": False}, 1, 1),
    ("reset unread", {"reply": b"", "then": "resets", "reads": False}, 1, 1),
    ("closed at the end of the body", {"reply": UNSIZED, "then": "closes"}, 2, 0),
    ("shut at the end of the body", {"reply": UNSIZED, "then": "shuts"}, 2, 0),
]


@pytest.mark.parametrize(
    ("script", "calls", "retried"), [row[1:] for row in ENDINGS], ids=[row[0] for row in ENDINGS]
)
def test_a_connection_that_ends_costs_a_retry_at_most(
    script: dict[str, Any], calls: int, retried: int, caller: Caller
) -> None:
    first = Script(**script)
    with scripted([first, Script(WHOLE)]) as server:
        results = caller.ask(f"http://127.0.0.1:{server.port}", calls, first.done)
        assert [[row.id for row in rows] for rows in results] == [[1, 2]] * calls
        assert server.connections == 2
    assert len(caller.retries) == retried
    assert all(isinstance(event.error, TrayportConnectionError) for event in caller.retries)


def test_what_is_not_connected_in_time_is_not_asked_for_in_smaller_parts() -> None:
    async def main(url: str) -> int:
        settings = Settings(
            _env_file=None, api_key="key", analytics_url=url, reference_url=url, retry_budget=0.5
        )
        async with TrayportClient(settings=settings) as client:
            with pytest.raises(TrayportTimeoutError, match="no connection to"):
                await client.get_trades("1*#Single#2#3#0", "2024-01-01", "2024-01-21")
            return client.get_metrics().total.requests

    with swallowing() as port:
        assert asyncio.run(main(f"http://127.0.0.1:{port}")) == 1
