"""The grants of one allowance in Redis, for processes on many machines.

One script decides, so that no two processes take the same grant. It reads the server's clock, so
that the clocks of the machines need not agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qsl, unquote

from pydantic import SecretStr
from redis import Redis

from ...errors import TrayportConfigurationError
from ..redaction import Redaction
from .base import (
    NEW_MILLISECONDS,
    SENDING_MILLISECONDS,
    Look,
    Store,
    StoreError,
    Taken,
)
from .limits import (
    EMERGENCY_SHARE,
    SHARED_PADDING,
    SLOWEST_SHARE,
    STEP_MILLISECONDS,
    STEP_SHARE,
    Limits,
    Quota,
)

REPLY_SECONDS = 2.0
KEPT_MILLISECONDS = 86_400_000
"""How long Redis knows that a log is not new."""

# KEYS: the log of grants (a sorted set by milliseconds), when the log was made and the state of a
# slowdown (a hash), and the grants whose requests are being written (a set like the log).
# ARGV: the action, its two arguments, how the share grows, how long things last, then the quotas,
# the emergency quotas and the windows: each a count, and as many pairs of a limit and milliseconds.
SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local log, state, sending = KEYS[1], KEYS[2], KEYS[3]
local action, name, first, second = ARGV[1], ARGV[2], tonumber(ARGV[2]), tonumber(ARGV[3])
local step, step_length, slowest, emergency =
    tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local sending_length, new_length, kept_length =
    tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

local place = 11
local function pairs_of_limits()
  local pairs = {}
  for i = 1, tonumber(ARGV[place]) do
    pairs[i] = {tonumber(ARGV[place + 2 * i - 1]), tonumber(ARGV[place + 2 * i])}
  end
  place = place + 2 * #pairs + 1
  return pairs
end
local quotas, emergencies, windows = pairs_of_limits(), pairs_of_limits(), pairs_of_limits()

local kept = redis.call('HMGET', state, 'share', 'until', 'since', 'reported', 'made')
local share = tonumber(kept[1] or '1')
local pause_ends = tonumber(kept[2] or '0')
local since = tonumber(kept[3] or '-1')
local reported = tonumber(kept[4] or '-1')
local made = tonumber(kept[5] or now)
if not kept[5] then
  redis.call('HSET', state, 'made', made)
  redis.call('PEXPIRE', state, kept_length)
end
-- After the clock was set back, requests do not wait until it has caught up.
if reported > now then
  pause_ends = pause_ends - (reported - now)
  since = math.min(since, now)
  redis.call('HSET', state, 'until', pause_ends, 'since', since, 'reported', now)
end
share = math.min(1, share + step * math.floor(math.max(0, now - pause_ends) / step_length))
local longest = quotas[#quotas]
local keep = longest[2]

for _, early in ipairs(redis.call('ZRANGEBYSCORE', log, '(' .. (now + keep), '+inf')) do
  redis.call('ZADD', log, now, early)
end
if made > now then
  made = 0
  redis.call('HSET', state, 'made', made)
end

-- Requests that are being written count as if they were sent just now.
local writing = redis.call('ZRANGE', sending, 0, -1, 'WITHSCORES')
for i = 1, #writing, 2 do
  local age = now - tonumber(writing[i + 1])
  redis.call('ZADD', log, now, writing[i])
  if age > sending_length then
    redis.call('ZREM', sending, writing[i])
  elseif age < 0 then
    redis.call('ZADD', sending, now, writing[i])
  end
end

if action == 'finish' then
  redis.call('ZADD', log, now, name)
  redis.call('PEXPIRE', log, math.ceil(2 * keep))
  redis.call('ZREM', sending, name)
  return {now, 0, 0, '1'}
end

if action == 'slow' then
  if second > since then
    share = math.max(slowest, share / 2)
    since = now
  end
  pause_ends = math.max(pause_ends, now + first)
  redis.call('HSET', state, 'share', tostring(share), 'until', pause_ends, 'since', since,
    'reported', now)
  redis.call('PEXPIRE', state, math.ceil(pause_ends - now + kept_length))
  return {now, 0, 0, tostring(share)}
end

local function wait_for(limits, last)
  local wait = 0
  for _, limit in ipairs(limits) do
    local nth = redis.call('ZREVRANGEBYSCORE', log, last or '+inf', '-inf', 'WITHSCORES',
      'LIMIT', limit[1] - 1, 1)
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
local begins = math.max(0, made + new_length - now)

if action == 'start' then
  -- Grants that may be used only later wait for this one, and not the other way round.
  local last = math.max(now, tonumber(redis.call('ZSCORE', log, name) or now))
  redis.call('ZREM', log, name)
  redis.call('ZREM', sending, name)
  local wait = math.max(wait_for(quotas, last), begins)
  redis.call('ZADD', log, now + wait, name)
  redis.call('PEXPIRE', log, math.ceil(2 * keep))
  if wait == 0 and paused == 0 then
    redis.call('ZADD', sending, now, name)
    redis.call('PEXPIRE', sending, math.ceil(2 * sending_length))
  end
  return {now, math.max(wait, paused), paused, '1'}
end

local wait = math.max(wait_for(quotas), paused, begins)
local crowded = wait_for(emergencies)
if crowded > 0 and action == 'take' then
  wait = math.max(wait, math.min(spread(share * emergency), crowded))
else
  wait = math.max(wait, spread(share))
end

if action == 'take' then
  local ahead = first
  if paused > 0 then
    return {now, wait, paused, tostring(share)}
  elseif wait > ahead then
    return {now, math.max(1, wait - ahead), 0, tostring(share)}
  end
  local number = redis.call('HINCRBY', state, 'number', 1)
  name = made .. ':' .. number
  redis.call('ZADD', log, now + wait, name)
  redis.call('ZREMRANGEBYSCORE', log, '-inf', now - keep)
  redis.call('PEXPIRE', log, math.ceil(2 * keep))
  redis.call('PEXPIRE', state, kept_length)
  return {now, 0, 0, tostring(share), name}
end

local result = {now, wait, paused, tostring(share)}
for _, window in ipairs(windows) do
  result[#result + 1] = redis.call('ZCOUNT', log, now - window[2] + 1, '+inf')
end
return result
"""


class RedisStore(Store):
    """A log in Redis.

    Args:
        url: Such as `redis://host:6379/0`.
        name: The name of this allowance among others in the same Redis.
    """

    name = "redis"
    remote = True

    def __init__(self, url: SecretStr, name: str) -> None:
        # pyright cannot see through the untyped keyword arguments of from_url.
        connected = cast("Callable[..., Redis]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType]
        self._redactions = [Redaction(each) for each in _passwords(url.get_secret_value())]
        try:
            self._redis = connected(
                url.get_secret_value(),
                socket_timeout=REPLY_SECONDS,
                socket_connect_timeout=REPLY_SECONDS,
            )
            # Nothing is sent yet, but unknown options are refused now. No variable holds the pool:
            # redis-py before 8 shows the password in it, and tracebacks show variables.
            self._redis.connection_pool.connection_class(
                **self._redis.connection_pool.connection_kwargs
            )
        except Exception as error:
            raise TrayportConfigurationError(
                f"limiter_store: this address of a Redis cannot be used: {self._message(error)}",
                suggestion="write it as redis://host:6379/0, and options as redis-py names them",
            ) from error
        self._script = self._redis.register_script(SCRIPT)
        # All keys in one slot, so that a cluster lets one script use them.
        self._keys = [
            f"trayport:{{{name}}}:grants",
            f"trayport:{{{name}}}:slowdown",
            f"trayport:{{{name}}}:sending",
        ]

    def take(self, limits: Limits, ahead: int = 0) -> Taken:
        now, wait, paused, _, *name = self._run("take", limits, ahead)
        return Taken(int(now), int(wait), int(paused), *(part.decode() for part in name))

    def start(self, name: str, limits: Limits) -> Taken:
        now, wait, paused, _ = self._run("start", limits, name)
        return Taken(int(now), int(wait), int(paused))

    def finish(self, name: str) -> None:
        self._run("finish", Limits(1, 1), name)

    def slow_down(self, pause: int, granted: int) -> float:
        return float(self._run("slow", Limits(1, 1), pause, granted)[3])

    def look(self, limits: Limits) -> Look:
        _, wait, paused, share, *used = self._run("look", limits)
        return Look(tuple(int(count) for count in used), int(wait), int(paused), float(share))

    def _run(
        self, action: str, limits: Limits, first: int | str = 0, second: int = 0
    ) -> list[bytes]:
        quotas = limits.quotas(SHARED_PADDING)
        arguments: list[str | int | float] = [
            action, first, second, STEP_SHARE, STEP_MILLISECONDS, SLOWEST_SHARE, EMERGENCY_SHARE,
            SENDING_MILLISECONDS, NEW_MILLISECONDS, KEPT_MILLISECONDS,
            *_flat(quotas), *_flat(limits.emergency_quotas), *_flat(limits.windows),
        ]  # fmt: skip
        try:
            return cast("list[bytes]", self._script(self._keys, arguments))
        except Exception as error:  # options that could not be checked raise anything
            raise StoreError(self._message(error)) from error

    def _message(self, error: Exception) -> str:
        """The message of an error without passwords; old servers repeat those of a log-in."""
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


def _passwords(url: str) -> list[SecretStr]:
    """Everything that may be a password, also in a malformed address."""
    _, _, rest = url.partition("://")
    login, _, _ = rest.rpartition("@")
    _, _, written = login.partition(":")
    query = rest.partition("?")[2].partition("#")[0]
    texts = [text for name, text in parse_qsl(query) if "password" in name.lower()]
    # An unescaped character breaks an address into pieces, and errors quote one of them.
    texts += [written, unquote(written), *re.split("[:/?#@]", written)]
    return [SecretStr(text) for text in sorted({*texts} - {""}, key=len, reverse=True)]
