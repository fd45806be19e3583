"""Bodies of responses as they came over the wire, a file each, named by their query."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..errors import invalid
from ..query.plan import QueryPlan
from ..query.times import to_text
from ..tables.output import naming, user_path
from ..tables.part import PRIVATE, Part, remove_abandoned

if TYPE_CHECKING:
    from types import TracebackType

    from ..http.messages import ApiResponse

LONGEST_SUBJECT = 80
ENDINGS = {"": "", "identity": "", "br": ".br", "gzip": ".gz", "x-gzip": ".gz", "deflate": ".zz"}
"""How the name of a file says that its body is compressed."""


def encoding_of(name: str) -> str:
    """How a file is compressed, by its name."""
    suffix = Path(name).suffix.lower()
    return next((encoding for encoding, end in ENDINGS.items() if end and end == suffix), "")


def check_directory(path: str | Path, parameter: str = "directory") -> Path:
    """The directory, with `~` replaced, made if it is missing.

    Args:
        path: The directory.
        parameter: What messages call it.

    Raises:
        TrayportValidationError: There is something else, or it cannot be made or written to.
    """
    directory = user_path(path, parameter)
    reason = ""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            reason = "may not be written to"
    except (OSError, ValueError) as error:  # a ValueError is about letters that no name has
        reason = f"cannot be made: {getattr(error, 'strerror', None) or error}"
    if reason:
        raise invalid(parameter, str(path), reason, "choose another directory")
    return directory


class BodyKeeper:
    """Keeps the bodies of responses in a directory; a body appears there when it is whole.

    Used as a context manager. Until `place` is called the files are hidden, and those that are left
    in the end are removed. Only the user may read new ones.

    Args:
        directory: Where they go.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._kept: dict[QueryPlan, tuple[Part, str]] = {}
        self._placed = 0
        self._is_over = False

    @contextmanager
    def __call__(
        self, response: ApiResponse, query: QueryPlan
    ) -> Generator[Callable[[bytes], object]]:
        """Takes the body of one response, while it is read."""
        with naming(self._directory), ExitStack() as unless_whole:
            part = Part(self._directory, PRIVATE)
            unless_whole.callback(part.discard)
            yield part.file.write
            part.sync()
            unless_whole.pop_all()
        compressed = "".join(map(_ending, response.encoding.split(",")))
        self._kept[query] = part, f".{query.options.response_format}{compressed}"
        if self._is_over:  # the thread that reads has ended after all the others
            part.discard()

    def place(self, query: QueryPlan) -> Path:
        """Gives the body of the response to a query its name.

        Raises:
            OSError: What has the name may not be replaced, or nothing can be written.
        """
        part, ending = self._kept.pop(query)
        self._placed += 1
        path = self._directory / f"{self._placed:05d}-{name_of(query)}{ending}"
        try:
            with naming(path):
                part.place(path.name)
        finally:
            part.discard()
        return path

    def __enter__(self) -> Self:
        remove_abandoned(self._directory)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        while self._kept:
            _, (part, _) = self._kept.popitem()
            part.discard()


def _ending(encoding: str) -> str:
    name = encoding.strip().lower()
    return ENDINGS.get(name, f".{name}")


def name_of(query: QueryPlan) -> str:
    """The endpoint, the contracts and the window, with the letters that any file system takes."""
    parts = [query.endpoint]
    if query.contracts and query.contracts[0].name is not None:
        parts.append(re.sub(r"[^0-9A-Za-z.]+", "-", query.subject)[:LONGEST_SUBJECT].strip("-."))
    if query.window is not None:
        ends = (to_text(query.window.start), to_text(query.window.end))
        parts += [re.sub(r"[^0-9TZ.]", "", end) for end in ends]
    return "-".join(parts)
