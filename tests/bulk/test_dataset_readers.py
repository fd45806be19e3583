"""A data set read by other libraries as it lies on the disk: the same rows, and no file in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import duckdb
import polars as pl
import pytest
from attrs import frozen
from polars.testing import assert_frame_equal

from trayport_sdk import TrayportClient, changes, open_dataset
from trayport_sdk.bulk.dataset_writer import DatasetWriter
from trayport_sdk.query.plan import QueryPlan

# They have no types.
pd, ds, pq = (import_module(name) for name in ("pandas", "pyarrow.dataset", "pyarrow.parquet"))

APRIL, SPREAD = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* Apr-24/May-24"
DAYS = ("2024-02-28", "2024-03-02")
KEYS = ("product", "sequence", "item", "month")
FILTER = "item = 'single-244' AND month = '2024-03'"


@frozen
class Kind:
    """A kind of rows.

    Attributes:
        contracts: What is asked for; None for everything.
        time: The column of the time.
        options: How it is asked for.
    """

    contracts: list[str] | None
    time: str
    options: dict[str, Any]


KINDS = {
    "trades": Kind([APRIL, SPREAD], "deal_date", {}),
    "private_trades": Kind(None, "deal_date", {}),
    "ohlcv": Kind([APRIL], "from_timestamp", {"interval": "1h"}),
    "order_book_top": Kind([APRIL], "timestamp", {"interval": "1h"}),
    "order_book": Kind([APRIL], "timestamp", {"interval": "1h", "depth": 2}),
    "activity": Kind(None, "from_timestamp", {}),
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A data set of each kind, two months of it."""
    root = tmp_path_factory.mktemp("sets")

    for name in KINDS:
        assert asyncio.run(filled(name, root / name))
    return {name: root / name for name in KINDS}


async def filled(name: str, path: Path) -> int:
    kind, endpoint = KINDS[name], cast("Any", name)
    async with TrayportClient.sandbox() as client:
        report = await client.backfill(
            kind.contracts, *DAYS, path, endpoint=endpoint, **kind.options
        )
    return report.rows


def files_of(path: Path) -> list[Path]:
    return sorted((path / "data").rglob("*.parquet"))


def in_duckdb(query: str) -> pl.DataFrame:
    with duckdb.connect() as connection:
        return taken(connection.sql(query).pl())


def in_view(path: Path, where: str = "true") -> pl.DataFrame:
    """By the script that makes the data set one table."""
    with duckdb.connect() as connection:
        connection.execute((path / "catalog.duckdb.sql").read_text())
        return taken(connection.sql(f"SELECT * FROM {path.name} WHERE {where}").pl())  # noqa: S608


def with_duckdb(path: Path, where: str = "true") -> pl.DataFrame:
    files = f"'{path}/data/**/*.parquet'"
    return in_duckdb(f"FROM read_parquet({files}, hive_partitioning = true) WHERE {where}")


def with_polars(path: Path) -> pl.DataFrame:
    return pl.scan_parquet(path / "data", hive_partitioning=True).collect()


def with_pandas(path: Path) -> pl.DataFrame:
    return taken(pl.from_pandas(pd.read_parquet(path / "data")))


def with_arrow(path: Path) -> pl.DataFrame:
    return taken(ds.dataset(path / "data", format="parquet", partitioning="hive").to_table())


def opened_as_arrow(path: Path) -> pl.DataFrame:
    return taken(open_dataset(path, backend="arrow").to_table())


def taken(table: Any) -> pl.DataFrame:
    """What a library without types gave, as a frame."""
    frame = table if isinstance(table, pl.DataFrame) else pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


READERS: list[Callable[[Path], pl.DataFrame]] = [
    with_polars, with_duckdb, in_view, with_pandas, with_arrow, opened_as_arrow,
]  # fmt: skip


def alike(frame: pl.DataFrame, columns: list[str], schema: pl.Schema) -> pl.DataFrame:
    """The columns in the same order of rows, with the types that libraries differ in made equal."""
    times = [name for name in columns if schema[name] == pl.Datetime("ns", "UTC")]
    for name in times:
        kind = frame.schema[name]
        assert isinstance(kind, pl.Datetime)
        assert (kind.time_unit, kind.time_zone) in {("ns", "UTC"), ("ns", "Etc/UTC")}
    # Readers guess types of directories, and pandas has no whole numbers with nulls.
    same = frame.select(columns).with_columns(pl.col(times).dt.convert_time_zone("UTC"))
    same = same.cast({name: schema[name] for name in columns})
    return same.sort([name for name in columns if not schema[name].is_nested()])


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", KINDS)
def test_every_reader_finds_the_same_rows(
    name: str, read: Callable[[Path], pl.DataFrame], paths: dict[str, Path]
) -> None:
    expected: pl.DataFrame = open_dataset(paths[name]).collect()
    assert expected.schema[KINDS[name].time] == pl.Datetime("ns", "UTC")
    # The names of contracts stand beside the files, which the view and open_dataset join.
    names = [] if read is in_view else ["contract", "contract_name", "period"]
    joined = names if KINDS[name].contracts else []
    columns = [column for column in expected.columns if column not in joined]
    schema = expected.schema
    assert_frame_equal(alike(read(paths[name]), columns, schema), alike(expected, columns, schema))


@pytest.mark.parametrize("name", KINDS)
def test_a_data_set_without_rows_has_the_columns_of_those_with_some(
    name: str, paths: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_nothing(self: DatasetWriter, query: QueryPlan, frame: pl.DataFrame, size: int) -> None:
        add(self, query, frame.clear(), size)

    add, path = DatasetWriter.add, tmp_path / name
    monkeypatch.setattr(DatasetWriter, "add", add_nothing)
    asyncio.run(filled(name, path))
    some: pl.LazyFrame = open_dataset(paths[name])
    none: pl.LazyFrame = open_dataset(path)
    assert none.collect_schema() == some.collect_schema()
    for read in (opened_as_arrow, in_view):
        frame = read(path)
        assert (set(frame.columns), len(frame)) == (set(read(paths[name]).columns), 0)
    monkeypatch.setattr(DatasetWriter, "add", add)

    async def changed() -> None:
        async with TrayportClient.sandbox() as client:
            nothing = changes(path)
            assert (await client.refresh(path, "90d")).added
            assert nothing.is_empty()
            assert nothing.schema == changes(path).schema

    asyncio.run(changed())
    assert in_view(path).height == in_view(paths[name]).height


def test_nanoseconds_are_there(paths: dict[str, Path]) -> None:
    """Or the readers above could agree on less."""
    for name in ("trades", "private_trades"):
        times = open_dataset(paths[name]).select(KINDS[name].time).collect().to_series()
        assert (times.dt.epoch("ns") % 1000 != 0).any()


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_sorted_by_time_and_says_what_is_in_it(name: str, paths: dict[str, Path]) -> None:
    time = KINDS[name].time
    for path in files_of(paths[name]):
        times = pl.read_parquet(path, hive_partitioning=False).get_column(time)
        assert times.is_sorted()
        footer = pq.read_metadata(path)
        column = next(
            n
            for n in range(footer.num_columns)
            if footer.row_group(0).column(n).path_in_schema == time
        )
        groups = [footer.row_group(n).column(column) for n in range(footer.num_row_groups)]
        assert all(group.statistics.has_min_max for group in groups)
        assert all(group.compression == "ZSTD" for group in groups)
        ends = groups[0].statistics.min, groups[-1].statistics.max
        assert [pd.Timestamp(end).value for end in ends] == [
            times.dt.epoch("ns")[0], times.dt.epoch("ns")[-1],
        ]  # fmt: skip


def of_polars(path: Path) -> pl.DataFrame:
    rows = pl.scan_parquet(path / "data", hive_partitioning=True)
    return rows.filter(pl.col("item") == "single-244", pl.col("month") == "2024-03").collect()


def of_open_dataset(path: Path) -> pl.DataFrame:
    rows = open_dataset(path)
    return rows.filter(pl.col("item") == "single-244", pl.col("month") == "2024-03").collect()


def of_one_contract(path: Path) -> pl.DataFrame:
    return open_dataset(path, contracts=APRIL).filter(pl.col("month") == "2024-03").collect()


def of_duckdb(path: Path) -> pl.DataFrame:
    return with_duckdb(path, FILTER)


def of_pandas(path: Path) -> pl.DataFrame:
    wanted = [("item", "==", "single-244"), ("month", "==", "2024-03")]
    return taken(pl.from_pandas(pd.read_parquet(path / "data", filters=wanted)))


def of_arrow(path: Path) -> pl.DataFrame:
    wanted = (ds.field("item") == "single-244") & (ds.field("month") == "2024-03")
    return taken(open_dataset(path, backend="arrow").to_table(filter=wanted))


@pytest.mark.parametrize(
    "read", [of_polars, of_open_dataset, of_one_contract, of_duckdb, of_pandas, of_arrow]
)
def test_files_of_other_contracts_and_months_are_not_opened(
    read: Callable[[Path], pl.DataFrame], paths: dict[str, Path]
) -> None:
    """They could not be read: nothing of them is left. The first one names the columns."""
    path = paths["trades"]
    expected = read(path).height
    first, april, *others = files_of(path)
    assert (expected, len(others)) == (pq.read_metadata(april).num_rows, 2)
    whole = {other: other.read_bytes() for other in others}
    try:
        for other in others:
            other.write_bytes(b"nothing")
        assert read(path).height == expected
    finally:
        for other, content in whole.items():
            other.write_bytes(content)
    assert "month=2024-02" in str(first)


def test_the_view_scans_the_files_of_what_is_wanted(paths: dict[str, Path]) -> None:
    with duckdb.connect() as connection:
        connection.execute((paths["trades"] / "catalog.duckdb.sql").read_text())
        query = f"EXPLAIN ANALYZE SELECT * FROM trades WHERE {FILTER}"  # noqa: S608
        plan = " ".join(connection.sql(query).fetchall()[0][1].split())
    assert "Total Files Read: 1" in plan or "1/4" in plan, plan
