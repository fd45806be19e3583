"""Requests through a proxy that the surroundings set."""

import asyncio
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.http.peers import (
    PROXY_VARIABLES,
    Certificates,
    closed_port,
    encoded,
    listening,
    peer,
    pump,
    tunnels,
)
from trayport_sdk import (
    RetryEvent,
    Settings,
    TrayportClient,
    TrayportConfigurationError,
    TrayportConnectionError,
)

pytestmark = pytest.mark.anyio

KEY = "s3cr3t-k3y"
PASSWORD = "hunter2"
# A name that only the proxy can resolve.
FAR = "http://trayport.test:8080"


@pytest.fixture(autouse=True)
def _no_proxy_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def client_of(url: str, **more: object) -> TrayportClient:
    urls = {"analytics_url": f"{url}/api", "reference_url": f"{url}/reference"}
    chosen: dict[str, object] = {"api_key": KEY, "max_retries": 0, "allow_insecure_http": True}
    settings = Settings(_env_file=None, **{**chosen, **urls, **more})
    return TrayportClient(settings=settings)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
async def test_requests_go_through_the_proxy_of_the_variable(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with peer() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        async with client_of(FAR) as client:
            assert await client.reference.get_sequences() == []
    (request,) = proxy.requests
    assert request.startswith(b"GET http://trayport.test:8080/reference/sequences HTTP/1.1\r\n")
    assert f"x-api-key: {KEY}".encode() in request.lower()


async def test_the_name_of_a_proxy_may_come_without_a_scheme(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with peer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removeprefix("http://"))
        async with client_of(FAR) as client:
            await client.reference.get_sequences()
    assert len(proxy.requests) == 1


async def test_the_key_goes_through_a_tunnel_unseen_when_the_api_speaks_https(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    async with peer(tls=certificates.for_server()) as api, tunnels(api.url) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        port = urlsplit(api.url).port
        async with client_of(f"https://localhost:{port}") as client:
            await client.reference.get_sequences()
        (request,) = proxy.requests
        assert request.startswith(f"CONNECT localhost:{port} ".encode())
        assert KEY.encode() not in request
        assert f"x-api-key: {KEY}".encode() in api.requests[0].lower()


@pytest.mark.parametrize("exempt", ["{}", "10.0.0.0/8,127.0.0.0/8", "x.test 127.0.0.1", "*"])
async def test_what_no_proxy_names_is_asked_directly(
    exempt: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    async with peer(tls=certificates.for_server()) as api:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{closed_port()}")
        monkeypatch.setenv("NO_PROXY", exempt.format(urlsplit(api.url).netloc))
        async with client_of(api.url) as client:
            await client.reference.get_sequences()
            assert client.get_status().connections.opened == 1
        assert len(api.requests) == 1


@pytest.mark.parametrize("exempt", ["::1", "[::1]", "[::1]:{}", "10.0.0.0/8, ::/64"])
async def test_what_no_proxy_names_may_have_an_address_of_ipv6(
    exempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with peer(host="::1") as api:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{closed_port()}")
        monkeypatch.setenv("NO_PROXY", exempt.format(urlsplit(api.url).port))
        async with client_of(api.url) as client:
            assert await client.reference.get_sequences() == []
        assert api.connections == 1


@pytest.mark.parametrize("passed", [0, 100, 20_000], ids=["silent", "in TLS", "in the body"])
async def test_a_proxy_that_dies_midway_costs_a_retry(
    passed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    whole = encoded(b"[" + b" " * 100_000 + b"]")
    opened, retries = 0, list[RetryEvent]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await reader.readuntil(b"\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", urlsplit(api.url).port)
        writer.write(b"HTTP/1.1 200 -\r\n\r\n")
        sending = asyncio.create_task(pump(reader, far_writer))
        if opened == 1:
            writer.write(await far_reader.readexactly(passed))
            await writer.drain()
            writer.close()
            far_writer.close()
        else:
            await pump(far_reader, writer)
        await sending

    async with peer(lambda _: whole, tls=certificates.for_server()) as api, listening(handle) as at:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{at}")
        settings = api.settings(max_retries=1)
        async with TrayportClient(settings=settings, on_retry=retries.append) as client:
            assert await client.reference.get_sequences() == []
        assert opened == 2
    (retry,) = retries
    assert isinstance(retry.error, TrayportConnectionError)


async def test_one_api_may_have_a_proxy_and_the_other_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    tls = certificates.for_server()
    async with peer(tls=tls) as near, peer(tls=tls) as far, tunnels(far.url) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", urlsplit(near.url).netloc)
        settings = Settings(
            _env_file=None, api_key=KEY, analytics_url=far.url, reference_url=near.url
        )
        async with TrayportClient(settings=settings) as client:
            await client.reference.get_sequences()
            await client.trades.get_trades("1*#Single#2#3#0", "2024-03-04", "2024-03-05")
        assert [len(proxy.requests), len(near.requests), len(far.requests)] == [1, 1, 1]


async def test_a_proxy_where_nothing_listens_is_a_connection_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    async with client_of(FAR) as client:
        with pytest.raises(TrayportConnectionError, match="connection failed"):
            await client.reference.get_sequences()
        assert "HTTP_PROXY names a proxy: check that too" in str(await client.health_check())


@pytest.mark.parametrize(
    ("unfit", "advice"),
    [
        ("ftp://desk:{}@proxy.test:21", "write it as http://host:port"),
        ("socks5://desk:{}@proxy.test:1080", "pip install socksio"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_of_at_the_start_without_its_password(
    unfit: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # as where it is not installed
    monkeypatch.setenv("ALL_PROXY", unfit.format(PASSWORD))
    with pytest.raises(TrayportConfigurationError, match="ALL_PROXY") as refused:
        client_of(FAR)
    assert PASSWORD not in str(refused.value)
    assert refused.value.suggestion == advice
    assert refused.value.__cause__ is refused.value.__context__ is None
