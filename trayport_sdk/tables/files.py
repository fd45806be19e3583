"""Tables written to files, which appear only when they are whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, get_args

import polars as pl
from polars.io.plugins import register_io_source

from ..errors import invalid, unknown_value
from .convert import lines, texts
from .output import check_writable, replaced

Compression: TypeAlias = Literal["zstd", "lz4", "none"]
"""How the columns of a Parquet or an Arrow file are compressed."""

FORMATS = (".parquet", ".csv", ".jsonl", ".arrow")
CODECS = get_args(Compression)
COMPRESSED = (".parquet", ".arrow")
ZSTD_LEVEL = 1

GROUP_ROWS = 100_000
GROUP_BOOKS = 10_000
"""Rows of a group where each holds a list of orders."""
PARTS = 20
"""In how many parts a group is handed on: of those under way there are several in memory."""
PARTS_OF_TEXT = 5

_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def file_format(path: str | Path, parameter: str = "out") -> str:
    """The format that a file's name ends in.

    Args:
        path: The file.
        parameter: What messages call it.

    Raises:
        TrayportValidationError: The ending is not one that can be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise unknown_value(parameter, str(path), FORMATS, "has no known ending")
    return suffix


def codec_of(kind: str, compression: str | None) -> str:
    """How a file of a format is to be compressed.

    Args:
        kind: The format, as its ending.
        compression: The wanted compression; what suits the format when it is left out.

    Raises:
        TrayportValidationError: There is no such codec, or not for this format.
    """
    known = CODECS if kind in COMPRESSED else ("none",)
    codec = known[0] if compression is None else compression
    if codec in known:
        return codec
    if codec in CODECS:
        raise invalid(
            "compression",
            codec,
            f"does not go with {kind} files, which are plain text",
            f"leave it out, or write {' or '.join(COMPRESSED)}",
            f"{', '.join(CODECS)} for {' and '.join(COMPRESSED)}",
        )
    raise unknown_value("compression", compression, CODECS)


def group_rows(schema: pl.Schema) -> int:
    """How many rows of such a table are put together in a file."""
    nested = any(isinstance(kind, pl.List) for kind in schema.values())
    return GROUP_BOOKS if nested else GROUP_ROWS


class Gatherer:
    """Puts small tables together and cuts big ones, into groups of the same size.

    Args:
        parts: How many of them there are for a group of a file.
    """

    def __init__(self, parts: int = 1) -> None:
        self._parts = parts
        self._held: list[pl.DataFrame] = []
        self._rows = self._groups = 0

    def add(self, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Adds a table; the groups that are now full."""
        full = group_rows(frame.schema) // self._parts
        if not frame.height:
            self._held.append(frame)
        while frame.height:
            part, frame = frame.head(full - self._rows), frame.slice(full - self._rows)
            self._held.append(part)
            self._rows += part.height
            if self._rows == full:
                yield self._group()

    def rest(self) -> Iterator[pl.DataFrame]:
        """The rest of the rows; a table without rows, with the columns, when there were none."""
        if self._rows or (self._held and not self._groups):
            yield self._group()

    def _group(self) -> pl.DataFrame:
        held = [frame for frame in self._held if frame.height] or self._held[:1]
        self._held, self._rows = [], 0
        self._groups += 1
        return held[0] if len(held) == 1 else pl.concat(held, rechunk=True)


def gathered(frames: Iterable[pl.DataFrame], parts: int = 1) -> Iterator[pl.DataFrame]:
    """The rows of some tables, in groups of the same size but for the last."""
    gatherer = Gatherer(parts)
    for frame in frames:
        yield from gatherer.add(frame)
    yield from gatherer.rest()


def encode(frames: Iterable[pl.DataFrame], file: IO[bytes], kind: str, codec: str) -> None:
    """Writes tables with the same columns to a file, one after another.

    Args:
        frames: The tables, at least one.
        file: The file.
        kind: The format, as its ending.
        codec: How it is compressed.

    Raises:
        OSError: The file cannot be written, because the disk is full for example.
    """
    parts = gathered(frames, PARTS if kind in COMPRESSED else PARTS_OF_TEXT)
    try:
        if kind in COMPRESSED:
            _encode_columns(parts, file, kind, codec)
        else:
            _encode_text(parts, file, kind)
    except (pl.exceptions.PolarsError, OSError) as error:
        # Polars gives the errors of the system as text alone.
        if getattr(error, "errno", None) is None and (match := _OS_ERROR.search(str(error))):
            number = int(match[1])
            raise OSError(number, os.strerror(number)) from error
        raise


def _encode_columns(parts: Iterator[pl.DataFrame], file: IO[bytes], kind: str, codec: str) -> None:
    first = next(parts)
    rows = group_rows(first.schema)

    def source(*_: object) -> Iterator[pl.DataFrame]:
        return chain([first], parts)

    table = register_io_source(source, schema=first.schema, validate_schema=True)
    compression: Any = "uncompressed" if codec == "none" else codec
    if kind == ".parquet":
        level = ZSTD_LEVEL if codec == "zstd" else None
        table.sink_parquet(
            file, compression=compression, compression_level=level, row_group_size=rows
        )
    else:
        # Of the newer type of text that polars has, other readers can do little.
        plain = pl.CompatLevel.oldest()
        table.sink_ipc(file, compression=compression, record_batch_size=rows, compat_level=plain)


def _encode_text(parts: Iterator[pl.DataFrame], file: IO[bytes], kind: str) -> None:
    for number, part in enumerate(map(texts, parts)):
        if kind == ".csv":
            lines(part).write_csv(file, include_header=not number)
        else:
            part.write_ndjson(file)


def write(frame: pl.DataFrame, path: str | Path, kind: str, compression: str | None = None) -> None:
    """Writes a table to a file, which is replaced in one step once everything is written.

    Args:
        frame: The table.
        path: The file.
        kind: The format, as its ending.
        compression: "zstd", "lz4" or "none", for Parquet and Arrow.

    Raises:
        TrayportValidationError: The format has no such compression, or there can be no such file.
        OSError: The file cannot be written.
    """
    codec = codec_of(kind, compression)
    with replaced(check_writable(path, "path")) as file:
        encode([frame], file, kind, codec)
