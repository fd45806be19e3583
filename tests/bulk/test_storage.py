"""The files of a data set on a disk, in memory and in S3, played by moto on a real socket."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import IO, Any
from uuid import uuid4

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportConfigurationError,
    TrayportDatasetError,
    TrayportValidationError,
    changes,
    open_dataset,
    prune,
)
from trayport_sdk.bulk.manifest import locked
from trayport_sdk.bulk.remote import Bucket
from trayport_sdk.bulk.storage import Storage, dataset_at, storage_of
from trayport_sdk.query.times import DAY, instant
from trayport_sdk.sandbox import Corrections, Sandbox
from trayport_sdk.tables.part import HIDDEN

fsspec: Any = import_module("fsspec")  # it has no types
s3fs: Any = import_module("s3fs")

NAME = "data/month=2024-03/a trade%.parquet"
PART = 5 << 20
"""The least bytes that a part of an upload has."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # it takes long, and every worker collects this

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Sends what is for S3 to an address, as the variables of a user would."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)

    def configure(endpoint: str) -> dict[str, Any]:
        conf: dict[str, Any] = {"s3": {"config_kwargs": {"retries": {"max_attempts": 0}}}}
        fsspec.config.set_conf_env(conf, {"FSSPEC_S3_ENDPOINT_URL": endpoint})
        monkeypatch.setattr(fsspec.config, "conf", conf)
        return conf

    return configure


@pytest.fixture
def bucket(server: str, configure: Callable[[str], object]) -> str:
    configure(server)
    name = f"bucket-{uuid4()}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}/trades of 2024"


@pytest.fixture(params=["directory", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    match request.param:
        case "directory":
            return storage_of((tmp_path / "a data set").as_uri())
        case "memory":
            return storage_of(f"memory://{uuid4()}/trades")
        case _:
            return storage_of(request.getfixturevalue("bucket"))


def staged(storage: Storage, value: int) -> Path:
    path = storage.state / "staged"
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"value": [value]}).write_parquet(path)
    return path


def placed(storage: Storage, value: int, name: str = NAME) -> str:
    """Places a file of one row, and gives its checksum."""
    path = staged(storage, value)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    storage.place(path, name)
    assert not path.exists()
    return checksum


def values(storage: Storage, *names: str) -> list[int]:
    return storage.scan(names).collect()["value"].to_list()


def test_every_storage_places_replaces_keeps_and_removes_files(storage: Storage) -> None:
    kept = "versions/month=2023-12/a trade-1.parquet"
    first = placed(storage, 1)
    stamp = storage.stamps(NAME)[NAME]
    assert storage.stamps(NAME)[NAME] == stamp
    storage.keep(NAME, kept)

    second = placed(storage, 2)
    assert storage.stamps(NAME)[NAME] != stamp
    storage.keep(NAME, kept)  # it stays what it was
    assert (storage.checksum(NAME), storage.checksum(kept)) == (second, first)
    with storage.open(NAME) as file:
        assert pl.read_parquet(BytesIO(file.read()))["value"].to_list() == [2]
    assert values(storage, NAME, kept) == [2, 1]
    assert storage.stamps("data") == storage.stamps(NAME)
    assert {*storage.stamps("")} == {NAME, kept}
    months = {"hive_partitioning": True, "hive_schema": {"month": pl.String}}
    rows = storage.scan([NAME, kept], missing_columns="insert", **months).collect()
    assert rows.rows() == [(2, "2024-03"), (1, "2023-12")]
    assert storage.scan([NAME], row_index_name="row").collect().columns == ["row", "value"]
    for _ in range(2):
        storage.remove(NAME)
    assert storage.stamps(NAME) == {}
    assert storage.stamps("data") == {}
    assert values(storage, kept) == [1]


def noted(storage: Storage, value: int | None = None) -> list[int]:
    """What a manifest holds, after something was added to it and committed."""
    storage.state.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(storage.state / "manifest.sqlite")) as manifest:
        manifest.execute("PRAGMA journal_mode = WAL")
        manifest.execute("CREATE TABLE IF NOT EXISTS windows (id)")
        if value is not None:
            manifest.execute("INSERT INTO windows VALUES (?)", (value,))
            manifest.commit()
        return [number for (number,) in manifest.execute("SELECT id FROM windows")]


@pytest.mark.parametrize("storage", ["memory", "s3"], indirect=True)
def test_another_machine_fetches_the_manifest_that_was_published_last(
    storage: Storage, tmp_path: Path
) -> None:
    def elsewhere() -> Storage:
        return dataset_at(storage.url, dataset_dir=tmp_path / "other")

    storage.publish()  # there is none yet
    assert not elsewhere().state.exists()

    noted(storage, 1)
    with closing(sqlite3.connect(storage.state / "manifest.sqlite")) as writer:
        writer.execute("INSERT INTO windows VALUES (2)")  # not committed
        storage.publish()
    assert [*storage.stamps("")] == ["manifest.sqlite"]
    assert (storage.state / "url.txt").read_text() == f"{storage.url}\n"
    other = elsewhere()
    content = (other.state / "manifest.sqlite").read_bytes()
    assert content[18:20] == b"\x01\x01"  # no log belongs to it
    assert noted(other) == [1]

    noted(storage, 3)
    dataset_at(storage.url)  # what is not published yet stays
    assert noted(storage) == [1, 3]
    storage.publish()
    with locked(other.state, other.url):
        elsewhere()  # a program that writes there knows better
    assert noted(other, 4) == [1, 4]
    with closing(sqlite3.connect(other.state / "manifest.sqlite")) as killed:
        killed.execute("INSERT INTO windows VALUES (5)")
        killed.commit()
        log = other.state / "manifest.sqlite-wal"
        left = log.read_bytes()
    log.write_bytes(left)
    elsewhere()
    assert noted(other) == [1, 3]
    assert {path.name for path in other.state.iterdir()} == {
        "lock", "manifest.sqlite", "published"
    }  # fmt: skip


# --- What goes wrong


class Failing(BytesIO):
    """A file on a disk that can be read up to its end, but not the end."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("size", [100, 2 * PART + 1], ids=["one request", "in parts"])
@pytest.mark.parametrize("storage", ["memory", "s3"], indirect=True)
def test_a_file_that_cannot_be_read_leaves_nothing(
    storage: Storage, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed(storage, 1)
    path = staged(storage, 2)
    content = path.read_bytes()
    path.write_bytes(bytes(size))

    def failing(file: str, mode: str = "r") -> IO[Any]:
        return Failing(path.read_bytes()) if file == str(path) else Path(file).open(mode)

    with monkeypatch.context() as patch:
        patch.setattr(s3fs.core, "calculate_chunksize", lambda *_, **__: PART)
        for module in (s3fs.core, fsspec.spec):
            patch.setattr(module, "open", failing, raising=False)
        with pytest.raises(OSError, match="Input/output error") as failed:
            storage.place(path, NAME)
    assert storage.url in failed.value.__notes__[0]
    assert [*storage.stamps("")] == [NAME]
    assert values(storage, NAME) == [1]
    path.write_bytes(content)
    storage.place(path, NAME)
    assert values(storage, NAME) == [2]


class Relay:
    """An address that leads to a server, and cuts connections on which some bytes come."""

    def __init__(self, server: str) -> None:
        host, port = server.removeprefix("http://").split(":")
        self._target = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut: bytes | None = None
        self.seen = b""
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                ends = self._listener.accept()[0], socket.create_connection(self._target)
                self._sockets.extend(ends)
                for source, target in (ends, ends[::-1]):
                    Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self.cut is not None and self.cut in data:
                    break
                self.seen += data[:2048]
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def relay(server: str) -> Iterator[Relay]:
    relay = Relay(server)
    yield relay
    relay.close()


@pytest.mark.parametrize("mark", [b"PUT /", b"partNumber=2", b"CompleteMultipartUpload"])
def test_an_upload_that_is_cut_off_leaves_nothing(
    bucket: str,
    relay: Relay,
    mark: bytes,
    configure: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(relay.url)
    monkeypatch.setattr(s3fs.core, "calculate_chunksize", lambda *_, **__: PART)
    storage = storage_of(bucket)
    placed(storage, 1)
    path = staged(storage, 2)
    content = path.read_bytes()
    path.write_bytes(content if mark == b"PUT /" else bytes(2 * PART + 1))
    relay.cut = mark
    with pytest.raises(ConnectionError) as failed:
        storage.place(path, NAME)
    assert storage.url in failed.value.__notes__[0]
    relay.cut = None
    assert [*storage.stamps("")] == [NAME]
    assert values(storage, NAME) == [1]
    assert fsspec.filesystem("s3").list_multipart_uploads(bucket.split("/")[2]) == []
    path.write_bytes(content)
    storage.place(path, NAME)
    assert values(storage, NAME) == [2]


@pytest.mark.parametrize(
    ("options", "key"),
    [({}, b"a-key"), ({"key": "another", "secret": "s"}, b"another"), ({"anon": True}, None)],
)
def test_polars_reads_with_the_credentials_of_fsspec(
    options: dict[str, object],
    key: bytes | None,
    bucket: str,
    relay: Relay,
    configure: Callable[[str], dict[str, Any]],
) -> None:
    placed(storage_of(bucket), 1)
    fsspec.filesystem("s3").chmod(f"{bucket}/{NAME}", acl="public-read")
    configure(relay.url)["s3"].update(options)
    storage = storage_of(bucket)
    relay.seen = b""
    assert values(storage, NAME) == [1]
    assert b"GET /" in relay.seen
    signed = re.findall(rb"Credential=([^/]+)/", relay.seen)
    assert signed == ([] if key is None else [key] * len(signed))
    assert bool(signed) == (key is not None)


@pytest.mark.parametrize("killed", [False, True])
def test_a_file_that_is_not_renamed_stays_hidden(
    killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no more")

    storage = storage_of(f"memory://{uuid4()}")
    placed(storage, 1)
    path = staged(storage, 2)
    with monkeypatch.context() as patch:
        for method in ("mv", "rm_file") if killed else ("mv",):
            patch.setattr(fsspec.get_filesystem_class("memory"), method, fail)
        with pytest.raises(OSError, match="no more"):
            storage.place(path, NAME)
    left = [name for name in storage.stamps("data") if name != NAME]
    assert [bool(HIDDEN.fullmatch(Path(name).name)) for name in left] == [True] * killed
    assert values(storage, NAME) == [1]
    storage.place(path, NAME)
    assert values(storage, NAME) == [2]


def test_a_place_that_is_not_there_is_named(
    server: str, configure: Callable[[str], object]
) -> None:
    configure(server)
    storage = storage_of("s3://no-such-bucket/trades")  # which needs no connection
    with pytest.raises(FileNotFoundError) as failed:
        placed(storage, 1)
    assert f"s3://no-such-bucket/trades/{NAME}" in failed.value.__notes__[0]


def test_what_is_configured_wrong_is_an_error_of_the_configuration(
    server: str, configure: Callable[[str], dict[str, Any]]
) -> None:
    configure(server)["s3"]["profile"] = "nobody"
    with pytest.raises(TrayportConfigurationError, match=r"s3://bucket.*nobody.*FSSPEC_S3"):
        storage_of("s3://bucket").stamps(NAME)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("ftpx://host/a", "path 'ftpx://host/a' has the protocol 'ftpx', which is unknown: give a"),
        ("cached::s3://b", "path 'cached::s3://b' has the protocol 'cached::s3', which"),
        ("s3://", "path 's3://' names no bucket: write s3://bucket/directory"),
        ("s3://b/a?key=hunter2", "path 's3://b/a?***' may not have a query"),
        ("sftp://me:hunter2@host/a", "path 'sftp://me:***@host/a' holds a password"),
        ("sftp://me:hun/t@er2@host/a", "path 'sftp://me:***@host/a' holds a password"),
        ("file://host/a", "path 'file://host/a' is no directory of this machine"),
        (Path("s3://b/a"), "path 's3:/b/a' is a URL made into a Path"),
    ],
)
def test_a_path_that_cannot_be_used_is_refused(path: str | Path, message: str) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        storage_of(path)
    assert refused.value.parameter == "path"
    assert str(refused.value).startswith(message)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "missing", "message"),
    [
        ("memory://a", "fsspec", r"needs fsspec, .*pip install 'trayport-sdk\[s3\]'"),
        ("s3://a", "s3fs", r"needs s3fs, .*pip install 'trayport-sdk\[s3\]'"),
        ("gs://a", "", "gs://a cannot be used: Please install gcsfs to access Google Storage$"),
    ],
)
def test_a_library_that_is_missing_is_named(
    url: str, missing: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trayport_sdk.errors.find_spec", lambda name: name != missing or None)
    with pytest.raises(TrayportConfigurationError, match=message):
        storage_of(url)


def test_the_state_is_found_by_the_place(
    server: str,
    relay: Relay,
    configure: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    configure(server)
    state = storage_of("s3://bucket/a").state
    assert storage_of("s3a://bucket/a/").state == state
    assert state.parent.name == "trayport-sdk"
    monkeypatch.setenv("TRAYPORT_DATASET_DIR", str(tmp_path))
    assert storage_of("s3://bucket/a").state == tmp_path / state.name
    other = Settings(dataset_dir=tmp_path / "other").dataset_dir
    assert storage_of("s3://bucket/a", dataset_dir=other).state == tmp_path / "other" / state.name
    configure(relay.url)
    assert storage_of("s3://bucket/a").state != tmp_path / state.name
    assert storage_of(tmp_path).state == tmp_path / ".trayport"


@pytest.mark.anyio
async def test_a_data_set_lies_anywhere(storage: Storage) -> None:
    """From nothing to corrections, and by a program on a machine that has only the data."""
    now = instant("2024-03-08", "now")
    corrections = Corrections(after=timedelta(days=4), until=timedelta(days=9))
    sandbox = Sandbox(limits=False, clock=lambda: now, corrections=corrections)
    question = (["10000065*#Single#10000305#244#0"], "2024-02-28", "2024-03-02", storage.url)
    async with TrayportClient.sandbox(sandbox) as client:
        first = await client.backfill(*question)
        before, known = open_dataset(storage.url).collect(), datetime.now(UTC)
        assert len(before) == first.rows > 0
        now += 20 * DAY
        refreshed = await client.refresh(storage.url)
        after = open_dataset(storage.url).collect()
        assert len(after) == len(before) + refreshed.added - refreshed.deleted
        assert_frame_equal(open_dataset(storage.url, as_of=known).collect(), before)
        if isinstance(storage, Bucket):
            shutil.rmtree(storage.state)
        assert len(changes(storage.url)) == sum(
            (refreshed.added, refreshed.altered, refreshed.deleted)
        )
        assert (await client.backfill(*question)).requests_planned == 0
        name = next(iter(storage.stamps("data")))
        storage.remove(name)
        with pytest.raises(TrayportDatasetError, match="verify"):
            await client.backfill(*question)
        assert (await client.verify(storage.url)).damaged == (name,)
        assert_frame_equal(open_dataset(storage.url).collect(), after)
        assert prune(storage.url, 0)
        if isinstance(storage, Bucket):
            shutil.rmtree(storage.state)
        with pytest.raises(TrayportDatasetError, match="pruned"):
            open_dataset(storage.url, as_of=known)
    assert {name.split("/")[0] for name in storage.stamps("")} - {".trayport"} == {
        "data",
        "contracts.parquet",
        "catalog.duckdb.sql",
        *(["manifest.sqlite"] if isinstance(storage, Bucket) else []),
    }
