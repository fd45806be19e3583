"""A server of large responses, and the link to it, in a process of its own.

What it sends is made before anybody is measured, so that it takes next to no time from the client.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import brotli  # type: ignore[import-untyped]
from attrs import frozen

from tests.perf.trades import Fingerprint, Part, body

BROTLI_QUALITY = 4
PIECE = 1 << 16


@frozen
class Served:
    """What a server has.

    Attributes:
        url: Its address.
        sent: How many bytes all its responses have on the wire.
        decoded: How many they have decompressed.
        fingerprint: Of all rows.
    """

    url: str
    sent: int
    decoded: int
    fingerprint: str


class Pace:
    """Lets so many bytes through in a second, and saves up none.

    Args:
        rate: Bytes per second; None lets all of them through.
    """

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._free_at = 0.0

    def wait(self, count: int) -> None:
        """Waits until so many bytes may follow."""
        if self._rate is None:
            return
        now = time.perf_counter()
        self._free_at = max(self._free_at, now) + count / self._rate
        time.sleep(self._free_at - now)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: dict[int, Path]
    encoding: str
    pace: Pace

    def do_GET(self) -> None:
        """Sends the part that begins when the question does."""
        asked = parse_qs(urlsplit(self.path).query)["from"][0]
        start = datetime.fromisoformat(asked).replace(tzinfo=UTC).timestamp()
        path = self.files[int(start) * 10**9]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(path.stat().st_size))
        if self.encoding == "br":
            self.send_header("Content-Encoding", "br")
        self.end_headers()
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                self.pace.wait(len(piece))
                self.wfile.write(piece)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


def _written(
    parts: Sequence[Part], encoding: str, folder: Path
) -> tuple[dict[int, Path], int, str]:
    """Writes the responses; returns their files, their decoded size and the fingerprint."""
    fingerprint, files, decoded = Fingerprint(), dict[int, Path](), 0
    for part in parts:
        path = files[part.start] = folder / str(part.start)
        encoder = brotli.Compressor(quality=BROTLI_QUALITY) if encoding == "br" else None
        with path.open("wb") as file:
            for text in body(part, fingerprint):
                decoded += len(text)
                file.write(encoder.process(text) if encoder else text)
            file.write(encoder.finish() if encoder else b"")
    return files, decoded, str(fingerprint)


def _serve(parts: Sequence[Part], encoding: str, rate: float | None, ready: Any, done: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="trayport-perf-") as folder:
        files, decoded, fingerprint = _written(parts, encoding, Path(folder))
        sent = sum(path.stat().st_size for path in files.values())
        handler = type(
            "Handler", (_Handler,), {"files": files, "encoding": encoding, "pace": Pace(rate)}
        )
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            thread = Thread(target=server.serve_forever)
            thread.start()
            url = f"http://127.0.0.1:{server.server_port}"
            ready.put(Served(url, sent, decoded, fingerprint))
            while not done.wait(1) and _is_wanted():
                pass
            server.shutdown()
            thread.join()


def _is_wanted() -> bool:
    """Whether the process is still there that began this one: it may have been killed."""
    parent = multiprocessing.parent_process()
    return parent is not None and parent.is_alive()


@contextmanager
def link(
    parts: Sequence[Part], encoding: str = "br", rate: float | None = None
) -> Iterator[Served]:
    """A server of these parts.

    Args:
        parts: What it may be asked for.
        encoding: `br` or `identity`.
        rate: Bytes per second on the wire; as many as there can be when it is left out.
    """
    context = multiprocessing.get_context("spawn")
    ready, done = context.Queue(), context.Event()
    process = context.Process(target=_serve, args=(parts, encoding, rate, ready, done))
    process.start()
    try:
        yield ready.get(timeout=1800)
    finally:
        done.set()
        process.join(30)
        process.kill()
