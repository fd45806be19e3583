"""A client that does a bit of everything, while requests fail, calls are cancelled and left."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from tests.load.questions import Question, at_full_speed, questions
from tests.service import CONTRACTS
from trayport_sdk import (
    Settings,
    TrayportCircuitBreakerError,
    TrayportClient,
    TrayportConfigurationError,
    TrayportError,
    TrayportValidationError,
    decode_file,
    sync,
)
from trayport_sdk.sandbox import Fault

DAY = ("2024-03-04", "2024-03-05")
WEEK = ("2024-03-04", "2024-03-11")
NAME = "TTF Hi Cal 51.6* Apr-24"
MARKET = 10_000_065
SEQUENCE = 10_000_305
OFTEN_DOWN = Fault("status", operation_id="get_activity", times=None, probability=0.5, seed=1)
"""Opens the circuit breaker of one endpoint again and again."""


@define
class Desk:
    """The clients, and what they did.

    Attributes:
        client: Of everything.
        threaded: Its twin for threads.
        unsteady: Whose circuit breaker opens after a few failures and is tried soon.
        settings: Of clients that are made and closed: their requests are counted in a file, and
            reference data is kept in files.
        directory: For files.
        dice: What is drawn.
        calls: How often each activity came to its end.
        failures: How often an activity ended with each error.
    """

    client: TrayportClient
    threaded: sync.TrayportClient
    unsteady: TrayportClient
    settings: Settings
    directory: Path
    dice: random.Random
    calls: Counter[str] = field(factory=Counter[str])
    failures: Counter[str] = field(factory=Counter[str])

    def some(self, count: int) -> Sequence[Question]:
        """Questions about single contracts."""
        return self.dice.sample(questions(len(CONTRACTS)), count)

    async def round(self) -> None:
        """Every activity once, all of them at the same time, in another order each time."""
        activities = self.dice.sample(ACTIVITIES, len(ACTIVITIES))
        await asyncio.gather(*map(self._do, activities))

    async def _do(self, activity: Activity) -> None:
        try:
            await activity(self)
        except (TrayportConfigurationError, TrayportValidationError):
            raise  # no fault of the service leads to these
        except TrayportError as error:
            self.failures[type(error).__name__] += 1
        self.calls[activity.__name__] += 1


Activity = Callable[[Desk], Awaitable[None]]


@asynccontextmanager
async def at_the_desk(
    analytics_url: str, reference_url: str, place: Path, seed: int = 0
) -> AsyncIterator[Desk]:
    """The clients, which are closed in the end."""

    def settings(**values: Any) -> Settings:
        urls = {"analytics_url": analytics_url, "reference_url": reference_url}
        return at_full_speed(**{**urls, "keepalive": 5, **values})

    unsteady = settings(max_retries=0, breaker_threshold=2, breaker_recovery=0.01)
    # At another address, because a process counts the requests of a key at one host in one place.
    stored = settings(
        analytics_url=analytics_url.replace("127.0.0.1", "localhost"),
        reference_url=reference_url.replace("127.0.0.1", "localhost"),
        cache="disk",
        cache_dir=place / "cache",
        limiter_store=f"sqlite:///{place / 'grants.db'}",
    )
    threaded = sync.TrayportClient(settings=settings())
    try:
        async with (
            TrayportClient(settings=settings()) as client,
            TrayportClient(settings=unsteady) as other,
        ):
            yield Desk(client, threaded, other, stored, place, random.Random(seed))
    finally:
        await asyncio.to_thread(threaded.close)


@contextmanager
def directory(desk: Desk, name: str) -> Iterator[Path]:
    """A directory of an activity, which is removed after it."""
    path = desk.directory / name
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path)


async def market_data(desk: Desk) -> None:
    """Trades, candles, quotes and snapshots of single contracts."""
    await asyncio.gather(*(question.ask(desk.client) for question in desk.some(8)))


async def order_books(desk: Desk) -> None:
    """Whole order books, and their models."""
    books = await desk.client.orders.get_order_book(desk.dice.choice(CONTRACTS[:12]), *DAY, "6h")
    list(books)
    await desk.client.trades.get_last_trade(NAME)


async def many_contracts(desk: Desk) -> None:
    """Bulk calls, with what failed fetched again."""
    contracts = desk.dice.sample(CONTRACTS[:24], 6)
    trades = await desk.client.get_trades_bulk(contracts, *DAY)
    trades = await desk.client.retry_failures(trades)
    trades.to_polars()
    await desk.client.get_snapshots_bulk(contracts)


async def reference(desk: Desk) -> None:
    """Names and lists, read anew."""
    client = desk.client
    await client.reference.refresh()
    await client.resolve_contract(NAME)
    await client.search_contracts("ttf apr 24")
    await client.reference.get_market_by_id(MARKET)
    await client.reference.get_sequence_items(SEQUENCE, count=3)


async def streams(desk: Desk) -> None:
    """A stream to its end, and one that is left after its first batch."""
    contracts = desk.dice.sample(CONTRACTS[:12], 3)
    async for batch in desk.client.stream_trades(contracts, *DAY):
        batch.to_polars()
    async for _ in desk.client.stream_trades(contracts, *WEEK):
        break


async def files(desk: Desk) -> None:
    """Files of rows, and responses as they came."""
    contract = desk.dice.choice(CONTRACTS[:12])
    with directory(desk, "files") as place:
        for suffix in ("parquet", "csv"):
            await desk.client.stream_to_file(contract, *DAY, place / f"trades.{suffix}")
        for path in await desk.client.download_raw(contract, *DAY, place / "raw"):
            for frame in decode_file(path):
                len(frame)


async def data_sets(desk: Desk) -> None:
    """A data set that is filled, extended and verified."""
    with directory(desk, "data-set") as place:
        await desk.client.backfill(CONTRACTS[6:9], *DAY, place)
        await desk.client.backfill(CONTRACTS[6:10], *DAY, place)
        await desk.client.verify(place)


async def threads(desk: Desk) -> None:
    """Synchronous calls in threads."""

    def work(question: Question) -> None:
        desk.threaded.trades.get_trades(question.contract, *DAY).to_polars()
        for batch in desk.threaded.stream_trades(question.contract, *DAY):
            len(batch)

    await asyncio.gather(*(asyncio.to_thread(work, question) for question in desk.some(2)))


async def cancelled(desk: Desk) -> None:
    """Calls that are cancelled somewhere on their way."""
    calls = [asyncio.ensure_future(question.ask(desk.client)) for question in desk.some(6)]
    for call in calls:
        await asyncio.sleep(desk.dice.uniform(0, 0.01))
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def breakers(desk: Desk) -> None:
    """Calls of an endpoint that is often down, until its breaker opens."""
    for _ in range(20):
        try:
            await desk.unsteady.trades.get_activity(*DAY)
        except TrayportCircuitBreakerError:
            break
        except TrayportError:
            pass
    await asyncio.sleep(0.02)


async def new_clients(desk: Desk) -> None:
    """Clients that are made, used and closed, with counts and reference data in files."""
    (question,) = desk.some(1)
    async with TrayportClient(settings=desk.settings) as client:
        await client.resolve_contract(NAME)
        await question.ask(client)

    def work() -> None:
        with sync.TrayportClient(settings=desk.settings) as client:
            client.trades.get_last_trade(question.contract)

    await asyncio.to_thread(work)


async def status(desk: Desk) -> None:
    """What monitoring asks."""
    desk.client.get_metrics()
    desk.client.get_status()
    await desk.client.health_check()


ACTIVITIES: Sequence[Activity] = (
    market_data,
    order_books,
    many_contracts,
    reference,
    streams,
    files,
    data_sets,
    threads,
    cancelled,
    breakers,
    new_clients,
    status,
)
