"""Data sets on other machines: in S3, and wherever else fsspec writes to."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import polars as pl

from ..errors import (
    TrayportConfigurationError,
    TrayportDatasetError,
    TrayportError,
    invalid,
    require_extra,
)
from ..settings import Settings, user_directory
from .manifest import NAME as MANIFEST
from .manifest import locked

PUBLISHED = "published"
"""The file with the stamp of the manifest that this machine published or fetched last."""
# Where an upload shows only once it is whole, so that it needs no temporary name.
OBJECT_STORES = frozenset({"s3", "gs", "abfs", "az"})
# What file systems call that which changes with a file; the first is the surest.
STAMPS = (
    "ETag", "etag", "generation", "md5Hash", "mtime", "modificationTime", "LastModified",
    "last_modified", "modified", "created",
)  # fmt: skip
OFFICIAL_ENDPOINT = re.compile(r"s3([.-][a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
CREDENTIAL_SECONDS = 300
"""How long polars keeps credentials; botocore renews its own at least ten minutes early."""

_SOLUTION = (
    "see whether the place exists, is reachable and may be written to with the configured "
    "credentials (for S3: AWS_* variables, ~/.aws, or FSSPEC_S3_*)"
)


class Bucket:
    """A place that fsspec writes to, such as an S3 bucket.

    Credentials and the endpoint come from the configuration of fsspec and of its libraries.

    Args:
        url: The place, such as `s3://bucket/directory`, without a password.
        dataset_dir: The directory for `state`; that of the settings when it is None.

    Raises:
        TrayportValidationError: The URL holds a password or a query, or its protocol is unknown.
        TrayportConfigurationError: The library for the protocol is not installed.
        OSError: The place cannot be reached.
    """

    def __init__(self, url: str, dataset_dir: Path | None = None) -> None:
        scheme, _, rest = _checked(url).partition("://")
        self.url = f"{scheme}://{rest.rstrip('/')}"
        self._dataset_dir = dataset_dir
        self._files, self._root = self._connected(scheme)
        protocol = self._files.protocol
        self._protocol = protocol if isinstance(protocol, str) else protocol[0]
        self.url = f"{self._protocol}://{rest.rstrip('/')}"
        if self._protocol in OBJECT_STORES and not self._root:
            raise invalid("path", url, "names no bucket", f"write {scheme}://bucket/directory")

    def _connected(self, scheme: str) -> tuple[Any, str]:
        require_extra("s3", "fsspec", what=f"path {self.url!r}")
        import fsspec  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

        known = sorted(fsspec.available_protocols())
        if scheme not in known:
            raise invalid(
                "path",
                self.url,
                f"has the protocol {scheme!r}, which is unknown",
                "give a directory, file://, s3://, or another protocol that fsspec writes to, "
                "such as gs, abfs or sftp",
                ", ".join(known),
            )
        if scheme in ("s3", "s3a"):
            require_extra("s3", "s3fs", what=f"path {self.url!r}")
        connect: Any = vars(fsspec)["url_to_fs"]  # it has no types
        try:
            with self._explaining():
                files, root = connect(self.url)
        except TrayportConfigurationError as error:
            if isinstance(error.__cause__, ImportError):  # its message names what to install
                error.suggestion = ""
            raise
        return files, str(root).rstrip("/")

    @property
    def state(self) -> Path:
        """A directory of this user on this machine, named by the place."""
        return self._state

    @cached_property
    def _state(self) -> Path:
        address = f"{self.url} {self._endpoint.get('aws_endpoint_url', '')}"
        root = self._dataset_dir or Settings().dataset_dir or user_directory("data")
        return root / f"{self._protocol}-{hashlib.sha256(address.encode()).hexdigest()[:16]}"

    def place(self, staged: Path, name: str) -> None:
        """Uploads the file, and removes it from this machine when it is there."""
        (self.state / "url.txt").write_text(f"{self.url}\n")
        self._write(name, lambda path: self._files.put_file(str(staged), path))
        staged.unlink()

    def keep(self, name: str, kept: str) -> None:
        """Copies the file, without a way over this machine where the place can do so."""
        if self.stamps(kept):
            return
        source = self._path(name)

        def copy(path: str) -> None:
            try:
                self._files.cp_file(source, path)
            except NotImplementedError:
                with self._files.open(source, "rb") as old, self._files.open(path, "wb") as new:
                    while chunk := old.read(1 << 20):
                        new.write(chunk)

        self._write(kept, copy)

    def remove(self, name: str) -> None:
        """Removes the file."""
        with self._explaining(name), suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def stamps(self, name: str) -> Mapping[str, str]:
        """The sizes, with the ETags or what else the place has for that."""
        path = self._path(name)
        with self._explaining(name):
            self._files.invalidate_cache()
            try:
                info = self._files.info(path)
                one_file = info["type"] == "file"
                files = {path: info} if one_file else self._files.find(path, detail=True)
            except FileNotFoundError:
                return {}
        return {
            path.removeprefix(f"{self._root}/"): _stamp(info)
            for path, info in files.items()
            if path[-1] != "/"  # what marks a directory in a bucket
        }

    def open(self, name: str) -> IO[bytes]:
        """The file, read in pieces as they are needed."""
        with self._explaining(name):
            self._files.invalidate_cache()
            file: IO[bytes] = self._files.open(self._path(name), "rb")
            return file

    def checksum(self, name: str) -> str:
        """The SHA-256 of the file, all of which is read."""
        with self._explaining(name), self.open(name) as file:
            # A file of fsspec is what the function needs, but not by its type.
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]

    def source(self, name: str) -> str:
        """The URL."""
        return f"{self.url}/{name}"

    def scan(self, names: Sequence[str], **options: Any) -> pl.LazyFrame:
        """The rows of Parquet files: from S3 only those needed, from elsewhere read at once."""
        if self._protocol != "s3":
            return self._read(names, **options)
        anonymous = {"aws_skip_signature": "true"} if self._files.anon else {}
        return pl.scan_parquet(
            [self.source(name) for name in names],
            glob=False,
            storage_options=self._endpoint | anonymous,
            credential_provider=None if anonymous else self._credentials,
            **options,
        )

    def _read(
        self,
        names: Sequence[str],
        hive_partitioning: bool = False,
        hive_schema: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> pl.LazyFrame:
        """The rows of files in memory, with the columns of their directories, which have no name
        there."""
        frames: list[pl.LazyFrame] = []
        for name in names:
            with self._explaining(name), self.open(name) as file:
                frame = pl.scan_parquet(file.read(), **options)
            if hive_partitioning:
                parts = dict(part.split("=", 1) for part in name.split("/")[:-1] if "=" in part)
                frame = frame.with_columns(
                    pl.lit(unquote(value)).cast((hive_schema or {}).get(key, pl.String)).alias(key)
                    for key, value in parts.items()
                )
            frames.append(frame)
        return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")

    def publish(self) -> None:
        """Uploads a consistent copy of the manifest, which other machines fetch."""
        manifest = self.state / MANIFEST
        if not manifest.exists():
            return
        with self._part() as copy:
            with closing(sqlite3.connect(manifest)) as source, closing(sqlite3.connect(copy)) as to:
                source.backup(to)
                to.execute("PRAGMA journal_mode = DELETE")  # one file without a log beside it
            self.place(copy, MANIFEST)
        (self.state / PUBLISHED).write_text(self.stamps(MANIFEST).get(MANIFEST, ""))

    def fetch(self) -> None:
        """Downloads the manifest, unless this machine was the last that published it."""
        stamp = self.stamps(MANIFEST).get(MANIFEST)
        known = self.state / PUBLISHED
        if stamp is None or (known.exists() and known.read_text() == stamp):
            return
        self.state.mkdir(parents=True, exist_ok=True)
        # A program on this machine that is writing has a newer one.
        with suppress(TrayportDatasetError), locked(self.state, self.url), self._part() as copy:
            with self._explaining(MANIFEST), self.open(MANIFEST) as file, copy.open("wb") as target:
                shutil.copyfileobj(file, target)
            for log in ("-wal", "-shm"):  # they belong to the old one
                (self.state / f"{MANIFEST}{log}").unlink(missing_ok=True)
            copy.replace(self.state / MANIFEST)
            known.write_text(stamp)

    @contextmanager
    def _part(self) -> Generator[Path]:
        """A name in `state` for a file that is being made."""
        part = self.state / f".trayport-{secrets.token_hex(8)}"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _write(self, name: str, write: Callable[[str], object]) -> None:
        """Has a file written that readers see whole or not at all."""
        target = self._path(name)
        with self._explaining(name):
            if self._protocol in OBJECT_STORES:
                write(target)
                return
            directory = target.rpartition("/")[0]
            part = f"{directory}/.trayport-{secrets.token_hex(8)}"
            self._files.makedirs(directory, exist_ok=True)
            try:
                write(part)
                self._files.mv(part, target)
            except BaseException:
                with suppress(Exception):
                    self._files.rm_file(part)
                raise

    @cached_property
    def _endpoint(self) -> dict[str, str]:
        """Where polars finds the files, unless that is Amazon's own service."""
        if self._protocol != "s3":
            return {}
        with self._explaining():
            meta = self._files.connect().meta
        url, region = str(meta.endpoint_url), str(meta.region_name)
        address = urlsplit(url)
        if OFFICIAL_ENDPOINT.fullmatch(address.hostname or ""):
            return {}
        return {
            "aws_endpoint_url": url,
            "aws_region": region,
            "aws_allow_http": str(address.scheme == "http").lower(),
        }

    def _credentials(self) -> tuple[dict[str, str], int | None]:
        """The credentials that fsspec uses, as polars takes them, and until when."""
        files: Any = self._files
        values: Any = files.key, files.secret, files.token

        async def frozen() -> Any:
            found = await files.session.get_credentials()
            return found and await found.get_frozen_credentials()

        if not files.key:
            with self._explaining():
                files.connect()
                values = asyncio.run_coroutine_threadsafe(frozen(), files.loop).result() or ()
        names = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
        given = {name: str(value) for name, value in zip(names, values, strict=False) if value}
        return given, int(time.time()) + CREDENTIAL_SECONDS

    @contextmanager
    def _explaining(self, name: str = "") -> Generator[None]:
        """Completes errors with the file and with what to do."""
        place = f"{self.url}/{name}" if name else self.url
        try:
            yield
        except OSError as error:
            if not hasattr(error, "__notes__"):
                error.add_note(f"{place}: {_SOLUTION}")
            raise
        except TrayportError:
            raise
        except Exception as error:
            if isinstance(error, _connection_errors()):
                lost = ConnectionError(str(error))
                lost.add_note(f"{place}: {_SOLUTION}")
                raise lost from error
            message = f"{place} cannot be used: {str(error) or type(error).__name__}"
            raise TrayportConfigurationError(message, suggestion=_SOLUTION) from error


def _stamp(info: Mapping[str, Any]) -> str:
    """The stamp of a file, whether it comes from a listing or from the file alone."""
    changing: object = next((info[key] for key in STAMPS if info.get(key)), "")
    if isinstance(changing, datetime):
        changing = changing.timestamp()
    return f"{info['size']}-{changing}"


def _connection_errors() -> tuple[type[Exception], ...]:
    """The errors of botocore about connections, which are none of the system."""
    errors: Any = sys.modules.get("botocore.exceptions")
    return () if errors is None else (errors.HTTPClientError, errors.ConnectionError)


def _checked(url: str) -> str:
    """A URL without secrets.

    Raises:
        TrayportValidationError: It holds a password, or a query in which there may be one.
    """
    scheme, _, rest = url.partition("://")
    user, at, _ = rest.rpartition("@")
    way_out = "give it in the configuration of fsspec, such as FSSPEC_SFTP_PASSWORD or AWS_*"
    if at and ":" in user:
        masked = f"{scheme}://{user.partition(':')[0]}:***@{rest.rpartition('@')[2]}"
        raise invalid("path", masked, "holds a password, which would show in messages", way_out)
    if "?" in rest or "#" in rest:
        masked = re.split(r"[?#]", url)[0]
        raise invalid("path", f"{masked}?***", "may not have a query or a fragment", way_out)
    return url
