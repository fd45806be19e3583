"""Looks at the files that settings come from, again and again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .setting_sources import PREFIX

if TYPE_CHECKING:
    from .settings import Settings


async def watch(
    current: Callable[[], Settings],
    every: float,
    on_change: Callable[[Settings], object],
    on_error: Callable[[Exception], object],
) -> None:
    """Reads the settings again whenever one of their files has changed, until it is cancelled.

    What cannot work is reported once, and the watching goes on, whatever it was: the next change of
    a file is read as if nothing had happened.

    Args:
        current: Gives the settings in force.
        every: Seconds between two looks.
        on_change: Is handed the new settings when a value differs from the one in force.
        on_error: Is handed the reason why the files, or what `on_change` made of them, do not work.
    """
    seen: dict[Path, str] | None = None  # so that the first look misses no change made before it
    while True:
        await asyncio.sleep(every)
        try:
            settings = current()
            # In a thread, for a file may be far away, and the keyring may ask its user.
            now = await asyncio.to_thread(_contents, settings.files())
            if now == seen:
                continue
            seen = now
            new = await asyncio.to_thread(settings.reread)
            if new.differences(current()):
                on_change(new)
        except Exception as error:  # noqa: BLE001  (nobody awaits this task: it would end unheard)
            on_error(error)


def _contents(paths: Iterable[Path]) -> dict[Path, str]:
    """What tells one state of the files from another, without holding what they say."""
    return {file: _digest(file) for path in paths for file in (path, *_secrets(path))}


def _secrets(path: Path) -> list[Path]:
    try:
        return [file for file in path.iterdir() if file.name.upper().startswith(PREFIX)]
    except OSError:
        return []


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        # Gone, or not to be read; a directory is always the same and told by its files.
        return type(error).__name__
