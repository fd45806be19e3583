"""Keeps what failed for good in a file, so that it can be sent again later.

One line of JSON for every call, appended in one write, so that several programs can share a file.
It holds what was asked and why it failed; the key is no part of a call.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self
from uuid import uuid4

import msgspec
from attrs import frozen
from trayport_spec import ENDPOINTS, Endpoint

from ..errors import (
    TrayportAPIError,
    TrayportConfigurationError,
    TrayportError,
    TrayportValidationError,
)
from ..http.messages import ApiRequest

SETTING = "dead_letter_file (variable TRAYPORT_DEAD_LETTER_FILE)"


@frozen
class DeadLetter:
    """A call that failed for good.

    Attributes:
        failed_at: When it failed, in UTC.
        operation_id: The operation, as the OpenAPI document names it.
        url: The path that was asked, such as `/markets/10000065`.
        parameters: The query; a tuple where a name is sent several times.
        correlation_id: The id of the call in logs. It stays the same when a retry fails.
        attempts: How many times the request was sent.
        error: The name of the error's class.
        message: What the error said.
        status: The HTTP status, or None when no answer came.
    """

    failed_at: datetime
    operation_id: str
    url: str
    parameters: Mapping[str, str | tuple[str, ...]]
    correlation_id: str
    attempts: int
    error: str
    message: str
    status: int | None = None

    @classmethod
    def from_call(cls, call: ApiRequest, error: TrayportError, *, failed_at: datetime) -> Self:
        """The letter for a call and the error it ended with."""
        return cls(
            failed_at=failed_at,
            operation_id=call.endpoint.operation_id,
            url=call.url,
            parameters=call.parameters,
            correlation_id=error.correlation_id or uuid4().hex,
            attempts=error.attempts,
            error=type(error).__name__,
            message=str(error),
            status=error.status_code if isinstance(error, TrayportAPIError) else None,
        )

    @property
    def call(self) -> ApiRequest:
        """The call, to be sent again."""
        return ApiRequest(ENDPOINTS[self.operation_id], self.url, self.parameters)

    def to_json(self) -> str:
        """The letter as one line, without its end."""
        line = _Line(
            failed_at=self.failed_at.astimezone(UTC),
            operation_id=self.operation_id,
            url=self.url,
            parameters=dict(self.parameters),
            correlation_id=self.correlation_id,
            attempts=self.attempts,
            error=_Reason(name=self.error, message=self.message, status=self.status),
        )
        return json.dumps(msgspec.to_builtins(line))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The letter that `to_json` wrote.

        Raises:
            TrayportValidationError: The text is not such a line.
        """
        try:
            line = msgspec.convert(json.loads(text), _Line)
        except (ValueError, RecursionError, msgspec.ValidationError) as error:
            raise TrayportValidationError(
                f"this is no dead letter: {error}", parameter="line"
            ) from error
        if line.operation_id not in ENDPOINTS:
            raise TrayportValidationError(
                f"this is no dead letter: there is no operation {line.operation_id!r}",
                parameter="line",
            )
        if not _is_path_of(ENDPOINTS[line.operation_id], line.url):
            # It is asked with the key, so a file must not say where.
            raise TrayportValidationError(
                f"this is no dead letter: {line.url!r} is no path of {line.operation_id}",
                parameter="line",
            )
        return cls(
            failed_at=line.failed_at.astimezone(UTC),
            operation_id=line.operation_id,
            url=line.url,
            parameters=line.parameters,
            correlation_id=line.correlation_id,
            attempts=line.attempts,
            error=line.error.name,
            message=line.error.message,
            status=line.error.status,
        )


def _is_path_of(endpoint: Endpoint, url: str) -> bool:
    """Whether a path is an operation's, with ids in the places for them."""
    parts = re.split(r"\{\w+\}", endpoint.path)
    return re.fullmatch("[0-9A-Za-z_-]+".join(map(re.escape, parts)), url) is not None


class _Reason(msgspec.Struct):
    name: str = msgspec.field(name="class")
    message: str
    status: int | None


class _Line(msgspec.Struct):
    failed_at: Annotated[datetime, msgspec.Meta(tz=True)]
    operation_id: str
    url: str
    parameters: dict[str, str | tuple[str, ...]]
    correlation_id: str
    attempts: int
    error: _Reason


class DeadLetters:
    """The file of the calls that failed for good.

    Raises:
        TrayportConfigurationError: The file cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise _unusable(path, "lies in a directory that does not exist")
        if path.is_dir():
            raise _unusable(path, "is a directory")
        self.path = path

    def add(self, letter: DeadLetter) -> None:
        """Appends a letter.

        Raises:
            TrayportConfigurationError: The file cannot be written to.
        """
        self._append(letter.to_json().encode() + b"\n")

    def keep(self, request: ApiRequest, error: TrayportError) -> None:
        """Appends a request that has failed for good, unless the client is what cannot work."""
        if isinstance(error, TrayportConfigurationError):
            return
        try:
            self.add(DeadLetter.from_call(request, error, failed_at=datetime.now(UTC)))
        except (TrayportError, OSError) as unwritten:
            # The failure of the request says more than that of its record.
            error.add_note(f"It could not be kept for a later retry: {unwritten}")

    def _append(self, lines: bytes) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        try:
            handle = os.open(self.path, flags, 0o600)
            try:
                # Half a line that a full disk left must not swallow the next one. That another
                # program may be in the middle of writing costs an empty line, which is skipped.
                size = os.fstat(handle).st_size
                torn = size > 0 and _last_byte(handle, size) != b"\n"
                lines = b"\n" + lines if torn else lines
                written = os.write(handle, lines)
            finally:
                os.close(handle)
        except OSError as error:
            raise _unusable(self.path, f"cannot be written to ({error.strerror})") from error
        if written < len(lines):
            raise _unusable(self.path, "cannot be written to (the disk is full)")

    @contextmanager
    def retrying(self) -> Generator[list[DeadLetter]]:
        """The letters to be sent again, in a `with` that ends when all of them were.

        The file is renamed first, so that what fails meanwhile gets a new one. The renamed file
        goes away when the `with` ends; when that raises, it stays, and the next one takes it up.

        Raises:
            TrayportValidationError: A line is not a letter; the message names file and line.
        """
        if self.path.exists():
            _read(self.path)  # a malformed line is told of before anything is renamed
            self.path.rename(self._free_name())
        taken = {path: _read(path) for path in self.interrupted()}
        # When a run was interrupted, what failed in it a second time is in two files.
        letters = {_identity(x): x for found, _ in taken.values() for x in found}
        yield list(letters.values())
        for path, (_, size) in taken.items():
            self._keep_late_lines(path, size)
            path.unlink(missing_ok=True)

    def interrupted(self) -> list[Path]:
        """The renamed files that wait for somebody to finish with them."""
        name = re.compile(re.escape(self.path.name) + r"\.retrying(-\d+)?")
        return sorted(path for path in self.path.parent.iterdir() if name.fullmatch(path.name))

    def _free_name(self) -> Path:
        name = self.path.with_name(f"{self.path.name}.retrying")
        number = 1
        while name.exists():
            number += 1
            name = self.path.with_name(f"{self.path.name}.retrying-{number}")
        return name

    def _keep_late_lines(self, path: Path, size: int) -> None:
        """Saves what somebody wrote who had opened the file before it was renamed."""
        late = path.read_bytes()[size:] if path.exists() else b""
        if late:
            self._append(late)


def _last_byte(handle: int, size: int) -> bytes:
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)


def _identity(letter: DeadLetter) -> tuple[object, ...]:
    query = tuple(sorted(letter.parameters.items()))
    return letter.correlation_id, letter.operation_id, letter.url, query


def _unusable(path: Path, reason: str) -> TrayportConfigurationError:
    return TrayportConfigurationError(
        f"{SETTING}: {str(path)!r} {reason}", suggestion="choose another file"
    )


def _read(path: Path) -> tuple[Sequence[DeadLetter], int]:
    """The letters of a file and how many bytes they were."""
    content = path.read_bytes()
    letters: list[DeadLetter] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            letters.append(DeadLetter.from_json(line))
        except TrayportValidationError as error:
            raise TrayportValidationError(
                f"{path}, line {number}: {error.args[0]}",
                parameter="path",
                suggestion="correct the line or remove it",
            ) from error.__cause__
    return letters, len(content)
