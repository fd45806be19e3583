"""Where the files of a data set lie, and how each of them gets there whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ..tables.output import naming, user_path

CHUNK = 1 << 20


class Storage(Protocol):
    """A place for files, which have names such as `data/month=2024-03/trades.parquet`.

    Readers see a file whole or not at all, and an old one until the new one is whole.
    """

    @property
    def url(self) -> str:
        """The place, as messages call it."""
        ...

    @property
    def state(self) -> Path:
        """A directory on a local disk for the manifest, its lock and files that are being made."""
        ...

    def place(self, staged: Path, name: str) -> None:
        """Moves a finished file of `state` to its name; what is there is replaced."""
        ...

    def keep(self, name: str, kept: str) -> None:
        """Gives a file a second name, under which it stays when the first one is replaced."""
        ...

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        ...

    def stamps(self, name: str) -> Mapping[str, str]:
        """What changes when a file does, and takes no reading of it.

        Args:
            name: A directory, for all files below it, or a file, for that alone.
        """
        ...

    def checksum(self, name: str) -> str:
        """The SHA-256 of a file, in hexadecimal."""
        ...

    def source(self, name: str) -> str:
        """What polars reads a file from."""
        ...

    def publish(self) -> None:
        """Puts a copy of the manifest beside the data, where it is not there already."""
        ...


class Directory:
    """A directory of a local disk."""

    def __init__(self, path: str | Path) -> None:
        self.root = Path(os.path.realpath(user_path(path)))

    @property
    def url(self) -> str:
        """The directory."""
        return str(self.root)

    @property
    def state(self) -> Path:
        """The manifest lies beside the data, hidden from readers of directories."""
        return self.root / ".trayport"

    def place(self, staged: Path, name: str) -> None:
        """Renames the file, and waits until the new name is on the disk."""
        target = self.root / name
        with naming(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(target)
            _sync_directory(target.parent)

    def keep(self, name: str, kept: str) -> None:
        """Links the file, or copies it where there are no links."""
        source, target = self.root / name, self.root / kept
        with naming(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                try:
                    target.hardlink_to(source)
                except (PermissionError, NotImplementedError):
                    part = target.with_name(f".{target.name}")
                    shutil.copyfile(source, part)
                    part.replace(target)
            _sync_directory(target.parent)

    def remove(self, name: str) -> None:
        """Removes the file, and the directories that it leaves empty."""
        target = self.root / name
        with naming(target):
            target.unlink(missing_ok=True)
        with suppress(OSError):  # the first that is not empty
            for directory in target.parents:
                if directory == self.root:
                    return
                directory.rmdir()

    def stamps(self, name: str) -> Mapping[str, str]:
        """The sizes and the times of the last change."""
        path = self.root / name
        if path.is_dir():
            files = [Path(folder, file) for folder, _, names in os.walk(path) for file in names]
        else:
            files = [path]
        stamps: dict[str, str] = {}
        for file in files:
            with suppress(FileNotFoundError, NotADirectoryError):
                status = file.stat()
                stamps[file.relative_to(self.root).as_posix()] = (
                    f"{status.st_size}-{status.st_mtime_ns}"
                )
        return stamps

    def checksum(self, name: str) -> str:
        """The SHA-256 of the file."""
        return sha256(self.root / name)

    def source(self, name: str) -> str:
        """The path."""
        return str(self.root / name)

    def publish(self) -> None:
        """Nothing: the manifest is there."""


def storage_of(path: str | Path) -> Storage:
    """The storage of a path."""
    return Directory(path)


def sha256(path: Path) -> str:
    """The SHA-256 of a local file, in hexadecimal."""
    with naming(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_directory(path: Path) -> None:
    with suppress(OSError):  # not every system can
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
