"""Sends dead letters again, so that an interruption at any moment loses none of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import evolve, frozen

from ..errors import TrayportConfigurationError, TrayportError, TrayportValidationError
from .dead_letters import DeadLetter, DeadLetters

if TYPE_CHECKING:
    from ..http.messages import ApiRequest

CONCURRENCY = 6  # enough to keep the limiter busy, which sets the pace


@frozen
class RetryReport:
    """What became of dead letters that were sent again.

    Attributes:
        succeeded: How many were answered.
        failed: How many failed again; they are in the file.
        files: The answers that were written, in the order of the letters.
    """

    succeeded: int
    failed: int
    files: tuple[Path, ...]


async def retry_failed(
    path: Path, send: Callable[[ApiRequest], Awaitable[bytes]], out: Path
) -> RetryReport:
    """Sends everything in a file of dead letters again.

    What is answered is written to `<correlation_id>.json`, what fails again stays in the file.
    An interruption loses nothing: the next run repeats what this one had begun.

    Args:
        path: The file of dead letters.
        send: Sends a call and returns the whole body of its answer. It adds no dead letters of its
            own to this file, or a call that fails again would be in it twice.
        out: The directory for the answers; made when it is missing.

    Raises:
        TrayportValidationError: There is no such file, or a line is not a letter.
        TrayportConfigurationError: A file cannot be written to, or the settings cannot work.
    """
    letters = _letters_to_retry(path, out)
    files: dict[int, Path] = {}
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(place: int, letter: DeadLetter, file: Path) -> None:
        async with slots:
            try:
                body = await send(letter.call)
            except (TrayportConfigurationError, TrayportValidationError):
                raise  # it speaks of this run and not of the call
            except TrayportError as error:
                again = DeadLetter.from_call(letter.call, error, failed_at=datetime.now(UTC))
                letters.add(evolve(again, correlation_id=letter.correlation_id))
            else:
                await asyncio.to_thread(_write, file, body)
                files[place] = file

    with letters.retrying() as found:
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                for place, (letter, name) in enumerate(_with_names(found)):
                    tasks.create_task(one(place, letter, out / name))
        except* Exception as group:  # noqa: BLE001
            failure = group.exceptions[0]
        if failure is not None:
            raise failure
    return RetryReport(
        succeeded=len(files),
        failed=len(found) - len(files),
        files=tuple(files[place] for place in sorted(files)),
    )


def _letters_to_retry(path: Path, out: Path) -> DeadLetters:
    if path.is_dir():
        raise TrayportValidationError(
            f"path {str(path)!r}: this is a directory, not a file of dead letters",
            parameter="path",
        )
    if not path.parent.is_dir() or not (path.is_file() or DeadLetters(path).interrupted()):
        raise TrayportValidationError(
            f"path {str(path)!r}: there is no such file of dead letters", parameter="path"
        )
    out.mkdir(parents=True, exist_ok=True)
    return DeadLetters(path)


def _with_names(letters: Sequence[DeadLetter]) -> Generator[tuple[DeadLetter, str]]:
    """Each letter with the name of its answer's file; copies of a line may share their id."""
    seen: Counter[str] = Counter()
    for letter in letters:
        # The id comes from a file, and must not lead to another directory.
        name = quote(letter.correlation_id, safe="")
        seen[name] += 1
        yield letter, f"{name}.json" if seen[name] == 1 else f"{name}-{seen[name]}.json"


def _write(file: Path, body: bytes) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(body)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
