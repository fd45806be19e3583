"""Where a table is written to: a file that appears when it is whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import invalid
from .part import HIDDEN, PRIVATE, PUBLIC, Part, obstacle_at, remove_abandoned, status_of

MOST_LINKS = 40

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


def user_path(path: str | Path, parameter: str = "path") -> Path:
    """A path in which `~` is replaced by the home of the user.

    Raises:
        TrayportValidationError: It is no path, or begins with the home of a user that is not
            known.
    """
    try:
        return Path(path).expanduser()
    except TypeError:
        raise invalid(parameter, path, "is no path", "give text or a Path") from None
    except RuntimeError:
        reason = "begins in the home of a user that is not known"
        raise invalid(parameter, str(path), reason, "write the whole path") from None


def check_writable(path: str | Path, parameter: str = "out") -> Path:
    """Checks that a file can be written, before the work for it is done.

    Args:
        path: The file.
        parameter: What messages call it.

    Returns:
        The file, with `~` replaced.

    Raises:
        TrayportValidationError: The path is no regular file or is read-only, or its directory
            cannot be written to.
    """
    file = user_path(path, parameter)
    if reason := obstacle(file):
        raise invalid(parameter, str(path), reason, "choose another file")
    return file


def obstacle(path: str | Path) -> str:
    """Why a file cannot be written, in words; nothing when it can."""
    try:
        return _obstacle(Path(path))
    except (OSError, ValueError) as error:  # a ValueError is about letters that no name has
        return f"cannot be used ({getattr(error, 'strerror', None) or error})"


def _obstacle(path: Path) -> str:
    place = path
    for _ in range(MOST_LINKS):
        if os.path.realpath(place.parent) == os.path.realpath("/dev/fd"):
            # It may lead to a file, which is not to be replaced: others go on writing to it.
            return "is an open file, pipe or terminal of this process"
        if not place.is_symlink():
            break
        place = place.parent / place.readlink()
    # Not of the target: the system refuses to follow links that others have put into /tmp.
    return obstacle_at(Path(os.path.realpath(path)), status_of(path))


@contextmanager
def replaced(path: str | Path, *, follow: bool = True) -> Generator[IO[bytes]]:
    """A file to write to, which replaces the one of a path in one step once it is whole.

    It lies in the same directory under a hidden name, and is removed when something fails.

    Args:
        path: The file.
        follow: Whether a link stays, and leads to the file; one that is not the user's is replaced.

    Raises:
        OSError: The file cannot be written; it names the path, and its note says what to do.
    """
    with naming(path):
        directory, name = os.path.split(os.path.realpath(path) if follow else path)
        target = Path(os.path.realpath(directory), name)
        remove_abandoned(target.parent)
        part = Part(target.parent, PRIVATE if os.path.lexists(target) else PUBLIC)
        try:
            yield part.file
            part.place(target.name)
        finally:
            part.discard()
