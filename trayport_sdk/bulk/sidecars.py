"""What lies beside the rows of a data set: the names of contracts, and a view for DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT
from ..tables.convert import NAMES
from .partitions import DATA, KEYS, OF_CONTRACT, keys_above, partition
from .storage import Storage

CONTRACTS, VIEW = "contracts.parquet", "catalog.duckdb.sql"
EMPTY = ".trayport/empty.parquet"
"""The columns of a data set that has no rows, for the view."""


def names_of(contracts: Iterable[ContractSpec]) -> pl.DataFrame:
    """Contracts with the names of their directories and their own."""
    kinds = {name: KEYS[name] for name in OF_CONTRACT}
    return pl.DataFrame(
        [(*partition(c).values(), str(c), c.name, c.period) for c in contracts],
        schema={**kinds, **dict.fromkeys((CONTRACT, *NAMES), pl.String)},
        orient="row",
    )


def view_of(
    endpoint: str, *, has_names: bool, has_rows: bool, are_alike: bool, storage: Storage
) -> str:
    """A script that makes the data set one table of DuckDB.

    Args:
        endpoint: The operation, after which the table is called.
        has_names: Whether there are contracts to join.
        has_rows: Whether there is a file to read.
        are_alike: Whether all files have the same columns, so that one of them tells.
        storage: Where the files are.
    """
    root = re.sub(r"[*?\[]", r"[\g<0>]", storage.source(""))  # what would be a pattern
    files = f"{root}{DATA}/**/*.parquet" if has_rows else f"{root}{EMPTY}"
    files = files.replace("'", "''")
    above = keys_above(storage.url) if has_rows else []
    without = f" EXCLUDE ({', '.join(above)})" if above else ""
    by_name = "" if are_alike else ", union_by_name = true"
    table = f"read_parquet('{files}', hive_partitioning = {has_rows}{by_name}) AS rows"
    if has_names:
        names = f"{root}{CONTRACTS}".replace("'", "''")
        table += f"\nLEFT JOIN read_parquet('{names}') AS names USING ({', '.join(OF_CONTRACT)})"
    return (
        "-- duckdb -init catalog.duckdb.sql, or run it in a session.\n"
        f"CREATE OR REPLACE VIEW {endpoint} AS\nSELECT *{without} FROM {table};\n"
    )
