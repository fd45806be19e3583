"""Where one process saturates, and where more of them help: a simulation on virtual time.

What a row costs is measured on this machine. Then the limiter of the package grants requests on a
clock that jumps, and a process that decodes or writes is busy for as long as that takes.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import polars as pl
from attrs import frozen

from tests import virtual_time
from tests.perf.jobs import decoder
from tests.perf.trades import body, parts
from tests.virtual_time import clock_for_threads
from trayport_sdk import ContractSpec, Settings
from trayport_sdk.bulk.dataset_writer import writing
from trayport_sdk.bulk.storage import storage_of
from trayport_sdk.http.limiter import RequestLimiter
from trayport_sdk.http.session import limits_of
from trayport_sdk.query.plan import ParallelContractQuery
from trayport_sdk.query.times import Window
from trayport_sdk.tables.files import ZSTD_LEVEL

LATENCY = 0.5
"""Seconds from a request to the end of its response."""
CONCURRENCY = 6
"""Requests of a key that are under way at once."""
ROWS = (10_000, 100_000, 1_000_000)
PROCESSES = (1, 2, 4, 8)
KEYS = (1, 4, 16)
REQUESTS = 200
"""Of each key."""
OWN_WORK = 2e-6
"""Seconds that a program of the user takes for a row, such as to resample it in Python."""


@frozen
class Costs:
    """Seconds for a row.

    Attributes:
        decode: From the bytes of a response to a table.
        hand_over: From there to the bytes that a worker sends.
        take: From those to a table.
        record: From there to files of a data set.
    """

    decode: float
    hand_over: float
    take: float
    record: float


def measured(rows: int = 200_000) -> Costs:
    """What a row costs on this machine."""
    (part,) = parts(1, 7, rows)
    text = b"".join(body(part))
    frame = pl.concat(decoder().frames([text]))

    def handed_over() -> bytes:
        buffer = BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=ZSTD_LEVEL)
        content = buffer.getvalue()
        hashlib.sha256(content)
        return content

    content = handed_over()
    contract = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)
    window = Window(part.start, part.end)
    query = ParallelContractQuery(endpoint="trades", contracts=(contract,), window=window)

    def recorded() -> None:
        with (
            tempfile.TemporaryDirectory() as directory,
            writing(storage_of(Path(directory)), time.time_ns) as writer,
        ):
            writer.recover()
            writer.bind(query)
            writer.add(query, frame, len(text))

    return Costs(
        decode=_best(lambda: pl.concat(decoder().frames([text]))) / rows,
        hand_over=_best(handed_over) / rows,
        take=_best(lambda: pl.read_parquet(BytesIO(content))) / rows,
        record=_best(recorded) / rows,
    )


def _best(work: Callable[[], object]) -> float:
    seconds: list[float] = []
    for _ in range(7):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def requests_per_minute(
    costs: Costs, rows: int, processes: int, *, keys: int = 1, own: float = 0.0
) -> float:
    """How many responses of so many rows are in a data set within a minute.

    Args:
        costs: What a row costs.
        rows: How many a response has.
        processes: How many decode; a single one also writes, as a backfill without workers does.
        keys: How many keys there are, each with the default allowance.
        own: Seconds that the decoding process has besides for each row.
    """
    return virtual_time.run(_simulated(costs, rows, processes, keys, own))


async def _simulated(
    costs: Costs, rows: int, processes: int, keys: int, own: float, requests: int = REQUESTS
) -> float:
    clock = clock_for_threads()
    limits = limits_of(Settings(_env_file=None))
    limiters = [RequestLimiter(limits, clock=clock) for _ in range(keys)]
    caller = asyncio.Lock()
    busy = [asyncio.Lock() for _ in range(processes)] if processes > 1 else [caller]
    waiting = [0] * len(busy)
    decode, record = costs.decode + own, costs.record
    if processes > 1:
        decode, record = decode + costs.hand_over, record + costs.take
    slots = [asyncio.Semaphore(CONCURRENCY) for _ in range(keys)]

    async def one(number: int) -> None:
        key = number % keys
        async with slots[key]:
            await limiters[key].acquire()
            await asyncio.sleep(LATENCY)
            place = min(range(len(busy)), key=waiting.__getitem__)
            waiting[place] += 1
            async with busy[place]:
                await asyncio.sleep(rows * decode)
            waiting[place] -= 1
        async with caller:
            await asyncio.sleep(rows * record)

    started = clock()
    await asyncio.gather(*(one(number) for number in range(requests * keys)))
    return 60 * requests * keys / (clock() - started)


def table(costs: Costs) -> str:
    """The figures as a table."""
    micro = [1e6 * cost for cost in (costs.decode, costs.record, costs.hand_over, costs.take)]
    words = (
        "A row costs {:.2f} µs to decode and {:.2f} µs to record; with workers {:.2f} µs to hand "
    )
    words += "over and {:.2f} µs to take."
    heads = ["1 process", *(f"{n} processes" for n in PROCESSES[1:])]
    lines = [
        words.format(*micro),
        "",
        f"| Requests a minute | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(PROCESSES)}",
    ]
    cases = [(rows, 1, 0.0) for rows in ROWS]
    cases += [(100_000, 1, OWN_WORK), *((100_000, keys, 0.0) for keys in KEYS[1:])]
    for rows, keys, own in cases:
        what = f"{rows:,} rows a response, {keys} key{'s' if keys > 1 else ''}"
        if own:
            what += f", {1e6 * own:.0f} µs of your own for a row"
        found = [requests_per_minute(costs, rows, n, keys=keys, own=own) for n in PROCESSES]
        lines.append(f"| {what} | {' | '.join(f'{each:,.0f}' for each in found)} |")
    return "\n".join(lines)
