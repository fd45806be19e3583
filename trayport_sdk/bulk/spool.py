"""The rows of one response, in memory up to a limit and in a temporary file beyond it.

Rows may be handed on only when their response is whole: before, it may break off and be asked for
again, or in parts. Until then they wait here.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from io import BytesIO
from typing import IO

import polars as pl

BLOCK_ROWS = 100_000
BLOCK_BYTES = 1 << 23


class Spool:
    """Tables one after another, in blocks of about 100,000 rows.

    Args:
        hold: About how many bytes are kept in memory; all of them when it is left out.
    """

    def __init__(self, hold: int | None = None) -> None:
        self._hold = hold
        # Of what goes into a file, little is in memory at a time.
        self._block = BLOCK_BYTES if hold is None else min(BLOCK_BYTES, hold // 2)
        self._small: list[pl.DataFrame] = []
        self._small_rows = self._small_bytes = 0
        self._blocks: list[pl.DataFrame] = []
        self._held = 0
        self._file: IO[bytes] | None = None
        self._written: list[tuple[int, int]] = []
        self.height = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Adds rows at the end."""
        self._small.append(frame)
        self._small_rows += frame.height
        self._small_bytes += int(frame.estimated_size())
        self.height += frame.height
        if self._small_rows >= BLOCK_ROWS or self._small_bytes >= self._block:
            self._gather()

    def frames(self) -> Iterator[pl.DataFrame]:
        """All rows in order; at least one table, which has the columns."""
        self._gather()
        for start, size in self._written:
            file = self._opened()
            file.seek(start)
            yield pl.read_ipc_stream(BytesIO(file.read(size)))
        yield from self._blocks

    def frame(self) -> pl.DataFrame:
        """All rows in one table."""
        return pl.concat(list(self.frames()), rechunk=False)

    def close(self) -> None:
        """Forgets everything."""
        self._blocks, self._small, self._written = [], [], []
        if self._file is not None:
            self._file.close()

    def _gather(self) -> None:
        """Makes one block of the small tables."""
        # Rows come in any number of pieces, and none of them is needed beside others.
        small = [one for one in self._small if one.height] or self._small[:1]
        self._small = []
        if not small or (not self._small_rows and (self._blocks or self._written)):
            return
        self._blocks.append(pl.concat(small, rechunk=True))
        self._held += self._small_bytes
        self._small_rows = self._small_bytes = 0
        if self._hold is not None and self._held > self._hold:
            self._write()

    def _write(self) -> None:
        """Moves the blocks to the file."""
        file = self._opened()
        for block in self._blocks:
            start = file.seek(0, 2)
            # By way of memory: a file that polars writes to must not be read from meanwhile.
            buffer = BytesIO()
            block.write_ipc_stream(buffer, compression="lz4")
            self._written.append((start, file.write(buffer.getbuffer())))
        self._blocks, self._held = [], 0

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="trayport-")  # noqa: SIM115
            weakref.finalize(self, self._file.close)
        return self._file
