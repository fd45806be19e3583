"""Trades as the service writes them, any number of them, the same ones every time.

NumPy writes them: a block of rows is made once, and for the next one only the digits of its ids and
times are written again. At some hundred megabytes a second a body of any size needs no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

BLOCK = 50_000
DAY = 86_400 * 10**9
START = 1_704_067_200 * 10**9  # 2024-01-01
FIRST_NUMBER = 10**9  # so that all ids are of one length
DIGITS = {"number": len(str(FIRST_NUMBER)), "time": len(str(START))}
QUANTITIES = (1, 5, 10, 2.5, 30)

Numbers = NDArray[np.int64]


@frozen
class Part:
    """The trades of one window, evenly spread with a little noise.

    Attributes:
        start: The start of the window, in nanoseconds since 1970-01-01 UTC.
        end: Its end, after the last trade.
        rows: How many trades there are.
        first: How many trades there are in the parts before.
    """

    start: int
    end: int
    rows: int
    first: int = 0

    def times(self, within: Numbers) -> Numbers:
        """When the trades with these numbers within the part were, in ascending order."""
        step = (self.end - self.start) // self.rows
        return self.start + within * step + noise(within) % step


def parts(count: int, days: int, rows: int) -> list[Part]:
    """Windows one after another, with so many trades each."""
    return [
        Part(START + n * days * DAY, START + (n + 1) * days * DAY, rows, n * rows)
        for n in range(count)
    ]


def noise(numbers: Numbers) -> Numbers:
    """A number without a pattern for each of these, from 0."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(20)).astype(np.int64)


class _Block:
    """The text of rows whose numbers and times can be written anew, and their other values."""

    def __init__(self) -> None:
        chance = noise(np.arange(BLOCK))
        self.price = (20_000 + (chance >> 7) % 40_000) / 1000
        self.quantity = np.array(QUANTITIES)[(chance >> 25) % len(QUANTITIES)]
        self.aggressor_buy = (chance >> 40) % 2 == 1
        values = zip(
            self.price.tolist(), self.quantity.tolist(), self.aggressor_buy.tolist(), strict=True
        )
        rows = [
            f'{{"tradeId":"{_identifier(FIRST_NUMBER)}","venueCode":"EEX7","dealDate":{START},'
            f'"price":{price},"quantity":{quantity:g},"aggressorBuy":{str(is_buy).lower()}}},'
            for price, quantity, is_buy in values
        ]
        self._ends = np.cumsum([len(row) for row in rows])
        starts = np.concatenate([[0], self._ends[:-1]])
        self._text = np.frombuffer(bytearray("".join(rows).encode()), np.uint8)
        self._places = {
            "number": starts + rows[0].index(str(FIRST_NUMBER)),
            "time": starts + rows[0].index(str(START)),
        }

    def written(self, numbers: Numbers, times: Numbers) -> bytes:
        """The rows with these numbers and times, each with its comma."""
        for name, values in (("number", numbers), ("time", times)):
            places, rest = self._places[name][: len(values)], values
            for place in reversed(range(DIGITS[name])):
                rest, digits = np.divmod(rest, 10)
                self._text[places + place] = digits + ord("0")
        return self._text[: self._ends[len(numbers) - 1]].tobytes()


def _identifier(number: int) -> str:
    return f"Eurex T7/G3BM042024-20240304/{number}/1 Public"


class Fingerprint:
    """Hashes of all columns, which tell a value that is wrong, missing, added or out of place."""

    COLUMNS = ("trade_id", "deal_date", "price", "quantity", "aggressor_buy")

    def __init__(self) -> None:
        self.rows = 0
        self._hashes = [hashlib.blake2b(digest_size=8) for _ in self.COLUMNS]

    def add(self, *columns: Any) -> None:
        """Adds rows; `columns` are as in `COLUMNS`, the ids as a list."""
        ids, *others = columns
        self.rows += len(ids)
        for hashed, values in zip(self._hashes, ["".join(ids).encode(), *others], strict=True):
            hashed.update(values)

    def __str__(self) -> str:
        return f"{self.rows} rows {''.join(hashed.hexdigest() for hashed in self._hashes)}"


def body(part: Part, fingerprint: Fingerprint | None = None) -> Iterator[bytes]:
    """The response about a part, in pieces; its rows are added to the fingerprint."""
    block = _Block()
    yield b"["
    for start in range(0, part.rows, BLOCK):
        within = np.arange(start, min(start + BLOCK, part.rows))
        numbers, times = FIRST_NUMBER + part.first + within, part.times(within)
        if fingerprint is not None:
            rest = (block.price, block.quantity, block.aggressor_buy)
            ids = list(map(_identifier, numbers.tolist()))
            fingerprint.add(ids, times, *(values[: len(within)] for values in rest))
        text = block.written(numbers, times)
        yield text if start + BLOCK < part.rows else text[:-1]
    yield b"]"


def write_body(part: Part, path: Path) -> None:
    """Writes the response about a part to a file."""
    with path.open("wb") as file:
        file.writelines(body(part))


def fingerprint_of(files: Iterable[Path]) -> str:
    """The fingerprint of the rows in Parquet files.

    Raises:
        ValueError: Something is null.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    found = Fingerprint()
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(Fingerprint.COLUMNS)):
                if any(column.null_count for column in batch.columns):
                    raise ValueError(f"{path} has nulls")
                ids, times, *others = batch.select(list(Fingerprint.COLUMNS)).columns
                arrays = [times.cast(pa.int64()), *others]
                found.add(ids.to_pylist(), *(a.to_numpy(zero_copy_only=False) for a in arrays))
    return str(found)
