"""Loads the library, if there is one."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

Reader: TypeAlias = Literal["native", "Python"]

VARIABLE = "TRAYPORT_READER"
PYTHON = "python"
LIBRARY = {"darwin": "rows.dylib", "win32": "rows.dll"}.get(sys.platform, "rows.so")

POWERS = range(-342, 309)
"""Of five: below and above, whatever 64 bits hold becomes zero or infinity."""

ROUNDED_UP_FROM = -27


class Library:
    """The functions of the library."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))

        def function(name: str, result: Any, *arguments: Any) -> Any:
            found = getattr(library, name)
            found.restype, found.argtypes = result, arguments
            return found

        pointer, size = ctypes.c_void_p, ctypes.c_int64
        self.new = function("rows_new", pointer, pointer, pointer, size, size)
        self.free = function("rows_free", None, pointer)
        self.read = function("rows_read", ctypes.c_int, pointer, pointer, size)
        self.count = function("rows_count", size, pointer)
        self.ended = function("rows_ended", ctypes.c_bool, pointer)
        self.rest = function("rows_rest", pointer, pointer, pointer)
        self.export = function("rows_export", ctypes.c_bool, pointer, pointer, pointer)
        self.release = function("rows_release", None, pointer, pointer)
        self.powers = (ctypes.c_uint64 * (2 * len(POWERS)))(*_powers())


def library() -> Library | None:
    """The library; None where there is none, or the variable says that Python reads."""
    return None if os.environ.get(VARIABLE, "").lower() == PYTHON else _load()


def reader() -> Reader:
    """What reads rows here."""
    return "Python" if library() is None else "native"


@cache
def _load() -> Library | None:
    compiled = Path(__file__).with_name(LIBRARY)
    source = compiled.with_name("rows.c")  # is in a checkout, where an update may be newer
    try:
        if source.exists() and source.stat().st_mtime > compiled.stat().st_mtime:
            return None
        return Library(compiled)
    except OSError:
        return None


def _powers() -> Iterator[int]:
    """The powers of five in halves of 128 bits, of which the highest is set."""
    for power in POWERS:
        five = 5 ** abs(power)
        size = five.bit_length()
        if power >= 0:
            five = five << 128 >> size
        else:
            # Rounded up where the quotient is not longer than what it is multiplied with.
            five = (1 << (size + 127)) // five + (power >= ROUNDED_UP_FROM)
        yield from divmod(five, 1 << 64)
