"""What a client is doing at the moment, and whether both APIs respond: as values and in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from attrs import Factory, frozen

from ..errors import TrayportAuthenticationError, TrayportError
from ..http.messages import ApiRequest, ApiResponse
from ..http.proxies import proxy_for
from ..http.session import Session
from ..query.times import instant
from ..settings import stays_here
from ..tables.decode import decoder
from ..tables.decode.native.reader import Reader, reader
from ..telemetry.events import BreakerState
from ..telemetry.status import BreakerStatus, ConnectionCounts, LimiterStatus

SIGNS: Mapping[bool | None, str] = {True: "ok", False: "WRONG", None: "-"}
# The smallest request to each API. In a minute of a night on a weekend nothing is traded.
REQUESTS = {
    "analytics": ApiRequest.of(
        "get_activity",
        from_=instant("2024-01-06T03:00:00Z", "from_"),
        until=instant("2024-01-06T03:01:00Z", "until"),
    ),
    "reference": ApiRequest.of("get_sequences"),
}


@frozen
class Status:
    """What a client is doing at the moment. Its text is one line for each part.

    Attributes:
        limiter: How much of the allowance is in use; None where nothing limits.
        breakers: The circuit breakers, by the path of their endpoint such as `/trades`.
        connections: Connections opened, and the responses that came over them.
        reader: What reads the rows of responses: the `native` reader, or `Python` where it was
            not compiled or the variable TRAYPORT_READER is `python`.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     print(client.get_status())
        limiter      nothing limits requests
        breakers     all closed
        connections  0 opened for 0 requests
        reader       ...
    """

    limiter: LimiterStatus | None
    breakers: Mapping[str, BreakerStatus]
    connections: ConnectionCounts
    reader: Reader = Factory(reader)

    @classmethod
    def of(cls, session: Session) -> Self:
        """The status of a session. Sends nothing, but reads the store of the allowance."""
        return cls(
            limiter=None if session.limiter is None else session.limiter.status(),
            breakers={} if session.breakers is None else session.breakers.states(),
            connections=session.transport.counts,
        )

    def __str__(self) -> str:
        connections = self.connections
        return "\n".join(
            (
                f"limiter      {_limiter_in_words(self.limiter)}",
                f"breakers     {_breakers_in_words(self.breakers)}",
                f"connections  {connections.opened} opened for {connections.requests} requests",
                f"reader       {self.reader}",
            )
        )


@frozen
class HealthCheck:
    """One thing that was checked.

    Attributes:
        name: What was checked, such as `analytics API`.
        ok: Whether it works; None when it was not checked.
        detail: The result, or what is wrong and what to do about it.
        seconds: How long the check took.
    """

    name: str
    ok: bool | None
    detail: str
    seconds: float = 0.0


@frozen
class HealthReport:
    """What was checked, and the results. Its text is one line for each check.

    Attributes:
        checks: Every check, in the order in which a request depends on them.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     report = await client.health_check()
        >>> report.ok
        True
    """

    checks: tuple[HealthCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing that was checked is wrong."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[HealthCheck, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.ok is False)

    def __str__(self) -> str:
        width = max((len(check.name) for check in self.checks), default=0)
        lines = [f"{SIGNS[c.ok]:<5}  {c.name:<{width}}  {c.detail}" for c in self.checks]
        return "\n".join([*lines, f"{len(self.wrong)} wrong" if self.wrong else "nothing is wrong"])


async def health_check(session: Session, *, within: float = 10.0) -> HealthReport:
    """Checks the settings, the key, both APIs, the limiter and the circuit breakers.

    One small request goes to each API, once. What is wrong is reported, not raised.

    Args:
        session: What sends the requests.
        within: Seconds that each request may take.
    """
    # In a thread, for the store of a shared allowance may be far away.
    before = await asyncio.to_thread(Status.of, session)
    urls = session.transport.urls
    results = await asyncio.gather(*(_responds(session, api, before, within) for api in urls))
    status = await asyncio.to_thread(Status.of, session)
    limiter, breakers = status.limiter, status.breakers
    has_room = limiter is None or not (limiter.paused > 0 or limiter.problem)
    all_closed = all(breaker.state is not BreakerState.OPEN for breaker in breakers.values())
    return HealthReport(
        (
            _settings(urls),
            _key({api: error for api, (_, error) in zip(urls, results, strict=True)}),
            *(check for check, _ in results),
            HealthCheck("limiter", has_room, _limiter_in_words(limiter)),
            HealthCheck("breakers", all_closed, _breakers_in_words(breakers)),
        )
    )


async def _responds(
    session: Session, api: str, status: Status, within: float
) -> tuple[HealthCheck, Exception | None]:
    """Whether an API responds, and the error if it does not."""
    name, url = f"{api} API", session.transport.urls[api]
    place = "this process" if session.transport.in_process else _host_and_port(url)
    if status.limiter is not None and status.limiter.paused >= within:
        paused = f"not sent: the limiter is paused for {status.limiter.paused:.0f} s"
        return HealthCheck(name, None, paused), TimeoutError(paused)
    started = time.perf_counter()
    deadline = asyncio.timeout(within)
    failure: Exception | None = None
    detail = "responds"
    try:
        async with deadline:
            await session.once().fetch(REQUESTS[api], _read, priority="high")
    except Exception as error:  # noqa: BLE001  (hooks may raise anything)
        failure = error
        if isinstance(error, TrayportError):
            detail = _with_advice(error, url)
        elif isinstance(error, TimeoutError) and deadline.expired():
            detail = f"no response within {within:g} s: try again later, or raise the timeout"
        else:
            detail = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    detail = " ".join(f"{place}: {detail}".split())
    return HealthCheck(name, failure is None, detail, seconds), failure


def _read(response: ApiResponse) -> None:
    response.read(decoder.decode_response)


def _with_advice(error: TrayportError, url: str) -> str:
    """The message of an error, and what to do about it."""
    message, advice = str(error.args[0]), error.suggestion
    if error.retryable and (proxy := proxy_for(url)):
        advice += f"; {proxy.variable} names a proxy: check that too"
    return f"{message}: {advice}" if advice else message


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or {'http': 80, 'https': 443}[parts.scheme]}"


def _settings(urls: Mapping[str, str]) -> HealthCheck:
    parts = [f"{api} at {url}" for api, url in urls.items()]
    for api, url in urls.items():
        if urlsplit(url).scheme == "http" and not stays_here(url):
            parts.append(f"the key goes to {api} unencrypted: use https where that can be had")
    return HealthCheck("settings", True, "; ".join(parts))


def _key(errors: Mapping[str, Exception | None]) -> HealthCheck:
    """Whether the responses accept the key."""
    refusing = [a for a, error in errors.items() if isinstance(error, TrayportAuthenticationError)]
    if refusing:
        detail = f"refused by {' and '.join(refusing)}: check the variable TRAYPORT_API_KEY"
        return HealthCheck("key", False, detail)
    if None in errors.values():
        return HealthCheck("key", True, "accepted")
    return HealthCheck("key", None, "not checked: no response shows whether it is good")


def _limiter_in_words(limiter: LimiterStatus | None) -> str:
    """How much of the allowance is in use, and what slows requests down."""
    if limiter is None:
        return "nothing limits requests"
    if limiter.problem:
        return f"the store of the allowance cannot be used: {limiter.problem}"
    parts = [
        ", ".join(f"{w.used} of {w.limit} in {w.seconds:g} s" for w in limiter.windows),
        f"counted in {limiter.store}",
    ]
    waiting = sum(limiter.queued.values())
    if waiting:
        parts.append(f"{waiting} waiting, the next leaves in {limiter.next_grant:.1f} s")
    if limiter.paused > 0:
        parts.append(f"paused for {limiter.paused:.1f} s, as the service said the key is too fast")
    if limiter.share < 1:
        parts.append(f"at {limiter.share:.0%} of the set rate, recovering")
    return "; ".join(parts)


def _breakers_in_words(breakers: Mapping[str, BreakerStatus]) -> str:
    """The circuit breakers that are not closed."""
    parts: list[str] = []
    for endpoint, breaker in breakers.items():
        if breaker.state is BreakerState.HALF_OPEN:
            parts.append(f"{endpoint} half-open: the next request is a trial")
        elif breaker.state is BreakerState.OPEN:
            until = "" if breaker.retry_at is None else f" until {breaker.retry_at:%H:%M:%S} UTC"
            parts.append(f"{endpoint} open{until}, after {breaker.failures} failures in a row")
    return "; ".join(parts) or "all closed"
