"""A file that takes the place of another in one step, once it is whole.

Until then it has a hidden name beside that place, and is locked. The system lets go of the lock of
a writer that is killed, so that the next writer in the directory can remove what it left.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, which removes no file that is open
    fcntl = None  # type: ignore[assignment]

HIDDEN = re.compile(r"\.trayport-[0-9a-f]{16}")

PUBLIC, PRIVATE = 0o666, 0o600
"""Who may read and write a new file, as far as the umask of the process lets them."""

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_RIGHTS = ("system.posix_acl_access", "security.selinux")


def status_of(
    path: str | Path, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> os.stat_result | None:
    """What is at a path; None when nothing is."""
    try:
        return os.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    except (FileNotFoundError, NotADirectoryError):
        return None


def obstacle_at(path: Path, status: os.stat_result | None) -> str:
    """Why no file can take a place, in words; nothing when it can.

    Args:
        path: The place, which is no link.
        status: What is there, if anything is.
    """
    if status is not None and not stat.S_ISREG(status.st_mode):
        return f"is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}"
    if not path.parent.is_dir():
        return "lies in a directory that does not exist"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return "lies in a directory that may not be written to"
    # The superuser could write to it nevertheless, which is not what its owner means.
    writable = status is None or (status.st_mode & 0o222 and os.access(path, os.W_OK))
    return "" if writable else "is read-only"


class Part:
    """A hidden file in a directory that becomes a file of it once it is whole.

    Args:
        directory: The directory.
        mode: Who may read and write it, as far as the umask of the process lets them.

    Attributes:
        file: What is written to.

    Raises:
        OSError: There can be no such file.
    """

    def __init__(self, directory: Path, mode: int = PUBLIC) -> None:
        self._directory = directory
        self._handle = _opened(directory)
        self._cleanup = ExitStack()
        if self._handle is not None:
            self._cleanup.callback(os.close, self._handle)
        opener = partial(os.open, mode=mode, dir_fd=self._handle)
        try:
            while True:
                self._hidden = self._at(f".trayport-{secrets.token_hex(8)}")
                self.file: IO[bytes] = open(self._hidden, "xb", opener=opener)  # noqa: SIM115
                self._cleanup.callback(self._remove)
                if self._is_locked():
                    return
                self._remove()
        except BaseException:
            self.discard()
            raise

    def _at(self, name: str) -> str | Path:
        # From its own directory on, a path is as short as can be.
        return name if self._handle is not None else self._directory / name

    def _is_locked(self) -> bool:
        """Locks the file; not so when another writer has just taken it for an abandoned one."""
        try:
            if fcntl is not None:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # where there are no locks, nobody removes anything either
        return status_of(self._hidden, dir_fd=self._handle) is not None

    def sync(self) -> None:
        """Waits until what was written is on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def place(self, name: str) -> None:
        """Gives the file its name; a file that is there is replaced, and its permissions are kept.

        A link that is there is replaced as well: it leads nowhere.

        Raises:
            OSError: What is there may not be replaced, or nothing can be written.
        """
        at, path = self._at(name), self._directory / name
        old = status_of(at, dir_fd=self._handle, follow_symlinks=False)
        if old is not None and not stat.S_ISLNK(old.st_mode):
            if reason := obstacle_at(path, old):
                raise PermissionError(errno.EACCES, f"it {reason}", str(path))
            _keep_permissions(self.file.fileno(), path, old)
        self.sync()
        if fcntl is None:
            self.file.close()
        os.replace(self._hidden, at, src_dir_fd=self._handle, dst_dir_fd=self._handle)
        if self._handle is not None:
            with suppress(OSError):  # not every file system can
                os.fsync(self._handle)

    def discard(self) -> None:
        """Closes the file, and removes it unless it was placed."""
        self._cleanup.close()

    def _remove(self) -> None:
        with suppress(OSError):  # of what was left to write to a full disk
            self.file.close()
        with suppress(OSError):
            os.unlink(self._hidden, dir_fd=self._handle)


def _opened(directory: Path) -> int | None:
    """A descriptor of a directory; None on systems without, and where it may not be read."""
    if os.open not in os.supports_dir_fd:
        return None
    try:
        return os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return None


def _keep_permissions(handle: int, path: Path, old: os.stat_result) -> None:
    """Gives a new file the permissions, the owner and the group of the old one, where it may."""
    if not hasattr(os, "fchown"):
        return
    mode, new = stat.S_IMODE(old.st_mode), os.fstat(handle)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(handle, old.st_uid, old.st_gid)
        except OSError:
            try:
                os.fchown(handle, -1, old.st_gid)
            except OSError:
                # It is of another group now, which may do no more than everybody.
                mode &= ~0o070 | (mode & 0o007) << 3
    for name in _RIGHTS if hasattr(os, "setxattr") else ():
        with suppress(OSError):  # not every file system has them
            try:
                value = os.getxattr(path, name, follow_symlinks=False)
            except OSError:
                os.removexattr(handle, name)  # given by the directory
            else:
                os.setxattr(handle, name, value)
    os.fchmod(handle, mode)


def remove_abandoned(directory: Path) -> None:
    """Removes the hidden files of writers that were killed."""
    with suppress(OSError):
        for name in filter(HIDDEN.fullmatch, os.listdir(directory)):  # noqa: PTH208 (there may be many)
            with suppress(OSError):  # its writer lives, or is another user
                _remove_unlocked(directory / name)


def _remove_unlocked(path: Path) -> None:
    if fcntl is None:
        path.unlink()
        return
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    finally:
        os.close(handle)
