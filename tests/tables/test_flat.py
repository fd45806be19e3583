"""Frames and files have no nested columns, so that whoever groups by contract can."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_api.models import Contract

from tests.drawn import examples
from trayport_sdk import BulkQueryResult, ContractSpec, TradesResponse, TrayportClient
from trayport_sdk.tables import TableResponse
from trayport_sdk.tables.decode.schema import RequestedColumns

MONTHS = ["10000065*#Single#10000305#244#0", "10000065*#Single#10000305#245#0"]
LISTED = "10002806#Single#10000305#244#0"
DAY = ("2024-03-04", "2024-03-05")
Fetch = Callable[[TrayportClient], Awaitable[TableResponse[Any]]]


async def candles(client: TrayportClient) -> TableResponse[Any]:
    trades = await client.trades.get_trades([*MONTHS, LISTED], *DAY)
    return trades.to_ohlcv("1h", include_empty_buckets=True)


TABLES: dict[str, Fetch] = {
    "trades": lambda c: c.trades.get_trades([*MONTHS, LISTED], *DAY, include_private=True),
    "trades of one": lambda c: c.trades.get_trades(LISTED, *DAY, optional_fields="contract"),
    "own trades": lambda c: c.trades.get_private_trades(*DAY),
    "snapshots": lambda c: c.snapshots.get_snapshots([*MONTHS, LISTED], at="2024-03-05T12:00"),
    "candles": candles,
}


@pytest.mark.anyio
@pytest.mark.parametrize("fetch", TABLES.values(), ids=TABLES)
async def test_no_cell_of_a_frame_is_nested(fetch: Fetch, tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        table = await fetch(client)
    frame, nested = table.to_polars(), table.to_polars(nested=True)
    assert frame.columns[0] == "contract"
    assert not any(kind.is_nested() for kind in frame.dtypes)
    specs = [
        ContractSpec.from_model(Contract(**{**row, "contract_type": row["contract_type"]}))
        for row in nested["contract"]
    ]
    assert frame["contract"].to_list() == list(map(str, specs))
    assert frame["contract_sequence_item_id"].to_list() == [s.sequence_item_id for s in specs]
    pandas = table.to_pandas()
    assert pandas.groupby("contract").size().sum() == len(table) > 0
    assert len(pandas.drop_duplicates()) == frame.unique().height
    with closing(sqlite3.connect(":memory:")) as database:
        assert pandas.to_sql("rows", database) == len(table)
    assert list(pandas) == list(table.to_numpy()) == frame.columns
    assert isinstance(table.to_pandas(nested=True)["contract"].iloc[0], dict)
    assert table.to_dataframe("pandas", nested=True).columns.to_list() == nested.columns
    for options, expected in (({}, frame), ({"nested": True}, nested)):
        table.to_parquet(tmp_path / "a.parquet", **options)  # type: ignore[arg-type]
        assert pl.read_parquet(tmp_path / "a.parquet").equals(expected)
        table.to_json(tmp_path / "a.jsonl", **options)  # type: ignore[arg-type]
        assert pl.read_ndjson(tmp_path / "a.jsonl").columns == expected.columns
        assert table.to_arrow(**options).column_names == expected.columns  # type: ignore[arg-type]
    table.to_csv(tmp_path / "a.csv")
    assert pl.read_csv(tmp_path / "a.csv").columns == frame.columns
    assert next(table.map_batches(columns_of, workers=1)) == frame.columns


def columns_of(frame: pl.DataFrame) -> list[str]:
    return frame.columns


@pytest.mark.anyio
async def test_results_of_many_contracts_are_named_in_the_same_way(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        trades = await client.get_trades_bulk(MONTHS, *DAY, optional_fields="contract")
        snapshots = await client.get_snapshots_bulk(MONTHS, at="2024-03-05T12:00")
        candles = await client.get_ohlcv_bulk(MONTHS, *DAY, "1h")
        alone = await client.get_ohlcv(MONTHS[1], *DAY, "1h")
        top = await client.get_order_book_top_bulk(MONTHS, *DAY, "1h", optional_fields="route_id")
        nothing = await client.get_trades_bulk(
            MONTHS, "1975-01-01", "1975-01-02", optional_fields="contract"
        )
        path = tmp_path / "candles.parquet"
        await client.stream_to_file(MONTHS, *DAY, path, endpoint="ohlcv", interval="1h")
    assert candles.results[ContractSpec.parse(MONTHS[1])].to_polars().equals(alone.to_polars())
    candles.to_parquet(written := tmp_path / "bulk.parquet")
    assert pl.read_parquet(written).equals(pl.read_parquet(path))
    assert nothing.to_polars().schema == trades.to_polars().schema
    london = candles.to_polars(tz="Europe/London", decimal=True)
    assert london.schema["from_timestamp"] == pl.Datetime("ns", "Europe/London")
    assert london["close"].cast(float).equals(candles.to_polars()["close"])
    pandas = top.to_pandas()
    assert list(pandas) == top.to_polars().columns
    assert str(pandas.dtypes["route_id"]) == "Int64"
    results: list[BulkQueryResult[Any]] = [trades, snapshots, candles, top]
    for frame in (*(result.to_polars() for result in results), pl.read_parquet(path)):
        assert frame.columns[0] == "contract"
        assert set(frame["contract"]) == set(MONTHS)
        assert not any(kind.is_nested() for kind in frame.dtypes)


ids = st.integers(1, 2**63 - 1)
contracts = st.fixed_dictionaries(
    {
        "contract_type": st.sampled_from(["SinglePeriod", "PeriodSpread", "PeriodRange"]),
        "market_id": st.none() | ids,
        "instrument_id": st.none() | ids,
        "sequence_id": ids,
        "sequence_item_id": ids,
        "second_sequence_item_id": st.none() | ids,
    }
)


@settings(max_examples=examples(60))
@given(st.lists(st.none() | contracts, max_size=12))
def test_symbols_are_those_of_the_contracts(rows: list[dict[str, Any] | None]) -> None:
    nothing = TradesResponse.nothing(RequestedColumns(("contract",))).to_polars(nested=True)
    kind = nothing.schema["contract"]
    table = TradesResponse(pl.DataFrame({"contract": rows}, schema={"contract": kind}), [])
    words = {"SinglePeriod": "Single", "PeriodSpread": "Spread", "PeriodRange": "Range"}
    expected = [
        None
        if row is None or (row["instrument_id"] is None and row["market_id"] is None)
        else f"{row['instrument_id'] or str(row['market_id']) + '*'}#{words[row['contract_type']]}"
        f"#{row['sequence_id']}#{row['sequence_item_id']}#{row['second_sequence_item_id'] or 0}"
        for row in rows
    ]
    assert table.to_polars()["contract"].to_list() == expected
