"""Bodies of responses as they came over the wire, a file each, named by their query."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..errors import TrayportValidationError
from ..query.plan import QueryPlan
from ..query.times import to_text

if TYPE_CHECKING:
    from types import TracebackType

    from ..http.messages import ApiResponse

ENDINGS = {"": "", "identity": "", "br": ".br", "gzip": ".gz", "x-gzip": ".gz", "deflate": ".zz"}
"""How the name of a file says that its body is compressed."""


def encoding_of(name: str) -> str:
    """How a file is compressed, by its name."""
    suffix = Path(name).suffix.lower()
    return next((encoding for encoding, end in ENDINGS.items() if end and end == suffix), "")


def check_directory(path: str | Path) -> Path:
    """The directory, made if it is missing.

    Raises:
        TrayportValidationError: There is something else, or it cannot be made.
    """
    directory = Path(path)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrayportValidationError(
            f"directory {str(path)!r} cannot be made: {error.strerror}",
            parameter="directory",
            suggestion="choose another directory",
        ) from error
    return directory


class BodyKeeper:
    """Keeps the bodies of responses in a directory; a body appears there when it is whole.

    Used as a context manager. Until `place` is called, the bodies lie in a hidden directory
    inside, which is removed in the end.

    Args:
        directory: Where they go.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._waiting = directory / f".trayport-{secrets.token_hex(4)}"
        self._kept: dict[QueryPlan, tuple[Path, str]] = {}
        self._placed = 0

    @contextmanager
    def __call__(
        self, response: ApiResponse, query: QueryPlan
    ) -> Generator[Callable[[bytes], object]]:
        """Takes the body of one response, while it is read."""
        path = self._waiting / secrets.token_hex(8)
        try:
            with path.open("xb") as file:
                yield file.write
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        compressed = "".join(map(_ending, response.encoding.split(",")))
        self._kept[query] = path, f".{query.options.response_format}{compressed}"

    def place(self, query: QueryPlan) -> Path:
        """Gives the body of the response to a query its name."""
        path, ending = self._kept.pop(query)
        self._placed += 1
        return path.replace(self._directory / f"{self._placed:05d}-{name_of(query)}{ending}")

    def __enter__(self) -> Self:
        self._waiting.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A thread that is still ending may be writing a last part.
        shutil.rmtree(self._waiting, ignore_errors=True)


def _ending(encoding: str) -> str:
    name = encoding.strip().lower()
    return ENDINGS.get(name, f".{name}")


def name_of(query: QueryPlan) -> str:
    """The endpoint and the window, with the letters that any file system takes."""
    if query.window is None:
        return query.endpoint
    ends = (to_text(query.window.start), to_text(query.window.end))
    return "-".join([query.endpoint, *(re.sub(r"[^0-9TZ.]", "", end) for end in ends)])
