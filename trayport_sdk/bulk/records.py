"""What a manifest records: files and their versions, windows, and what one response changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import asdict, field, frozen

from ..query.times import Window


@frozen
class File:
    """A file of a data set, as it should be.

    Attributes:
        name: Its name below the data set.
        subject: The symbol of the contract that it was asked for with; empty where everything was.
        month: The month of its rows, such as `2024-03`.
        since: When its rows became known, in nanoseconds; those of later windows are newer.
        revision: The first one is 1; it grows whenever rows that were known have changed.
        rows: How many rows it has. One without any does not exist.
        size: Its size in bytes.
        checksum: Its SHA-256.
        stamp: What the storage says of it, to see changes without reading it.
    """

    name: str
    subject: str
    month: str
    since: int
    revision: int = 0
    rows: int = 0
    size: int = 0
    checksum: str = ""
    stamp: str | None = None


@frozen
class Version:
    """What a file was before rows that were known changed.

    Attributes:
        name: The name of the file.
        revision: Its revision.
        since: When its rows became known, in nanoseconds.
        until: When they were replaced; 0 while a lost file is fetched again.
        kept: Where it is now; empty where it is lost.
        rows: How many rows it has.
        size: Its size in bytes.
        checksum: Its SHA-256.
    """

    name: str
    revision: int
    since: int
    until: int
    kept: str
    rows: int
    size: int
    checksum: str


@frozen
class Done:
    """A window that was fetched.

    Attributes:
        subject: The symbol of the contract; empty where everything was asked for.
        window: The range.
        rows: How many rows it had.
        at: When they became known, in nanoseconds.
    """

    subject: str
    window: Window
    rows: int
    at: int


@frozen
class Move:
    """One file that is put in its place.

    Attributes:
        file: The file, as it will be.
        staged: The name of the finished file among those that are being made; None where no row
            is left.
        kept: The version that the file was until now, where it is kept.
    """

    file: File
    staged: str | None
    kept: Version | None = None


@frozen
class Batch:
    """What comes of one response: it is recorded as a whole, or not at all.

    Attributes:
        windows: The windows that were not known, with their rows.
        again: The windows that were known, by subject.
        moves: The files that change.
        size: How many bytes the response had, decompressed.
        at: When it became known, in nanoseconds.
        spec_hash: Which version of the OpenAPI document gave the types.
        changes: Rows that were known and have changed, as the bytes of a Parquet file.
    """

    windows: Sequence[Done]
    again: Sequence[tuple[str, Window]]
    moves: Sequence[Move]
    size: int
    at: int
    spec_hash: str
    changes: bytes | None = field(default=None, repr=False)

    def to_json(self) -> str:
        """Everything but the changed rows."""
        document = asdict(self)
        del document["changes"]
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str, changes: bytes | None) -> Batch:
        """The batch that `to_json` wrote."""
        document: dict[str, Any] = json.loads(text)
        document["windows"] = [_done(**done) for done in document["windows"]]
        document["again"] = [(subject, Window(**window)) for subject, window in document["again"]]
        document["moves"] = [_move(**move) for move in document["moves"]]
        return cls(**document, changes=changes)


def _done(window: dict[str, int], **others: Any) -> Done:
    return Done(window=Window(**window), **others)


def _move(file: dict[str, Any], staged: str | None, kept: dict[str, Any] | None) -> Move:
    return Move(File(**file), staged, None if kept is None else Version(**kept))
