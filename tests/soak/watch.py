"""What a process holds, sampled while nothing is under way, and whether it grows."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import Any

from attrs import frozen

from tests.perf.process import MB, memory

WARM_UP = 1 / 3
"""The share of the samples that is left out: caches fill, pools of threads and of memory grow."""

MOST_POINTS = 150
"""Samples are put together until there are so many, or no slope of a long run would be found."""


@frozen
class Watched:
    """Something that must not grow.

    Attributes:
        what: What it is.
        unit: How many of it are shown as one.
        allowed: By how much it may grow over all samples after the warm-up, in that unit.
    """

    what: str
    unit: int
    allowed: float


WATCHED: Mapping[str, Watched] = {
    # The C library keeps and gives back memory as it likes.
    "memory": Watched("Memory (RSS), MB", MB, 12),
    # Among them are idle connections: the more, the more requests were at the same time.
    "files": Watched("Open files and sockets", 1, 10),
    "tasks": Watched("asyncio tasks, of all loops", 1, 0.9),
    "threads": Watched("Threads", 1, 0.9),
}


@frozen
class Sample:
    """What a process held.

    Attributes:
        seconds: When, since the beginning.
        values: How much of each of `WATCHED`.
    """

    seconds: float
    values: Mapping[str, int]

    @classmethod
    def now(cls, seconds: float) -> Sample:
        """Looks at this process."""
        gc.collect()
        tasks = [one for one in gc.get_objects() if isinstance(one, asyncio.Task)]
        values = {
            "memory": memory("VmRSS"),
            "files": len(os.listdir("/proc/self/fd")),  # noqa: PTH208
            "tasks": sum(not task.done() for task in tasks),
            "threads": len(os.listdir("/proc/self/task")),  # noqa: PTH208
        }
        return cls(seconds, values)


@frozen
class Growth:
    """How one of `WATCHED` went.

    Attributes:
        watched: What it is.
        first: The median of the first third after the warm-up, in its unit.
        last: The median of the last third.
        growth: By how much it grew from the first to the last sample after the warm-up.
    """

    watched: Watched
    first: float
    last: float
    growth: float

    @property
    def is_leak(self) -> bool:
        """Whether that is more than is allowed."""
        return self.growth > self.watched.allowed


def growths(samples: Sequence[Sample], **allowed: float) -> dict[str, Growth]:
    """How much of everything grew, by the slope of Theil and Sen.

    That is the median of the slopes between all pairs of samples, so that no step and no peak
    counts, however high, but only what goes on.

    Args:
        samples: From the beginning on.
        allowed: By how much something may grow, where that is not as in `WATCHED`.
    """
    kept = samples[int(len(samples) * WARM_UP) :]
    third = len(kept) // 3
    if not third:
        raise ValueError(f"{len(samples)} samples show no growth")
    found: dict[str, Growth] = {}
    for name, watched in WATCHED.items():
        values = [sample.values[name] / watched.unit for sample in kept]
        points = _joined([(s.seconds, v) for s, v in zip(kept, values, strict=True)])
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2)]
        found[name] = Growth(
            Watched(watched.what, watched.unit, allowed.get(name, watched.allowed)),
            first=median(values[:third]),
            last=median(values[-third:]),
            growth=median(slopes) * (kept[-1].seconds - kept[0].seconds),
        )
    return found


def _joined(points: list[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """The medians of some points each, of which there are not too many."""
    size = -(-len(points) // MOST_POINTS)
    groups: list[Any] = [points[n : n + size] for n in range(0, len(points), size)]
    return [(median(x for x, _ in group), median(y for _, y in group)) for group in groups]
