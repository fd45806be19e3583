"""Whose limits hold when several clients share the allowance of a key: the strictest of the living.

Clients are held weakly: one that was forgotten instead of closed stops counting as well.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import Literal, TypeAlias
from weakref import WeakKeyDictionary

from .limits import Limits

_log = logging.getLogger(__name__)

Fallback: TypeAlias = Literal["error", "slow"]


class Owners:
    """The clients of one key, and what each of them wants.

    Args:
        limits: What holds while there is no client.
        fallback: Likewise.
    """

    def __init__(self, limits: Limits, fallback: Fallback) -> None:
        self._unclaimed = limits, fallback
        self._in_force = self._unclaimed
        self._wishes: WeakKeyDictionary[object, tuple[Limits, Fallback]] = WeakKeyDictionary()
        self._counted = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._wishes)

    @property
    def limits(self) -> Limits:
        """The strictest limits."""
        return self._now()[0]

    @property
    def fallback(self) -> Fallback:
        """An error, if anybody wants one."""
        return self._now()[1]

    def add(self, owner: object, limits: Limits, fallback: Fallback) -> bool:
        """Sets what a client wants. Whether that changes anything."""
        with self._lock:
            self._wishes[owner] = limits, fallback
            return self._settle()

    def drop(self, owner: object) -> bool:
        """Forgets a client. Whether it was known."""
        with self._lock:
            known = self._wishes.pop(owner, None) is not None
            self._settle()
            return known

    def after_fork(self) -> None:
        """Goes on in a child process."""
        self._lock = Lock()

    def _now(self) -> tuple[Limits, Fallback]:
        # Asked before every request: as long as nobody is gone, the last answer holds.
        if len(self._wishes) != self._counted:
            with self._lock:
                self._settle()
        return self._in_force

    def _settle(self) -> bool:
        wishes = list(self._wishes.values())
        self._counted = len(wishes)
        before = self._in_force
        if wishes:
            errors = any(fallback == "error" for _, fallback in wishes)
            limits = Limits.strictest(limits for limits, _ in wishes)
            self._in_force = limits, "error" if errors else "slow"
        else:
            self._in_force = self._unclaimed
        if self._in_force != before:
            _log.debug("the limits of a key change from %s to %s", before[0], self._in_force[0])
        return self._in_force != before
