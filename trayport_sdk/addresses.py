"""What an address may look like, whether it stays on this machine, and what of it may be shown."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

MEMORY = "memory"
SQLITE = "sqlite:///"
REDIS = ("redis", "rediss")
STORES = "memory, sqlite:///path, redis://host or rediss://host"
LOGIN = ("username", "password")
# What may follow the ? of a Redis. The library takes far more, which would end as a TypeError in
# the first request, or undo how the store waits.
OPTIONS = ("db", *LOGIN)
TLS_OPTIONS = (
    "ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_cert_reqs", "ssl_check_hostname",
    "ssl_keyfile", "ssl_password",
)  # fmt: skip
CHECKED_OPTIONS = {
    "db": re.compile(r"[0-9]{1,9}"),
    "ssl_cert_reqs": re.compile(r"none|optional|required"),
    "ssl_check_hostname": re.compile(r"true|false", re.IGNORECASE),
}

# Where `trayport sandbox` serves unless told otherwise, and the key it accepts.
SANDBOX_PORT = 8383
SANDBOX_KEY = "sandbox"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        # What urlsplit says may quote a password.
        raise ValueError("is not an address") from None
    return parts


def checked_address(text: str) -> str:
    """The address of an API without a slash at its end.

    Raises:
        ValueError: It is not one; the reason is in words and quotes nothing.
    """
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or password, which would show in messages")
    if parts.query or parts.fragment or any(letter.isspace() for letter in text):
        raise ValueError("may have a host, a port and a path, and nothing else")
    return text.rstrip("/")


def checked_store(text: str) -> str:
    """The place where the counts of a key are kept.

    Raises:
        ValueError: It is none; the reason is in words and quotes nothing.
    """
    store = text.strip()
    if store == MEMORY or (store.startswith(SQLITE) and len(store) > len(SQLITE)):
        return store
    parts = _split(store)
    if parts.scheme not in REDIS or not parts.hostname:
        raise ValueError(f"is not {STORES}")
    if "@" in parts.path or parts.fragment:
        raise ValueError("holds a password with letters that must be percent-encoded")
    if not re.fullmatch(r"/?|/[0-9]{1,9}", parts.path):
        raise ValueError("is not followed by the number of a database, as in redis://host:6379/0")
    _check_options(parts)
    return store


def _check_options(parts: SplitResult) -> None:
    # No name is quoted: it may be the end of a password with a question mark in it.
    allowed = (*OPTIONS, *TLS_OPTIONS) if parts.scheme == "rediss" else OPTIONS
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in allowed:
            raise ValueError(f"holds an option other than {', '.join(allowed)}")
        if name in CHECKED_OPTIONS and not CHECKED_OPTIONS[name].fullmatch(value):
            raise ValueError(f"holds a value that {name} cannot have")


def stays_here(address: str) -> bool:
    """Whether requests to an address never reach the live service.

    True for this machine (`localhost`, `127.0.0.0/8`, `::1`), and for names under `.invalid`, which
    no network has: the sandbox in the same process goes by one.
    """
    host = urlsplit(address).hostname or ""
    if host in ("localhost", "invalid") or host.endswith((".localhost", ".invalid")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_password(store: str, mask: str = "") -> str:
    """A store's address with a mask, or nothing, in the place of user name and password.

    Example:
        >>> without_password("redis://:hunter2@cache.example:6379/0", mask="***")
        'redis://***@cache.example:6379/0'
    """
    parts = urlsplit(store)
    if parts.scheme not in REDIS:
        return store
    user, _, host = parts.netloc.rpartition("@")
    query = parse_qsl(parts.query, keep_blank_values=True)
    # Both may stand in the query, too, and the password of a certificate.
    secret = (*LOGIN, "ssl_password")
    shown = [(name, value) for name, value in query if name.lower() not in secret]
    netloc = f"{mask}@{host}" if user and mask else host
    return parts._replace(netloc=netloc, query=urlencode(shown)).geturl()
