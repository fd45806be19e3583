"""One limiter for every client, task, thread and event loop that uses the same key and host.

`limiter_for` is the door. `limits` says how many requests may be sent, a store of `memory`,
`stores` or `redis` counts them, `queue` holds those that wait, and `limiter` combines the three.
"""

from __future__ import annotations

import hashlib
from threading import Lock

from pydantic import SecretStr
from trayport_spec import REQUEST_LIMITS

from ...errors import TrayportConfigurationError, require_extra
from .limiter import RequestLimiter, renew_in_children
from .limits import Limits
from .queue import PRIORITIES, Grant, Priority
from .stores import MemoryStore, SqliteStore, Store

__all__ = ["PRIORITIES", "Grant", "Limits", "Priority", "RequestLimiter", "limiter_for"]

HASH_DIGITS = 16
KINDS = {"memory": "memory", "sqlite": "a file (sqlite)", "redis": "Redis"}
MEMORY = SecretStr("memory")
UNCLAIMED = Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)


class _Registry:
    """The limiters of this process. Keys and addresses of stores, which hold passwords, are hashed.

    A limiter stays when its clients are gone: what they were granted still counts.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.limiters: dict[str, tuple[str, RequestLimiter]] = {}

    def after_fork(self) -> None:
        """Starts afresh in a child process."""
        self.lock = Lock()


_registry = _Registry()


def limiter_for(key: SecretStr, host: str, store: SecretStr = MEMORY) -> RequestLimiter:
    """The limiter that all clients of this process with this key and host share.

    Args:
        key: The personal key; only its hash is kept.
        host: The host and port of the API.
        store: `memory`, `sqlite:///path` or `redis://...`.

    Raises:
        TrayportConfigurationError: A client that is not closed counts in another store, or the
            store cannot be used as it is written.
    """
    renew_in_children(_registry)
    text = key.get_secret_value
    identity, place = _hash(f"{text()}\n{host}"), _hash(store.get_secret_value())
    with _registry.lock:
        known, limiter = _registry.limiters.get(identity, ("", None))
        if limiter is None or known != place:
            allowance = f"{_hash(text())[:HASH_DIGITS]}@{host}"
            wanted = _open(store, allowance)
            if limiter is not None:
                if limiter.is_in_use:
                    raise _two_places(host, limiter.store, wanted)
                limiter.close()
            limiter = RequestLimiter(UNCLAIMED, wanted, allowance=allowance)
            _registry.limiters[identity] = place, limiter
    return limiter


def _open(store: SecretStr, name: str) -> Store:
    """The store that a setting names, for the allowance of a name."""
    kind, _, place = store.get_secret_value().partition("://")
    if kind == "sqlite":
        return SqliteStore(place.removeprefix("/"), name)
    del place
    if kind in ("redis", "rediss"):
        require_extra("redis", "redis", what="the setting limiter_store")
        from .redis import RedisStore

        return RedisStore(store, name)
    return MemoryStore()


def _two_places(host: str, used: Store, wanted: Store) -> TrayportConfigurationError:
    other = "another one: " if used.name == wanted.name else ""
    return TrayportConfigurationError(
        f"limiter_store: one process must count a key in one place. Another client of this key on "
        f"{host} counts in {KINDS[used.name]}, this one should count in {other}"
        f"{KINDS[wanted.name]}",
        suggestion="close the other client first, or give both the same limiter_store",
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
