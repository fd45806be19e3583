"""Which sizes of requests the service finishes, learned from those that it did and did not.

A request that cannot be finished has too many contracts or too much time. How many contracts work
is searched over a short time, and then how much time works for so many: between the most that
worked and the least that did not, until the two are close. What works on the way has its rows.
"""

from __future__ import annotations

from math import isqrt

from attrs import define, field

from ..query.plan import QueryPlan
from ..query.planner import by_contracts, by_time, size_of

CLOSE = 0.25
"""The search ends when what did not work is larger than what worked by this share at most."""

FIRST_ATTEMPT = 8
"""After so many requests twice the size is tried; after twice as many when that did not work."""


@define
class Limit:
    """How many contracts, or how many bars or points, a request may have.

    Attributes:
        works: The most that worked.
        fails: The least that did not work, when anything did not.
    """

    works: int = 0
    fails: int | None = None
    _until_attempt: int = field(default=FIRST_ATTEMPT, init=False)
    _patience: int = field(default=FIRST_ATTEMPT, init=False)

    def next(self, left: int) -> int:
        """How much to request of what is left."""
        if self.fails is None or left <= self.works:
            return left
        if not self._is_found(self.fails):
            more = max(self.works + 1, isqrt(self.works * self.fails))
        elif self._until_attempt <= 0:
            # Rows are not spread evenly, and a busy service has quiet hours.
            more = 2 * self.works
        else:
            return self.works
        saves_requests = -(-left // more) < -(-left // self.works)
        return min(left, more) if saves_requests else self.works

    def worked(self, size: int) -> None:
        """Notes that so much came."""
        self._until_attempt -= 1
        if size > self.works:
            self.works = size
            if self.fails is not None and size >= self.fails:
                self.fails, self._patience = None, FIRST_ATTEMPT

    def failed(self, size: int) -> None:
        """Notes that so much, which is more than has worked, could not be finished."""
        if self.fails is not None and self._is_found(self.fails):
            self._patience *= 2
        self._until_attempt = self._patience
        self.fails = size if self.fails is None else min(size, self.fails)

    def _is_found(self, fails: int) -> bool:
        return fails - self.works <= max(1, CLOSE * self.works)


@define
class Sizes:
    """How large the requests of a run may be.

    Attributes:
        contracts: How many contracts they may have.
        time: How many bars or points they may span.
        are_limited: Whether anything could not be finished because of its size.
    """

    contracts: Limit = field(factory=Limit)
    time: Limit = field(factory=Limit)
    are_limited: bool = False

    def learn(self, works: QueryPlan, fails: QueryPlan) -> None:
        """Notes that a query could not be finished, and that a smaller one could."""
        self.are_limited = True
        count, points = size_of(works)
        most, longest = size_of(fails)
        # Where both are smaller either may be the reason, so neither is known to be.
        if count < most or not self.contracts.works:
            self.contracts = Limit(count, most if count < most and points == longest else None)
        if points < longest or not self.time.works:
            self.time = Limit(points, longest if points < longest and count == most else None)

    def cover(self, query: QueryPlan) -> bool:
        """Whether requests as large as a query work, as far as is known."""
        count, points = size_of(query)
        return count <= self.contracts.works and points <= self.time.works

    def cut(self, query: QueryPlan) -> list[QueryPlan]:
        """The part of a query to request next, and what is then left of it.

        On one axis at most the part is larger than what has worked.
        """
        if not self.are_limited:
            return [query]
        count, points = size_of(query)
        most = self.contracts.next(count)
        if most > self.contracts.works:
            now, *later = by_time(query, self.time.works) or (query,)
            part, *others = by_contracts(now, most) or (now,)
            return [part, *others, *later]
        batches = -(-count // most)
        group, *others = by_contracts(query, -(-count // batches)) or (query,)
        part, *later = by_time(group, self.time.next(points)) or (group,)
        return [part, *later, *others]

    def worked(self, query: QueryPlan) -> None:
        """Notes that a part came."""
        count, points = size_of(query)
        if points >= self.time.works or count > self.contracts.works:
            self.contracts.worked(count)
        if 2 * count >= self.contracts.works:
            self.time.worked(points)

    def failed(self, query: QueryPlan) -> None:
        """Notes that a part, larger than what has worked, could not be finished."""
        count, points = size_of(query)
        if count > self.contracts.works:
            self.contracts.failed(count)
        else:
            self.time.failed(points)
