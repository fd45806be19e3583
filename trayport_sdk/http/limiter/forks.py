"""Renews what a forked process cannot take over: locks that threads of its parent held, and counts.

A lock that another thread of the parent held is never released in the child. So all of it is
renewed in the child before anything else runs there.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """What has to begin anew in a child process."""

    def after_fork(self) -> None:
        """Called once in the child, while it has a single thread."""


class _Watch:
    """Who is renewed; the process is watched from the first one on."""

    def __init__(self) -> None:
        self._living: WeakSet[Renewable] = WeakSet()
        self._begun = False

    def add(self, one: Renewable) -> None:
        # No lock, which a fork could meet: to renew twice does no harm.
        if not self._begun and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)
            self._begun = True
        self._living.add(one)

    def _renew(self) -> None:
        for one in list(self._living):
            one.after_fork()


_watch = _Watch()


def renewed_in_children(one: Renewable) -> None:
    """From now on renews an object, for as long as it is there, in every forked process."""
    _watch.add(one)
