"""Tables written to files, which appear only when they are whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, Unpack

import polars as pl
from polars.io.plugins import register_io_source

from .convert import guarded, lines, texts
from .formats import COMPRESSED, FileFormat, FileOptions
from .output import check_writable, replaced
from .time_units import with_time_unit

ZSTD_LEVEL = 1

GROUP_ROWS = 100_000
GROUP_BOOKS = 10_000
"""Rows of a group where each holds a list of orders."""
PARTS = 10
"""In how many parts a group is handed on: of those under way there are several in memory."""
PARTS_OF_TEXT = 5

_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def group_rows(schema: pl.Schema) -> int:
    """How many rows of such a table are put together; a group in Parquet has half of them."""
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


def encode(frames: Iterable[pl.DataFrame], file: IO[bytes], form: FileFormat) -> None:
    """Writes tables with the same columns to a file, one after another.

    Args:
        frames: The tables, at least one.
        file: The file.
        form: Its format.

    Raises:
        TrayportValidationError: A time has a part below the unit, and nothing keeps it.
        OSError: The file cannot be written, because the disk is full for example.
    """
    is_columnar = form.kind in COMPRESSED
    parts = (
        with_time_unit(part, form.time_unit, on_loss=form.on_loss)
        for part in gathered(frames, PARTS if is_columnar else PARTS_OF_TEXT)
    )
    try:
        if is_columnar:
            _encode_columns(parts, file, form)
        else:
            _encode_text(parts, file, form)
    except (pl.exceptions.PolarsError, OSError) as error:
        # Polars gives the errors of the system as text alone.
        if getattr(error, "errno", None) is None and (match := _OS_ERROR.search(str(error))):
            number = int(match[1])
            raise OSError(number, os.strerror(number)) from error
        raise


def _encode_columns(parts: Iterator[pl.DataFrame], file: IO[bytes], form: FileFormat) -> None:
    first = next(parts)
    rows = group_rows(first.schema)

    failures: list[Exception] = []

    def source(*_: object) -> Iterator[pl.DataFrame]:
        try:
            yield from chain([first], parts)
        except Exception as error:
            failures.append(error)
            raise

    table = register_io_source(source, schema=first.schema, validate_schema=True)
    codec = form.codec
    compression: Any = "uncompressed" if codec == "none" else codec
    try:
        if form.kind == ".parquet":
            level = ZSTD_LEVEL if codec == "zstd" else None
            table.sink_parquet(
                file,
                compression=compression,
                compression_level=level,
                row_group_size=rows // 2,  # of which polars has several in memory
            )
        else:
            # Of the newer type of text that polars has, other readers can do little.
            plain = pl.CompatLevel.oldest()
            table.sink_ipc(
                file, compression=compression, record_batch_size=rows, compat_level=plain
            )
    except pl.exceptions.ComputeError:  # polars before 2.0 wraps the errors of a source in it
        if failures:
            raise failures[0] from None
        raise


def _encode_text(parts: Iterator[pl.DataFrame], file: IO[bytes], form: FileFormat) -> None:
    for number, part in enumerate(map(texts, parts)):
        if form.kind == ".jsonl":
            part.write_ndjson(file)
            continue
        cells = lines(part)
        (guarded(cells) if form.guards_formulas else cells).write_csv(
            file,
            include_bom=form.bom and not number,
            include_header=not number,
            separator=form.separator,
            decimal_comma=form.decimal_comma,
        )


def write(frame: pl.DataFrame, path: str | Path, kind: str, **options: Unpack[FileOptions]) -> None:
    """Writes a table to a file, which is replaced in one step once everything is written.

    Args:
        frame: The table.
        path: The file.
        kind: The format, as its ending.
        options: How it is written.

    Raises:
        TrayportValidationError: An option does not fit, a time has a part below the unit, or
            there can be no such file.
        OSError: The file cannot be written.
    """
    form = FileFormat.of(kind, options)
    with replaced(check_writable(path, "path")) as file:
        encode([frame], file, form)
