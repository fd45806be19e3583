"""When the contracts of a sequence give way to each other, and the fewest requests for their rows.

Pure: nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from attrs import evolve, frozen

from ..errors import TrayportValidationError, invalid, not_whole
from ..query.contracts import ContractSpec
from ..query.plan import QueryPlan
from ..query.planner import cut, plan, shared
from ..query.times import DAY, Interval, Window, floored, instant, months_after, to_text

if TYPE_CHECKING:
    from trayport_api.models import SequenceItem


@frozen
class Listed:
    """A single period of a product, with its names and times.

    Attributes:
        contract: The contract.
        name: Its name, as every call takes it.
        period: The name of the delivery period.
        period_start: When delivery begins, in nanoseconds since 1970-01-01 UTC.
        period_end: When delivery ends.
        trading_start: When trading begins, or None for a period that never expires.
        trading_end: When trading ends, exclusive.
    """

    contract: ContractSpec
    name: str
    period: str
    period_start: int | None
    period_end: int | None
    trading_start: int | None
    trading_end: int | None

    @classmethod
    def of(cls, contract: ContractSpec, item: SequenceItem) -> Listed:
        """A contract with its name, and the item that it is of."""
        return cls(
            contract,
            contract.label,
            item.name,
            *(
                None if text is None else instant(text, "date")
                for text in (
                    item.period_start,
                    item.period_end,
                    item.trading_start,
                    item.trading_end,
                )
            ),
        )

    def is_tradable(self, at: int) -> bool:
        """Whether it can be traded at an instant; one without dates always can."""
        begun = self.trading_start is None or self.trading_start <= at
        return begun and (self.trading_end is None or self.trading_end > at)


@frozen
class Segment:
    """The part of a continuous series that one contract gives."""

    listed: Listed
    window: Window


_DAY = Interval(1, "day")

Ends: TypeAlias = Mapping[ContractSpec, int]
"""When each contract stops being the front one."""


def expiring(listed: Iterable[Listed]) -> list[Listed]:
    """The periods that expire, in the order in which they do."""
    ending = [one for one in listed if one.trading_end is not None]
    return sorted(ending, key=lambda one: (one.trading_end or 0, one.period_start or 0))


def ends_by_expiry(
    listed: Iterable[Listed],
    days_before: int | None = None,
    grid: Interval | None = None,
    origin: int = 0,
) -> dict[ContractSpec, int]:
    """The end of trading of each contract, or the start of the day so many days before.

    Args:
        listed: The periods, which expire.
        days_before: How many calendar days in UTC before the day on which trading ends.
        grid: The length of bars that stay whole: a roll waits for the end of its bar.
        origin: Where the range starts, from which bars of several days are counted [assumed].
    """
    ends: dict[ContractSpec, int] = {}
    for one in listed:
        end = one.trading_end or 0
        if days_before is not None:
            end = end - end % DAY - days_before * DAY
        ends[one.contract] = end if grid is None else ceiled(end, grid, origin)
    return ends


@frozen
class Front:
    """A contract that is the front one for a while, and the one after it.

    Attributes:
        contract: The contract.
        following: The contract that comes after it.
        window: From the end of trading of the one before to its own.
    """

    contract: ContractSpec
    following: ContractSpec
    window: Window


def fronts(listed: Sequence[Listed], ends: Ends, window: Window) -> list[Front]:
    """The contracts that are the front ones in a range by their ends of trading."""
    found: list[Front] = []
    start = listed[0].trading_start or window.start
    for one, following in pairwise(listed):
        end = ends[one.contract]
        if start < window.end and end > window.start:
            found.append(Front(one.contract, following.contract, Window(start, end)))
        start = end
    return found


def days_needed(found: Iterable[Front]) -> dict[ContractSpec, Window]:
    """The whole days for which volumes must be known: as the front one, and as the one after it."""
    spans: dict[ContractSpec, Window] = {}
    for front in found:
        start, end = floored(front.window.start, _DAY), ceiled(front.window.end, _DAY)
        for contract in (front.contract, front.following):
            first = spans[contract].start if contract in spans else start
            spans[contract] = Window(min(first, start), end)
    return spans


def ends_by_volume(
    found: Iterable[Front], ends: Ends, volumes: Mapping[ContractSpec, Mapping[int, float]]
) -> dict[ContractSpec, int]:
    """The end of the first day on which the next contract traded more, or of trading.

    Args:
        found: The front contracts.
        ends: The end of trading of each contract.
        volumes: What each traded on a day, by the instant at which that starts.
    """
    rolled = dict(ends)
    for front in found:
        own, others = volumes[front.contract], volumes[front.following]
        for day, volume in sorted(others.items()):
            if day >= floored(front.window.start, _DAY) and volume > own.get(day, 0.0):
                rolled[front.contract] = min(day + DAY, ends[front.contract])
                break
    return rolled


def segments(
    listed: Sequence[Listed], ends: Ends, window: Window, rank: int, series: str
) -> list[Segment]:
    """The contracts of a series one after the other, which tile the range.

    Args:
        listed: The periods in the order in which they expire.
        ends: When each stops being the front one.
        window: The range.
        rank: Which of them counts: 1 is the front one, 2 the one after it.
        series: The name of the series, for the error.

    Raises:
        TrayportValidationError: The sequence does not reach so far.
    """
    found: list[Segment] = []
    start = window.start
    for place, front in enumerate(listed):
        end = min(ends[front.contract], window.end)
        if end <= start:
            continue
        if place + rank > len(listed):
            break
        found.append(Segment(listed[place + rank - 1], Window(start, end)))
        start = end
        if start == window.end:
            return found
    raise TrayportValidationError(
        f"rank {rank} of {series} at {to_text(start)} is no period that the reference data lists",
        parameter="rank",
        suggestion="use a smaller rank, or an earlier end",
    )


def check_rank(rank: int) -> None:
    """Refuses what counts no contract.

    Raises:
        TrayportValidationError: It is no whole number from 1.
    """
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_whole("rank", rank, suggestion="1 is the front contract")


def check_days_before(days: int | None) -> None:
    """Refuses what is no number of days.

    Raises:
        TrayportValidationError: It is no whole number from 0.
    """
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 0):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("days_before", days, "is no whole number from 0", "give days", "0")


def ceiled(end: int, grid: Interval, origin: int = 0) -> int:
    """The end of the bar that an instant lies in, or the instant where one ends there."""
    if grid.length is not None and grid.length > DAY:
        return end + (origin - end) % grid.length
    start = floored(end, grid)
    if start == end:
        return end
    return months_after(start, grid.count) if grid.length is None else start + grid.length


def requests_for(query: QueryPlan, parts: Sequence[Segment]) -> list[QueryPlan]:
    """The fewest requests that have the rows of every segment.

    Where contracts may share a request, that saves some: those of a window are then requested
    together, and the rows of each outside of its segment are left out. Of as many requests, those
    without such rows are chosen.
    """
    alone = [
        request
        for part in parts
        for request in plan(evolve(query, contracts=(part.listed.contract,), window=part.window))
    ]
    if query.operation.batch.by != "items":
        return alone
    whole = Window(parts[0].window.start, parts[-1].window.end)
    together: list[QueryPlan] = []
    for window in cut(query.operation, whole):
        contracts = dict.fromkeys(
            part.listed.contract
            for part in parts
            if part.window.start < window.end and part.window.end > window.start
        )
        together += shared(evolve(query, contracts=tuple(contracts), window=window))
    return min(alone, together, key=len)
