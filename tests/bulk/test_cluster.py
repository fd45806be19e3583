"""Backfills on several workers: the rows of one process, and one allowance, whatever is killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import distributed
import polars as pl
import psutil  # type: ignore[import-untyped]
import pytest
from attrs import evolve
from trayport_spec import REQUEST_LIMITS

from tests.redis_server import RedisServer
from trayport_sdk import (
    ContractSpec,
    Part,
    PartReport,
    Progress,
    Settings,
    TrayportAuthenticationError,
    TrayportClient,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportPartialFailureError,
    TrayportValidationError,
    open_dataset,
)
from trayport_sdk.bulk import cluster as module
from trayport_sdk.bulk.cluster import _Dask, _fitting, _Job, run_job
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = [
    ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
    for item in range(244, 256)
]
RANGE = ("2024-03-01", "2024-03-10")
KEY_OF_TEST = "key-of-the-test"
PROCESSES = 3
REMOTE = "tcp://10.0.0.1:8786"


@asynccontextmanager
async def served(sandbox: Sandbox, **values: Any) -> AsyncIterator[TrayportClient]:
    with sandbox.serve() as server:
        settings = Settings(
            _env_file=None,
            api_key=KEY_OF_TEST,
            cache="off",
            analytics_url=server.analytics_url,
            reference_url=server.reference_url,
            **values,
        )
        async with TrayportClient(settings=settings) as client:
            yield client


async def backfill(client: TrayportClient, path: Path, **how: Any) -> Any:
    return await client.backfill(CONTRACTS, *RANGE, path, endpoint="ohlcv", interval="1h", **how)


async def undisturbed(path: Path) -> pl.DataFrame:
    """The rows of one process that nothing happens to."""
    async with TrayportClient.sandbox(settings=Settings(_env_file=None)) as client:
        await backfill(client, path)
    return open_dataset(path).collect()


def check_arrivals(sandbox: Sandbox) -> None:
    """No request came faster than the service documents, by its own clock."""
    moments = sorted(request.arrived_ns / 1e9 for request in sandbox.requests)
    for most, seconds in ((REQUEST_LIMITS.per_second, 1.0), (REQUEST_LIMITS.per_minute, 60.0)):
        for first, later in zip(moments, moments[most:], strict=False):
            assert later - first > seconds


def sent(sandbox: Sandbox) -> list[str]:
    """The requests for candles."""
    return [request.query for request in sandbox.requests if "/reference" not in request.path]


def once(action: Callable[[], object], at: int) -> Callable[[Progress], None]:
    """Does something when so many requests are done."""
    waiting = [action]

    def on_progress(progress: Progress) -> None:
        if progress.requests_done >= at and waiting:
            waiting.pop()()

    return on_progress


def kill_a_worker() -> None:
    """Kills one of the worker processes of this one."""
    workers = multiprocessing.active_children()
    assert len(workers) == PROCESSES
    workers[0].kill()


def check_only_this_machine_can_connect() -> None:
    """To this process and its workers."""
    own = psutil.Process()
    sockets = [s for p in (own, *own.children(recursive=True)) for s in p.net_connections("tcp")]
    listening = {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def look_and_kill_a_worker() -> None:
    check_only_this_machine_can_connect()
    kill_a_worker()


# What Dask itself leaves open when a worker is killed.
quiet = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@quiet
async def test_three_processes_of_which_one_is_killed_write_what_one_does(tmp_path: Path) -> None:
    sandbox = Sandbox(limits=True, keys=[KEY_OF_TEST])
    async with served(sandbox) as client:
        before = await client.reference.get_markets()
        assert before
        limiter = client._session.limiter
        assert limiter is not None
        report = await backfill(
            client,
            tmp_path / "many",
            processes=PROCESSES,
            on_progress=once(look_and_kill_a_worker, 2),
        )
        # What workers sent counts for this process, too, which counts in memory again.
        assert limiter.store.name == "memory"
        assert client.get_status().limiter is not None
        used = client.get_status().limiter.windows[-1].used  # type: ignore[union-attr]
        again = await backfill(client, tmp_path / "many", processes=PROCESSES)
    assert report.requests_done == report.requests_planned == len(CONTRACTS)
    assert report.failures == ()
    assert again.requests_planned == 0
    expected = await undisturbed(tmp_path / "one")
    assert open_dataset(tmp_path / "many").collect().equals(expected)
    assert report.rows == expected.height > 0
    assert len(CONTRACTS) <= len(sent(sandbox)) <= len(CONTRACTS) + 4
    assert used >= len(sandbox.requests)
    assert not [r for r in sandbox.requests if r.status == 429]
    check_arrivals(sandbox)


class Cluster:
    """A scheduler and three workers, as they run on machines of their own, and a Redis."""

    def __init__(self, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.redis = RedisServer(directory)
        self._directory = directory
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.start_scheduler()
        self.start_workers()

    def start_scheduler(self) -> None:
        self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port))

    def start_workers(self) -> None:
        for _ in range(PROCESSES):
            self._start("worker", self.address, "--no-nanny", "--nthreads", "2")

    def _start(self, *command: str) -> None:
        dask = Path(sys.executable).with_name("dask")
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'generated'}{os.pathsep}{ROOT}"}
        with (self._directory / "log").open("ab") as log:
            self._started.append(
                subprocess.Popen(
                    [dask, *command, "--no-dashboard"],
                    cwd=self._directory,
                    env=environment,
                    stdout=log,
                    stderr=log,
                )
            )

    def restart_scheduler(self) -> None:
        """The workers of the one that is killed end by themselves."""
        self.kill_the_scheduler()
        self.start()

    def kill_the_scheduler(self) -> None:
        self._started[0].kill()
        self._started[0].wait()

    def kill_a_worker(self) -> None:
        self._started[1].kill()

    def restart_redis(self) -> None:
        """It is away for a while, and has forgotten everything."""
        self.redis.stop()
        threading.Timer(3.0, self.redis.start).start()

    def stop(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()
        self.redis.stop()

    def log(self) -> str:
        return (self._directory / "log").read_text()


@pytest.fixture
def cluster_of_workers(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    try:
        cluster.redis.start()
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("disturb", ["kill_a_worker", "restart_scheduler", "restart_redis"])
async def test_nothing_is_lost_or_doubled(
    disturb: str, cluster_of_workers: Cluster, tmp_path: Path
) -> None:
    sandbox, cluster = Sandbox(limits=True, keys=[KEY_OF_TEST]), cluster_of_workers
    async with served(sandbox, limiter_store=cluster.redis.url) as client:
        report = await backfill(
            client,
            tmp_path / "many",
            cluster=cluster.address,
            on_progress=once(getattr(cluster, disturb), 3),
        )
    assert report.requests_done == report.requests_planned == len(CONTRACTS)
    expected = await undisturbed(tmp_path / "one")
    assert open_dataset(tmp_path / "many").collect().equals(expected)
    threads = 2 * PROCESSES
    assert len(CONTRACTS) <= len(sent(sandbox)) <= len(CONTRACTS) + 2 * threads
    check_arrivals(sandbox)
    assert KEY_OF_TEST not in cluster.log()


@quiet
@pytest.mark.slow
async def test_a_scheduler_that_does_not_return_ends_the_call(
    cluster_of_workers: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 15.0)
    sandbox, cluster = Sandbox(limits=True, keys=[KEY_OF_TEST]), cluster_of_workers
    async with served(sandbox, limiter_store=cluster.redis.url) as client:
        with pytest.raises(TrayportConnectionError, match="run the same again"):
            await backfill(
                client,
                tmp_path / "many",
                cluster=cluster.address,
                on_progress=once(cluster.kill_the_scheduler, 3),
            )
        report = await backfill(client, tmp_path / "many", dry_run=True)
    assert 0 < report.requests_planned <= len(CONTRACTS) - 3


@pytest.fixture
async def in_this_loop() -> AsyncIterator[Any]:
    """A cluster without processes of its own."""
    async with distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2,
        threads_per_worker=2,
        processes=False,
        asynchronous=True,
        dashboard_address=":0",
    ) as cluster:
        yield cluster
    for left in module._open:
        await left.stack.aclose()
    module._open.clear()


async def test_failures_errors_and_cancellation_reach_the_caller(
    in_this_loop: Any, tmp_path: Path
) -> None:
    sandbox = Sandbox(limits=False, keys=[KEY_OF_TEST])
    letters, data = tmp_path / "letters", tmp_path / "many"
    values = {
        "limiter_store": f"sqlite:///{tmp_path}/counts",
        "dead_letter_file": letters,
        "requests_per_second": 1000,
        "requests_per_minute": 60_000,
    }
    async with served(sandbox, **values) as client:
        progress: list[Progress] = []
        sandbox.faults.add(Fault("status", operation_id="get_ohlcv", status=400))
        report = await backfill(client, data, cluster=in_this_loop, on_progress=progress.append)
        assert report.requests_planned == len(CONTRACTS)
        assert (report.requests_done, len(report.failures)) == (report.requests_planned - 1, 1)
        assert progress[-1].requests_failed == 1
        assert progress[-1].requests_done == report.requests_done
        assert progress[-1].bytes_received > 0
        assert len(letters.read_text().splitlines()) == 1
        with pytest.raises(TrayportPartialFailureError, match="400"):
            report.raise_for_failures()
        sandbox.keys = frozenset()
        with pytest.raises(TrayportAuthenticationError):
            await backfill(client, data, cluster=in_this_loop)
        sandbox.keys = frozenset([KEY_OF_TEST])
        again = await backfill(client, data, cluster=in_this_loop)
        assert (again.requests_planned, again.failures) == (1, ())
        cancelled = tmp_path / "cancelled"
        stop = once(lambda: task.cancel(), 3)
        task = asyncio.create_task(
            backfill(client, cancelled, cluster=in_this_loop, on_progress=stop)
        )
        with pytest.raises(asyncio.CancelledError):
            await task
        rest = await backfill(client, cancelled, cluster=in_this_loop)
        assert 0 < rest.requests_planned <= len(CONTRACTS) - 3
    expected = await undisturbed(tmp_path / "one")
    for path in (data, cancelled):
        assert open_dataset(path).collect().equals(expected)


async def test_a_scheduler_that_others_can_reach_is_not_given_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAYPORT_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    async with distributed.Scheduler(
        contact_address="tcp://10.0.0.1:8786", port=0, dashboard_address="127.0.0.1:0"
    ) as scheduler:
        address = f"tcp://127.0.0.1:{scheduler.listeners[0].bound_address[1]}"
        async with (
            distributed.Worker(address, host="127.0.0.1", nthreads=1),
            served(Sandbox(limits=False), limiter_store=f"sqlite:///{tmp_path}/counts") as client,
        ):
            with pytest.raises(TrayportConfigurationError, match="TRAYPORT_API_KEY on all workers"):
                await backfill(client, tmp_path / "many", cluster=address)


async def test_a_request_that_every_worker_was_lost_with_is_a_failure() -> None:
    class Lost:
        status = "running"

        def submit(self, *_: object, **__: object) -> Lost:
            return self

        def __await__(self) -> Iterator[Any]:
            yield from asyncio.sleep(0).__await__()
            worker: Any = SimpleNamespace(address=HERE)
            raise distributed.KilledWorker("task", worker, 3)

        def release(self) -> None:
            """Nothing is kept."""

    async with TrayportClient.sandbox() as client:
        plans = client.planner.plan_multi_contract_query(CONTRACTS[:1], "trades", *RANGE)
    report = await _Dask(Lost(), job(), 1).report(Part(tuple(plans)))
    (failure,) = report.failures
    assert failure.query == plans[0]
    assert "every worker that ran it was lost" in str(failure.error)
    assert report.responses == ()


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"processes": 0}, TrayportValidationError, "processes 0 is not a whole number"),
        ({"processes": 2, "cluster": REMOTE}, TrayportValidationError, "exclude each other"),
        ({"cluster": REMOTE}, TrayportConfigurationError, "limiter_store: memory .* redis://"),
        (
            {"cluster": 3, "limiter_store": "sqlite:///counts"},
            TrayportValidationError,
            "no cluster of",
        ),
        (
            {"cluster": "tcp://127.0.0.1:1", "limiter_store": "sqlite:///counts"},
            TrayportConnectionError,
            "no scheduler of Dask responds at tcp://127.0.0.1:1",
        ),
    ],
)
async def test_what_cannot_work_is_refused(
    how: dict[str, Any],
    error: type[Exception],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "START", 0.2)
    monkeypatch.chdir(tmp_path)
    values = {name: how.pop(name) for name in [*how] if name == "limiter_store"}
    async with served(Sandbox(limits=False), **values) as client:
        with pytest.raises(error, match=words):
            await backfill(client, tmp_path / "data", **how)


async def test_a_sandbox_in_this_process_has_no_workers(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportConfigurationError, match="`trayport sandbox`"):
            await backfill(client, tmp_path, processes=2)


REDIS = "redis://user:password@cache:6379/0"
HERE, THERE, SAFE = "tcp://127.0.0.1:8786", "tcp://10.0.0.1:40000", "tls://10.0.0.1:8786"


def job(**values: Any) -> _Job:
    settings = Settings(_env_file=None, api_key=KEY_OF_TEST, limiter_store=REDIS, **values)
    return _Job(Part(()), settings, settings.api_key, settings.limiter_store)


@pytest.mark.parametrize(
    ("addresses", "contact", "values", "travels"),
    [
        ([HERE, HERE], HERE, {}, True),
        ([HERE, HERE], THERE, {}, False),
        ([HERE, THERE], HERE, {}, False),
        ([SAFE, SAFE], SAFE, {}, True),
        ([SAFE, THERE], SAFE, {}, False),
        ([HERE, THERE], THERE, {"allow_insecure_http": True}, True),
    ],
)
def test_the_key_goes_only_where_nobody_reads_it(
    addresses: list[str],
    contact: str,
    values: dict[str, Any],
    travels: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitting = _fitting(job(**values), addresses, contact)
    sent = pickle.dumps(fitting)
    assert (KEY_OF_TEST.encode() in sent, b"user:password" in sent) == (travels, travels)
    assert KEY_OF_TEST not in repr(fitting)
    assert "password" not in repr(fitting)
    received: _Job = pickle.loads(sent)  # noqa: S301
    monkeypatch.setenv("TRAYPORT_API_KEY", "that-of-the-worker")
    monkeypatch.setenv("TRAYPORT_LIMITER_STORE", "redis://:other@cache:6379/0")
    settings = received.complete_settings()
    key = KEY_OF_TEST if travels else "that-of-the-worker"
    store = REDIS if travels else "redis://:other@cache:6379/0"
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == key
    assert settings.limiter_store.get_secret_value() == store


def test_workers_without_a_key_or_with_another_count_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    received: _Job = pickle.loads(pickle.dumps(_fitting(job(), [THERE], THERE)))  # noqa: S301
    with pytest.raises(TrayportConfigurationError, match="TRAYPORT_API_KEY on all workers"):
        received.complete_settings()
    monkeypatch.setenv("TRAYPORT_API_KEY", "that-of-the-worker")
    with pytest.raises(TrayportConfigurationError, match="redis://cache:6379/0 on all workers"):
        received.complete_settings()


def test_a_file_counts_for_one_machine_alone() -> None:
    local = job()
    local = evolve(local, settings=local.settings.replace(limiter_store="sqlite:///counts"))
    assert _fitting(local, [HERE, HERE], HERE) == local
    with pytest.raises(TrayportConfigurationError, match=r"a file counts .* redis://"):
        _fitting(local, [HERE, THERE], HERE)


SCRIPT = """
from trayport_sdk.sync import TrayportClient

client = TrayportClient("k", analytics_url="http://127.0.0.1:9", reference_url="http://127.0.0.1:9")
client.backfill("10000065*#Single#10000305#244#0", "2024-03-01", "2024-03-02", "data", processes=1)
"""


def test_a_script_without_a_main_part_is_told_of_it(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    script = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    errors = [line for line in script.stderr.splitlines() if "TrayportConfigurationError" in line]
    assert len(errors) == 2  # of the process that was started, and of the one that started it
    assert "this is one of the processes" in errors[0]
    assert "one has ended while it started" in errors[1]
    assert all('`if __name__ == "__main__":`' in line for line in errors)


async def test_a_client_of_an_imported_script_counts_in_the_same_file(tmp_path: Path) -> None:
    async with served(Sandbox(limits=True, keys=[KEY_OF_TEST])) as client:
        assert (limiter := client._session.limiter) is not None
        await client.trades.get_trades(CONTRACTS[0], *RANGE)
        plans = client.planner.plan_multi_contract_query(CONTRACTS[0], "trades", *RANGE)
        settings = client.settings
        path = str(tmp_path / "counts")
        job = _Job(Part(tuple(plans)), settings, settings.api_key, settings.limiter_store, path)
        report = await run_job(job)
        assert isinstance(report, PartReport)
        assert report.rows > 0
        assert limiter.store.name == "sqlite"
        assert limiter.status().windows[-1].used == 2
        for left in module._open:
            await left.stack.aclose()
        module._open.clear()
        assert limiter.store.name == "memory"


@quiet
async def test_ctrl_c_that_reaches_only_the_workers_ends_nothing(tmp_path: Path) -> None:
    """As that of a terminal, where this program ignores it."""
    sandbox = Sandbox(limits=True, keys=[KEY_OF_TEST])

    def interrupt_workers() -> None:
        for worker in multiprocessing.active_children():
            os.kill(worker.pid or 0, signal.SIGINT)

    async with served(sandbox) as client:
        report = await backfill(
            client,
            tmp_path / "many",
            processes=PROCESSES,
            on_progress=once(interrupt_workers, 2),
        )
    assert report.requests_done == report.requests_planned == len(CONTRACTS)
    assert report.failures == ()
    assert len(sent(sandbox)) == len(CONTRACTS)
