"""Memory that was freed and that the C library keeps."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any


def give_back_memory() -> None:
    """Gives memory that was freed back to the system, where the C library can.

    That of GNU keeps what a thread has freed for the next thread, which may not be given it. It
    takes some milliseconds.
    """
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Callable[[int], object] | None:
    try:
        library: Any = ctypes.CDLL(None)
        found: Callable[[int], object] = library.malloc_trim
    except (AttributeError, OSError, TypeError):  # on Windows there is no library without a name
        return None
    return found
