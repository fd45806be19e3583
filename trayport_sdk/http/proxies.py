"""Which proxy a request goes through, as the variables of the environment say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from attrs import frozen
from pydantic import SecretStr

from ..errors import TrayportConfigurationError
from ..settings import ip_of, stays_here

PORTS = {"http": 80, "https": 443}
SOCKS = ("socks5", "socks5h")
SYSTEM = "the proxy of the system"
_ENTRY = re.compile(r"(?P<name>\[.*\]|[^:]*):(?P<port>[0-9]+)")


@frozen
class Proxy:
    """A proxy, which no representation shows: its address may hold a password.

    Attributes:
        variable: The variable that names it, such as `HTTPS_PROXY`.
    """

    _url: SecretStr
    variable: str

    @property
    def url(self) -> str:
        """Its address, such as `http://user:password@proxy.example:3128`."""
        return self._url.get_secret_value()


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> Proxy | None:
    """The proxy for requests to an address, or None where they go directly.

    `HTTPS_PROXY` or `HTTP_PROXY` holds for its scheme, and `ALL_PROXY` for both. Of two spellings
    the lower-case one wins, even if it is empty. Under CGI only the lower-case `http_proxy` counts,
    because a client of the web server can set the other one. Without any variable, the proxy of
    the system holds on macOS and Windows.

    `NO_PROXY` and `no_proxy` are lists, of which each entry counts, separated by commas or spaces:
    a name, which stands for those below it too (`.name` does the same, `*.name` for those below it
    only), an address, a network, or `*`. An entry with a port holds for that port. Entries that
    are none of these are ignored. Plain http to this machine is never sent to a proxy, which would
    read the key. Where curl and Go's `httpproxy` differ in what they exempt, what either does is.

    Args:
        url: The address of the request.
        environ: The variables.

    Raises:
        TrayportConfigurationError: What the variable holds is no proxy.

    Example:
        >>> proxies = {"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": "10.0.0.0/8,.desk.example"}
        >>> proxy_for("https://analytics.example", proxies).url
        'http://proxy.example:3128'
        >>> proxy_for("https://10.1.2.3", proxies) is None
        True
    """
    given = _variables(environ)
    has_system = environ is os.environ
    del environ  # which holds the key, and would show it in a traceback with variables
    parts = urlsplit(url)
    host = _plain(parts.hostname or "")
    if parts.scheme == "http" and stays_here(url):
        return None
    names = {name.lower(): name for name in sorted(given)}  # the lower-case ones come last
    for wanted in (f"{parts.scheme}_proxy", "all_proxy"):
        variable = names.get(wanted, "")
        if value := given.get(variable):
            exempt = [text for name, text in given.items() if name.lower() == "no_proxy"]
            if _is_exempt(host, parts.port or PORTS[parts.scheme], _entries(exempt)):
                return None
            return _checked(variable, value)
    return _of_the_system(parts.scheme, host) if has_system else None


def _variables(environ: Mapping[str, str]) -> dict[str, SecretStr]:
    """The variables of proxies, masked."""
    names = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    given = {n: SecretStr(v.strip()) for n, v in environ.items() if n.lower() in names}
    if "REQUEST_METHOD" in environ:
        return {n: value for n, value in given.items() if n.lower() != "http_proxy" or n.islower()}
    return given


def _of_the_system(scheme: str, host: str) -> Proxy | None:
    found = getproxies()
    value = SecretStr(found.get(scheme) or found.get("all") or "")
    del found
    return _checked(SYSTEM, value) if value and not proxy_bypass(host) else None


def _checked(variable: str, value: SecretStr) -> Proxy:
    """The proxy that a variable names; the address may lack its scheme.

    Raises:
        TrayportConfigurationError: It is none. The message shows nothing of it, nor does what the
            error was raised from.
    """
    has_scheme = "://" in value.get_secret_value()
    url = value if has_scheme else SecretStr(f"http://{value.get_secret_value()}")
    scheme, suggestion = "", "write it as http://host:port"
    try:
        parts = urlsplit(url.get_secret_value())
        if parts.hostname and (parts.port is None or parts.port > 0):
            scheme = parts.scheme
        del parts
    except ValueError:
        pass
    if scheme in SOCKS and find_spec("socksio") is None:
        suggestion = "pip install socksio"
    elif scheme in (*PORTS, *SOCKS):
        return Proxy(url, variable)
    raise TrayportConfigurationError(
        f"the proxy that {variable} sets cannot be used", suggestion=suggestion
    )


def _entries(lists: Iterable[SecretStr]) -> list[str]:
    return [entry for text in lists for entry in re.split(r"[\s,]+", text.get_secret_value())]


def _is_exempt(host: str, port: int, entries: Iterable[str]) -> bool:
    """Whether an entry of `NO_PROXY` names a host."""
    for entry in entries:
        match = _ENTRY.fullmatch(entry)
        name = match["name"] if match else entry
        if (match is None or int(match["port"]) == port) and _names(name, host):
            return True
    return False


def _names(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    if (address := ip_of(host)) is not None:
        with suppress(ValueError):
            return address in ip_network(re.sub(r"[\[\]]", "", entry), strict=False)
        return False
    below_only = entry.startswith("*.")
    name = _plain(entry[below_only:].removeprefix("."))
    return bool(name) and (host.endswith(f".{name}") or (host == name and not below_only))


def _plain(name: str) -> str:
    """A name as it is compared: in lower case, in ASCII, and without a dot at its end."""
    name = name.lower().rstrip(".")
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name
