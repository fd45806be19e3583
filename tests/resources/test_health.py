"""The health check and the status of clients of sick and healthy services on real sockets."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from attrs import evolve

from tests.http.peers import Peer, closed_port, encoded, peer
from trayport_sdk import (
    BreakerState,
    BreakerStatus,
    ConnectionCounts,
    HealthCheck,
    HealthReport,
    LimiterStatus,
    Settings,
    Status,
    TrayportClient,
    WindowUse,
)
from trayport_sdk.resources.health import health_check
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox import SandboxServer as Server

pytestmark = pytest.mark.anyio

KEY = "s3cret-key"
NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
LIMITER = LimiterStatus((WindowUse(1.0, 6, 2),), {"normal": 0}, 0.0, 1.0, 0.0, 2)
OPEN = BreakerStatus(BreakerState.OPEN, 5, NOON)


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Sandbox(keys=[KEY], limits=False).serve() as serving:
        yield serving


def settings_of(analytics: str, reference: str | None = None, **more: object) -> Settings:
    urls = {"analytics_url": analytics, "reference_url": reference or analytics}
    return Settings.model_validate({"api_key": KEY, **urls, **more})


async def checked(analytics: str, reference: str | None = None, **more: object) -> HealthReport:
    async with TrayportClient(settings=settings_of(analytics, reference, **more)) as client:
        report = await client.health_check()
    assert KEY not in str(report)
    return report


def named(report: HealthReport, name: str) -> HealthCheck:
    (check,) = [check for check in report.checks if check.name == name]
    return check


def failed(report: HealthReport) -> list[str]:
    return [check.name for check in report.wrong]


async def test_everything_works_at_a_served_sandbox(server: Server) -> None:
    report = await checked(server.analytics_url, server.reference_url)
    names = ["settings", "key", "analytics API", "reference API", "limiter", "breakers"]
    assert [check.name for check in report.checks] == names
    assert all(check.ok for check in report.checks), report
    assert str(report).endswith("nothing is wrong")
    assert named(report, "analytics API").detail == f"127.0.0.1:{server.port}: responds"


async def test_one_sick_address_is_named_and_does_not_hide_the_other(server: Server) -> None:
    port = closed_port()
    report = await checked(server.analytics_url, f"http://127.0.0.1:{port}")
    assert failed(report) == ["reference API"]
    assert named(report, "analytics API").ok
    assert named(report, "key").ok
    assert f"127.0.0.1:{port}: the connection failed: " in named(report, "reference API").detail
    assert str(report).endswith("1 wrong")


async def test_a_host_that_nobody_knows_is_named_and_says_nothing_about_the_key() -> None:
    report = await checked("https://nowhere.invalid/api")
    assert failed(report) == ["analytics API", "reference API"]
    assert "nowhere.invalid:443: the connection failed: " in named(report, "analytics API").detail
    assert named(report, "key").ok is None


@pytest.mark.parametrize("host", ["127.0.0.1", "elsewhere.example"])
async def test_a_certificate_that_is_not_trusted_says_where_to_name_another(host: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(host).configure_cert(context)
    async with peer(tls=context) as untrusted:
        report = await checked(untrusted.url)
    assert "CERTIFICATE_VERIFY_FAILED" in named(report, "analytics API").detail
    assert "SSL_CERT_FILE" in named(report, "analytics API").detail


async def test_a_port_without_encryption_is_told_from_one_with_a_bad_certificate(
    server: Server,
) -> None:
    report = await checked(f"https://127.0.0.1:{server.port}")
    assert "SSL" in named(report, "analytics API").detail
    assert "SSL_CERT_FILE" not in named(report, "analytics API").detail


async def test_silence_ends_with_the_time_a_check_may_take() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with TrayportClient(settings=settings_of(url)) as client:
            report = await health_check(client._session, within=0.2)
    assert "no response within 0.2 s" in named(report, "analytics API").detail
    assert named(report, "key").ok is None


async def test_a_refused_key_is_wrong_whatever_else_works(server: Server) -> None:
    report = await checked(server.analytics_url, server.reference_url, api_key="another-key")
    assert failed(report) == ["key", "analytics API", "reference API"]
    assert "another-key" not in str(report)
    assert named(report, "key").detail == (
        "refused by analytics and reference: check the variable TRAYPORT_API_KEY"
    )
    assert "401" in named(report, "analytics API").detail


async def test_a_failing_service_is_asked_once_and_says_nothing_about_the_key() -> None:
    async with peer(lambda _: encoded(b"", 503)) as failing:
        report = await checked(failing.url)
    assert len(failing.requests) == 2
    assert named(report, "key").ok is None
    assert "503" in named(report, "reference API").detail


async def test_a_response_that_is_no_json_is_wrong() -> None:
    async with peer(lambda _: encoded(b"<html>welcome</html>")) as hotel:
        report = await checked(hotel.url)
    assert failed(report) == ["analytics API", "reference API"]


async def test_what_a_hook_raises_is_reported_in_its_own_words() -> None:
    def spoil(_: object) -> None:
        raise LookupError("no\ndesk")

    async with peer(lambda _: encoded(b"", 503)) as failing:
        settings = settings_of(failing.url, breaker_threshold=1)
        async with TrayportClient(settings=settings, on_breaker_change=spoil) as client:
            report = await client.health_check()
    assert "LookupError: no desk" in named(report, "analytics API").detail


async def test_a_check_that_is_cancelled_is_cancelled() -> None:
    async def cancelled(silent: Peer) -> None:
        silent.answering.clear()
        async with TrayportClient(settings=settings_of(silent.url)) as client:
            check = asyncio.create_task(client.health_check())
            await silent.received(2)
            check.cancel()
            with pytest.raises(asyncio.CancelledError):
                await check

    async with peer() as silent:
        await cancelled(silent)


async def test_an_open_breaker_says_until_when() -> None:
    async with peer(lambda _: encoded(b"", 503)) as failing:
        report = await checked(failing.url, breaker_threshold=1)
    assert named(report, "breakers").ok is False
    assert "/activity open until " in named(report, "breakers").detail
    assert "UTC, after 1 failures in a row" in named(report, "breakers").detail


async def test_a_paused_limiter_says_for_how_long_and_nothing_waits_for_it() -> None:
    async with peer() as healthy, TrayportClient(settings=settings_of(healthy.url)) as client:
        limiter = client._session.limiter
        assert limiter is not None
        await limiter.slow_down(90.0, await limiter.acquire())
        report = await client.health_check()
    assert not healthy.requests
    assert named(report, "limiter").ok is False
    assert "paused for " in named(report, "limiter").detail
    assert "at 50% of the set rate" in named(report, "limiter").detail
    assert named(report, "analytics API").ok is None
    assert "not sent: the limiter is paused for 90 s" in str(report)


async def test_a_shared_store_that_is_away_is_wrong(server: Server, tmp_path: Path) -> None:
    # Another key, as the limiter of this one counts in memory.
    store = f"sqlite:///{tmp_path}/nowhere/grants.db"
    report = await checked(server.analytics_url, api_key="another-key", limiter_store=store)
    assert named(report, "limiter").ok is False
    assert "unable to open database file" in named(report, "limiter").detail


async def test_a_sandbox_in_the_same_process_is_healthy() -> None:
    async with TrayportClient.sandbox() as client:
        report = await client.health_check()
    assert report.ok
    assert named(report, "analytics API").detail == "this process: responds"


async def test_a_proxy_of_the_environment_is_mentioned_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = f"http://user:{KEY}@127.0.0.1:{closed_port()}"
    monkeypatch.setenv("https_proxy", proxy)
    report = await checked("https://nowhere.invalid")
    assert "names a proxy" in named(report, "analytics API").detail


async def test_a_key_that_goes_over_the_network_unencrypted_is_mentioned() -> None:
    report = await checked("http://nowhere.example", "http://127.0.0.1:1", allow_insecure_http=True)
    assert "goes to analytics unencrypted" in named(report, "settings").detail
    assert "goes to reference" not in named(report, "settings").detail


def test_the_status_shows_windows_waits_and_breakers_in_words() -> None:
    busy = evolve(LIMITER, queued={"high": 1, "low": 3}, next_grant=0.5)
    half_open = BreakerStatus(BreakerState.HALF_OPEN, 5, None)
    status = Status(
        busy, {"/trades": OPEN, "/markets": half_open}, ConnectionCounts(2, 100), "Python"
    )
    assert str(status) == (
        "limiter      2 of 6 in 1 s; counted in memory; 4 waiting, the next leaves in 0.5 s\n"
        "breakers     /trades open until 12:00:00 UTC, after 5 failures in a row; "
        "/markets half-open: the next request is a trial\n"
        "connections  2 opened for 100 requests\n"
        "reader       Python"
    )
    assert "nothing limits requests" in str(evolve(status, limiter=None))
