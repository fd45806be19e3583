"""Spares the address space of a process that has little of it.

The C library of Linux gives threads heaps of their own, and reserves 64 MB of addresses for each.
That costs nothing, unless the addresses are limited: then they are gone when memory is needed.
"""

from __future__ import annotations

import ctypes
import sys

M_ARENA_MAX = -8
HEAPS = 1


def spare_addresses() -> None:
    """Has all threads share one heap, if the addresses of this process are limited."""
    if sys.platform != "linux":
        return
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # other C libraries have one heap anyway
        library.mallopt(M_ARENA_MAX, HEAPS)
