"""What will never work is tried once, and what may pass is tried again."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from tests.http.peers import PROXY_VARIABLES, Certificates, encoded, listening, peer, pump, tunnels
from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportError,
)

pytestmark = pytest.mark.anyio

PASSWORD = "hunter2"
LOGIN = f"desk:{PASSWORD}@"
FAR = "trayport.test"


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, certificates: Certificates) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def blocking(tls: ssl.SSLContext | None) -> Iterator[int]:
    """A server that reads one request, by its port. That of asyncio keeps the alerts of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def respond(accepted: socket.socket) -> None:
            with suppress(OSError), accepted:
                accepted.recv(1 << 16)
                accepted.sendall(encoded(b"", 400))

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listener.accept()
                    accepted.settimeout(10)
                    with suppress(OSError), accepted, accepted.dup() as kept:
                        with suppress(OSError):
                            respond(
                                tls.wrap_socket(accepted, server_side=True) if tls else accepted
                            )
                        # A reset, because of what was not read, would discard the alert.
                        kept.shutdown(socket.SHUT_WR)
                        while kept.recv(1 << 16):
                            pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


async def ends(url: str, attempts: int = 1) -> TrayportError:
    """How a call ends that may be retried twice, after so many attempts."""
    urls = {"analytics_url": url, "reference_url": url}
    settings = Settings(
        _env_file=None,
        api_key="key",
        retry_base=0.001,
        max_retries=2,
        allow_insecure_http=True,
        **urls,
    )
    retries: list[object] = []
    async with TrayportClient(settings=settings, on_retry=retries.append) as client:
        with pytest.raises(TrayportError) as raised:
            await client.reference.get_sequences()
    error = raised.value
    assert len(retries) == attempts - 1
    assert isinstance(error, TrayportConfigurationError) == (attempts == 1)
    assert PASSWORD not in f"{error} {error.__cause__!r} {error.__context__!r}"
    assert error.endpoint == "/sequences"
    return error


def of_another_authority(_: Certificates) -> ssl.SSLContext:
    return served(trustme.CA().issue_cert("127.0.0.1"))


def of_another_host(known: Certificates) -> ssl.SSLContext:
    return served(known.issue("elsewhere.test"))


def expired(known: Certificates) -> ssl.SSLContext:
    return served(known.issue("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)))


def not_yet_valid(known: Certificates) -> ssl.SSLContext:
    now = datetime.now(UTC)
    return served(known.issue("127.0.0.1", not_before=now + timedelta(days=1)))


def without_a_common_cipher(known: Certificates) -> ssl.SSLContext:
    context = known.for_server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    return context


def with_a_demand_for_a_certificate(known: Certificates) -> ssl.SSLContext:
    context = known.for_server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(known.authority)
    return context


def without_tls(_: Certificates) -> None:
    return None


def served(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


TLS = [
    (of_another_authority, "local issuer certificate", "name the certificate .* SSL_CERT_FILE"),
    (of_another_host, "not valid for", "check the scheme, the host and the port"),
    (expired, "SSL_CERT_FILE=.* certificate has expired", "check the clock"),
    (not_yet_valid, "certificate is not yet valid", "check the clock of this machine"),
    (without_a_common_cipher, "agree on no way to speak TLS", "what it demands of clients"),
    (with_a_demand_for_a_certificate, "agree on no way to speak TLS", "what it demands"),
    (without_tls, "does not speak TLS on this port", "check the scheme, the host and the port"),
]


@pytest.mark.parametrize("by_proxy", [False, True])
@pytest.mark.parametrize(("tls", "wrong", "advice"), TLS, ids=[row[0].__name__ for row in TLS])
async def test_tls_that_cannot_be_agreed_on_is_tried_once(
    tls: Callable[[Certificates], ssl.SSLContext | None],
    wrong: str,
    advice: str,
    by_proxy: bool,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with blocking(tls(certificates)) as port:
        if by_proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"https://{LOGIN}127.0.0.1:{port}")
        error = await ends(f"https://{FAR if by_proxy else f'127.0.0.1:{port}'}")
    assert re.search(wrong, str(error)), error
    assert re.search(advice, error.suggestion), error
    if by_proxy and "check the scheme" in advice:
        assert "HTTPS_PROXY" in error.suggestion


@pytest.mark.parametrize(("tls", "wrong", "advice"), TLS, ids=[row[0].__name__ for row in TLS])
async def test_the_same_holds_through_a_tunnel(
    tls: Callable[[Certificates], ssl.SSLContext | None],
    wrong: str,
    advice: str,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with blocking(tls(certificates)) as port:
        url = f"127.0.0.1:{port}"
        async with tunnels(f"http://{url}") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            error = await ends(f"https://{url}")
            assert proxy.connections == 1
    assert re.search(wrong, str(error)), error
    assert re.search(advice, error.suggestion), error
    assert "127.0.0.1" in str(error)


@pytest.mark.parametrize("resets", [False, True])
async def test_a_handshake_that_breaks_off_is_tried_again(resets: bool) -> None:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if resets:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with listening(handle) as port:
        error = await ends(f"https://127.0.0.1:{port}", attempts=3)
    assert isinstance(error, TrayportConnectionError)
    assert not error.connected


def status(code: int) -> list[bytes]:
    return [encoded(b"", code)]


NO_LOGIN, ASKS = b"\x05\x00", b"\x05\x02"
REFUSED = [
    ("https", "http", LOGIN, status(407), "refuses the login: 407", "check the user"),
    ("https", "http", "", status(407), "wants a login: 407", "write user:password@"),
    ("http", "http", LOGIN, status(407), "refuses the login: 407", "check the user"),
    ("https", "http", "", status(403), "opens no connection to the API: 403", "NO_PROXY"),
    ("https", "http", "", status(302), "opens no connection to the API: 302", "NO_PROXY"),
    ("https", "http", "", status(501), "opens no connection to the API: 501", "NO_PROXY"),
    ("http", "socks5", LOGIN, [ASKS, b"\x01\x01"], "refuses the login", "check the user"),
    ("https", "socks5", LOGIN, [NO_LOGIN], "refuses the login", "check the user"),
    ("https", "socks5h", "", [b"\x05\xff"], "wants a login", "write user:password@"),
    ("https", "socks5", "", [NO_LOGIN, b"\x05\x02\x00\x01" + bytes(6)], "ruleset", "NO_PROXY"),
]
PASSING = [
    ("https", "http", status(503)),
    ("https", "http", status(429)),
    ("https", "http", status(504)),
    ("https", "http", []),
    ("https", "http", [b"no response\r\n\r\n"]),
    ("https", "http", [encoded(b"", 200) + b"more"]),
    ("https", "socks5", [NO_LOGIN, b"\x05\x05\x00\x01" + bytes(6)]),
    ("https", "socks5", [NO_LOGIN, b"\x05"]),
    ("http", "socks5", [b"HTTP"]),
    ("http", "socks5", []),
]


@asynccontextmanager
async def replying(replies: Sequence[bytes]) -> AsyncIterator[tuple[int, list[int]]]:
    """A proxy that replies to one piece after another, and then closes: its port, its ways."""
    connections: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        for reply in replies:
            await reader.read(1 << 16)
            writer.write(reply)
        await reader.read(1 << 16)

    async with listening(handle) as port:
        yield port, connections


@pytest.mark.parametrize("variable", ["{}_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(("api", "scheme", "login", "replies", "wrong", "advice"), REFUSED)
async def test_a_proxy_that_refuses_is_asked_once(
    api: str,
    scheme: str,
    login: str,
    replies: Sequence[bytes],
    wrong: str,
    advice: str,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variable = variable.format(api)
    async with replying(replies) as (port, connections):
        monkeypatch.setenv(variable, f"{scheme}://{login}127.0.0.1:{port}")
        error = await ends(f"{api}://{FAR}")
        assert len(connections) == 1
    assert f"the proxy 127.0.0.1:{port} of {variable}" in str(error)
    assert wrong in str(error)
    assert advice in error.suggestion
    assert variable in error.suggestion


@pytest.mark.parametrize(("api", "scheme", "replies"), PASSING)
async def test_a_proxy_that_fails_is_asked_again(
    api: str, scheme: str, replies: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replying(replies) as (port, connections):
        monkeypatch.setenv(
            "ALL_PROXY", f"{scheme}://{LOGIN if not replies else ''}127.0.0.1:{port}"
        )
        error = await ends(f"{api}://{FAR}", attempts=3)
        assert isinstance(error, TrayportConnectionError)
        assert len(connections) == 3


async def test_tunnels_that_fail_take_no_connection_from_later_requests(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = 3

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal failing
        failing -= 1
        if failing >= 0:
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with peer(tls=certificates.for_server()) as api, listening(handle) as port:
        behind = int(api.url.rsplit(":", 1)[1])
        async with tunnels(f"http://127.0.0.1:{port}") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            urls = {"analytics_url": "https://localhost", "reference_url": "https://localhost"}
            settings = Settings(
                _env_file=None, api_key="key", retry_base=0.001, max_connections=2, **urls
            )
            async with TrayportClient(settings=settings) as client:
                assert await client.reference.get_sequences() == []
            assert proxy.connections == 4
