"""Data sets that are filled by programs that are killed all the time, and what is checked."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import polars as pl
from attrs import define, evolve, field, frozen
from polars.testing import assert_frame_equal

from tests.bulk.integrity import check_integrity
from tests.chaos import child
from tests.chaos.child import CONCURRENCY, Job, Kind
from trayport_sdk import ContractSpec, TrayportClient, changes, open_dataset
from trayport_sdk.query.times import DAY, Window
from trayport_sdk.sandbox import Corrections, Fault, Sandbox
from trayport_sdk.sandbox import Kind as FaultKind

MONTHS = 10000305
TRADES = "get_trades"
KINDS: tuple[Kind, ...] = get_args(Kind)
KILLED = (-signal.SIGKILL, -signal.SIGTERM)


@frozen
class Size:
    """How much a round is about.

    Attributes:
        markets: From how many markets there are ten contracts each.
        spreads: How many spreads there are; each takes a request of its own.
        days: How many days are fetched.
        days_at_once: How many of them by one call.
        seconds: Within how long a program is killed.
    """

    markets: int = 3
    spreads: int = 20
    days: int = 60
    days_at_once: int = 10
    seconds: float = 1.0

    @property
    def contracts(self) -> list[str]:
        """The symbols."""
        singles = [
            str(ContractSpec(market_id=market, sequence_id=MONTHS, sequence_item_id=item))
            for market in (10000005, 10000006, 10000008)[: self.markets]
            for item in range(244, 254)
        ]
        spreads = [f"10000065*#Spread#{MONTHS}#{n}#{n + 1}" for n in range(245, 245 + self.spreads)]
        return singles + spreads

    @property
    def whole(self) -> Window:
        """The whole range."""
        start = Window.between("2024-01-10", "2024-01-11").start
        return Window(start, start + self.days * DAY)

    @property
    def windows(self) -> list[Window]:
        """The ranges of the calls."""
        start, step = self.whole.start, self.days_at_once * DAY
        return [Window(start + n, start + n + step) for n in range(0, self.days * DAY, step)]


FULL = Size()
SMALL = Size(markets=1, spreads=4, days=20, days_at_once=5, seconds=0.5)
FAULTS: tuple[FaultKind, ...] = ("status", "reset", "cut", "malformed", "wrong-length")
"""Each hits one request of a hundred, all of them five."""


@define
class Calls:
    """What programs that made the same call came to.

    Attributes:
        runs: How many there were.
        kills: How many of them were killed.
        planned: Requests that undisturbed ones would have sent.
        sent: Requests that came to the service.
        faults: Those of them that were failed on purpose.
    """

    runs: int = 0
    kills: int = 0
    planned: int = 0
    sent: int = 0
    faults: int = 0

    @property
    def lost(self) -> int:
        """Requests that were under way, or not recorded yet, when a program was killed."""
        return max(0, self.sent - self.planned - self.faults)


@define
class Figures:
    """What happened.

    Attributes:
        calls: What came of each call.
        signals: How many programs each signal killed.
        rounds: How many data sets were filled.
        rows: Rows that were compared in the end.
        corrections: Corrections of trades that were found.
        damaged: Files that were damaged on purpose.
        seconds: How long all of it took.
    """

    calls: dict[Kind, Calls] = field(factory=lambda: {kind: Calls() for kind in KINDS})
    signals: Counter[str] = field(factory=Counter[str])
    rounds: int = 0
    rows: int = 0
    corrections: int = 0
    damaged: int = 0
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        """How many programs were killed."""
        return self.signals.total()


class World:
    """A service whose trades are corrected as time goes by, and what there is to know of it."""

    def __init__(self, size: Size) -> None:
        self.size = size
        end = size.whole.end
        self.times = (end + DAY, end + 20 * DAY, end + 60 * DAY)
        """When a data set is filled, and when it is refreshed."""
        self.now = self.times[0]
        self.sandbox = Sandbox(
            limits=False,
            corrections=Corrections(
                late=0.02, altered=0.02, deleted=0.02, until=timedelta(days=100)
            ),
            clock=lambda: self.now,
        )
        self.undisturbed = {at: self._undisturbed(at) for at in self.times}
        self.corrections = self._corrections()
        for seed, kind in enumerate(FAULTS):
            fault = Fault(kind, operation_id=TRADES, times=None, probability=0.01, seed=seed)
            self.sandbox.faults.add(fault)

    def _undisturbed(self, at: int) -> pl.DataFrame:
        """The rows of a data set that one undisturbed program fills."""

        async def fill(path: str) -> None:
            async with TrayportClient.sandbox(self.sandbox) as client:
                first, last = (datetime.fromtimestamp(n // 10**9, UTC) for n in self._ends)
                report = await client.backfill(self.size.contracts, first, last, path)
                report.raise_for_failures()

        self.now = at
        with TemporaryDirectory() as path:
            asyncio.run(fill(path))
            return rows_of(Path(path))

    @property
    def _ends(self) -> tuple[int, int]:
        return self.size.whole.start, self.size.whole.end

    def _corrections(self) -> Counter[tuple[Any, ...]]:
        """The corrections between the first time and the last, as `recorded` gives them."""
        since, _, now = self.times
        start, end = self._ends
        found = self.sandbox.corrections_of(
            *self.size.contracts, from_=start, until=end, since=since, now=now
        )
        columns = ("contract", "trade_id", "kind", "price_before", "price_after")
        return Counter(found.select(columns).rows())

    @property
    def hits(self) -> int:
        """How many requests were failed on purpose so far."""
        return sum(int(str(d["hits"])) for d in self.sandbox.faults.documents())

    @property
    def sent(self) -> int:
        """How many requests for trades have come since the round began."""
        return sum(request.path.endswith("/trades") for request in tuple(self.sandbox.requests))


def rows_of(path: Path, as_of: datetime | None = None) -> pl.DataFrame:
    """The rows of a data set in an order of their own."""
    rows = open_dataset(path, as_of=as_of).collect()
    return rows.drop("contract_name", "period").sort("contract", "deal_date", "trade_id")


def recorded(path: Path) -> Counter[tuple[Any, ...]]:
    """The changes that a data set has recorded: contract, trade, kind and the prices."""
    before = pl.col("before").struct.field("price")
    after = pl.when(pl.col("change") != "deleted").then("price")
    found = changes(path).select("contract", "trade_id", "change", before.alias("before"), after)
    return Counter(found.rows())


@contextmanager
def jobs(world: World) -> Iterator[Job]:
    """What is to be done to data sets below a directory, as long as the service is there."""
    with TemporaryDirectory(prefix="trayport-chaos-") as folder, world.sandbox.serve() as server:
        yield Job(
            "backfill",
            Path(folder, "set"),
            world.size.windows,
            world.size.contracts,
            server.analytics_url,
            server.reference_url,
            Path(folder, "cache"),
        )


class Chaos:
    """Rounds of killed programs.

    Args:
        world: The service.
        job: The data set.
        dice: When programs are killed.
    """

    def __init__(self, world: World, job: Job, dice: random.Random) -> None:
        self.world, self.job, self.dice = world, job, dice
        self.figures = Figures()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([child.__name__])

    def round(self) -> None:
        """Fills a data set, has it verified and refreshed, and checks it after each."""
        world, path = self.world, self.job.path
        shutil.rmtree(path, ignore_errors=True)
        world.now = world.times[0]
        self._filled()
        self._check()
        self._verified()
        self._check()
        then = datetime.now(UTC)
        for at in world.times[1:]:
            world.now = at
            self._refreshed()
            self._check()
        assert recorded(path) == world.corrections
        assert_frame_equal(rows_of(path, as_of=then), world.undisturbed[world.times[0]])
        self.figures.rounds += 1
        self.figures.rows += world.undisturbed[world.now].height
        self.figures.corrections += world.corrections.total()

    def _filled(self) -> None:
        """A data set is filled by programs that are killed until one comes to the end."""
        calls, missing = self.figures.calls["backfill"], self._missing()
        calls.planned += missing
        is_done, seconds = False, self.world.size.seconds
        while not is_done:
            before, sent, faults = missing, calls.sent, calls.faults
            is_done = self._run("backfill", seconds)
            missing = self._missing()
            # On a busy machine a program may take longer to begin.
            seconds *= 1.0 if missing < before else 1.2
            sent, faults = calls.sent - sent, calls.faults - faults
            # Nothing that was done is sent for again, and all that came is recorded but for what
            # was under way when the program was killed.
            assert sent <= before + faults
            assert sent - faults - (before - missing) <= (0 if is_done else CONCURRENCY + 1)
        assert missing == 0

    def _verified(self) -> None:
        """Files are damaged, and made anew by programs that are killed."""
        files = sorted((self.job.path / "data").rglob("*.parquet"))
        gone, cut, changed = self.dice.sample(files, 3)
        gone.unlink()
        cut.write_bytes(cut.read_bytes()[:-100])
        content = bytearray(changed.read_bytes())
        content[len(content) // 2] ^= 1
        changed.write_bytes(content)
        self.figures.damaged += 3
        self._until_done("verify", 3, planned=3)

    def _refreshed(self) -> None:
        """Everything is fetched again by programs that are killed; each begins anew."""
        self._until_done("refresh", 4, planned=asyncio.run(self._refresh_requests()))

    def _until_done(self, kind: Kind, most: int, *, planned: int) -> None:
        calls = self.figures.calls[kind]
        calls.planned += planned
        sent, faults, kills = calls.sent, calls.faults, 0
        while not self._run(kind, self.world.size.seconds if kills < most else None):
            kills += 1
        sent, faults = calls.sent - sent, calls.faults - faults
        again = planned if kind == "refresh" else CONCURRENCY + 1
        assert sent <= planned + kills * again + faults

    def _run(self, kind: Kind, seconds: float | None) -> bool:
        """Runs a program that may be killed within some seconds; whether it came to the end."""
        calls, sent, faults = self.figures.calls[kind], self.world.sent, self.world.hits
        process = self._context.Process(target=child.work, args=(self.job.of_kind(kind),))
        process.start()
        if seconds is not None:
            process.join(self.dice.uniform(0, seconds))
            if process.is_alive():
                self.dice.choice((process.kill, process.terminate))()
        process.join(120)
        code = process.exitcode
        assert code in (0, *KILLED), f"{kind} ended with {code}"
        calls.runs += 1
        calls.sent += self.world.sent - sent
        calls.faults += self.world.hits - faults
        if code:
            calls.kills += 1
            self.figures.signals[signal.Signals(-code).name] += 1
        return code == 0

    def _missing(self) -> int:
        """How many requests a backfill would send now."""

        async def planned() -> int:
            job = self.job
            async with job.client() as client:
                reports = [
                    await client.backfill(
                        job.contracts, *child.texts(window), job.path, dry_run=True
                    )
                    for window in job.windows
                ]
            return sum(report.requests_planned for report in reports)

        return asyncio.run(planned())

    async def _refresh_requests(self) -> int:
        """How many requests fetch everything again."""
        async with self.job.client() as client:
            plans = client.planner.plan_multi_contract_query(
                self.job.contracts, "trades", *child.texts(self.world.size.whole)
            )
        return len(plans)

    def _check(self) -> None:
        """Nothing is missing, doubled, wrong or left behind."""
        check_integrity(self.job.path)
        assert_frame_equal(rows_of(self.job.path), self.world.undisturbed[self.world.now])


def chaos(kills: int, size: Size = FULL, seed: int = 0) -> Figures:
    """Rounds until there were so many kills."""
    world, started = World(size), time.monotonic()
    with jobs(world) as job:
        rounds = Chaos(world, job, random.Random(seed))
        while rounds.figures.kills < kills:
            rounds.round()
            world.sandbox.requests.clear()
            print(f"{rounds.figures.kills} kills in {time.monotonic() - started:.0f} s", flush=True)
    return evolve(rounds.figures, seconds=time.monotonic() - started)
