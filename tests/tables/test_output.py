"""Where tables are written to: permissions, links, names, and what killed writers left."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trayport_sdk import TrayportValidationError, decode_file, open_dataset
from trayport_sdk.bulk.writer import FileWriter
from trayport_sdk.tables import files
from trayport_sdk.tables.formats import FORMATS, FileFormat
from trayport_sdk.tables.output import check_writable, naming, replaced
from trayport_sdk.tables.part import Part, remove_abandoned

FRAME = pl.DataFrame({"a": [1, 2]})
CSV = "a\n1\n2\n"
LEFT = ".trayport-0123456789abcdef"
"""A hidden file whose writer was killed."""


def stream(path: Path, kind: str) -> None:
    check_writable(path, "path")
    with FileWriter(path, FileFormat(kind)) as writer:
        writer.write(FRAME)
        writer.finish()


def table(path: Path, kind: str) -> None:
    files.write(FRAME, path, kind)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


Writer = Callable[[Path, str], None]
each_writer = pytest.mark.parametrize("write", [table, stream])
each_format = pytest.mark.parametrize("kind", FORMATS)


@each_writer
@each_format
@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o666, 0o200])
def test_who_may_do_what_with_a_file_outlives_its_content(
    permissions: int, kind: str, write: Writer, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(permissions)
    group = 12345 if os.geteuid() == 0 else os.getegid()
    os.chown(path, -1, group)
    write(path, kind)
    assert (mode(path), path.stat().st_gid) == (permissions, group)
    path.chmod(0o600)  # to be read here
    assert not path.read_bytes().startswith(b"old")
    assert names(tmp_path) == ["a"]


def test_a_new_file_has_the_permissions_that_the_process_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        table(tmp_path / "a", ".csv")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a") == 0o640


def test_what_replaces_a_private_file_is_private_from_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o600)
    with replaced(tmp_path / "a"):
        (hidden,) = {*names(tmp_path)} - {"a"}
        assert mode(tmp_path / hidden) == 0o600


@each_writer
@each_format
def test_a_read_only_file_is_refused_to_the_superuser_too(
    kind: str, write: Writer, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(TrayportValidationError, match=r"path '.*a' is read-only: choose another"):
        write(tmp_path / "a", kind)
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "is a directory"),
        (bind, "is a socket"),
        (os.mkfifo, "is a pipe"),
        (lambda path: path.symlink_to("/dev/null"), "is a device"),
        (lambda path: path.symlink_to("/dev/stdout"), "is an open file, pipe or terminal"),
        (lambda path: path.symlink_to("/dev/fd/1"), "is an open file, pipe or terminal"),
        (lambda path: path.symlink_to(path), "cannot be used"),
        (lambda path: path.symlink_to("no/a"), "in a directory that does not exist"),
    ],
)
@each_writer
def test_what_cannot_be_replaced_is_refused_and_stays(
    make: Callable[[Path], object],
    reason: str,
    write: Writer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("a")
    make(path)
    before = path.lstat()
    for kind in FORMATS:
        with pytest.raises(TrayportValidationError, match=reason):
            write(path, kind)
    after = path.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert names(tmp_path) == ["a"]


@each_writer
def test_what_standard_output_is_redirected_to_is_not_replaced(
    write: Writer, tmp_path: Path
) -> None:
    with (tmp_path / "a").open("w+") as opened:
        opened.write("before")
        opened.flush()
        for directory in ("/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd"):
            with pytest.raises(TrayportValidationError, match="is an open file"):
                write(Path(directory, str(opened.fileno())), ".csv")
    assert (tmp_path / "a").read_text() == "before"


LONG = "a" * 251 + ".csv"


@pytest.mark.parametrize(
    "name",
    [LONG, "a\nb.csv", os.fsdecode(b"\xff\xfe.csv"), "ü" * 125 + ".csv", "-", "con.csv", " "],
)
@each_writer
@each_format
def test_any_name_that_a_file_can_have_will_do(
    name: str, kind: str, write: Writer, tmp_path: Path
) -> None:
    for _ in range(2):
        write(tmp_path / name, kind)
    assert names(tmp_path) == [name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("a" + LONG, "File name too long"), ("a\0b.csv", "null"), ("a/b.csv", "does not exist")],
)
@each_writer
def test_a_name_that_no_file_can_have_is_refused(
    name: str, reason: str, write: Writer, tmp_path: Path
) -> None:
    with pytest.raises(TrayportValidationError, match=reason):
        write(tmp_path / name, ".csv")


@each_writer
def test_a_path_at_the_limit_of_the_system(write: Writer, tmp_path: Path) -> None:
    limit = os.pathconf(tmp_path, "PC_PATH_MAX") - 1
    directory = tmp_path
    while len(str(directory)) < limit - 255 - 3:
        directory /= "d" * 250
    directory /= "d" * (limit - len(str(directory)) - 3)
    (tmp_path / "d").mkdir()
    directory.mkdir(parents=True)
    path = directory / "a"
    assert len(str(path)) == limit
    for _ in range(2):
        write(path, ".csv")
    assert path.read_text() == CSV
    assert names(directory) == ["a"]


@pytest.mark.parametrize("exists", [True, False])
@each_writer
def test_a_link_stays_and_leads_to_the_file(exists: bool, write: Writer, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "directory").symlink_to("real")
    (tmp_path / "a").symlink_to(Path("directory", "b"))
    if exists:
        (tmp_path / "real" / "b").touch(0o600)
    write(tmp_path / "a", ".csv")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "real" / "b").read_text() == CSV
    assert names(tmp_path / "real") == ["b"]


def test_another_name_of_the_file_keeps_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    table(tmp_path / "a", ".csv")
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == (CSV, "old")


def test_a_link_that_is_not_the_users_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a").symlink_to("victim")
    with replaced(tmp_path / "a", follow=False) as file:
        file.write(b"new")
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_text() == "new"


def test_a_pipe_that_is_not_the_users_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    refused = pytest.raises(PermissionError, match="it is a pipe")
    with refused, replaced(tmp_path / "a", follow=False):
        pass
    assert names(tmp_path) == ["a"]


def test_a_hidden_name_that_is_taken_is_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / LEFT).symlink_to("victim")
    monkeypatch.setattr("secrets.token_hex", lambda _: LEFT.removeprefix(".trayport-"))
    with pytest.raises(FileExistsError) as raised:
        table(tmp_path / "a", ".csv")
    assert raised.value.filename == str(tmp_path / "a")
    assert (tmp_path / "victim").read_text() == "precious"
    assert names(tmp_path) == [LEFT, "victim"]


@each_writer
@each_format
def test_what_killed_writers_left_goes_and_what_others_write_stays(
    kind: str, write: Writer, tmp_path: Path
) -> None:
    (tmp_path / LEFT).write_text("half")
    others = {".trayport-notes", ".trayport-0123456789ABCDEF", f"{LEFT}.bak"}
    for name in others:
        (tmp_path / name).write_text("of somebody else")
    with replaced(tmp_path / "b") as file:
        file.write(b"whole")
        write(tmp_path / "a", kind)
        assert len(names(tmp_path)) == len(others) + 2
    assert {*names(tmp_path)} == {*others, "a", "b"}
    assert (tmp_path / "b").read_bytes() == b"whole"


def test_nothing_but_hidden_files_is_removed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    number = iter(range(10**15, 10**16))
    paths = [tmp_path / f".trayport-{next(number)}" for _ in range(3)]
    paths[0].mkdir()
    paths[1].symlink_to("victim")
    os.mkfifo(paths[2])
    remove_abandoned(tmp_path)
    remove_abandoned(tmp_path / "no")
    assert names(tmp_path) == [*(path.name for path in paths), "victim"]


def test_a_file_that_a_cleaner_has_just_taken_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Part._is_locked
    cleaned: list[str] = []

    def late(part: Part) -> bool:
        if not cleaned:
            cleaned.extend(names(tmp_path))
            remove_abandoned(tmp_path)
        return lock(part)

    monkeypatch.setattr(Part, "_is_locked", late)
    table(tmp_path / "a", ".csv")
    assert len(cleaned) == 1
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("fails", ["open", "fcntl.flock", "fsync"])
def test_systems_that_can_do_less(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptors of directories, no locks, no way to sync a directory."""
    if fails == "open":
        monkeypatch.setattr(os, "supports_dir_fd", set[object]())
    else:
        name = "trayport_sdk.tables.part." + ("os.fsync" if fails == "fsync" else fails)
        fsync = os.fsync

        def refuse(file: int, *_: object) -> None:
            if fails != "fsync" or stat.S_ISDIR(os.fstat(file).st_mode):
                raise OSError(errno.EINVAL, "not here")
            fsync(file)

        monkeypatch.setattr(name, refuse)
    table(tmp_path / "a", ".csv")
    assert (tmp_path / "a").read_text() == CSV
    assert names(tmp_path) == ["a"]


def test_systems_without_locks_and_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows is, where no file is removed that is open."""
    monkeypatch.setattr("trayport_sdk.tables.part.fcntl", None)
    monkeypatch.delattr(os, "fchown")
    (tmp_path / LEFT).write_text("half")
    (tmp_path / "a").write_text("old")
    table(tmp_path / "a", ".csv")
    assert (tmp_path / "a").read_text() == CSV
    assert names(tmp_path) == ["a"]


def test_a_directory_of_somebody_else_is_noticed_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may write everywhere
    with pytest.raises(TrayportValidationError, match="a directory that may not be written to"):
        check_writable(tmp_path / "a", "path")


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.EACCES, "that may be written to"),
        (errno.EROFS, "that may be written to"),
        (errno.ENOENT, "whether its directory is still there"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EIO, "whether the disk is well"),
    ],
)
def test_errors_of_the_system_name_the_file_and_the_way_out(number: int, way_out: str) -> None:
    with pytest.raises(OSError, match=r"'a\.csv'") as raised, naming("a.csv"):
        raise OSError(number, os.strerror(number), f"/x/{LEFT}", None, "/x/a.csv")
    assert (raised.value.filename, raised.value.filename2) == ("a.csv", None)
    assert type(raised.value) is type(OSError(number, ""))
    (note,) = raised.value.__notes__
    assert way_out in note


@each_writer
def test_too_many_open_files(
    write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), LEFT)

    monkeypatch.setattr("trayport_sdk.tables.part._opened", lambda _: None)
    monkeypatch.setattr("os.open", none_left)
    with pytest.raises(OSError, match=r"Too many open files: '.*/a'") as raised:
        write(tmp_path / "a", ".csv")
    assert "ulimit" in raised.value.__notes__[0]


@pytest.mark.parametrize("path", [None, 5, b"a.csv"])
@pytest.mark.parametrize("use", [check_writable, FileFormat.of_path, open_dataset, decode_file])
def test_what_is_no_path_is_refused(use: Callable[[Any], object], path: Any) -> None:
    with pytest.raises(TrayportValidationError, match=r"is no path: give text or a Path"):
        use(path)
