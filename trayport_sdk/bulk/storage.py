"""Where the files of a data set lie, and how each of them gets there whole."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

import polars as pl

from ..errors import invalid
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

    def open(self, name: str) -> IO[bytes]:
        """A file to read; who opens it closes it."""
        ...

    def checksum(self, name: str) -> str:
        """The SHA-256 of a file, in hexadecimal."""
        ...

    def source(self, name: str) -> str:
        """The path or the URL of a file, as messages and scripts give it."""
        ...

    def scan(self, names: Sequence[str], **options: Any) -> pl.LazyFrame:
        """The rows of Parquet files, in the order of the names.

        Args:
            names: The files, at least one.
            options: Further arguments of `polars.scan_parquet`.
        """
        ...

    def fetch(self) -> None:
        """Gets the manifest that another machine has published, where there is a newer one."""
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
            make_directory(target.parent)
            staged.replace(target)
            sync_directory(target.parent)

    def keep(self, name: str, kept: str) -> None:
        """Links the file, or copies it where there are no links."""
        source, target = self.root / name, self.root / kept
        with naming(target):
            make_directory(target.parent)
            if not target.exists():
                try:
                    target.hardlink_to(source)
                except (PermissionError, NotImplementedError):
                    part = target.with_name(f".{target.name}")
                    with source.open("rb") as old, part.open("wb") as new:
                        shutil.copyfileobj(old, new, CHUNK)
                        new.flush()
                        os.fsync(new.fileno())
                    part.replace(target)
            sync_directory(target.parent)

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

    def open(self, name: str) -> IO[bytes]:
        """The file."""
        with naming(self.root / name):
            return (self.root / name).open("rb")

    def checksum(self, name: str) -> str:
        """The SHA-256 of the file."""
        return sha256(self.root / name)

    def source(self, name: str) -> str:
        """The path."""
        return f"{self.root}{os.sep}{name}"

    def scan(self, names: Sequence[str], **options: Any) -> pl.LazyFrame:
        """The rows of Parquet files, of which only what is needed is read."""
        return pl.scan_parquet([self.root / name for name in names], glob=False, **options)

    def fetch(self) -> None:
        """Nothing: the manifest is there."""

    def publish(self) -> None:
        """Nothing: the manifest is there."""


def storage_of(path: str | Path, *, dataset_dir: Path | None = None) -> Storage:
    """The storage of a path or a URL, which need not be there.

    Args:
        path: A directory, or a URL such as `file:///data/trades` or `s3://bucket/trades`.
        dataset_dir: Where the manifest of a data set on another machine is kept; as the settings
            say when it is None.

    Raises:
        TrayportValidationError: There is no such protocol, or the URL holds a password.
        TrayportConfigurationError: The library for the protocol is not installed.
    """
    text = str(path)
    if not text.strip():
        raise invalid("path", text, "is empty", "give a directory")
    if isinstance(path, Path) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:[\\/]", text):
        raise invalid("path", text, "is a URL made into a Path, which drops a slash", "give a text")
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Directory(path)
    if scheme.lower() != "file":
        from .remote import Bucket

        return Bucket(text, dataset_dir)
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise invalid("path", text, "is no directory of this machine", "write file:///directory")
    return Directory(url2pathname(parts.path))


def dataset_at(path: str | Path, *, dataset_dir: Path | None = None) -> Storage:
    """The storage of a data set, with the newest manifest if that is on another machine.

    Args:
        path: As for `storage_of`.
        dataset_dir: As for `storage_of`.

    Raises:
        OSError: The other machine cannot be reached.
    """
    storage = storage_of(path, dataset_dir=dataset_dir)
    storage.fetch()
    return storage


@contextmanager
def written_aside(path: Path) -> Generator[IO[bytes]]:
    """A new file that is on the disk at the end, and is removed when something fails."""
    try:
        with naming(path), path.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def sha256(path: Path) -> str:
    """The SHA-256 of a local file, in hexadecimal."""
    with naming(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_directory(path: Path) -> None:
    """Makes a directory and those above it, and waits until they are on the disk."""
    if not path.is_dir():
        make_directory(path.parent)
        with naming(path):
            path.mkdir(exist_ok=True)
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Waits until the names in a directory are on the disk."""
    with naming(path):
        try:
            handle = os.open(path, os.O_RDONLY)
        except PermissionError:  # Windows opens no directories
            return
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # not every file system can
                raise
        finally:
            os.close(handle)
