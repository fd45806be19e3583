"""Many workers, one allowance: Dask runs the requests of a backfill, one each at a time.

What a worker has fetched comes to the program that called, which alone writes the data set. So a
request whose worker is lost is sent again, and nothing is recorded twice.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from attrs import define, evolve, field, frozen
from pydantic import SecretStr

from ..errors import (
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportError,
    TrayportLimiterError,
    exclusive,
    invalid,
    not_whole,
    require_extra,
)
from ..http.hooks import Hooks
from ..http.session import Session
from ..query.plan import QueryPlan
from ..settings import MEMORY, Settings, stays_here, without_password
from ..tables.batches import MAIN_PART
from .executor import check_callback
from .parts import Part, PartReport, PartResponse, run_part
from .progress import OnProgress, Progress
from .result import FailedQuery
from .runner import Runner

if TYPE_CHECKING:
    import distributed
    from distributed.deploy.cluster import Cluster

AHEAD = 2
"""How many requests are with the cluster for each of its threads: one runs, and one is next."""
PATIENCE = 600.0
"""Seconds to wait for a scheduler, or a store of the allowance, that is away."""
START = 60.0
"""Seconds to wait for a scheduler and the first worker at the beginning."""
PAUSE = 1.0
"""Seconds between two looks."""
FILE = "allowance.sqlite"
ADDRESS = "the address of a scheduler, such as tcp://host:8786, or a client of Dask"

DaskCluster: TypeAlias = "str | distributed.Client | Cluster"


@frozen
class _Job:
    """A part with what a worker needs for it.

    Attributes:
        part: The part.
        settings: The settings of the caller, which have no secrets once they are pickled.
        key: The key; None where workers have it from their own settings.
        store: Where requests are counted, with the password; None alike.
        file: A file of this machine that counts them instead, where the settings name none.
    """

    part: Part
    settings: Settings = field(repr=False)
    key: SecretStr | None = field(default=None, repr=False)
    store: SecretStr | None = field(default=None, repr=False)
    file: str | None = None

    def complete_settings(self) -> Settings:
        """The settings with their secrets.

        Raises:
            TrayportConfigurationError: This worker has no key, or counts requests elsewhere.
        """
        key, store = self.key, self.store
        if key is None or store is None:
            own = Settings()
            key, store = own.api_key, own.limiter_store
            wanted = self.settings.limiter_store.get_secret_value()
            if key is None:
                raise _unfit("a worker has no key", "set TRAYPORT_API_KEY on all workers")
            if without_password(store.get_secret_value()) != wanted:
                raise _unfit(
                    "limiter_store: a worker counts requests in another place than the caller",
                    f"set TRAYPORT_LIMITER_STORE to {wanted} on all workers",
                )
        return self.settings.replace(api_key=key, limiter_store=store)


# --- On a worker


@define
class _Open:
    """What sends requests on this worker, kept between parts.

    Attributes:
        settings: Its settings.
        runner: Runs plans with its connections.
        stack: Closes them.
        loop: The event loop that it belongs to.
        parts: How many parts are using it.
    """

    settings: Settings
    runner: Runner
    stack: AsyncExitStack
    loop: asyncio.AbstractEventLoop
    parts: int = 0


_open: list[_Open] = []


@asynccontextmanager
async def _runner(settings: Settings, file: str | None) -> AsyncGenerator[Runner]:
    """The runner of this process with some settings; one with others is closed when it is idle.

    A script that is imported here may have made a client of its own: then both count in the file.
    """
    loop = asyncio.get_running_loop()
    same = [o for o in _open if o.loop is loop and not o.settings.differences(settings)]
    if not same:
        for idle in [o for o in _open if o.loop is loop and not o.parts]:
            _open.remove(idle)
            await idle.stack.aclose()
        async with AsyncExitStack() as stack:
            session = Session.from_settings(settings, Hooks())
            stack.push_async_callback(session.aclose)
            if file is not None and session.limiter is not None:
                stack.enter_context(session.limiter.in_file(file))
            runner = Runner(session, _resolve, lambda: settings)
            same = [_Open(settings, runner, stack.pop_all(), loop)]
        _open.extend(same)
    same[0].parts += 1
    try:
        yield same[0].runner
    finally:
        same[0].parts -= 1


async def _resolve(*_: object) -> NoReturn:
    raise TypeError("the contracts of a part are known")


async def run_job(job: _Job) -> PartReport | TrayportError:
    """Runs a part on a worker, in its event loop. It waits for a store that is away.

    An error that the caller gets anyway is returned: one that is raised fills the worker's log.
    """
    waited = 0.0
    try:
        async with _runner(job.complete_settings(), job.file) as runner:
            while True:
                try:
                    return await run_part(runner, job.part)
                except TrayportLimiterError:
                    if waited >= PATIENCE:
                        raise
                    await asyncio.sleep(PAUSE)
                    waited += PAUSE
    except TrayportError as error:
        return error


# --- Where the rows come together


class Workers:
    """The workers of a backfill.

    Args:
        runner: The runner of the caller.
        cluster: The cluster to use.
        processes: How many processes of this machine to start instead.

    Raises:
        TrayportValidationError: Both are given, or one cannot work.
        TrayportConfigurationError: The extra is missing, or workers could not do as this client.
    """

    def __init__(self, runner: Runner, cluster: DaskCluster | None, processes: int | None) -> None:
        if cluster is not None and processes is not None:
            raise exclusive("cluster", "processes")
        if processes is not None and (type(processes) is not int or processes < 1):
            raise not_whole("processes", processes)
        if processes is not None and getattr(
            multiprocessing.current_process(), "_inheriting", False
        ):
            # Where a script is imported by a process that it has started.
            raise _unfit(f"processes={processes}: this is one of the processes", MAIN_PART)
        require_extra("cluster", "distributed", what="cluster" if cluster else "processes")
        if runner.session.transport.in_process or runner.session.transport.has_hooks:
            raise _unfit(
                "workers cannot use what is in this process: a sandbox, event_hooks or a transport",
                "leave it out; `trayport sandbox` serves a sandbox that all of them reach",
            )
        self._runner = runner
        self._settings = runner.settings()
        if cluster is not None and self._settings.limiter_store.get_secret_value() == MEMORY:
            raise _unfit(
                "limiter_store: memory counts the requests of this process alone, and workers "
                "share one allowance",
                "set limiter_store to redis://host:6379/0, or for workers of this machine to "
                "sqlite:///path; processes= starts workers here and sees to that",
            )
        self._cluster = cluster
        self._processes = processes

    async def outcomes(
        self, plans: Sequence[QueryPlan], state: Path, on_progress: OnProgress | None
    ) -> AsyncGenerator[PartResponse | FailedQuery]:
        """What came of every request, as it comes.

        Args:
            plans: The requests.
            state: A directory for the count of the requests, where only this machine sends any.
            on_progress: Called after each response with a `Progress`.
        """
        check_callback("on_progress", on_progress, "Progress")
        progress, started = Progress(0, len(plans), 0, 0, 0, 0, 0.0), time.monotonic()
        async with self._connected(state) as dask:
            waiting = [*reversed(plans)]
            running: set[asyncio.Task[PartReport]] = set()
            try:
                while waiting or running:
                    while waiting and len(running) < dask.ahead:
                        part = Part((waiting.pop(),))
                        running.add(asyncio.create_task(dask.report(part)))
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    # What came is recorded before an error ends it.
                    for task in sorted(done, key=lambda task: task.exception() is not None):
                        report = task.result()
                        progress = _further(progress, report, time.monotonic() - started)
                        for response in report.responses:
                            yield response
                        for failure in report.failures:
                            self._runner.keep_failed(failure)
                            yield failure
                        if on_progress is not None:
                            on_progress(progress)
            finally:
                for task in running:
                    task.cancel()
                if running:
                    await asyncio.wait(running)

    @asynccontextmanager
    async def _connected(self, state: Path) -> AsyncGenerator[_Dask]:
        settings = self._settings.model_copy(update={"dead_letter_file": None})
        cluster, file = self._cluster, None
        async with AsyncExitStack() as stack:
            if self._processes is not None:
                limiter = self._runner.session.limiter
                if settings.limiter_store.get_secret_value() == MEMORY and limiter is not None:
                    file = stack.enter_context(limiter.in_file(str(state / FILE)))
                threads = math.ceil(settings.max_concurrency / self._processes)
                processes = _dask().LocalCluster(
                    n_workers=self._processes,
                    threads_per_worker=threads,
                    dashboard_address="127.0.0.1:0",
                    preload=IGNORE_CTRL_C,
                    asynchronous=True,
                )
                try:
                    cluster = await stack.enter_async_context(processes)
                except RuntimeError as error:
                    raise _unfit(
                        f"processes={self._processes}: one has ended while it started",
                        f"{MAIN_PART}; what else ended it is printed above",
                    ) from error
            address, security = _address_of(cluster)
            client = await stack.enter_async_context(_client(address, security))
            threads_of = await _threads_of(client, address)
            job = _Job(Part(()), settings, settings.api_key, settings.limiter_store, file)
            job = _fitting(job, [address, *threads_of], client.scheduler_info()["address"])
            yield _Dask(client, job, AHEAD * sum(threads_of.values()))


IGNORE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What workers run first. Ctrl-C is for the caller, who ends them."""


def _further(progress: Progress, report: PartReport, seconds: float) -> Progress:
    """The progress with what came of one request, which may have been split."""
    came, failed = len(report.responses), len(report.failures)
    return evolve(
        progress,
        requests_done=progress.requests_done + came,
        requests_failed=progress.requests_failed + failed,
        requests_planned=progress.requests_planned + came + failed - 1,
        rows=progress.rows + report.rows,
        bytes_decoded=progress.bytes_decoded + sum(r.bytes_decoded for r in report.responses),
        bytes_received=progress.bytes_received + sum(r.bytes_received for r in report.responses),
        seconds=seconds,
    )


@asynccontextmanager
async def _client(address: str, security: Any) -> AsyncGenerator[Any]:
    """A client of a scheduler, on this event loop."""
    client = _dask().Client(
        address, asynchronous=True, security=security, set_as_default=False, timeout=PATIENCE
    )
    try:
        await _connect(client, address)
        yield client
    finally:
        await client.close()


async def _connect(client: Any, address: str) -> None:
    """Waits until a client has reached its scheduler.

    Raises:
        TrayportConnectionError: It does not respond in time.
    """

    async def connected() -> None:
        await client

    connecting = asyncio.ensure_future(connected())
    try:
        await asyncio.wait([connecting], timeout=START)
    finally:
        connecting.cancel()
        await asyncio.wait([connecting])
    error = None if connecting.cancelled() else connecting.exception()
    if connecting.cancelled() or isinstance(error, OSError):
        raise TrayportConnectionError(
            f"no scheduler of Dask responds at {address}",
            connected=False,
            suggestion="see whether it runs, and whether this machine reaches it",
        ) from error
    connecting.result()


def _address_of(cluster: Any) -> tuple[str, Any]:
    """The address of a scheduler, and the certificates for it.

    Raises:
        TrayportValidationError: It is no cluster.
    """
    address = cluster
    if not isinstance(cluster, str):
        scheduler = getattr(cluster, "scheduler", None)
        address = getattr(cluster, "scheduler_address", None) or getattr(scheduler, "address", None)
    if not isinstance(address, str) or not address:
        raise invalid("cluster", cluster, "is no cluster of Dask", f"give {ADDRESS}")
    return address, getattr(cluster, "security", None)


async def _threads_of(client: Any, address: str) -> dict[str, int]:
    """The addresses of the workers, with how many parts each runs at once.

    Raises:
        TrayportConnectionError: There are none.
    """
    try:
        await client.wait_for_workers(1, timeout=START)
    except TimeoutError:
        raise TrayportConnectionError(
            f"the scheduler of Dask at {address} has no workers", suggestion="start some"
        ) from None
    threads: dict[str, int] = await client.nthreads()
    return threads


def _fitting(job: _Job, addresses: Sequence[str], contact: str) -> _Job:
    """The job as it may go to a cluster: secrets only where nobody on the way reads them.

    Args:
        job: The job.
        addresses: Those of the workers, and that of the scheduler as it was given.
        contact: The address at which workers find the scheduler. That of one that listens to this
            machine alone is here; to others workers from elsewhere may come at any time.

    Raises:
        TrayportConfigurationError: Requests would be counted where not all workers can.
    """
    settings = job.settings
    are_here = all(map(_is_here, addresses))
    store = settings.limiter_store.get_secret_value()
    if store.startswith("sqlite:") and not are_here:
        raise _unfit(
            "limiter_store: a file counts the requests of one machine, and workers are on others",
            "set limiter_store to redis://host:6379/0, which all of them reach",
        )
    everywhere = [*addresses, contact]
    is_private = all(map(_is_here, everywhere)) or all(a.startswith("tls:") for a in everywhere)
    if is_private or settings.allow_insecure_http:
        return job
    return evolve(job, key=None, store=None)


def _is_here(address: str) -> bool:
    return address.startswith("inproc:") or stays_here(address)


class _Dask:
    """A client of Dask that submits parts, and again when they are lost.

    Args:
        client: The client, which looks for its scheduler for a while when that is away.
        job: What goes to the workers, without the part.
        ahead: How many parts are submitted at most.
    """

    def __init__(self, client: Any, job: _Job, ahead: int) -> None:
        self._client = client
        self._job = job
        self.ahead = ahead

    async def report(self, part: Part) -> PartReport:
        """What came of a part, wherever and however often it had to run."""
        dask = _dask()
        job = evolve(self._job, part=part)
        while True:
            if self._client.status == "closed":
                raise TrayportConnectionError(
                    f"the scheduler of Dask has been away for {PATIENCE:.0f} s",
                    suggestion="start it, and run the same again: what came is recorded",
                )
            name = f"trayport-{part.id}-{secrets.token_hex(4)}"
            future = self._client.submit(run_job, job, key=name, pure=False)
            try:
                outcome: PartReport | TrayportError = await future
            except dask.CancelledError:
                await asyncio.sleep(PAUSE)  # the scheduler is away
            except dask.KilledWorker as error:
                lost = TrayportConnectionError(
                    f"every worker that ran it was lost: {error}",
                    suggestion="see whether the workers have enough memory",
                )
                return PartReport(part.id, (), (FailedQuery(part.plans[0], lost),))
            else:
                if isinstance(outcome, TrayportError):
                    raise outcome
                return outcome
            finally:
                future.release()


def _dask() -> Any:
    """The library, which has few types."""
    import distributed

    return distributed


def _unfit(what: str, way_out: str) -> TrayportConfigurationError:
    return TrayportConfigurationError(what, suggestion=way_out)
