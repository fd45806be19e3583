"""Tables into files that appear only when they are whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import TrayportValidationError
from .files import FORMATS, codec_of, encode, replaced
from .flattening import flat as flat
from .flattening import texts as texts
from .flattening import with_times as with_times

if TYPE_CHECKING:
    import polars as pl


def file_format(path: str | Path, parameter: str = "out") -> str:
    """The format a file's name asks for.

    Args:
        path: The file.
        parameter: What messages call it.

    Raises:
        TrayportValidationError: The ending is not one that can be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise TrayportValidationError(
            f"{parameter} {str(path)!r} has no known ending",
            parameter=parameter,
            limit=", ".join(FORMATS),
            suggestion=f"use one of {', '.join(FORMATS)}",
        )
    return suffix


def check_writable(path: str | Path, parameter: str = "out") -> None:
    """Finds out before the work is done that its result could not be written.

    Args:
        path: The file.
        parameter: What messages call it.

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
            f"{parameter} {str(path)!r} {reason}",
            parameter=parameter,
            suggestion="choose another file",
        )


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
    check_writable(path, "path")
    with replaced(path) as part:
        encode([frame], part, kind, codec)
