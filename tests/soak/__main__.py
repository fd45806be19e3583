"""`make soak`: a client that goes on and on, and what it holds meanwhile."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

import httpx
from attrs import asdict, frozen

from tests.load.questions import faults
from tests.perf.page import circumstances, put
from tests.perf.process import ROOT
from tests.perf.server import served
from tests.soak.mix import OFTEN_DOWN, at_the_desk
from tests.soak.watch import WARM_UP, Growth, Sample, growths
from trayport_sdk.sandbox import Fault

PAGE = ROOT / "docs" / "reliability.md"
ENOUGH = 590.0
"""Seconds that figures for the documentation take at least."""

SHARE = 0.2
"""The share of a processor that the client takes: others may be at work on the machine."""

LEAST_REST = 0.1
"""Seconds after which what was closed is gone."""

MOST_LINES = 15

ARENAS = "MALLOC_ARENA_MAX"
"""The places from which the C library gives memory to threads. They fill one after the other, for
an hour or more; with a single one memory is steady after minutes, and a leak shows soon."""


@frozen
class Soak:
    """What a run came to.

    Attributes:
        seconds: How long it took.
        rounds: How often everything was done.
        calls: How often each activity was.
        failures: How often one ended with each error, in spite of retries.
        requests: How many requests were sent by the client of everything.
        growths: What grew, by the names of `WATCHED`.
    """

    seconds: float
    rounds: int
    calls: Mapping[str, int]
    failures: Mapping[str, int]
    requests: int
    growths: Mapping[str, Growth]


async def rounds(
    work: Callable[[], Awaitable[None]],
    seconds: float,
    *,
    share: float = SHARE,
    rest: float = LEAST_REST,
    clock: Callable[[], float] = time.monotonic,
    shown: Callable[[Sample], object] = lambda _: None,
) -> list[Sample]:
    """Works and rests in turn for so many seconds; a sample is taken after each rest."""
    samples: list[Sample] = []
    started = clock()
    while (now := clock() - started) < seconds:
        used = time.process_time()
        await work()
        lasted = clock() - started - now
        await asyncio.sleep(max(rest, (time.process_time() - used) / share - lasted))
        samples.append(Sample.now(clock() - started))
        shown(samples[-1])
    return samples


def soak(seconds: float, goes_wrong: Iterable[Fault], *, trace: bool = False) -> Soak:
    """Runs the clients against a sandbox in a process of its own.

    Args:
        seconds: For how long.
        goes_wrong: The faults of the sandbox.
        trace: Whether to print which lines of code hold more memory in the end.
    """
    before: list[tracemalloc.Snapshot] = []

    def shown(sample: Sample) -> None:
        print(f"{sample.seconds:8.0f} s  {dict(sample.values)}", flush=True)
        if trace and not before and sample.seconds > seconds * WARM_UP:
            before.append(tracemalloc.take_snapshot())

    async def main(urls: Sequence[str], place: Path) -> tuple[list[Sample], Soak]:
        analytics_url, reference_url = urls
        async with at_the_desk(analytics_url, reference_url, place) as desk:
            samples = await rounds(desk.round, seconds, shown=shown)
            requests = desk.client.get_metrics().total.requests
        came_to = Soak(
            samples[-1].seconds,
            len(samples),
            desk.calls,
            desk.failures,
            requests,
            growths(samples),
        )
        return samples, came_to

    if trace:
        tracemalloc.start(5)
    with (
        tempfile.TemporaryDirectory(prefix="trayport-soak-") as directory,
        served(limits=False) as (url, *urls),
    ):
        documents = [asdict(fault) for fault in goes_wrong]
        response = httpx.post(f"{url}/control/faults", json=documents, trust_env=False)
        response.raise_for_status()
        _, came_to = asyncio.run(main(urls, Path(directory)))
    for snapshot in before:
        for line in tracemalloc.take_snapshot().compare_to(snapshot, "lineno")[:MOST_LINES]:
            print(line)
    return came_to


def table(found: Mapping[str, Growth]) -> str:
    """The figures as Markdown."""
    lines = [
        "| Held while nothing is under way | First third | Last third | Growth | Allowed | Leak |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for each in found.values():
        allowed = f"{each.watched.allowed:g}"
        leak = "yes" if each.is_leak else "no"
        lines.append(
            f"| {each.watched.what} | {each.first:,.0f} | {each.last:,.0f} | {each.growth:+.1f} | "
            f"{allowed} | {leak} |"
        )
    return "\n".join(lines)


def words(came_to: Soak) -> str:
    """What was done."""
    failed = ", ".join(f"{n} {name}" for name, n in sorted(came_to.failures.items())) or "none"
    hours = came_to.seconds / 3600
    lasted = f"{hours:.1f} hours" if hours >= 1 else f"{came_to.seconds / 60:.0f} minutes"
    return (
        f"{lasted}, in which {len(came_to.calls)} kinds of work were done {came_to.rounds:,} times "
        f"each, with {came_to.requests:,} requests of the main client, while each kind of fault "
        f"met 1 % of them. Work that failed in spite of retries: {failed}. The C library had one "
        f"arena ({ARENAS}=1)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=24, help="for how long")
    parser.add_argument("--trace", action="store_true", help="shows which lines hold more memory")
    parser.add_argument("--dry", action="store_true", help="writes nothing into the documentation")
    options = parser.parse_args()
    if ARENAS not in os.environ:  # which is read at the start of a process
        os.environ[ARENAS] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "tests.soak", *sys.argv[1:]])  # noqa: S606
    came_to = soak(options.hours * 3600, [*faults(0.01), OFTEN_DOWN], trace=options.trace)
    text = f"{circumstances()} {words(came_to)}\n\n{table(came_to.growths)}"
    if came_to.seconds >= ENOUGH and not (options.dry or options.trace):
        put("soak", text, PAGE)
    print(f"\n{text}")
    sys.exit(any(each.is_leak for each in came_to.growths.values()))


if __name__ == "__main__":
    main()
