"""Where a table is written to: a file that appears when it is whole, or a pipe as it is."""

from __future__ import annotations

import errno
import io
import os
import select
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from ..errors import invalid
from .part import HIDDEN, PRIVATE, PUBLIC, Part, is_stream, obstacle_at, remove_abandoned

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TEXT = (".csv", ".jsonl")
"""The formats that are written from the beginning to the end, as a pipe needs it."""

MOST_LINKS = 40
PIECE = getattr(select, "PIPE_BUF", 1 << 12)
"""Bytes that a pipe takes without a wait once it is ready."""
WAIT_MILLISECONDS = 100

_WAYS_OUT = {
    "make room on the disk, or choose a file on another one": (
        errno.ENOSPC, errno.EDQUOT, errno.EFBIG,
    ),
    "choose a file that may be written to, or change its permissions": (
        errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY,
    ),
    "see whether its directory is still there, or choose another": (errno.ENOENT, errno.ENOTDIR),
    "choose a shorter name": (errno.ENAMETOOLONG,),
    "close some files, or raise the limit (ulimit -n)": (errno.EMFILE, errno.ENFILE),
    "start the program that reads the pipe first": (errno.ENXIO,),
    "the program that reads the pipe has ended": (errno.EPIPE,),
}  # fmt: skip
_WAY_OUT = {number: text for text, numbers in _WAYS_OUT.items() for number in numbers}
_OTHERWISE = "see whether the disk is well, or choose a file on another one"


@contextmanager
def naming(path: str | Path, way_out: str = "") -> Generator[None]:
    """Completes errors of the system with the file, and with a note that says what to do.

    Args:
        path: The file, as the caller knows it.
        way_out: What to do, where the number of the error does not tell.
    """
    try:
        yield
    except OSError as error:
        name = error.filename
        if error.errno is not None and (name is None or HIDDEN.fullmatch(Path(name).name)):
            error.filename, error.filename2 = str(path), None
        if not hasattr(error, "__notes__"):
            error.add_note(way_out or _WAY_OUT.get(error.errno or 0, _OTHERWISE))
        raise


def check_writable(path: str | Path, kind: str, parameter: str = "out") -> None:
    """Checks that a file can be written, before the work for it is done.

    Args:
        path: The file.
        kind: Its format, as its ending.
        parameter: What messages call it.

    Raises:
        TrayportValidationError: The path is a directory, is read-only, or is a pipe or a device
            that cannot take the format; or its directory cannot be written to.
    """
    if reason := obstacle(path, kind):
        raise invalid(parameter, str(path), reason, "choose another file")


def obstacle(path: str | Path, kind: str) -> str:
    """Why a file of a format cannot be written, in words; nothing when it can."""
    try:
        target, status = _target(Path(path))
        reason = "" if isinstance(target, int) else obstacle_at(target, status)
    except (OSError, ValueError) as error:  # a ValueError is about letters that no name has
        return f"cannot be used ({getattr(error, 'strerror', None) or error})"
    if not reason and (isinstance(target, int) or is_stream(status)) and kind not in TEXT:
        return f"is a pipe or a device, which takes {' and '.join(TEXT)}, but not {kind} files"
    return reason


def _target(path: Path) -> tuple[Path | int, os.stat_result | None]:
    """Where a path leads, and what is there; a descriptor of this process is its number."""
    place = path
    for _ in range(MOST_LINKS):
        in_descriptors = os.path.realpath(place.parent) == os.path.realpath("/dev/fd")
        if in_descriptors and place.name.isdecimal():
            return int(place.name), os.fstat(int(place.name))
        if not place.is_symlink():
            break
        place = place.parent / place.readlink()
    target = Path(os.path.realpath(path))
    try:
        # Not of the target: the system refuses to follow links that others have put into /tmp.
        return target, path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return target, None


def _beside(path: Path) -> tuple[Path, os.stat_result | None]:
    """A path itself, even if it is a link, and what is there."""
    target = Path(os.path.realpath(path.parent), path.name)
    try:
        return target, target.lstat()
    except FileNotFoundError:
        return target, None


class Stream(io.RawIOBase):
    """A pipe or a device that is written to as it is.

    Args:
        target: Its path, or a descriptor of this process.
        while_waiting: Called again and again while the reader is slow; raises to end the writing.

    Raises:
        OSError: It cannot be opened; nobody reads the pipe, for example.
    """

    def __init__(self, target: Path | int, while_waiting: Callable[[], object]) -> None:
        super().__init__()
        if isinstance(target, int):
            self._handle = os.dup(target)
        else:
            # Otherwise to open a pipe would wait until somebody reads it.
            self._handle = os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            os.set_blocking(self._handle, True)
        self._while_waiting = while_waiting
        self._written = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How many bytes were written."""
        return self._written

    def write(self, data: ReadableBuffer) -> int:
        """Writes all of it."""
        rest = memoryview(data).cast("B")
        size = rest.nbytes
        while rest:
            self._wait()
            count = os.write(self._handle, rest[:PIECE])
            rest = rest[count:]
            self._written += count
        return size

    def _wait(self) -> None:
        if hasattr(select, "poll"):
            ready = select.poll()
            ready.register(self._handle, select.POLLOUT)
            while not ready.poll(WAIT_MILLISECONDS):
                self._while_waiting()

    def close(self) -> None:
        """Closes it."""
        if not self.closed:
            os.close(self._handle)
        super().close()


@contextmanager
def replaced(
    path: str | Path,
    *,
    follow: bool = True,
    while_waiting: Callable[[], object] = lambda: None,
) -> Generator[IO[bytes]]:
    """A file to write to, which replaces the one of a path in one step once it is whole.

    It lies in the same directory under a hidden name, and is removed when something fails. A link
    stays a link. A pipe or a device is written to as it is.

    Args:
        path: The file.
        follow: Whether a link leads to the file; a link that is not the user's is replaced.
        while_waiting: Called again and again while the reader of a pipe is slow.

    Raises:
        OSError: The file cannot be written; it names the path, and its note says what to do.
    """
    with naming(path):
        target, status = _target(Path(path)) if follow else _beside(Path(path))
        if isinstance(target, int) or (follow and is_stream(status)):
            with Stream(target, while_waiting) as stream:
                yield cast("IO[bytes]", stream)
            return
        remove_abandoned(target.parent)
        part = Part(target.parent, PUBLIC if status is None else PRIVATE)
        try:
            yield part.file
            part.place(target.name)
        finally:
            part.discard()
