"""Whether a host can be found, reached and trusted, and in words why not."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen

from ..http.connections import Origin

# Seconds after which the next address of a host is tried beside the first.
HAPPY_EYEBALLS = 0.25
# When several addresses of a host refuse, asyncio has only words for it.
REFUSED = f"[Errno {errno.ECONNREFUSED}]"


@frozen
class HealthCheck:
    """One thing that was checked.

    Attributes:
        name: What was checked, such as `DNS analytics.trayport.com`.
        ok: Whether it works; None when it was not checked.
        detail: What was found, or what is wrong and what to do about it.
        seconds: How long the check took.
    """

    name: str
    ok: bool | None
    detail: str
    seconds: float = 0.0


async def checked(
    name: str,
    work: Callable[[], Awaitable[str]],
    within: float,
) -> HealthCheck:
    """What some work on the network found, or why it failed."""
    started = time.perf_counter()
    ok = False
    try:
        async with asyncio.timeout(within):
            detail = await work()
        ok = True
    except TimeoutError:
        detail = f"no answer within {within:g} s: check the network, a firewall or the address"
    except (OSError, UnicodeError) as error:
        detail = _in_words(error)
    return HealthCheck(name, ok, detail, time.perf_counter() - started)


async def reached(
    origins: Sequence[Origin],
    *,
    within: float,
    context: Callable[[], ssl.SSLContext],
) -> dict[Origin, tuple[HealthCheck, ...]]:
    """The checks of each origin. A host that several of them share is looked up once."""
    hosts = list(dict.fromkeys(origin.host for origin in origins))
    found = await asyncio.gather(*(_resolved(host, within) for host in hosts))
    names = dict(zip(hosts, found, strict=True))
    further = await asyncio.gather(
        *(_connected(origin, names[origin.host].ok, within, context) for origin in origins)
    )
    return {
        origin: (names[origin.host], *checks)
        for origin, checks in zip(origins, further, strict=True)
    }


async def _resolved(host: str, within: float) -> HealthCheck:
    async def look_up() -> str:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return ", ".join(dict.fromkeys(str(address[0]) for *_, address in found))

    return await checked(f"DNS {host}", look_up, within)


async def _connected(
    origin: Origin,
    known: bool | None,
    within: float,
    context: Callable[[], ssl.SSLContext],
) -> tuple[HealthCheck, ...]:
    names = [f"TCP {origin}", f"TLS {origin}"][: 2 if origin.scheme == "https" else 1]
    if not known:
        return tuple(HealthCheck(n, None, "not checked: the host was not found") for n in names)
    tcp = await checked(names[0], lambda: _open(origin, None), within)
    if len(names) == 1:
        return (tcp,)
    if not tcp.ok:
        return tcp, HealthCheck(names[1], None, "not checked: there is no connection")
    return tcp, await checked(names[1], lambda: _open(origin, context()), within)


async def _open(origin: Origin, context: ssl.SSLContext | None) -> str:
    """Opens a connection, closes it again and tells what it was."""
    if isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        _, writer = await asyncio.open_connection(
            origin.host, origin.port, ssl=context, happy_eyeballs_delay=HAPPY_EYEBALLS
        )
    else:  # uvloop tries one address after the other
        _, writer = await asyncio.open_connection(origin.host, origin.port, ssl=context)
    address = writer.get_extra_info("peername")[0]
    encrypted: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    if encrypted is None:
        return f"connected to {address}"
    return f"{encrypted.version()}, the certificate is trusted"


def _in_words(error: OSError | UnicodeError) -> str:
    """What is wrong, and what to do about it."""
    if isinstance(error, UnicodeError):
        return "this is no host name: check the address"
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return "the name server does not answer for this host name: check name and network"
        return "nobody knows this host name: check the address"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate is not trusted ({error.verify_message}): if a proxy of your company "
            "opens the connection, name its certificate in the variable SSL_CERT_FILE"
        )
    if isinstance(error, ssl.SSLError):
        return f"no encrypted connection ({error.reason}): does the address begin with https?"
    if isinstance(error, ConnectionRefusedError) or REFUSED in str(error):
        return "the connection was refused, nothing listens there: check host and port"
    return f"{error.strerror or error}: check the network, a firewall or the address"
