"""How fast a key may go: the windows that grants keep, and how a key that was too fast recovers.

Requests leave evenly but do not arrive evenly: the network delays some more than others. So every
window is a little longer than its name says, and longer still where a whole second's worth of
requests and its jitter would not fit into what the service documents. At the documented limits
delays may differ by `JITTER_PADDING`, at the default ones by several times as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from typing import Self

from attrs import frozen
from trayport_spec import REQUEST_LIMITS

SECOND, MINUTE = 1_000, 60_000
PADDING = 1.02
SHARED_PADDING = 1.03
JITTER_PADDING = 1.065
EVENNESS = 0.9
EMERGENCY_FROM = 0.9
EMERGENCY_SHARE = 0.5
SLOWEST_SHARE = 0.125
STEP_SHARE = 0.125
STEP_MILLISECONDS = 5_000
NEVER = -1


@frozen
class Quota:
    """At most `limit` grants in any window of so many milliseconds."""

    limit: int
    milliseconds: int


@frozen
class Limits:
    """What a limiter keeps to.

    Attributes:
        per_second: Requests in any second.
        per_minute: Requests in any minute.
        evenly: Whether requests leave one at a time rather than in bursts.
        emergency: Whether to slow down once the documented limits are nearly used up.
    """

    per_second: int
    per_minute: int
    evenly: bool = True
    emergency: bool = True

    @property
    def burst(self) -> int:
        """Requests in any half second."""
        return math.ceil(self.per_second / 2)

    @property
    def windows(self) -> tuple[Quota, ...]:
        """What is promised: the limits of half a second, a second and a minute."""
        return (
            Quota(self.burst, SECOND // 2),
            Quota(self.per_second, SECOND),
            Quota(min(self.per_minute, 60 * self.per_second), MINUTE),
        )

    def quotas(self, padding: float = PADDING) -> tuple[Quota, ...]:
        """What is enforced at the grant: the padded windows, the shortest first.

        At the documented limits there is no room for jitter: the windows grow by it, and as even
        spacing would only lose more time, requests leave as soon as a window lets them.
        """
        room = REQUEST_LIMITS.per_second - self.per_second
        loopback = room < 0
        spaced = self.evenly and (room >= 1 or loopback)
        safe = loopback or room >= (1 if spaced else self.burst)
        half = math.ceil(SECOND / 2 * (padding if safe else max(padding, JITTER_PADDING)))
        quotas = [
            Quota(self.burst, half),
            Quota(self.per_second, 2 * half),
            Quota(min(self.per_minute, 60 * self.per_second), 120 * half),
        ]
        gap = int(EVENNESS * 2 * half / self.per_second)
        return _binding([Quota(1, gap), *quotas] if spaced and gap > 1 else quotas)

    def spacing(self, share: float, padding: float = PADDING) -> Quota:
        """What is enforced besides at a share of the rate: one grant at a time, evenly spaced.

        The windows stay as they are. Longer ones would count what was granted before the rate
        fell, and stop a busy key until all of that has left them.
        """
        longest = self.quotas(padding)[-1]
        return Quota(1, math.ceil(longest.milliseconds / longest.limit / share))

    @cached_property
    def emergency_quotas(self) -> tuple[Quota, ...]:
        """How many grants, by all processes, nearly use up the documented minute.

        None with `emergency` off, or where other limits than the documented ones hold. A second
        needs none: the windows of a process that uses all of it are longer, so that no log ever
        holds that many grants within a second.
        """
        beyond = (
            self.per_second > REQUEST_LIMITS.per_second
            or self.per_minute > REQUEST_LIMITS.per_minute
        )
        if beyond or not self.emergency:
            return ()
        return (Quota(math.ceil(REQUEST_LIMITS.per_minute * EMERGENCY_FROM), MINUTE),)

    @classmethod
    def strictest(cls, several: Iterable[Self]) -> Self:
        """The limits that keep each of several ones."""
        given = list(several)
        if len(given) == 1:
            return given[0]
        return cls(
            min(limits.per_second for limits in given),
            min(limits.per_minute for limits in given),
            any(limits.evenly for limits in given),
            any(limits.emergency for limits in given),
        )

    def scaled(self, share: float) -> Self:
        """A share of these limits."""
        return type(self)(
            max(1, int(self.per_second * share)),
            max(1, int(self.per_minute * share)),
            self.evenly,
            self.emergency,
        )


def _binding(quotas: Iterable[Quota]) -> tuple[Quota, ...]:
    """The quotas, the shortest first, without those that a longer one makes superfluous.

    None is denser than the one before it, which would never bind.
    """
    kept: list[Quota] = []
    for quota in quotas:
        while kept and kept[-1].limit >= quota.limit:
            kept.pop()
        length = quota.milliseconds
        if kept:
            length = max(length, math.ceil(quota.limit * kept[-1].milliseconds / kept[-1].limit))
        kept.append(Quota(quota.limit, length))
    return tuple(kept)


@frozen
class Slowdown:
    """The pause and the reduced rate after a "too fast". Times are the store's milliseconds.

    Attributes:
        share: The share of the rate in force at the end of the pause.
        until: The end of the pause.
        since: When the rate was last halved.
        reported: When the service last said that the key was too fast.
    """

    share: float = 1.0
    until: int = 0
    since: int = NEVER
    reported: int = NEVER

    def share_at(self, now: int) -> float:
        """The share of the rate now: after the pause it grows step by step."""
        steps = max(0, now - self.until) // STEP_MILLISECONDS
        return min(1.0, self.share + STEP_SHARE * steps)

    def slower(self, now: int, pause: int, granted: int) -> Self:
        """After a response to a request granted at some time says "too fast".

        All responses to one burst halve the rate once: it is halved only for a request that was
        granted after it was last halved.
        """
        share = self.share_at(now)
        until = max(self.until, now + pause)
        if granted <= self.since:
            return type(self)(share, until, self.since, now)
        return type(self)(max(SLOWEST_SHARE, share / 2), until, now, now)

    def restamped(self, now: int) -> Self:
        """After the clock was set back: as if the service had said it just now.

        Otherwise a pause would last until the clock has caught up.
        """
        back = self.reported - now
        if back <= 0:
            return self
        return type(self)(self.share, self.until - back, min(self.since, now), now)
