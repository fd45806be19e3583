"""Downloads that survive anything: each request that came is kept, and never sent again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, evolve, frozen

from ..errors import (
    TrayportDatasetError,
    TrayportError,
    TrayportValidationError,
    invalid,
)
from ..query.build import endpoint_named, listed, unknown_endpoint
from ..query.contracts import ContractSpec, looks_like_symbol
from ..query.plan import CONTRACT, OPERATIONS, QueryPlan, with_contract_column
from ..query.times import EPOCH, Window, duration_of, to_text
from ..tables.time_units import check_time_unit
from .backfill_report import BackfillReport
from .cluster import DaskCluster, Workers
from .corrections import ADDED, ALTERED, DELETED
from .dataset_writer import NOTES_LOSS, DatasetWriter, damaged, is_begun, writing
from .manifest import Manifest
from .partitions import Grid, month_window
from .parts import HOLD, PartResponse, response_in
from .progress import OnProgress
from .question import NANOSECONDS, Unit, nothing_in, question_of, subject_of
from .ranges import about, by_range, joined, lacking, requests_of
from .reading import FetchedQuery
from .records import File
from .result import FailedQuery, Outcome
from .runner import Contracts, Runner, check_makes_table
from .storage import Storage, dataset_at

if TYPE_CHECKING:
    from ..settings import Settings

BACKFILLED = tuple(name for name, endpoint in OPERATIONS.items() if endpoint.limits.ranges)
"""The operations that a data set can hold."""
PARTS = ".trayport/parts"
"""Where parts of a backfill that other programs run leave their rows."""

_log = logging.getLogger("trayport_sdk.bulk")
Result = TypeVar("Result")
Names = Callable[[Iterable[ContractSpec]], Awaitable[Sequence[ContractSpec]]]
"""Looks up the names of contracts that have none."""


@frozen
class Backfill:
    """Fetches what a data set lacks.

    Args:
        runner: Plans and runs the requests.
        path: The data set.
        names: Looks up the names of contracts.
        duration: How long requests take at the allowance.
        settings: The settings in force.
    """

    runner: Runner
    path: str | Path
    names: Names
    duration: Callable[[Sequence[QueryPlan]], timedelta]
    settings: Settings

    async def run(
        self,
        contracts: Contracts | None,
        *,
        endpoint: str,
        unit: Unit = NANOSECONDS,
        resume: bool = True,
        dry_run: bool = False,
        processes: int | None = None,
        cluster: DaskCluster | None = None,
        on_progress: OnProgress | None = None,
        **arguments: Any,
    ) -> BackfillReport:
        """Fetches the parts of a range that are not there."""
        workers = None
        if processes is not None or cluster is not None:
            workers = Workers(self.runner, cluster, processes)
        key = endpoint_named(endpoint, BACKFILLED).key
        if key not in BACKFILLED:
            raise unknown_endpoint(endpoint, BACKFILLED, "has no range that a data set could hold")
        query = self.runner.query(key, **arguments)
        check_makes_table(query)
        if CONTRACT in query.options.optional_fields:
            reason, way_out = "has contract, which a data set adds itself", "leave it out"
            raise invalid("optional_fields", query.options.optional_fields, reason, way_out)
        check_time_unit(*unit)
        needs_contracts = query.operation.limits.contract in ("one", "many")
        if contracts is None and needs_contracts:
            raise TrayportValidationError(
                f"contracts is missing, and {key} is about contracts",
                parameter="contracts",
                suggestion="give at least one",
            )
        if contracts is not None and query.operation.limits.contract is None:
            raise invalid(
                "contracts",
                contracts,
                f"does not go with {key}, which is about all of them",
                "leave it out (None)",
            )
        contracts = None if contracts is None else listed(contracts)
        storage = await self._storage()
        if dry_run:
            return await self._planned(storage, contracts, query, unit)
        if not resume and is_begun(storage):
            raise TrayportDatasetError(
                f"{storage.url!r} holds a data set already",
                suggestion="leave resume out to go on with it, or write to another directory",
            )
        started = time.perf_counter()
        async with self._writing(storage) as writer:
            grid = writer.bind(query, unit)
            await asyncio.to_thread(writer.check)
            query = await self._about(writer.manifest, contracts, query, grid)
            _check_mixed(writer, query)
            missing = lacking(query, writer.missing)
            plans = requests_of(missing)
            taken = Taken()
            if plans:
                await self._name(writer, query.contracts)
                taken = await _finished(partial(_take_in, writer, query))
                plans = requests_of(lacking(query, writer.missing))
            report = self._report(storage, query, plans)
            return await self._fetch(writer, report, plans, on_progress, started, taken, workers)

    async def refresh(
        self, last: str | timedelta, on_progress: OnProgress | None = None
    ) -> BackfillReport:
        """Fetches the last part of the data set again, and records what changed."""
        length = duration_of(last, "last")
        started, storage = time.perf_counter(), await self._storage()
        Manifest(storage.state, reads=True).close()  # it is not made by this
        async with self._writing(storage) as writer:
            await asyncio.to_thread(writer.check)
            grid, query = writer.grid(), writer.query()
            subjects = writer.manifest.subjects()
            if not subjects:
                raise nothing_in(storage)
            windows = {s: [d.window for d in writer.manifest.done(s)] for s in subjects}
            end = max(w.end for own in windows.values() for w in own)
            start = grid.floor(end - length)
            again = {
                subject: [Window(max(w.start, start), w.end) for w in own if w.end > start]
                for subject, own in windows.items()
            }
            known = {subject_of(c): c for c in writer.manifest.contracts()}
            ranges = {known.get(subject): joined(own) for subject, own in again.items()}
            plans = requests_of(by_range(query, ranges))
            first = min(own[0].start for own in ranges.values() if own)
            whole = about(query, [c for c in ranges if c is not None], Window(first, end))
            report = self._report(storage, whole, plans)
            return await self._fetch(writer, report, plans, on_progress, started)

    async def verify(
        self, *, repair: bool = True, on_progress: OnProgress | None = None
    ) -> BackfillReport:
        """Reads every file, and fetches again what is missing or damaged."""
        started, storage = time.perf_counter(), await self._storage()
        if not repair:
            return await asyncio.to_thread(self._checked, storage, started)
        Manifest(storage.state, reads=True).close()  # it is not made by this
        async with self._writing(storage) as writer:
            grid, manifest = writer.grid(), writer.manifest
            bad = await asyncio.to_thread(writer.damaged_files)
            # What an interrupted verification had found is lost until it was fetched.
            writer.lose([(file, _in_month(writer, file, grid)) for file in bad])
            if manifest.is_empty():
                raise nothing_in(storage)
            known = {subject_of(c): c for c in manifest.contracts()}
            ranges: dict[ContractSpec | None, list[Window]] = {}
            for subject, window in manifest.lost():
                ranges.setdefault(known.get(subject), []).append(window)
            query = writer.query()
            plans = requests_of(by_range(query, {c: joined(w) for c, w in ranges.items()}))
            whole = about(query, [*filter(None, ranges or known.values())], None)
            versions = await asyncio.to_thread(writer.damaged_versions)
            await _finished(lambda: writer.lose_versions(versions))
            manifest.note(published=False)  # what lies beside the rows is written anew
            report = evolve(
                self._report(storage, whole, plans),
                damaged=tuple(file.name for file in bad),
                lost=tuple(version.name for version in versions),
            )
            return await self._fetch(writer, report, plans, on_progress, started)

    def _checked(self, storage: Storage, started: float) -> BackfillReport:
        """Reads every file of a data set that need not be one that may be written to."""
        with Manifest(storage.state, reads=True) as manifest:
            writer = DatasetWriter(storage, manifest, self._now)
            query = writer.query()
            if manifest.is_empty():
                raise nothing_in(storage)
            names = [version.name for version in manifest.lost_files()]
            names += [file.name for file in writer.damaged_files()]
            old = [version.kept for version in writer.damaged_versions()]
            if names:
                raise damaged(storage, names + old)
            if old:
                raise damaged(storage, old, NOTES_LOSS)
            report = self._report(storage, about(query, manifest.contracts(), None), [])
            return evolve(report, seconds=time.perf_counter() - started)

    # --- What is asked for

    async def _about(
        self, manifest: Manifest | None, contracts: Contracts | None, query: QueryPlan, grid: Grid
    ) -> QueryPlan:
        """The query about contracts that may be given by name, in whole bars."""
        window = query.window or Window(0, 0)
        window = Window(grid.floor(window.start), grid.floor(window.end))
        if window.end <= window.start:
            raise invalid(
                "until",
                to_text(window.end),
                "leaves no whole bar between it and from_",
                f"give a range of at least one {grid.interval}",
            )
        query = evolve(query, window=window)
        if contracts is None:
            return with_contract_column(query)
        # What was asked for before needs no request to be found.
        names = {} if manifest is None else {c.name: c for c in manifest.contracts() if c.name}
        named = [
            one if isinstance(one, ContractSpec) or looks_like_symbol(one) else names.get(one, one)
            for one in listed(contracts)
        ]
        return await self.runner.about(named, query)

    async def _name(self, writer: DatasetWriter, contracts: Sequence[ContractSpec]) -> None:
        """Adds contracts to the data set, with their names."""
        known = {contract for contract in writer.manifest.contracts() if contract.name}
        new: Sequence[ContractSpec] = [c for c in contracts if c not in known]
        if new:
            try:
                new = await self.names(new)
            except TrayportError as error:
                # Rows are worth more than names, which the next run looks up.
                _log.warning("the names of %d contracts are not known: %s", len(new), error)
            await asyncio.to_thread(writer.manifest.add_contracts, new)

    async def _planned(
        self, storage: Storage, contracts: Contracts | None, query: QueryPlan, unit: Unit
    ) -> BackfillReport:
        """What a backfill would do."""
        if not is_begun(storage):
            query = await self._about(None, contracts, query, Grid.of(query))
            plans = requests_of(lacking(query, lambda _, window: [window]))
            return self._dry(storage, query, plans)
        with Manifest(storage.state, reads=True) as manifest:
            writer = DatasetWriter(storage, manifest, self._now)
            query = await self._about(manifest, contracts, query, writer.grid_for(query, unit))
            missing = lacking(query, writer.missing)
            report = self._dry(storage, query, requests_of(missing))
            files = [file for file in manifest.files() if file.rows]
            done = [d.window for s in manifest.subjects() for d in manifest.done(s)]
            lengths = sum(window.end - window.start for window in done)
            wanted = sum(
                (q.window.end - q.window.start) * max(1, len(q.contracts))
                for q in missing
                if q.window
            )
            expected = round(sum(f.size for f in files) / lengths * wanted) if lengths else None
            return evolve(report, bytes_expected=expected)

    def _dry(
        self, storage: Storage, query: QueryPlan, plans: Sequence[QueryPlan]
    ) -> BackfillReport:
        return evolve(self._report(storage, query, plans), plans=tuple(plans), is_dry_run=True)

    def _report(
        self, storage: Storage, query: QueryPlan, plans: Sequence[QueryPlan]
    ) -> BackfillReport:
        return BackfillReport(
            path=storage.url,
            endpoint=query.endpoint,
            contracts=len(query.contracts),
            window=query.window,
            requests_planned=len(plans),
            duration=self.duration(plans),
        )

    def _now(self) -> int:
        return (self.runner.now() - EPOCH) // timedelta(microseconds=1) * 1000

    # --- What comes

    async def _storage(self) -> Storage:
        directory = self.settings.dataset_dir
        return await asyncio.to_thread(dataset_at, self.path, dataset_dir=directory)

    @asynccontextmanager
    async def _writing(self, storage: Storage) -> AsyncGenerator[DatasetWriter]:
        with writing(storage, self._now) as writer:
            await _finished(writer.recover)
            yield writer

    async def _fetch(
        self,
        writer: DatasetWriter,
        report: BackfillReport,
        plans: Sequence[QueryPlan],
        on_progress: OnProgress | None,
        started: float,
        taken: Taken | None = None,
        workers: Workers | None = None,
    ) -> BackfillReport:
        """Sends requests, and records each as it comes. Once cancelled, it finishes the files
        of the response that it is at."""
        windows = [
            (subject_of(contract), query.window)
            for query in plans
            for contract in (query.contracts or (None,))
            if query.window is not None
        ]
        await _finished(lambda: writer.manifest.plan(windows, self._now()))
        failures: list[FailedQuery] = []
        before, rows = (taken.responses, taken.rows) if taken else (0, 0)
        done = before
        coming: AsyncGenerator[Outcome | PartResponse]
        if workers is None or not plans:
            coming = self.runner.run(plans, on_progress, hold=HOLD).outcomes()
        else:
            coming = workers.outcomes(plans, writer.storage.state, on_progress)
        async with aclosing(coming) as outcomes:
            async for outcome in outcomes:
                rows += await _finished(partial(_record, writer, outcome, self._now()))
                if isinstance(outcome, FailedQuery):
                    failures.append(outcome)
                else:
                    done += 1
        lost = await _finished(lambda: self._close(writer))
        return evolve(
            report,
            lost=(*report.lost, *lost),
            requests_planned=report.requests_planned + before,
            requests_done=done,
            rows=rows,
            files_written=writer.files_written,
            bytes_written=writer.bytes_written,
            failures=tuple(failures),
            seconds=time.perf_counter() - started,
            added=writer.changed.get(ADDED, 0),
            altered=writer.changed.get(ALTERED, 0),
            deleted=writer.changed.get(DELETED, 0),
        )

    def _close(self, writer: DatasetWriter) -> list[str]:
        """Ends a call; the names of files whose old rows are lost."""
        lost = writer.settle()
        if self.settings.keep_versions is not None:
            writer.keep_newest(self.settings.keep_versions)
        writer.publish()
        return lost


def _record(writer: DatasetWriter, outcome: Outcome | PartResponse, at: int) -> int:
    """Records what came of a request; how many rows that were."""
    if isinstance(outcome, PartResponse):
        writer.add(outcome.query, outcome.frame, outcome.bytes_decoded)
        return outcome.rows
    if isinstance(outcome, FetchedQuery):
        try:
            writer.add(outcome.query, outcome.frame, outcome.record.bytes_decoded)
        finally:
            outcome.rows.close()
        return outcome.record.rows
    if outcome.window is not None:
        subjects = [subject_of(contract) for contract in outcome.contracts or (None,)]
        windows = [(subject, outcome.window) for subject in subjects]
        writer.manifest.fail(windows, str(outcome.error), at)
    return 0


def directory_of(dataset: str) -> str:
    """Where the parts of a backfill leave their rows."""
    return f"{dataset.rstrip('/')}/{PARTS}"


@define
class Taken:
    """What parts of a backfill had fetched already.

    Attributes:
        responses: How many requests that spares.
        rows: How many rows came with them.
    """

    responses: int = 0
    rows: int = 0


def _take_in(writer: DatasetWriter, query: QueryPlan) -> Taken:
    """Records what parts have left, as far as it is missing; what is of no use is removed."""
    taken, storage = Taken(), writer.storage
    whole, wanted = query.window or Window(0, 0), set(query.contracts)
    for file in storage.stamps(PARTS):
        response = response_in(storage, file)
        if response is not None and question_of(response.query) == question_of(query):
            contracts, window = response.query.contracts, response.query.window or Window(0, 0)
            is_inside = whole.start <= window.start and window.end <= whole.end
            if not (is_inside and wanted.issuperset(contracts)):
                continue  # of another backfill, which may be under way
            if all(writer.missing(c, window) == [window] for c in contracts or (None,)):
                writer.add(response.query, response.frame, response.bytes_decoded)
                taken.responses += 1
                taken.rows += response.rows
        storage.remove(file)
    return taken


async def _finished(work: Callable[[], Result]) -> Result:
    """Does work in a thread, to its end even when the task is cancelled meanwhile."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        if not working.cancelled():
            working.exception()
        raise


def _check_mixed(writer: DatasetWriter, query: QueryPlan) -> None:
    """Refuses contracts in a data set about everything, and the other way round."""
    subjects = writer.manifest.subjects()
    if subjects and ("" in subjects) == bool(query.contracts):
        words = ("all contracts", "contracts of their own")
        held, wanted = words if query.contracts else reversed(words)
        raise TrayportDatasetError(
            f"{writer.storage.url!r} is about {held}, and {wanted} were asked for",
            suggestion="write it to a directory of its own",
        )


def _in_month(writer: DatasetWriter, file: File, grid: Grid) -> list[Window]:
    """The windows whose rows a file has."""
    month = month_window(file.month)
    start, end = grid.ceil(month.start), grid.ceil(month.end)
    return [
        Window(max(done.window.start, start), min(done.window.end, end))
        for done in writer.manifest.done(file.subject)
        if done.window.end > start and done.window.start < end
    ]
