"""Quantiles of durations in bounded memory: counts in buckets that grow by a constant factor.

Every value lands in a bucket whose middle is at most 2 % away from it, so a quantile is as exact as
that, however many values there were and however they lie.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Self

RELATIVE_ERROR = 0.02
SHORTEST, LONGEST = 1e-6, 1e6
_GROWTH = math.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
_LOWEST = math.ceil(math.log(SHORTEST) / _GROWTH)
_HIGHEST = math.ceil(math.log(LONGEST) / _GROWTH)


class Histogram:
    """Counts durations. Those below a microsecond or above eleven days keep no place of their own.

    Attributes:
        count: How many there were.
        total: Their sum, in seconds.
        longest: The longest one, in seconds; 0 when there was none.
    """

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.longest = 0.0
        self._shortest = math.inf
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Counts one duration."""
        place = _LOWEST if seconds <= SHORTEST else math.ceil(math.log(seconds) / _GROWTH)
        self._buckets[min(place, _HIGHEST)] += 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)
        self._shortest = min(self._shortest, seconds)

    def quantile(self, share: float) -> float:
        """The duration that so large a share of all stays within; 0 when there was none."""
        rank = max(1, math.ceil(share * self.count))
        for place in sorted(self._buckets):
            rank -= self._buckets[place]
            if rank <= 0:
                middle = math.exp(place * _GROWTH) * (1 - RELATIVE_ERROR)
                return min(max(middle, self._shortest), self.longest)
        return 0.0

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Self:
        """All durations of several histograms."""
        whole = cls()
        for part in parts:
            whole.count += part.count
            whole.total += part.total
            whole.longest = max(whole.longest, part.longest)
            whole._shortest = min(whole._shortest, part._shortest)
            whole._buckets.update(part._buckets)
        return whole
