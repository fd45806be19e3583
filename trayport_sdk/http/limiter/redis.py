"""The grants of one allowance in Redis, for processes on many machines.

One script decides, so that no two processes see the same room, and it reads the server's own clock,
so that it does not matter how far apart the clocks of the machines are.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, unquote

from ...errors import TrayportConfigurationError, require_extra
from ..redaction import Redaction
from .allowance import Look, Store, StoreError, Taken
from .limits import EMERGENCY_SHARE, SLOWEST_SHARE, STEP_MILLISECONDS, STEP_SHARE, Limits, Quota
from .stores import SHARED_PADDING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from redis import Redis

REPLY_SECONDS = 2.0

# KEYS: the log of grants (a sorted set by milliseconds), and what is left of a slowdown (a hash).
# ARGV: what to do, two numbers that belong to it, how the share grows, then the quotas, the crowds
# and the windows: each a count, and as many pairs of a limit and milliseconds.
SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local log, state = KEYS[1], KEYS[2]
local action, first, second = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local step, step_length, slowest, emergency =
    tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local place = 8
local function pairs_of_limits()
  local found = {}
  for i = 1, tonumber(ARGV[place]) do
    found[i] = {tonumber(ARGV[place + 2 * i - 1]), tonumber(ARGV[place + 2 * i])}
  end
  place = place + 2 * #found + 1
  return found
end
local quotas, crowds, windows = pairs_of_limits(), pairs_of_limits(), pairs_of_limits()

local kept = redis.call('HMGET', state, 'share', 'until', 'since', 'told')
local share = tonumber(kept[1] or '1')
local pause_ends = tonumber(kept[2] or '0')
local since = tonumber(kept[3] or '-1')
local told = tonumber(kept[4] or '-1')
-- Whoever sets the clock back shall not wait until it has caught up.
if told > now then
  pause_ends = pause_ends - (told - now)
  since = math.min(since, now)
  redis.call('HSET', state, 'until', pause_ends, 'since', since, 'told', now)
end
share = math.min(1, share + step * math.floor(math.max(0, now - pause_ends) / step_length))
local longest = quotas[#quotas]
local keep = longest[2]

for _, early in ipairs(redis.call('ZRANGEBYSCORE', log, '(' .. now, '+inf')) do
  redis.call('ZADD', log, now, early)
end

if action == 'slow' then
  if second > since then
    share = math.max(slowest, share / 2)
    since = now
  end
  pause_ends = math.max(pause_ends, now + first)
  redis.call('HSET', state, 'share', tostring(share), 'until', pause_ends, 'since', since,
    'told', now)
  redis.call('PEXPIRE', state, math.ceil(pause_ends - now + step_length / step + keep))
  return {now, 0, 0, tostring(share)}
end

local function wait_for(limits)
  local wait = 0
  for _, limit in ipairs(limits) do
    local nth = redis.call('ZREVRANGE', log, limit[1] - 1, limit[1] - 1, 'WITHSCORES')
    if nth[2] then
      wait = math.max(wait, tonumber(nth[2]) + limit[2] - now)
    end
  end
  return wait
end

local function spread(part)
  if part >= 1 then
    return 0
  end
  return wait_for({{1, math.ceil(longest[2] / longest[1] / part)}})
end

local paused = math.max(0, pause_ends - now)
local wait = math.max(wait_for(quotas), paused)
local crowded = wait_for(crowds)
if crowded > 0 and action == 'take' then
  wait = math.max(wait, math.min(spread(share * emergency), crowded))
else
  wait = math.max(wait, spread(share))
end

if action == 'take' then
  if wait == 0 then
    local number = redis.call('HINCRBY', state, 'number', 1)
    redis.call('ZADD', log, now, now .. ':' .. number)
    redis.call('ZREMRANGEBYSCORE', log, '-inf', now - keep)
    redis.call('PEXPIRE', log, math.ceil(2 * keep))
    redis.call('PEXPIRE', state, math.ceil(paused + step_length / step + 2 * keep))
  end
  return {now, wait, paused, tostring(share)}
end

local answer = {now, wait, paused, tostring(share)}
for _, window in ipairs(windows) do
  answer[#answer + 1] = redis.call('ZCOUNT', log, now - window[2] + 1, '+inf')
end
return answer
"""


class RedisStore(Store):
    """A log in Redis.

    Args:
        url: Such as `redis://host:6379/0`.
        name: What tells this allowance from others in the same Redis.
    """

    name = "redis"
    remote = True

    def __init__(self, url: str, name: str) -> None:
        require_extra("redis", "redis", what="the setting limiter_store")
        from redis import Redis

        # pyright cannot see through the untyped keyword arguments of from_url.
        connected = cast("Callable[..., Redis]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType]
        self._redactions = [Redaction(password) for password in _passwords(url)]
        try:
            self._redis = connected(
                url, socket_timeout=REPLY_SECONDS, socket_connect_timeout=REPLY_SECONDS
            )
            pool = self._redis.connection_pool
            # Nothing is sent, but options that do not exist are found now.
            pool.connection_class(**pool.connection_kwargs)
        except Exception as error:
            raise TrayportConfigurationError(
                f"limiter_store: this address of a Redis cannot be used: {self._told(error)}",
                suggestion="write it as redis://host:6379/0, and options as redis-py names them",
            ) from error
        self._script = self._redis.register_script(SCRIPT)
        # Both keys in one slot, so that a cluster lets one script use them.
        self._keys = [f"trayport:{{{name}}}:grants", f"trayport:{{{name}}}:slowdown"]

    def take(self, limits: Limits) -> Taken:
        now, wait, paused, *_ = self._run("take", limits)
        return Taken(int(now), int(wait), int(paused))

    def slow_down(self, pause: int, granted: int) -> float:
        return float(self._run("slow", Limits(1, 1), pause, granted)[3])

    def look(self, limits: Limits) -> Look:
        _, wait, paused, share, *used = self._run("look", limits)
        return Look(tuple(int(count) for count in used), int(wait), int(paused), float(share))

    def _run(self, action: str, limits: Limits, first: int = 0, second: int = 0) -> list[bytes]:
        quotas = limits.quotas(SHARED_PADDING)
        arguments: list[str | int | float] = [
            action, first, second, STEP_SHARE, STEP_MILLISECONDS, SLOWEST_SHARE, EMERGENCY_SHARE,
            *_flat(quotas), *_flat(limits.crowds), *_flat(limits.windows),
        ]  # fmt: skip
        with self._readable():
            return cast("list[bytes]", self._script(self._keys, arguments))

    @contextmanager
    def _readable(self) -> Generator[None]:
        """Every failure as ours: also options that nobody could check make a client fail."""
        try:
            yield
        except Exception as error:
            raise StoreError(self._told(error)) from error

    def _told(self, error: Exception) -> str:
        """What an error says; old servers repeat what they were logged in with."""
        text = f"{type(error).__name__}: {error}"
        for redaction in self._redactions:
            redaction.chain(error)
            text = redaction.text(text)
        return text

    def after_fork(self, limits: Limits) -> None:
        """Nothing to do: the connections notice by themselves."""

    def close(self) -> None:
        self._redis.close()


def _flat(quotas: tuple[Quota, ...]) -> list[int]:
    return [len(quotas), *(number for q in quotas for number in (q.limit, q.milliseconds))]


def _passwords(url: str) -> list[str]:
    """All that may be a password, also in an address that is not written as it should be."""
    _, _, rest = url.partition("://")
    login, _, _ = rest.rpartition("@")
    _, _, written = login.partition(":")
    query = rest.partition("?")[2].partition("#")[0]
    found = [text for name, text in parse_qsl(query) if "password" in name.lower()]
    # What is not escaped breaks an address into pieces, and errors quote one of them.
    found += [written, unquote(written), *re.split("[:/?#@]", written)]
    return sorted({text for text in found if text}, key=len, reverse=True)
