"""How fast the sandbox serves, from its own process, over a real socket."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import brotli  # type: ignore[import-untyped]
from attrs import frozen

from tests.perf.server import served

PATH = "/trades?" + urlencode(
    {
        "marketId": 10000065,
        "sequenceId": 10000305,
        "sequenceItemId": ",".join(map(str, range(244, 256))),
        "contractType": "SinglePeriod",
        "from": "2024-02-01",
        "until": "2024-03-01",
        "optionalFields": "contract",
    }
)
CHUNK = 1 << 20


@frozen
class Rate:
    encoding: str
    temperature: str
    megabytes: float
    seconds: float
    static_seconds: float

    @property
    def share_of_static(self) -> float:
        return self.static_seconds / self.seconds


def sandbox_rates() -> Iterator[Rate]:
    """Cold and warm, plain and compressed; each beside a server that sends bytes it holds."""
    with served(limits=False) as (_, analytics_url, _):
        url = urlsplit(analytics_url)
        for encoding, temperature in (
            ("identity", "cold"),
            ("identity", "warm"),
            ("br", "cold"),
            ("br", "warm"),
        ):
            seconds, size, body = fetched(url.hostname, url.port, url.path + PATH, encoding)
            yield Rate(encoding, temperature, size / 1e6, seconds, static_seconds(body, encoding))


def fetched(
    host: str | None, port: int | None, path: str, encoding: str
) -> tuple[float, int, bytes]:
    """Seconds to the last byte, decoded; the decoded size; the body as it came."""
    connection = http.client.HTTPConnection(host or "", port, timeout=120)
    started = time.perf_counter()
    connection.request("GET", path, headers={"X-API-KEY": "sandbox", "Accept-Encoding": encoding})
    response = connection.getresponse()
    decoder = brotli.Decompressor() if encoding == "br" else None
    size, pieces = 0, []
    while piece := response.read(CHUNK):
        pieces.append(piece)
        size += len(decoder.process(piece) if decoder else piece)
    seconds = time.perf_counter() - started
    if response.status != 200:
        raise RuntimeError(f"the sandbox responded with {response.status}")
    connection.close()
    return seconds, size, b"".join(pieces)


def static_seconds(body: bytes, encoding: str) -> float:
    """Seconds to read and decode the same bytes from a socket whose other end just sends them."""
    listener = socket.create_server(("127.0.0.1", 0))

    def send() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return fetched("127.0.0.1", listener.getsockname()[1], "/", encoding)[0]
    finally:
        thread.join()
        listener.close()


def print_rates() -> None:
    """Prints how fast the sandbox serves, which is no goal."""
    print("\nThe sandbox as a load generator: trades of a market, one client, one socket")
    head = f"{'encoding':>10}{'responses':>10}{'decoded MB':>12}{'MB/s':>8}"
    print(f"{head}{'of a static server':>20}")
    for rate in sandbox_rates():
        print(
            f"{rate.encoding:>10}{rate.temperature:>10}{rate.megabytes:>12.1f}"
            f"{rate.megabytes / rate.seconds:>8.0f}{rate.share_of_static:>20.0%}"
        )
