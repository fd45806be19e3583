"""A real redis-server on a free port, which keeps nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from redis import Redis

PROGRAM = shutil.which("redis-server")


def needed() -> None:
    """Skips the test where there is no server; where nothing may be skipped, fails it."""
    if PROGRAM is None:
        reason = "needs a Redis server: apt-get install redis-server"
        if "TRAYPORT_TESTS_SKIP_NOTHING" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)


class RedisServer:
    """Starts when it is told to, and as often."""

    def __init__(self, folder: Path) -> None:
        needed()
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it takes connections."""
        command = [
            str(PROGRAM), "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
            str(self._folder), "--save", "", "--appendonly", "no", "--daemonize", "no",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                return
        raise RuntimeError(f"redis-server did not start: {''.join(said)}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def client(self) -> Redis:
        """What sees and changes everything, to stand for the passing of time."""
        return Redis(host="127.0.0.1", port=self.port, decode_responses=True)
