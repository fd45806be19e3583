"""Whether everything between here and both APIs works, and in words what does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from ..errors import TrayportAuthenticationError, TrayportError
from ..http.connections import Origin, proxy_of
from ..settings import stays_here
from ..telemetry.events import BreakerState
from .reachability import HealthCheck, reached
from .status import Status, breakers_in_words, limiter_in_words

if TYPE_CHECKING:
    import ssl

SIGNS: Mapping[bool | None, str] = {True: "ok", False: "WRONG", None: "-"}


@frozen
class HealthReport:
    """What was checked, and what was found. Its text is one line for each check.

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
        """The checks that found something wrong."""
        return tuple(check for check in self.checks if check.ok is False)

    def __str__(self) -> str:
        width = max((len(check.name) for check in self.checks), default=0)
        lines = [f"{SIGNS[c.ok]:<5}  {c.name:<{width}}  {c.detail}" for c in self.checks]
        return "\n".join([*lines, f"{len(self.wrong)} wrong" if self.wrong else "nothing is wrong"])


async def health_check(
    *,
    urls: Mapping[str, str],
    has_key: bool,
    probe: Callable[[str], Awaitable[None]],
    status: Callable[[], Status],
    in_process: bool = False,
    within: float = 10.0,
    ssl_context: Callable[[], ssl.SSLContext] | None = None,
) -> HealthReport:
    """Checks settings, network, key, both APIs, limiter and breakers.

    What is sick is reported, not raised.

    Args:
        urls: The address of each API.
        has_key: Whether there is a key.
        probe: Sends one cheap request to the API of the given name, without repeating it, and
            raises when it fails; middleware may raise anything.
        status: Tells how limiter and breakers are.
        in_process: Whether requests stay in this process, and there is no network to check.
        within: Seconds that each check may take.
        ssl_context: Which certificates are trusted; left out, those that requests trust.
    """
    origins = {api: Origin.of(url) for api, url in urls.items()}
    direct = [] if in_process else [origins[api] for api, url in urls.items() if not proxy_of(url)]
    network = await reached(
        list(dict.fromkeys(direct)), within=within, context=ssl_context or _trusted
    )

    async def asked(api: str) -> _Asked:
        if not has_key:
            return _not_asked(api, "there is no key to send")
        if any(not check.ok for check in network.get(origins[api], ())):
            return _not_asked(api, "its address cannot be reached")
        return await _ask(api, probe, status, within)

    answers = await asyncio.gather(*(asked(api) for api in urls))
    found = dict.fromkeys(check for checks in network.values() for check in checks)
    # In a thread, for the store of a shared allowance may be far away.
    now = await asyncio.to_thread(status)
    return HealthReport(
        (
            _settings(urls, has_key),
            *found,
            *_unchecked(in_process, [o for o in origins.values() if o not in network]),
            _key(has_key, dict(zip(urls, answers, strict=True))),
            *(answer.check for answer in answers),
            _limiter(now),
            _breakers(now),
        )
    )


@frozen
class _Asked:
    """What came of a small request to one API: an error, an answer, or nothing as none was sent."""

    check: HealthCheck
    error: TrayportError | None = None


def _not_asked(api: str, reason: str) -> _Asked:
    return _Asked(HealthCheck(f"{api} API", None, f"not asked: {reason}"))


async def _ask(
    api: str,
    probe: Callable[[str], Awaitable[None]],
    status: Callable[[], Status],
    within: float,
) -> _Asked:
    limiter = (await asyncio.to_thread(status)).limiter
    if limiter is not None and limiter.paused >= within:
        return _not_asked(api, f"the limiter is paused for {limiter.paused:.0f} s")
    started = time.perf_counter()
    ok = False
    failure: TrayportError | None = None
    deadline = asyncio.timeout(within)
    try:
        async with deadline:
            await probe(api)
        ok, detail = True, "answers"
    except TrayportError as error:
        failure = error
        detail = " ".join(str(error.args[0]).split())
        if error.suggestion:
            detail = f"{detail}: {error.suggestion}"
    except Exception as error:  # noqa: BLE001  (middleware may raise anything)
        if isinstance(error, TimeoutError) and deadline.expired():
            detail = f"no answer within {within:g} s: try again later, or raise the timeout"
        else:
            detail = " ".join(f"{type(error).__name__}: {error}".split())
    seconds = time.perf_counter() - started
    return _Asked(HealthCheck(f"{api} API", ok, detail, seconds), failure)


def _trusted() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def _settings(urls: Mapping[str, str], has_key: bool) -> HealthCheck:
    told = [f"{api} at {url}" for api, url in urls.items()]
    told += ["a key is set" if has_key else "there is no key: set the variable TRAYPORT_API_KEY"]
    for api, url in urls.items():
        if urlsplit(url).scheme == "http" and not stays_here(url):
            told.append(f"the key goes to {api} unencrypted: use https where that can be had")
    return HealthCheck("settings", has_key, "; ".join(told))


def _unchecked(in_process: bool, origins: Sequence[Origin]) -> list[HealthCheck]:
    """The addresses whose way was not tried."""
    if in_process:
        return [HealthCheck("network", None, "not checked: requests stay in this process")]
    reason = "not checked: requests go through a proxy"
    return [HealthCheck(f"network {origin}", None, reason) for origin in dict.fromkeys(origins)]


def _key(has_key: bool, answers: Mapping[str, _Asked]) -> HealthCheck:
    """What the answers say of the key."""
    if not has_key:
        return HealthCheck("key", None, "not checked: there is none")
    refusing = [
        api for api, one in answers.items() if isinstance(one.error, TrayportAuthenticationError)
    ]
    if refusing:
        detail = f"refused by {' and '.join(refusing)}: check the variable TRAYPORT_API_KEY"
        return HealthCheck("key", False, detail)
    if any(one.check.ok for one in answers.values()):
        return HealthCheck("key", True, "accepted")
    return HealthCheck("key", None, "not checked: no answer tells whether it is good")


def _limiter(status: Status) -> HealthCheck:
    limiter = status.limiter
    sick = limiter is not None and (limiter.paused > 0 or bool(limiter.problem))
    return HealthCheck("limiter", not sick, limiter_in_words(limiter))


def _breakers(status: Status) -> HealthCheck:
    opened = any(one.state is BreakerState.OPEN for one in status.breakers.values())
    return HealthCheck("breakers", not opened, breakers_in_words(status.breakers))
