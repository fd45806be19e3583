"""One limiter for every client, task, thread and event loop that uses the same key and host."""

from __future__ import annotations

import hashlib
from threading import Lock

from trayport_spec import REQUEST_LIMITS

from ...errors import TrayportConfigurationError
from .allowance import Grant, Store
from .forks import renewed_in_children
from .limiter import FALLBACK_SHARE, TRY_AGAIN_SECONDS, RequestLimiter
from .limits import Limits
from .owners import Fallback
from .stores import opened

__all__ = [
    "FALLBACK_SHARE",
    "TRY_AGAIN_SECONDS",
    "Fallback",
    "Grant",
    "RequestLimiter",
    "shared_limiter",
]

HASH_DIGITS = 16
KINDS = {"memory": "memory", "sqlite": "a file (sqlite)", "redis": "Redis"}
UNCLAIMED = Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)


class _Registry:
    """The limiters of this process. Keys and addresses of stores, which hold passwords, are hashed.

    A limiter stays when its clients are gone: what they were granted still counts.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.limiters: dict[str, tuple[str, RequestLimiter]] = {}

    def after_fork(self) -> None:
        """Begins anew in a child process."""
        self.lock = Lock()


_registry = _Registry()


def shared_limiter(key: str, host: str, *, store: str = "memory") -> RequestLimiter:
    """The limiter that all clients of this process with this key and host share.

    Args:
        key: The personal key; only its hash is kept.
        host: The host and port of the API.
        store: `memory`, `sqlite:///path` or `redis://...`.

    Raises:
        TrayportConfigurationError: A client that is not closed counts in another store, or the
            store cannot be used as it is written.
    """
    renewed_in_children(_registry)
    identity, place = _hash(f"{key}\n{host}"), _hash(store)
    with _registry.lock:
        known, limiter = _registry.limiters.get(identity, ("", None))
        if limiter is None or known != place:
            wanted = opened(store, f"{_hash(key)[:HASH_DIGITS]}@{host}")
            if limiter is not None:
                if limiter.owners:
                    raise _two_places(host, limiter.store, wanted)
                limiter.close()
            limiter = RequestLimiter(UNCLAIMED, wanted)
            _registry.limiters[identity] = place, limiter
    return limiter


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
