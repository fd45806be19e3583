"""The client over real sockets."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from trayport_sdk import (
    ContractSpec,
    Settings,
    TrayportAuthenticationError,
    TrayportClient,
    TrayportConfigurationError,
    TrayportValidationError,
)
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)


async def test_the_same_rows_come_over_a_socket_and_in_process() -> None:
    with Sandbox(limits=False).serve() as server:
        async with TrayportClient(
            "sandbox", analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            wired = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-08")
            name = (await client.reference.get_market_by_id(10000065)).name
    async with TrayportClient.sandbox() as client:
        local = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-08")
    assert name == "TTF Hi Cal 51.6"
    assert wired.to_polars().equals(local.to_polars())
    assert wired.requests[0].bytes_received < wired.requests[0].bytes_decoded / 2


async def test_a_wrong_key_is_an_authentication_error() -> None:
    with Sandbox().serve() as server:
        async with TrayportClient(
            "wr0ng-key", analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            with pytest.raises(TrayportAuthenticationError, match="check the key") as refused:
                await client.reference.get_markets()
    assert "wr0ng-key" not in str(refused.value)


async def test_connections_are_kept_alive() -> None:
    sandbox = Sandbox(limits=False)
    with sandbox.serve() as server:
        async with TrayportClient(
            "sandbox", analytics_url=server.analytics_url, reference_url=server.reference_url
        ) as client:
            for item in range(240, 244):
                await client.reference.get_sequence_item(10000305, item)
    assert len(sandbox.requests) == 4
    assert len({request.connection for request in sandbox.requests}) == 1


async def test_the_settings_choose_http2() -> None:
    settings = Settings(api_key="sandbox", http2=True)
    async with TrayportClient(settings=settings) as client:
        assert client.settings.http2


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, trayport_sdk; from trayport_sdk import TrayportClient; "
        "heavy = {'polars', 'pandas', 'pyarrow', 'numpy', 'pydantic', 'httpx'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


async def test_a_closed_client_says_so() -> None:
    async with TrayportClient.sandbox() as client:
        pass
    with pytest.raises(TrayportConfigurationError, match="the client is closed"):
        await client.reference.get_markets()


def test_a_client_of_one_event_loop_says_so_in_another() -> None:
    client = TrayportClient.sandbox()
    asyncio.run(_market(client))
    with pytest.raises(TrayportConfigurationError, match="another event loop"):
        asyncio.run(_market(client, 10000016))


async def _market(client: TrayportClient, id_: int = 10000065) -> None:
    await client.reference.get_market_by_id(id_)


async def test_other_options_share_everything_but_themselves() -> None:
    async with TrayportClient.sandbox(Sandbox(limits=True)) as client:
        patient = client.with_options(timeout=300, max_retries=0, priority="low")
        assert (patient.settings.timeout, patient.settings.max_retries) == (300, 0)
        assert client.settings.timeout == 60
        policy = patient._session.policy
        assert (policy.timeout, policy.retry.retries, policy.priority) == (300, 0, "low")
        assert patient.with_options(timeout=1)._session.policy.priority == "low"
        assert patient._session.transport is client._session.transport
        assert patient._session.limiter is client._session.limiter
        assert patient._session.breakers is client._session.breakers
        await patient.resolve_contract("TTF Hi Cal 51.6* Apr-24")
        sent = client.get_metrics().total.requests
        await client.resolve_contract("TTF Hi Cal 51.6* Apr-24")
        assert client.get_metrics().total.requests == sent


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TRAYPORT_{name.upper()}", raising=False)
    file = tmp_path / ".env"
    file.write_text("TRAYPORT_API_KEY=a-key\n")
    return file


async def test_reloaded_settings_change_limits_timeouts_and_retries_while_running(
    surroundings: Path,
) -> None:
    async with TrayportClient(max_retries=7) as client:
        surroundings.write_text(
            "TRAYPORT_API_KEY=a-key\nTRAYPORT_TIMEOUT=5\nTRAYPORT_REQUESTS_PER_SECOND=2\n"
            "TRAYPORT_MAX_RETRIES=1\nTRAYPORT_BREAKER_THRESHOLD=3\n"
        )
        settings = client.reload_settings()
        assert settings is client.settings
        assert client._session.policy.timeout == 5
        assert client._session.policy.retry.retries == 7  # an argument wins, then as now
        limiter = client.get_status().limiter
        assert limiter is not None
        assert [window.limit for window in limiter.windows] == [1, 2, 120]
        surroundings.write_text("TRAYPORT_API_KEY=a-key\n")
        assert client.reload_settings().timeout == 60


async def test_options_outlive_a_reload(surroundings: Path) -> None:
    async with TrayportClient() as client:
        patient = client.with_options(timeout=300)
        surroundings.write_text("TRAYPORT_API_KEY=a-key\nTRAYPORT_MAX_RETRIES=1\n")
        assert patient.reload_settings().timeout == patient._session.policy.timeout == 300
        assert patient._session.policy.retry.retries == 1


async def test_what_connections_are_made_of_waits_for_a_new_client(
    surroundings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with TrayportClient() as client:
        surroundings.write_text(
            "TRAYPORT_API_KEY=another\nTRAYPORT_MAX_CONNECTIONS=5\nTRAYPORT_TIMEOUT=5\n"
        )
        settings = client.reload_settings()
        assert settings.api_key is not None
        assert settings.api_key.get_secret_value() == "a-key"
        assert (settings.max_connections, settings.timeout) == (100, 5)
    assert "only a new client will use the changed api_key, max_connections" in caplog.text
    assert "another" not in caplog.text


async def test_settings_that_cannot_work_change_nothing(surroundings: Path) -> None:
    async with TrayportClient() as client:
        surroundings.write_text("TRAYPORT_API_KEY=a-key\nTRAYPORT_TIMEOUT=soon\n")
        with pytest.raises(TrayportConfigurationError, match="TRAYPORT_TIMEOUT"):
            client.reload_settings()
        assert client.settings.timeout == client._session.policy.timeout == 60


async def test_a_priority_that_is_none_is_refused() -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportValidationError, match="high, normal, low") as refused:
            client.with_options(priority="urgent")  # type: ignore[arg-type]
    assert refused.value.parameter == "priority"


async def test_a_new_sandbox_has_an_allowance_of_its_own() -> None:
    for _ in range(5):
        async with TrayportClient.sandbox(Sandbox(limits=True)) as client:
            status = client.get_status().limiter
            assert status is not None
            assert status.windows[0].used == 0
            await _market(client)
            assert client._session.limiter is not None
            await client._session.limiter.slow_down(1000)


async def test_clients_of_one_key_keep_the_strictest_of_their_limits() -> None:
    settings = Settings(_env_file=None, requests_per_second=2)
    sandbox = Sandbox(limits=True)
    async with TrayportClient.sandbox(sandbox) as usual:
        async with TrayportClient.sandbox(sandbox, settings=settings) as careful:
            for client in (usual, careful):
                status = client.get_status().limiter
                assert status is not None
                assert status.windows[1].limit == 2
        status = usual.get_status().limiter
        assert status is not None
        assert status.windows[1].limit == 6


async def test_metrics_that_are_off_say_so() -> None:
    settings = Settings(_env_file=None, metrics=False)
    async with TrayportClient.sandbox(settings=settings) as client:
        await _market(client)
        with pytest.raises(TrayportConfigurationError, match="TRAYPORT_METRICS"):
            client.get_metrics()


async def test_metrics_tell_what_was_sent_and_what_came() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-08")
        metrics = client.get_metrics()
    assert metrics.endpoints["/trades"].requests == 1
    assert metrics.endpoints["/trades"].bytes_decoded == found.requests[0].bytes_decoded
    assert metrics.endpoints["/trades"].bytes_received == found.requests[0].bytes_received


async def test_the_health_of_a_working_client_and_of_one_with_a_wrong_key() -> None:
    with Sandbox().serve() as server:
        analytics, reference = server.analytics_url, server.reference_url
        async with TrayportClient(
            "sandbox", analytics_url=analytics, reference_url=reference
        ) as client:
            report = await client.health_check()
            assert report.ok, str(report)
        async with TrayportClient(
            "wr0ng-key", analytics_url=analytics, reference_url=reference
        ) as client:
            report = await client.health_check()
        assert not report.ok
        assert "check the variable TRAYPORT_API_KEY" in str(report)
        async with TrayportClient(
            "sandbox", analytics_url=f"{analytics}/elsewhere", reference_url=reference
        ) as client:
            report = await client.health_check()
        assert [check.name for check in report.wrong] == ["analytics API"]


async def test_an_asynchronous_hook_is_refused_because_nobody_would_await_it() -> None:
    async def hook(_: object) -> None: ...

    for name in ("on_retry", "on_breaker_change"):
        with pytest.raises(TrayportConfigurationError, match=f"{name} is asynchronous"):
            TrayportClient.sandbox(**{name: hook})  # type: ignore[arg-type]
