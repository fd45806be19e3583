"""A data set of a year, and one month of one contract read from it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from tests.perf.trades import noise
from trayport_sdk import ContractSpec, Window, open_dataset
from trayport_sdk.bulk.dataset_writer import now_in_nanoseconds, writing
from trayport_sdk.bulk.storage import Directory
from trayport_sdk.query.plan import ParallelContractQuery

YEAR = Window.between("2023-01-01", "2024-01-01")
MONTH = "2023-06"
FIRST_ITEM = 200


def contracts(count: int) -> list[ContractSpec]:
    """Months of one product."""
    return [
        ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=FIRST_ITEM + n)
        for n in range(count)
    ]


@contextmanager
def year_of(count: int, rows: int) -> Iterator[Path]:
    """A data set of so many contracts with so many trades each, gone afterwards."""
    trades = _trades(rows)
    with tempfile.TemporaryDirectory(prefix="trayport-perf-") as folder:
        with writing(Directory(folder), now_in_nanoseconds) as writer:
            writer.recover()
            for contract in contracts(count):
                query = ParallelContractQuery(endpoint="trades", contracts=(contract,), window=YEAR)
                writer.bind(query)
                writer.manifest.add_contracts([contract])
                writer.add(query, trades, 0)
            writer.publish()
        yield Path(folder)


def _trades(rows: int) -> pl.DataFrame:
    numbers = np.arange(rows)
    chance = noise(numbers)
    step = (YEAR.end - YEAR.start) // rows
    return pl.DataFrame(
        {
            "trade_id": [f"EEX7-{number}" for number in range(rows)],
            "venue_code": ["EEX7"] * rows,
            "deal_date": YEAR.start + numbers * step + chance % step,
            "price": (20_000 + (chance >> 7) % 40_000) / 1000,
            "quantity": ((chance >> 25) % 30).astype(float),
            "aggressor_buy": (chance >> 40) % 2 == 1,
        }
    ).with_columns(pl.col("deal_date").cast(pl.Datetime("ns", "UTC")))


def month_of_one(path: Path, count: int, rounds: int) -> tuple[float, float, int]:
    """Seconds until a month of one contract is there, with DuckDB too, and its rows."""
    wanted = contracts(count)[count // 2]
    files = f"'{path}/data/**/*.parquet'"
    query = (
        f"FROM read_parquet({files}, hive_partitioning = true) "
        f"WHERE item = 'single-{wanted.sequence_item_id}' AND month = '{MONTH}'"
    )

    def ours() -> int:
        rows = open_dataset(path, contracts=[wanted]).filter(pl.col("month") == MONTH)
        return rows.collect().height

    def theirs() -> int:
        with duckdb.connect() as connection:
            return len(connection.sql(query).pl())

    found: set[int] = set()
    took = [(_timed(ours, found), _timed(theirs, found)) for _ in range(rounds)]
    (rows,) = found
    return min(one for one, _ in took), min(other for _, other in took), rows


def _timed(read: Callable[[], int], found: set[int]) -> float:
    started = time.perf_counter()
    found.add(read())
    return time.perf_counter() - started
