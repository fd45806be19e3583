"""Times in files for readers without nanoseconds: nothing is cut silently."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from trayport_sdk import TrayportValidationError, with_time_unit
from trayport_sdk.tables import files
from trayport_sdk.tables.formats import FORMATS
from trayport_sdk.tables.time_units import NANOSECONDS, TimeUnit

pq: Any = import_module("pyarrow.parquet")  # it has no types

NS = pl.Datetime("ns", "UTC")
INSTANT = 1709546523123456789
"""2024-03-04T10:02:03.123456789Z"""
instants = st.integers(-(2**63), 2**63 - 1) | st.integers(-2_000_000, 2_000_000)


def frame(deal: int | None = INSTANT, order: int | None = INSTANT) -> pl.DataFrame:
    """A row with a time, one in a struct, some in a list of structs, and some in a list."""
    return pl.DataFrame(
        {
            "deal_date": [deal],
            "price": [-1.5],
            "last": [{"at": deal, "id": 7}],
            "bids": [[{"price": 1.0, "at": order}, None]],
            "seen": [[deal, None]],
            "text": ["=1"],
        },
        schema={
            "deal_date": NS,
            "price": pl.Float64,
            "last": pl.Struct({"at": NS, "id": pl.Int64}),
            "bids": pl.List(pl.Struct({"price": pl.Float64, "at": NS})),
            "seen": pl.List(NS),
            "text": pl.String,
        },
        strict=False,
    )


@settings(max_examples=examples(200))
@given(st.lists(st.none() | instants, max_size=8), st.sampled_from(["us", "ms"]))
def test_a_time_is_its_units_and_what_the_extra_column_has(
    values: list[int | None], unit: TimeUnit
) -> None:
    times = pl.Series("t", values, dtype=pl.Int64).cast(NS).to_frame()
    found = with_time_unit(times, unit, on_loss="extra_column")
    whole, rest = found["t"].to_physical().to_list(), found["t_ns"].to_list()
    size = NANOSECONDS[unit]
    assert found.schema == {"t": pl.Datetime(unit, "UTC"), "t_ns": found["t_ns"].dtype}
    for value, units, below in zip(values, whole, rest, strict=True):
        assert value == (None if units is None else units * size + below)
        assert below is None or 0 <= below < size
    if any(rest):
        with pytest.raises(TrayportValidationError, match="'t' has the time"):
            with_time_unit(times, unit)
    else:
        assert with_time_unit(times, unit).equals(found.drop("t_ns"))


def test_times_are_cast_however_deep_they_lie() -> None:
    time, rest = pl.Datetime("us", "UTC"), pl.Int16
    found = with_time_unit(frame(), "us", on_loss="extra_column")
    assert found.schema == {
        "deal_date": time,
        "deal_date_ns": rest,
        "price": pl.Float64,
        "last": pl.Struct({"at": time, "at_ns": rest, "id": pl.Int64}),
        "bids": pl.List(pl.Struct({"price": pl.Float64, "at": time, "at_ns": rest})),
        "seen": pl.List(time),
        "seen_ns": pl.List(rest),
        "text": pl.String,
    }
    row = found.select(pl.exclude("deal_date", "price", "text")).row(0, named=True)
    assert row["deal_date_ns"] == row["last"]["at_ns"] == row["bids"][0]["at_ns"] == 789
    assert row["bids"][1] is None
    assert row["seen_ns"] == [789, None]
    assert with_time_unit(found, "us", on_loss="extra_column").equals(found)
    assert with_time_unit(frame().clear(), "us", on_loss="extra_column").schema == found.schema


@pytest.mark.parametrize(
    ("table", "column", "time"),
    [
        (frame(), "deal_date", "2024-03-04T10:02:03.123456789Z"),
        (frame(None), "bids.at", "2024-03-04T10:02:03.123456789Z"),
        (frame(0, 1_000_001), "bids.at", "1970-01-01T00:00:00.001000001Z"),
        (frame(-1, 0), "deal_date", "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_a_time_that_would_lose_a_part_is_named(
    table: pl.DataFrame, column: str, time: str
) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        with_time_unit(table, "us")
    assert refused.value.parameter == "time_unit"
    assert f"column {column!r} has the time {time}" in str(refused.value)
    assert f"{column}_ns" in refused.value.suggestion


def test_coarser_columns_and_nulls_lose_nothing() -> None:
    times = pl.DataFrame(
        {"ms": [1], "us": [1_001], "ns": [None]},
        schema={"ms": pl.Datetime("ms"), "us": pl.Datetime("us"), "ns": NS},
    )
    found = with_time_unit(times, "us")
    assert found.dtypes == [pl.Datetime("us"), pl.Datetime("us"), pl.Datetime("us", "UTC")]
    assert found["ms"].to_physical().item() == 1_000
    kept = with_time_unit(times, "ms", on_loss="extra_column")
    assert kept.columns == ["ms", "us", "us_ns", "ns", "ns_ns"]
    assert kept["us_ns"].item() == 1_000
    assert with_time_unit(times, "ns") is times


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"time_unit": "s"}, "time_unit"),
        ({"time_unit": "us", "on_loss": "cut"}, "on_loss"),
        ({"time_unit": "us", "on_loss": "extra_column"}, "on_loss"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments: dict[str, Any], parameter: str) -> None:
    taken = frame().with_columns(deal_date_ns=1)
    with pytest.raises(TrayportValidationError) as refused:
        with_time_unit(taken, **arguments)
    assert refused.value.parameter == parameter


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_keeps_what_is_below_the_unit(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{kind}"
    table = frame().select("deal_date", "last")
    files.write(table, path, kind, time_unit="us", on_loss="extra_column")
    match kind:
        case ".parquet":
            found = pl.read_parquet(path)
        case ".arrow":
            found = pl.read_ipc(path)
        case ".csv":
            found = pl.read_csv(path)
            assert found.columns == [
                "deal_date", "deal_date_ns", "last_at", "last_at_ns", "last_id"
            ]  # fmt: skip
        case _:
            found = pl.read_ndjson(path)
    if kind in (".csv", ".jsonl"):
        assert found["deal_date"].item() == "2024-03-04T10:02:03.123456Z"
    else:
        assert found.schema["deal_date"] == pl.Datetime("us", "UTC")
    assert found["deal_date_ns"].item() == 789


@pytest.mark.parametrize("kind", FORMATS)
def test_a_loss_leaves_the_old_file_whatever_was_written_before_it(
    kind: str, tmp_path: Path
) -> None:
    """The check runs piece by piece; the time that would lose a part is in the last one."""
    times = pl.Series("t", [*range(0, 30_000_000, 1000), 1], dtype=pl.Int64).cast(NS).to_frame()
    (tmp_path / "a").write_text("old")
    with pytest.raises(TrayportValidationError, match=r"column 't'.*00\.000000001Z"):
        files.write(times, tmp_path / "a", kind, time_unit="us")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]


def test_other_readers_find_microseconds_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    files.write(frame(), path, ".parquet", time_unit="us", on_loss="extra_column")
    types = [str(column.logical_type) for column in pq.ParquetFile(path).schema]
    times = [text for text in types if text.startswith("Timestamp")]
    assert len(times) == 4
    assert all("timeUnit=microseconds" in text and "isAdjustedToUTC=true" in text for text in times)
    query = (
        "select epoch_us(deal_date) * 1000 + deal_date_ns, typeof(deal_date_ns), "
        "epoch_us(bids[1].at) * 1000 + bids[1].at_ns from read_parquet(?)"
    )
    with duckdb.connect() as connection:
        (found,) = connection.execute(query, [str(path)]).fetchall()
    assert found == (INSTANT, "SMALLINT", INSTANT)
