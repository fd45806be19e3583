"""Tables into files that appear only when they are whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import TrayportValidationError

if TYPE_CHECKING:
    import polars as pl

FORMATS = (".parquet", ".csv", ".jsonl")
ISO_NANOSECONDS = "%Y-%m-%dT%H:%M:%S%.9fZ"


def file_format(path: str | Path) -> str:
    """The format a file's name asks for.

    Raises:
        TrayportValidationError: The ending is not one that can be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise TrayportValidationError(
            f"out {str(path)!r} has no known ending",
            parameter="out",
            limit=", ".join(FORMATS),
            suggestion=f"use one of {', '.join(FORMATS)}",
        )
    return suffix


def check_writable(path: str | Path) -> None:
    """Finds out before the work is done that its result could not be written.

    Raises:
        TrayportValidationError: The path is a directory, or its directory cannot be written to.
    """
    target = Path(path)
    reason = ""
    if target.is_dir():
        reason = "is a directory"
    elif not target.parent.is_dir():
        reason = "lies in a directory that does not exist"
    elif not os.access(target.parent, os.W_OK):
        reason = "lies in a directory that may not be written to"
    if reason:
        raise TrayportValidationError(
            f"out {str(path)!r} {reason}", parameter="out", suggestion="choose another file"
        )


def write(frame: pl.DataFrame, path: str | Path, kind: str) -> None:
    """Writes a table to a file, which is replaced in one step once everything is written."""
    target = Path(path).resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    part = Path(name)
    try:
        if kind == ".parquet":
            frame.write_parquet(part, compression="zstd", compression_level=1)
        elif kind == ".csv":
            flat(frame).write_csv(part, datetime_format=ISO_NANOSECONDS)
        else:
            texts(frame).write_ndjson(part)
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with every nested field as a column of its own, named `outer_inner`."""
    import polars as pl

    structs = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]
    if not structs:
        return frame
    columns: list[pl.Series] = []
    for name in frame.columns:
        if name in structs:
            inner = frame[name].struct.unnest()
            columns += [inner[field].alias(f"{name}_{field}") for field in inner.columns]
        else:
            columns.append(frame[name])
    return flat(pl.DataFrame(columns))


def texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with times as ISO-8601 text to the nanosecond."""
    import polars as pl

    return frame.with_columns(pl.col(pl.Datetime).dt.strftime(ISO_NANOSECONDS))
