import os
from collections.abc import Iterator
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from tests.drawn import examples
from tests.redis_server import RedisServer

# A busy machine takes its time.
settings.register_profile(
    "trayport",
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("trayport")


@pytest.fixture(autouse=True)
def cache_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds what another one has read, or leaves files in the user's own directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", f"{gettempdir()}/trayport-tests-{uuid4()}")


@pytest.fixture
def anyio_backend() -> str | tuple[str, dict[str, Any]]:
    """The loop of asyncio, or uvloop where the variable asks for it."""
    if "TRAYPORT_TESTS_UVLOOP" not in os.environ:
        return "asyncio"
    try:
        import uvloop  # noqa: F401
    except ModuleNotFoundError:
        pytest.fail("TRAYPORT_TESTS_UVLOOP is set, but uvloop is not installed")
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests of a process; they keep apart by their names."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
