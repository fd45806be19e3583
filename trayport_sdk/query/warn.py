"""Warnings that point at the line of the caller, outside of this package."""

from __future__ import annotations

import inspect
import os
import warnings
from contextvars import ContextVar
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_held: ContextVar[list[tuple[str, type[Warning]]] | None] = ContextVar("held", default=None)


def warn(message: str, category: type[Warning]) -> None:
    """Warns at the line that called the package."""
    held = _held.get()
    if held is not None:
        held.append((message, category))
        return
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


class WarningsHere:
    """Warnings of other tasks and threads, whose stacks do not reach the caller: given at the end.

    Tasks that are started within the block hold their warnings for it.
    """

    def __enter__(self) -> None:
        self._warnings: list[tuple[str, type[Warning]]] = []
        self._token = _held.set(self._warnings)

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        _held.reset(self._token)
        if error is None or isinstance(error, Exception):
            for message, category in self._warnings:
                warn(message, category)
