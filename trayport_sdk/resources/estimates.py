"""What a plan costs, and what it does, in words and numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from trayport_spec import REQUEST_LIMITS

from ..http.limiter.limits import (
    EMERGENCY_FROM,
    JITTER_PADDING,
    SECOND,
    STEP_MILLISECONDS,
    STEP_SHARE,
)
from ..query.plan import QueryPlan, counted
from ..query.times import to_text

if TYPE_CHECKING:
    from ..telemetry.status import LimiterStatus, WindowUse

SHOWN = 12
"""Lines of the table of a plan before the rest is only counted."""

# The limiter keeps windows that are a little longer than it promises, by so much at most.
_LONGER = ceil(SECOND / 2 * JITTER_PADDING) / (SECOND / 2)
# At the documented limit of a minute it slows down before the last tenth.
_CROWDED = ceil(REQUEST_LIMITS.per_minute * EMERGENCY_FROM)

_UNITS = (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48))


def duration(requests: int, limiter: LimiterStatus | None) -> timedelta:
    """How long the limiter takes, at most, to let so many requests through.

    Requests that wait already go first, and the grants in a window count as made just now; grants
    that have just left a window do not count. Responses that are slower than the pace of the
    requests add time on top. Without a limiter nothing waits.
    """
    if limiter is None or not requests:
        return timedelta()
    requests += sum(limiter.queued.values())
    windows = sorted(limiter.windows, key=lambda window: window.seconds)
    used = max(window.used for window in windows)
    seconds = _spread(used + requests, windows) - _spread(used, windows)
    if used + requests > windows[0].limit:
        seconds += windows[0].seconds  # where in a window the key stands is not known
    if limiter.share < 1:
        # Requests leave one at a time until the key has recovered; one may just have been put off.
        spacing = windows[-1].seconds / windows[-1].limit / limiter.share
        recovery = ceil((1 - limiter.share) / STEP_SHARE) * STEP_MILLISECONDS / SECOND
        seconds += min(requests * spacing, recovery + spacing)
    return timedelta(seconds=max(limiter.next_grant, limiter.paused + seconds * _LONGER))


def _spread(requests: int, windows: Sequence[WindowUse]) -> float:
    """Seconds from the first of so many requests to the last, as fast as the windows allow."""
    seconds, left = 0.0, max(0, requests - 1)
    for window in reversed(windows):
        crowded = _CROWDED < window.limit <= REQUEST_LIMITS.per_minute
        full, left = divmod(left, _CROWDED if crowded else window.limit)
        seconds += full * window.seconds
    evenly = windows[:2][-1]  # what is left of the shortest window is spaced as in the next one
    return seconds + left * evenly.seconds / evenly.limit


def explain(plans: Sequence[QueryPlan], took: timedelta) -> str:
    """A plan in words, and as a table of its requests."""
    contracts = len({contract for batch in {p.contracts for p in plans} for contract in batch})
    kinds = Counter(plan.kind for plan in plans)
    summary = f"{counted(len(plans), 'request')} for {counted(contracts, 'contract')}"
    if not plans:
        return summary
    waiting = f"up to {in_words(took)} of waiting" if took else "no wait"
    counts = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
    summary += f": {counts}; {waiting} for the rate limit"
    rows = [("kind", "endpoint", "about", "from", "until"), *map(_row, plans[:SHOWN])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    more = len(plans) - SHOWN
    if more > 0:
        table.append(f"and {counted(more, 'more request')}")
    return "\n".join([summary, "", *table])


def _row(plan: QueryPlan) -> tuple[str, str, str, str, str]:
    start = "" if plan.at is None else to_text(plan.at)
    end = ""
    if plan.window is not None:
        start, end = to_text(plan.window.start), to_text(plan.window.end)
    return plan.kind, plan.endpoint, plan.subject, start, end


def in_words(took: timedelta) -> str:
    """A length of time in the unit that suits it, rounded up.

    Example:
        >>> in_words(timedelta(seconds=26.2)), in_words(timedelta(minutes=11.5))
        ('27 s', '12 min')
    """
    seconds = took.total_seconds()
    for unit, length, most in _UNITS:
        if ceil(seconds / length) < most:
            return f"{ceil(seconds / length)} {unit}"
    return f"{ceil(seconds / 86_400)} days"
