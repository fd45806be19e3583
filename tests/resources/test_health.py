"""The health check against sick and healthy services on real sockets."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trustme
from attrs import evolve

from trayport_sdk import (
    TrayportAuthenticationError,
    TrayportCircuitBreakerError,
    TrayportError,
    TrayportServerError,
)
from trayport_sdk.resources.health import HealthReport, health_check
from trayport_sdk.resources.reachability import HealthCheck
from trayport_sdk.resources.status import Status
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.server import Server
from trayport_sdk.telemetry.events import BreakerState
from trayport_sdk.telemetry.status import BreakerStatus, ConnectionCounts, LimiterStatus, WindowUse

pytestmark = pytest.mark.anyio

KEY = "s3cret-key"
NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
LIMITER = LimiterStatus((WindowUse(1.0, 6, 2),), {"normal": 0}, 0.0, 1.0, 0.0, 2)
WELL = Status(LIMITER, {}, ConnectionCounts(1, 2))
OPEN = BreakerStatus(BreakerState.OPEN, 5, NOON)


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Sandbox(keys=[KEY]).serve() as serving:
        yield serving


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Something that takes connections and says nothing."""

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def answering(_: str) -> None:
    pass


def failing(error: TrayportError) -> Callable[[str], Awaitable[None]]:
    async def probe(_: str) -> None:
        raise error

    return probe


async def checked(
    analytics: str,
    reference: str | None = None,
    *,
    probe: Callable[[str], Awaitable[None]] = answering,
    status: Status = WELL,
    has_key: bool = True,
    in_process: bool = False,
    within: float = 30.0,
    trusted: trustme.CA | None = None,
) -> HealthReport:
    def context() -> ssl.SSLContext:
        made = ssl.create_default_context()
        if trusted is not None:
            trusted.configure_trust(made)
        return made

    return await health_check(
        urls={"analytics": analytics, "reference": reference or analytics},
        has_key=has_key,
        probe=probe,
        status=lambda: status,
        in_process=in_process,
        within=within,
        ssl_context=context,
    )


def named(report: HealthReport, beginning: str) -> HealthCheck:
    (check,) = [check for check in report.checks if check.name.startswith(beginning)]
    return check


async def test_everything_works_at_a_served_sandbox(server: Server) -> None:
    report = await checked(server.analytics_url, server.reference_url)
    assert report.ok, report
    assert [check.name for check in report.checks] == [
        "settings",
        "DNS 127.0.0.1",
        f"TCP 127.0.0.1:{server.port}",
        "key",
        "analytics API",
        "reference API",
        "limiter",
        "breakers",
    ]
    assert all(check.ok for check in report.checks)
    assert str(report).endswith("nothing is wrong")


async def test_where_nothing_listens_the_connection_is_refused_and_nothing_is_asked(
    closed_port: int,
) -> None:
    asked: list[str] = []

    async def probe(api: str) -> None:
        asked.append(api)

    report = await checked(f"http://127.0.0.1:{closed_port}", probe=probe)
    assert [check.name for check in report.wrong] == [f"TCP 127.0.0.1:{closed_port}"]
    assert "refused" in named(report, "TCP").detail
    assert named(report, "analytics API").ok is None
    assert named(report, "key").ok is None
    assert asked == []
    assert str(report).endswith("1 wrong")


async def test_all_addresses_of_a_host_that_refuse_are_one_refusal(closed_port: int) -> None:
    report = await checked(f"http://localhost:{closed_port}")
    assert "nothing listens there" in named(report, "TCP").detail


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".invalid"])
async def test_a_host_that_nobody_knows_is_named(host: str) -> None:
    report = await checked(f"https://{host}/api")
    assert "host name" in named(report, "DNS").detail
    assert named(report, "DNS").ok is False
    assert named(report, "TCP").ok is named(report, "TLS").ok is None


async def test_one_sick_address_does_not_hide_the_other(server: Server, closed_port: int) -> None:
    report = await checked(server.analytics_url, f"http://127.0.0.1:{closed_port}")
    assert named(report, "DNS").ok
    assert named(report, "analytics API").ok
    assert named(report, f"TCP 127.0.0.1:{closed_port}").ok is False
    assert named(report, "reference API").ok is None
    assert not report.ok


async def test_a_certificate_of_an_unknown_issuer_is_not_trusted_and_a_known_one_is() -> None:
    issuer = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1").configure_cert(context)
    async with listening(context) as port:
        refused = await checked(f"https://127.0.0.1:{port}")
        trusted = await checked(f"https://127.0.0.1:{port}", trusted=issuer)
    assert named(refused, "TCP").ok
    assert named(refused, "TLS").ok is False
    assert "certificate is not trusted" in named(refused, "TLS").detail
    assert "SSL_CERT_FILE" in named(refused, "TLS").detail
    assert named(refused, "analytics API").ok is None
    assert trusted.ok, trusted


async def test_a_certificate_for_another_host_is_not_trusted() -> None:
    issuer = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("elsewhere.example").configure_cert(context)
    async with listening(context) as port:
        report = await checked(f"https://127.0.0.1:{port}", trusted=issuer)
    assert "certificate is not trusted" in named(report, "TLS").detail


async def test_a_port_without_encryption_is_told_from_one_with_a_bad_certificate(
    server: Server,
) -> None:
    report = await checked(f"https://127.0.0.1:{server.port}")
    assert named(report, "TCP").ok
    assert "no encrypted connection" in named(report, "TLS").detail


async def test_silence_ends_with_the_time_a_check_may_take() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        report = await checked(f"https://127.0.0.1:{port}", within=0.2)
    assert "no answer within 0.2 s" in named(report, "TLS").detail


async def test_an_api_that_does_not_answer_in_time_is_wrong(server: Server) -> None:
    async def silent(_: str) -> None:
        await asyncio.Event().wait()

    report = await checked(server.analytics_url, probe=silent, within=0.2)
    assert "no answer within 0.2 s" in named(report, "analytics API").detail
    assert named(report, "key").ok is None


async def test_a_refused_key_is_wrong_whatever_else_works(server: Server) -> None:
    refused = TrayportAuthenticationError(
        "401, the key was refused: no", status_code=401, suggestion="check the key"
    )
    report = await checked(server.analytics_url, probe=failing(refused))
    assert named(report, "key").ok is False
    assert "TRAYPORT_API_KEY" in named(report, "key").detail
    assert "analytics and reference" in named(report, "key").detail
    assert named(report, "analytics API").detail == "401, the key was refused: no: check the key"


async def test_a_failing_service_says_nothing_about_the_key(server: Server) -> None:
    failed = TrayportServerError("503, the service failed", status_code=503)
    report = await checked(server.analytics_url, probe=failing(failed))
    assert named(report, "key").ok is None
    assert "503" in named(report, "reference API").detail


@pytest.mark.parametrize("error", [LookupError("no\ndesk"), TimeoutError("no desk")])
async def test_what_middleware_raises_is_reported_in_its_own_words(
    server: Server, error: Exception
) -> None:
    async def spoilt(api: str) -> None:
        if api == "analytics":
            raise error

    report = await checked(server.analytics_url, server.reference_url, probe=spoilt)
    assert [check.name for check in report.wrong] == ["analytics API"]
    assert named(report, "analytics API").detail == f"{type(error).__name__}: no desk"
    assert named(report, "reference API").ok


async def test_a_check_that_is_cancelled_is_cancelled(server: Server) -> None:
    asked = asyncio.Event()

    async def silent(_: str) -> None:
        asked.set()
        await asyncio.Event().wait()

    check = asyncio.create_task(checked(server.analytics_url, probe=silent))
    await asked.wait()
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check


async def test_without_a_key_nothing_is_asked(server: Server) -> None:
    report = await checked(server.analytics_url, has_key=False)
    assert [check.name for check in report.wrong] == ["settings"]
    assert "TRAYPORT_API_KEY" in named(report, "settings").detail
    assert named(report, "analytics API").ok is None


async def test_an_open_breaker_says_until_when(server: Server) -> None:
    broken = TrayportCircuitBreakerError("/trades keeps failing", retry_at=NOON)
    status = evolve(WELL, breakers={"/trades": OPEN, "/markets": BreakerStatus(
        BreakerState.CLOSED, 0, None
    )})  # fmt: skip
    report = await checked(server.analytics_url, probe=failing(broken), status=status)
    assert named(report, "breakers").ok is False
    assert named(report, "breakers").detail == (
        "/trades open until 12:00:00 UTC, after 5 failures in a row"
    )


async def test_a_paused_limiter_says_for_how_long_and_nothing_waits_for_it(
    server: Server,
) -> None:
    paused = evolve(WELL, limiter=evolve(LIMITER, paused=90.0, share=0.5))
    report = await checked(server.analytics_url, status=paused)
    assert named(report, "limiter").ok is False
    assert "paused for 90.0 s" in named(report, "limiter").detail
    assert "at 50% of the set rate" in named(report, "limiter").detail
    assert named(report, "analytics API").detail == "not asked: the limiter is paused for 90 s"


async def test_a_shared_store_that_is_away_is_wrong(server: Server) -> None:
    away = evolve(WELL, limiter=evolve(LIMITER, store="redis", problem="connection refused"))
    report = await checked(server.analytics_url, status=away)
    assert named(report, "limiter").ok is False
    assert "connection refused" in named(report, "limiter").detail


async def test_in_the_same_process_there_is_no_network_to_check() -> None:
    report = await checked("http://sandbox.invalid/a", "http://sandbox.invalid/b", in_process=True)
    assert report.ok
    assert named(report, "network").ok is None
    assert not [check for check in report.checks if check.name.startswith(("DNS", "TCP", "TLS"))]


async def test_behind_a_proxy_the_direct_way_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", f"http://user:{KEY}@proxy.invalid:3128")
    report = await checked("https://nowhere.invalid")
    assert named(report, "network").ok is None
    assert "proxy" in named(report, "network").detail
    assert named(report, "analytics API").ok
    assert KEY not in str(report)


async def test_a_key_that_goes_over_the_network_unencrypted_is_mentioned() -> None:
    report = await checked("http://nowhere.example", "http://127.0.0.1:1", in_process=True)
    assert "goes to analytics unencrypted" in named(report, "settings").detail
    assert "goes to reference" not in named(report, "settings").detail


async def test_the_status_tells_windows_waits_and_breakers_in_words() -> None:
    busy = evolve(LIMITER, queued={"high": 1, "low": 3}, next_grant=0.5)
    half_open = BreakerStatus(BreakerState.HALF_OPEN, 5, None)
    status = Status(busy, {"/trades": OPEN, "/markets": half_open}, ConnectionCounts(2, 100))
    assert str(status) == (
        "limiter      2 of 6 in 1 s; counted in memory; 4 waiting, the next leaves in 0.5 s\n"
        "breakers     /trades open until 12:00:00 UTC, after 5 failures in a row; "
        "/markets half-open: the next request is a trial\n"
        "connections  2 opened for 100 requests"
    )
    assert "nothing limits requests" in str(evolve(status, limiter=None))
