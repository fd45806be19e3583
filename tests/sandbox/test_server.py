"""The sandbox behind a socket: starting, serving, stopping."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.sandbox.asking import MARKET, MINIMAL
from trayport_sdk.sandbox import Sandbox, SandboxServer

ROOT = Path(__file__).resolve().parents[2]


def get(server: SandboxServer, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.host, server.port)
    try:
        connection.request("GET", path, headers={"X-API-KEY": "sandbox"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_both_apis_are_served_on_one_port() -> None:
    with Sandbox().serve() as server:
        assert server.analytics_url == f"{server.url}/analytics/api"
        assert server.reference_url == f"{server.url}/reference"
        assert get(server, f"/reference/markets/{MARKET}")[0] == 200
        assert get(server, "/analytics/api/trades")[0] == 400


def test_the_port_is_free_again_afterwards() -> None:
    with Sandbox().serve() as server:
        port = server.port
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass
    with Sandbox().serve(port=port) as again:
        assert again.port == port


def test_a_taken_port_is_an_error() -> None:
    with (
        Sandbox().serve() as server,
        pytest.raises(OSError, match="in use"),
        Sandbox().serve(port=server.port),
    ):
        pass


def test_stopping_does_not_wait_for_idle_connections() -> None:
    with Sandbox().serve() as server:
        idle = socket.create_connection((server.host, server.port))
    idle.close()


def test_one_connection_serves_many_requests() -> None:
    sandbox = Sandbox(limits=False)
    with sandbox.serve() as server:
        connection = http.client.HTTPConnection(server.host, server.port)
        for _ in range(20):
            connection.request("GET", "/reference/markets", headers={"X-API-KEY": "sandbox"})
            assert connection.getresponse().read()
            if connection.sock is not None:
                local = connection.sock.getsockname()
        assert connection.sock.getsockname() == local
        connection.close()


def test_many_clients_at_once_get_the_same_answer() -> None:
    query = "&".join(f"{name}={value}" for name, value in MINIMAL["/trades"].items())
    responses: list[tuple[int, bytes]] = []
    with Sandbox(limits=False, seed=7).serve() as server:
        threads = [
            threading.Thread(
                target=lambda: responses.append(get(server, f"/analytics/api/trades?{query}"))
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(responses) == 8
    assert len(set(responses)) == 1
    assert responses[0][0] == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    code = (
        "from trayport_sdk.sandbox import Sandbox\n"
        "from trayport_sdk.sandbox.server import run\n"
        "run(Sandbox(), '127.0.0.1', 0, ready=lambda s: print(s.url, flush=True))\n"
    )
    path = os.pathsep.join([str(ROOT / "generated"), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"http://127.0.0.1:")
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == b""
