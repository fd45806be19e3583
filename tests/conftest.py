import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tests.document import ROOT
from tests.drawn import examples
from tests.redis_server import RedisServer
from trayport_sdk.tables.decode.native import reader as native_library
from trayport_sdk.tables.decode.native.reader import (
    PYTHON,
    VARIABLE,
    Library,
    Reader,
    library,
)

STARTED = time.monotonic()
SECONDS = 300
"""How long the whole suite may take, on two cores."""
THRESHOLDS = pytest.StashKey[tuple[int, int, int]]()
"""Of the garbage collector, as Python sets them."""

# A busy machine takes its time.
settings.register_profile(
    "trayport",
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("trayport")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: some tests wait for processes, limits or a network."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no worker ends long after the others."""
    slowest = {"site", "edited", "soaked"}
    items.sort(key=lambda item: slowest.isdisjoint(getattr(item, "fixturenames", ())))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is imported by now stays; the collector need not look at it again and again."""
    session.config.stash[THRESHOLDS] = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


@pytest.fixture
def usual_collector(pytestconfig: pytest.Config) -> Iterator[None]:
    """The garbage collector works as it does in a program of a user."""
    thresholds = gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(*pytestconfig.stash[THRESHOLDS])
    yield
    gc.freeze()
    gc.set_threshold(*thresholds)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        took = time.monotonic() - STARTED
        terminalreporter.write_line(f"suite: {took:.0f} s of at most {SECONDS} s")


@pytest.fixture(autouse=True)
def files_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No test finds what another one has read, or leaves files in the user's own directory."""
    for variable in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path_factory.getbasetemp() / f"user-{uuid4()}"))


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


@pytest.fixture(scope="session", autouse=True)
def another_library() -> None:
    """The native reader is another build of it where the variable names one."""
    if (path := os.environ.get("TRAYPORT_TESTS_LIBRARY")) is not None:
        build = Library(Path(path))
        native_library._load = lambda: build  # type: ignore[assignment]


@pytest.fixture(scope="session")
def native() -> Library:
    """The native reader, which must be there in continuous integration."""
    if (found := library()) is not None:
        return found
    if "TRAYPORT_TESTS_SKIP_NOTHING" in os.environ:
        pytest.fail("the native reader was not compiled")
    pytest.skip("the native reader was not compiled: there is no C compiler")


@pytest.fixture(scope="module", params=["native", "Python"])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """What reads rows: each test that uses it runs with both."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "Python":
            patch.setenv(VARIABLE, PYTHON)
        else:
            request.getfixturevalue("native")
        yield request.param


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests of a process; they keep apart by their names."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built strictly, once for all processes of a run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    built = shared / "site"
    with FileLock(shared / "site.lock"):
        if not built.exists():
            work = tmp_path_factory.mktemp("site")
            process = subprocess.run(
                [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(work)],
                cwd=ROOT,
                env=os.environ
                | {
                    "NO_MKDOCS_2_WARNING": "1",
                    "PYTHONPATH": f"{ROOT / 'generated'}{os.pathsep}{ROOT}",
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert process.returncode == 0, process.stdout + process.stderr
            work.rename(built)
    return built
